// Package attr has DynamoDB's attribute values: their types, sizes, order,
// and their forms as JSON, in the store and inside keys.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
package attr

import (
	"maps"
	"slices"
)

// Kind is the type of a value.
type Kind byte

// The types. Their numbers are part of the stored form.
const (
	Invalid Kind = iota // Text says what is wrong with the value
	S
	N
	B
	Bool
	Null
	SS
	NS
	BS
	L
	M
)

var kindNames = [...]string{"", "S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}

// String returns the type's name in the API.
func (k Kind) String() string { return kindNames[k] }

// KindOf returns the type of a name, Invalid for a name that is none.
func KindOf(name string) Kind { return Kind(max(0, slices.Index(kindNames[:], name))) }

// IsSet reports whether values of the type are sets.
func (k Kind) IsSet() bool { return k == SS || k == NS || k == BS }

// Element returns the type of a set's members.
func (k Kind) Element() Kind { return k - SS + S }

// Value is one attribute value. It is not changed once made.
type Value struct {
	Kind Kind
	Bool bool
	Text string   // S; N in canonical form; the bytes of B; what is wrong
	Set  []string // the members, each as Text would be
	List []Value
	Map  Item
}

// Item is a set of named values: an item, a key or a map.
type Item map[string]Value

// String makes a string value.
func String(s string) Value { return Value{Kind: S, Text: s} }

// Equal reports whether two values are the same; sets have no order.
func (v Value) Equal(w Value) bool {
	if v.Kind != w.Kind || v.Bool != w.Bool || v.Text != w.Text {
		return false
	}
	switch v.Kind {
	case SS, NS, BS:
		return len(v.Set) == len(w.Set) && !slices.ContainsFunc(v.Set, func(m string) bool { return !slices.Contains(w.Set, m) })
	case L:
		return slices.EqualFunc(v.List, w.List, Value.Equal)
	case M:
		return v.Map.Equal(w.Map)
	}
	return true
}

// Equal reports whether two items have the same attributes.
func (i Item) Equal(j Item) bool { return maps.EqualFunc(i, j, Value.Equal) }

// Clone copies an item so far that lists and maps of the copy can be changed.
func (i Item) Clone() Item {
	c := make(Item, len(i))
	for name, v := range i {
		c[name] = v.clone()
	}
	return c
}

func (v Value) clone() Value {
	switch v.Kind {
	case L:
		v.List = slices.Clone(v.List)
		for n := range v.List {
			v.List[n] = v.List[n].clone()
		}
	case M:
		v.Map = v.Map.Clone()
	}
	return v
}

// Size returns the bytes that an item counts for:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (i Item) Size() int {
	n := 0
	for name, v := range i {
		n += len(name) + v.Size()
	}
	return n
}

// containerSize is what a list or a map counts for beside its elements, each
// of which has one byte more.
const containerSize = 3

// Size returns the bytes that a value counts for.
func (v Value) Size() int {
	n := 0
	switch v.Kind {
	case S, B:
		return len(v.Text)
	case N:
		return numberSize(v.Text)
	case Bool, Null:
		return 1
	case NS:
		for _, m := range v.Set {
			n += numberSize(m)
		}
	case SS, BS:
		for _, m := range v.Set {
			n += len(m)
		}
	case L:
		n = containerSize + len(v.List)
		for _, e := range v.List {
			n += e.Size()
		}
	case M:
		n = containerSize + len(v.Map) + v.Map.Size()
	}
	return n
}
