package asl

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"engage/internal/localaws/asl/value"
)

// maxName is the longest name of a state, in characters.
const maxName = 80

// Options adjust what Parse accepts.
type Options struct {
	// CheckResource refuses a Task's or a reader's resource that nothing can run, by an error that names it.
	// The default accepts every resource that is well formed.
	CheckResource func(Resource) error
}

// Parse validates and compiles a definition. Its error is *InvalidError and tells every problem at once.
func Parse(definition []byte, o Options) (*Machine, error) {
	p := &parser{options: o, names: map[string]string{}}
	m := p.document(definition)
	if len(p.problems) > 0 {
		return nil, &InvalidError{Problems: p.problems}
	}
	return m, nil
}

type parser struct {
	options  Options
	problems []Problem
	names    map[string]string // state name to its first location: names are unique in the whole machine
}

func (p *parser) document(definition []byte) *Machine {
	if len(definition) > maxDefinitionLength {
		p.add(CodeSchema, "", "the definition is longer than %d bytes", maxDefinitionLength)
		return nil
	}
	v, err := value.DecodeStrict(definition)
	if err != nil {
		var twice *value.DuplicateField
		if errors.As(err, &twice) {
			p.add(CodeSchema, "", "Duplicate field '%s'", twice.Name)
		} else {
			p.add(CodeInvalidJSON, "", "%s", err)
		}
		return nil
	}
	o, ok := v.(*value.Object)
	if !ok {
		p.add(CodeSchema, "", "Expected value of type Object")
		return nil
	}
	s := scope{parser: p, object: o}
	return s.machine("Version", "TimeoutSeconds", "QueryLanguage")
}

func (p *parser) add(code, location, format string, args ...any) {
	p.problems = append(p.problems, Problem{Code: code, Message: fmt.Sprintf(format, args...), Location: location})
}

// machine compiles the object as a state machine with the given fields besides those that all have.
func (s *scope) machine(extra ...string) *Machine {
	s.allow(append(extra, "Comment", "StartAt", "States")...)
	m := &Machine{Comment: s.text("Comment"), StartAt: s.required("StartAt"), States: map[string]*State{}}
	if slices.Contains(extra, "TimeoutSeconds") {
		m.TimeoutSeconds = s.positive("TimeoutSeconds", maxSeconds)
	}
	if v := s.text("Version"); v != "" && v != "1.0" {
		s.schema("Version", "the version must be 1.0")
	}
	s.queryLanguage()
	states, ok := s.child("States")
	if !ok {
		if !s.has("States") {
			s.schema("", "These fields are required: [States]")
		}
		return m
	}
	if states.object.Len() == 0 {
		states.schema("", "there must be at least one state")
		return m
	}
	s.states(m, states)
	return m
}

func (s *scope) states(m *Machine, states scope) {
	for i := range states.object.Len() {
		name, _ := states.object.At(i)
		st, ok := states.child(name)
		if !ok {
			continue
		}
		s.parser.name(name, st.at)
		m.States[name] = st.state(name)
		m.Order = append(m.Order, name)
	}
	if _, there := m.States[m.StartAt]; !there && m.StartAt != "" && !states.has(m.StartAt) {
		s.parser.add(CodeMissingTarget, s.at+"/StartAt", missingTarget, m.StartAt)
	}
	s.parser.transitions(m, states)
}

// name keeps names unique in the whole machine, branches and processors included.
func (p *parser) name(name, at string) {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName {
		p.add(CodeSchema, at, "State name length must be between 1 and %d characters", maxName)
	}
	if first, twice := p.names[name]; twice {
		p.add(CodeDuplicateName, at, "Duplicate State name: %s (first at %s)", name, first)
		return
	}
	p.names[name] = at
}

func (s *scope) queryLanguage() {
	switch l := s.text("QueryLanguage"); l {
	case "", "JSONPath":
	case "JSONata":
		s.parser.add(CodeNotImplemented, s.at+"/QueryLanguage", "The query language JSONata is not implemented; write the state machine with JSONPath")
	default:
		s.schema("QueryLanguage", "'%s' is not a query language", l)
	}
}

// missingTarget is what AWS says of every target that does not exist, whatever field names it.
const missingTarget = "Missing 'Next' target: %s"

// transitions checks that every target exists, that the machine can end, and that every state can be reached.
// AWS does not look for the last where the machine has no end at all.
func (p *parser) transitions(m *Machine, states scope) {
	reached := map[string]bool{m.StartAt: true}
	todo := []string{m.StartAt}
	for len(todo) > 0 {
		st := m.States[todo[0]]
		todo = todo[1:]
		if st == nil {
			continue
		}
		for _, t := range st.targets() {
			if !reached[t.name] {
				reached[t.name] = true
				todo = append(todo, t.name)
			}
		}
	}
	for _, name := range m.Order {
		at := states.at + "/" + name
		for _, t := range m.States[name].targets() {
			if !states.has(t.name) {
				p.add(CodeMissingTarget, at+t.field, missingTarget, t.name)
			}
		}
	}
	if states.at == "/States" && !m.ends() {
		p.add(CodeMissingEnd, Nowhere, "Workflow has no terminal state")
		return
	}
	for _, name := range m.Order {
		if !reached[name] {
			p.add(CodeUnreachable, states.at+"/"+name, "State \"%s\" is not reachable.", name)
		}
	}
}

// ends tells whether any state ends the machine; a Choice without a default may, by failing.
func (m *Machine) ends() bool {
	return slices.ContainsFunc(m.Order, func(name string) bool {
		st := m.States[name]
		return st.Next == "" && (st.Type != Choice || st.Default == "")
	})
}

type target struct{ name, field string }

// targets lists where a state can go, with the field that says so.
func (st *State) targets() []target {
	var out []target
	add := func(name, format string, args ...any) {
		if name != "" {
			out = append(out, target{name, fmt.Sprintf(format, args...)})
		}
	}
	add(st.Next, "/Next")
	add(st.Default, "/Default")
	for i, r := range st.Choices {
		add(r.Next, "/Choices[%d]/Next", i)
	}
	for i, c := range st.Catch {
		add(c.Next, "/Catch[%d]/Next", i)
	}
	return out
}
