package pattern

import (
	"strconv"
	"strings"
)

// selector is a path into a document: a string step is a member's name, an
// int step an array's index.
type selector []any

// find returns the value at the path, and whether there is one.
func (s selector) find(d any) (any, bool) {
	for _, step := range s {
		switch step := step.(type) {
		case string:
			m, _ := d.(map[string]any)
			v, ok := m[step]
			if !ok {
				return nil, false
			}
			d = v
		case int:
			a, _ := d.([]any)
			if step >= len(a) {
				return nil, false
			}
			d = a[step]
		}
	}
	return d, true
}

// selector reads $.name, $.a.b[0], $['name'] and $["name"].
func (p *parser) selector() (selector, error) {
	if !p.take("$") {
		return nil, p.fail("expected a selector that begins with $")
	}
	var path selector
	for p.pos < len(p.text) {
		var step any
		var err error
		switch p.text[p.pos] {
		case '.':
			step, err = p.name()
		case '[':
			step, err = p.subscript()
		default:
			return path.orFail(p)
		}
		if err != nil {
			return nil, err
		}
		path = append(path, step)
	}
	return path.orFail(p)
}

func (s selector) orFail(p *parser) (selector, error) {
	if len(s) == 0 {
		return nil, p.fail("expected . or [ after $")
	}
	return s, nil
}

func (p *parser) name() (string, error) {
	start := p.pos + 1
	end := start
	for end < len(p.text) && (isWord(p.text[end]) || p.text[end] == '-') {
		end++
	}
	if end == start {
		if end < len(p.text) && p.text[end] == '*' {
			return "", &UnsupportedError{"* in a selector"}
		}
		p.pos = start
		return "", p.fail("expected a name after .")
	}
	p.pos = end
	return p.text[start:end], nil
}

func (p *parser) subscript() (any, error) {
	closing := strings.IndexByte(p.text[p.pos:], ']')
	if closing < 0 {
		return nil, p.fail("expected ]")
	}
	inside := strings.TrimSpace(p.text[p.pos+1 : p.pos+closing])
	var step any
	if n := len(inside); n >= 2 && (inside[0] == '\'' || inside[0] == '"') && inside[n-1] == inside[0] {
		step = inside[1 : n-1]
	} else if inside == "*" {
		return nil, &UnsupportedError{"* in a selector"}
	} else if i, err := strconv.Atoi(inside); err == nil && i >= 0 {
		step = i
	} else {
		return nil, p.fail("expected an index or a quoted name in [ ]")
	}
	p.pos += closing + 1
	return step, nil
}
