package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// template is a parsed URI: "/a/{B}/{C+}?lit&name=value".
type template struct {
	segments []segment
	literals map[string]string // query literals; "" accepts any value
}

type segment struct {
	text   string // a literal, or the label's name
	label  bool
	greedy bool
}

// parseTemplate reads a URI pattern. It panics on a pattern that is wrong.
// https://smithy.io/2.0/spec/http-bindings.html#uri-trait
func parseTemplate(uri string) template {
	path, query, _ := strings.Cut(uri, "?")
	if !strings.HasPrefix(path, "/") {
		panic("wire: URI pattern " + uri + " does not begin with a slash")
	}
	t := template{literals: map[string]string{}}
	for _, s := range strings.Split(path[1:], "/") {
		name, isLabel := strings.CutPrefix(s, "{")
		name, greedy := strings.CutSuffix(strings.TrimSuffix(name, "}"), "+")
		t.segments = append(t.segments, segment{text: name, label: isLabel, greedy: greedy})
	}
	for _, q := range strings.Split(query, "&") {
		if name, value, _ := strings.Cut(q, "="); name != "" {
			t.literals[name] = value
		}
	}
	return t
}

// match returns the labels of a request's escaped path.
func (t template) match(path []string, query url.Values) (map[string]string, bool) {
	for name, value := range t.literals {
		if !query.Has(name) || value != "" && query.Get(name) != value {
			return nil, false
		}
	}
	vars := map[string]string{}
	for i, s := range t.segments {
		if i >= len(path) {
			return nil, false
		}
		text := path[i]
		if s.greedy {
			text = strings.Join(path[i:], "/")
		}
		if !s.accepts(text, vars) {
			return nil, false
		}
		if s.greedy {
			return vars, true
		}
	}
	return vars, len(path) == len(t.segments)
}

func (s segment) accepts(text string, vars map[string]string) bool {
	value, err := url.PathUnescape(text)
	if err != nil {
		return false
	}
	if !s.label {
		return value == s.text
	}
	vars[s.text] = value
	return value != ""
}

// weight orders templates: the most literal wins.
func (t template) weight() int {
	w := 100 * len(t.literals)
	for _, s := range t.segments {
		switch {
		case !s.label:
			w += 10
		case s.greedy:
			w--
		default:
			w++
		}
	}
	return w
}

// Match returns the operation that a REST request is for, with the labels of
// its URI, or nil. A trailing slash of the path does not matter.
func (s *Service) Match(r *http.Request) (*Operation, map[string]string) {
	if s.Find != nil {
		return s.Find(r)
	}
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if n := len(path); n > 1 && path[n-1] == "" {
		path = path[:n-1]
	}
	query := r.URL.Query()
	var best *Operation
	var labels map[string]string
	for i := range s.Operations {
		op := &s.Operations[i]
		if op.Method != r.Method || best != nil && op.template.weight() <= best.template.weight() {
			continue
		}
		if vars, ok := op.template.match(path, query); ok {
			best, labels = op, vars
		}
	}
	return best, labels
}
