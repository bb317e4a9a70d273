package engine

import (
	"strconv"
	"strings"

	"engage/internal/localaws/athena/sql"
)

func (t *translator) exprs(xs []sql.Expr) {
	t.list(len(xs), func(i int) { t.expr(xs[i]) })
}

// expr writes an expression; operators are always in parentheses, so that precedence is the tree's.
func (t *translator) expr(x sql.Expr) {
	t.mark(x.At())
	switch x := x.(type) {
	case *sql.Ident:
		t.ident(x)
	case *sql.Field:
		t.put("(")
		t.expr(x.X)
		t.put(").", ident(x.Name.Text))
	case *sql.Number:
		t.number(x)
	case *sql.String:
		t.put("CAST(", literal(x.Value), " AS VARCHAR)")
	case *sql.BinaryLit:
		t.put("unhex('", x.Hex, "')")
	case *sql.Bool:
		t.put(strings.ToUpper(strconv.FormatBool(x.Value)))
	case *sql.Null:
		t.put("NULL")
	case *sql.Typed:
		t.typed(x)
	case *sql.Interval:
		t.interval(x)
	case *sql.Param:
		t.param(x)
	case *sql.Call:
		t.call(x)
	default:
		t.operator(x)
	}
}

func (t *translator) ident(x *sql.Ident) {
	t.checkColumn(x)
	parts := x.Parts
	if len(parts) == 4 && strings.EqualFold(parts[0].Text, awsDataCatalog) {
		parts = parts[1:]
	}
	for i, n := range parts {
		if i > 0 {
			t.put(".")
		}
		t.put(ident(n.Text))
	}
}

// number gives literals Trino's types: 0.823 is decimal(3,3), 1e3 is double.
func (t *translator) number(x *sql.Number) {
	if x.Kind != "decimal" {
		t.put(x.Text)
		return
	}
	whole, frac, _ := strings.Cut(x.Text, ".")
	precision := len(strings.TrimLeft(whole, "0")) + len(frac)
	if precision == 0 {
		precision = 1
	}
	if precision > 38 {
		t.fail(sql.NumericOutOfRange, x.Pos, "Invalid decimal literal: %s", x.Text)
	}
	t.put("CAST(", literal(x.Text), " AS DECIMAL(", strconv.Itoa(precision), ",", strconv.Itoa(len(frac)), "))")
}

func (t *translator) typed(x *sql.Typed) {
	name := x.Type
	if name == "timestamp" && hasZone(x.Value) {
		name = "timestamp with time zone"
	}
	duck, err := sql.Type{Pos: x.Pos, Name: name}.DuckDB()
	if err != nil {
		panic(failure{err})
	}
	t.put("CAST(", literal(x.Value), " AS ", duck, ")")
}

// hasZone reports whether a timestamp's text ends in a zone: an offset after the time, or a name.
func hasZone(s string) bool {
	_, clock, ok := strings.Cut(strings.TrimSpace(s), " ")
	return ok && strings.ContainsAny(clock, "+-ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

func (t *translator) interval(x *sql.Interval) {
	text := ""
	switch {
	case x.To == "":
		text = x.Value + " " + x.From
	case x.From == "YEAR" && x.To == "MONTH":
		y, m, _ := strings.Cut(x.Value, "-")
		text = y + " YEARS " + m + " MONTHS"
	case x.From == "DAY" && x.To == "SECOND":
		d, clock, _ := strings.Cut(x.Value, " ")
		text = d + " DAYS " + clock
	default:
		t.fail(sql.NotSupported, x.Pos, "INTERVAL %s TO %s is not supported", x.From, x.To)
	}
	sign := ""
	if x.Negative {
		sign = "-"
	}
	t.put("(", sign, "CAST(", literal(text), " AS INTERVAL))")
}

func (t *translator) param(x *sql.Param) {
	if x.N >= len(t.args) {
		t.fail(sql.InvalidParameters, x.Pos, "Incorrect number of parameters: expected %d but found %d", x.N+1, len(t.args))
	}
	t.expr(t.args[x.N])
}

func (t *translator) operator(x sql.Expr) {
	switch x := x.(type) {
	case *sql.Unary:
		t.put("(", x.Op, " ")
		t.expr(x.X)
		t.put(")")
	case *sql.Infix:
		t.infix(x)
	case *sql.Between:
		t.checkBetween(x)
		t.put("(")
		t.expr(x.X)
		t.put(not(x.Not), " BETWEEN ")
		t.expr(x.Lo)
		t.put(" AND ")
		t.expr(x.Hi)
		t.put(")")
	case *sql.In:
		t.in(x)
	case *sql.Like:
		t.put("(")
		t.expr(x.X)
		t.put(not(x.Not), " LIKE ")
		t.expr(x.Pattern)
		if x.Escape != nil {
			t.put(" ESCAPE ")
			t.expr(x.Escape)
		}
		t.put(")")
	case *sql.IsNull:
		t.put("(")
		t.expr(x.X)
		t.put(" IS", not(x.Not), " NULL)")
	case *sql.IsDistinct:
		t.put("(")
		t.expr(x.L)
		t.put(" IS", not(x.Not), " DISTINCT FROM ")
		t.expr(x.R)
		t.put(")")
	default:
		t.compound(x)
	}
}

func not(b bool) string {
	if b {
		return " NOT"
	}
	return ""
}

func (t *translator) compound(x sql.Expr) {
	switch x := x.(type) {
	case *sql.Exists:
		t.put("EXISTS ")
		t.subquery(x.Query)
	case *sql.Scalar:
		t.subquery(x.Query)
	case *sql.Quantified:
		t.put("(")
		t.expr(x.L)
		t.put(" ", x.Op, " ", map[bool]string{true: "ALL", false: "ANY"}[x.All], " ")
		t.subquery(x.Q)
		t.put(")")
	case *sql.Case:
		t.caseExpr(x)
	case *sql.Cast:
		t.cast(x)
	case *sql.Extract:
		t.extract(x)
	case *sql.AtZone:
		t.atZone(x)
	case *wallClock:
		t.wallClock(x)
	case *sql.Array:
		t.put("list_value(")
		t.exprs(x.Elems)
		t.put(")")
	case *sql.Row:
		t.row(x)
	case *sql.Subscript:
		t.put("(")
		t.expr(x.X)
		t.put(")[")
		t.expr(x.I)
		t.put("]")
	case *sql.Lambda:
		t.lambda(x)
	default:
		t.fail(sql.GenericInternal, x.At(), "no translation for %T", x)
	}
}

// lambda hides the columns that its parameters are named like.
func (t *translator) lambda(x *sql.Lambda) {
	t.scopes = append(t.scopes, []related{{}})
	defer func() { t.scopes = t.scopes[:len(t.scopes)-1] }()
	t.put("lambda ", idents(x.Params), ": ")
	t.expr(x.Body)
}

func (t *translator) checkBetween(x *sql.Between) {
	a, lo, hi := t.typeOf(x.X), t.typeOf(x.Lo), t.typeOf(x.Hi)
	for _, b := range []string{lo, hi} {
		if fa, fb := family(a), family(b); fa != "" && fb != "" && fa != fb {
			t.fail(sql.TypeMismatch, x.Pos, "Cannot check if %s is BETWEEN %s and %s", a, lo, hi)
		}
	}
}

// checkOperator fails for what DuckDB would convert and Trino does not.
func (t *translator) checkOperator(x *sql.Infix) {
	switch x.Op {
	case "=", "<>", "!=", "<", "<=", ">", ">=":
		t.check(x.Pos, x.Op, x.L, x.R)
	case "||":
		for _, e := range []sql.Expr{x.L, x.R} {
			if f := family(t.typeOf(e)); f != "" && f != "varchar" && f != "varbinary" {
				t.fail(sql.FunctionNotFound, x.Pos, "Unexpected parameters (%s, %s) for function concat. Expected: concat(char(x), char(y)), concat(array(E), E) E, concat(E, array(E)) E, concat(array(E)) E, concat(varchar), concat(varbinary)",
					typeName(t.typeOf(x.L)), typeName(t.typeOf(x.R)))
			}
		}
	case "*", "/", "%":
		t.check(x.Pos, x.Op, x.L, x.R)
	}
}

func typeName(ty string) string {
	if ty == "" {
		return "unknown"
	}
	return ty
}

func (t *translator) subquery(q *sql.Query) {
	t.put("(")
	t.query(q)
	t.put(")")
}

func (t *translator) in(x *sql.In) {
	for _, e := range x.List {
		a, b := t.typeOf(x.X), t.typeOf(e)
		if fa, fb := family(a), family(b); fa != "" && fb != "" && fa != fb {
			t.fail(sql.TypeMismatch, e.At(), "IN value and list items must be the same type or coercible to a common type. Cannot find common type between %s and %s, all types (without duplicates): [%s, %s]", a, b, a, b)
		}
	}
	t.put("(")
	if r, ok := x.X.(*sql.Row); ok && x.Query != nil {
		t.put("(")
		t.exprs(r.Elems)
		t.put(")")
	} else {
		t.expr(x.X)
	}
	t.put(not(x.Not), " IN (")
	if x.Query != nil {
		t.query(x.Query)
	} else {
		t.exprs(x.List)
	}
	t.put("))")
}

// infix writes an operator. Division by zero is an error for all but doubles, and a date plus days stays a date.
func (t *translator) infix(x *sql.Infix) {
	_, left := x.L.(*sql.Interval)
	_, right := x.R.(*sql.Interval)
	switch {
	case x.Op == "+" && right, x.Op == "-" && right:
		t.shift(x.Op, x.L, func() { t.expr(x.R) })
		return
	case x.Op == "+" && left:
		t.shift(x.Op, x.R, func() { t.expr(x.L) })
		return
	}
	t.checkOperator(x)
	if t.decimals(x) {
		return
	}
	t.put("(")
	t.expr(x.L)
	t.mark(x.Pos)
	t.put(" ", strings.Replace(x.Op, "/", "//", 1), " ")
	if (x.Op == "/" || x.Op == "%") && !nonZero(x.R) {
		t.limitNesting(x.Pos, x.R)
		t.put("trino_divisor(")
		if divides(x.L) { // written once only, or a chain of divisions would double at each step
			t.put("0")
		} else {
			t.expr(x.L)
		}
		t.put(", ")
		t.expr(x.R)
		t.put(")")
	} else {
		t.expr(x.R)
	}
	t.put(")")
}

// shift moves a date or time by an interval.
func (t *translator) shift(op string, x sql.Expr, interval func()) {
	if opaque(x) {
		t.put("(")
		t.expr(x)
		t.put(" ", op, " ")
		interval()
		t.put(")")
		return
	}
	t.put(map[string]string{"+": "trino_shift(", "-": "trino_unshift("}[op])
	t.expr(x)
	t.put(", ")
	interval()
	t.put(")")
}

func nonZero(x sql.Expr) bool {
	n, ok := x.(*sql.Number)
	return ok && n.Kind == "integer" && strings.Trim(n.Text, "0") != ""
}

func (t *translator) caseExpr(x *sql.Case) {
	var results []sql.Expr
	for _, w := range x.Whens {
		results = append(results, w.Result)
		if x.Operand != nil {
			t.check(w.Cond.At(), "=", x.Operand, w.Cond)
		}
	}
	if x.Else != nil {
		results = append(results, x.Else)
	}
	t.checkAlike("All CASE results", results)
	t.put("CASE ")
	if x.Operand != nil {
		t.expr(x.Operand)
	}
	for _, w := range x.Whens {
		t.put(" WHEN ")
		t.expr(w.Cond)
		t.put(" THEN ")
		t.expr(w.Result)
	}
	if x.Else != nil {
		t.put(" ELSE ")
		t.expr(x.Else)
	}
	t.put(" END")
}

// cast uses a macro where Trino's cast differs: text with a fraction is no integer, halves round away from zero.
func (t *translator) cast(x *sql.Cast) {
	duck, err := x.Type.DuckDB()
	if err != nil {
		panic(failure{err})
	}
	if r, ok := x.X.(*sql.Row); ok && (x.Type.Name == "row" || x.Type.Name == "struct") && len(r.Elems) == len(x.Type.Args) {
		t.castRow(r, x)
		return
	}
	if duck == "DATE" || duck == "TIMESTAMP" {
		x = &sql.Cast{Pos: x.Pos, X: wall(x.X), Type: x.Type, Try: x.Try}
	}
	verb, try := "CAST", "to"
	if x.Try {
		verb, try = "TRY_CAST", "try"
	}
	if opaque(x.X) {
		t.put(verb, "(")
		t.expr(x.X)
		t.put(" AS ", duck, ")")
		return
	}
	switch duck {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT":
		t.put("trino_", try, "_", strings.ToLower(duck), "(")
		t.expr(x.X)
		t.put(")")
		return
	case "VARCHAR":
		t.toVarchar(x)
		return
	}
	t.put(verb, "(")
	t.expr(x.X)
	t.put(" AS ", duck, ")")
}

// castRow casts member by member: DuckDB goes by names, Trino by order.
func (t *translator) castRow(r *sql.Row, x *sql.Cast) {
	t.put("struct_pack(")
	t.list(len(r.Elems), func(i int) {
		t.put(ident(x.Type.Fields[i].Text), " := ")
		t.cast(&sql.Cast{Pos: x.Pos, X: r.Elems[i], Type: x.Type.Args[i], Try: x.Try})
	})
	t.put(")")
}

func (t *translator) toVarchar(x *sql.Cast) {
	if len(x.Type.Params) == 1 {
		t.put("substr(")
	}
	t.put("trino_to_varchar(")
	t.expr(x.X)
	t.put(")")
	if len(x.Type.Params) == 1 {
		t.put(", 1, ", strconv.Itoa(x.Type.Params[0]), ")")
	}
}

// extractFields are Trino's fields of EXTRACT as DuckDB calls them.
var extractFields = map[string]string{"year": "year", "quarter": "quarter", "month": "month", "week": "week", "day": "day", "day_of_month": "day",
	"day_of_week": "isodow", "dow": "isodow", "day_of_year": "doy", "doy": "doy", "hour": "hour", "minute": "minute", "second": "second", "year_of_week": "isoyear", "yow": "isoyear"}

func (t *translator) extract(x *sql.Extract) {
	f, ok := extractFields[x.Field]
	if !ok {
		t.fail(sql.SyntaxError, x.Pos, "Invalid EXTRACT field: %s", strings.ToUpper(x.Field))
	}
	t.put("date_part('", f, "', ")
	t.expr(wall(x.X))
	t.put(")")
}

// wallClock is a time as clocks in a zone show it: what functions see that read or print its parts.
type wallClock struct{ *sql.AtZone }

// wall puts a time in another zone into the form that the reader of its parts takes.
func wall(x sql.Expr) sql.Expr {
	a, ok := x.(*sql.AtZone)
	if !ok {
		return x
	}
	if z, ok := a.Zone.(*sql.String); !ok || strings.EqualFold(z.Value, "UTC") {
		return x
	}
	return &wallClock{a}
}

func (t *translator) wallClock(x *wallClock) {
	t.put("(CAST(")
	t.expr(x.X)
	t.put(" AS TIMESTAMPTZ) AT TIME ZONE ", literal(x.Zone.(*sql.String).Value), ")")
}

// atZone keeps values in UTC, the one zone that a value of this engine has.
func (t *translator) atZone(x *sql.AtZone) {
	z, ok := x.Zone.(*sql.String)
	if !ok || !strings.EqualFold(z.Value, "UTC") {
		t.fail(sql.NotSupported, x.Pos, "AT TIME ZONE with a zone other than 'UTC' is supported only where its parts are read: in date_format, EXTRACT, hour and the like, or in a CAST to date or timestamp")
	}
	t.put("CAST(")
	t.expr(x.X)
	t.put(" AS TIMESTAMPTZ)")
}

// row names the fields of an anonymous row as Athena prints them.
func (t *translator) row(x *sql.Row) {
	t.put("struct_pack(")
	t.list(len(x.Elems), func(i int) {
		t.put("field", strconv.Itoa(i), " := ")
		t.expr(x.Elems[i])
	})
	t.put(")")
}
