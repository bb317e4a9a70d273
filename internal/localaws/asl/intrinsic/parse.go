// Package intrinsic parses and evaluates the intrinsic functions of the Amazon States Language, such as
// States.Format('{} of {}', $.done, $.all).
//
// Syntax: https://states-language.net/spec.html#intrinsic-functions
// Functions: https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
package intrinsic

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

// maxNesting is AWS's limit on calls within calls.
const maxNesting = 10

// Call is a compiled invocation. It is immutable.
type Call struct {
	text string
	name string
	run  runner
	args []argument
}

// argument is exactly one of a path, a call and a literal.
type argument struct {
	path    *jsonpath.Path
	call    *Call
	literal any
	raw     string // a string literal with its escapes, which States.Format reads as a template
}

// IsCall tells whether text is meant as an intrinsic function rather than as a path.
func IsCall(text string) bool { return strings.HasPrefix(text, "States.") }

// String is the call as written.
func (c *Call) String() string { return c.text }

// Paths lists every path that the call and the calls inside it read.
func (c *Call) Paths() []*jsonpath.Path {
	var out []*jsonpath.Path
	for _, a := range c.args {
		switch {
		case a.path != nil:
			out = append(out, a.path)
		case a.call != nil:
			out = append(out, a.call.Paths()...)
		}
	}
	return out
}

// Names lists the functions that exist, sorted.
func Names() []string {
	names := make([]string, 0, len(functions))
	for n := range functions {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Parse compiles a call.
func Parse(text string) (*Call, error) {
	p := parser{text: text}
	c, err := p.call(1)
	if err == nil && p.at < len(text) {
		err = p.unexpected()
	}
	if err != nil {
		return nil, fmt.Errorf("'%s' is not a valid intrinsic function call: %w", text, err)
	}
	return c, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) unexpected() error {
	if p.at >= len(p.text) {
		return fmt.Errorf("it ends unexpectedly")
	}
	return fmt.Errorf("unexpected %q at character %d", p.text[p.at:p.at+1], p.at+1)
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) take(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) call(depth int) (*Call, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("calls are nested deeper than %d", maxNesting)
	}
	start := p.at
	open := strings.IndexByte(p.text[p.at:], '(')
	if open < 0 {
		return nil, fmt.Errorf("a ( is missing")
	}
	c := &Call{name: strings.TrimSpace(p.text[p.at : p.at+open])}
	f, known := functions[c.name]
	if !known {
		return nil, fmt.Errorf("there is no intrinsic function '%s'", c.name)
	}
	c.run = f.run
	p.at += open + 1
	if err := p.arguments(c, depth); err != nil {
		return nil, err
	}
	if n := len(c.args); n < f.min || f.max >= 0 && n > f.max {
		return nil, fmt.Errorf("%s does not take %d arguments", c.name, n)
	}
	c.text = p.text[start:p.at]
	return c, nil
}

func (p *parser) arguments(c *Call, depth int) error {
	if p.take(')') {
		return nil
	}
	for {
		a, err := p.argument(depth)
		if err != nil {
			return err
		}
		c.args = append(c.args, a)
		switch {
		case p.take(','):
		case p.take(')'):
			return nil
		default:
			return p.unexpected()
		}
	}
}

func (p *parser) argument(depth int) (argument, error) {
	p.space()
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, "'"):
		return p.quoted()
	case strings.HasPrefix(rest, "$"):
		path, err := jsonpath.Parse(p.pathText())
		return argument{path: path}, err
	case IsCall(rest):
		c, err := p.call(depth + 1)
		return argument{call: c}, err
	}
	return p.word()
}

// word reads true, false, null or a number.
func (p *parser) word() (argument, error) {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(",) \t\r\n", p.text[p.at]) < 0 {
		p.at++
	}
	word := p.text[start:p.at]
	if word == "" {
		return argument{}, p.unexpected()
	}
	v, err := value.Decode([]byte(word))
	if err != nil || !scalar(v) {
		p.at = start
		return argument{}, p.unexpected()
	}
	return argument{literal: v}, nil
}

func scalar(v any) bool {
	switch v.(type) {
	case nil, bool, int64, float64, json.Number:
		return true
	}
	return false
}

// quoted reads '...' with the escapes \' \\ \{ \}.
func (p *parser) quoted() (argument, error) {
	start := p.at + 1
	var plain strings.Builder
	for p.at = start; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case '\'':
			p.at++
			return argument{literal: plain.String(), raw: p.text[start : p.at-1]}, nil
		case '\\':
			p.at++
			if p.at >= len(p.text) || strings.IndexByte(`'\{}`, p.text[p.at]) < 0 {
				return argument{}, fmt.Errorf(`invalid escape at character %d: only \' \\ \{ and \} exist`, p.at)
			}
			plain.WriteByte(p.text[p.at])
		default:
			plain.WriteByte(c)
		}
	}
	return argument{}, fmt.Errorf("a string is not closed")
}

// pathText cuts a path out: it ends at a comma, a parenthesis or a blank outside its own brackets and quotes.
func (p *parser) pathText() string {
	start, depth, quote := p.at, 0, byte(0)
	for ; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		switch {
		case c == '\\':
			p.at++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case depth > 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth <= 0 && strings.IndexByte(",) \t\r\n", c) >= 0:
			return p.text[start:p.at]
		}
	}
	p.at = min(p.at, len(p.text))
	return p.text[start:p.at]
}
