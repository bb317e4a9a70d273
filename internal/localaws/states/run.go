package states

import (
	"context"
	"errors"
	"fmt"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// interrupted is why an execution failed that outlived its process.
const interrupted = "The endpoint was stopped or restarted while the execution was running, and executions are not resumed: start it again"

var errShutdown = errors.New("the endpoint is shutting down")

// running is an execution in this process.
type running struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed once its end is durable
}

// launch runs an execution whose record is durable. REQUIRES: the caller has entered.
func (s *Service) launch(e execution, definition string, resume *interp.Resume, owner wire.Caller) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.compiled(e, definition)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	if s.closed {
		cancel(errShutdown)
	}
	r := &running{cancel: cancel, done: make(chan struct{})}
	s.running[e.arn()] = r
	s.all.Add(1)
	go func() {
		defer s.all.Done()
		defer cancel(nil)
		s.changed(ctx, e)
		out := s.interpret(ctx, e, m, resume, owner)
		s.ended(e, out)
		if now, err := s.execution(e.arn()); err == nil && out.Status != interp.Interrupted {
			s.changed(ctx, now)
		}
		s.forget(e.arn(), r)
		close(r.done)
	}()
	return nil
}

func (s *Service) interpret(ctx context.Context, e execution, m *asl.Machine, resume *interp.Resume, owner wire.Caller) interp.Outcome {
	input, err := value.Decode([]byte(e.Input))
	if err != nil {
		return interp.Outcome{Status: interp.Failed, Error: asl.ErrRuntime, Cause: err.Error()}
	}
	caller, err := s.cfg.AssumeRole(ctx, e.RoleARN, sessionName(e.Name), owner)
	if err != nil {
		return s.refused(e, fmt.Errorf("the role %s cannot be assumed: %w", e.RoleARN, err))
	}
	key, arn := e.key(), e.machineARN()
	settings, err := s.settingsFor(e)
	if err != nil {
		return s.refused(e, err)
	}
	log := s.openLogger(e, loggingOf(settings.Logging), owner)
	defer log.close()
	spans := s.openSpans(e, settings, caller)
	cfg := interp.Config{
		Tasks: dispatcher{s, caller, spans}, Clock: s.cfg.Clock, Random: s.cfg.Random, Callbacks: s.callbacks,
		Record: func(ev interp.Event) {
			s.journal.add(func(tx state.Tx) error { return putEvent(tx, key, ev) })
			log.add(ev)
			spans.add(ev)
		},
		Transition: func() {
			s.cfg.Meter.Add(ctx, wire.Quantity{Service: "states", Usage: "StateTransitions", Resource: arn, RunID: e.RunID, Amount: 1})
		},
		Prepare: s.prepare,
		Child:   s.child(e),
		MapRun: func(r interp.MapRun) {
			s.journal.add(func(tx state.Tx) error { return mapRuns.Put(tx, state.Key(key, r.ARN), r) })
		},
	}
	if s.cfg.Objects != nil {
		cfg.Objects = s.cfg.Objects(caller)
	}
	out := interp.Run(ctx, m, interp.Execution{ARN: e.arn(), Name: e.Name, RoleARN: e.RoleARN, MachineARN: arn, MachineName: e.Machine,
		Region: e.Region, Account: e.Account, Start: e.Start, Input: input, InputText: e.Input, Resume: resume}, cfg)
	spans.end(out)
	return out
}

// settingsFor reads the settings that the execution's machine had when it began.
func (s *Service) settingsFor(e execution) (r revision, err error) {
	err = s.store.View(func(tx state.Tx) error {
		r, err = revisions.Get(tx, state.Key(e.Account, e.Region, e.parentMachine(), e.Revision))
		return err
	})
	return r, err
}

// refused ends an execution that cannot begin, with the history of an execution that never ran a state.
func (s *Service) refused(e execution, err error) interp.Outcome {
	out := interp.Outcome{Status: interp.Failed, Error: asl.ErrRuntime, Cause: err.Error()}
	key, now := e.key(), s.cfg.Clock.Now()
	s.journal.add(func(tx state.Tx) error {
		if last := lastEvent(tx, key); last > 0 { // a redriven one
			return putEvent(tx, key, interp.Event{ID: last + 1, PreviousID: last, Type: "ExecutionFailed", Time: now, ExecutionFailed: &interp.ErrorDetails{Error: out.Error, Cause: out.Cause}})
		}
		return errors.Join(
			putEvent(tx, key, interp.Event{ID: 1, Type: "ExecutionStarted", Time: now, ExecutionStarted: &interp.StartedDetails{Input: e.Input, RoleARN: e.RoleARN}}),
			putEvent(tx, key, interp.Event{ID: 2, PreviousID: 1, Type: "ExecutionFailed", Time: now, ExecutionFailed: &interp.ErrorDetails{Error: out.Error, Cause: out.Cause}}))
	})
	return out
}

// dispatcher hands tasks to their executors, with the permissions of the execution's role.
type dispatcher struct {
	service *Service
	caller  wire.Caller
	spans   *spans
}

// Execute implements interp.TaskExecutor.
func (d dispatcher) Execute(ctx context.Context, r interp.TaskRequest) (any, error) {
	x := d.service.executor(r.Resource)
	if x == nil {
		return nil, &interp.TaskError{Name: asl.ErrRuntime, Cause: d.service.check(r.Resource).Error()}
	}
	caller, err := d.as(ctx, r)
	if err != nil {
		return nil, err
	}
	tell := d.service.sdk()
	out, err := x.Execute(ctx, Task{TaskRequest: r, Caller: caller, Trace: d.spans.header(r), sdk: tell})
	return out, tell.taskError(r.Resource, err)
}

// as is whose permissions a task has: those of the role in its Credentials, which the execution's role takes on.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html
func (d dispatcher) as(ctx context.Context, r interp.TaskRequest) (wire.Caller, error) {
	if r.Credentials == nil {
		return d.caller, nil
	}
	role := text(r.Credentials, "RoleArn")
	if d.service.cfg.TaskRole == nil {
		return wire.Caller{}, &interp.TaskError{Name: asl.ErrRuntime, Cause: noCredentials}
	}
	caller, err := d.service.cfg.TaskRole(ctx, role, sessionName(r.Execution.Name), d.caller)
	if err != nil {
		err = &interp.TaskError{Name: asl.ErrTaskFailed, Cause: fmt.Sprintf("The role %s is not authorized to assume the task state's role, %s.", d.caller.RoleARN, role)}
	}
	return caller, err
}

// prepare refuses what cannot be scheduled, and adds what AWS adds.
func (s *Service) prepare(r asl.Resource, parameters any) (any, error) {
	if r.Activity {
		if _, err := s.findActivity(r.ARN); err != nil {
			return nil, errors.New("The activity " + r.ARN + " does not exist.")
		}
	}
	if o, ok := parameters.(*value.Object); ok && r.Name() == "ecs:runTask.sync" {
		o = o.Copy()
		o.Set("StartedBy", "AWS Step Functions")
		return o, nil
	}
	return parameters, nil
}

const noCredentials = "the field Credentials is not implemented by this endpoint"

// ended makes an execution's end durable, and visible with that.
func (s *Service) ended(e execution, out interp.Outcome) {
	e.Stop = s.cfg.Clock.Now()
	s.journal.add(func(tx state.Tx) error { return e.end(tx, out) })
	_ = s.journal.flush() // an error stays with the journal: every later call meets it
}

// forget drops an execution that has ended, unless it was redriven meanwhile and runs again.
func (s *Service) forget(arn string, r *running) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[arn] == r {
		delete(s.running, arn)
	}
}

// finish writes the record of an execution that has ended. A machine that waits to be deleted goes with its last execution.
func finish(tx state.Tx, e execution) error {
	if err := inFlight.Delete(tx, e.key()); err != nil && !errors.Is(err, state.ErrNotFound) {
		return err
	}
	if err := executions.Put(tx, e.key(), e); err != nil {
		return err
	}
	m, err := machines.Get(tx, state.Key(e.Account, e.Region, e.Machine))
	if errors.Is(err, state.ErrNotFound) || err == nil && m.Status != deleting {
		return nil
	}
	if err != nil {
		return err
	}
	return removeIfIdle(tx, m)
}

// failInterrupted ends an execution whose process has gone or is going.
func failInterrupted(tx state.Tx, e execution) error {
	e.Status, e.Error, e.Cause = interp.Failed, asl.ErrRuntime, interrupted
	last := lastEvent(tx, e.key())
	if last == 0 {
		last = 1
		if err := putEvent(tx, e.key(), interp.Event{ID: 1, Type: "ExecutionStarted", Time: e.Start,
			ExecutionStarted: &interp.StartedDetails{Input: e.Input, RoleARN: e.RoleARN}}); err != nil {
			return err
		}
	}
	if err := putEvent(tx, e.key(), interp.Event{ID: last + 1, PreviousID: last, Type: "ExecutionFailed", Time: e.Stop,
		ExecutionFailed: &interp.ErrorDetails{Error: e.Error, Cause: e.Cause}}); err != nil {
		return err
	}
	if err := abortMapRuns(tx, e); err != nil {
		return err
	}
	return finish(tx, e)
}

// abortMapRuns ends the map runs that ended with their execution.
func abortMapRuns(tx state.Tx, e execution) error {
	found, err := mapRuns.List(tx, state.Prefix(e.key()), "", 0)
	for _, r := range found {
		if r.Value.Status == string(runningStatus) {
			r.Value.Status, r.Value.Stop = string(interp.Aborted), e.Stop
			err = errors.Join(err, mapRuns.Put(tx, r.Key, r.Value))
		}
	}
	return err
}

// lastEvent is the id of the last event of an execution, 0 when there is none.
func lastEvent(tx state.Tx, execution string) (last int64) {
	for range events.Scan(tx, state.Prefix(execution), "") {
		last++ // ids are 1, 2, 3 ...
	}
	return last
}

// recover fails what was in flight when an earlier process ended.
func (s *Service) recover() error {
	return s.store.Update(func(tx state.Tx) error {
		left, err := inFlight.List(tx, "", "", 0)
		if err != nil {
			return err
		}
		for _, entry := range left {
			e, err := executions.Get(tx, entry.Key)
			if errors.Is(err, state.ErrNotFound) {
				continue // a child that went with its machine, which waited to be deleted
			}
			if err != nil {
				return err
			}
			e.Stop = s.cfg.Clock.Now()
			if err := failInterrupted(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}
