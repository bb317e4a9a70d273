package expr

import "engage/internal/localaws/dynamodb/attr"

// arity is how many operands the functions of conditions have.
var arity = map[string]int{"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2, "size": 1}

// checkFunction checks a function of a condition:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
func (p *parser) checkFunction(n *node) {
	want, known := arity[n.op]
	switch {
	case !known:
		p.faults.add(unknownFunction, "Invalid function name; function: %s", n.op)
		return
	case want != len(n.args):
		p.wrongCount(n)
		return
	}
	p.mustBeValues(n.args)
	switch n.op {
	case "attribute_exists", "attribute_not_exists":
		p.needPath(n)
	case "begins_with":
		p.needKinds(n, attr.S, attr.B)
	case "attribute_type":
		p.checkTypeName(n)
	case "size":
		if k := n.args[0].literal(); k == attr.N || k == attr.Bool || k == attr.Null {
			p.wrongType(n.op, k)
		}
	}
	if len(n.args) == 2 {
		p.checkDistinct(n)
	}
}

func (p *parser) wrongCount(n *node) {
	p.faults.add(operands, "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", n.op, len(n.args))
}

func (p *parser) needPath(n *node) {
	if n.args[0].op != opPath {
		p.faults.add(operandType, "Operator or function requires a document path; operator or function: %s", n.op)
	}
}

// needKinds refuses operands that are values of other types.
func (p *parser) needKinds(n *node, kinds ...attr.Kind) {
	for _, a := range n.args {
		ok := a.literal() == attr.Invalid
		for _, k := range kinds {
			ok = ok || a.literal() == k
		}
		if !ok {
			p.wrongType(n.op, a.literal())
			return
		}
	}
}

func (p *parser) checkTypeName(n *node) {
	switch a := n.args[1]; {
	case a.op != opValue:
		p.faults.add(operandType, "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	case a.value.Kind != attr.S:
		p.wrongType(n.op, a.value.Kind)
	case attr.KindOf(a.value.Text) == attr.Invalid:
		p.faults.add(operandType, "Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", a.value.Text)
	}
}
