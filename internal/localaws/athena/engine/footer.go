package engine

import (
	"os"
	"strings"
	"sync"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// footer is what the end of a Parquet file says.
type footer struct {
	columns map[string]leaf // top-level columns by name in lower case
	groups  []rowGroup
	// signature is the same for files that have the same columns.
	signature string
}

// leaf is a top-level column. duck is the type DuckDB gives it where that is simple to say, or "".
type leaf struct {
	name, duck, physical, family string
}

type rowGroup struct {
	columns map[string]chunk // by top-level column; nested columns are summed
}

// chunk is a column of a row group: its compressed bytes and, where the file says them, its least and greatest value.
type chunk struct {
	bytes    int64
	min, max parquet.Value
	bounded  bool
}

// maxFooters bounds the cache; a footer of 40 columns is about 10 kB.
const maxFooters = 4096

type footerKey struct {
	path          string
	size, changed int64
}

// footers caches footers by file, size and time of change.
type footers struct {
	mu sync.Mutex
	m  map[footerKey]*footer
}

func (c *footers) read(o *file) (*footer, error) {
	key := footerKey{o.Path, o.Size, o.changed}
	c.mu.Lock()
	f, ok := c.m[key]
	c.mu.Unlock()
	if ok {
		return f, nil
	}
	f, err := readFooter(o.Path, o.Size)
	if err != nil {
		return nil, sql.Errorf(sql.HiveBadData, sql.Pos{}, "Malformed Parquet file: %s (%v)", o.URI, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[footerKey]*footer{}
	}
	for k := range c.m { // in no order: some one goes
		if len(c.m) < maxFooters {
			break
		}
		delete(c.m, k)
	}
	c.m[key] = f
	return f, nil
}

func readFooter(path string, size int64) (*footer, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	f := &footer{columns: map[string]leaf{}}
	f.signature = p.Schema().String()
	for _, field := range p.Schema().Fields() {
		f.columns[strings.ToLower(field.Name())] = newLeaf(field)
	}
	for _, g := range p.Metadata().RowGroups {
		rg := rowGroup{columns: map[string]chunk{}}
		for _, c := range g.Columns {
			name := strings.ToLower(c.MetaData.PathInSchema[0])
			k := rg.columns[name]
			k.bytes += c.MetaData.TotalCompressedSize
			k.min, k.max, k.bounded = bounds(&c.MetaData)
			rg.columns[name] = k
		}
		f.groups = append(f.groups, rg)
	}
	return f, nil
}

func bounds(m *format.ColumnMetaData) (lo, hi parquet.Value, ok bool) {
	if len(m.PathInSchema) > 1 || len(m.Statistics.MinValue) == 0 || len(m.Statistics.MaxValue) == 0 {
		return lo, hi, false
	}
	k := parquet.Kind(m.Type)
	if k == parquet.Int96 || k == parquet.FixedLenByteArray {
		return lo, hi, false
	}
	return k.Value(m.Statistics.MinValue), k.Value(m.Statistics.MaxValue), true
}

// newLeaf names the types that are one to one in DuckDB.
func newLeaf(f parquet.Field) leaf {
	l := leaf{name: f.Name(), physical: "GROUP", family: "nested"}
	if !f.Leaf() || f.Repeated() {
		return l
	}
	kind := f.Type().Kind()
	l.physical = kind.String()
	var logical format.LogicalTypeValue
	if t := f.Type().LogicalType(); t != nil {
		logical = t.Value
	}
	switch kind {
	case parquet.Boolean:
		l.duck, l.family = "BOOLEAN", "boolean"
	case parquet.Double:
		l.duck, l.family = "DOUBLE", "float"
	case parquet.Float:
		l.duck, l.family = "FLOAT", "float"
	case parquet.ByteArray:
		l.family = "string"
		if _, ok := logical.(*format.StringType); ok {
			l.duck = "VARCHAR"
		}
	case parquet.Int32, parquet.Int64:
		l.duck, l.family = integerType(kind, logical)
	default:
		l.family = "other"
	}
	return l
}

func integerType(kind parquet.Kind, logical format.LogicalTypeValue) (duck, family string) {
	i, annotated := logical.(*format.IntType)
	switch {
	case logical != nil && !annotated:
		return "", "other" // a date, timestamp, time or decimal
	case annotated && (!i.IsSigned || i.BitWidth < 32):
		return "", "integer"
	case kind == parquet.Int32:
		return "INTEGER", "integer"
	}
	return "BIGINT", "integer"
}

// families are the kinds of Hive type that check compares.
var families = map[string]string{"tinyint": "integer", "smallint": "integer", "int": "integer", "bigint": "integer", "float": "float", "double": "float",
	"boolean": "boolean", "string": "string", "varchar": "string"}

// check fails where the file's type of a column cannot be read as the table's.
func (f *footer) check(t catalog.Table, uri string) error {
	for _, c := range t.Storage.Columns {
		l, ok := f.columns[strings.ToLower(c.Name)]
		want := families[c.Type]
		if !ok || want == "" || l.family == "other" || l.family == want {
			continue
		}
		return sql.Errorf(sql.HiveBadData, sql.Pos{}, "Field %s's type %s in parquet file %s is incompatible with type %s defined in table schema",
			c.Name, l.physical, uri, trinoType(c.Type))
	}
	return nil
}

func trinoType(hive string) string {
	t, err := sql.ParseType(hive)
	if err != nil {
		return hive
	}
	return t.Trino()
}
