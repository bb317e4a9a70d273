// Package engine runs Athena's statements. Queries run on DuckDB, over the files that hold the
// tables' objects; tables come from a catalog, by a parse of the statement. DDL changes the
// catalog. Results are written as Athena writes them: a CSV file with every value quoted and
// its .metadata, or a .txt file for DDL.
//
// Each query has a DuckDB instance to itself, which may read the files of the tables that the query
// names and nothing else: it is locked to a directory of its own, and they are linked there. Opening
// an instance takes more than a small query, so that later queries use it again.
package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

// awsDataCatalog is the one catalog that there is.
const awsDataCatalog = "awsdatacatalog"

// Config is what an Engine works with. Where Catalog and Objects are nil, each Request must have them.
type Config struct {
	Catalog catalog.Catalog
	Objects catalog.Objects
	// Now tells the time. The default is time.Now.
	Now func() time.Time
	// Dir holds temporary files, and links to the files of tables; it should be on their file system, or they are copied.
	// It must not be another engine's: New removes what one before it left. The default is a new one in os.TempDir().
	Dir string
	// MemoryMB bounds the memory of one query, in megabytes; a query that needs more spills or fails. The default is 1024.
	MemoryMB int
	// Threads is the number of threads of one query. The default is DuckDB's: one for each processor.
	Threads int
	// Strict refuses what Athena refuses even where a query could run: percentile_approx, a column
	// without a type or a timestamp with a zone in CREATE TABLE AS, partition columns that are not last.
	// The default is to run such statements and to say so in Result.Notes.
	Strict bool
}

// Engine runs statements. It is safe for concurrent use.
type Engine struct {
	cfg     Config
	pool    *pool
	footers footers
}

// New makes an engine. Close releases it.
func New(cfg Config) (*Engine, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MemoryMB == 0 {
		cfg.MemoryMB = 1024
	}
	p, err := newPool(cfg)
	if err != nil {
		return nil, err
	}
	cfg.Dir = p.root
	return &Engine{cfg: cfg, pool: p}, nil
}

// Close closes the instances that are kept. Queries must have ended.
func (e *Engine) Close() error { return e.pool.close() }

// Prepared keeps named statements; a work group has one.
type Prepared interface {
	Put(ctx context.Context, name, statement string) error
	// Get returns a statement, or an error that wraps catalog.ErrNotFound.
	Get(ctx context.Context, name string) (string, error)
	Delete(ctx context.Context, name string) error
}

// Request is a statement with its surroundings.
type Request struct {
	ID        string   // names the result files
	Statement string   //
	Database  string   // of names without one; "default" where empty
	Args      []string // SQL literals for the statement's question marks
	Output    string   // s3://bucket/prefix/ for the result files
	// ScanLimit is the most bytes that a query may scan; 0 is no limit.
	ScanLimit int64
	Prepared  Prepared // nil refuses PREPARE, EXECUTE and DEALLOCATE
	// Catalog and Objects are as the caller may see them. The defaults are the Config's.
	Catalog catalog.Catalog
	Objects catalog.Objects
}

// Column describes a column of a result, as GetQueryResults' ColumnInfo.
type Column struct {
	Name          string
	Type          string // Athena's name: varchar, bigint, double ...
	Precision     int
	Scale         int
	CaseSensitive bool
}

// Result is what a statement gave.
type Result struct {
	StatementType string // DDL, DML or UTILITY
	Substatement  string // SELECT, CREATE_TABLE_AS_SELECT ...
	Columns       []Column
	Output        string // URI of the result file
	Manifest      string // URI of the list of written files, of CTAS and INSERT
	Header        bool   // whether the result file's first row is the header
	Rows          int64  // rows in the result, or written
	Bytes         int64  // of the result file
	Scanned       int64  // bytes of the columns and row groups that were read, or of whole text files
	Planning      time.Duration
	Execution     time.Duration
	Notes         []string // what ran here although Athena would refuse it
}

// ErrScanLimit is a query that would scan more than Request.ScanLimit.
var ErrScanLimit = errors.New("bytes scanned limit was exceeded")

// Run runs a statement. A failure of the statement is an *sql.Error, ErrScanLimit or the context's error;
// anything else is the engine's own failure.
func (e *Engine) Run(ctx context.Context, req Request) (*Result, error) {
	st, err := sql.Parse(req.Statement)
	if err != nil {
		return nil, err
	}
	if req.Database == "" {
		req.Database = "default"
	}
	req.Database = strings.ToLower(req.Database)
	r := &run{Engine: e, ctx: ctx, req: req, res: &Result{StatementType: st.Kind()}}
	r.cfg = e.cfg
	if req.Catalog != nil {
		r.cfg.Catalog = req.Catalog
	}
	if req.Objects != nil {
		r.cfg.Objects = req.Objects
	}
	if r.args, err = parseArgs(req.Args); err != nil {
		return nil, err
	}
	if err := r.statement(st); err != nil {
		if cause := ctx.Err(); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	return r.res, nil
}

// parseArgs reads each argument as one expression.
func parseArgs(args []string) ([]sql.Expr, error) {
	out := make([]sql.Expr, len(args))
	for i, a := range args {
		st, err := sql.Parse("VALUES (" + a + ")")
		if err != nil {
			return nil, sql.Errorf(sql.InvalidParameters, sql.Pos{}, "execution parameter %d is not a literal: %s", i+1, a)
		}
		v, ok := st.(*sql.QueryStatement).Query.Body.(*sql.Values)
		if !ok || len(v.Rows) != 1 {
			return nil, sql.Errorf(sql.InvalidParameters, sql.Pos{}, "execution parameter %d is not a literal: %s", i+1, a)
		}
		out[i] = v.Rows[0]
	}
	return out, nil
}

// run is one statement on its way.
type run struct {
	*Engine
	cfg  Config          // the engine's, with the request's catalog and objects
	ctx  context.Context // one statement, one context
	req  Request
	res  *Result
	args []sql.Expr
}

func (r *run) statement(st sql.Statement) error {
	switch st := st.(type) {
	case *sql.QueryStatement:
		r.res.Substatement = "SELECT"
		return r.query(st.Query)
	case *sql.Explain:
		r.res.Substatement = "EXPLAIN"
		return r.explain(st)
	case *sql.CreateAs:
		r.res.Substatement = "CREATE_TABLE_AS_SELECT"
		return r.createAs(st)
	case *sql.Insert:
		r.res.Substatement = "INSERT"
		return r.insert(st)
	case *sql.Prepare, *sql.Execute, *sql.Deallocate:
		return r.prepared(st)
	}
	return r.ddl(st)
}

func (r *run) prepared(st sql.Statement) error {
	p := r.req.Prepared
	if p == nil {
		return sql.Errorf(sql.NotSupported, sql.Pos{}, "prepared statements need a work group that keeps them")
	}
	missing := func(name string, err error) error {
		if errors.Is(err, catalog.ErrNotFound) {
			return sql.Errorf(sql.PreparedNotFound, sql.Pos{}, "Prepared statement not found: %s", name)
		}
		return err
	}
	switch st := st.(type) {
	case *sql.Prepare:
		r.res.Substatement = "PREPARE"
		if err := p.Put(r.ctx, st.Name, st.Text); err != nil {
			return fmt.Errorf("keep prepared statement %s: %w", st.Name, err)
		}
	case *sql.Deallocate:
		r.res.Substatement = "DEALLOCATE"
		if err := p.Delete(r.ctx, st.Name); err != nil {
			return missing(st.Name, err)
		}
	case *sql.Execute:
		text, err := p.Get(r.ctx, st.Name)
		if err != nil {
			return missing(st.Name, err)
		}
		return r.execute(text, st.Args)
	}
	return r.writeText(nil, nil)
}

func (r *run) execute(text string, args []sql.Expr) error {
	st, err := sql.Parse(text)
	if err != nil {
		return err
	}
	n, err := sql.CountParams(text)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		r.args = args
	}
	if n != len(r.args) {
		return sql.Errorf(sql.InvalidParameters, sql.Pos{}, "Incorrect number of parameters: expected %d but found %d", n, len(r.args))
	}
	r.res.StatementType = st.Kind()
	return r.statement(st)
}
