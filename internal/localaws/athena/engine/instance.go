package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

//go:embed macros.sql
var macroText string

// definition is what Trino means by something, in DuckDB's words.
type definition struct{ call, text string } // call is its name with the parenthesis

var macros = splitMacros(macroText)

// splitMacros takes the file apart: each statement defines one macro, and none
// uses another.
func splitMacros(text string) []definition {
	var list []definition
	for _, statement := range strings.Split(text, "CREATE MACRO ")[1:] {
		name, _, _ := strings.Cut(statement, "(")
		list = append(list, definition{name + "(", "CREATE MACRO " + statement})
	}
	return list
}

// instance is one DuckDB with one connection, for one query at a time. It can
// read and write files in its own directory and nowhere else, which nothing
// can undo; what a query may read is linked there while the query runs.
type instance struct {
	db      *sql.DB
	session *sql.Conn    // the one session of db
	conn    *duckdb.Conn // what is beneath it
	defined map[string]bool
	dir     string
	granted grants
}

// open makes an instance over a new directory below root. It cannot load
// extensions. It defines macros when a statement first uses them: all of them
// would take a third of the time.
func open(cfg Config, root string) (*instance, error) {
	dir, err := os.MkdirTemp(root, "instance-*")
	if err != nil {
		return nil, fmt.Errorf("make directory of a DuckDB instance: %w", err)
	}
	in := &instance{defined: map[string]bool{}, dir: dir, granted: newGrants()}
	if err := in.start(cfg); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (in *instance) start(cfg Config) error {
	c, err := duckdb.NewConnector("", nil)
	if err != nil {
		return fmt.Errorf("open DuckDB: %w", err)
	}
	in.db = sql.OpenDB(c)
	if in.session, err = in.db.Conn(context.Background()); err != nil {
		return fmt.Errorf("connect to DuckDB: %w", err)
	}
	if err := in.session.Raw(func(c any) error { in.conn = c.(*duckdb.Conn); return nil }); err != nil {
		return fmt.Errorf("connect to DuckDB: %w", err)
	}
	settings := []string{
		"SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false", "SET allow_community_extensions = false",
		"SET errors_as_json = true", "SET TimeZone = 'UTC'", "SET enable_progress_bar = false",
		"PRAGMA enable_profiling = 'no_output'", `SET custom_profiling_settings = '{"EXTRA_INFO": "true"}'`, // see scanned
		"SET temp_directory = " + literal(filepath.Join(in.dir, "spill")),
		fmt.Sprintf("SET memory_limit = '%dMB'", cfg.MemoryMB),
	}
	if cfg.Threads > 0 {
		settings = append(settings, fmt.Sprintf("SET threads = %d", cfg.Threads))
	}
	settings = append(settings, "SET allowed_directories = ["+literal(in.dir)+"]", "SET enable_external_access = false", "SET lock_configuration = true")
	if err := in.exec(context.Background(), strings.Join(settings, ";\n")); err != nil {
		return fmt.Errorf("prepare DuckDB: %w", err)
	}
	return nil
}

func (in *instance) exec(ctx context.Context, q string) error {
	if err := in.define(ctx, q); err != nil {
		return err
	}
	_, err := in.conn.ExecContext(ctx, q, nil)
	return err
}

func (in *instance) query(ctx context.Context, q string) (driver.Rows, error) {
	if err := in.define(ctx, q); err != nil {
		return nil, err
	}
	return in.conn.QueryContext(ctx, q, nil)
}

// define makes the macros that a statement may use, once.
func (in *instance) define(ctx context.Context, q string) error {
	for _, m := range macros {
		if in.defined[m.call] || !strings.Contains(q, m.call) {
			continue
		}
		if _, err := in.conn.ExecContext(ctx, m.text, nil); err != nil {
			return fmt.Errorf("define %s): %w", m.call, err)
		}
		in.defined[m.call] = true
	}
	return nil
}

// close ends the instance and removes its directory.
func (in *instance) close() error {
	var errs []error
	if in.session != nil {
		errs = append(errs, in.session.Close())
	}
	if in.db != nil {
		errs = append(errs, in.db.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(in.dir))...)
}
