package gbdt

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// textJSON is RFC 8259 with the numbers NaN, Infinity and -Infinity, which
// XGBoost writes; encoding/json refuses those, and is too slow for the millions
// of numbers of a model that a function must load before its first answer.
type textJSON struct {
	data  []byte
	pos   int
	depth int
}

func (j *textJSON) offset() int { return j.pos }

func (j *textJSON) fail(reason string) error {
	if j.pos >= len(j.data) {
		reason = "the document ends too early"
	}
	return &FormatError{Offset: j.pos, Reason: reason}
}

// peek skips white space and returns the next byte, 0 at the end.
func (j *textJSON) peek() byte {
	for ; j.pos < len(j.data); j.pos++ {
		switch c := j.data[j.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (j *textJSON) expect(c byte) error {
	if j.peek() != c {
		return j.fail(fmt.Sprintf("expected %q", c))
	}
	j.pos++
	return nil
}

// list reads what stands between the brackets, item by item.
func (j *textJSON) list(first, last byte, item func() error) error {
	if err := j.expect(first); err != nil {
		return err
	}
	if j.depth++; j.depth > maxNesting {
		return j.fail("nested too deeply")
	}
	defer func() { j.depth-- }()
	if j.peek() == last {
		j.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if j.peek() == last {
			j.pos++
			return nil
		}
		if err := j.expect(','); err != nil {
			return err
		}
	}
}

func (j *textJSON) object(member func(key string) error) error {
	return j.list('{', '}', func() error {
		key, err := j.text()
		if err != nil {
			return err
		}
		if err := j.expect(':'); err != nil {
			return err
		}
		return member(key)
	})
}

func (j *textJSON) array(element func() error) error { return j.list('[', ']', element) }

func (j *textJSON) text() (string, error) {
	if j.peek() != '"' {
		return "", j.fail("expected a string")
	}
	begin, escaped := j.pos, false
	for j.pos++; j.pos < len(j.data); j.pos++ {
		switch c := j.data[j.pos]; {
		case c == '\\':
			escaped = true
			j.pos++
		case c == '"':
			j.pos++
			return unquote(j.data[begin:j.pos], escaped, begin)
		}
	}
	return "", j.fail("a string has no end")
}

func unquote(quoted []byte, escaped bool, offset int) (string, error) {
	if !escaped {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", &FormatError{Offset: offset, Reason: "a string is malformed"}
	}
	return s, nil
}

// word returns the characters of a number, a truth value or null.
func (j *textJSON) word() []byte {
	j.peek()
	begin := j.pos
	for ; j.pos < len(j.data); j.pos++ {
		switch c := j.data[j.pos]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '+', c == '.':
		default:
			return j.data[begin:j.pos]
		}
	}
	return j.data[begin:j.pos]
}

func (j *textJSON) floats(to []float32) ([]float32, error) {
	err := j.array(func() error {
		begin := j.pos
		v, ok := parseFloat(j.word())
		if !ok {
			j.pos = begin
			return j.fail("expected a number")
		}
		to = append(to, v)
		return nil
	})
	return to, err
}

func parseFloat(word []byte) (float32, bool) {
	switch string(word) {
	case "true":
		return 1, true
	case "false":
		return 0, true
	case "NaN", "nan":
		return float32(math.NaN()), true
	}
	// Out of range is an infinity, which the checks of the model deal with.
	v, err := strconv.ParseFloat(string(word), 32)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return float32(v), true
}

func (j *textJSON) ints(to []int32) ([]int32, error) {
	err := j.array(func() error {
		begin := j.pos
		v, ok := parseInt(j.word())
		if !ok {
			j.pos = begin
			return j.fail("expected an integer of 32 bits")
		}
		to = append(to, v)
		return nil
	})
	return to, err
}

func parseInt(word []byte) (int32, bool) {
	switch string(word) {
	case "true":
		return 1, true
	case "false":
		return 0, true
	}
	v, err := strconv.ParseInt(string(word), 10, 32)
	return int32(v), err == nil
}

func (j *textJSON) skip() error {
	switch j.peek() {
	case '{':
		return j.object(func(string) error { return j.skip() })
	case '[':
		return j.array(j.skip)
	case '"':
		_, err := j.text()
		return err
	}
	begin := j.pos
	word := j.word()
	if _, ok := parseFloat(word); !ok && string(word) != "null" {
		j.pos = begin
		return j.fail("expected a value")
	}
	return nil
}

func (j *textJSON) end() error {
	if j.peek() != 0 || j.pos < len(j.data) {
		return j.fail("something follows the document")
	}
	return nil
}
