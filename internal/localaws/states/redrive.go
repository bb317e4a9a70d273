package states

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// redriveTime is how long after its end an execution can be redriven.
const redriveTime = 14 * 24 * time.Hour

// redrivable tells whether an execution that ended without success can be continued, and why not.
func (e execution) redrivable() (status, reason string) {
	switch e.Status {
	case interp.Failed, interp.TimedOut, interp.Aborted:
		if e.MapRun == "" {
			return "REDRIVABLE", ""
		}
	}
	return "NOT_REDRIVABLE", "Execution is " + string(e.Status) + " and cannot be redriven"
}

type redriveInput struct {
	ARN   string `json:"executionArn" required:"true"`
	Token string `json:"clientToken" max:"64"`
}

func (i *redriveInput) target() string { return i.ARN }

type redriveOutput struct {
	Date wire.Time `json:"redriveDate"`
}

// redrive continues an execution in the state that it did not get through, with that state's input and the
// definition that it had.
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
func (s *Service) redrive(_ context.Context, call *wire.Call, in *redriveInput) (*redriveOutput, error) {
	e, err := s.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	if err := s.journal.flush(); err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now()
	if status, reason := e.redrivable(); status != "REDRIVABLE" {
		return nil, wire.Errorf("ExecutionNotRedrivable", "%s", reason)
	}
	if now.Sub(e.Stop) > redriveTime {
		return nil, wire.Errorf("ExecutionNotRedrivable", "Execution has exceeded its redrivable period of 14 days")
	}
	definition, resume, err := s.interruption(e)
	if err != nil {
		return nil, err
	}
	if !s.enter() {
		return nil, wire.StatusErrorf(503, "ServiceUnavailable", "the endpoint is shutting down")
	}
	defer s.all.Done()
	e.Status, e.Stop, e.Error, e.Cause = runningStatus, time.Time{}, "", ""
	e.Redrives, e.Redriven = resume.Count, now
	if err := s.store.Update(func(tx state.Tx) error { return reopen(tx, e) }); err != nil {
		return nil, err
	}
	return &redriveOutput{wire.TimeOf(now)}, s.launch(e, definition, resume, call.Caller)
}

// reopen writes the record of an execution that runs again.
func reopen(tx state.Tx, e execution) error {
	old, err := executions.Get(tx, e.key())
	if err == nil && old.Status == runningStatus {
		err = wire.Errorf("ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven")
	}
	return errors.Join(err, executions.Put(tx, e.key(), e), inFlight.Put(tx, e.key(), e.arn()))
}

// interruption reads from an execution's history where it ended.
func (s *Service) interruption(e execution) (definition string, r *interp.Resume, err error) {
	var past []interp.Event
	err = s.store.View(func(tx state.Tx) error {
		rev, err := revisions.Get(tx, state.Key(e.Account, e.Region, e.parentMachine(), e.Revision))
		definition = rev.Definition
		for raw := range events.Scan(tx, state.Prefix(e.key()), "") {
			text, bad := raw.Value()
			var ev interp.Event
			err = errors.Join(err, bad, json.Unmarshal(text, &ev))
			past = append(past, ev)
		}
		return err
	})
	if err != nil {
		return "", nil, err
	}
	m, err := asl.Parse([]byte(definition), asl.Options{})
	if err != nil {
		return "", nil, wire.Errorf("InvalidDefinition", "%s", err)
	}
	r, err = resumption(m, past)
	if r != nil {
		r.Count = e.Redrives + 1
		if r.State == "" { // it never reached a state
			r.State = m.StartAt
			r.Input, err = value.Decode([]byte(e.Input))
		}
	}
	return definition, r, err
}

// resumption finds the state that the machine itself was in, and its variables.
func resumption(m *asl.Machine, past []interp.Event) (*interp.Resume, error) {
	r := &interp.Resume{Vars: map[string]any{}, Last: int64(len(past))}
	for _, ev := range past {
		var err error
		switch {
		case ev.StateEntered != nil && m.States[ev.StateEntered.Name] != nil:
			r.State, r.Entered = ev.StateEntered.Name, ev.ID
			r.Input, err = value.Decode([]byte(ev.StateEntered.Input))
		case ev.StateExited != nil && m.States[ev.StateExited.Name] != nil:
			err = leave(r, m.States[ev.StateExited.Name], ev.StateExited)
		}
		if err != nil {
			return nil, err
		}
	}
	switch st := m.States[r.State]; {
	case st != nil && (st.Type == asl.Parallel || st.Type == asl.Map):
		return nil, wire.NotImplemented("RedriveExecution of an execution that ended in the %s state '%s'", st.Type, st.Name)
	case strings.HasPrefix(r.State, undecided):
		return nil, wire.NotImplemented("RedriveExecution of an execution that ended after the state '%s'", strings.TrimPrefix(r.State, undecided))
	}
	return r, nil
}

// undecided marks a state that was left for one that the history does not name.
const undecided = "\x00"

// leave follows a state's exit to the state after it.
func leave(r *interp.Resume, st *asl.State, d *interp.ExitedDetails) (err error) {
	r.State, r.Entered = st.Next, 0
	if st.Next == "" {
		r.State = undecided + st.Name
	}
	if r.Input, err = value.Decode([]byte(d.Output)); err != nil {
		return err
	}
	for name, text := range d.Assigned {
		if r.Vars[name], err = value.Decode([]byte(text)); err != nil {
			return err
		}
	}
	return nil
}
