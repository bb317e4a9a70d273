package engine

import (
	"slices"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

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
