package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth bounds nesting. A policy needs five levels.
const maxDepth = 16

type nodeKind int

const (
	nullNode nodeKind = iota
	stringNode
	numberNode
	boolNode
	listNode
	objectNode
)

// node is a JSON value that remembers the order and the lines of its fields.
// encoding/json into structs would lose duplicates, which AWS refuses.
type node struct {
	kind   nodeKind
	text   string // a string, or a number or boolean as written
	list   []*node
	fields []field
	line   int
}

type field struct {
	name  string
	value *node
}

func (k nodeKind) String() string {
	return [...]string{"null", "a string", "a number", "a boolean", "a list", "an object"}[k]
}

// treeReader builds nodes from tokens.
type treeReader struct {
	dec  *json.Decoder
	text []byte
	seen int // bytes of text whose lines are counted
	line int
}

// parseTree reads exactly one JSON value.
func parseTree(text []byte) (*node, error) {
	if !json.Valid(text) {
		return nil, syntaxError(text)
	}
	r := &treeReader{dec: json.NewDecoder(bytes.NewReader(text)), text: text, line: 1}
	r.dec.UseNumber()
	return r.value(0)
}

// syntaxError says what encoding/json finds wrong, and on which line.
func syntaxError(text []byte) error {
	var ignored any
	err := json.Unmarshal(text, &ignored)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at := min(int(syntax.Offset), len(text))
		return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:at], []byte("\n")), err)
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (r *treeReader) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("line %d: nested deeper than %d levels", r.line, maxDepth)
	}
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	n := &node{line: r.lineNow()}
	switch t := token.(type) {
	case string:
		n.kind, n.text = stringNode, t
	case json.Number:
		n.kind, n.text = numberNode, t.String()
	case bool:
		n.kind, n.text = boolNode, fmt.Sprint(t)
	case json.Delim:
		if t == '[' {
			return n, r.items(n, depth)
		}
		return n, r.members(n, depth)
	}
	return n, nil
}

func (r *treeReader) items(n *node, depth int) error {
	n.kind = listNode
	for r.dec.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.list = append(n.list, item)
	}
	_, err := r.dec.Token()
	return err
}

func (r *treeReader) members(n *node, depth int) error {
	n.kind = objectNode
	for r.dec.More() {
		name, err := r.dec.Token()
		if err != nil {
			return err
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.fields = append(n.fields, field{name: name.(string), value: value})
	}
	_, err := r.dec.Token()
	return err
}

func (r *treeReader) lineNow() int {
	at := int(r.dec.InputOffset())
	r.line += bytes.Count(r.text[r.seen:at], []byte("\n"))
	r.seen = at
	return r.line
}
