// Package sdk holds what the Go SDK of pulumi-aws says of the resource types
// that the door supports: the name and type of every property, which are
// required, which a change of replaces the resource, and which only come out.
// types.json is generated from the SDK's own sources, so the door takes and
// gives exactly the properties that a program can write and read.
package sdk

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"engage/internal/localaws/provider/kind"
)

//go:generate go run ./gen -out types.json -list types.txt

//go:embed types.json
var typesJSON []byte

// Property is a property as the SDK's structs describe it.
type Property struct {
	Type     string              `json:"type"` // string, bool, number, list, dict, object, file
	Of       *Property           `json:"of,omitempty"`
	Fields   map[string]Property `json:"fields,omitempty"`
	Required bool                `json:"required,omitempty"`
	Replace  bool                `json:"replace,omitempty"`
}

// Resource is a resource type as the SDK describes it.
type Resource struct {
	Inputs  map[string]Property `json:"inputs"`
	Outputs []string            `json:"outputs"` // all that come out and do not go in
}

// Types returns every resource type by its token.
func Types() map[string]Resource {
	var types map[string]Resource
	if err := json.Unmarshal(typesJSON, &types); err != nil {
		panic("sdk: types.json: " + err.Error()) // it is generated
	}
	return types
}

// Overlay says of a type what the SDK's structs do not. A path names a property,
// or a property of an object: "a", "a.b", also where a is a list of objects.
type Overlay struct {
	Replace   []string          // a change of these makes a new resource too
	InPlace   []string          // a change of these does not, though the SDK's text says so
	Required  []string          // required too
	Computed  []string          // the service gives a value when the program does not
	Default   map[string]any    // what a program that gives none gets
	Set       []string          // lists without order
	Document  []string          // strings that hold JSON
	Enum      map[string]string // the only values, separated by spaces
	Secret    []string
	Name      map[string]kind.Naming
	Unused    []string // refused when given: nothing here does what they ask for
	DropFirst bool     // the old one is deleted before its replacement is made
}

// Kind returns the kind of a token, without a plane. It panics on a token or a
// path that the SDK does not have: that is a mistake in the program.
func (t Source) Kind(token string, o Overlay) kind.Kind {
	r, ok := t[token]
	if !ok {
		panic("sdk: " + token + " is not in types.txt")
	}
	k := kind.Kind{Token: token, Inputs: object(r.Inputs), Output: slices.Clone(r.Outputs), DeleteFirst: o.DropFirst}
	each := func(paths []string, f func(p *kind.Property)) {
		for _, path := range paths {
			edit(token, k.Inputs, path, f)
		}
	}
	each(o.Replace, func(p *kind.Property) { p.Replace = true })
	each(o.InPlace, func(p *kind.Property) { p.Replace = false })
	each(o.Required, func(p *kind.Property) { p.Required = true })
	each(o.Computed, func(p *kind.Property) { p.Computed, p.Required = true, false })
	each(o.Set, func(p *kind.Property) { p.Type = kind.Set })
	each(o.Document, func(p *kind.Property) { p.Type = kind.Document })
	each(o.Secret, func(p *kind.Property) { p.Secret = true })
	each(o.Unused, func(p *kind.Property) { p.Unused = true })
	for path, v := range o.Default {
		edit(token, k.Inputs, path, func(p *kind.Property) { p.Default, p.Required = v, false })
	}
	for path, v := range o.Enum {
		edit(token, k.Inputs, path, func(p *kind.Property) { p.Enum = strings.Fields(v) })
	}
	for path, v := range o.Name {
		edit(token, k.Inputs, path, func(p *kind.Property) { p.Name, p.Required = &v, false })
	}
	return k
}

// Source is the types to make kinds of.
type Source map[string]Resource

func object(fields map[string]Property) kind.Object {
	out := make(kind.Object, len(fields))
	for name, p := range fields {
		out[name] = property(p)
	}
	return out
}

var kinds = map[string]kind.Type{
	"string": kind.String, "bool": kind.Bool, "number": kind.Number, "list": kind.List,
	"dict": kind.Dict, "object": kind.Nested, "file": kind.File,
}

func property(p Property) kind.Property {
	out := kind.Property{Type: kinds[p.Type], Required: p.Required, Replace: p.Replace}
	if p.Of != nil {
		of := property(*p.Of)
		out.Of = &of
	}
	if p.Fields != nil {
		out.Fields = object(p.Fields)
	}
	return out
}

// edit changes the property at a path.
func edit(token string, in kind.Object, path string, f func(p *kind.Property)) {
	name, rest, more := strings.Cut(path, ".")
	p, ok := in[name]
	if !ok {
		panic(fmt.Sprintf("sdk: %s has no property %s", token, path))
	}
	if !more {
		f(&p)
		in[name] = p
		return
	}
	fields := p.Fields
	if fields == nil && p.Of != nil {
		fields = p.Of.Fields
	}
	edit(token, fields, rest, f)
}
