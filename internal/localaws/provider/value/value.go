// Package value holds the property values of Pulumi's resource-provider
// protocol as plain Go values, with what JSON cannot say made explicit: a value
// that a preview does not know yet, and a file that belongs to the program.
//
// A value is nil, bool, float64, string, []any, Map, [Unknown] or [File].
package value

import (
	"maps"
	"reflect"
)

// Map is an object: property names to values.
type Map = map[string]any

// Unknown is a value that is known only after something has been made.
type Unknown struct{}

// File is an asset or an archive of the program: a path and the SHA-256 of its
// contents in hex. Two files with one hash are one value, wherever they lie.
type File struct {
	Path    string
	Hash    string
	Archive bool
}

// Known tells whether no part of v is [Unknown].
func Known(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return false
	case Map:
		for _, e := range v {
			if !Known(e) {
				return false
			}
		}
	case []any:
		for _, e := range v {
			if !Known(e) {
				return false
			}
		}
	}
	return true
}

// Equal tells whether a and b are one value. Files are equal by their hash; an
// absent member of an object equals one that is nil.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case File:
		f, ok := b.(File)
		return ok && f.Hash == a.Hash && f.Archive == a.Archive
	case Map:
		m, ok := b.(Map)
		return ok && equalMaps(a, m)
	case []any:
		l, ok := b.([]any)
		if !ok || len(l) != len(a) {
			return false
		}
		for i := range a {
			if !Equal(a[i], l[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func equalMaps(a, b Map) bool {
	for k, v := range a {
		if !Equal(v, b[k]) {
			return false
		}
	}
	for k, v := range b {
		if _, seen := a[k]; !seen && v != nil {
			return false
		}
	}
	return true
}

// Merge returns the members of every map; the last one to name a member wins.
func Merge(ms ...Map) Map {
	out := Map{}
	for _, m := range ms {
		maps.Copy(out, m)
	}
	return out
}

// String returns the string that m holds under name, or "".
func String(m Map, name string) string { s, _ := m[name].(string); return s }

// Bool returns the boolean that m holds under name, or false.
func Bool(m Map, name string) bool { b, _ := m[name].(bool); return b }

// Int returns the number that m holds under name, or 0.
func Int(m Map, name string) int { f, _ := m[name].(float64); return int(f) }

// Object returns the object that m holds under name, or nil.
func Object(m Map, name string) Map { o, _ := m[name].(Map); return o }

// List returns the list that m holds under name, or nil.
func List(m Map, name string) []any { l, _ := m[name].([]any); return l }

// Strings returns the strings of the list that m holds under name.
func Strings(m Map, name string) []string {
	var out []string
	for _, v := range List(m, name) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// StringMap returns the strings of the object that m holds under name.
func StringMap(m Map, name string) map[string]string {
	out := map[string]string{}
	for k, v := range Object(m, name) {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// FromStrings returns ss as a value.
func FromStrings(ss []string) []any {
	out := make([]any, len(ss))
	for i, s := range ss {
		out[i] = s
	}
	return out
}

// FromStringMap returns m as a value.
func FromStringMap(m map[string]string) Map {
	out := make(Map, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
