package schema

import "strings"

// CSVHeader is the first line of the table's CSV files, without a line break:
// the column names in order, separated by commas.
//
// The CSV form of engage never quotes. A missing value is an empty field, so a
// present string is never empty, and no value holds a comma, a double quote or
// a line break: Athena's LazySimpleSerDe, the reader that the DDL names, takes
// quotes as part of the value.
func CSVHeader(t *Table) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = string(c.Name)
	}
	return strings.Join(names, ",")
}

// PlainCSV reports whether a present value can stand in a CSV file of engage as
// it is: it is not empty and holds no comma, double quote or line break.
func PlainCSV(value string) bool { return value != "" && !strings.ContainsAny(value, ",\"\r\n") }
