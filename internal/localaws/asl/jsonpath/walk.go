package jsonpath

import "engage/internal/localaws/asl/value"

// walker gathers the nodes that an indefinite path names, in document order.
type walker struct {
	path []step
	out  []any
}

// walk follows steps from node. While upstream is true every step so far was definite, and a node that
// is not there is a failure (told by a reason); further down it is merely not gathered.
func (w *walker) walk(node any, steps []step, upstream bool) (reason string) {
	if len(steps) == 0 {
		w.out = append(w.out, node)
		return ""
	}
	s, rest := &steps[0], steps[1:]
	switch s.kind {
	case child, index:
		next, ok := s.down(node)
		if ok {
			return w.walk(next, rest, upstream)
		}
		if upstream && s.kind == child {
			return missing(w.path, len(w.path)-len(steps))
		}
		return ""
	case descent:
		w.descend(node, rest)
		return ""
	}
	for _, next := range s.spread(node) {
		w.walk(next, rest, false)
	}
	return ""
}

// descend applies the rest of the path to node and to everything below it, parents first.
func (w *walker) descend(node any, rest []step) {
	w.walk(node, rest, false)
	for _, next := range children(node) {
		w.descend(next, rest)
	}
}

func children(node any) []any {
	switch n := node.(type) {
	case []any:
		return n
	case *value.Object:
		out := make([]any, 0, n.Len())
		for i := range n.Len() {
			_, v := n.At(i)
			out = append(out, v)
		}
		return out
	}
	return nil
}

// spread lists the nodes that a step which may name many names below node.
func (s *step) spread(node any) []any {
	var out []any
	switch s.kind {
	case wildcard:
		return children(node)
	case filter:
		return s.filtered(node)
	case slice:
		if a, ok := node.([]any); ok {
			from, to := s.span(len(a))
			return a[from:to]
		}
	case indexes:
		for _, i := range s.indexes {
			if v, ok := (&step{kind: index, index: i}).down(node); ok {
				out = append(out, v)
			}
		}
	case names:
		// Several names give one object that has those of them that exist.
		if o, ok := node.(*value.Object); ok {
			picked := value.NewObject(len(s.names))
			for _, n := range s.names {
				if v, there := o.Get(n); there {
					picked.Set(n, v)
				}
			}
			return []any{picked}
		}
	}
	return out
}

// filtered keeps the elements that match; a filter on an object tests the object itself.
func (s *step) filtered(node any) []any {
	var out []any
	elements, isArray := node.([]any)
	if !isArray {
		if _, isObject := node.(*value.Object); !isObject {
			return nil
		}
		elements = []any{node}
	}
	for _, e := range elements {
		if s.matches(e) {
			out = append(out, e)
		}
	}
	return out
}

// matches tells whether the filter holds. A filter that cannot be applied to a node does not match it:
// the library panics on some operands, for example a list on one side of a comparison.
func (s *step) matches(node any) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return s.match.Match(node)
}

func (s *step) span(n int) (from, to int) {
	from, to = 0, n
	if b := s.bounds[0]; b != nil {
		from = clamp(*b, n)
	}
	if b := s.bounds[1]; b != nil {
		to = clamp(*b, n)
	}
	return from, max(from, to)
}

func clamp(i, n int) int {
	if i < 0 {
		i += n
	}
	return min(max(i, 0), n)
}
