package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

// ddl runs the statements that only concern the catalog.
func (r *run) ddl(st sql.Statement) error {
	var err error
	switch st := st.(type) {
	case *sql.CreateExternal:
		r.res.Substatement = "CREATE_TABLE"
		err = r.createExternal(st)
	case *sql.CreateView:
		r.res.Substatement = "CREATE_VIEW"
		err = r.createView(st)
	case *sql.CreateDatabase:
		r.res.Substatement = "CREATE_DATABASE"
		err = r.createDatabase(st)
	case *sql.Drop:
		r.res.Substatement = "DROP_" + st.What
		err = r.drop(st)
	case *sql.Repair:
		r.res.Substatement = "MSCK"
		return r.repair(st)
	case *sql.AddPartitions:
		r.res.Substatement = "ALTER_TABLE_ADD_PARTITION"
		err = r.alterAdd(st)
	case *sql.DropPartitions:
		r.res.Substatement = "ALTER_TABLE_DROP_PARTITION"
		err = r.alterDrop(st)
	case *sql.SetProperties:
		r.res.Substatement = "ALTER_TABLE_SET_TBLPROPERTIES"
		err = r.alterTable(st.Name, func(t *catalog.Table) error { return setProperties(t, st.Properties) })
	case *sql.AddColumns:
		r.res.Substatement = "ALTER_TABLE_ADD_COLUMNS"
		err = r.alterTable(st.Name, func(t *catalog.Table) error { return addColumns(t, st.Columns) })
	case *sql.Show:
		return r.show(st)
	case *sql.Describe:
		return r.describe(st)
	default:
		err = sql.Errorf(sql.NotSupported, sql.Pos{}, "statement %T is not supported", st)
	}
	if err != nil {
		return err
	}
	return r.writeText(nil, nil)
}

func hiveError(format string, args ...any) error {
	return sql.Errorf(sql.HiveExecution, sql.Pos{}, format, args...)
}

func semantic(format string, args ...any) error {
	return sql.Errorf(sql.HiveSemantic, sql.Pos{}, format, args...)
}

func (r *run) createExternal(st *sql.CreateExternal) error {
	t, err := r.externalTable(st)
	if err != nil {
		return err
	}
	switch err := r.cfg.Catalog.CreateTable(r.ctx, t); {
	case errors.Is(err, catalog.ErrExists) && st.IfNotExists:
		return nil
	case errors.Is(err, catalog.ErrExists):
		return hiveError("AlreadyExistsException(message:Table %s already exists.)", t.Name)
	case notFound(err):
		return semantic("[Error 10072]: Database does not exist: %s", t.Database)
	default:
		return err
	}
}

func (r *run) externalTable(st *sql.CreateExternal) (catalog.Table, error) {
	t := catalog.Table{Database: r.database(st.Name), Name: st.Name.Table, Description: st.Comment, Type: catalog.External, Owner: "hadoop",
		Created: r.cfg.Now(), Parameters: map[string]string{"EXTERNAL": "TRUE"}, PartitionKeys: columnsOf(st.Partitioned)}
	t.Storage = catalog.Storage{Columns: columnsOf(st.Columns), Location: st.Location}
	if _, _, err := catalog.SplitURI(st.Location); err != nil {
		return t, semantic("%v", err)
	}
	for _, c := range append(slices.Clone(t.Storage.Columns), t.PartitionKeys...) {
		if _, err := duckType(c); err != nil {
			return t, semantic("column %s: type %s is not supported", c.Name, c.Type)
		}
	}
	for _, k := range t.PartitionKeys {
		if slices.ContainsFunc(t.Storage.Columns, func(c catalog.Column) bool { return c.Name == k.Name }) {
			return t, semantic("[Error 10035]: Column repeated in partitioning columns: %s", k.Name)
		}
	}
	for _, p := range st.Properties {
		t.Parameters[p.Key] = p.Value
	}
	return t, formatOf(&t, st.Format)
}

func columnsOf(cs []sql.Column) []catalog.Column {
	var out []catalog.Column
	for _, c := range cs {
		out = append(out, catalog.Column{Name: c.Name, Type: c.Type, Comment: c.Comment})
	}
	return out
}

// formatOf sets input and output format and SerDe.
func formatOf(t *catalog.Table, f sql.Format) error {
	s := &t.Storage
	switch {
	case f.Input != "":
		s.InputFormat, s.OutputFormat = f.Input, f.Output
	case f.StoredAs == "" || f.StoredAs == "TEXTFILE":
		s.InputFormat, s.OutputFormat, s.SerDe.Library = textInput, textOutput, lazySimple
	case f.StoredAs == "PARQUET":
		s.InputFormat, s.OutputFormat, s.SerDe.Library = parquetInput, parquetOutput, parquetLibrary
	default:
		return sql.Errorf(sql.NotSupported, sql.Pos{}, "STORED AS %s is not supported; there are TEXTFILE and PARQUET", f.StoredAs)
	}
	if f.SerDe != "" {
		s.SerDe.Library = f.SerDe
	}
	switch s.SerDe.Library {
	case lazySimple, openCSV, parquetLibrary:
	case "":
		return sql.Errorf(sql.NotSupported, sql.Pos{}, "INPUTFORMAT %s without ROW FORMAT SERDE is not supported", f.Input)
	default:
		return sql.Errorf(sql.NotSupported, sql.Pos{}, "SerDe %s is not supported; there are LazySimpleSerDe, OpenCSVSerde and ParquetHiveSerDe", s.SerDe.Library)
	}
	s.SerDe.Parameters = serdeParameters(f)
	return nil
}

func serdeParameters(f sql.Format) map[string]string {
	m := map[string]string{"serialization.format": "1"}
	if f.Fields != "" {
		m["field.delim"], m["serialization.format"] = f.Fields, f.Fields
	}
	for key, v := range map[string]string{"escape.delim": f.Escape, "line.delim": f.Lines, "colelction.delim": f.Collection, "mapkey.delim": f.MapKeys} {
		if v != "" {
			m[key] = v
		}
	}
	if f.HasNull {
		m["serialization.null.format"] = f.NullAs
	}
	for _, p := range f.SerDeProperties {
		m[p.Key] = p.Value
	}
	return m
}

// createView checks the query against the catalog, as Athena does, before it keeps it.
func (r *run) createView(st *sql.CreateView) error {
	db := r.database(st.Name)
	if _, err := r.cfg.Catalog.Database(r.ctx, db); notFound(err) {
		return sql.Errorf(sql.SchemaNotFound, st.Name.Pos, "Schema '%s' does not exist", db)
	} else if err != nil {
		return err
	}
	old, err := r.cfg.Catalog.Table(r.ctx, db, st.Name.Table)
	if err != nil && !notFound(err) {
		return err
	}
	exists := err == nil
	if exists && (!st.Replace || old.Type != catalog.View) {
		return sql.Errorf(sql.TableExists, st.Name.Pos, "Table '%s.%s.%s' already exists", awsDataCatalog, db, st.Name.Table)
	}
	if err := named(st.Query); err != nil {
		return err
	}
	t, err := r.viewTable(db, st)
	if err != nil {
		return err
	}
	if exists {
		return r.cfg.Catalog.UpdateTable(r.ctx, t)
	}
	return r.cfg.Catalog.CreateTable(r.ctx, t)
}

func (r *run) viewTable(db string, st *sql.CreateView) (catalog.Table, error) {
	v := view{OriginalSQL: st.Text, Catalog: awsDataCatalog, Schema: r.req.Database}
	t := catalog.Table{Database: db, Name: st.Name.Table, Type: catalog.View, Created: r.cfg.Now(), ViewExpandedText: "/* Presto View */",
		Parameters: map[string]string{"presto_view": "true", "comment": "Presto View"}}
	err := r.withSession(func(s *session) error {
		tr, err := s.translate(st.Query)
		if err != nil {
			return err
		}
		names, types, err := s.describeTypes(tr)
		if err != nil {
			return err
		}
		for i, n := range names {
			lower := strings.ToLower(n)
			if slices.ContainsFunc(t.Storage.Columns, func(c catalog.Column) bool { return c.Name == lower }) {
				return sql.Errorf(sql.DuplicateColumn, sql.Pos{}, "Column name '%s' specified more than once", n)
			}
			hive := parseShape(types[i]).hive()
			t.Storage.Columns = append(t.Storage.Columns, catalog.Column{Name: lower, Type: hive})
			v.Columns = append(v.Columns, viewColumn{Name: lower, Type: trinoType(hive)})
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	t.ViewOriginalText, err = v.encode()
	return t, err
}

func (r *run) createDatabase(st *sql.CreateDatabase) error {
	d := catalog.Database{Name: st.Name, Description: st.Comment, LocationURI: st.Location, Created: r.cfg.Now(), Parameters: map[string]string{}}
	for _, p := range st.Properties {
		d.Parameters[p.Key] = p.Value
	}
	err := r.cfg.Catalog.CreateDatabase(r.ctx, d)
	if errors.Is(err, catalog.ErrExists) {
		if st.IfNotExists {
			return nil
		}
		return hiveError("Database %s already exists", st.Name)
	}
	return err
}

func (r *run) drop(st *sql.Drop) error {
	if st.What == "DATABASE" {
		return r.dropDatabase(st)
	}
	db := r.database(st.Name)
	t, err := r.cfg.Catalog.Table(r.ctx, db, st.Name.Table)
	switch {
	case notFound(err) && st.IfExists:
		return nil
	case notFound(err):
		return semantic("[Error 10001]: Table not found %s.%s", db, st.Name.Table)
	case err != nil:
		return err
	case st.What == "VIEW" && t.Type != catalog.View:
		return semantic("[Error 10001]: Cannot drop a base table with DROP VIEW: %s.%s", db, st.Name.Table)
	case st.What == "TABLE" && t.Type == catalog.View:
		return semantic("[Error 10001]: Cannot drop a view with DROP TABLE: %s.%s", db, st.Name.Table)
	}
	return r.cfg.Catalog.DropTable(r.ctx, db, st.Name.Table)
}

func (r *run) dropDatabase(st *sql.Drop) error {
	name := st.Name.Table
	tables, err := r.cfg.Catalog.Tables(r.ctx, name)
	switch {
	case notFound(err) && st.IfExists:
		return nil
	case notFound(err):
		return semantic("[Error 10072]: Database does not exist: %s", name)
	case err != nil:
		return err
	case len(tables) > 0 && !st.Cascade:
		return hiveError("InvalidOperationException(message:Database %s is not empty. One or more tables exist.)", name)
	}
	return r.cfg.Catalog.DropDatabase(r.ctx, name)
}

// partitionedTable finds a table that has partition keys.
func (r *run) partitionedTable(n sql.QualifiedName) (catalog.Table, error) {
	db := r.database(n)
	t, err := r.cfg.Catalog.Table(r.ctx, db, n.Table)
	switch {
	case notFound(err):
		return t, semantic("[Error 10001]: Table not found %s.%s", db, n.Table)
	case err != nil:
		return t, err
	case len(t.PartitionKeys) == 0:
		return t, semantic("Table %s.%s is not a partitioned table", db, n.Table)
	}
	return t, nil
}

// values orders a partition's values as the table's keys are.
func values(t catalog.Table, ps []sql.Property) ([]string, error) {
	out := make([]string, len(t.PartitionKeys))
	for i, k := range t.PartitionKeys {
		j := slices.IndexFunc(ps, func(p sql.Property) bool { return p.Key == k.Name })
		if j < 0 {
			return nil, semantic("[Error 10006]: Partition not found: the key %s has no value", k.Name)
		}
		out[i] = ps[j].Value
	}
	if len(ps) != len(out) {
		return nil, semantic("[Error 10006]: Partition not found: %d keys are given, the table has %d", len(ps), len(out))
	}
	return out, nil
}

func (r *run) alterAdd(st *sql.AddPartitions) error {
	t, err := r.partitionedTable(st.Name)
	if err != nil {
		return err
	}
	have, err := r.partitionSet(t)
	if err != nil {
		return err
	}
	var add []catalog.Partition
	for _, p := range st.Partitions {
		vs, err := values(t, p.Values)
		if err != nil {
			return err
		}
		key := strings.Join(vs, "\x00")
		if _, ok := have[key]; ok {
			if st.IfNotExists {
				continue
			}
			return hiveError("AlreadyExistsException(message:Partition already exists.)")
		}
		np := newPartition(t, vs, r.cfg.Now())
		if p.Location != "" {
			np.Storage.Location = p.Location
		}
		have[key] = np
		add = append(add, np)
	}
	if len(add) == 0 {
		return nil
	}
	return r.cfg.Catalog.AddPartitions(r.ctx, t.Database, t.Name, add)
}

func (r *run) alterDrop(st *sql.DropPartitions) error {
	t, err := r.partitionedTable(st.Name)
	if err != nil {
		return err
	}
	for _, p := range st.Partitions {
		vs, err := values(t, p.Values)
		if err != nil {
			return err
		}
		switch err := r.cfg.Catalog.DropPartition(r.ctx, t.Database, t.Name, vs); {
		case notFound(err) && st.IfExists:
		case notFound(err):
			return semantic("[Error 10006]: Partition not found %s", partitionName(t, vs))
		case err != nil:
			return err
		}
	}
	return nil
}

func (r *run) alterTable(n sql.QualifiedName, change func(*catalog.Table) error) error {
	db := r.database(n)
	t, err := r.cfg.Catalog.Table(r.ctx, db, n.Table)
	if notFound(err) {
		return semantic("[Error 10001]: Table not found %s.%s", db, n.Table)
	}
	if err != nil {
		return err
	}
	if err := change(&t); err != nil {
		return err
	}
	return r.cfg.Catalog.UpdateTable(r.ctx, t)
}

func setProperties(t *catalog.Table, ps []sql.Property) error {
	m := map[string]string{}
	for k, v := range t.Parameters {
		m[k] = v
	}
	for _, p := range ps {
		m[p.Key] = p.Value
	}
	t.Parameters = m
	return nil
}

func addColumns(t *catalog.Table, cs []sql.Column) error {
	columns := slices.Clone(t.Storage.Columns)
	for _, c := range columnsOf(cs) {
		if slices.ContainsFunc(columns, func(o catalog.Column) bool { return o.Name == c.Name }) {
			return semantic("[Error 10036]: Duplicate column name: %s", c.Name)
		}
		columns = append(columns, c)
	}
	t.Storage.Columns = columns
	return nil
}

// repair adds a partition for each key=value path below the table's location that has none.
func (r *run) repair(st *sql.Repair) error {
	t, err := r.partitionedTable(st.Name)
	if err != nil {
		return err
	}
	have, err := r.partitionSet(t)
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(t.Storage.Location, "/") + "/"
	objects, err := r.cfg.Objects.List(r.ctx, base)
	if err != nil {
		return fmt.Errorf("list %s: %w", base, err)
	}
	added := map[string]catalog.Partition{}
	var lines [][]string
	for _, o := range objects {
		vs, location := pathValues(t, base, o.URI)
		key := strings.Join(vs, "\x00")
		if _, ok := have[key]; ok || vs == nil || hidden(base, o.URI) {
			continue
		}
		p := newPartition(t, vs, r.cfg.Now())
		p.Storage.Location = location
		have[key], added[key] = p, p
		lines = append(lines, []string{"Repair: Added partition to metastore " + t.Name + ":" + strings.TrimPrefix(location, base)})
	}
	if len(lines) > 0 {
		missing := "Partitions not in metastore:"
		for _, l := range lines {
			missing += "\t" + strings.TrimPrefix(l[0], "Repair: Added partition to metastore ")
		}
		lines = append([][]string{{missing}}, lines...)
	}
	if err := r.addPartitions(t, added); err != nil {
		return err
	}
	return r.writeText([]Column{textColumn("result")}, lines)
}

// pathValues reads key=value parts that follow the table's location, in the order of its keys.
func pathValues(t catalog.Table, base, uri string) (vs []string, location string) {
	parts := strings.Split(strings.TrimPrefix(uri, base), "/")
	if len(parts) <= len(t.PartitionKeys) {
		return nil, ""
	}
	for i, k := range t.PartitionKeys {
		key, value, ok := strings.Cut(parts[i], "=")
		if !ok || !strings.EqualFold(key, k.Name) {
			return nil, ""
		}
		vs = append(vs, unescapePath(value))
	}
	return vs, base + strings.Join(parts[:len(vs)], "/")
}
