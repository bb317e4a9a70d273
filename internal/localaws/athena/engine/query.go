package engine

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

// session is a query's instance with the tables that it has been told of.
type session struct {
	*run
	in      *instance
	scans   []*scan
	columns map[string]map[string]string // types by column of the tables and views in known
	known   map[string]bool              // full names of tables and views that DuckDB has
	folders map[string]bool              // that hold links to the files of scans
	maps    map[string]bool              // names of columns that some table declares as maps
	depth   int                          // of views within views
	notes   []string
}

// maxViews bounds views that name views, which may go in a circle.
const maxViews = 32

// withSession runs f with an instance. One on which something failed that is
// not the statement's fault is not used again.
func (r *run) withSession(f func(*session) error) error {
	in, err := r.pool.get()
	if err != nil {
		return err
	}
	s := &session{run: r, in: in, columns: map[string]map[string]string{}, known: map[string]bool{}, folders: map[string]bool{}, maps: map[string]bool{}}
	err = f(s)
	var fault *sql.Error
	sound := err == nil || errors.As(err, &fault) && fault.Type != sql.GenericInternal && fault.Type != sql.ExceededMemory
	if sound && in.heavy() {
		sound = in.restrict(context.WithoutCancel(r.ctx), nil, nil, r.pool.discard) == nil
	}
	r.pool.put(in, sound && r.ctx.Err() == nil)
	return err
}

// translate writes q for DuckDB, makes its tables known there, and shuts the instance off from all others.
func (s *session) translate(q *sql.Query) (translation, error) {
	tr, err := s.translateIn(q, s.req.Database)
	if err != nil {
		return tr, err
	}
	if err := s.in.restrict(s.ctx, s.known, s.folders, s.pool.discard); err != nil {
		return tr, err
	}
	s.res.Notes = append(s.res.Notes, s.notes...)
	return tr, nil
}

func (s *session) translateIn(q *sql.Query, database string) (translation, error) {
	t := &translator{database: database, now: s.cfg.Now(), args: s.args, strict: s.cfg.Strict,
		table: func(r *sql.Table) (string, error) { return s.register(r, database) },
		isMap: func(c string) bool { return s.maps[c] }, columns: func(r *sql.Table) map[string]string { return s.columns[s.fullName(r, database)] }}
	if err := s.preload(q, database); err != nil {
		return translation{}, err
	}
	tr, err := t.translate(q)
	s.notes = append(s.notes, tr.notes...)
	return tr, err
}

// preload is a first pass that makes tables known before expressions are written, which depend on their columns.
func (s *session) preload(q *sql.Query, database string) error {
	t := &translator{database: database, now: s.cfg.Now(), args: s.args,
		table: func(r *sql.Table) (string, error) { return s.register(r, database) },
		isMap: func(string) bool { return false }}
	_, err := t.translate(q)
	return err
}

// register makes a table or view known to DuckDB and returns its full name there.
func (s *session) register(r *sql.Table, database string) (string, error) {
	parts := r.Parts
	if len(parts) == 3 {
		if !strings.EqualFold(parts[0].Text, awsDataCatalog) {
			return "", sql.Errorf("CATALOG_NOT_FOUND", r.Pos, "Catalog '%s' does not exist", parts[0].Text)
		}
		parts = parts[1:]
	}
	db, name := database, strings.ToLower(parts[len(parts)-1].Text)
	if len(parts) == 2 {
		db = strings.ToLower(parts[0].Text)
	}
	full := fullName(db, name)
	if s.known[full] {
		return full, nil
	}
	t, err := s.lookup(db, name, r.Pos)
	if err != nil {
		return "", err
	}
	body, err := s.body(t, r.Pos)
	if err != nil {
		return "", err
	}
	if err := s.in.grant(s.ctx, db, name, body, t.Type != catalog.View); err != nil {
		return "", tableError(t, err)
	}
	s.known[full], s.columns[full] = true, columnsAs(t.Storage.Columns, t.PartitionKeys)
	return full, nil
}

// fullName is the name by which DuckDB knows a table, once it does.
func (s *session) fullName(r *sql.Table, database string) string {
	n := len(r.Parts)
	if n > 1 {
		database = strings.ToLower(r.Parts[n-2].Text)
	}
	return fullName(database, strings.ToLower(r.Parts[n-1].Text))
}

// tableError words a failure to read a table.
func tableError(t catalog.Table, err error) error {
	var e *sql.Error
	if errors.As(translation{}.explainError(err), &e) {
		kind := sql.HiveBadData
		if t.Type == catalog.View {
			kind = sql.ViewInvalid
		}
		return sql.Errorf(kind, sql.Pos{}, "%s.%s: %s: %s", t.Database, t.Name, e.Type, e.Msg)
	}
	return err
}

// lookup finds a table, with Trino's words where it is missing.
func (s *session) lookup(db, name string, pos sql.Pos) (catalog.Table, error) {
	t, err := s.cfg.Catalog.Table(s.ctx, db, name)
	if err == nil || !notFound(err) {
		return t, err
	}
	if _, derr := s.cfg.Catalog.Database(s.ctx, db); notFound(derr) {
		return t, sql.Errorf(sql.SchemaNotFound, pos, "Schema '%s' does not exist", db)
	} else if derr != nil {
		return t, derr
	}
	return t, sql.Errorf(sql.TableNotFound, pos, "Table '%s.%s.%s' does not exist", awsDataCatalog, db, name)
}

// body is the query that stands for a table or view.
func (s *session) body(t catalog.Table, pos sql.Pos) (string, error) {
	if t.Type == catalog.View {
		return s.viewBody(t, pos)
	}
	sc, err := s.newScan(s.ctx, t)
	if err != nil {
		return "", err
	}
	for _, c := range t.Storage.Columns {
		if strings.HasPrefix(c.Type, "map<") {
			s.maps[strings.ToLower(c.Name)] = true
		}
	}
	if err := sc.place(s.in.dir); err != nil {
		return "", err
	}
	if err := s.in.link(sc); err != nil {
		return "", err
	}
	s.scans, s.folders[sc.folder] = append(s.scans, sc), true
	return sc.sql()
}

func (s *session) viewBody(t catalog.Table, pos sql.Pos) (string, error) {
	if s.depth++; s.depth > maxViews {
		return "", sql.Errorf(sql.ViewInvalid, pos, "View '%s.%s' is nested more than %d deep, or names itself", t.Database, t.Name, maxViews)
	}
	defer func() { s.depth-- }()
	v, err := decodeView(t)
	if err != nil {
		return "", sql.Errorf(sql.ViewInvalid, pos, "Failed analyzing stored view '%s.%s.%s': %v", awsDataCatalog, t.Database, t.Name, err)
	}
	st, err := sql.Parse(v.OriginalSQL)
	q, ok := st.(*sql.QueryStatement)
	if err == nil && !ok {
		err = errors.New("it is not a query")
	}
	var tr translation
	if err == nil {
		tr, err = s.translateIn(q.Query, v.Schema)
	}
	if err != nil {
		return "", sql.Errorf(sql.ViewInvalid, pos, "Failed analyzing stored view '%s.%s.%s': %v", awsDataCatalog, t.Database, t.Name, err)
	}
	return tr.text, nil
}

// view is what Athena keeps in ViewOriginalText, as "/* Presto View: <base64 of JSON> */".
type view struct {
	OriginalSQL string       `json:"originalSql"`
	Catalog     string       `json:"catalog"`
	Schema      string       `json:"schema"`
	Columns     []viewColumn `json:"columns"`
}

type viewColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

const viewPrefix, viewSuffix = "/* Presto View: ", " */"

func (v view) encode() (string, error) {
	b, err := json.Marshal(v)
	return viewPrefix + base64.StdEncoding.EncodeToString(b) + viewSuffix, err
}

func decodeView(t catalog.Table) (v view, err error) {
	text := strings.TrimSuffix(strings.TrimPrefix(t.ViewOriginalText, viewPrefix), viewSuffix)
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return v, fmt.Errorf("its text is not a Presto view: %w", err)
	}
	return v, json.Unmarshal(b, &v)
}

// query runs a SELECT and writes its result file.
func (r *run) query(q *sql.Query) error {
	start := time.Now()
	return r.withSession(func(s *session) error {
		tr, err := s.translate(q)
		if err != nil {
			return err
		}
		r.res.Planning = time.Since(start)
		start = time.Now()
		defer func() { r.res.Execution = time.Since(start) }()
		return s.result(tr, untyped(q))
	})
}

// result runs a translated query and writes its rows as CSV. Columns that are a bare NULL have no type.
func (s *session) result(tr translation, null map[string]bool) error {
	if err := s.checkLimit(tr); err != nil {
		return err
	}
	rows, err := s.in.query(s.ctx, tr.text)
	if err != nil {
		return tr.explainError(err)
	}
	defer rows.Close()
	if s.res.Scanned, err = s.scanned(); err != nil {
		return err
	}
	columns, shapes := describe(rows)
	for i, c := range columns {
		if null[c.Name] {
			columns[i] = Column{Name: c.Name, Type: "unknown"}
		}
	}
	s.res.Columns, s.res.Header = columns, true
	return s.writeFile(".csv", func(w *bufio.Writer) error {
		n, err := writeCSV(w, rows, columns, shapes)
		s.res.Rows = n
		return tr.explainError(err)
	})
}
