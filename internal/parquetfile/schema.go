// Package parquetfile writes and reads tables as Apache Parquet files
// (https://parquet.apache.org/docs/file-format/), in the form that Athena,
// DuckDB and pyarrow read.
package parquetfile

import (
	"fmt"

	"github.com/parquet-go/parquet-go"

	"engage/internal/schema"
)

// ordered is a group whose fields keep the order of the table;
// parquet.Group sorts them by name.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

func (o ordered) Fields() []parquet.Field { return o.fields }

// parquetSchema is the file schema of a table: every column optional, in table order.
func parquetSchema(t *schema.Table) *parquet.Schema {
	group := make(parquet.Group, len(t.Columns))
	for _, c := range t.Columns {
		group[string(c.Name)] = node(c)
	}
	root := ordered{Group: group, fields: make([]parquet.Field, len(t.Columns))}
	for _, f := range group.Fields() {
		root.fields[t.MustIndex(schema.Name(f.Name()))] = f
	}
	return parquet.NewSchema(t.Name, root)
}

// node is the leaf of one column. Categories are dictionary-encoded; the rest
// is plain, which every reader knows.
func node(c schema.Column) parquet.Node {
	leaf := parquet.Optional(logical(c))
	if c.Categorical() {
		return parquet.Encoded(leaf, &parquet.RLEDictionary)
	}
	return parquet.Encoded(leaf, &parquet.Plain)
}

func logical(c schema.Column) parquet.Node {
	switch c.Type {
	case schema.String:
		return parquet.String()
	case schema.Int:
		return parquet.Int(32)
	case schema.BigInt:
		return parquet.Int(64)
	case schema.Double:
		return parquet.Leaf(parquet.DoubleType)
	case schema.Boolean:
		return parquet.Leaf(parquet.BooleanType)
	case schema.Timestamp:
		return parquet.Timestamp(parquet.Millisecond)
	}
	panic(fmt.Sprintf("parquetfile: column %s has unknown type %d", c.Name, c.Type))
}
