package pattern

import (
	"strconv"
	"strings"
)

// field is one place of a space-delimited pattern.
type field struct {
	name  string
	rest  bool // "...": any number of fields
	tests [][]test
}

// test compares a field; the tests of a field are alternatives of which all have to hold.
type test struct {
	op    string
	text  string
	parts []string // of the text, around its wildcards
	n     float64
	isN   bool
}

// parseFields reads "[ip, user, ..., status >= 400, bytes = 1*]".
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html#matching-terms-unstructured-log-events
func parseFields(text string) (Pattern, error) {
	p := &parser{text: text}
	p.skip()
	p.pos++ // the bracket
	var fields []field
	for !p.take("]") {
		if len(fields) > 0 && !p.take(",") {
			return Pattern{}, p.fail("expected , or ]")
		}
		f, err := p.field()
		if err != nil {
			return Pattern{}, err
		}
		fields = append(fields, f)
	}
	if p.skip(); p.pos < len(text) {
		return Pattern{}, p.fail("there is text after the closing ]")
	}
	rests := 0
	for _, f := range fields {
		if f.rest {
			rests++
		}
	}
	if rests > 1 {
		return Pattern{}, p.fail("there is more than one ...")
	}
	find := func(message string) (map[string]string, bool) { return matchFields(fields, split(message)) }
	return Pattern{
		match:   func(message string) bool { _, ok := find(message); return ok },
		extract: func(message string) map[string]string { values, _ := find(message); return values },
	}, nil
}

// field reads "name", "...", or comparisons of one name joined by && and ||.
func (p *parser) field() (field, error) {
	if p.take("...") {
		return field{rest: true}, nil
	}
	var f field
	group := []test{}
	for {
		name := p.word()
		if name == "" || f.name != "" && name != f.name {
			return f, p.fail("expected the name of a field")
		}
		f.name = name
		t, ok, err := p.test()
		if err != nil {
			return f, err
		}
		if !ok && len(f.tests)+len(group) == 0 {
			return f, nil
		}
		if !ok {
			return f, p.fail("expected a comparison")
		}
		group = append(group, t)
		switch {
		case p.take("&&"):
		case p.take("||"):
			f.tests, group = append(f.tests, group), nil
		default:
			f.tests = append(f.tests, group)
			return f, nil
		}
	}
}

func (p *parser) word() string {
	p.skip()
	start := p.pos
	for p.pos < len(p.text) && (isWord(p.text[p.pos]) || p.text[p.pos] == '-') {
		p.pos++
	}
	return p.text[start:p.pos]
}

// test reads an operator and a value, false when there is no operator.
func (p *parser) test() (t test, ok bool, err error) {
	for _, op := range []string{"!=", ">=", "<=", "=", ">", "<"} {
		if !p.take(op) {
			continue
		}
		t.op = op
		if t.text, err = p.operand(); err != nil {
			return t, false, err
		}
		t.n, err = strconv.ParseFloat(t.text, 64)
		t.isN = err == nil
		if op != "=" && op != "!=" && !t.isN {
			return t, false, p.fail("only numbers are greater or less")
		}
		t.parts = strings.Split(t.text, "*")
		return t, true, nil
	}
	return t, false, nil
}

// operand reads a value: in quotes, or up to a space, a comma or the end.
func (p *parser) operand() (string, error) {
	p.skip()
	if p.pos < len(p.text) && p.text[p.pos] == '"' {
		value, next, err := scanQuoted(p.text, p.pos)
		p.pos = next
		return value, err
	}
	start := p.pos
	for p.pos < len(p.text) && !isSpace(p.text[p.pos]) && !strings.ContainsRune(",]&|", rune(p.text[p.pos])) {
		p.pos++
	}
	if start == p.pos {
		return "", p.fail("expected a value")
	}
	if p.text[start] == '%' {
		return "", &UnsupportedError{"%regular expression%"}
	}
	return p.text[start:p.pos], nil
}

func (t test) holds(value string) bool {
	n, err := strconv.ParseFloat(value, 64)
	number := err == nil && t.isN
	switch t.op {
	case "=":
		return number && n == t.n || matchParts(value, t.parts)
	case "!=":
		return !(number && n == t.n || matchParts(value, t.parts))
	case ">":
		return number && n > t.n
	case "<":
		return number && n < t.n
	case ">=":
		return number && n >= t.n
	}
	return number && n <= t.n
}

func (f field) holds(value string) bool {
	if len(f.tests) == 0 {
		return true
	}
	for _, group := range f.tests {
		all := true
		for _, t := range group {
			all = all && t.holds(value)
		}
		if all {
			return true
		}
	}
	return false
}

// split returns the fields of a message: words, and what is in brackets or quotes.
func split(message string) (values []string) {
	closing := map[byte]byte{'[': ']', '"': '"'}
	for i := 0; i < len(message); {
		if isSpace(message[i]) {
			i++
			continue
		}
		if end, ok := closing[message[i]]; ok {
			if n := strings.IndexByte(message[i+1:], end); n >= 0 {
				values = append(values, message[i+1:i+1+n])
				i += n + 2
				continue
			}
		}
		start := i
		for i < len(message) && !isSpace(message[i]) {
			i++
		}
		values = append(values, message[start:i])
	}
	return values
}

// matchFields pairs fields and values, from both ends towards the dots. The
// values have their fields' names, with a $ in front.
func matchFields(fields []field, values []string) (map[string]string, bool) {
	found, shift := map[string]string{}, 0
	for i, f := range fields {
		if f.rest {
			if shift = len(values) - len(fields); shift < -1 {
				return nil, false
			}
			continue
		}
		at := i + shift
		if at >= len(values) || !f.holds(values[at]) {
			return nil, false
		}
		found["$"+f.name] = values[at]
	}
	if !hasRest(fields) && len(values) != len(fields) {
		return nil, false
	}
	return found, true
}

func hasRest(fields []field) bool {
	for _, f := range fields {
		if f.rest {
			return true
		}
	}
	return false
}
