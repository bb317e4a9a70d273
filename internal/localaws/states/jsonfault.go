package states

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// jsonFault is why a text is not JSON, in the words of the parser that AWS uses (Jackson).
type jsonFault struct {
	message      string
	line, column int
	text         string
}

// source is where the fault is, as the parser tells it.
func (f *jsonFault) source() string {
	const most = 500
	text, cut := f.text, ""
	if len(text) > most {
		text, cut = text[:most], fmt.Sprintf("[truncated %d chars]", len(f.text)-most)
	}
	return fmt.Sprintf(`[Source: (String)"%s"%s; line: %d, column: %d]`, text, cut, f.line, f.column)
}

const (
	anyValue  = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	closeMark = "expected close marker for %s (start marker at [Source: (String)\"\"; line: %d, column: %d])"
)

// invalidJSON finds the first fault of a text; nil when it is one JSON value.
func invalidJSON(text string) *jsonFault {
	j := &jsonReader{text: text}
	if strings.TrimSpace(text) == "" {
		return j.fault("Invalid execution input.")
	}
	if f := j.value(); f != nil {
		return f
	}
	if j.space(); j.at < len(text) {
		return j.unexpected("expected a single value")
	}
	return nil
}

// jsonReader walks over a text once, without keeping what it means.
type jsonReader struct {
	text  string
	at    int
	depth int
}

func (j *jsonReader) fault(format string, args ...any) *jsonFault {
	before := j.text[:min(j.at, len(j.text))]
	line := strings.Count(before, "\n")
	return &jsonFault{message: fmt.Sprintf(format, args...), line: line + 1, column: len(before) - strings.LastIndexByte(before, '\n'), text: j.text}
}

// unexpected blames the character that comes next.
func (j *jsonReader) unexpected(wanted string) *jsonFault {
	if j.at >= len(j.text) {
		return j.fault("Unexpected end-of-input: %s", wanted)
	}
	r, n := utf8.DecodeRuneInString(j.text[j.at:])
	j.at += n
	if r < ' ' {
		return j.fault("Illegal character ((CTRL-CHAR, code %d)): only regular white space (\\r, \\n, \\t) is allowed between tokens", r)
	}
	return j.fault("Unexpected character ('%c' (code %d)): %s", r, r, wanted)
}

func (j *jsonReader) space() {
	for j.at < len(j.text) && strings.IndexByte(" \t\r\n", j.text[j.at]) >= 0 {
		j.at++
	}
}

func (j *jsonReader) next() byte {
	j.space()
	if j.at < len(j.text) {
		return j.text[j.at]
	}
	return 0
}

const maxDepth = 1000

func (j *jsonReader) value() *jsonFault {
	if j.depth++; j.depth > maxDepth {
		return j.fault("Document nesting depth (%d) exceeds the maximum allowed (%d)", j.depth, maxDepth)
	}
	defer func() { j.depth-- }()
	switch c := j.next(); {
	case c == '{':
		return j.members("Object", '}', j.member)
	case c == '[':
		return j.members("Array", ']', j.value)
	case c == '"':
		return j.quoted()
	case c == '-' || c >= '0' && c <= '9':
		return j.number()
	case letter(c):
		return j.word()
	}
	return j.unexpected("expected a valid value " + anyValue)
}

// members reads what stands between the marks of an object or an array.
func (j *jsonReader) members(kind string, end byte, member func() *jsonFault) *jsonFault {
	start := j.fault("")
	j.at++
	if j.next() == end {
		j.at++
		return nil
	}
	for {
		if j.next(); j.at >= len(j.text) {
			return j.unexpected(fmt.Sprintf(closeMark, kind, start.line, start.column))
		}
		if f := member(); f != nil {
			return f
		}
		switch c := j.next(); {
		case c == end:
			j.at++
			return nil
		case c == ',':
			j.at++
		case j.at >= len(j.text):
			return j.unexpected(fmt.Sprintf(closeMark, kind, start.line, start.column))
		default:
			return j.unexpected("was expecting comma to separate " + kind + " entries")
		}
	}
}

func (j *jsonReader) member() *jsonFault {
	if j.text[j.at] != '"' {
		return j.unexpected("was expecting double-quote to start field name")
	}
	if f := j.quoted(); f != nil {
		return f
	}
	if j.next() != ':' {
		return j.unexpected("was expecting a colon to separate field name and value")
	}
	j.at++
	return j.value()
}

func (j *jsonReader) quoted() *jsonFault {
	for j.at++; j.at < len(j.text); j.at++ {
		switch c := j.text[j.at]; {
		case c == '"':
			j.at++
			return nil
		case c == '\\':
			if f := j.escape(); f != nil {
				return f
			}
		case c < ' ':
			j.at++
			return j.fault("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		}
	}
	return j.fault("Unexpected end-of-input: was expecting closing quote for a string value")
}

// escape leaves the reader on the last character of an escape.
func (j *jsonReader) escape() *jsonFault {
	j.at++
	rest := j.text[min(j.at, len(j.text)):]
	switch {
	case rest == "":
		return nil // the end is told by the caller
	case rest[0] == 'u':
		for range 4 {
			if j.at++; j.at >= len(j.text) {
				return nil
			}
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(j.text[j.at])) {
				return j.unexpected("expected a hex-digit for character escape sequence")
			}
		}
	case !strings.ContainsRune(`"\/bfnrt`, rune(rest[0])):
		r, n := utf8.DecodeRuneInString(rest)
		j.at += n
		return j.fault("Unrecognized character escape '%c' (code %d)", r, r)
	}
	return nil
}

func (j *jsonReader) number() *jsonFault {
	digits := func() int {
		from := j.at
		for j.at < len(j.text) && j.text[j.at] >= '0' && j.text[j.at] <= '9' {
			j.at++
		}
		return j.at - from
	}
	if j.text[j.at] == '-' {
		j.at++
	}
	from := j.at
	if digits() == 0 {
		return j.unexpected("expected digit (0-9) to follow minus sign, for valid numeric value")
	}
	if j.text[from] == '0' && j.at-from > 1 {
		return j.fault("Invalid numeric value: Leading zeroes not allowed")
	}
	if j.at < len(j.text) && j.text[j.at] == '.' {
		j.at++
		if digits() == 0 {
			return j.unexpected("Decimal point not followed by a digit")
		}
	}
	if j.at < len(j.text) && (j.text[j.at] == 'e' || j.text[j.at] == 'E') {
		j.at++
		if j.at < len(j.text) && (j.text[j.at] == '+' || j.text[j.at] == '-') {
			j.at++
		}
		if digits() == 0 {
			return j.unexpected("Exponent indicator not followed by a digit")
		}
	}
	return nil
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= utf8.RuneSelf
}

func (j *jsonReader) word() *jsonFault {
	from := j.at
	for j.at < len(j.text) && (letter(j.text[j.at]) || j.text[j.at] >= '0' && j.text[j.at] <= '9') {
		j.at++
	}
	switch w := j.text[from:j.at]; w {
	case "null", "true", "false":
		return nil
	default:
		return j.fault("Unrecognized token '%s': was expecting %s", w, anyValue)
	}
}
