package engine

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/athena/sql"
)

// anonymous marks an output column without a name; Trino calls it _colN by its place in the output.
const anonymous = "_engine_anonymous"

// mark says that DuckDB's text from offset on came from a place in the statement.
type mark struct {
	offset int
	pos    sql.Pos
}

// translation is a query in DuckDB's words.
type translation struct {
	text  string
	marks []mark
	notes []string
}

// origin returns the place in the statement of a byte offset of the text.
func (t translation) origin(offset int) sql.Pos {
	i := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].offset > offset })
	if i == 0 {
		return sql.Pos{}
	}
	return t.marks[i-1].pos
}

// within puts a translation between other words.
func (t translation) within(before, after string) translation {
	marks := make([]mark, len(t.marks))
	for i, m := range t.marks {
		marks[i] = mark{m.offset + len(before), m.pos}
	}
	return translation{text: before + t.text + after, marks: marks, notes: t.notes}
}

// translator writes a syntax tree as DuckDB's SQL. A failure is a panic with *sql.Error, caught in translate.
type translator struct {
	b        strings.Builder
	marks    []mark
	notes    []string
	ctes     []string // names in scope, innermost last
	database string
	now      time.Time
	args     []sql.Expr                         // of EXECUTE ... USING
	table    func(*sql.Table) (string, error)   // makes a table known to DuckDB and returns its full name there
	isMap    func(column string) bool           // whether a table of the query declares this column as a map
	columns  func(*sql.Table) map[string]string // types of a table's columns; nil before they are known
	scopes   [][]related                        // innermost last
	strict   bool
}

// translate writes q for DuckDB.
func (t *translator) translate(q *sql.Query) (out translation, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *sql.Error:
			err = r
		case failure:
			err = r.error
		default:
			panic(r)
		}
	}()
	t.query(q)
	return translation{text: t.b.String(), marks: t.marks, notes: t.notes}, nil
}

// failure carries an error that is not the statement's own fault out of the recursion.
type failure struct{ error }

func (t *translator) fail(kind string, pos sql.Pos, format string, args ...any) {
	panic(sql.Errorf(kind, pos, format, args...))
}

func (t *translator) put(parts ...string) {
	for _, p := range parts {
		t.b.WriteString(p)
	}
}

func (t *translator) mark(p sql.Pos) {
	if p.Valid() {
		t.marks = append(t.marks, mark{t.b.Len(), p})
	}
}

// ident quotes an identifier.
func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// literal quotes a string.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func idents(ns []sql.Name) string {
	parts := make([]string, len(ns))
	for i, n := range ns {
		parts[i] = ident(n.Text)
	}
	return strings.Join(parts, ", ")
}

// list writes n elements with commas between them.
func (t *translator) list(n int, f func(i int)) {
	for i := range n {
		if i > 0 {
			t.put(", ")
		}
		f(i)
	}
}

func (t *translator) query(q *sql.Query) {
	depth := len(t.ctes)
	if len(q.With) > 0 {
		t.with(q)
	}
	t.body(q.Body)
	t.orderBy(q.OrderBy)
	if q.Limit != nil {
		t.put(" LIMIT ")
		t.expr(q.Limit)
	}
	if q.Offset != nil {
		t.put(" OFFSET ")
		t.expr(q.Offset)
	}
	t.ctes = t.ctes[:depth]
}

func (t *translator) with(q *sql.Query) {
	t.put("WITH ")
	if q.Recursive {
		t.put("RECURSIVE ")
	}
	t.list(len(q.With), func(i int) {
		c := q.With[i]
		if q.Recursive {
			t.ctes = append(t.ctes, strings.ToLower(c.Name.Text))
		}
		t.put(ident(c.Name.Text))
		if c.Columns != nil {
			t.put("(", idents(c.Columns), ")")
		}
		t.put(" AS (")
		t.query(c.Query)
		t.put(")")
		t.ctes = append(t.ctes, strings.ToLower(c.Name.Text))
	})
	t.put(" ")
}

func (t *translator) orderBy(os []sql.Order) {
	if len(os) == 0 {
		return
	}
	t.put(" ORDER BY ")
	t.list(len(os), func(i int) {
		t.expr(os[i].X)
		if os[i].Desc {
			t.put(" DESC")
		}
		switch first := os[i].NullsFirst; {
		case first != nil && *first:
			t.put(" NULLS FIRST")
		default:
			t.put(" NULLS LAST")
		}
	})
}

func (t *translator) body(b sql.Body) {
	switch b := b.(type) {
	case *sql.Select:
		t.selectBody(b)
	case *sql.SetOp:
		t.body(b.L)
		t.put(" ", b.Op)
		if b.All {
			t.put(" ALL")
		}
		t.put(" ")
		t.body(b.R)
	case *sql.Values:
		t.values(b)
	case *sql.TableBody:
		t.put("SELECT * FROM ")
		t.relation(b.Table)
	case *sql.Paren:
		t.put("(")
		t.query(b.Query)
		t.put(")")
	}
}

// values writes VALUES as a query whose columns Trino calls _col0, _col1 ...
func (t *translator) values(v *sql.Values) {
	width := 1
	if r, ok := v.Rows[0].(*sql.Row); ok {
		width = len(r.Elems)
	}
	names := make([]string, width)
	for i := range names {
		names[i] = ident("_col" + strconv.Itoa(i))
	}
	t.put("SELECT * FROM (VALUES ")
	t.list(len(v.Rows), func(i int) {
		t.put("(")
		if r, ok := v.Rows[i].(*sql.Row); ok {
			t.exprs(r.Elems)
		} else {
			t.expr(v.Rows[i])
		}
		t.put(")")
	})
	t.put(") AS _values(", strings.Join(names, ", "), ")")
}

func (t *translator) selectBody(s *sql.Select) {
	t.scopes = append(t.scopes, t.scopeOf(s.From))
	defer func() { t.scopes = t.scopes[:len(t.scopes)-1] }()
	t.put("SELECT ")
	if s.Distinct {
		t.put("DISTINCT ")
	}
	starred := false
	t.list(len(s.Items), func(i int) {
		starred = starred || s.Items[i].Star
		t.item(s.Items[i], i, starred)
	})
	if len(s.From) > 0 {
		t.put(" FROM ")
		t.list(len(s.From), func(i int) { t.relation(s.From[i]) })
	}
	if s.Where != nil {
		t.put(" WHERE ")
		t.expr(s.Where)
	}
	t.groupBy(s.GroupBy)
	if s.Having != nil {
		t.put(" HAVING ")
		t.expr(s.Having)
	}
	if len(s.Windows) > 0 {
		t.put(" WINDOW ")
		t.list(len(s.Windows), func(i int) {
			t.put(ident(s.Windows[i].Name.Text), " AS ")
			t.window(s.Windows[i].Window)
		})
	}
}

func (t *translator) item(it sql.Item, i int, starred bool) {
	t.mark(it.Pos)
	if it.Star {
		for _, n := range it.Of {
			t.put(ident(n.Text), ".")
		}
		t.put("*")
		return
	}
	t.expr(it.X)
	switch x := it.X.(type) {
	case *sql.Ident:
		if it.Alias == nil {
			return
		}
	case *sql.Field:
		if it.Alias == nil {
			t.put(" AS ", ident(x.Name.Text))
			return
		}
	}
	switch {
	case it.Alias != nil:
		t.put(" AS ", ident(it.Alias.Text))
	case starred:
		t.put(" AS ", anonymous)
	default:
		t.put(" AS ", ident("_col"+strconv.Itoa(i)))
	}
}

func (t *translator) groupBy(gs []sql.Group) {
	if len(gs) == 0 {
		return
	}
	t.put(" GROUP BY ")
	t.list(len(gs), func(i int) {
		if gs[i].Kind == "" {
			t.exprs(gs[i].Sets[0])
			return
		}
		t.put(gs[i].Kind, " (")
		t.list(len(gs[i].Sets), func(j int) {
			t.put("(")
			t.exprs(gs[i].Sets[j])
			t.put(")")
		})
		t.put(")")
	})
}

func (t *translator) relation(r sql.Relation) {
	t.mark(r.At())
	switch r := r.(type) {
	case *sql.Table:
		t.tableRef(r)
	case *sql.Derived:
		if r.Lateral {
			t.put("LATERAL ")
		}
		t.put("(")
		t.query(r.Query)
		t.put(")")
		t.as(r.As)
	case *sql.Unnest:
		t.unnest(r)
	case *sql.Join:
		t.join(r)
	}
}

func (t *translator) tableRef(r *sql.Table) {
	if len(r.Parts) == 1 && t.isCTE(r.Parts[0].Text) {
		t.put(ident(r.Parts[0].Text))
	} else {
		name, err := t.table(r)
		if err != nil {
			panic(failure{err})
		}
		t.put(name)
	}
	t.as(r.As)
	if r.Sample != "" {
		t.put(" TABLESAMPLE ", r.Sample, " (")
		t.expr(r.Pct)
		t.put(" PERCENT)")
	}
}

func (t *translator) isCTE(name string) bool {
	for _, c := range t.ctes {
		if c == strings.ToLower(name) {
			return true
		}
	}
	return false
}

func (t *translator) as(a sql.As) {
	if a.Alias == nil {
		return
	}
	t.put(" AS ", ident(a.Alias.Text))
	if a.Columns != nil {
		t.put("(", idents(a.Columns), ")")
	}
}

// unnest writes one array as DuckDB's own UNNEST, several side by side, and a map as its keys and values.
func (t *translator) unnest(u *sql.Unnest) {
	columns := len(u.Columns)
	if u.Ordinality {
		columns--
	}
	pair := len(u.Exprs) == 1 && columns == 2
	if len(u.Exprs) == 1 && !pair {
		t.put("UNNEST(")
		t.expr(u.Exprs[0])
		t.put(")")
		if u.Ordinality {
			t.put(" WITH ORDINALITY")
		}
		t.as(u.As)
		return
	}
	t.put("LATERAL (SELECT ")
	if pair {
		t.call1("unnest(map_keys(", u.Exprs[0], ")), ")
		t.call1("unnest(map_values(", u.Exprs[0], "))")
	} else {
		t.list(len(u.Exprs), func(i int) { t.call1("unnest(", u.Exprs[i], ")") })
	}
	if u.Ordinality {
		t.ordinality(u, pair)
	}
	t.put(")")
	t.as(u.As)
}

// call1 writes words around an expression.
func (t *translator) call1(before string, x sql.Expr, after string) {
	t.put(before)
	t.expr(x)
	t.put(after)
}

// ordinality numbers the rows of several arrays side by side, as many as the longest has, or of a map.
func (t *translator) ordinality(u *sql.Unnest, pair bool) {
	t.put(", unnest(range(1, 1 + greatest(")
	if pair {
		t.call1("cardinality(", u.Exprs[0], ")::BIGINT")
	} else {
		t.list(len(u.Exprs), func(i int) { t.call1("len(", u.Exprs[i], ")") })
	}
	t.put(")))")
}

func (t *translator) join(j *sql.Join) {
	t.put("(")
	t.relation(j.L)
	if j.Natural {
		t.put(" NATURAL")
	}
	t.put(" ", j.Kind, " JOIN ")
	t.relation(j.R)
	t.condition(j)
	t.put(")")
}

func (t *translator) condition(j *sql.Join) {
	switch {
	case j.On != nil:
		t.put(" ON ")
		t.expr(j.On)
	case j.Using != nil:
		t.put(" USING (", idents(j.Using), ")")
	}
}
