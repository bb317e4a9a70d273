package expr

import (
	"strconv"

	"engage/internal/localaws/dynamodb/attr"
)

// maxLength is how many bytes an expression may have.
const maxLength = 4096

// parser reads one expression by recursive descent; how deep it goes is
// bounded by the expression's length.
type parser struct {
	scope  *Scope
	what   string // the member that has the expression
	text   string
	tokens []token
	at     int
	faults faults
}

// syntaxError ends the parsing; it is recovered in parse.
type syntaxError struct{ message string }

// parse runs a grammar over a whole expression.
func (s *Scope) parse(what, text string, grammar func(*parser)) (p *parser, err error) {
	s.expressions++
	if text == "" {
		return nil, errorf("Invalid %s: The expression can not be empty;", what)
	}
	if len(text) > maxLength {
		return nil, errorf("Invalid %s: Expression size has exceeded the maximum allowed size; expression size: %d", what, len(text))
	}
	p = &parser{scope: s, what: what, text: text, tokens: lex(text)}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(syntaxError)
			if !ok {
				panic(r)
			}
			err = errorf("Invalid %s: %s", what, e.message)
		}
	}()
	grammar(p)
	if p.peek().kind != end {
		p.fail()
	}
	if message := p.faults.first(); message != "" {
		return nil, errorf("Invalid %s: %s", what, message)
	}
	return p, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

// accept takes the token if it is this one.
func (p *parser) accept(text string) bool {
	if p.peek().is(text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.fail()
	}
}

// fail refuses the token that is next. What is near it is the expression from
// the token before it to the one after it.
func (p *parser) fail() {
	from, to := max(0, p.at-1), min(len(p.tokens)-1, p.at+1)
	panic(syntaxError{`Syntax error; token: "` + p.peek().text + `", near: "` + p.text[p.tokens[from].start:p.tokens[to].end] + `"`})
}

// attribute reads a step of a path that is a name.
func (p *parser) attribute() Step {
	t := p.peek()
	switch t.kind {
	case word:
		p.take()
		if isReserved(t.text) {
			p.faults.add(reservedName, "Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		return Step{Name: t.text}
	case name:
		p.take()
		p.scope.usedNames[t.text] = true
		full, defined := p.scope.names[t.text]
		if !defined {
			p.faults.add(undefined, "An expression attribute name used in the document path is not defined; attribute name: %s", t.text)
			full = t.text
		}
		return Step{Name: full}
	}
	p.fail()
	return Step{}
}

// path reads name.name[index] ...
func (p *parser) path() Path {
	path := Path{p.attribute()}
	for {
		switch {
		case p.accept("."):
			path = append(path, p.attribute())
		case p.accept("["):
			if p.peek().kind != number {
				p.fail()
			}
			path = append(path, p.index())
			p.expect("]")
		default:
			return path
		}
	}
}

// maxIndex is far beyond what a list can have; lists are in items of 400 KB.
const maxIndex = 1 << 30

func (p *parser) index() Step {
	n, err := strconv.Atoi(p.take().text)
	if err != nil || n > maxIndex {
		n = maxIndex
	}
	return Step{Index: n}
}

// constant reads :value.
func (p *parser) constant() *node {
	t := p.take()
	p.scope.usedValues[t.text] = true
	v, defined := p.scope.values[t.text]
	if !defined {
		p.faults.add(undefined, "An expression attribute value used in expression is not defined; attribute value: %s", t.text)
		v = attr.Value{Kind: attr.Null}
	}
	return &node{op: opValue, value: v}
}

// operand reads a path, a value or a function with its arguments.
func (p *parser) operand(argument func() *node) *node {
	switch t := p.peek(); t.kind {
	case value:
		return p.constant()
	case name:
		return &node{op: opPath, path: p.path()}
	case word:
		if p.tokens[p.at+1].is("(") {
			return p.function(argument)
		}
		return &node{op: opPath, path: p.path()}
	}
	p.fail()
	return nil
}

func (p *parser) function(argument func() *node) *node {
	f := &node{op: p.take().text, call: true}
	p.expect("(")
	f.args = append(f.args, argument())
	for p.accept(",") {
		f.args = append(f.args, argument())
	}
	p.expect(")")
	return f
}
