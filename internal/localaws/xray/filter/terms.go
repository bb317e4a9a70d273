package filter

import (
	"strconv"
	"strings"
)

// service reads service("name"), or service(id(name: "...", type: "...")).
func (p *parser) service() (Expression, error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	var wanted Service
	var err error
	switch {
	case p.peek().kind == text:
		wanted.Name = p.take().value
	case p.accept("id"):
		wanted, err = p.id()
	default:
		err = p.unexpected("the name of a service")
	}
	if err == nil {
		err = p.want(")")
	}
	if err == nil && p.peek().is("{") {
		err = &UnsupportedError{"service() { } of a filter expression"}
	}
	return func(t *Trace) bool {
		for _, s := range t.Services {
			if wanted.covers(s) {
				return true
			}
		}
		return false
	}, err
}

func (wanted Service) covers(s Service) bool {
	return (wanted.Name == "" || wanted.Name == s.Name) && (wanted.Type == "" || wanted.Type == s.Type) &&
		(wanted.Account == "" || wanted.Account == s.Account)
}

// id reads what is after the word id.
func (p *parser) id() (s Service, err error) {
	members := map[string]*string{"name": &s.Name, "type": &s.Type, "account.id": &s.Account}
	err = p.want("(")
	for err == nil {
		member := members[strings.ToLower(p.peek().value)]
		if p.peek().kind != word || member == nil {
			return s, p.unexpected("name, type or account.id")
		}
		p.take()
		if err = p.want(":"); err != nil {
			return s, err
		}
		if p.peek().kind != text {
			return s, p.unexpected("a text in quotes")
		}
		*member = p.take().value
		if !p.accept(",") {
			return s, p.want(")")
		}
	}
	return s, err
}

// bracketed reads annotation[key].
func (p *parser) bracketed() (Expression, error) {
	if err := p.want("["); err != nil {
		return nil, err
	}
	key := p.take()
	if key.kind != word && key.kind != text {
		return nil, &SyntaxError{"the expression has " + key.String() + " where the key of an annotation is wanted"}
	}
	if err := p.want("]"); err != nil {
		return nil, err
	}
	return p.annotation(key.value)
}

// annotation compares one, or asks whether there is any of its key.
func (p *parser) annotation(key string) (Expression, error) {
	some := func(holds func(any) bool) Expression {
		return func(t *Trace) bool {
			for _, v := range t.Annotations[key] {
				if holds(v) {
					return true
				}
			}
			return false
		}
	}
	operator := p.peek()
	onTexts, onNumbers := compareTexts(operator.value), compareNumbers(operator.value)
	if operator.kind == end || operator.kind == text || onTexts == nil && onNumbers == nil {
		return some(func(any) bool { return true }), nil
	}
	p.take()
	value := p.take()
	n, err := strconv.ParseFloat(value.value, 64)
	switch {
	case value.kind == text && onTexts != nil:
		return some(func(v any) bool { s, ok := v.(string); return ok && onTexts(s, value.value) }), nil
	case value.kind == number && err == nil && onNumbers != nil:
		return some(func(v any) bool { f, ok := v.(float64); return ok && onNumbers(f, n) }), nil
	case (value.is("true") || value.is("false")) && (operator.is("=") || operator.is("!=")):
		wanted := value.is("true") == operator.is("=")
		return some(func(v any) bool { b, ok := v.(bool); return ok && b == wanted }), nil
	}
	return nil, &SyntaxError{"the expression has " + value.String() + " where the value of an annotation is wanted"}
}
