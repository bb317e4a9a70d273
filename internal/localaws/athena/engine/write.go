package engine

import (
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
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
	made        bool // whether the table was made for the rows
}

// outColumn is a column of a written query.
type outColumn struct {
	name string
	duck string
	cast bool
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
