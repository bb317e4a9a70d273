package kind

import "engage/internal/localaws/provider/value"

// Top returns the name of the property that the change is in.
func (c Change) Top() string { return first(c.Path) }

// Refresh returns the inputs as they would have to be for the resource to be
// what it is now: those that a plane tells, where they differ. An input that
// nobody gave stays so, unless its default or the whole resource is being
// imported.
func (k Kind) Refresh(inputs, now value.Map, defaults map[string]string, imported bool) value.Map {
	out, now := value.Merge(inputs), k.ownTags(inputs, now, defaults)
	for name, spec := range k.Inputs {
		v, told := now[name]
		old, given := inputs[name]
		v = prune(spec, old, v)
		switch {
		case !told || spec.Unused || equal(spec, old, v):
		case given || imported || (!spec.Computed && !empty(v)):
			out[name] = v
		}
	}
	return out
}

// prune takes out of what a plane tells those members of objects that the
// service fills in and the program did not give.
func prune(spec Property, given, told any) any {
	switch told := told.(type) {
	case value.Map:
		if spec.Type != Nested {
			return told
		}
		own, _ := given.(value.Map)
		out := value.Map{}
		for name, v := range told {
			field := spec.Fields[name]
			if _, has := own[name]; has || !(field.Computed || field.Unused) {
				out[name] = prune(field, own[name], v)
			}
		}
		return out
	case []any:
		own, _ := given.([]any)
		out := make([]any, len(told))
		for i, v := range told {
			var e any
			if len(own) == len(told) {
				e = own[i]
			}
			out[i] = prune(spec.element(), e, v)
		}
		return out
	}
	return told
}

// Computed returns what of a state a plane computed: not what a program gives.
func (k Kind) Computed(state value.Map) value.Map {
	out := value.Map{}
	for _, name := range k.Output {
		if v, ok := state[name]; ok {
			out[name] = v
		}
	}
	for name, spec := range k.Inputs {
		if v, ok := state[name]; ok && spec.Computed {
			out[name] = v
		}
	}
	return out
}
