package plane

import (
	"encoding/json"
	"fmt"
	"strings"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/value"
)

// fill sets the members of an SDK struct from the properties of the same names:
// the two differ in the case of their letters only, which encoding/json does not
// mind. Properties that the struct does not have are left out.
func fill(m value.Map, dst any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, dst); err != nil {
		return fmt.Errorf("the properties do not fit: %w", err)
	}
	return nil
}

// tell returns those members of an SDK struct that are properties, by the names
// that the properties have. What is empty is left out.
func tell(specs kind.Object, src any) (value.Map, error) {
	text, err := json.Marshal(src)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	return named(specs, members), nil
}

// named renames members to the properties that they are.
func named(specs kind.Object, members map[string]any) value.Map {
	out := value.Map{}
	for name, spec := range specs {
		for member, v := range members {
			if strings.EqualFold(member, name) && !blank(v) {
				out[name] = renamed(spec, v)
			}
		}
	}
	return out
}

func renamed(spec kind.Property, v any) any {
	switch v := v.(type) {
	case map[string]any:
		switch {
		case spec.Type == kind.Nested:
			return named(spec.Fields, v)
		case spec.Of != nil && (spec.Type == kind.List || spec.Type == kind.Set): // the SDK writes a list of one
			return []any{renamed(*spec.Of, v)}
		}
	case []any:
		if spec.Of == nil {
			return v
		}
		if spec.Type == kind.Nested && len(v) == 1 {
			return renamed(spec, v[0])
		}
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = renamed(*spec.Of, e)
		}
		return out
	}
	return v
}

// blank tells whether a member says nothing: enumerations are "" when unset.
func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
