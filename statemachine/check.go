package statemachine

import (
	"fmt"
	"maps"
	"slices"
)

// Problem is a machine that is not well formed.
type Problem struct{ State, Reason string }

func (p *Problem) Error() string {
	return fmt.Sprintf("state machine: state %q %s", p.State, p.Reason)
}

func (s *Task) next() []string     { return following(s.Next, s.Catch) }
func (s *Parallel) next() []string { return following(s.Next, s.Catch) }
func (s *Pass) next() []string     { return following(s.Next, nil) }
func (s *Succeed) next() []string  { return nil }
func (s *Fail) next() []string     { return nil }
func (s *Choice) next() []string {
	names := following(s.Default, nil)
	for _, r := range s.Choices {
		names = append(names, r.Next)
	}
	return names
}

func following(next string, catch []Catch) []string {
	var names []string
	if next != "" {
		names = append(names, next)
	}
	for _, c := range catch {
		names = append(names, c.Next)
	}
	return names
}

func (s *Task) ends() bool     { return s.End }
func (s *Parallel) ends() bool { return s.End }
func (s *Pass) ends() bool     { return s.End }
func (s *Choice) ends() bool   { return false }
func (s *Succeed) ends() bool  { return true }
func (s *Fail) ends() bool     { return true }

func (s *Task) branches() []Machine     { return nil }
func (s *Pass) branches() []Machine     { return nil }
func (s *Choice) branches() []Machine   { return nil }
func (s *Succeed) branches() []Machine  { return nil }
func (s *Fail) branches() []Machine     { return nil }
func (s *Parallel) branches() []Machine { return s.Branches }

// check finds states that lead nowhere, that nothing leads to, or that neither
// end nor go on.
func (m Machine) check() error {
	if _, ok := m.States[m.StartAt]; !ok {
		return &Problem{m.StartAt, "starts the machine and does not exist"}
	}
	reached := map[string]bool{m.StartAt: true}
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		state := m.States[name]
		if len(state.next()) == 0 && !state.ends() {
			return &Problem{name, "neither ends the machine nor leads on"}
		}
		for _, next := range state.next() {
			if _, ok := m.States[next]; !ok {
				return &Problem{name, fmt.Sprintf("leads to %q, which does not exist", next)}
			}
			reached[next] = true
		}
		for _, b := range state.branches() {
			if err := b.check(); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		if !reached[name] {
			return &Problem{name, "is not reached from any other"}
		}
	}
	return nil
}
