package query

import (
	"engage/internal/resource"
	"engage/internal/schema"
)

// mask stands for a text that is not shown.
const mask Text = "***"

// Of a number, a masked view shows a step: tens of a whole number, tenths of the
// column's range of any other.
const (
	wholeStep = 10
	steps     = 10
)

type maskedView struct {
	View, Table Relation
	Columns     Fragment
}

// MaskedView returns the statement that makes the view of a table without its
// confidential values. Columns are the table's, in order; those of the schema of
// customers are masked as their classification there says.
func MaskedView(t resource.Table, columns []Column) Statement {
	var list Fragment
	for i, c := range columns {
		if i > 0 {
			list += ",\n  "
		}
		list += masked(c)
	}
	s := render("masked", maskedView{View: ViewOf(t.Masked()), Table: TableOf(t), Columns: list})
	s.Name = "create " + t.Masked().Name()
	return s
}

func masked(c Column) Fragment {
	name := Ident(c.Name)
	known, _ := schema.Customers.Column(schema.Name(c.Name))
	switch {
	case known.Classification < schema.Confidential:
		return Fragment(name.String())
	case known.Type == schema.Double && known.Range != nil:
		step := Double((known.Range.Max - known.Range.Min) / steps)
		return frag("floor(%s / %s) * %s AS %s", name, step, step, name)
	case known.Type == schema.Int || known.Type == schema.BigInt:
		return frag("%s / %s * %s AS %s", name, Int(wholeStep), Int(wholeStep), name)
	}
	return frag("CASE WHEN %s IS NOT NULL THEN CAST(%s AS VARCHAR) END AS %s", name, mask, name)
}
