// Package value holds JSON documents as a state machine sees them: objects keep the order of their
// fields and numbers keep their kind, so that what passes through a workflow comes out as it went in.
//
// A document is one of nil, bool, string, int64, float64, json.Number (a number that neither int64 nor
// float64 holds exactly), []any and *Object. Documents are shared between states and are never changed
// in place once they are visible to more than one of them.
package value

import (
	"encoding/json"
	"math"
	"math/big"
)

// indexFrom is the number of fields from which an object keeps an index of its names.
const indexFrom = 12

// Object is a JSON object that keeps the order of its fields.
// It satisfies jp.Keyed of github.com/ohler55/ojg, so JSONPath reads it directly.
type Object struct {
	keys   []string
	values []any
	index  map[string]int
}

// NewObject returns an empty object with room for n fields.
func NewObject(n int) *Object {
	return &Object{keys: make([]string, 0, n), values: make([]any, 0, n)}
}

// Of builds an object from alternating names and values; it panics when a name is not a string.
func Of(pairs ...any) *Object {
	o := NewObject(len(pairs) / 2)
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Len is the number of fields.
func (o *Object) Len() int { return len(o.keys) }

// Keys lists the names in order. The caller must not change the slice.
func (o *Object) Keys() []string { return o.keys }

// At returns the i-th field.
func (o *Object) At(i int) (string, any) { return o.keys[i], o.values[i] }

func (o *Object) find(key string) int {
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range o.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// Get returns a field's value and whether the field exists.
func (o *Object) Get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.values[i], true
	}
	return nil, false
}

// Set adds a field at the end, or replaces the value of one that exists where it stands.
func (o *Object) Set(key string, v any) {
	if i := o.find(key); i >= 0 {
		o.values[i] = v
		return
	}
	o.keys, o.values = append(o.keys, key), append(o.values, v)
	if o.index != nil {
		o.index[key] = len(o.keys) - 1
	} else if len(o.keys) >= indexFrom {
		o.reindex()
	}
}

func (o *Object) reindex() {
	o.index = make(map[string]int, 2*len(o.keys))
	for i, k := range o.keys {
		o.index[k] = i
	}
}

// Copy returns a shallow copy whose fields may be set without touching the original.
func (o *Object) Copy() *Object {
	c := NewObject(len(o.keys) + 1)
	c.keys, c.values = append(c.keys, o.keys...), append(c.values, o.values...)
	if o.index != nil {
		c.reindex()
	}
	return c
}

// ValueForKey, SetValueForKey, RemoveValueForKey: jp.Keyed.

// ValueForKey is Get under the name that jp.Keyed wants.
func (o *Object) ValueForKey(key string) (any, bool) { return o.Get(key) }

// SetValueForKey is Set under the name that jp.Keyed wants.
func (o *Object) SetValueForKey(key string, v any) { o.Set(key, v) }

// RemoveValueForKey removes a field when it exists.
func (o *Object) RemoveValueForKey(key string) {
	i := o.find(key)
	if i < 0 {
		return
	}
	o.keys, o.values = append(o.keys[:i:i], o.keys[i+1:]...), append(o.values[:i:i], o.values[i+1:]...)
	if o.index != nil {
		o.reindex()
	}
}

// Equal tells whether two documents are the same JSON value: field order does not count, and
// numbers are compared by their mathematical value.
func Equal(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case string:
		y, ok := b.(string)
		return ok && x == y
	case []any:
		y, ok := b.([]any)
		return ok && equalArrays(x, y)
	case *Object:
		y, ok := b.(*Object)
		return ok && equalObjects(x, y)
	}
	c, ok := CompareNumbers(a, b)
	return ok && c == 0
}

func equalArrays(x, y []any) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !Equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

func equalObjects(x, y *Object) bool {
	if x.Len() != y.Len() {
		return false
	}
	for i, k := range x.keys {
		v, ok := y.Get(k)
		if !ok || !Equal(x.values[i], v) {
			return false
		}
	}
	return true
}

// CompareNumbers orders two numbers; ok is false when one of the two is not a number.
func CompareNumbers(a, b any) (c int, ok bool) {
	if x, isInt := a.(int64); isInt {
		if y, both := b.(int64); both {
			return compare(x, y), true
		}
	}
	if x, isFloat := a.(float64); isFloat {
		if y, both := b.(float64); both {
			return compare(x, y), true
		}
	}
	x, y := exact(a), exact(b)
	if x == nil || y == nil {
		return 0, false
	}
	return x.Cmp(y), true
}

func compare[T int64 | float64](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// exact holds a number without loss. Exponents are bounded by Decode, so this stays small.
func exact(v any) *big.Rat {
	switch n := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(n)
	case float64:
		return new(big.Rat).SetFloat64(n) // nil for an infinity, which JSON cannot hold
	case json.Number:
		if r, ok := new(big.Rat).SetString(string(n)); ok {
			return r
		}
	}
	return nil
}

// IsNumber tells whether v is a JSON number.
func IsNumber(v any) bool {
	switch v.(type) {
	case int64, float64, json.Number:
		return true
	}
	return false
}

// Integer returns v as an integer when it is a number without a fractional part that int64 holds.
func Integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), true
		}
	}
	return 0, false
}

// KindOf names the JSON type of v, for messages.
func KindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case *Object:
		return "object"
	}
	return "number"
}
