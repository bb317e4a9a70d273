package pattern

import (
	"encoding/json"
	"strconv"
	"strings"
)

// condition is a node of a JSON pattern.
type condition func(document any) bool

// parser reads "{ condition }". Grammar, && binding tighter than ||:
//
//	or    = and { "||" and }
//	and   = unit { "&&" unit }
//	unit  = "(" or ")" | selector test
//	test  = ("=" | "!=" | ">" | "<" | ">=" | "<=") value
//	      | "IS" ("NULL" | "TRUE" | "FALSE") | "EXISTS" | "NOT EXISTS"
type parser struct {
	text  string
	pos   int
	depth int
}

// maxDepth bounds the parentheses in a pattern.
const maxDepth = 50

func parseJSON(text string) (Pattern, error) {
	p := &parser{text: text}
	p.skip()
	p.pos++ // the brace
	cond, err := p.or()
	if err != nil {
		return Pattern{}, err
	}
	if !p.take("}") {
		return Pattern{}, p.fail("expected && or || or }")
	}
	if p.skip(); p.pos < len(text) {
		return Pattern{}, p.fail("there is text after the closing }")
	}
	return Pattern{match: func(message string) bool {
		document, ok := decode(message)
		return ok && cond(document)
	}}, nil
}

// decode reads a message that is one JSON object or array.
func decode(message string) (any, bool) {
	trimmed := strings.TrimSpace(message)
	if trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil, false
	}
	var v any
	err := json.Unmarshal([]byte(trimmed), &v)
	return v, err == nil
}

func (p *parser) fail(reason string) error { return &SyntaxError{p.pos, reason} }

func (p *parser) skip() {
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
}

// take consumes a token when it is next.
func (p *parser) take(token string) bool {
	p.skip()
	if !strings.HasPrefix(p.text[p.pos:], token) {
		return false
	}
	p.pos += len(token)
	return true
}

// keyword consumes a word in either case, followed by no further letter.
func (p *parser) keyword(word string) bool {
	p.skip()
	end := p.pos + len(word)
	if end > len(p.text) || !strings.EqualFold(p.text[p.pos:end], word) || end < len(p.text) && isWord(p.text[end]) {
		return false
	}
	p.pos = end
	return true
}

func (p *parser) or() (condition, error)  { return p.chain("||", p.and, anyOf) }
func (p *parser) and() (condition, error) { return p.chain("&&", p.unit, allOf) }

func (p *parser) chain(op string, operand func() (condition, error), join func([]condition) condition) (condition, error) {
	var all []condition
	for {
		c, err := operand()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if !p.take(op) {
			return join(all), nil
		}
	}
}

func anyOf(all []condition) condition {
	return func(d any) bool {
		for _, c := range all {
			if c(d) {
				return true
			}
		}
		return false
	}
}

func allOf(all []condition) condition {
	return func(d any) bool {
		for _, c := range all {
			if !c(d) {
				return false
			}
		}
		return true
	}
}

func (p *parser) unit() (condition, error) {
	if !p.take("(") {
		return p.comparison()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the parentheses are nested too deeply")
	}
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	p.depth--
	if !p.take(")") {
		return nil, p.fail("expected )")
	}
	return c, nil
}

func (p *parser) comparison() (condition, error) {
	path, err := p.selector()
	if err != nil {
		return nil, err
	}
	for _, w := range []struct {
		word string
		rest []string
	}{{"IS", []string{"NULL", "TRUE", "FALSE"}}, {"NOT", []string{"EXISTS"}}, {"EXISTS", []string{""}}} {
		if p.keyword(w.word) {
			return p.state(path, w.word, w.rest)
		}
	}
	for _, op := range []string{"!=", ">=", "<=", "=", ">", "<"} {
		if p.take(op) {
			return p.value(path, op)
		}
	}
	return nil, p.fail("expected =, !=, <, <=, >, >=, IS, EXISTS or NOT EXISTS")
}

func (p *parser) state(path selector, word string, rest []string) (condition, error) {
	for _, r := range rest {
		if r == "" || p.keyword(r) {
			return stateCondition(path, strings.TrimSpace(word+" "+r)), nil
		}
	}
	return nil, p.fail("expected " + strings.Join(rest, " or ") + " after " + word)
}

func stateCondition(path selector, test string) condition {
	return func(d any) bool {
		v, found := path.find(d)
		switch test {
		case "IS NULL":
			return found && v == nil
		case "IS TRUE":
			return v == true
		case "IS FALSE":
			return v == false
		case "NOT EXISTS":
			return !found
		}
		return found
	}
}

// value reads the right side: a number compares as one, everything else as
// text in which * stands for any characters.
func (p *parser) value(path selector, op string) (condition, error) {
	p.skip()
	if p.pos < len(p.text) && p.text[p.pos] == '"' {
		text, next, err := scanQuoted(p.text, p.pos)
		if err != nil {
			return nil, err
		}
		p.pos = next
		return p.textCondition(path, op, text)
	}
	start := p.pos
	for p.pos < len(p.text) && !isSpace(p.text[p.pos]) && !strings.ContainsRune("(){}&|=<>!\"", rune(p.text[p.pos])) {
		p.pos++
	}
	word := p.text[start:p.pos]
	if word == "" {
		return nil, p.fail("expected a value")
	}
	if word[0] == '%' {
		return nil, &UnsupportedError{"%regular expression%"}
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil && isNumber(word) {
		return numberCondition(path, op, n), nil
	}
	return p.textCondition(path, op, word)
}

// isNumber excludes what ParseFloat takes beside JSON's numbers: inf, 0x1p4, 1_000.
func isNumber(word string) bool {
	return json.Valid([]byte(strings.TrimPrefix(word, "+")))
}

func numberCondition(path selector, op string, want float64) condition {
	return func(d any) bool {
		v, found := path.find(d)
		got, ok := v.(float64)
		if !ok {
			return op == "!=" && found
		}
		switch op {
		case "=":
			return got == want
		case "!=":
			return got != want
		case ">":
			return got > want
		case "<":
			return got < want
		case ">=":
			return got >= want
		}
		return got <= want
	}
}

func (p *parser) textCondition(path selector, op, want string) (condition, error) {
	if op != "=" && op != "!=" {
		return nil, p.fail("text can be compared with = and != alone, not with " + op)
	}
	parts := strings.Split(want, "*")
	return func(d any) bool {
		v, found := path.find(d)
		got, ok := v.(string)
		if !ok {
			return op == "!=" && found
		}
		return matchParts(got, parts) == (op == "=")
	}, nil
}

// matchParts reports whether s is the parts in order, with anything between them.
func matchParts(s string, parts []string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, last)
}
