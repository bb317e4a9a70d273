package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// maxDepth bounds nesting so that a hostile document cannot exhaust the stack.
const maxDepth = 1000

// DuplicateField is the error for an object that names a field twice.
type DuplicateField struct{ Name string }

func (e *DuplicateField) Error() string { return fmt.Sprintf("duplicate field %q", e.Name) }

// Decode reads one JSON document. A field that appears twice takes the last value, as AWS does it for inputs.
func Decode(text []byte) (any, error) { return decode(text, false) }

// DecodeStrict reads one JSON document and refuses an object that names a field twice (*DuplicateField).
func DecodeStrict(text []byte) (any, error) { return decode(text, true) }

func decode(text []byte, strict bool) (any, error) {
	d := decoder{json: json.NewDecoder(bytes.NewReader(text)), strict: strict}
	d.json.UseNumber()
	v, err := d.next(0)
	if err != nil {
		return nil, asSyntax(err)
	}
	if _, err := d.json.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("unexpected text after the JSON document at byte %d", d.json.InputOffset())
	}
	return v, nil
}

func asSyntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("unexpected end of the JSON document")
	}
	return err
}

type decoder struct {
	json   *json.Decoder
	strict bool
}

func (d *decoder) next(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("JSON document is nested deeper than %d levels", maxDepth)
	}
	token, err := d.json.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return d.object(depth)
		}
		return d.array(depth)
	case json.Number:
		return Number(t)
	}
	return token, nil
}

func (d *decoder) object(depth int) (any, error) {
	o := NewObject(4)
	for d.json.More() {
		name, err := d.json.Token()
		if err != nil {
			return nil, err
		}
		key := name.(string) // the decoder accepts nothing else here
		v, err := d.next(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, twice := o.Get(key); twice && d.strict {
			return nil, &DuplicateField{Name: key}
		}
		o.Set(key, v)
	}
	_, err := d.json.Token()
	return o, err
}

func (d *decoder) array(depth int) (any, error) {
	a := []any{}
	for d.json.More() {
		v, err := d.next(depth + 1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.json.Token()
	return a, err
}

// Number turns a JSON number's text into int64, float64 or, where neither is exact enough, json.Number.
func Number(n json.Number) (any, error) {
	text := string(n)
	if !strings.ContainsAny(text, ".eE") {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil && text != "-0" {
			return i, nil
		}
		if text != "-0" {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, fmt.Errorf("number %s is out of range", text)
	}
	return f, nil
}
