package engine

import (
	"bufio"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

// target is a table that a query's rows are written to.
type target struct {
	table       catalog.Table
	compression string // DuckDB's name
	columns     []outColumn
}

// outColumn is a column of a written query.
type outColumn struct {
	name string
	duck string
	cast bool
}

// createAs runs CREATE TABLE AS: the files are written beside, then published, then the table is made.
func (r *run) createAs(st *sql.CreateAs) error {
	db := r.database(st.Name)
	switch _, err := r.cfg.Catalog.Table(r.ctx, db, st.Name.Table); {
	case err == nil && st.IfNotExists:
		return r.writeText(nil, nil)
	case err == nil:
		return sql.Errorf(sql.TableExists, st.Name.Pos, "Table '%s.%s.%s' already exists", awsDataCatalog, db, st.Name.Table)
	case !notFound(err):
		return err
	}
	if _, err := r.cfg.Catalog.Database(r.ctx, db); notFound(err) {
		return sql.Errorf(sql.SchemaNotFound, st.Name.Pos, "Schema %s not found", db)
	} else if err != nil {
		return err
	}
	t, err := r.newTarget(db, st)
	if err != nil {
		return err
	}
	if err := r.emptyLocation(t.table); err != nil {
		return err
	}
	if err := named(st.Query); err != nil {
		return err
	}
	return r.write(st.Query, t, st.WithData, func() error { return r.cfg.Catalog.CreateTable(r.ctx, t.table) })
}

func (r *run) database(n sql.QualifiedName) string {
	if n.Database == "" {
		return r.req.Database
	}
	return n.Database
}

// emptyLocation fails where files are in the way of a new table.
func (r *run) emptyLocation(t catalog.Table) error {
	objects, err := r.cfg.Objects.List(r.ctx, t.Storage.Location)
	if err != nil {
		return fmt.Errorf("list %s: %w", t.Storage.Location, err)
	}
	if len(objects) > 0 {
		return sql.Errorf(sql.HivePathExists, sql.Pos{}, "Target directory for table '%s.%s' already exists: %s. You may need to manually clean the data at location '%s' before retrying. Athena will not delete data in your account.",
			t.Database, t.Name, t.Storage.Location, t.Storage.Location)
	}
	return nil
}

// compressions are what CREATE TABLE AS may ask for, as DuckDB calls them.
var compressions = map[string]string{"SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd", "LZ4": "lz4_raw", "NONE": "uncompressed", "UNCOMPRESSED": "uncompressed"}

// newTarget reads the properties of CREATE TABLE AS. One that is not known here is refused by name.
func (r *run) newTarget(db string, st *sql.CreateAs) (*target, error) {
	t := &target{compression: "gzip", table: catalog.Table{Database: db, Name: st.Name.Table, Type: catalog.External,
		Parameters: map[string]string{"EXTERNAL": "TRUE", "has_encrypted_data": "false"}}}
	format, delim := "PARQUET", "\x01"
	for _, p := range st.With {
		switch p.Key {
		case "format":
			format = strings.ToUpper(p.Value)
		case "parquet_compression", "write_compression":
			c, ok := compressions[strings.ToUpper(p.Value)]
			if !ok {
				return nil, sql.Errorf(sql.InvalidProperty, p.Pos, "compression %s is not supported; there are SNAPPY, GZIP, ZSTD, LZ4 and NONE", p.Value)
			}
			t.compression = c
		case "external_location":
			t.table.Storage.Location = p.Value
		case "field_delimiter":
			delim = p.Value
		case "partitioned_by":
			for _, k := range p.List {
				t.table.PartitionKeys = append(t.table.PartitionKeys, catalog.Column{Name: strings.ToLower(k)})
			}
		default:
			return nil, sql.Errorf(sql.NotSupported, p.Pos, "table property %s is not supported", p.Key)
		}
	}
	return t, r.storage(t, format, delim)
}

func (r *run) storage(t *target, format, delim string) error {
	s := &t.table.Storage
	if s.Location == "" {
		s.Location = r.outputURI("") // the workgroup's output, then tables/<id>
		s.Location = strings.TrimSuffix(s.Location, r.req.ID) + "tables/" + r.req.ID
	}
	if !strings.HasSuffix(s.Location, "/") {
		s.Location += "/"
	}
	if _, _, err := catalog.SplitURI(s.Location); err != nil {
		return sql.Errorf(sql.InvalidProperty, sql.Pos{}, "external_location: %v", err)
	}
	switch format {
	case "PARQUET":
		s.InputFormat, s.OutputFormat, s.SerDe.Library = parquetInput, parquetOutput, parquetLibrary
		s.SerDe.Parameters = map[string]string{"serialization.format": "1"}
	case "TEXTFILE":
		s.InputFormat, s.OutputFormat, s.SerDe.Library = textInput, textOutput, lazySimple
		s.SerDe.Parameters = map[string]string{"field.delim": delim, "serialization.format": delim}
		t.compression = "none"
	default:
		return sql.Errorf(sql.NotSupported, sql.Pos{}, "format %s is not supported; there are PARQUET and TEXTFILE", format)
	}
	return nil
}

// firstSelect is the SELECT that names a query's columns, or nil.
func firstSelect(q *sql.Query) *sql.Select {
	b := q.Body
	for {
		switch x := b.(type) {
		case *sql.SetOp:
			b = x.L
		case *sql.Paren:
			b = x.Query.Body
		case *sql.Select:
			return x
		default:
			return nil
		}
	}
}

// named fails where a column of the query has no name.
func named(q *sql.Query) error {
	s := firstSelect(q)
	if s == nil {
		return nil
	}
	for i, it := range s.Items {
		_, column := it.X.(*sql.Ident)
		_, field := it.X.(*sql.Field)
		if !it.Star && it.Alias == nil && !column && !field {
			return sql.Errorf(sql.MissingColumnName, it.Pos, "Column name not specified at position %d", i+1)
		}
	}
	return nil
}

// untyped are the columns that are a bare NULL, by name: DuckDB calls them integers.
func untyped(q *sql.Query) map[string]bool {
	out := map[string]bool{}
	s := firstSelect(q)
	if _, ok := q.Body.(*sql.Select); !ok || s == nil {
		return out
	}
	for _, it := range s.Items {
		if _, ok := it.X.(*sql.Null); ok && it.Alias != nil {
			out[it.Alias.Text] = true
		}
	}
	return out
}

// write runs a query, puts its rows where the target's table is, and calls done before partitions are added.
func (r *run) write(q *sql.Query, t *target, withData bool, done func() error) error {
	start := time.Now()
	return r.withSession(func(s *session) error {
		dir, err := os.MkdirTemp(s.in.dir, "write-*")
		if err != nil {
			return fmt.Errorf("make directory for new files: %w", err)
		}
		defer os.RemoveAll(dir)
		tr, err := s.translate(q)
		if err != nil {
			return err
		}
		if err := s.shape(q, tr, t); err != nil {
			return err
		}
		r.res.Planning = time.Since(start)
		start = time.Now()
		defer func() { r.res.Execution = time.Since(start) }()
		if withData {
			if err := s.checkLimit(tr); err != nil {
				return err
			}
			if err := s.copy(tr, t, dir); err != nil {
				return err
			}
		}
		return r.land(t, dir, done)
	})
}

// shape reads the query's columns and fits them to the target: a new table takes their types, an old one gives its own.
func (s *session) shape(q *sql.Query, tr translation, t *target) error {
	names, types, err := s.describeTypes(tr)
	if err != nil {
		return err
	}
	null := untyped(q)
	for i, n := range names {
		if null[n] {
			types[i] = "NULL"
		}
	}
	if t.table.Storage.Columns != nil {
		return t.fit(names, types)
	}
	return s.newColumns(t, names, types)
}

// describeTypes asks for names and types as DuckDB declares them.
func (s *session) describeTypes(tr translation) (names, types []string, err error) {
	tr = tr.within("DESCRIBE ", "")
	rows, err := s.in.query(s.ctx, tr.text)
	if err != nil {
		return nil, nil, tr.explainError(err)
	}
	defer rows.Close()
	values := make([]driver.Value, len(rows.Columns()))
	for rows.Next(values) == nil {
		name, _ := values[0].(string)
		ty, _ := values[1].(string)
		names, types = append(names, columnName(name, len(names))), append(types, ty)
	}
	return names, types, nil
}

// newColumns makes the columns of a new table; partition keys go last.
func (s *session) newColumns(t *target, names, types []string) error {
	keys := make([]string, len(t.table.PartitionKeys))
	for i, k := range t.table.PartitionKeys {
		keys[i] = k.Name
	}
	seen := map[string]bool{}
	for i, n := range names {
		lower := strings.ToLower(n)
		if seen[lower] {
			return sql.Errorf(sql.DuplicateColumn, sql.Pos{}, "Column name '%s' specified more than once", n)
		}
		seen[lower] = true
		c, hive, err := s.newColumn(n, types[i])
		if err != nil {
			return err
		}
		if k := slices.Index(keys, lower); k >= 0 {
			t.table.PartitionKeys[k].Type = hive
		} else {
			t.table.Storage.Columns = append(t.table.Storage.Columns, catalog.Column{Name: lower, Type: hive})
		}
		t.columns = append(t.columns, c)
	}
	for _, k := range keys {
		if !seen[k] {
			return sql.Errorf(sql.InvalidProperty, sql.Pos{}, "Partition columns [%s] not present in schema", k)
		}
	}
	return s.keysLast(t, names, keys)
}

func (s *session) keysLast(t *target, names, keys []string) error {
	tail := names[len(names)-len(keys):]
	if slices.EqualFunc(tail, keys, strings.EqualFold) {
		return nil
	}
	msg := fmt.Sprintf("Partition keys must be the last columns in the table and in the same order as the table properties: [%s]", strings.Join(keys, ", "))
	if s.cfg.Strict {
		return sql.Errorf(sql.HiveColumnOrder, sql.Pos{}, "%s", msg)
	}
	s.res.Notes = append(s.res.Notes, msg+"; they were moved to the end")
	return nil
}

// newColumn chooses how a column is kept in Hive's types.
func (s *session) newColumn(name, ty string) (outColumn, string, error) {
	c := outColumn{name: name, duck: ty}
	switch {
	case ty == "NULL":
		if s.cfg.Strict {
			return c, "", sql.Errorf(sql.ColumnTypeUnknown, sql.Pos{}, "Column type is unknown: %s", name)
		}
		s.res.Notes = append(s.res.Notes, "Column type is unknown: "+name+"; it was made a string")
		return outColumn{name, "VARCHAR", true}, "string", nil
	case strings.HasPrefix(ty, "TIMESTAMP WITH TIME ZONE"), ty == "TIMESTAMPTZ":
		if s.cfg.Strict {
			return c, "", sql.Errorf(sql.NotSupported, sql.Pos{}, "Unsupported Hive type: timestamp(3) with time zone")
		}
		s.res.Notes = append(s.res.Notes, "Unsupported Hive type: timestamp(3) with time zone; column "+name+" was made a timestamp in UTC")
		return outColumn{name, "TIMESTAMP", true}, "timestamp", nil
	case ty == "HUGEINT" || strings.HasPrefix(ty, "U") && strings.HasSuffix(ty, "INT"):
		return outColumn{name, "BIGINT", true}, "bigint", nil
	case ty == "JSON" || ty == "UUID":
		return outColumn{name, "VARCHAR", true}, "string", nil
	case ty == "TIME" || ty == "INTERVAL":
		return c, "", sql.Errorf(sql.NotSupported, sql.Pos{}, "Unsupported Hive type: %s", strings.ToLower(ty))
	}
	return c, parseShape(ty).hive(), nil
}

// fit gives the query's columns the table's names and types.
func (t *target) fit(names, types []string) error {
	all := append(slices.Clone(t.table.Storage.Columns), t.table.PartitionKeys...)
	if len(t.columns) == 0 {
		for _, c := range all {
			t.columns = append(t.columns, outColumn{name: c.Name})
		}
	}
	if len(names) != len(t.columns) {
		return sql.Errorf(sql.TypeMismatch, sql.Pos{}, "Insert query has mismatched column types: Table has %d columns, query has %d", len(t.columns), len(names))
	}
	for i := range t.columns {
		k := slices.IndexFunc(all, func(c catalog.Column) bool { return strings.EqualFold(c.Name, t.columns[i].name) })
		if k < 0 {
			return sql.Errorf(sql.ColumnNotFound, sql.Pos{}, "Insert column name does not exist in target table: %s", t.columns[i].name)
		}
		duck, err := duckType(all[k])
		if err != nil {
			return err
		}
		from, to := parseShape(types[i]).athena().Type, parseShape(duck).athena().Type
		if !assignable(from, to) {
			return sql.Errorf(sql.TypeMismatch, sql.Pos{}, "Insert query has mismatched column types: column %s is %s, the query gives %s", all[k].Name, to, from)
		}
		t.columns[i].name, t.columns[i].duck, t.columns[i].cast = all[k].Name, duck, true
	}
	return nil
}

// ranks orders the numeric types that Trino widens without being asked.
var ranks = map[string]int{"tinyint": 1, "smallint": 2, "integer": 3, "bigint": 4, "decimal": 5, "float": 6, "double": 7}

func assignable(from, to string) bool {
	if from == to || from == "unknown" || strings.HasPrefix(from, "timestamp") && strings.HasPrefix(to, "timestamp") {
		return true
	}
	return ranks[from] > 0 && ranks[from] < ranks[to]
}

// copy writes the query's rows below dir.
func (s *session) copy(tr translation, t *target, dir string) error {
	parts, aliases := make([]string, len(t.columns)), make([]string, len(t.columns))
	for i, c := range t.columns {
		aliases[i] = ident(fmt.Sprintf("c%d", i))
		parts[i] = aliases[i] + " AS " + ident(strings.ToLower(c.name))
		if c.cast {
			parts[i] = "CAST(" + aliases[i] + " AS " + c.duck + ") AS " + ident(strings.ToLower(c.name))
		}
	}
	prefix := "COPY (SELECT " + strings.Join(parts, ", ") + " FROM ("
	tr = tr.within(prefix, ") AS q("+strings.Join(aliases, ", ")+")) TO "+literal(t.path(dir))+" ("+t.options()+")")
	rows, err := s.in.query(s.ctx, tr.text)
	if err != nil {
		return tr.explainError(err)
	}
	defer rows.Close()
	values := make([]driver.Value, 1)
	if rows.Next(values) == nil {
		s.res.Rows, _ = values[0].(int64)
	}
	s.res.Scanned, err = s.scanned()
	return err
}

// path is the directory of a partitioned table's files, or the one file.
func (t *target) path(dir string) string {
	if len(t.table.PartitionKeys) > 0 {
		return filepath.Join(dir, "out")
	}
	return filepath.Join(dir, "data")
}

func (t *target) options() string {
	out := "FORMAT parquet, COMPRESSION " + t.compression
	if t.table.Storage.SerDe.Library == lazySimple {
		out = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', NULLSTR '\\N', DELIMITER " + literal(t.table.Storage.SerDe.Parameters["field.delim"])
	}
	if len(t.table.PartitionKeys) > 0 {
		keys := make([]string, len(t.table.PartitionKeys))
		for i, k := range t.table.PartitionKeys {
			keys[i] = ident(k.Name)
		}
		out += ", PARTITION_BY (" + strings.Join(keys, ", ") + "), WRITE_PARTITION_COLUMNS false"
	}
	return out
}

// land publishes the written files, then makes the table and its partitions, then writes the manifest.
func (r *run) land(t *target, dir string, done func() error) error {
	existing, err := r.partitionSet(t.table)
	if err != nil {
		return err
	}
	var written []string
	added := map[string]catalog.Partition{}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		values, err := partitionValues(t, dir, path)
		if err != nil {
			return err
		}
		location := t.table.Storage.Location
		if values != nil {
			key := strings.Join(values, "\x00")
			p, ok := existing[key]
			if !ok {
				p = newPartition(t.table, values, r.cfg.Now())
				added[key] = p
			}
			location = p.Storage.Location
		}
		uri := fmt.Sprintf("%s/%s_%05d_%s", strings.TrimSuffix(location, "/"), r.cfg.Now().UTC().Format("20060102_150405"), len(written), r.req.ID)
		written = append(written, uri)
		return putFile(r.ctx, r.cfg.Objects, uri, path)
	})
	if err != nil {
		return fmt.Errorf("publish files of %s.%s: %w", t.table.Database, t.table.Name, err)
	}
	if err := done(); err != nil {
		return err
	}
	if err := r.addPartitions(t.table, added); err != nil {
		return err
	}
	return r.manifest(written)
}

func (r *run) partitionSet(t catalog.Table) (map[string]catalog.Partition, error) {
	out := map[string]catalog.Partition{}
	if len(t.PartitionKeys) == 0 {
		return out, nil
	}
	ps, err := r.cfg.Catalog.Partitions(r.ctx, t.Database, t.Name)
	if err != nil && !notFound(err) {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	for _, p := range ps {
		out[strings.Join(p.Values, "\x00")] = p
	}
	return out, nil
}

func (r *run) addPartitions(t catalog.Table, added map[string]catalog.Partition) error {
	var ps []catalog.Partition
	for _, p := range added {
		ps = append(ps, p)
	}
	slices.SortFunc(ps, func(a, b catalog.Partition) int { return slices.Compare(a.Values, b.Values) })
	if len(ps) == 0 {
		return nil
	}
	if err := r.cfg.Catalog.AddPartitions(r.ctx, t.Database, t.Name, ps); err != nil {
		return fmt.Errorf("add partitions of %s.%s: %w", t.Database, t.Name, err)
	}
	return nil
}

// manifest lists the files that were written, beside the result.
func (r *run) manifest(written []string) error {
	uri := r.outputURI("-manifest.csv")
	if err := r.cfg.Objects.Put(r.ctx, uri, strings.NewReader(strings.Join(written, "\n"))); err != nil {
		return fmt.Errorf("write %s: %w", uri, err)
	}
	r.res.Manifest = uri
	r.res.Columns = []Column{{Name: "rows", Type: "bigint", Precision: 19}}
	return r.writeFile("", func(w *bufio.Writer) error { return nil })
}

// partitionValues reads the values from the directories that DuckDB wrote a file below.
func partitionValues(t *target, dir, path string) ([]string, error) {
	if len(t.table.PartitionKeys) == 0 {
		return nil, nil
	}
	rel, err := filepath.Rel(filepath.Join(dir, "out"), path)
	if err != nil {
		return nil, err
	}
	var values []string
	for _, part := range strings.Split(filepath.ToSlash(filepath.Dir(rel)), "/") {
		_, value, _ := strings.Cut(part, "=")
		v, err := url.PathUnescape(value)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	if len(values) != len(t.table.PartitionKeys) {
		return nil, errors.New("a file lies outside the partitions")
	}
	return values, nil
}

func newPartition(t catalog.Table, values []string, now time.Time) catalog.Partition {
	p := catalog.Partition{Values: values, Storage: t.Storage, Created: now}
	p.Storage.Location = strings.TrimSuffix(t.Storage.Location, "/")
	for i, v := range values {
		p.Storage.Location += "/" + t.PartitionKeys[i].Name + "=" + escapePath(v)
	}
	return p
}

// escapePath writes a partition's value as Hive does in paths (FileUtils.escapePathName).
func escapePath(v string) string {
	var b strings.Builder
	for _, c := range []byte(v) {
		if c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func putFile(ctx context.Context, o catalog.Objects, uri, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return o.Put(ctx, uri, f)
}

// insert runs INSERT INTO.
func (r *run) insert(st *sql.Insert) error {
	db := r.database(st.Name)
	s := &session{run: r}
	table, err := s.lookup(db, st.Name.Table, st.Name.Pos)
	if err != nil {
		return err
	}
	if table.Type == catalog.View {
		return sql.Errorf(sql.NotSupported, st.Name.Pos, "Inserting into views is not supported")
	}
	lib := table.Storage.SerDe.Library
	if lib != parquetLibrary && lib != lazySimple {
		return sql.Errorf(sql.NotSupported, st.Name.Pos, "INSERT INTO a table with SerDe %s is not supported", lib)
	}
	if parameter(table, "skip.header.line.count", "0") != "0" {
		return sql.Errorf(sql.NotSupported, st.Name.Pos, "Inserting into Hive table with value of skip.header.line.count property greater than 0 is not supported")
	}
	t := &target{table: table, compression: "gzip"}
	if c, ok := compressions[strings.ToUpper(parameter(table, "parquet.compression", ""))]; ok {
		t.compression = c
	}
	if lib == lazySimple {
		t.table.Storage.SerDe.Parameters = map[string]string{"field.delim": parameter(table, "field.delim", "\x01")}
	}
	for _, n := range st.Columns {
		t.columns = append(t.columns, outColumn{name: strings.ToLower(n.Text)})
	}
	return r.write(st.Query, t, true, func() error { return nil })
}
