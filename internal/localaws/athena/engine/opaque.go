package engine

import (
	"reflect"

	"engage/internal/localaws/athena/sql"
)

// opaque reports whether DuckDB does not know an expression's type when it chooses a macro's overload.
func opaque(x sql.Expr) bool {
	return x != nil && found(reflect.ValueOf(x), func(n any) bool {
		switch n := n.(type) {
		case *sql.Call:
			return functions()[n.Name].agg
		case *sql.Query:
			return true
		}
		return false
	})
}

// divides reports whether an expression has a division in it.
func divides(x sql.Expr) bool {
	return found(reflect.ValueOf(x), func(n any) bool {
		i, ok := n.(*sql.Infix)
		return ok && (i.Op == "/" || i.Op == "%")
	})
}

// found reports whether is holds for a node of the tree.
func found(v reflect.Value, is func(any) bool) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && (is(v.Interface()) || found(v.Elem(), is))
	case reflect.Struct:
		for i := range v.NumField() {
			if found(v.Field(i), is) {
				return true
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if found(v.Index(i), is) {
				return true
			}
		}
	}
	return false
}

// plain are DuckDB's own functions for macros that have overloads.
var plain = map[string]string{"trino_trunc": "date_trunc", "trino_strftime": "strftime", "trino_length": "length", "trino_reverse": "reverse"}

// macro returns a macro's name, or DuckDB's own function where an argument's type would choose the wrong overload.
func macro(name string, args ...sql.Expr) string {
	own, ok := plain[name]
	if !ok {
		return name
	}
	for _, a := range args {
		if opaque(a) {
			return own
		}
	}
	return name
}

// maxNested bounds forms that DuckDB sees more than once, and that would double with each level.
const maxNested = 6

// nested is the depth to which nodes that satisfy is lie within each other.
func nested(v reflect.Value, is func(any) bool) int {
	deepest := 0
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 0
		}
		deepest = nested(v.Elem(), is)
		if v.Kind() == reflect.Pointer && is(v.Interface()) {
			deepest++
		}
	case reflect.Struct:
		for i := range v.NumField() {
			deepest = max(deepest, nested(v.Field(i), is))
		}
	case reflect.Slice:
		for i := range v.Len() {
			deepest = max(deepest, nested(v.Index(i), is))
		}
	}
	return deepest
}

// limitNesting refuses a divisor, or an argument of greatest or least, that nests such forms too deep.
func (t *translator) limitNesting(pos sql.Pos, x any) {
	depth := nested(reflect.ValueOf(x), func(n any) bool {
		switch n := n.(type) {
		case *sql.Infix:
			return n.Op == "/" || n.Op == "%"
		case *sql.Call:
			return n.Name == "greatest" || n.Name == "least" || n.Name == "mod"
		}
		return false
	})
	if depth > maxNested {
		t.fail(sql.NotSupported, pos, "divisions, greatest and least nested more than %d deep are not supported", maxNested)
	}
}
