package expr

import "engage/internal/localaws/dynamodb/attr"

// KeyCondition is what a query asks of one key attribute: =, <, <=, >, >=,
// between or begins_with.
type KeyCondition struct {
	Name   string
	Op     string
	Values []attr.Value
}

// BeginsWith and Between are the operators of key conditions that are no comparators.
const (
	BeginsWith = "begins_with"
	Between    = opBetween
)

// mirrored is the comparator for operands the other way round.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// KeyConditions parses an expression of the member what. Errors: *Error.
func (s *Scope) KeyConditions(what, text string) ([]KeyCondition, error) {
	root, err := s.condition(what, text)
	if err != nil {
		return nil, err
	}
	var all []KeyCondition
	seen := map[string]bool{}
	for _, n := range root.terms() {
		k, err := n.keyCondition(what)
		if err != nil {
			return nil, err
		}
		if seen[k.Name] {
			return nil, errorf("%ss must only contain one condition per key", what)
		}
		seen[k.Name] = true
		all = append(all, k)
	}
	return all, nil
}

// terms returns what a condition is the conjunction of.
func (n *node) terms() []*node {
	if n.op != opAnd {
		return []*node{n}
	}
	var all []*node
	for _, a := range n.args {
		all = append(all, a.terms()...)
	}
	return all
}

func (n *node) keyCondition(what string) (KeyCondition, error) {
	k := KeyCondition{Op: n.op}
	if mirrored[n.op] == "" && n.op != Between && n.op != BeginsWith {
		return k, errorf("Invalid operator used in %s: %s", what, n.operator())
	}
	at := -1
	for i, a := range n.args {
		switch {
		case a.call:
			return k, errorf("%ss cannot contain nested operations", what)
		case a.op == opValue:
			k.Values = append(k.Values, a.value)
		case at >= 0:
			return k, errorf("Invalid condition in %s: Multiple attribute names used in one condition", what)
		case len(a.path) > 1:
			return k, errorf("%ss cannot have conditions on nested attributes", what)
		default:
			at, k.Name = i, a.path[0].Name
		}
	}
	switch {
	case at < 0:
		return k, errorf("Invalid condition in %s: No key attribute specified", what)
	case at > 0 && mirrored[n.op] == "":
		return k, errorf("Invalid condition in %s: %s operator must have the key attribute as its first operand", what, n.operator())
	case at > 0:
		k.Op = mirrored[n.op]
	}
	return k, nil
}

// operator is the operator as messages spell it.
func (n *node) operator() string {
	switch n.op {
	case opOr, opNot, opIn, opBetween:
		return map[string]string{opOr: "OR", opNot: "NOT", opIn: "IN", opBetween: "BETWEEN"}[n.op]
	}
	return n.op
}
