package expr

import (
	"strings"

	"engage/internal/localaws/dynamodb/attr"
)

// action is one change of an update: SET, REMOVE, ADD or DELETE.
type action struct {
	verb    string
	path    Path
	operand *node
}

// Update is a change of an item.
type Update struct{ actions []action }

// Update parses an expression of the member what. Errors: *Error.
func (s *Scope) Update(what, text string) (*Update, error) {
	u := &Update{}
	_, err := s.parse(what, text, func(p *parser) { u.actions = p.sections() })
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Paths returns what the update changes.
func (u *Update) Paths() []Path {
	paths := make([]Path, len(u.actions))
	for i, a := range u.actions {
		paths[i] = a.path
	}
	return paths
}

func (p *parser) sections() []action {
	clauses := map[string]func() action{"SET": p.set, "REMOVE": p.remove, "ADD": p.alter("ADD"), "DELETE": p.alter("DELETE")}
	seen := map[string]bool{}
	var actions []action
	for {
		t := p.peek()
		verb := strings.ToUpper(t.text)
		clause := clauses[verb]
		if t.kind != word || clause == nil {
			p.fail()
		}
		if seen[verb] {
			p.faults.add(repeatedSection, `The "%s" section can only be used once in an update expression;`, verb)
		}
		seen[verb] = true
		p.take()
		for more := true; more; more = p.accept(",") {
			actions = append(actions, clause())
		}
		if p.peek().kind == end {
			p.checkPaths(actions)
			return actions
		}
	}
}

func (p *parser) remove() action { return action{verb: "REMOVE", path: p.path()} }

func (p *parser) set() action {
	a := action{verb: "SET", path: p.path()}
	p.expect("=")
	a.operand = p.sum()
	return a
}

// sum reads an operand, or the sum or the difference of two.
func (p *parser) sum() *node {
	first := p.term()
	t := p.peek()
	if !t.is("+") && !t.is("-") {
		return first
	}
	p.take()
	n := &node{op: t.text, args: []*node{first, p.term()}}
	p.needKinds(n, attr.N)
	return n
}

func (p *parser) term() *node {
	if p.accept("(") {
		n := p.sum()
		p.expect(")")
		return n
	}
	n := p.operand(p.term)
	if n.call {
		p.checkUpdateFunction(n)
	}
	return n
}

func (p *parser) checkUpdateFunction(n *node) {
	switch {
	case n.op != "if_not_exists" && n.op != "list_append":
		p.faults.add(unknownFunction, "Invalid function name; function: %s", n.op)
	case len(n.args) != 2:
		p.wrongCount(n)
	case n.op == "if_not_exists":
		p.needPath(n)
	default:
		p.needKinds(n, attr.L)
	}
}

// alter reads what ADD and DELETE take: a path and a value.
func (p *parser) alter(verb string) func() action {
	return func() action {
		a := action{verb: verb, path: p.path()}
		if p.peek().kind != value {
			p.fail()
		}
		a.operand = p.constant()
		if k := a.operand.value.Kind; !k.IsSet() && !(verb == "ADD" && k == attr.N) {
			p.faults.add(operandType, "Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND", verb, longNames[k], verb)
		}
		return a
	}
}

var longNames = map[attr.Kind]string{attr.S: "STRING", attr.N: "NUMBER", attr.B: "BINARY", attr.Null: "NULL", attr.Bool: "BOOLEAN", attr.L: "LIST", attr.M: "MAP"}

func (p *parser) checkPaths(actions []action) {
	for i, b := range actions {
		for _, a := range actions[:i] {
			p.checkPair(a.path, b.path)
		}
	}
}

// checkPair refuses two paths of which one leads through the other, or that
// take one attribute for a list and a map.
func (p *parser) checkPair(a, b Path) {
	const remedy = "must remove or rewrite one of these paths; path one: %s, path two: %s"
	for i := range min(len(a), len(b)) {
		if (a[i].Name == "") != (b[i].Name == "") {
			p.faults.add(conflict, "Two document paths conflict with each other; "+remedy, a, b)
			return
		}
		if a[i] != b[i] {
			return
		}
	}
	p.faults.add(overlap, "Two document paths overlap with each other; "+remedy, a, b)
}
