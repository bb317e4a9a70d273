package kind

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/provider/value"
)

// Failure is a property that cannot be taken, and why.
type Failure struct {
	Path   string
	Reason string
}

// Check returns the inputs with defaults and made-up names filled in, and what
// is wrong with them. Olds are the inputs of the resource as it is, nil for a
// new one: a made-up name stays. The seed makes names differ between resources.
func (k Kind) Check(olds, news value.Map, name string, seed []byte) (value.Map, []Failure) {
	c := checker{}
	out := c.object("", k.Inputs, news)
	for p, spec := range k.Inputs {
		if _, given := out[p]; given || spec.Name == nil {
			continue
		}
		if old, ok := olds[p].(string); ok && old != "" {
			out[p] = old
			continue
		}
		out[p] = spec.Name.make(name, seed)
	}
	return out, c.failures
}

// make forms "name-1234567", as the official plugin does.
func (n Naming) make(name string, seed []byte) string {
	random := "-" + hex.EncodeToString(seed)
	random = random[:min(len(random), 8)] + n.Suffix
	if n.Lower {
		name = strings.ToLower(name)
	}
	name = n.Prefix + name
	if limit := n.Max - len(random); n.Max > 0 && len(name) > limit {
		name = name[:limit]
	}
	return name + random
}

type checker struct{ failures []Failure }

func (c *checker) fail(path, format string, args ...any) {
	c.failures = append(c.failures, Failure{Path: path, Reason: fmt.Sprintf(format, args...)})
}

func (c *checker) object(path string, specs Object, given value.Map) value.Map {
	out := value.Map{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		at, v := join(path, name), given[name]
		spec, known := specs[name]
		switch {
		case name == "__defaults": // bookkeeping of the official plugin
		case !known:
			c.fail(at, "the property is not known; known are %s", strings.Join(slices.Sorted(maps.Keys(specs)), ", "))
		case v != nil && spec.Unused && !empty(v) && v != false:
			c.fail(at, "the property is not supported by the embedded endpoint; leave it out")
		case v != nil:
			out[name] = c.value(at, spec, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		spec := specs[name]
		if _, there := out[name]; there {
			continue
		}
		if spec.Default != nil {
			out[name] = spec.Default
		} else if spec.Required {
			c.fail(join(path, name), "the property is required")
		}
	}
	return out
}

func (c *checker) value(at string, spec Property, v any) any {
	if _, unknown := v.(value.Unknown); unknown {
		return v
	}
	switch spec.Type {
	case List, Set:
		return c.list(at, spec, v)
	case Dict:
		return c.dict(at, spec, v)
	case Nested:
		if m, ok := v.(value.Map); ok {
			return c.object(at, spec.Fields, m)
		}
		c.fail(at, "an object is expected, not %s", typeName(v))
	case Number:
		return c.number(at, spec, v)
	case Bool:
		if _, ok := v.(bool); !ok {
			c.fail(at, "true or false is expected, not %s", typeName(v))
		}
	case File:
		if _, ok := v.(value.File); !ok {
			c.fail(at, "a file is expected, not %s", typeName(v))
		}
	default:
		c.text(at, spec, v)
	}
	return v
}

func (c *checker) list(at string, spec Property, v any) any {
	l, ok := v.([]any)
	if !ok {
		c.fail(at, "a list is expected, not %s", typeName(v))
		return v
	}
	out := make([]any, len(l))
	for i, e := range l {
		out[i] = c.value(fmt.Sprintf("%s[%d]", at, i), spec.element(), e)
	}
	return out
}

func (c *checker) dict(at string, spec Property, v any) any {
	m, ok := v.(value.Map)
	if !ok {
		c.fail(at, "an object is expected, not %s", typeName(v))
		return v
	}
	out := value.Map{}
	for name, e := range m {
		out[name] = c.value(join(at, name), spec.element(), e)
	}
	return out
}

func (c *checker) number(at string, spec Property, v any) any {
	f, ok := v.(float64)
	if !ok {
		c.fail(at, "a number is expected, not %s", typeName(v))
		return v
	}
	if (spec.Min != 0 || spec.Max != 0) && (f < spec.Min || f > spec.Max) {
		c.fail(at, "%v is out of range; take one from %v to %v", f, spec.Min, spec.Max)
	}
	return v
}

func (c *checker) text(at string, spec Property, v any) {
	s, ok := v.(string)
	if !ok {
		c.fail(at, "a string is expected, not %s", typeName(v))
		return
	}
	if spec.Type == Document {
		if _, err := Parse(s); err != nil {
			c.fail(at, "the string is no JSON document: %v", err)
		}
	}
	if len(spec.Enum) > 0 && !slices.Contains(spec.Enum, s) {
		c.fail(at, "%q is not one of %s", s, strings.Join(spec.Enum, ", "))
	}
}

func (p Property) element() Property {
	if p.Of == nil {
		return Property{}
	}
	return *p.Of
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case value.File:
		return "a file"
	}
	return "an object"
}
