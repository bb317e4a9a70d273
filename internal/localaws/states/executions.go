package states

import (
	"context"
	"errors"
	"strings"
	"time"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/intrinsic"
	"engage/internal/localaws/asl/value"
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
	key, err := machineKey(in.ARN)
	if err != nil {
		return nil, err
	}
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
	if _, err := value.Decode([]byte(e.Input)); err != nil {
		return nil, wire.Errorf("InvalidExecutionInput", "Invalid State Machine Execution Input: '%s'", err)
	}
	return s.begin(key, in.ARN, e, call.Caller)
}

// begin records an execution and starts it. The record is durable before anything of it happens.
func (s *Service) begin(key, arn string, e execution, owner wire.Caller) (*startOutput, error) {
	if !s.enter() {
		return nil, wire.StatusErrorf(503, "ServiceUnavailable", "the endpoint is shutting down")
	}
	defer s.all.Done()
	var definition string
	var repeated bool
	asked := e
	err := s.store.Batch(func(tx state.Tx) (err error) {
		e = asked
		definition, repeated, err = record(tx, key, arn, &e, s.cfg.Clock.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &startOutput{e.arn(), wire.TimeOf(e.Start)}
	if repeated {
		return out, nil
	}
	return out, s.launch(e, definition, owner)
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
func record(tx state.Tx, key, arn string, e *execution, now time.Time) (definition string, repeated bool, err error) {
	m, err := machines.Get(tx, key)
	switch {
	case errors.Is(err, state.ErrNotFound):
		return "", false, noMachine(arn)
	case err != nil:
		return "", false, err
	case m.Status == deleting:
		return "", false, wire.Errorf("StateMachineDeleting", "State Machine is being deleted: '%s'", arn)
	}
	e.Account, e.Region, e.Machine, e.Revision, e.RoleARN, e.Start = m.Account, m.Region, m.Name, m.Revision, m.RoleARN, now
	old, err := executions.Get(tx, e.key())
	switch {
	case errors.Is(err, state.ErrNotFound):
		return m.Definition, false, create(tx, e)
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

type describeExecutionInput struct {
	ARN  string `json:"executionArn" required:"true"`
	Data string `json:"includedData" enum:"ALL_DATA,METADATA_ONLY"`
}

func (i *describeExecutionInput) target() string { return i.ARN }

type included struct {
	Included bool `json:"included"`
}

type executionDescription struct {
	ARN           string        `json:"executionArn"`
	MachineARN    string        `json:"stateMachineArn"`
	Name          string        `json:"name"`
	Status        interp.Status `json:"status"`
	Start         wire.Time     `json:"startDate"`
	Stop          *wire.Time    `json:"stopDate,omitempty"`
	Input         *string       `json:"input,omitempty"`
	InputDetails  *included     `json:"inputDetails,omitempty"`
	Output        *string       `json:"output,omitempty"`
	OutputDetails *included     `json:"outputDetails,omitempty"`
	TraceHeader   string        `json:"traceHeader,omitempty"`
	MapRun        string        `json:"mapRunArn,omitempty"`
	Error         string        `json:"error,omitempty"`
	Cause         string        `json:"cause,omitempty"`
	RedriveCount  int           `json:"redriveCount"`
	RedriveStatus string        `json:"redriveStatus"`
	RedriveReason string        `json:"redriveStatusReason,omitempty"`
}

func (s *Service) describeExecution(_ context.Context, _ *wire.Call, in *describeExecutionInput) (*executionDescription, error) {
	e, err := s.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	d := &executionDescription{ARN: e.arn(), MachineARN: e.machineARN(), Name: e.Name, Status: e.Status, Start: wire.TimeOf(e.Start), TraceHeader: e.TraceHeader, MapRun: e.MapRun,
		Error: e.Error, Cause: e.Cause, RedriveStatus: "NOT_REDRIVABLE", RedriveReason: "Execution is " + string(e.Status) + " and cannot be redriven"}
	if e.Status != runningStatus {
		stop := wire.TimeOf(e.Stop)
		d.Stop = &stop
	}
	if in.Data == "METADATA_ONLY" {
		return d, nil
	}
	d.Input, d.InputDetails = &e.Input, &included{true}
	if e.Status == interp.Succeeded {
		d.Output, d.OutputDetails = &e.Output, &included{true}
	}
	return d, nil
}

func (s *Service) execution(arn string) (e execution, err error) {
	key, err := executionKey(arn)
	if err != nil {
		return e, err
	}
	if strings.Contains(key, "/") { // a child's record is the journal's to write
		if err := s.journal.flush(); err != nil {
			return e, err
		}
	}
	err = s.store.View(func(tx state.Tx) error {
		e, err = executions.Get(tx, key)
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		err = noExecution(arn)
	}
	return e, err
}

type listExecutionsInput struct {
	ARN     string `json:"stateMachineArn"`
	Status  string `json:"statusFilter" enum:"RUNNING,SUCCEEDED,FAILED,TIMED_OUT,ABORTED,PENDING_REDRIVE"`
	MapRun  string `json:"mapRunArn"`
	Redrive string `json:"redriveFilter"`
	listInput
}

func (i *listExecutionsInput) target() string { return i.ARN + i.MapRun }

type executionItem struct {
	ARN          string        `json:"executionArn"`
	MachineARN   string        `json:"stateMachineArn"`
	MapRun       string        `json:"mapRunArn,omitempty"`
	Name         string        `json:"name"`
	Status       interp.Status `json:"status"`
	Start        wire.Time     `json:"startDate"`
	Stop         *wire.Time    `json:"stopDate,omitempty"`
	RedriveCount int           `json:"redriveCount"`
}

type listExecutionsOutput struct {
	Executions []executionItem `json:"executions"`
	Token      string          `json:"nextToken,omitempty"`
}

// listExecutions lists the last started first.
func (s *Service) listExecutions(ctx context.Context, _ *wire.Call, in *listExecutionsInput) (*listExecutionsOutput, error) {
	switch {
	case in.Redrive != "":
		return nil, wire.NotImplemented("the member redriveFilter")
	case in.MapRun != "" && in.ARN != "":
		return nil, wire.ValidationException("Only one of stateMachineArn and mapRunArn can be given")
	case in.MapRun != "":
		return s.listChildren(ctx, in)
	}
	m, err := s.machine(in.ARN)
	if err != nil {
		return nil, err
	}
	after, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	out := &listExecutionsOutput{Executions: []executionItem{}}
	return out, s.store.View(func(tx state.Tx) error { return pageOfExecutions(tx, state.Prefix(m.key()), in, after, out) })
}

func pageOfExecutions(tx state.Tx, prefix string, in *listExecutionsInput, after string, out *listExecutionsOutput) error {
	last := ""
	for raw := range order.Scan(tx, prefix, after) {
		key, err := raw.Value()
		if err != nil {
			return err
		}
		e, err := executions.Get(tx, key)
		if err != nil {
			return err
		}
		if in.Status != "" && string(e.Status) != in.Status || in.MapRun != "" && e.MapRun != in.MapRun {
			continue
		}
		if len(out.Executions) == pageSize(in.Max) {
			out.Token = pageToken(last)
			return nil
		}
		last = raw.Key()
		item := executionItem{ARN: e.arn(), MachineARN: e.machineARN(), MapRun: e.MapRun, Name: e.Name, Status: e.Status, Start: wire.TimeOf(e.Start)}
		if e.Status != runningStatus {
			stop := wire.TimeOf(e.Stop)
			item.Stop = &stop
		}
		out.Executions = append(out.Executions, item)
	}
	return nil
}

type stopInput struct {
	ARN   string `json:"executionArn" required:"true"`
	Error string `json:"error" max:"256"`
	Cause string `json:"cause" max:"32768"`
}

func (i *stopInput) target() string { return i.ARN }

type stopOutput struct {
	Stop wire.Time `json:"stopDate"`
}

// stopExecution stops an execution and everything that it started, and returns once it has ended. One that
// has ended already keeps its end.
func (s *Service) stopExecution(ctx context.Context, _ *wire.Call, in *stopInput) (*stopOutput, error) {
	before, err := s.execution(in.ARN)
	if err == nil {
		err = stopChild(before)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	r := s.running[in.ARN]
	s.mu.Unlock()
	if r != nil {
		r.cancel(&interp.Stopped{Name: in.Error, Cause: in.Cause})
		select {
		case <-r.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	e, err := s.execution(in.ARN)
	return &stopOutput{wire.TimeOf(e.Stop)}, err
}

type forExecutionInput struct {
	ARN  string `json:"executionArn" required:"true"`
	Data string `json:"includedData" enum:"ALL_DATA,METADATA_ONLY"`
}

func (i *forExecutionInput) target() string { return i.ARN }

func (s *Service) describeForExecution(_ context.Context, _ *wire.Call, in *forExecutionInput) (*machineDescription, error) {
	e, err := s.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	var r revision
	err = s.store.View(func(tx state.Tx) error {
		r, err = revisions.Get(tx, state.Key(e.Account, e.Region, e.parentMachine(), e.Revision))
		return err
	})
	d := describe(machine{Account: e.Account, Region: e.Region, Name: e.Machine}, r)
	updated := wire.TimeOf(r.Updated)
	d.Updated, d.Revision = &updated, r.ID
	return d, err
}
