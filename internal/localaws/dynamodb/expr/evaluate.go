package expr

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"engage/internal/localaws/dynamodb/attr"
)

// Holds reports whether the condition is true of an item. No item is an empty one.
func (c *Condition) Holds(item attr.Item) bool { return c == nil || c.root.holds(item) }

func (n *node) holds(item attr.Item) bool {
	switch n.op {
	case opAnd:
		return !slices.ContainsFunc(n.args, func(a *node) bool { return !a.holds(item) })
	case opOr:
		return slices.ContainsFunc(n.args, func(a *node) bool { return a.holds(item) })
	case opNot:
		return !n.args[0].holds(item)
	}
	values := make([]attr.Value, len(n.args))
	for i, a := range n.args {
		values[i] = a.resolve(item) // Invalid where there is nothing
	}
	if comparators[n.op] {
		return compare(n.op, values[0], values[1])
	}
	return predicates[n.op](values)
}

// predicates are the conditions that are no comparison.
var predicates = map[string]func([]attr.Value) bool{
	opBetween: func(v []attr.Value) bool { return compare(">=", v[0], v[1]) && compare("<=", v[0], v[2]) },
	opIn: func(v []attr.Value) bool {
		return slices.ContainsFunc(v[1:], func(w attr.Value) bool { return compare("=", v[0], w) })
	},
	"attribute_exists":     func(v []attr.Value) bool { return v[0].Kind != attr.Invalid },
	"attribute_not_exists": func(v []attr.Value) bool { return v[0].Kind == attr.Invalid },
	"attribute_type":       func(v []attr.Value) bool { return v[0].Kind.String() == v[1].Text && v[0].Kind != attr.Invalid },
	"begins_with":          func(v []attr.Value) bool { return beginsWith(v[0], v[1]) },
	"contains":             func(v []attr.Value) bool { return contains(v[0], v[1]) },
}

// resolve returns what an operand is for an item, Invalid for nothing.
func (n *node) resolve(item attr.Item) attr.Value {
	switch n.op {
	case opValue:
		return n.value
	case opPath:
		v, _ := n.path.Find(item)
		return v
	}
	return size(n.args[0].resolve(item))
}

// compare compares two values. What is not there, or has another type, equals
// nothing and is neither smaller nor larger.
func compare(op string, a, b attr.Value) bool {
	equal := a.Kind != attr.Invalid && b.Kind != attr.Invalid && a.Equal(b)
	switch op {
	case "=":
		return equal
	case "<>":
		return !equal
	}
	order, ok := attr.Compare(a, b)
	switch op {
	case "<":
		return ok && order < 0
	case "<=":
		return ok && order <= 0
	case ">":
		return ok && order > 0
	}
	return ok && order >= 0
}

func beginsWith(v, prefix attr.Value) bool {
	return v.Kind == prefix.Kind && (v.Kind == attr.S || v.Kind == attr.B) && strings.HasPrefix(v.Text, prefix.Text)
}

// contains looks for a part of a text, a member of a set or an element of a list.
func contains(v, part attr.Value) bool {
	switch {
	case v.Kind == attr.S || v.Kind == attr.B:
		return part.Kind == v.Kind && strings.Contains(v.Text, part.Text)
	case v.Kind.IsSet():
		return part.Kind == v.Kind.Element() && slices.Contains(v.Set, part.Text)
	case v.Kind == attr.L:
		return slices.ContainsFunc(v.List, part.Equal)
	}
	return false
}

// size is the length of a text in UTF-16 units, of a binary in bytes, and the
// number of elements of what has elements.
func size(v attr.Value) attr.Value {
	n := 0
	switch v.Kind {
	case attr.S:
		n = len(utf16.Encode([]rune(v.Text)))
	case attr.B:
		n = len(v.Text)
	case attr.SS, attr.NS, attr.BS:
		n = len(v.Set)
	case attr.L:
		n = len(v.List)
	case attr.M:
		n = len(v.Map)
	default:
		return attr.Value{}
	}
	return attr.Value{Kind: attr.N, Text: strconv.Itoa(n)}
}
