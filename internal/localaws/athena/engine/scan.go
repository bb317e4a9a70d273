package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

// file is an object that a query may read.
type file struct {
	catalog.Object
	footer  *footer  // of a Parquet file
	values  []string // of its partition
	changed int64    // when, in nanoseconds
	local   string   // the path by which DuckDB reads it
}

// scan is a table as a query reads it.
type scan struct {
	table catalog.Table
	files []file
	text  bool // read as text, whole
	// folder is the directory of the files' links. Its name changes with the files.
	folder string
}

func (s *scan) bytes() (total int64) {
	for _, f := range s.files {
		total += f.Size
	}
	return total
}

// Hive's names of formats and of the libraries that read them.
const (
	textInput      = "org.apache.hadoop.mapred.TextInputFormat"
	textOutput     = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
	parquetInput   = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
	parquetOutput  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
	lazySimple     = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
	openCSV        = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
	parquetLibrary = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
)

// hidden reports whether Hive passes over an object: a part of its key below the location begins with "_" or ".".
func hidden(location, uri string) bool {
	for _, part := range strings.Split(strings.TrimPrefix(uri, location), "/") {
		if strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// under lists the files with content beneath a location.
func (e *run) under(ctx context.Context, location string, values []string) ([]file, error) {
	if _, _, err := catalog.SplitURI(location); err != nil {
		return nil, sql.Errorf("HIVE_INVALID_METADATA", sql.Pos{}, "%v", err)
	}
	if !strings.HasSuffix(location, "/") {
		location += "/"
	}
	objects, err := e.cfg.Objects.List(ctx, location)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", location, err)
	}
	var out []file
	for _, o := range objects {
		if o.Size > 0 && !hidden(location, o.URI) {
			out = append(out, file{Object: o, values: values})
		}
	}
	return out, nil
}

// newScan finds a table's files.
func (e *run) newScan(ctx context.Context, t catalog.Table) (*scan, error) {
	s := &scan{table: t}
	switch lib := t.Storage.SerDe.Library; lib {
	case lazySimple, openCSV:
		s.text = true
	case parquetLibrary:
	default:
		return nil, sql.Errorf(sql.NotSupported, sql.Pos{}, "table %s.%s: SerDe %s is not supported; there are LazySimpleSerDe, OpenCSVSerde and ParquetHiveSerDe", t.Database, t.Name, lib)
	}
	var err error
	if len(t.PartitionKeys) == 0 {
		s.files, err = e.under(ctx, t.Storage.Location, nil)
	} else {
		s.files, err = e.partitioned(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	for i := range s.files {
		f := &s.files[i]
		info, err := os.Stat(f.Path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.URI, err)
		}
		if f.changed = info.ModTime().UnixNano(); s.text {
			continue
		}
		if f.footer, err = e.footers.read(f); err != nil {
			return nil, err
		}
		if err := f.footer.check(t, f.URI); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (e *run) partitioned(ctx context.Context, t catalog.Table) ([]file, error) {
	if strings.EqualFold(t.Parameters["projection.enabled"], "true") {
		return nil, sql.Errorf(sql.NotSupported, sql.Pos{}, "table %s.%s: partition projection is not supported", t.Database, t.Name)
	}
	ps, err := e.cfg.Catalog.Partitions(ctx, t.Database, t.Name)
	if err != nil {
		return nil, fmt.Errorf("list partitions of %s.%s: %w", t.Database, t.Name, err)
	}
	var out []file
	for _, p := range ps {
		fs, err := e.under(ctx, p.Storage.Location, p.Values)
		if err != nil {
			return nil, err
		}
		out = append(out, fs...)
	}
	return out, nil
}

// sql returns a query over the table's files that has the table's columns, partition keys last.
func (s *scan) sql() (string, error) {
	switch {
	case len(s.files) == 0:
		return s.empty()
	}
	return s.read()
}

func duckType(c catalog.Column) (string, error) {
	t, err := sql.ParseType(c.Type)
	if err != nil {
		return "", sql.Errorf(sql.HiveBadData, sql.Pos{}, "column %s has the type %q, which cannot be read", c.Name, c.Type)
	}
	return t.DuckDB()
}

func (s *scan) empty() (string, error) {
	var parts []string
	for _, c := range append(append([]catalog.Column{}, s.table.Storage.Columns...), s.table.PartitionKeys...) {
		ty, err := duckType(c)
		if err != nil {
			return "", err
		}
		parts = append(parts, "CAST(NULL AS "+ty+") AS "+ident(c.Name))
	}
	return "SELECT " + strings.Join(parts, ", ") + " WHERE false", nil
}

func (s *scan) hiveOptions() string {
	if len(s.table.PartitionKeys) == 0 {
		return ", hive_partitioning = false"
	}
	types := make([]string, len(s.table.PartitionKeys))
	for i, k := range s.table.PartitionKeys {
		ty, _ := duckType(k)
		types[i] = literal(k.Name) + ": " + literal(ty)
	}
	return ", hive_partitioning = true, hive_types = {" + strings.Join(types, ", ") + "}"
}

// read writes a query over the files, whose paths have the partitions' values.
func (s *scan) read() (string, error) {
	options := s.hiveOptions()
	column, from := s.parquetColumn, "read_parquet("
	switch {
	case s.text:
		text, err := s.textOptions()
		if err != nil {
			return "", err
		}
		options += text
		column, from = s.textColumn, "read_csv("
	case !s.alike():
		options += ", union_by_name = true"
	}
	var parts []string
	for _, c := range s.table.Storage.Columns {
		ty, err := duckType(c)
		if err != nil {
			return "", err
		}
		x, err := column(c, ty)
		if err != nil {
			return "", err
		}
		parts = append(parts, x+" AS "+ident(c.Name))
	}
	for _, k := range s.table.PartitionKeys {
		if _, err := duckType(k); err != nil {
			return "", err
		}
		parts = append(parts, ident(k.Name))
	}
	paths := make([]string, len(s.files))
	for i, f := range s.files {
		paths[i] = literal(f.local)
	}
	return "SELECT " + strings.Join(parts, ", ") + " FROM " + from + "[" + strings.Join(paths, ", ") + "]" + options + ")", nil
}

// alike reports whether all files have the same columns, so that DuckDB need not open each to learn them.
func (s *scan) alike() bool {
	for _, f := range s.files {
		if f.footer.signature != s.files[0].footer.signature {
			return false
		}
	}
	return true
}

// defaultPartition is the value of a partition whose key is null.
const defaultPartition = "__HIVE_DEFAULT_PARTITION__"

// parquetColumn reads a column by name; one that no file has is null.
func (s *scan) parquetColumn(c catalog.Column, ty string) (string, error) {
	same, found := true, false
	name := c.Name
	for _, f := range s.files {
		if l, ok := f.footer.columns[strings.ToLower(c.Name)]; ok {
			found, name = true, l.name
			same = same && l.duck == ty
		}
	}
	switch {
	case !found:
		return "CAST(NULL AS " + ty + ")", nil
	case same:
		return ident(name), nil
	}
	return "CAST(" + ident(name) + " AS " + ty + ")", nil
}

// textColumn converts text as Hive's SerDes do: LazySimpleSerDe gives null for what does not convert, OpenCSVSerde fails.
func (s *scan) textColumn(c catalog.Column, ty string) (string, error) {
	x := ident(c.Name)
	if ty == "VARCHAR" {
		return x, nil
	}
	if strings.HasSuffix(ty, "[]") || strings.HasPrefix(ty, "MAP(") || strings.HasPrefix(ty, "STRUCT(") || ty == "BLOB" {
		return "", sql.Errorf(sql.NotSupported, sql.Pos{}, "table %s.%s: column %s of type %s in text files is not supported", s.table.Database, s.table.Name, c.Name, c.Type)
	}
	if s.table.Storage.SerDe.Library == openCSV {
		return "CAST(" + x + " AS " + ty + ")", nil
	}
	switch ty {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT":
		return "CASE WHEN contains(" + x + ", '.') THEN NULL ELSE TRY_CAST(" + x + " AS " + ty + ") END", nil
	case "BOOLEAN":
		return "CASE lower(" + x + ") WHEN 'true' THEN true WHEN 'false' THEN false END", nil
	}
	return "TRY_CAST(" + x + " AS " + ty + ")", nil
}

func parameter(t catalog.Table, key, otherwise string) string {
	for _, m := range []map[string]string{t.Storage.SerDe.Parameters, t.Parameters, t.Storage.Parameters} {
		if v, ok := m[key]; ok {
			return v
		}
	}
	return otherwise
}

// textOptions are the options of DuckDB's reader that stand for the SerDe's properties.
func (s *scan) textOptions() (string, error) {
	t := s.table
	delim := parameter(t, "field.delim", parameter(t, "serialization.format", "\x01"))
	quote, escape := "", parameter(t, "escape.delim", "")
	null := parameter(t, "serialization.null.format", `\N`)
	if t.Storage.SerDe.Library == openCSV {
		delim, quote, escape, null = parameter(t, "separatorChar", ","), parameter(t, "quoteChar", `"`), parameter(t, "escapeChar", `\`), ""
	}
	if delim == "1" {
		delim = "\x01"
	}
	if e := parameter(t, "serialization.encoding", "UTF-8"); !strings.EqualFold(e, "UTF-8") {
		return "", sql.Errorf(sql.NotSupported, sql.Pos{}, "table %s.%s: serialization.encoding %s is not supported", t.Database, t.Name, e)
	}
	skip := parameter(t, "skip.header.line.count", "0")
	if strings.Trim(skip, "0123456789") != "" || skip == "" || len(skip) > 9 {
		return "", sql.Errorf(sql.InvalidProperty, sql.Pos{}, "table %s.%s: skip.header.line.count is %q, which is no number", t.Database, t.Name, skip)
	}
	columns := make([]string, len(t.Storage.Columns))
	for i, c := range t.Storage.Columns {
		columns[i] = literal(c.Name) + ": 'VARCHAR'"
	}
	return fmt.Sprintf(", auto_detect = false, header = false, skip = %s, delim = %s, quote = %s, escape = %s, nullstr = %s, null_padding = true, strict_mode = false, columns = {%s}",
		skip, literal(delim), literal(quote), literal(escape), literal(null), strings.Join(columns, ", ")), nil
}

// notFound reports whether err says that the catalog does not have the thing.
func notFound(err error) bool { return errors.Is(err, catalog.ErrNotFound) }
