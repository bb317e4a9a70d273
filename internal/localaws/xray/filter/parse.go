package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxLength and maxDepth bound an expression. AWS's own limit is the length.
const (
	MaxLength = 2000
	maxDepth  = 100
)

// Parse reads an expression. Errors: *SyntaxError, *UnsupportedError.
func Parse(expression string) (Expression, error) {
	if len(expression) > MaxLength {
		return nil, &SyntaxError{fmt.Sprintf("the expression is longer than %d bytes", MaxLength)}
	}
	tokens, err := scan(expression)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 1 {
		return Everything, nil
	}
	p := &parser{tokens: tokens}
	e, err := p.either()
	if err == nil && p.peek().kind != end {
		err = p.unexpected("AND or OR")
	}
	return e, err
}

// parser reads tokens by recursive descent: NOT binds more than AND, AND more than OR.
type parser struct {
	tokens []token
	depth  int
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) take() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept takes the next token if it is one of these.
func (p *parser) accept(values ...string) bool {
	for _, v := range values {
		if p.peek().is(v) {
			p.take()
			return true
		}
	}
	return false
}

func (p *parser) unexpected(wanted string) error {
	return &SyntaxError{fmt.Sprintf("the expression has %s where %s is wanted", p.peek(), wanted)}
}

func (p *parser) want(value string) error {
	if !p.accept(value) {
		return p.unexpected(strconv.Quote(value))
	}
	return nil
}

func (p *parser) either() (Expression, error) {
	a, err := p.both()
	for err == nil && p.accept("OR", "||") {
		var b Expression
		left := a
		b, err = p.both()
		a = func(t *Trace) bool { return left(t) || b(t) }
	}
	return a, err
}

func (p *parser) both() (Expression, error) {
	a, err := p.one()
	for err == nil && p.accept("AND", "&&") {
		var b Expression
		left := a
		b, err = p.one()
		a = func(t *Trace) bool { return left(t) && b(t) }
	}
	return a, err
}

func (p *parser) one() (Expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, &SyntaxError{"the expression is nested too deeply"}
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept("NOT", "!"):
		e, err := p.one()
		return func(t *Trace) bool { return !e(t) }, err
	case p.accept("("):
		e, err := p.either()
		if err == nil {
			err = p.want(")")
		}
		return e, err
	case p.peek().kind != word:
		return nil, p.unexpected("a keyword")
	}
	return p.condition(p.take().value)
}

// condition reads what a keyword is asked for.
func (p *parser) condition(keyword string) (Expression, error) {
	name := strings.ToLower(keyword)
	switch {
	case name == "service":
		return p.service()
	case flags[name] != nil:
		return p.flag(flags[name])
	case numbers[name] != nil:
		return p.number(numbers[name])
	case texts[name] != nil:
		return p.text(texts[name])
	case name == "annotation":
		return p.bracketed()
	case strings.HasPrefix(name, "annotation."):
		return p.annotation(keyword[len("annotation."):])
	}
	return nil, &UnsupportedError{"the keyword " + keyword + " of a filter expression"}
}

func (p *parser) flag(holds func(*Trace) bool) (Expression, error) {
	negated := p.peek().is("!=")
	if !p.accept("=", "!=") {
		return holds, nil
	}
	switch {
	case p.accept("true"):
	case p.accept("false"):
		negated = !negated
	default:
		return nil, p.unexpected("true or false")
	}
	return func(t *Trace) bool { return holds(t) != negated }, nil
}

func (p *parser) number(of func(*Trace) float64) (Expression, error) {
	compare := compareNumbers(p.peek().value)
	if compare == nil {
		return nil, p.unexpected("a comparison")
	}
	p.take()
	value, err := strconv.ParseFloat(p.peek().value, 64)
	if p.peek().kind != number || err != nil {
		return nil, p.unexpected("a number")
	}
	p.take()
	return func(t *Trace) bool { return compare(of(t), value) }, nil
}

func (p *parser) text(of func(*Trace) []string) (Expression, error) {
	operator := p.peek().value
	compare := compareTexts(operator)
	if compare == nil {
		return nil, p.unexpected("a comparison of texts")
	}
	p.take()
	if p.peek().kind != text {
		return nil, p.unexpected("a text in quotes")
	}
	value := p.take().value
	return func(t *Trace) bool {
		for _, v := range of(t) {
			if compare(v, value) {
				return true
			}
		}
		return false
	}, nil
}
