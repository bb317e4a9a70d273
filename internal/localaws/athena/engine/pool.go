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
var macros string

// instance is one DuckDB with one connection, for one query.
type instance struct {
	db      *sql.DB
	session *sql.Conn    // the one session of db
	conn    *duckdb.Conn // what is beneath it
}

// open makes an instance that has Trino's macros and cannot load extensions.
func open(cfg Config) (*instance, error) {
	c, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	in := &instance{db: sql.OpenDB(c)}
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
	settings = append(settings, macros)
	if err := in.exec(context.Background(), strings.Join(settings, ";\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare DuckDB: %w", err), in.close())
	}
	return in, nil
}

func (in *instance) exec(ctx context.Context, q string) error {
	_, err := in.conn.ExecContext(ctx, q, nil)
	return err
}

func (in *instance) query(ctx context.Context, q string) (driver.Rows, error) {
	return in.conn.QueryContext(ctx, q, nil)
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

// pool keeps one instance ready.
type pool struct {
	cfg     Config
	mu      sync.Mutex
	pending chan opened // of the instance that is open or opening; nil when there is none
	done    bool
	wg      sync.WaitGroup
}

type opened struct {
	in  *instance
	err error
}

func newPool(cfg Config) *pool { return &pool{cfg: cfg} }

// get returns an instance. The first call opens one, later calls find one that was opened after the query before.
func (p *pool) get() (*instance, error) {
	p.mu.Lock()
	ready := p.pending
	p.pending = nil
	p.mu.Unlock()
	if ready == nil {
		return open(p.cfg)
	}
	o := <-ready
	return o.in, o.err
}

// put opens the next instance and closes a used one, behind the caller's back.
func (p *pool) put(in *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wg.Go(func() { in.close() }) // nothing was kept in it
	if p.done || p.pending != nil {
		return
	}
	next := make(chan opened, 1)
	p.pending = next
	p.wg.Go(func() {
		var o opened
		o.in, o.err = open(p.cfg)
		next <- o
	})
}

func (p *pool) close() error {
	p.mu.Lock()
	p.done = true
	last := p.pending
	p.pending = nil
	p.mu.Unlock()
	p.wg.Wait()
	if last == nil {
		return nil
	}
	o := <-last
	if o.in == nil {
		return nil
	}
	return o.in.close()
}
