// Package jsonpath compiles and evaluates the JSONPath of the Amazon States Language: paths that read
// (with wildcards, slices, unions, filters and descent) and reference paths, which name exactly one node
// and can be written.
//
// Paths and reference paths: https://states-language.net/spec.html#path
// The order and the failures of a read follow the Jayway library, which AWS Step Functions uses;
// filter expressions are parsed and matched by github.com/ohler55/ojg.
package jsonpath

import (
	"fmt"
	"strings"

	"engage/internal/localaws/asl/value"

	"github.com/ohler55/ojg/jp"
)

// Root says which document a path starts from.
type Root int

// The documents that a path can start from.
const (
	Input    Root = iota // $
	Context              // $$
	Variable             // $name
)

// Path is a compiled path. It is immutable and may be used by several goroutines.
type Path struct {
	text     string
	root     Root
	name     string // of the variable
	steps    []step
	definite bool
}

type stepKind int

const (
	child stepKind = iota
	index
	wildcard
	slice
	names
	indexes
	filter
	descent
)

type step struct {
	kind    stepKind
	name    string
	index   int
	names   []string
	indexes []int
	bounds  [2]*int
	match   *jp.Filter
}

// MissingError says that a path which must name one node names none.
type MissingError struct {
	Path    string // as written
	Reason  string
	PastEnd bool // it names an element behind the last of an array that is there
}

func (e *MissingError) Error() string { return fmt.Sprintf("Invalid path '%s' : %s", e.Path, e.Reason) }

// String is the path as written.
func (p *Path) String() string { return p.text }

// Root tells which document the path reads.
func (p *Path) Root() Root { return p.root }

// VariableName is the name of the variable that the path reads, when Root is Variable.
func (p *Path) VariableName() string { return p.name }

// IsRoot tells whether the path names the whole document.
func (p *Path) IsRoot() bool { return len(p.steps) == 0 }

// IsDefinite tells whether the path can name at most one node.
func (p *Path) IsDefinite() bool { return p.definite }

// IsReference tells whether the path is a reference path, which can be written with Put.
func (p *Path) IsReference() bool {
	for _, s := range p.steps {
		if s.kind != child && s.kind != index {
			return false
		}
	}
	return true
}

// Eval reads the path from its document. A definite path gives the node or *MissingError; any other
// gives an array of all nodes, which may be empty.
func (p *Path) Eval(document any) (any, error) {
	if p.definite {
		return p.single(document)
	}
	w := walker{path: p.steps, out: []any{}}
	if reason := w.walk(document, p.steps, true); reason != "" {
		return nil, &MissingError{Path: p.text, Reason: reason}
	}
	return w.out, nil
}

func (p *Path) single(node any) (any, error) {
	for i, s := range p.steps {
		next, ok := s.down(node)
		if !ok {
			return nil, &MissingError{Path: p.text, Reason: missing(p.steps, i), PastEnd: i == len(p.steps)-1 && pastEnd(node, s)}
		}
		node = next
	}
	return node, nil
}

// down takes a child or index step.
func (s *step) down(node any) (any, bool) {
	if s.kind == child {
		o, ok := node.(*value.Object)
		if !ok {
			return nil, false
		}
		return o.Get(s.name)
	}
	a, ok := node.([]any)
	if !ok {
		return nil, false
	}
	i := s.index
	if i < 0 {
		i += len(a)
	}
	if i < 0 || i >= len(a) {
		return nil, false
	}
	return a[i], true
}

// missing tells that step i names nothing, in Jayway's words: only a field on the way is told by name.
func missing(steps []step, i int) string {
	if i < len(steps)-1 && steps[i].kind == child {
		return "Missing property in path " + written(steps[:i+1])
	}
	return "No results for path: " + written(steps)
}

// written is a path as Jayway writes it.
func written(steps []step) string {
	var text strings.Builder
	text.WriteByte('$')
	for _, s := range steps {
		if s.kind == child {
			text.WriteString("['" + s.name + "']")
		} else {
			fmt.Fprintf(&text, "[%d]", s.index)
		}
	}
	return text.String()
}

// pastEnd tells whether the step names an element behind the last of an array.
func pastEnd(node any, s step) bool {
	a, ok := node.([]any)
	return ok && s.kind == index && s.index >= len(a)
}

// Names tells whether the path's first step names the field.
func (p *Path) Names(field string) bool {
	return len(p.steps) > 0 && p.steps[0].kind == child && p.steps[0].name == field
}
