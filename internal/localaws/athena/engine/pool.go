package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"

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

// instance is one DuckDB with one connection, for one query.
type instance struct {
	db      *sql.DB
	session *sql.Conn    // the one session of db
	conn    *duckdb.Conn // what is beneath it
	defined map[string]bool
}

// open makes an instance that cannot load extensions. It defines macros when a
// statement first uses them: all of them would take a third of the time.
func open(cfg Config) (*instance, error) {
	c, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	in := &instance{db: sql.OpenDB(c), defined: map[string]bool{}}
	if in.session, err = in.db.Conn(context.Background()); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to DuckDB: %w", err), in.db.Close())
	}
	if err := in.session.Raw(func(c any) error { in.conn = c.(*duckdb.Conn); return nil }); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to DuckDB: %w", err), in.close())
	}
	settings := []string{
		"SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false", "SET allow_community_extensions = false",
		"SET errors_as_json = true", "SET TimeZone = 'UTC'", "SET enable_progress_bar = false",
		"PRAGMA enable_profiling = 'no_output'", `SET custom_profiling_settings = '{"EXTRA_INFO": "true"}'`, // see scanned
		"SET temp_directory = " + literal(cfg.Dir+"/duckdb"),
		fmt.Sprintf("SET memory_limit = '%dMB'", cfg.MemoryMB),
	}
	if cfg.Threads > 0 {
		settings = append(settings, fmt.Sprintf("SET threads = %d", cfg.Threads))
	}
	if err := in.exec(context.Background(), strings.Join(settings, ";\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare DuckDB: %w", err), in.close())
	}
	return in, nil
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

func (in *instance) close() error { return errors.Join(in.session.Close(), in.db.Close()) }

// lock leaves the instance only the given files and directories; nothing can undo it.
func (in *instance) lock(ctx context.Context, files, dirs []string) error {
	quote := func(xs []string) string {
		parts := make([]string, len(xs))
		for i, x := range xs {
			parts[i] = literal(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return in.exec(ctx, "SET allowed_paths = "+quote(files)+"; SET allowed_directories = "+quote(dirs)+
		"; SET enable_external_access = false; SET lock_configuration = true")
}

// spares is how many instances are kept ready. Opening one takes about 20 ms,
// so that a few queries in a row find one, and a longer row waits only as long
// as the other cores take to open the next.
const spares = 3

// pool keeps instances ready. They are opened one after the other, while
// queries run.
type pool struct {
	cfg     Config
	opening sync.Mutex // held while an instance is opened for later
	mu      sync.Mutex
	pending []chan opened // of instances that are open or will be, the oldest first
	done    bool
	wg      sync.WaitGroup
}

type opened struct {
	in  *instance
	err error
}

func newPool(cfg Config) *pool { return &pool{cfg: cfg} }

// get returns an instance: the oldest spare, or a new one before there are any.
func (p *pool) get() (*instance, error) {
	p.mu.Lock()
	var ready chan opened
	if len(p.pending) > 0 {
		ready, p.pending = p.pending[0], p.pending[1:]
	}
	p.refill()
	p.mu.Unlock()
	if ready == nil {
		return open(p.cfg)
	}
	o := <-ready
	return o.in, o.err
}

// refill begins to open what is missing. REQUIRES: mu is held.
func (p *pool) refill() {
	for !p.done && len(p.pending) < spares {
		next := make(chan opened, 1)
		p.pending = append(p.pending, next)
		p.wg.Go(func() {
			p.opening.Lock()
			defer p.opening.Unlock()
			var o opened
			o.in, o.err = open(p.cfg)
			next <- o
		})
	}
}

// put closes a used instance, behind the caller's back: nothing was kept in it.
func (p *pool) put(in *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wg.Go(func() { in.close() })
}

func (p *pool) close() error {
	p.mu.Lock()
	p.done = true
	pending := p.pending
	p.pending = nil
	p.mu.Unlock()
	p.wg.Wait()
	var errs []error
	for _, ready := range pending {
		if o := <-ready; o.in != nil {
			errs = append(errs, o.in.close())
		}
	}
	return errors.Join(errs...)
}
