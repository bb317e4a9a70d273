package schema

import (
	"fmt"
	"strings"
)

// parquetTypes gives each type its physical Parquet type and, in brackets, its logical one.
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
var parquetTypes = map[Type]struct{ physical, logical string }{
	String:    {"binary", "STRING"},
	Int:       {"int32", "INT(32,true)"},
	BigInt:    {"int64", "INT(64,true)"},
	Double:    {"double", ""},
	Boolean:   {"boolean", ""},
	Timestamp: {"int64", "TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)"},
}

// ParquetMessage is the table's Parquet schema as message text, its fields in
// the order of the columns.
//
// Every field is optional, also where the column is not nullable: validation
// enforces nullability, not the file format. A file with a missing value where
// none may be can then be written, read and reported, and files have the form
// that Athena's CREATE TABLE AS writes.
//
// It panics if a column has an unknown type.
func ParquetMessage(t *Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "message %s {\n", t.Name)
	for _, c := range t.Columns {
		fmt.Fprintf(&b, "\t%s\n", parquetField(c))
	}
	b.WriteString("}")
	return b.String()
}

func parquetField(c Column) string {
	p, ok := parquetTypes[c.Type]
	if !ok {
		panic(fmt.Sprintf("schema: column %s has unknown type %d", c.Name, int(c.Type)))
	}
	if p.logical == "" {
		return fmt.Sprintf("optional %s %s;", p.physical, c.Name)
	}
	return fmt.Sprintf("optional %s %s (%s);", p.physical, c.Name, p.logical)
}
