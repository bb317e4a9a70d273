package expr

import "engage/internal/localaws/dynamodb/attr"

// Condition is a condition or a filter. A nil one holds for every item.
type Condition struct{ root *node }

// Condition parses an expression of the member what. Errors: *Error.
func (s *Scope) Condition(what, text string) (*Condition, error) {
	root, err := s.condition(what, text)
	if err != nil {
		return nil, err
	}
	return &Condition{root}, nil
}

func (s *Scope) condition(what, text string) (root *node, err error) {
	_, err = s.parse(what, text, func(p *parser) {
		root = p.or()
		if p.peek().kind != end {
			p.fail()
		}
		p.mustHold(root)
	})
	return root, err
}

// Paths calls visit for each path in the condition.
func (c *Condition) Paths(visit func(Path)) {
	if c != nil {
		c.root.paths(visit)
	}
}

func (n *node) paths(visit func(Path)) {
	if n.op == opPath {
		visit(n.path)
	}
	for _, a := range n.args {
		a.paths(visit)
	}
}

// mustHold refuses, after the node, one that is neither true nor false.
func (p *parser) mustHold(n *node) {
	if n.isCondition() {
		return
	}
	if n.call {
		p.faults.add(misusedFunction, "The function is not allowed to be used this way in an expression; function: %s", n.op)
		return
	}
	p.fail()
}

func (p *parser) or() *node  { return p.chain(opOr, p.and) }
func (p *parser) and() *node { return p.chain(opAnd, p.not) }

func (p *parser) chain(op string, part func() *node) *node {
	first := part()
	if !p.peek().is(op) {
		return first
	}
	p.mustHold(first)
	n := &node{op: op, args: []*node{first}}
	for p.accept(op) {
		next := part()
		p.mustHold(next)
		n.args = append(n.args, next)
	}
	return n
}

func (p *parser) not() *node {
	if p.peek().kind != word || !p.accept(opNot) {
		return p.predicate()
	}
	arg := p.not()
	p.mustHold(arg)
	return &node{op: opNot, args: []*node{arg}}
}

// predicate reads an operand and what it is compared with. What stands in
// parentheses may be an operand or a condition.
func (p *parser) predicate() *node {
	first := p.primary()
	if first.isCondition() && !first.call {
		return first
	}
	switch t := p.peek(); {
	case t.kind == symbol && comparators[t.text]:
		p.take()
		return p.compared(&node{op: t.text, args: []*node{first, p.primary()}})
	case t.is(opBetween):
		p.take()
		low := p.primary()
		p.expect(opAnd)
		return p.compared(&node{op: opBetween, args: []*node{first, low, p.primary()}})
	case t.is(opIn):
		p.take()
		p.expect("(")
		n := &node{op: opIn, args: []*node{first, p.primary()}}
		for p.accept(",") {
			n.args = append(n.args, p.primary())
		}
		p.expect(")")
		return p.compared(n)
	}
	return first
}

func (p *parser) primary() *node {
	if !p.accept("(") {
		n := p.operand(p.primary)
		if n.call {
			p.checkFunction(n)
		}
		return n
	}
	n := p.or()
	p.expect(")")
	if n.parens {
		p.faults.add(redundantParentheses, "The expression has redundant parentheses;")
	}
	n.parens = true
	return n
}

// maxIn is how many values IN takes.
const maxIn = 100

// compared checks the operands of a comparison.
func (p *parser) compared(n *node) *node {
	p.mustBeValues(n.args)
	switch {
	case n.op == opIn && len(n.args) > maxIn+1:
		p.faults.add(operands, "Invalid number of operands for the IN operator; number of operands: %d", len(n.args)-1)
	case n.op == opBetween:
		p.checkBounds(n.args[1], n.args[2])
	case n.op == opIn || len(n.args) != 2:
	default:
		p.checkDistinct(n)
		p.checkOrdered(n)
	}
	return n
}

func (p *parser) mustBeValues(args []*node) {
	for _, a := range args {
		if !a.isCondition() {
			continue
		}
		if !a.call {
			p.fail()
		}
		p.faults.add(misusedFunction, "The function is not allowed to be used this way in an expression; function: %s", a.op)
	}
}

func (p *parser) checkDistinct(n *node) {
	if a, b := n.args[0], n.args[1]; a.op == opPath && b.op == opPath && a.path.String() == b.path.String() {
		p.faults.add(indistinct, "The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", n.op, a.path)
	}
}

// checkOrdered refuses values that have no order where an order is asked for.
func (p *parser) checkOrdered(n *node) {
	if n.op == "=" || n.op == "<>" {
		return
	}
	for _, a := range n.args {
		if k := a.literal(); k > attr.B {
			p.wrongType(n.op, k)
		}
	}
}

func (p *parser) wrongType(op string, k attr.Kind) {
	p.faults.add(operandType, "Incorrect operand type for operator or function; operator or function: %s, operand type: %s", op, k)
}

func (p *parser) checkBounds(low, high *node) {
	if low.literal() == attr.Invalid || high.literal() == attr.Invalid {
		return
	}
	const bounds = "lower bound operand: AttributeValue: {%s:%s}, upper bound operand: AttributeValue: {%s:%s}"
	a, b := low.value, high.value
	order, comparable := attr.Compare(a, b)
	switch {
	case a.Kind != b.Kind:
		p.faults.add(operandType, "The BETWEEN operator requires same data type for lower and upper bounds; "+bounds, a.Kind, a.Text, b.Kind, b.Text)
	case !comparable:
		p.wrongType("BETWEEN", a.Kind)
	case order > 0:
		p.faults.add(operandType, "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "+bounds, a.Kind, a.Text, b.Kind, b.Text)
	}
}
