package states

import (
	"context"
	"errors"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/intrinsic"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type startInput struct {
	ARN         string  `json:"stateMachineArn" required:"true"`
	Name        string  `json:"name"`
	Input       *string `json:"input"`
	TraceHeader string  `json:"traceHeader" max:"256"`
}

func (i *startInput) target() string { return i.ARN }

type startOutput struct {
	ARN   string    `json:"executionArn"`
	Start wire.Time `json:"startDate"`
}

func (s *Service) startExecution(_ context.Context, call *wire.Call, in *startInput) (*startOutput, error) {
	e := execution{Name: in.Name, Input: "{}", TraceHeader: in.TraceHeader, RunID: call.Caller.RunID, Status: runningStatus}
	if e.Name == "" {
		e.Name = intrinsic.NewUUID(s.cfg.Random)
	}
	if err := validName(e.Name); err != nil {
		return nil, err
	}
	if in.Input != nil {
		e.Input = *in.Input
	}
	if len(e.Input) > interp.MaxPayload {
		return nil, wire.ValidationException("1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to %d", interp.MaxPayload)
	}
	if fault := invalidJSON(e.Input); fault != nil {
		return nil, wire.Errorf("InvalidExecutionInput", "Invalid State Machine Execution Input: '%s'", fault.message)
	}
	return s.begin(in.ARN, e, call.Caller)
}

// startSync is an operation of EXPRESS machines, of which there are none.
func (s *Service) startSync(_ context.Context, _ *wire.Call, in *startInput) (*startOutput, error) {
	err := s.store.View(func(tx state.Tx) error {
		_, err := s.resolve(tx, in.ARN, first)
		return err
	})
	if err == nil {
		err = wire.Errorf("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
	}
	return nil, err
}

// begin records an execution and starts it. The record is durable before anything of it happens.
func (s *Service) begin(arn string, e execution, owner wire.Caller) (*startOutput, error) {
	if !s.enter() {
		return nil, wire.StatusErrorf(503, "ServiceUnavailable", "the endpoint is shutting down")
	}
	defer s.all.Done()
	var definition string
	var repeated bool
	asked := e
	err := s.store.Batch(func(tx state.Tx) (err error) {
		e = asked
		definition, repeated, err = s.record(tx, arn, &e)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &startOutput{e.arn(), wire.TimeOf(e.Start)}
	if repeated {
		return out, nil
	}
	return out, s.launch(e, definition, nil, owner)
}

// enter holds Close off while an execution begins; false when the service is closed already.
func (s *Service) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.all.Add(1)
	}
	return !s.closed
}

// record makes the record of an execution, or finds the one that the same call made before.
func (s *Service) record(tx state.Tx, arn string, e *execution) (definition string, repeated bool, err error) {
	r, err := s.resolve(tx, arn, s.pick)
	m := r.machine
	switch {
	case err != nil:
		return "", false, err
	case m.Status == deleting:
		return "", false, wire.Errorf("StateMachineDeleting", "State Machine is being deleted: '%s'", arn)
	}
	e.Account, e.Region, e.Machine, e.Start = m.Account, m.Region, m.Name, s.cfg.Clock.Now()
	e.Revision, e.RoleARN, e.Alias = r.revision.ID, r.revision.RoleARN, r.alias
	if r.version != nil {
		e.Version = m.versionARN(r.version.Number)
	}
	old, err := executions.Get(tx, e.key())
	switch {
	case errors.Is(err, state.ErrNotFound):
		return r.revision.Definition, false, create(tx, e)
	case err != nil:
		return "", false, err
	case old.Status != runningStatus || old.Input != e.Input:
		return "", false, wire.Errorf("ExecutionAlreadyExists", "Execution Already Exists: '%s'", e.arn())
	}
	*e = old
	return "", true, nil
}

func create(tx state.Tx, e *execution) (err error) {
	if e.Sequence, err = executions.NextSequence(tx); err != nil {
		return err
	}
	return errors.Join(executions.Put(tx, e.key(), *e), order.Put(tx, e.orderKey(), e.key()), inFlight.Put(tx, e.key(), e.arn()))
}

// compiled returns the machine of a revision. Definitions were validated when they were accepted; a resource
// that nothing runs any more fails when its state is reached. REQUIRES: mu is held.
func (s *Service) compiled(e execution, definition string) (*asl.Machine, error) {
	if m, ok := s.machines[e.Revision]; ok {
		return m, nil
	}
	m, err := asl.Parse([]byte(definition), asl.Options{})
	if err != nil {
		return nil, wire.Errorf("InvalidDefinition", "%s", err)
	}
	s.machines[e.Revision] = m
	return m, nil
}
