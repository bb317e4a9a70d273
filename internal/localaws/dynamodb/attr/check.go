package attr

import (
	"maps"
	"slices"
)

// MaxDepth is how deep lists and maps may be nested.
const MaxDepth = 32

// Check says in AWS's words what is wrong with a value, "" for nothing.
func (v Value) Check() string { return v.check(0) }

// Check says in AWS's words what is wrong with an item's values, "" for nothing.
func (i Item) Check() string { return i.check(0) }

func (i Item) check(depth int) string {
	for _, name := range slices.Sorted(maps.Keys(i)) {
		if message := i[name].check(depth); message != "" {
			return message
		}
	}
	return ""
}

func (v Value) check(depth int) string {
	switch v.Kind {
	case Invalid:
		if v.Text == "" {
			return errEmpty // null in JSON
		}
		return v.Text
	case L, M:
		if depth++; depth > MaxDepth {
			return "Nesting Levels have exceeded supported limits"
		}
		for _, e := range v.List {
			if message := e.check(depth); message != "" {
				return message
			}
		}
		return v.Map.check(depth)
	}
	return ""
}
