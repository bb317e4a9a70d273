package schema_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"engage/internal/golden"
	"engage/internal/schema"
)

// orderedGroup is a parquet.Group that keeps its fields in table order, where
// parquet.Group, a map, sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

// GoType is only asked for when Go structs are read or written, which this test does not do.
func (g orderedGroup) GoType() reflect.Type { return g.Group.GoType() }

func parquetNode(t schema.Type) parquet.Node {
	switch t {
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
	default:
		return parquet.Timestamp(parquet.Millisecond)
	}
}

func parquetSchema(t *schema.Table) *parquet.Schema {
	g := orderedGroup{Group: parquet.Group{}}
	for _, c := range t.Columns {
		g.Group[string(c.Name)] = parquet.Optional(parquetNode(c.Type))
	}
	g.fields = make([]parquet.Field, len(t.Columns))
	for _, f := range g.Group.Fields() {
		g.fields[t.MustIndex(schema.Name(f.Name()))] = f
	}
	return parquet.NewSchema(t.Name, g)
}

// allTypes has a column of each type.
var allTypes = schema.Table{Name: "all_types", Columns: []schema.Column{
	{Name: "t", Type: schema.Timestamp}, {Name: "s", Type: schema.String}, {Name: "i", Type: schema.Int},
	{Name: "b", Type: schema.BigInt}, {Name: "d", Type: schema.Double}, {Name: "o", Type: schema.Boolean},
}}

func TestParquetMessageIsWhatParquetGoPrints(t *testing.T) {
	for _, table := range append(slices.Clone(schema.Tables), &allTypes) {
		if got, want := schema.ParquetMessage(table), parquetSchema(table).String(); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", table.Name, got, want)
		}
	}
}

func TestParquetFileKeepsTheMessage(t *testing.T) {
	var buf bytes.Buffer
	w := parquet.NewGenericWriter[any](&buf, parquetSchema(&schema.Customers))
	rows := []parquet.Row{make(parquet.Row, len(schema.Customers.Columns))}
	for i := range rows[0] {
		rows[0][i] = parquet.NullValue().Level(0, 0, i)
	}
	if _, err := w.WriteRows(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Schema().String(), schema.ParquetMessage(&schema.Customers); got != want {
		t.Errorf("schema of the file: got\n%s\nwant\n%s", got, want)
	}
}

func TestParquetMessageGolden(t *testing.T) {
	for _, table := range schema.Tables {
		golden.Check(t, "testdata/"+table.Name+".parquet.txt", []byte(schema.ParquetMessage(table)+"\n"))
	}
}

func TestParquetMessageRefusesUnknownType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unknown type should panic")
		}
	}()
	schema.ParquetMessage(&schema.Table{Name: "x", Columns: []schema.Column{{Name: "c", Type: 99}}})
}
