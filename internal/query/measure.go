package query

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"engage/internal/schema"
)

// Measure is one aggregate over all rows of a table.
type Measure struct {
	Name  string // of the column of the result
	Value Fragment
}

// measuresAtOnce bounds the aggregates of one statement: Trino compiles each, and
// a class of the JVM holds only so much. measuring bounds the statements at a time.
const (
	measuresAtOnce = 300
	measuring      = 3
)

// Measures takes the measures in as few scans as Athena bears, and returns their
// values by name.
func Measures(ctx context.Context, sql interface {
	One(ctx context.Context, s Statement) (Row, error)
}, name string, from Relation, list []Measure) (Row, error) {
	batches := slices.Collect(slices.Chunk(list, measuresAtOnce))
	rows := make([]Row, len(batches))
	work, inner := errgroup.WithContext(ctx)
	work.SetLimit(measuring)
	for i, batch := range batches {
		work.Go(func() (err error) {
			rows[i], err = sql.One(inner, measures(name, from, batch))
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	all := Row{}
	for _, r := range rows {
		maps.Copy(all, r)
	}
	return all, nil
}

func measures(name string, from Relation, list []Measure) Statement {
	var sql Fragment
	for i, m := range list {
		if i > 0 {
			sql += ",\n  "
		}
		sql += frag("%s AS %s", m.Value, Ident(m.Name))
	}
	return Statement{Name: name, SQL: frag("SELECT\n  %s\nFROM %s", sql, from).String()}
}

// CountRows counts rows.
func CountRows() Fragment { return "count(*)" }

// CountNull counts rows without a value.
func CountNull(c schema.Column) Fragment { return frag("count_if(%s IS NULL)", Ident(c.Name)) }

// CountNotFinite counts NaN and infinities.
func CountNotFinite(c schema.Column) Fragment {
	return frag("count_if(NOT is_finite(%s))", Ident(c.Name))
}

// CountOutside counts values outside of the column's range. NaN counts by
// CountNotFinite. REQUIRES: the column has a range.
func CountOutside(c schema.Column) Fragment {
	return frag("count_if(%s < %s OR %s > %s)", Ident(c.Name), Double(c.Range.Min), Ident(c.Name), Double(c.Range.Max))
}

// CountUnlisted counts values that the column's enumeration lacks.
func CountUnlisted(c schema.Column) Fragment {
	return frag("count_if(%s NOT IN (%s))", Ident(c.Name), Texts(c.Enum))
}

// CountUnlike counts values that do not match the column's pattern.
func CountUnlike(c schema.Column) Fragment {
	return frag("count_if(NOT regexp_like(%s, %s))", Ident(c.Name), Text(c.Pattern))
}

// CountRepeated counts the rows whose value another row has already.
func CountRepeated(c schema.Column) Fragment {
	return frag("(count(%s) - count(DISTINCT %s))", Ident(c.Name), Ident(c.Name))
}

// CountAtMost counts values up to x.
func CountAtMost(c schema.Column, x float64) Fragment {
	return frag("count_if(%s <= %s)", Ident(c.Name), Double(x))
}

// CountText counts rows whose value, as text, is v.
func CountText(c schema.Column, v string) Fragment {
	return frag("count_if(CAST(%s AS VARCHAR) = %s)", Ident(c.Name), Text(v))
}

// Deciles returns the nine deciles of a number, about.
func Deciles(c schema.Column) Fragment {
	return frag("approx_percentile(CAST(%s AS DOUBLE), ARRAY[1e-1, 2e-1, 3e-1, 4e-1, 5e-1, 6e-1, 7e-1, 8e-1, 9e-1])", Ident(c.Name))
}

// References returns the statement that compares connections with customers: one
// row with the columns edges, pairs, misordered, orphans and wrong_degrees.
func References(customers, connections Relation) Statement {
	return render("references", struct{ Customers, Connections Relation }{customers, connections})
}
