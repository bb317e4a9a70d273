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
	cfg   Config
	mu    sync.Mutex
	spare chan opened // nil after close
	done  bool
	wg    sync.WaitGroup
}

type opened struct {
	in  *instance
	err error
}

func newPool(cfg Config) *pool {
	return &pool{cfg: cfg, spare: make(chan opened, 1)}
}

// get returns an instance. The first call opens one, later calls find one that was opened behind the query before.
func (p *pool) get() (*instance, error) {
	select {
	case o := <-p.spare:
		return o.in, o.err
	default:
		return open(p.cfg)
	}
}

// put closes a used instance and opens the next one, behind the caller's back.
func (p *pool) put(in *instance) error {
	err := in.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done || len(p.spare) > 0 {
		return err
	}
	p.wg.Go(func() {
		o := opened{}
		o.in, o.err = open(p.cfg)
		select {
		case p.spare <- o:
		default:
			if o.in != nil {
				o.in.close()
			}
		}
	})
	return err
}

func (p *pool) close() error {
	p.mu.Lock()
	p.done = true
	p.mu.Unlock()
	p.wg.Wait()
	select {
	case o := <-p.spare:
		if o.in != nil {
			return o.in.close()
		}
	default:
	}
	return nil
}
