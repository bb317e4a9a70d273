package expr

import (
	"slices"

	"engage/internal/localaws/dynamodb/attr"
)

// Projection is a choice of attributes. A nil one is all of them.
type Projection struct{ paths []Path }

// Projection parses an expression of the member what. Errors: *Error.
func (s *Scope) Projection(what, text string) (*Projection, error) {
	out := &Projection{}
	_, err := s.parse(what, text, func(p *parser) {
		for more := true; more; more = p.accept(",") {
			out.paths = append(out.paths, p.path())
		}
		for i, b := range out.paths {
			for _, a := range out.paths[:i] {
				p.checkPair(a, b)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Project returns the projection on paths.
func Project(paths []Path) *Projection { return &Projection{paths} }

// ProjectNames returns the projection on whole attributes.
func ProjectNames(names []string) *Projection {
	out := &Projection{}
	for _, name := range names {
		out.paths = append(out.paths, Path{{Name: name}})
	}
	return out
}

// Names returns the attributes that the projection needs, nil for all.
func (p *Projection) Names() []string {
	if p == nil {
		return nil
	}
	names := []string{}
	for _, path := range p.paths {
		names = append(names, path[0].Name)
	}
	return names
}

// Of returns what the projection takes of an item.
func (p *Projection) Of(item attr.Item) attr.Item {
	if p == nil {
		return item
	}
	return project(item, p.paths)
}

// project takes paths that begin with names.
func project(item attr.Item, paths []Path) attr.Item {
	out := attr.Item{}
	for name, rest := range group(paths) {
		v, there := item[name.Name]
		if !there {
			continue
		}
		if part, some := take(v, rest); some {
			out[name.Name] = part
		}
	}
	return out
}

// group puts the rests of paths together that begin with the same step. A
// path that ends there has an empty rest.
func group(paths []Path) map[Step][]Path {
	groups := map[Step][]Path{}
	for _, p := range paths {
		groups[p[0]] = append(groups[p[0]], p[1:])
	}
	return groups
}

// take returns the parts of a value that paths lead to, false for none.
func take(v attr.Value, paths []Path) (attr.Value, bool) {
	if len(paths[0]) == 0 {
		return v, true
	}
	switch {
	case paths[0][0].Name != "" && v.Kind == attr.M:
		m := project(v.Map, paths)
		return attr.Value{Kind: attr.M, Map: m}, len(m) > 0
	case paths[0][0].Name == "" && v.Kind == attr.L:
		list := elements(v.List, paths)
		return attr.Value{Kind: attr.L, List: list}, len(list) > 0
	}
	return v, false
}

// elements returns the chosen elements in the order of their indexes.
func elements(list []attr.Value, paths []Path) []attr.Value {
	groups := group(paths)
	var indexes []int
	for step := range groups {
		if step.Index < len(list) {
			indexes = append(indexes, step.Index)
		}
	}
	slices.Sort(indexes)
	var out []attr.Value
	for _, i := range indexes {
		if part, some := take(list[i], groups[Step{Index: i}]); some {
			out = append(out, part)
		}
	}
	return out
}
