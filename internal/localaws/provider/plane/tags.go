package plane

import (
	"maps"
	"slices"

	"engage/internal/localaws/provider/value"
)

// tagChange returns what to set and what to take away so that a resource with
// the old tags has the new ones.
func tagChange(old, in value.Map) (set map[string]string, drop []string) {
	// The state holds a program's own tags under "tags" and all of them, with
	// the provider's defaults, under "tagsAll"; inputs are complete.
	before, after := value.StringMap(old, "tagsAll"), value.StringMap(in, "tags")
	set = map[string]string{}
	for k, v := range after {
		if was, ok := before[k]; !ok || was != v {
			set[k] = v
		}
	}
	for _, k := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[k]; !ok {
			drop = append(drop, k)
		}
	}
	return set, drop
}

// tagList returns the tags of an object as a service's list of them.
func tagList[T any](tags map[string]string, make func(k, v string) T) []T {
	out := []T{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, make(k, tags[k]))
	}
	return out
}

// tagValue returns a service's list of tags as a value.
func tagValue[T any](list []T, split func(T) (k, v *string)) value.Map {
	out := value.Map{}
	for _, t := range list {
		if k, v := split(t); k != nil && v != nil {
			out[*k] = *v
		}
	}
	return out
}
