package interp

import (
	"context"
	"errors"
	"time"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/value"
)

// task runs one attempt at a Task and records its events.
func (f *frame) task(ctx context.Context, input any) (any, error) {
	spec := f.state.Task
	timeout, err := f.count(spec.Timeout, "TimeoutSecondsPath", f.input)
	if err != nil {
		return nil, err
	}
	heartbeat, err := f.count(spec.Heartbeat, "HeartbeatSecondsPath", f.input)
	if err != nil {
		return nil, err
	}
	if f.Prepare != nil {
		if input, err = f.Prepare(spec.Resource, input); err != nil {
			return nil, f.runtime("%s", err)
		}
	}
	r := TaskRequest{Resource: spec.Resource, Parameters: input, Token: f.token, Execution: f.execution, State: f.state.Name, Timeout: timeout, Heartbeat: heartbeat}
	if spec.Credentials != nil {
		if r.Credentials, err = f.evaluate(spec.Credentials, f.input); err != nil {
			return nil, err
		}
	}
	log := f.log(spec.Resource)
	log.scheduled(input, r)
	r.Event = f.previous
	r.Submitted, r.Started = log.submitted, log.started
	output, err := f.perform(ctx, r, timeout, heartbeat)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err == nil {
		output, err = value.FromGo(output)
	}
	if err == nil && len(value.Encode(output)) > MaxPayload {
		err = &Failure{Name: asl.ErrDataLimit, Cause: "The state/task '" + named(spec.Resource) + "' returned a result with a size exceeding the maximum number of bytes service limit."}
	}
	if err != nil {
		failure := asFailure(err)
		log.failed(failure)
		return nil, failure
	}
	log.succeeded(output)
	return output, nil
}

// named is how the message about a result that is too large names its task (recorded on AWS).
func named(r asl.Resource) string {
	if r.Lambda || r.Activity {
		return r.ARN
	}
	return r.Type
}

func asFailure(err error) *Failure {
	var failure *Failure
	var task *TaskError
	switch {
	case errors.As(err, &failure):
		return failure
	case errors.As(err, &task):
		return &Failure{Name: task.Name, Cause: task.Cause}
	}
	return &Failure{Name: asl.ErrTaskFailed, Cause: err.Error()}
}

type answer struct {
	output any
	err    error
}

// perform runs the executor within the timeout, and for a token waits for whoever holds it.
func (f *frame) perform(ctx context.Context, r TaskRequest, timeout, heartbeat int64) (output any, err error) {
	if f.Tasks == nil {
		return nil, f.runtime("No executor for the resource '%s'", r.Resource.ARN)
	}
	waits := r.Resource.GivesToken()
	if timeout == 0 && !waits {
		f.waiting(func() { output, err = f.Tasks.Execute(ctx, r) })
		return output, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var expired <-chan time.Time
	if timeout > 0 {
		var release func()
		expired, release = f.Clock.NewTimer(time.Duration(timeout) * time.Second)
		defer release()
	}
	var call *callback
	if waits {
		call = f.Callbacks.open(r.Token)
		defer f.Callbacks.close(r.Token)
	}
	f.waiting(func() {
		output, err = f.execute(ctx, cancel, r, expired)
		if err == nil && waits {
			if !r.Resource.Activity {
				r.Submitted(output)
			}
			output, err = f.await(ctx, call, expired, time.Duration(heartbeat)*time.Second)
		}
	})
	return output, err
}

// execute runs the executor beside the timer and waits for it even when the time is up.
func (f *frame) execute(ctx context.Context, cancel func(), r TaskRequest, expired <-chan time.Time) (any, error) {
	done := make(chan answer, 1)
	go func() {
		output, err := f.Tasks.Execute(ctx, r)
		done <- answer{output, err}
	}()
	select {
	case a := <-done:
		return a.output, a.err
	case <-expired:
		cancel()
		<-done
		return nil, &Failure{Name: asl.ErrTimeout}
	}
}

// await waits for the token's holder: each heartbeat starts the heartbeat's time again.
func (f *frame) await(ctx context.Context, c *callback, expired <-chan time.Time, heartbeat time.Duration) (any, error) {
	for {
		var silent <-chan time.Time
		release := func() {}
		if heartbeat > 0 {
			silent, release = f.Clock.NewTimer(heartbeat)
		}
		select {
		case a := <-c.answered:
			release()
			return a.output, a.err
		case <-c.beat:
			release()
		case <-expired:
			release()
			return nil, &Failure{Name: asl.ErrTimeout}
		case <-silent:
			return nil, &Failure{Name: asl.ErrTimeout, heartbeat: true}
		case <-ctx.Done():
			release()
			return nil, context.Cause(ctx)
		}
	}
}

// taskLog records a task's events, which are named differently for a function's ARN.
type taskLog struct {
	frame    *frame
	resource asl.Resource
	details  TaskDetails
}

func (f *frame) log(r asl.Resource) *taskLog {
	return &taskLog{frame: f, resource: r, details: TaskDetails{ResourceType: r.Type, Resource: r.ActionText()}}
}

func (l *taskLog) scheduled(input any, r TaskRequest) {
	text := value.String(input)
	switch {
	case l.resource.Lambda:
		l.frame.note("LambdaFunctionScheduled", Event{LambdaScheduled: &LambdaDetails{Resource: l.resource.ARN, Input: text, Timeout: r.Timeout, Credentials: credentials(r)}})
		l.frame.yield()
		l.frame.note("LambdaFunctionStarted", Event{})
	case l.resource.Activity:
		l.frame.note("ActivityScheduled", Event{ActivityScheduled: &ActivityDetails{Resource: l.resource.ARN, Input: text, Timeout: r.Timeout, Heartbeat: r.Heartbeat}})
	default:
		l.frame.note("TaskScheduled", Event{TaskScheduled: &ScheduledDetails{TaskDetails: l.details, Region: l.frame.execution.Region, Parameters: text,
			Timeout: r.Timeout, Heartbeat: r.Heartbeat, Credentials: credentials(r)}})
		l.frame.yield()
		l.frame.note("TaskStarted", Event{TaskStarted: &l.details})
	}
}

// credentials tells the role of a task that has one of its own.
func credentials(r TaskRequest) *CredentialDetails {
	o, ok := r.Credentials.(*value.Object)
	if !ok {
		return nil
	}
	role, _ := o.Get("RoleArn")
	text, _ := role.(string)
	return &CredentialDetails{RoleARN: text}
}

// started records that a worker has taken an activity's task.
func (l *taskLog) started(worker string) {
	l.frame.note("ActivityStarted", Event{ActivityStarted: &WorkerDetails{Worker: worker}})
}

func (l *taskLog) submitted(output any) {
	l.frame.note("TaskSubmitted", Event{TaskSubmitted: &TaskOutputDetails{TaskDetails: l.details, Output: value.String(output)}})
}

func (l *taskLog) succeeded(output any) {
	text := value.String(output)
	switch {
	case l.resource.Lambda:
		l.frame.note("LambdaFunctionSucceeded", Event{LambdaSucceeded: &OutputDetails{Output: text}})
	case l.resource.Activity:
		l.frame.note("ActivitySucceeded", Event{ActivitySucceeded: &OutputDetails{Output: text}})
	default:
		l.frame.note("TaskSucceeded", Event{TaskSucceeded: &TaskOutputDetails{TaskDetails: l.details, Output: text}})
	}
}

func (l *taskLog) failed(failure *Failure) {
	d := ErrorDetails{Error: failure.Name, Cause: failure.Cause}
	timedOut := failure.Name == asl.ErrTimeout || failure.Name == asl.ErrHeartbeatTimeout
	switch {
	case l.resource.Activity && timedOut:
		l.frame.note("ActivityTimedOut", Event{ActivityTimedOut: &d})
	case l.resource.Activity:
		l.frame.note("ActivityFailed", Event{ActivityFailed: &d})
	case l.resource.Lambda && timedOut:
		l.frame.note("LambdaFunctionTimedOut", Event{LambdaTimedOut: &d})
	case l.resource.Lambda:
		l.frame.note("LambdaFunctionFailed", Event{LambdaFailed: &d})
	case timedOut:
		l.frame.note("TaskTimedOut", Event{TaskTimedOut: &TaskErrorDetails{l.details, d}})
	default:
		l.frame.note("TaskFailed", Event{TaskFailed: &TaskErrorDetails{l.details, d}})
	}
}
