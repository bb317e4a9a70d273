package datavalidation

import (
	"fmt"

	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/schema"
)

// check is a count that should be 0, and what it means where it is not.
type check struct {
	measure query.Measure
	finding Finding
}

func newCheck(value query.Fragment, f Finding) check {
	f.Table = resource.CustomersTable.Name()
	return check{query.Measure{Name: f.Rule + " " + string(f.Column), Value: value}, f}
}

// checks are those of every column by itself, and of columns of a customer to
// each other. The latter are warnings: a model copes with a customer who does not
// add up, a report should not.
func checks() []check {
	var out []check
	for _, c := range schema.Customers.Columns {
		out = append(out, columnChecks(c)...)
	}
	for _, r := range query.RowRules() {
		out = append(out, newCheck(r.CountBroken(), Finding{Severity: SeverityWarning, Rule: r.Name, Column: r.Column, Message: r.Message}))
	}
	return out
}

func columnChecks(c schema.Column) []check {
	var out []check
	add := func(when bool, rule, message string, value func(schema.Column) query.Fragment) {
		if when {
			out = append(out, newCheck(value(c), Finding{Severity: SeverityError, Rule: rule, Column: c.Name, Message: message}))
		}
	}
	add(!c.Nullable, "required", "a value is missing where one is required", query.CountNull)
	add(c.Type == schema.Double, "finite", "a number is NaN or infinite", query.CountNotFinite)
	add(c.Range != nil, "range", "a value is out of its range", query.CountOutside)
	add(c.Categorical(), "enum", "a value is not one of the list", query.CountUnlisted)
	add(c.Pattern != "", "pattern", "a value has another form", query.CountUnlike)
	add(c.Role == schema.ID, "unique", "an id is there more than once", query.CountRepeated)
	return out
}

// findings reads the checks' counts.
func findings(list []check, row query.Row) ([]Finding, error) {
	var out []Finding
	for _, c := range list {
		n, err := row.Int(c.measure.Name)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			f := c.finding
			f.Count = n
			out = append(out, f)
		}
	}
	return out, nil
}

// compareColumns finds what differs between a table in the catalog and the schema.
func compareColumns(table resource.Table, of *schema.Table, got []query.Column) []Finding {
	var out []Finding
	report := func(column, format string, args ...any) {
		out = append(out, Finding{Severity: SeverityError, Rule: "columns", Table: table.Name(), Column: schema.Name(column), Message: fmt.Sprintf(format, args...)})
	}
	types := map[string]string{}
	for _, c := range got {
		types[c.Name] = c.Type
	}
	for _, want := range schema.GlueColumns(of) {
		switch t, ok := types[want.Name]; {
		case !ok:
			report(want.Name, "the table has no such column")
		case t != want.Type:
			report(want.Name, "the column is %s, want %s", t, want.Type)
		}
		delete(types, want.Name)
	}
	for _, c := range got {
		if _, extra := types[c.Name]; extra {
			report(c.Name, "the schema has no such column")
		}
	}
	return out
}

// checkReferences finds connections to nobody, twice or the wrong way round, and
// customers whose number of connections is not that of their edges.
func checkReferences(row query.Row, report *Report) error {
	n := map[string]int64{}
	for _, name := range []string{"edges", "pairs", "misordered", "orphans", "wrong_degrees"} {
		v, err := row.Int(name)
		if err != nil {
			return err
		}
		n[name] = v
	}
	edges, customers := resource.ConnectionsTable.Name(), resource.CustomersTable.Name()
	for _, f := range []Finding{
		{SeverityError, "reference", edges, "", n["orphans"], "an end of a connection is no customer"},
		{SeverityError, "edge-unique", edges, "", n["edges"] - n["pairs"], "a connection is there twice"},
		{SeverityError, "edge-order", edges, "", n["misordered"], "the source of a connection is not smaller than its target"},
		{SeverityWarning, "degree", customers, schema.TotalConnections, n["wrong_degrees"], "the number of connections is not that of the customer's edges"},
	} {
		if f.Count > 0 {
			report.add(f)
		}
	}
	return nil
}
