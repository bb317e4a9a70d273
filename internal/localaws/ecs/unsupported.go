package ecs

import (
	"bytes"
	"reflect"
	"slices"
	"strings"

	"engage/internal/localaws/wire"
)

// unsupported is a member that this endpoint has nothing for: it may be there
// as long as it asks for nothing. Anything else would change how a task
// behaves on AWS and is refused by name.
type unsupported []byte

// UnmarshalJSON keeps a value that asks for something.
func (u *unsupported) UnmarshalJSON(b []byte) error {
	switch string(bytes.TrimSpace(b)) {
	case "null", "[]", "{}", "false", "0", `""`:
		return nil
	}
	*u = slices.Clone(b)
	return nil
}

// MarshalJSON is not reached for an empty value with omitempty.
func (u unsupported) MarshalJSON() ([]byte, error) { return u, nil }

// refuse names every unsupported member that an input asks for.
func refuse(in any) error {
	var names []string
	collect(reflect.ValueOf(in), "", &names)
	if len(names) == 0 {
		return nil
	}
	return wire.NotImplemented("ecs %s", strings.Join(names, ", "))
}

func collect(v reflect.Value, path string, names *[]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			collect(v.Elem(), path, names)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[unsupported]() {
			if v.Len() > 0 {
				*names = append(*names, path)
			}
			return
		}
		for i := range v.Len() {
			collect(v.Index(i), path, names)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" && path != "" {
				name = path + "." + name
			} else if name == "" {
				name = path
			}
			collect(v.Field(i), name, names)
		}
	}
}
