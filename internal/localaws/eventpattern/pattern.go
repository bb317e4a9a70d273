package eventpattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Dialect is what two services understand differently.
type Dialect struct {
	// NumbersByValue makes 300 equal to 3.0e2, as SNS does. EventBridge
	// compares numbers as they are written.
	NumbersByValue bool
	// AllowEmpty lets a pattern have no field, which then matches everything.
	AllowEmpty bool
}

// The dialects of the services.
var (
	EventBridge = Dialect{}
	SNS         = Dialect{NumbersByValue: true, AllowEmpty: true}
)

// maxDepth bounds the nesting of a pattern, so that one cannot exhaust the stack.
const maxDepth = 64

// Pattern is a compiled pattern. It is immutable and safe for concurrent use.
type Pattern struct{ root object }

// object is what an object of the event has to fulfil: all fields, and one
// of the alternatives of each $or.
type object struct {
	fields []field
	ors    [][]object
}

// field is a name with either the conditions of its value or a pattern below it.
type field struct {
	name  string
	tests []test // one has to hold
	below *object
}

// Parse reads a pattern. The error names what is wrong and where.
func Parse(text string, dialect Dialect) (*Pattern, error) {
	value, err := Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the pattern is not valid JSON: %w", err)
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the pattern is not an object")
	}
	if len(members) == 0 && !dialect.AllowEmpty {
		return nil, fmt.Errorf("the pattern is empty")
	}
	root, err := parser{dialect}.object(members, "", 0)
	return &Pattern{root}, err
}

// Decode reads one JSON value and keeps numbers as they are written.
func Decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more than one value")
	}
	return value, nil
}

type parser struct{ Dialect }

func (p parser) object(members map[string]any, path string, depth int) (object, error) {
	var o object
	if depth > maxDepth {
		return o, fmt.Errorf("%s: the pattern is nested more than %d levels deep", path, maxDepth)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := path + "." + name
		if path == "" {
			at = name
		}
		var err error
		if list, ok := members[name].([]any); ok && name == "$or" && objects(list) {
			err = p.or(&o, list, at, depth)
		} else {
			err = p.field(&o, name, members[name], at, depth)
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// objects reports whether a $or is the operator, and not a field of that name.
func objects(list []any) bool {
	for _, item := range list {
		if _, ok := item.(map[string]any); !ok {
			return false
		}
	}
	return len(list) >= 2
}

func (p parser) or(o *object, list []any, at string, depth int) error {
	var alternatives []object
	for _, item := range list {
		alternative, err := p.object(item.(map[string]any), at, depth+1)
		if err != nil {
			return err
		}
		alternatives = append(alternatives, alternative)
	}
	o.ors = append(o.ors, alternatives)
	return nil
}

func (p parser) field(o *object, name string, value any, at string, depth int) error {
	f := field{name: name}
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			return fmt.Errorf("%s: an empty object is not allowed", at)
		}
		below, err := p.object(v, at, depth+1)
		if err != nil {
			return err
		}
		f.below = &below
	case []any:
		if len(v) == 0 {
			return fmt.Errorf("%s: an empty array is not allowed", at)
		}
		for _, item := range v {
			t, err := p.test(item)
			if err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			f.tests = append(f.tests, t)
		}
	default:
		return fmt.Errorf("%s: \"%v\" must be an object or an array", at, value)
	}
	o.fields = append(o.fields, f)
	return nil
}

// Match reports whether a JSON value, as Decode returns it, fits the pattern.
func (p *Pattern) Match(event any) bool {
	members, ok := event.(map[string]any)
	return ok && p.root.match(members)
}

// MatchJSON is Match for a text. What is not an object matches nothing.
func (p *Pattern) MatchJSON(text []byte) bool {
	event, err := Decode(text)
	return err == nil && p.Match(event)
}

func (o object) match(members map[string]any) bool {
	for _, f := range o.fields {
		if !f.match(members) {
			return false
		}
	}
	for _, alternatives := range o.ors {
		if !slices.ContainsFunc(alternatives, func(a object) bool { return a.match(members) }) {
			return false
		}
	}
	return true
}

func (f field) match(members map[string]any) bool {
	value, present := members[f.name]
	if f.below != nil {
		return f.below.within(value)
	}
	values := leaves(nil, value, present)
	for _, t := range f.tests {
		if t.absent {
			if len(values) == 0 {
				return true
			}
			continue
		}
		if slices.ContainsFunc(values, t.holds) {
			return true
		}
	}
	return false
}

// within matches an object, or one of the objects of an array. What is absent
// is an object without fields, which may be just what is asked for.
func (o object) within(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return o.match(v)
	case []any:
		return slices.ContainsFunc(v, o.within)
	}
	return o.match(nil)
}

// leaves returns the values that conditions look at: those of arrays one by
// one, and none for an object.
func leaves(found []any, value any, present bool) []any {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			found = leaves(found, item, true)
		}
		return found
	case map[string]any:
		return found
	}
	if present {
		found = append(found, value)
	}
	return found
}
