package engine

import (
	"fmt"
	"strconv"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

// The translator knows the types of many expressions as Trino has them, and says where Trino would
// not take one that DuckDB converts in silence (https://trino.io/docs/current/language/types.html).
// A type is Trino's name, "unknown" for NULL, and "" where it is not known here: then DuckDB decides.

// related are columns of a relation by name in lower case; nil where they are not known.
type related struct {
	alias   string
	columns map[string]string
}

// columnsAs are a table's columns with Trino's types.
func columnsAs(cs ...[]catalog.Column) map[string]string {
	out := map[string]string{}
	for _, list := range cs {
		for _, c := range list {
			out[strings.ToLower(c.Name)] = normalType(trinoType(c.Type))
		}
	}
	return out
}

// normalType leaves out what does not matter to an operator.
func normalType(t string) string {
	switch {
	case strings.HasPrefix(t, "timestamp") && strings.HasSuffix(t, "with time zone"):
		return "timestamp(3) with time zone"
	case strings.HasPrefix(t, "timestamp"):
		return "timestamp(3)"
	case t == "decimal":
		return "decimal(38,0)"
	}
	return t
}

// scopeOf is what the names of a select can mean.
func (t *translator) scopeOf(from []sql.Relation) []related {
	var out []related
	for _, r := range from {
		switch r := r.(type) {
		case *sql.Table:
			out = append(out, t.tableColumns(r))
		case *sql.Join:
			out = append(out, t.scopeOf([]sql.Relation{r.L, r.R})...)
		case *sql.Derived:
			out = append(out, aliased(r.As, ""))
		case *sql.Unnest:
			out = append(out, aliased(r.As, ""))
		}
	}
	return out
}

func aliased(a sql.As, otherwise string) related {
	if a.Alias != nil {
		otherwise = a.Alias.Text
	}
	return related{alias: strings.ToLower(otherwise)}
}

func (t *translator) tableColumns(r *sql.Table) related {
	name := r.Parts[len(r.Parts)-1].Text
	out := aliased(r.As, name)
	if t.columns != nil && r.As.Columns == nil && !(len(r.Parts) == 1 && t.isCTE(name)) {
		out.columns = t.columns(r)
	}
	return out
}

// columnType finds a column in the innermost scope that has it.
func (t *translator) columnType(x *sql.Ident) string {
	if len(x.Parts) > 2 {
		return ""
	}
	name := strings.ToLower(x.Parts[len(x.Parts)-1].Text)
	for i := len(t.scopes) - 1; i >= 0; i-- {
		found, sure := "", true
		for _, r := range t.scopes[i] {
			if len(x.Parts) == 2 && r.alias != strings.ToLower(x.Parts[0].Text) {
				continue
			}
			ty, ok := r.columns[name]
			if r.columns == nil || ok && found != "" && ty != found {
				sure = false
			}
			if ok {
				found = ty
			}
		}
		if !sure || found != "" {
			if !sure {
				return ""
			}
			return found
		}
	}
	return ""
}

// typeOf is an expression's type, "" where it is not known.
func (t *translator) typeOf(x sql.Expr) string {
	switch x := x.(type) {
	case *sql.Ident:
		return t.columnType(x)
	case *sql.Number:
		return numberType(x)
	case *sql.String:
		return "varchar(" + strconv.Itoa(len([]rune(x.Value))) + ")"
	case *sql.Bool, *sql.Between, *sql.In, *sql.Like, *sql.IsNull, *sql.IsDistinct, *sql.Exists, *sql.Quantified:
		return "boolean"
	case *sql.Null:
		return "unknown"
	case *sql.Typed:
		if x.Type == "timestamp" && hasZone(x.Value) {
			return "timestamp(3) with time zone"
		}
		return normalType(x.Type)
	case *sql.Cast:
		return normalType(x.Type.Trino())
	case *sql.Extract:
		return "bigint"
	case *sql.Param:
		if x.N < len(t.args) {
			return t.typeOf(t.args[x.N])
		}
	case *sql.Unary:
		if x.Op == "NOT" {
			return "boolean"
		}
		return t.typeOf(x.X)
	case *sql.Infix:
		return t.infixType(x)
	case *sql.Array:
		if len(x.Elems) > 0 {
			if ty := t.typeOf(x.Elems[0]); ty != "" {
				return "array(" + ty + ")"
			}
		}
	case *sql.AtZone:
		return "timestamp(3) with time zone"
	case *sql.Call:
		return t.callType(x)
	}
	return ""
}

func numberType(x *sql.Number) string {
	switch x.Kind {
	case "double":
		return "double"
	case "decimal":
		whole, frac, _ := strings.Cut(x.Text, ".")
		return decimalType{max(1, len(strings.TrimLeft(whole, "0"))+len(frac)), len(frac)}.String()
	}
	if n, err := strconv.ParseInt(x.Text, 10, 64); err != nil || n > 1<<31-1 {
		return "bigint"
	}
	return "integer"
}

func (t *translator) infixType(x *sql.Infix) string {
	switch x.Op {
	case "+", "-", "*", "/", "%":
		return arithmetic(x.Op, t.typeOf(x.L), t.typeOf(x.R))
	case "||":
		if family(t.typeOf(x.L)) == "varchar" {
			return "varchar"
		}
		return ""
	}
	return "boolean"
}

// family groups types that compare with each other.
func family(ty string) string {
	name, _, _ := strings.Cut(ty, "(")
	switch name {
	case "tinyint", "smallint", "integer", "bigint", "real", "double", "decimal":
		return "number"
	case "varchar", "char":
		return "varchar"
	case "date", "timestamp":
		return "time"
	case "boolean", "varbinary":
		return name
	}
	return ""
}

// check fails where Trino has no operator for two types.
func (t *translator) check(pos sql.Pos, op string, l, r sql.Expr) {
	a, b := t.typeOf(l), t.typeOf(r)
	if fa, fb := family(a), family(b); fa != "" && fb != "" && fa != fb {
		t.fail(sql.TypeMismatch, pos, "Cannot apply operator: %s %s %s", a, op, b)
	}
}

// checkAlike fails where values that must have one type cannot.
func (t *translator) checkAlike(what string, xs []sql.Expr) {
	first := ""
	for _, x := range xs {
		ty := t.typeOf(x)
		switch f := family(ty); {
		case f == "":
		case first == "":
			first = ty
		case f != family(first):
			t.fail(sql.TypeMismatch, x.At(), "%s must be the same type or coercible to a common type. Cannot find common type between %s and %s, all types (without duplicates): [%s, %s]", what, first, ty, first, ty)
		}
	}
}

// checkColumn fails where no relation that a name can mean has such a column: DuckDB would take an
// alias of the select list.
func (t *translator) checkColumn(x *sql.Ident) {
	if t.columns == nil || len(x.Parts) > 1 || len(t.scopes) == 0 {
		return
	}
	name := strings.ToLower(x.Parts[0].Text)
	for _, scope := range t.scopes {
		for _, r := range scope {
			if _, ok := r.columns[name]; ok || r.columns == nil {
				return
			}
		}
	}
	t.fail(sql.ColumnNotFound, x.Pos, "Column '%s' cannot be resolved or requester is not authorized to access requested resources", x.Parts[0].Text)
}

// decimalType is decimal(precision,scale).
type decimalType struct{ precision, scale int }

func (d decimalType) String() string { return fmt.Sprintf("decimal(%d,%d)", d.precision, d.scale) }

func (d decimalType) duck() string { return fmt.Sprintf("DECIMAL(%d,%d)", d.precision, d.scale) }

var integerDigits = map[string]int{"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}

// asDecimal reads a decimal type, or the one that an integer becomes beside it.
func asDecimal(ty string) (d decimalType, ok bool) {
	if n, ok := integerDigits[ty]; ok {
		return decimalType{n, 0}, true
	}
	_, err := fmt.Sscanf(ty, "decimal(%d,%d)", &d.precision, &d.scale)
	return d, err == nil
}

// arithmetic is the type of a result (https://trino.io/docs/current/functions/decimal.html).
func arithmetic(op, l, r string) string {
	a, aok := asDecimal(l)
	b, bok := asDecimal(r)
	switch {
	case family(l) != "number" || family(r) != "number":
		return ""
	case l == "double" || r == "double":
		return "double"
	case l == "real" || r == "real":
		return "real"
	case integerDigits[l] > 0 && integerDigits[r] > 0:
		if integerDigits[l] >= integerDigits[r] {
			return l
		}
		return r
	case aok && bok:
		return decimalResult(op, a, b).String()
	}
	return ""
}

func decimalResult(op string, a, b decimalType) decimalType {
	out := decimalType{}
	switch op {
	case "+", "-":
		out.scale = max(a.scale, b.scale)
		out.precision = max(a.precision-a.scale, b.precision-b.scale) + out.scale + 1
	case "*":
		out = decimalType{a.precision + b.precision, a.scale + b.scale}
	case "/":
		out = decimalType{a.precision + b.scale + max(0, b.scale-a.scale), max(a.scale, b.scale)}
	default:
		out.scale = max(a.scale, b.scale)
		out.precision = min(a.precision-a.scale, b.precision-b.scale) + out.scale
	}
	out.precision = min(out.precision, 38)
	return out
}

// decimals writes a division or product of decimals with Trino's digits, and reports whether it did.
func (t *translator) decimals(x *sql.Infix) bool {
	l, r := t.typeOf(x.L), t.typeOf(x.R)
	a, aok := asDecimal(l)
	b, bok := asDecimal(r)
	if !aok || !bok || integerDigits[l] > 0 && integerDigits[r] > 0 || x.Op != "/" && x.Op != "*" {
		return false
	}
	out := decimalResult(x.Op, a, b)
	if out.scale > out.precision {
		return false
	}
	if x.Op == "*" {
		t.put("CAST((CAST(")
		t.expr(x.L)
		t.put(" AS ", decimalType{out.precision, a.scale}.duck(), ") * ")
		t.expr(x.R)
		t.put(") AS ", out.duck(), ")")
		return true
	}
	t.limitNesting(x.Pos, x.R)
	t.put("(CAST(trino_quotient(")
	t.unscaled(x.L, a, out.scale-a.scale+b.scale)
	t.put(", ")
	t.unscaled(x.R, b, 0)
	t.put(") AS DECIMAL(", strconv.Itoa(38-out.scale), ",0)) * CAST('", decimalUnit(out.scale), "' AS DECIMAL(", strconv.Itoa(max(1, out.scale)), ",", strconv.Itoa(out.scale), ")))::", out.duck())
	return true
}

// unscaled writes a decimal's digits as a whole number, with more zeros after them.
func (t *translator) unscaled(x sql.Expr, d decimalType, zeros int) {
	t.put("(CAST(replace(CAST(CAST(")
	t.expr(x)
	t.put(" AS ", d.duck(), ") AS VARCHAR), '.', '') AS HUGEINT) * CAST('1", strings.Repeat("0", zeros), "' AS HUGEINT))")
}

// decimalUnit is the least number of a scale: 1, 0.1, 0.01 ...
func decimalUnit(scale int) string {
	if scale == 0 {
		return "1"
	}
	return "0." + strings.Repeat("0", scale-1) + "1"
}

// results are the types of functions that have one.
var results = map[string]string{}

func init() {
	for ty, names := range map[string]string{
		"varchar": `upper lower substr substring trim ltrim rtrim replace reverse concat concat_ws lpad rpad split_part regexp_extract regexp_replace
			date_format to_hex to_base64 url_encode url_decode json_extract_scalar json_format chr translate listagg from_utf8`,
		"bigint": `count count_if approx_distinct length strpos cardinality year month day hour minute second quarter week day_of_week dow
			day_of_month day_of_year doy week_of_year date_diff row_number rank dense_rank ntile json_array_length`,
		"double":                      "sqrt cbrt exp ln log2 log10 log power pow sin cos tan asin acos atan atan2 rand random stddev stddev_samp stddev_pop variance var_samp var_pop corr to_unixtime pi e percent_rank cume_dist",
		"boolean":                     "regexp_like starts_with contains bool_and bool_or every is_nan is_finite is_infinite any_match all_match none_match",
		"date":                        "current_date date last_day_of_month from_iso8601_date",
		"timestamp(3)":                "date_parse localtimestamp",
		"timestamp(3) with time zone": "now current_timestamp from_unixtime from_iso8601_timestamp",
	} {
		for _, n := range strings.Fields(names) {
			results[n] = ty
		}
	}
}

func (t *translator) callType(c *sql.Call) string {
	if ty, ok := results[c.Name]; ok && c.Name != "reverse" {
		return ty
	}
	if len(c.Args) == 0 {
		return ""
	}
	first := t.typeOf(c.Args[0])
	switch c.Name {
	case "min", "max":
		if len(c.Args) == 1 {
			return first
		}
	case "abs", "arbitrary", "any_value", "lag", "lead", "first_value", "last_value", "nth_value", "nullif", "max_by", "min_by":
		if len(c.Args) < 3 || c.Name == "lag" || c.Name == "lead" {
			return first
		}
	case "date_trunc", "date_add":
		return t.typeOf(c.Args[len(c.Args)-1])
	case "sum":
		return sumType(first)
	case "avg":
		if d, ok := asDecimal(first); ok && integerDigits[first] == 0 {
			return d.String()
		}
		if integerDigits[first] > 0 || first == "double" {
			return "double"
		}
	}
	return ""
}

func sumType(of string) string {
	if integerDigits[of] > 0 {
		return "bigint"
	}
	if d, ok := asDecimal(of); ok {
		return decimalType{38, d.scale}.String()
	}
	if of == "double" || of == "real" {
		return of
	}
	return ""
}
