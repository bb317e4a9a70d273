package glue

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/sql"
)

// nullPartition is the value of a partition whose key is null.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// parseExpression reads a filter over partition keys: comparisons, AND, OR,
// NOT, BETWEEN, IN, LIKE and IS NULL. It returns whether a partition's values
// satisfy it. An empty one is satisfied by all.
// https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
func parseExpression(keys []catalog.Column, text string) (func(values []string) (bool, error), error) {
	if strings.TrimSpace(text) == "" {
		return func([]string) (bool, error) { return true, nil }, nil
	}
	x, err := sql.ParseExpr(text)
	if err != nil {
		return nil, invalid("Expression %q cannot be read: %v", text, err)
	}
	f := filter{keys: keys}
	if _, err := f.test(x); err != nil { // with no values: the form is checked once
		return nil, err
	}
	return func(values []string) (bool, error) {
		t, err := filter{keys, values}.test(x)
		return t == yes, err
	}, nil
}

// truth is SQL's: a comparison with null is neither.
type truth int

const (
	unknown truth = iota
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return [...]truth{unknown, yes, no}[t] }

func both(a, b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return unknown
}

// filter tests one partition. Without values every key is null.
type filter struct {
	keys   []catalog.Column
	values []string
}

func (f filter) test(x sql.Expr) (truth, error) {
	switch x := x.(type) {
	case *sql.Infix:
		return f.infix(x)
	case *sql.Unary:
		if x.Op == "NOT" {
			t, err := f.test(x.X)
			return t.not(), err
		}
	case *sql.Bool:
		return truthOf(x.Value), nil
	case *sql.IsNull:
		v, err := f.value(x.X)
		return truthOf((v.text == nil) != x.Not), err
	case *sql.Between:
		lo, err := f.compare(">=", x.X, x.Lo)
		if err != nil {
			return unknown, err
		}
		hi, err := f.compare("<=", x.X, x.Hi)
		return negated(both(lo, hi), x.Not), err
	case *sql.In:
		return f.in(x)
	case *sql.Like:
		return f.like(x)
	}
	return unknown, unsupported(x)
}

func unsupported(x sql.Expr) error {
	return invalid("Expression is not valid at column %d: it compares partition keys with constants by =, <>, <, <=, >, >=, LIKE, IN, BETWEEN and IS NULL, joined by AND, OR and NOT", x.At().Col)
}

func negated(t truth, not bool) truth {
	if not {
		return t.not()
	}
	return t
}

func (f filter) infix(x *sql.Infix) (truth, error) {
	if x.Op != "AND" && x.Op != "OR" {
		return f.compare(x.Op, x.L, x.R)
	}
	l, err := f.test(x.L)
	if err != nil {
		return unknown, err
	}
	r, err := f.test(x.R)
	if x.Op == "OR" {
		return both(l.not(), r.not()).not(), err
	}
	return both(l, r), err
}

func (f filter) in(x *sql.In) (truth, error) {
	if x.Query != nil {
		return unknown, unsupported(x)
	}
	any := no
	for _, e := range x.List {
		t, err := f.compare("=", x.X, e)
		if err != nil {
			return unknown, err
		}
		any = both(any.not(), t.not()).not()
	}
	return negated(any, x.Not), nil
}

// operand is a key's value or a constant; text is nil for null.
type operand struct {
	text    *string
	numeric bool
}

func (f filter) value(x sql.Expr) (operand, error) {
	switch x := x.(type) {
	case *sql.Ident:
		return f.key(x)
	case *sql.String:
		return operand{text: &x.Value}, nil
	case *sql.Typed: // DATE '2025-01-01'
		return operand{text: &x.Value}, nil
	case *sql.Number:
		return operand{&x.Text, true}, nil
	case *sql.Null:
		return operand{}, nil
	case *sql.Unary:
		if n, ok := x.X.(*sql.Number); ok && x.Op == "-" {
			text := "-" + n.Text
			return operand{&text, true}, nil
		}
	}
	return operand{}, unsupported(x)
}

var numericTypes = []string{"tinyint", "smallint", "int", "integer", "bigint", "long", "float", "double", "decimal"}

func (f filter) key(x *sql.Ident) (operand, error) {
	name := x.Parts[len(x.Parts)-1].Text
	i := slices.IndexFunc(f.keys, func(c catalog.Column) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return operand{}, invalid("Expression is not valid: %s is not a partition key", name)
	}
	kind, _, _ := strings.Cut(strings.ToLower(f.keys[i].Type), "(")
	v := operand{numeric: slices.Contains(numericTypes, kind)}
	if i < len(f.values) && f.values[i] != nullPartition {
		v.text = &f.values[i]
	}
	return v, nil
}

// compare is numeric where either side is a number, else by the text: dates are
// written so that this is their order.
func (f filter) compare(op string, l, r sql.Expr) (truth, error) {
	a, err := f.value(l)
	if err != nil {
		return unknown, err
	}
	b, err := f.value(r)
	if err != nil {
		return unknown, err
	}
	holds, ok := comparisons[op]
	if !ok {
		return unknown, invalid("Expression is not valid: the operator %s is not one of =, <>, <, <=, >, >=", op)
	}
	if a.text == nil || b.text == nil {
		return unknown, nil
	}
	if !a.numeric && !b.numeric {
		return truthOf(holds(strings.Compare(*a.text, *b.text))), nil
	}
	x, xok := number(*a.text)
	y, yok := number(*b.text)
	if !xok || !yok {
		return unknown, invalid("Expression is not valid: %q and %q are not both numbers", *a.text, *b.text)
	}
	return truthOf(holds(x.Cmp(y))), nil
}

// maxDigits keeps a number such as 1e1000000000 from being written out.
const maxDigits = 64

func number(s string) (*big.Rat, bool) {
	if len(s) > maxDigits || strings.ContainsAny(s, "eEpP/_xX") {
		return nil, false
	}
	return new(big.Rat).SetString(strings.TrimSpace(s))
}

var comparisons = map[string]func(int) bool{
	"=": func(c int) bool { return c == 0 }, "<>": func(c int) bool { return c != 0 }, "!=": func(c int) bool { return c != 0 },
	"<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
	">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 },
}

// like takes % for any text and _ for any character.
func (f filter) like(x *sql.Like) (truth, error) {
	v, err := f.value(x.X)
	if err != nil {
		return unknown, err
	}
	pattern, ok := x.Pattern.(*sql.String)
	if !ok || x.Escape != nil {
		return unknown, unsupported(x)
	}
	if v.text == nil {
		return unknown, nil
	}
	quoted := strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(pattern.Value))
	matched, err := regexp.MatchString("(?s)^(?:"+quoted+")$", *v.text)
	if err != nil {
		return unknown, invalid("Expression is not valid: the pattern %q: %v", pattern.Value, err)
	}
	return negated(truthOf(matched), x.Not), nil
}
