package engine

import (
	"fmt"
	"slices"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

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
	return r.write(st.Query, t, st.WithData, func() error {
		err := r.cfg.Catalog.CreateTable(r.ctx, t.table)
		t.made = err == nil
		return err
	})
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
	for i, it := range s.Items {
		if _, ok := it.X.(*sql.Null); !ok {
			continue
		}
		if it.Alias != nil {
			out[it.Alias.Text] = true
		} else {
			out[columnName(anonymous, i)] = true
		}
	}
	return out
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
