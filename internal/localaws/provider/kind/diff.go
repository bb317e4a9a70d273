package kind

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"engage/internal/localaws/provider/value"
)

// Change is what differs at one property.
type Change struct {
	Path    string
	Op      Op
	Replace bool
}

// Op is how a property changed.
type Op int

// The ways.
const (
	Add Op = iota
	Remove
	Alter
)

// Diff returns what has changed from the old inputs to the new ones, by path. An
// unknown value counts as changed: it may be. What is in ignored, by its first
// name, is left out.
func (k Kind) Diff(olds, news value.Map, ignored []string) []Change {
	d := differ{}
	d.object("", k.Inputs, olds, news, false)
	return slices.DeleteFunc(d.changes, func(c Change) bool { return slices.Contains(ignored, first(c.Path)) })
}

type differ struct{ changes []Change }

func (d *differ) object(path string, specs Object, olds, news value.Map, replace bool) {
	names := value.Merge(olds, news)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		spec := specs[name]
		d.property(join(path, name), spec, olds[name], news[name], replace || spec.Replace)
	}
}

func (d *differ) property(path string, spec Property, old, new any, replace bool) {
	if equal(spec, old, new) {
		return
	}
	om, oldObject := old.(value.Map)
	nm, newObject := new.(value.Map)
	ol, oldList := old.([]any)
	nl, newList := new.([]any)
	switch {
	case oldObject && newObject:
		d.object(path, spec.members(om, nm), om, nm, replace)
	case oldList && newList && spec.Type == List && len(ol) == len(nl):
		for i := range ol {
			d.property(fmt.Sprintf("%s[%d]", path, i), spec.element(), ol[i], nl[i], replace)
		}
	default:
		d.changes = append(d.changes, Change{Path: path, Op: op(old, new), Replace: replace})
	}
}

// members returns what the members of an object are: declared one by one, or
// all of one type.
func (p Property) members(a, b value.Map) Object {
	if p.Type == Nested {
		return p.Fields
	}
	out := Object{}
	for name := range value.Merge(a, b) {
		out[name] = p.element()
	}
	return out
}

func op(old, new any) Op {
	switch {
	case old == nil:
		return Add
	case new == nil:
		return Remove
	}
	return Alter
}

// equal compares two values as AWS would: documents by their meaning, sets
// without order, an empty collection like none.
func equal(spec Property, a, b any) bool {
	if empty(a) && empty(b) {
		return true
	}
	switch spec.Type {
	case Document:
		return sameDocument(a, b)
	case Set:
		return sameSet(spec.element(), a, b)
	case List:
		return sameList(spec.element(), a, b)
	case Nested, Dict:
		am, aok := a.(value.Map)
		bm, bok := b.(value.Map)
		if !aok || !bok {
			return value.Equal(a, b)
		}
		specs := spec.members(am, bm)
		for name := range value.Merge(am, bm) {
			if !equal(specs[name], am[name], bm[name]) {
				return false
			}
		}
		return true
	}
	return value.Equal(a, b)
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case value.Map:
		for _, e := range v {
			if !empty(e) {
				return false
			}
		}
		return true
	}
	return false
}

func sameList(spec Property, a, b any) bool {
	al, aok := a.([]any)
	bl, bok := b.([]any)
	return aok && bok && slices.EqualFunc(al, bl, func(x, y any) bool { return equal(spec, x, y) })
}

func sameSet(spec Property, a, b any) bool {
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if !aok || !bok || len(al) != len(bl) {
		return false
	}
	rest := slices.Clone(bl)
	for _, x := range al {
		i := slices.IndexFunc(rest, func(y any) bool { return equal(spec, x, y) })
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return true
}

func sameDocument(a, b any) bool {
	as, aok := a.(string)
	bs, bok := b.(string)
	if !aok || !bok {
		return false
	}
	if as == bs {
		return true
	}
	ad, aerr := Parse(as)
	bd, berr := Parse(bs)
	return aerr == nil && berr == nil && value.Equal(normal(ad), normal(bd))
}

// Parse returns the JSON document in s.
func Parse(s string) (any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("there is more after the end of the document")
	}
	return v, nil
}

// normal makes a list of one string the string itself: in a policy the two mean
// the same, and IAM answers with either.
func normal(v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) == 1 {
			if s, ok := v[0].(string); ok {
				return s
			}
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = normal(e)
		}
		return out
	case map[string]any:
		out := value.Map{}
		for k, e := range v {
			out[k] = normal(e)
		}
		return out
	}
	return v
}

func first(path string) string {
	for i, r := range path {
		if r == '.' || r == '[' {
			return path[:i]
		}
	}
	return path
}
