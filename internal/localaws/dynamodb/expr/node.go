package expr

import (
	"fmt"
	"strings"

	"engage/internal/localaws/dynamodb/attr"
)

// Step is one step of a path: a name, or an index when the name is "".
type Step struct {
	Name  string
	Index int
}

// Path leads to an attribute: the first step is a name.
type Path []Step

// String writes a path as AWS's messages do.
func (p Path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = s.Name
		if s.Name == "" {
			parts[i] = fmt.Sprintf("[%d]", s.Index)
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Find returns what the path leads to in an item.
func (p Path) Find(item attr.Item) (attr.Value, bool) {
	v, there := item[p[0].Name]
	for _, s := range p[1:] {
		if !there {
			return v, false
		}
		v, there = s.of(v)
	}
	return v, there
}

func (s Step) of(v attr.Value) (attr.Value, bool) {
	if s.Name != "" {
		child, there := v.Map[s.Name]
		return child, there
	}
	if s.Index >= len(v.List) {
		return attr.Value{}, false
	}
	return v.List[s.Index], true
}

// What nodes are, beside functions, comparators and arithmetic, whose
// operator is their own text.
const (
	opPath    = "path"
	opValue   = "value"
	opAnd     = "and"
	opOr      = "or"
	opNot     = "not"
	opBetween = "between"
	opIn      = "in"
)

// node is an expression or a part of one.
type node struct {
	op     string
	args   []*node
	path   Path       // of a path
	value  attr.Value // of a value
	parens bool       // it stood in parentheses
	call   bool       // it is a function
}

var comparators = map[string]bool{"=": true, "<>": true, "<": true, "<=": true, ">": true, ">=": true}

// isCondition reports whether the node is true or false, which size is not.
func (n *node) isCondition() bool {
	switch n.op {
	case opAnd, opOr, opNot, opBetween, opIn:
		return true
	}
	return comparators[n.op] || n.call && n.op != "size"
}

// literal returns the type of a value that stands in the expression itself.
func (n *node) literal() attr.Kind {
	if n.op == opValue {
		return n.value.Kind
	}
	return attr.Invalid
}
