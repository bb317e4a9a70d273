package engine

import (
	"strconv"
	"strings"

	"engage/internal/localaws/athena/sql"
)

// call writes a function that the table knows and refuses any other by name.
func (t *translator) call(c *sql.Call) {
	f, ok := functions()[c.Name]
	if !ok {
		t.fail(sql.FunctionNotFound, c.Pos, "Function '%s' not registered", c.Name)
	}
	if n := len(c.Args); n < f.min || f.max >= 0 && n > f.max || c.Star && c.Name != "count" {
		t.fail(sql.FunctionNotFound, c.Pos, "Unexpected parameters for function %s: %d were given", c.Name, n)
	}
	if !f.agg && (c.Distinct || c.Filter != nil || c.Over != nil || c.OrderBy != nil || c.IgnoreNulls) {
		t.fail(sql.SyntaxError, c.Pos, "'%s' is not an aggregate or window function", c.Name)
	}
	if f.win && c.Over == nil {
		t.fail(sql.SyntaxError, c.Pos, "Window function %s must have an OVER clause", c.Name)
	}
	if readsClock[c.Name] && len(c.Args) > 0 {
		own := *c
		own.Args = append([]sql.Expr{wall(c.Args[0])}, c.Args[1:]...)
		c = &own
	}
	if f.write != nil {
		f.write(t, c)
		return
	}
	t.form(f.out, c)
}

// readsClock are functions that read or print the parts of their first argument, a time.
var readsClock = map[string]bool{"date_format": true, "date": true, "year": true, "quarter": true, "month": true, "week": true, "week_of_year": true, "day": true,
	"day_of_month": true, "day_of_week": true, "dow": true, "day_of_year": true, "doy": true, "hour": true, "minute": true, "second": true, "millisecond": true, "last_day_of_month": true}

// form writes DuckDB's form of a call.
func (t *translator) form(out string, c *sql.Call) {
	out = macro(out, c.Args...)
	if !strings.ContainsAny(out, "($'") {
		t.put(out, "(")
		t.arguments(c)
		t.put(")")
		t.suffix(c)
		return
	}
	composed := strings.Contains(out, "$S")
	if composed && (c.Distinct || c.OrderBy != nil) {
		t.fail(sql.NotSupported, c.Pos, "DISTINCT or ORDER BY in %s is not supported", c.Name)
	}
	for out != "" {
		before, rest, found := strings.Cut(out, "$")
		t.put(before)
		if !found {
			break
		}
		out = t.placeholder(rest, c)
	}
	if !composed {
		t.suffix(c)
	}
}

// placeholder writes what the text after a dollar sign stands for and returns what follows it.
func (t *translator) placeholder(s string, c *sql.Call) string {
	switch {
	case strings.HasPrefix(s, "now"):
		t.put("CAST('", t.now.UTC().Format("2006-01-02 15:04:05.000"), "+00' AS TIMESTAMPTZ)")
		return s[len("now"):]
	case strings.HasPrefix(s, "schema"):
		t.put("CAST(", literal(t.database), " AS VARCHAR)")
		return s[len("schema"):]
	case s[0] == 'S':
		t.suffix(c)
	default:
		t.expr(c.Args[s[0]-'1'])
	}
	return s[1:]
}

func (t *translator) arguments(c *sql.Call) {
	if c.Star {
		t.put("*")
		return
	}
	if c.Distinct {
		t.put("DISTINCT ")
	}
	t.exprs(c.Args)
	if c.IgnoreNulls {
		t.put(" IGNORE NULLS")
	}
	t.orderBy(c.OrderBy)
}

// suffix writes FILTER and OVER.
func (t *translator) suffix(c *sql.Call) {
	if c.Filter != nil {
		t.put(" FILTER (WHERE ")
		t.expr(c.Filter)
		t.put(")")
	}
	if c.Over == nil {
		return
	}
	t.put(" OVER ")
	if w := c.Over; w.Base != nil && w.Partition == nil && w.OrderBy == nil && w.Frame == nil {
		t.put(ident(w.Base.Text))
		return
	}
	t.window(c.Over)
}

func (t *translator) window(w *sql.Window) {
	t.put("(")
	if w.Base != nil {
		t.put(ident(w.Base.Text), " ")
	}
	if w.Partition != nil {
		t.put("PARTITION BY ")
		t.exprs(w.Partition)
	}
	t.orderBy(w.OrderBy)
	if f := w.Frame; f != nil {
		t.put(" ", f.Mode, " ")
		if f.End != nil {
			t.put("BETWEEN ")
		}
		t.bound(f.Start)
		if f.End != nil {
			t.put(" AND ")
			t.bound(f.End)
		}
	}
	t.put(")")
}

func (t *translator) bound(b *sql.Bound) {
	if b.X != nil {
		t.expr(b.X)
		t.put(" ")
	}
	t.put(b.Kind)
}

// sum of whole numbers is a bigint in Trino, and a 128-bit number in DuckDB.
func (t *translator) sum(c *sql.Call) {
	switch {
	case c.Over != nil || opaque(c.Args[0]):
		t.form("sum", c) // a 128-bit number, which is narrowed where it is printed or kept
		return
	case c.Distinct:
		t.put("trino_sum_distinct(")
	default:
		t.put("trino_sum(")
	}
	if c.Filter != nil {
		t.put("CASE WHEN ")
		t.expr(c.Filter)
		t.put(" THEN ")
	}
	t.expr(c.Args[0])
	if c.Filter != nil {
		t.put(" END")
	}
	t.put(")")
}

// percentileApprox is Hive's and Spark's name for approx_percentile. Athena does not have it.
func (t *translator) percentileApprox(c *sql.Call) {
	if t.strict {
		t.fail(sql.FunctionNotFound, c.Pos, "Function 'percentile_approx' not registered")
	}
	t.notes = append(t.notes, "percentile_approx is not one of Athena's functions and ran as approx_percentile")
	t.approxPercentile(c)
}

// approxPercentile gives DuckDB, which takes percentages of single precision
// only, such percentages where they are doubles.
func (t *translator) approxPercentile(c *sql.Call) {
	switch c.Args[1].(type) {
	case *sql.Array:
		t.form("approx_quantile($1, CAST($2 AS FLOAT[]))", c)
	case *sql.Number:
		t.form("approx_quantile($1, CAST($2 AS FLOAT))", c)
	default:
		t.form("approx_quantile", c)
	}
}

// random takes an upper bound, or a lower and an upper one, for whole numbers.
func (t *translator) random(c *sql.Call) {
	switch len(c.Args) {
	case 0:
		t.put("random()")
	case 1:
		t.form("CAST(floor(random() * $1) AS BIGINT)", c)
	default:
		t.form("($1 + CAST(floor(random() * ($2 - $1)) AS BIGINT))", c)
	}
}

func (t *translator) replace(c *sql.Call) {
	if len(c.Args) == 2 {
		t.form("replace($1, $2, '')", c)
		return
	}
	t.form("replace", c)
}

func (t *translator) ifCall(c *sql.Call) {
	t.checkAlike("Result types for IF", c.Args[1:])
	if len(c.Args) == 2 {
		t.form("CASE WHEN $1 THEN $2 END", c)
		return
	}
	t.form("CASE WHEN $1 THEN $2 ELSE $3 END", c)
}

// concat is null where an argument is, unlike DuckDB's function.
func (t *translator) concat(c *sql.Call) {
	types := make([]string, len(c.Args))
	bad := false
	for i, a := range c.Args {
		types[i] = typeName(t.typeOf(a))
		f := family(types[i])
		bad = bad || f != "" && f != "varchar" && f != "varbinary"
	}
	if bad {
		t.fail(sql.FunctionNotFound, c.Pos, "Unexpected parameters (%s) for function concat. Expected: concat(char(x), char(y)), concat(array(E), E) E, concat(E, array(E)) E, concat(array(E)) E, concat(varchar), concat(varbinary)", strings.Join(types, ", "))
	}
	t.put("(")
	for i, a := range c.Args {
		if i > 0 {
			t.put(" || ")
		}
		t.expr(a)
	}
	t.put(")")
}

// extreme is null where an argument is, unlike DuckDB's greatest and least.
func (t *translator) extreme(c *sql.Call) {
	t.limitNesting(c.Pos, c.Args)
	t.put("CASE WHEN ")
	for i, a := range c.Args {
		if i > 0 {
			t.put(" OR ")
		}
		t.expr(a)
		t.put(" IS NULL")
	}
	t.put(" THEN NULL ELSE ", c.Name, "(")
	t.exprs(c.Args)
	t.put(") END")
}

var mapMakers = map[string]bool{"map": true, "map_agg": true, "map_concat": true, "map_from_entries": true, "histogram": true}

func (t *translator) cardinality(c *sql.Call) {
	isMap := false
	switch x := c.Args[0].(type) {
	case *sql.Call:
		isMap = mapMakers[x.Name]
	case *sql.Ident:
		isMap = t.isMap(strings.ToLower(x.Parts[len(x.Parts)-1].Text))
	}
	if isMap {
		t.form("CAST(cardinality($1) AS BIGINT)", c)
		return
	}
	t.form("len($1)", c)
}

// regexpReplace replaces every match; groups are $1 in Trino and \1 in DuckDB.
func (t *translator) regexpReplace(c *sql.Call) {
	with := ""
	if len(c.Args) == 3 {
		s, ok := c.Args[2].(*sql.String)
		if !ok {
			t.fail(sql.NotSupported, c.Pos, "regexp_replace with a replacement that is not a constant is not supported")
		}
		with = groups(s.Value)
	}
	t.form("regexp_replace($1, $2, ", &sql.Call{Args: c.Args})
	t.put(literal(with), ", 'g')")
}

func groups(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '$' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			b.WriteByte('\\')
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func (t *translator) constant(c *sql.Call, i int) string {
	s, ok := c.Args[i].(*sql.String)
	if !ok {
		t.fail(sql.NotSupported, c.Pos, "%s with argument %s that is not a constant is not supported", c.Name, strconv.Itoa(i+1))
	}
	return s.Value
}

func (t *translator) dateFormat(c *sql.Call) {
	f, bad := strftime(t.constant(c, 1))
	if bad != "" {
		t.fail(sql.InvalidArgument, c.Pos, "%s not supported in date format string", bad)
	}
	if c.Name == "date_parse" {
		t.put("strptime(")
	} else {
		t.put(macro("trino_strftime", c.Args...), "(")
	}
	t.expr(c.Args[0])
	t.put(", ", literal(f), ")")
}

func (t *translator) unit(c *sql.Call) string {
	u := t.constant(c, 0)
	if !isUnit(u) {
		t.fail(sql.InvalidArgument, c.Pos, "'%s' is not a valid DATE field", u)
	}
	return strings.ToLower(u)
}

func (t *translator) dateUnit(c *sql.Call) {
	name := map[string]string{"date_trunc": "trino_trunc", "date_diff": "date_sub"}[c.Name]
	t.put(macro(name, c.Args...), "('", t.unit(c), "', ")
	t.exprs(c.Args[1:])
	t.put(")")
}

func (t *translator) dateAdd(c *sql.Call) {
	u, n := t.unit(c), ""
	if u == "quarter" {
		u, n = "month", "3 * "
	}
	wide := u == "hour" || u == "minute" || u == "second" || u == "millisecond"
	t.shift("+", c.Args[2], func() {
		t.put("to_", u, "s(", n, "CAST(")
		t.expr(c.Args[1])
		t.put(" AS ", map[bool]string{true: "BIGINT", false: "INTEGER"}[wide], "))")
	})
}

// reduce folds an array and then applies its last lambda by folding a list of one.
func (t *translator) reduce(c *sql.Call) {
	t.put("list_transform(list_value(list_reduce(")
	t.expr(c.Args[0])
	t.put(", ")
	t.expr(c.Args[2])
	t.put(", ")
	t.expr(c.Args[1])
	t.put(")), ")
	t.expr(c.Args[3])
	t.put(")[1]")
}

func (t *translator) mod(c *sql.Call) {
	t.infix(&sql.Infix{Pos: c.Pos, Op: "%", L: c.Args[0], R: c.Args[1]})
}

func (t *translator) coalesce(c *sql.Call) {
	t.checkAlike("All COALESCE operands", c.Args)
	t.form("coalesce", c)
}

// sequence of dates goes day by day unless it is told otherwise.
func (t *translator) sequence(c *sql.Call) {
	switch ty := t.typeOf(c.Args[0]); {
	case ty == "date" && len(c.Args) == 2:
		t.form("CAST(generate_series($1, $2, INTERVAL 1 DAY) AS DATE[])", c)
	case ty == "date":
		t.form("CAST(generate_series($1, $2, $3) AS DATE[])", c)
	default:
		t.form("generate_series", c)
	}
}

// typeof tells a type that is known without running the query.
func (t *translator) typeof(c *sql.Call) {
	ty := t.typeOf(c.Args[0])
	if ty == "" && t.columns != nil {
		t.fail(sql.NotSupported, c.Pos, "typeof of an expression of this kind is not supported")
	}
	t.put("CAST(", literal(ty), " AS VARCHAR)")
}

// arrayJoin leaves nulls out, or puts something in their place.
func (t *translator) arrayJoin(c *sql.Call) {
	if len(c.Args) == 3 {
		t.form("array_to_string(list_transform($1, lambda trino_x: coalesce(CAST(trino_x AS VARCHAR), $3)), $2)", c)
		return
	}
	t.form("array_to_string($1, $2)", c)
}

func (t *translator) atTimezone(c *sql.Call) {
	t.expr(&sql.AtZone{Pos: c.Pos, X: c.Args[0], Zone: c.Args[1]})
}
