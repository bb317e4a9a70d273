// Package statemachine declares engage's state machines as typed Go and writes
// them as Amazon States Language.
//
// The language is https://states-language.net/spec.html; the Go types hold those
// parts of it that the machines use.
package statemachine

import (
	"encoding/json"
	"fmt"
)

// Machine is a state machine.
type Machine struct {
	Comment        string           `json:"Comment,omitempty"`
	StartAt        string           `json:"StartAt"`
	States         map[string]State `json:"States"`
	TimeoutSeconds int              `json:"TimeoutSeconds,omitempty"`
}

// JSON returns the machine in Amazon States Language. Errors: *Problem.
func (m Machine) JSON() (string, error) {
	if err := m.check(); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write the state machine: %w", err)
	}
	return string(text), nil
}

// State is one of *Task, *Parallel, *Choice, *Pass, *Succeed and *Fail.
type State interface {
	next() []string // the states that may follow
	ends() bool     // whether the machine may end here
	branches() []Machine
}

// Values are parameters: a name that ends in ".$" holds a path.
type Values map[string]any

// Task does work.
type Task struct {
	Comment          string  `json:"Comment,omitempty"`
	Resource         string  `json:"Resource"`
	Parameters       Values  `json:"Parameters,omitempty"`
	ResultSelector   Values  `json:"ResultSelector,omitempty"`
	ResultPath       *string `json:"ResultPath,omitempty"`
	TimeoutSeconds   int     `json:"TimeoutSeconds,omitempty"`
	HeartbeatSeconds int     `json:"HeartbeatSeconds,omitempty"`
	Retry            []Retry `json:"Retry,omitempty"`
	Catch            []Catch `json:"Catch,omitempty"`
	Next             string  `json:"Next,omitempty"`
	End              bool    `json:"End,omitempty"`
}

// Parallel runs branches at once.
type Parallel struct {
	Comment        string    `json:"Comment,omitempty"`
	Branches       []Machine `json:"Branches"`
	ResultSelector Values    `json:"ResultSelector,omitempty"`
	ResultPath     *string   `json:"ResultPath,omitempty"`
	Retry          []Retry   `json:"Retry,omitempty"`
	Catch          []Catch   `json:"Catch,omitempty"`
	Next           string    `json:"Next,omitempty"`
	End            bool      `json:"End,omitempty"`
}

// Choice goes where the first rule that holds says.
type Choice struct {
	Comment string `json:"Comment,omitempty"`
	Choices []Rule `json:"Choices"`
	Default string `json:"Default,omitempty"`
}

// Rule is a comparison of a choice.
type Rule struct {
	Variable     string `json:"Variable"`
	StringEquals string `json:"StringEquals"`
	Next         string `json:"Next"`
}

// Pass forms its output of its input.
type Pass struct {
	Comment    string  `json:"Comment,omitempty"`
	Parameters Values  `json:"Parameters,omitempty"`
	ResultPath *string `json:"ResultPath,omitempty"`
	Next       string  `json:"Next,omitempty"`
	End        bool    `json:"End,omitempty"`
}

// Succeed ends the machine well.
type Succeed struct {
	Comment string `json:"Comment,omitempty"`
}

// Fail ends the machine with an error.
type Fail struct {
	Comment   string `json:"Comment,omitempty"`
	ErrorPath string `json:"ErrorPath,omitempty"`
	CausePath string `json:"CausePath,omitempty"`
}

// Retry says which errors are tried again, and when.
type Retry struct {
	ErrorEquals     []string `json:"ErrorEquals"`
	IntervalSeconds int      `json:"IntervalSeconds,omitempty"`
	MaxAttempts     int      `json:"MaxAttempts"`
	BackoffRate     float64  `json:"BackoffRate,omitempty"`
	MaxDelaySeconds int      `json:"MaxDelaySeconds,omitempty"`
	JitterStrategy  string   `json:"JitterStrategy,omitempty"`
}

// Catch says where errors lead.
type Catch struct {
	ErrorEquals []string `json:"ErrorEquals"`
	ResultPath  *string  `json:"ResultPath,omitempty"`
	Next        string   `json:"Next"`
}

// at is a path to put a result at.
func at(path string) *string { return &path }

// typed adds the name of its type to a state.
func typed(name string, state any) ([]byte, error) {
	text, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	rest := text[1:]
	if string(rest) != "}" {
		rest = append([]byte(","), rest...)
	}
	return append(fmt.Appendf(nil, `{"Type":%q`, name), rest...), nil
}

// The states write their type first.
func (s *Task) MarshalJSON() ([]byte, error) { type plain Task; return typed("Task", (*plain)(s)) }
func (s *Parallel) MarshalJSON() ([]byte, error) {
	type plain Parallel
	return typed("Parallel", (*plain)(s))
}
func (s *Choice) MarshalJSON() ([]byte, error) {
	type plain Choice
	return typed("Choice", (*plain)(s))
}
func (s *Pass) MarshalJSON() ([]byte, error) { type plain Pass; return typed("Pass", (*plain)(s)) }
func (s *Succeed) MarshalJSON() ([]byte, error) {
	type plain Succeed
	return typed("Succeed", (*plain)(s))
}
func (s *Fail) MarshalJSON() ([]byte, error) { type plain Fail; return typed("Fail", (*plain)(s)) }
