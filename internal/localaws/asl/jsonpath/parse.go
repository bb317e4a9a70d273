package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ohler55/ojg/jp"
)

// Parse compiles a path: $ (input), $$ (context object) or $name (variable), then steps.
func Parse(text string) (*Path, error) {
	p := parser{text: text}
	path, err := p.path()
	if err != nil {
		return nil, fmt.Errorf("'%s' is not a valid JSONPath: %w", text, err)
	}
	return path, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) path() (*Path, error) {
	path := &Path{text: p.text, definite: true}
	if !p.take('$') {
		return nil, fmt.Errorf("it must begin with $")
	}
	switch {
	case p.take('$'):
		path.root = Context
	case p.at < len(p.text) && p.text[p.at] != '.' && p.text[p.at] != '[':
		path.root, path.name = Variable, p.identifier()
		if path.name == "" {
			return nil, p.unexpected()
		}
	}
	for p.at < len(p.text) {
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		path.definite = path.definite && (s.kind == child || s.kind == index)
		path.steps = append(path.steps, s)
	}
	if n := len(path.steps); n > 0 && path.steps[n-1].kind == descent {
		return nil, fmt.Errorf("it must not end with a descent")
	}
	return path, nil
}

func (p *parser) unexpected() error {
	if p.at >= len(p.text) {
		return fmt.Errorf("it ends unexpectedly")
	}
	return fmt.Errorf("unexpected %q at character %d", p.text[p.at:p.at+1], p.at+1)
}

func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) space() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

// identifier reads a variable's name: a Unicode identifier.
func (p *parser) identifier() string {
	start := p.at
	for p.at < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		letter := r == '_' || unicode.IsLetter(r)
		if !letter && (p.at == start || !unicode.IsDigit(r)) {
			break
		}
		p.at += size
	}
	return p.text[start:p.at]
}

func (p *parser) step() (step, error) {
	if p.take('[') {
		return p.bracket()
	}
	if !p.take('.') {
		// A name may follow .. directly.
		if p.at >= 2 && p.text[p.at-2:p.at] == ".." {
			return p.dotName()
		}
		return step{}, p.unexpected()
	}
	if p.take('.') {
		if c := p.peek(); c == '.' || c == 0 {
			return step{}, p.unexpected()
		}
		return step{kind: descent}, nil
	}
	return p.dotName()
}

// dotName reads a name after a dot. It ends at the next step; characters that belong to expressions are refused.
func (p *parser) dotName() (step, error) {
	if p.take('*') {
		return step{kind: wildcard}, nil
	}
	end := strings.IndexAny(p.text[p.at:], ".[")
	if end < 0 {
		end = len(p.text) - p.at
	}
	name := p.text[p.at : p.at+end]
	if bad := strings.IndexAny(name, " ()'\"]{},?@*$\\"); bad >= 0 {
		p.at += bad
		if p.text[p.at] == '(' {
			return step{}, fmt.Errorf("JSONPath functions such as .%s() are not supported", name[:bad])
		}
		return step{}, p.unexpected()
	}
	if name == "" {
		return step{}, p.unexpected()
	}
	p.at += end
	return step{kind: child, name: name}, nil
}

func (p *parser) bracket() (step, error) {
	p.space()
	switch c := p.peek(); {
	case c == '?':
		return p.filter()
	case c == '*':
		p.at++
		return step{kind: wildcard}, p.close()
	case c == '\'' || c == '"':
		return p.quotedNames()
	case c == ':' || c == '-' || c >= '0' && c <= '9':
		return p.numbers()
	}
	return step{}, p.unexpected()
}

func (p *parser) close() error {
	p.space()
	if !p.take(']') {
		return p.unexpected()
	}
	return nil
}

func (p *parser) quotedNames() (step, error) {
	var list []string
	for {
		p.space()
		name, err := p.quoted()
		if err != nil {
			return step{}, err
		}
		list = append(list, name)
		p.space()
		if !p.take(',') {
			break
		}
	}
	if err := p.close(); err != nil {
		return step{}, err
	}
	if len(list) == 1 {
		return step{kind: child, name: list[0]}, nil
	}
	return step{kind: names, names: list}, nil
}

// quoted reads a quoted name; a backslash takes the next character literally.
func (p *parser) quoted() (string, error) {
	quote := p.peek()
	if quote != '\'' && quote != '"' {
		return "", p.unexpected()
	}
	var name strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case quote:
			p.at++
			return name.String(), nil
		case '\\':
			if p.at++; p.at >= len(p.text) {
				return "", p.unexpected()
			}
			name.WriteByte(p.text[p.at])
		default:
			name.WriteByte(c)
		}
	}
	return "", p.unexpected()
}

// numbers reads [n], [n,m] and the slices [n:m], [:m], [n:].
func (p *parser) numbers() (step, error) {
	var list []*int
	separator := byte(0)
	for {
		n, err := p.integer()
		if err != nil {
			return step{}, err
		}
		list = append(list, n)
		c := p.peek()
		if c != ',' && c != ':' {
			break
		}
		if separator != 0 && separator != c {
			return step{}, p.unexpected()
		}
		separator = c
		p.at++
	}
	if err := p.close(); err != nil {
		return step{}, err
	}
	return numberStep(list, separator)
}

func numberStep(list []*int, separator byte) (step, error) {
	if separator == ':' {
		if len(list) > 2 {
			return step{}, fmt.Errorf("a slice has no step")
		}
		return step{kind: slice, bounds: [2]*int{list[0], list[1]}}, nil
	}
	many := step{kind: indexes}
	for _, n := range list {
		if n == nil {
			return step{}, fmt.Errorf("an array index is missing")
		}
		many.indexes = append(many.indexes, *n)
	}
	if len(list) == 1 {
		return step{kind: index, index: *list[0]}, nil
	}
	return many, nil
}

func (p *parser) integer() (*int, error) {
	p.space()
	start := p.at
	p.take('-')
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	defer p.space()
	if p.at == start {
		return nil, nil
	}
	n, err := strconv.ParseInt(p.text[start:p.at], 10, 32)
	if err != nil {
		return nil, fmt.Errorf("'%s' is not an array index", p.text[start:p.at])
	}
	i := int(n)
	return &i, nil
}

// filter hands [?(...)] to ojg. Its end is the bracket that closes outside quotes.
func (p *parser) filter() (s step, err error) {
	end, ok := closing(p.text[p.at:])
	if !ok {
		return step{}, fmt.Errorf("the filter is not closed")
	}
	text := "$[" + p.text[p.at:p.at+end+1]
	p.at += end + 1
	expression, err := jp.ParseString(text)
	if err != nil {
		return step{}, fmt.Errorf("filter %s: %w", text[1:], err)
	}
	if len(expression) != 2 {
		return step{}, fmt.Errorf("filter %s is not one filter", text[1:])
	}
	match, ok := expression[1].(*jp.Filter)
	if !ok {
		return step{}, fmt.Errorf("filter %s is not a filter expression", text[1:])
	}
	return step{kind: filter, match: match}, nil
}

// closing finds the bracket that closes a [ just before text.
func closing(text string) (int, bool) {
	depth, quote := 1, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth == 0 {
				return i, true
			}
		}
	}
	return 0, false
}
