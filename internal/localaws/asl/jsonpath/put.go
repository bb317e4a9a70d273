package jsonpath

import (
	"fmt"

	"engage/internal/localaws/asl/value"
)

// Put returns document with the node that the reference path names replaced by v, or added. Objects
// on the way that do not exist are created; an array is only written where it has an element.
// document itself is not changed: what lies on the path is copied.
func (p *Path) Put(document, v any) (any, error) {
	if !p.IsReference() {
		return nil, fmt.Errorf("path '%s' is not a reference path and cannot be written", p.text)
	}
	return put(document, p.steps, v)
}

func put(node any, steps []step, v any) (any, error) {
	if len(steps) == 0 {
		return v, nil
	}
	if steps[0].kind == child {
		return putField(node, steps, v)
	}
	a, ok := node.([]any)
	i := steps[0].index
	if !ok || i < 0 || i >= len(a) {
		return nil, fmt.Errorf("array index [%d] names no element to write", i)
	}
	below, err := put(a[i], steps[1:], v)
	if err != nil {
		return nil, err
	}
	written := append([]any(nil), a...)
	written[i] = below
	return written, nil
}

func putField(node any, steps []step, v any) (any, error) {
	if node == nil {
		node = value.NewObject(1)
	}
	o, ok := node.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("field '%s' cannot be written into a JSON %s", steps[0].name, value.KindOf(node))
	}
	old, _ := o.Get(steps[0].name)
	below, err := put(old, steps[1:], v)
	if err != nil {
		return nil, err
	}
	written := o.Copy()
	written.Set(steps[0].name, below)
	return written, nil
}
