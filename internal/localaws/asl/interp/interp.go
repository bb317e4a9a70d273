// Package interp runs state machines that package asl compiled, and records their history as AWS Step
// Functions does.
//
// Semantics: https://states-language.net/spec.html and
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
//
// Branches and iterations run one at a time until they wait for something (a task, a timer), so that the
// history of what does not wait is deterministic; waiting happens side by side.
package interp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/clock"
	"engage/internal/localaws/asl/value"
)

// MaxPayload is AWS's limit on a state's input, output and a task's result, in bytes of JSON.
const MaxPayload = 262_144

// Status of an execution.
type Status string

// How an execution ends. Interrupted is not AWS's: the process that ran it is shutting down.
const (
	Succeeded   Status = "SUCCEEDED"
	Failed      Status = "FAILED"
	TimedOut    Status = "TIMED_OUT"
	Aborted     Status = "ABORTED"
	Interrupted Status = "INTERRUPTED"
)

// Execution says what is run.
type Execution struct {
	ARN         string
	Name        string
	RoleARN     string
	MachineARN  string
	MachineName string
	Region      string
	Account     string
	Start       time.Time // zero: now
	Input       any       // a document of package value
	InputText   string    // Input as it was given, which ExecutionStarted tells; the default is Input written out
	// Resume continues an execution that ended without success, instead of beginning it.
	Resume *Resume
}

// Resume says where a redriven execution continues. Its state must not be a Parallel or a Map, whose branches
// and iterations would have to be continued one by one.
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
type Resume struct {
	State   string // of the machine itself
	Input   any    // as the state was entered
	Vars    map[string]any
	Entered int64 // id of the event of that, 0 when it was not entered yet
	Last    int64 // id of the history's last event
	Count   int   // how often the execution was redriven, this time included
}

func (e Execution) redrives() int64 {
	if e.Resume == nil {
		return 0
	}
	return int64(e.Resume.Count)
}

// Outcome is how an execution ended.
type Outcome struct {
	Status Status
	Output any // when Succeeded
	Error  string
	Cause  string
}

// Config is what an execution runs with. Tasks is required if the machine has tasks.
type Config struct {
	Tasks TaskExecutor
	// Clock drives waits and timeouts. The default is the machine's.
	Clock clock.Clock
	// Random is a source of random numbers, safe for concurrent use. It is required.
	Random func() uint64
	// Record receives every event in order, from one goroutine at a time; it must not block for long.
	Record func(Event)
	// Transition is called for each state entered and each retry, which is what AWS bills.
	Transition func()
	// Callbacks holds the task tokens that wait. The default is a registry of the execution's own.
	Callbacks *Callbacks
	// Prepare, when set, gives the parameters that a task is scheduled with; its error fails the execution.
	Prepare func(r asl.Resource, parameters any) (any, error)
	// Objects is where a distributed Map reads and writes. Required for ItemReader and ResultWriter.
	Objects Objects
	// MapRun is told of every distributed Map when it starts, after each child, and when it ends.
	MapRun func(MapRun)
	// Child, when set, gives the recorder of a child execution's history and is told of its end.
	Child func(e Execution, mapRunARN string) (record func(Event), ended func(Outcome))
}

// TaskRequest is one attempt at a Task.
type TaskRequest struct {
	Resource    asl.Resource
	Parameters  any // a document
	Credentials any // a document or nil
	Token       string
	Execution   Execution
	State       string
	// Event is the id of the last event of the history before the attempt, which tells of it.
	Event int64
	// Submitted is to be called by a .sync executor once the service accepted the work, with its answer.
	Submitted func(output any)
	// Started is to be called by the executor of activities once a worker has taken the task, before the
	// worker learns of it.
	Started func(worker string)
	// Timeout and Heartbeat are the task's limits in seconds, 0 for none.
	Timeout, Heartbeat int64
}

// TaskExecutor runs tasks. Execute returns the task's output, a document. It must return soon after ctx
// is done, having stopped what it started. A *TaskError carries Error and Cause; any other error becomes
// States.TaskFailed with its text as cause.
type TaskExecutor interface {
	Execute(ctx context.Context, r TaskRequest) (any, error)
}

// TaskError is a task's failure as the state machine sees it.
type TaskError struct{ Name, Cause string }

func (e *TaskError) Error() string { return e.Name + ": " + e.Cause }

// Objects is the part of S3 that a distributed Map uses.
type Objects interface {
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, error)
	// List calls each with the objects below prefix in order, with the fields Etag, Key, LastModified, Size and
	// StorageClass; an error that each returns ends the listing and is returned.
	List(ctx context.Context, bucket, prefix string, each func(*value.Object) error) error
	Put(ctx context.Context, bucket, key string, body []byte) error
}

// Stopped is the cancellation cause (context.WithCancelCause) that aborts an execution as StopExecution does.
type Stopped struct{ Name, Cause string }

func (s *Stopped) Error() string { return "the execution was stopped" }

var errTimedOut = errors.New("the execution timed out")

// Run executes a machine to its end. No goroutine outlives it.
func Run(ctx context.Context, m *asl.Machine, e Execution, c Config) Outcome {
	if c.Clock == nil {
		c.Clock = clock.Real{}
	}
	if c.Callbacks == nil {
		c.Callbacks = NewCallbacks()
	}
	if e.Start.IsZero() {
		e.Start = c.Clock.Now()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{Config: c, execution: e}
	if e.Resume != nil {
		r.history.last = e.Resume.Last
	}
	r.history.now, r.history.emit, r.history.full = c.Clock.Now, c.Record, func() { cancel(errHistoryFull) }
	stop := r.deadline(m, cancel)
	defer stop()
	return r.execute(ctx, m)
}

// run is one execution in progress.
type run struct {
	Config
	execution Execution
	history   recorder
	turns
}

func (r *run) deadline(m *asl.Machine, cancel context.CancelCauseFunc) (stop func()) {
	if m.TimeoutSeconds == 0 {
		return func() {}
	}
	fired, release := r.Clock.NewTimer(time.Duration(m.TimeoutSeconds) * time.Second)
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		select {
		case <-fired:
			cancel(errTimedOut)
		case <-done:
		}
	}()
	return func() { close(done); release(); <-finished }
}

func (r *run) execute(ctx context.Context, m *asl.Machine) Outcome {
	e := r.execution
	f := &frame{run: r}
	if e.Resume == nil {
		input := e.InputText
		if input == "" {
			input = value.String(e.Input)
		}
		r.history.add(0, "ExecutionStarted", Event{ExecutionStarted: &StartedDetails{Input: input, RoleARN: e.RoleARN}})
	} else {
		f.previous = r.history.add(e.Resume.Last, "ExecutionRedriven", Event{ExecutionRedriven: &RedrivenDetails{Count: e.Resume.Count}})
		f.resume, f.vars = e.Resume, e.Resume.Vars
	}
	output, err := f.machine(ctx, m, e.Input)
	if err == nil && ctx.Err() == nil {
		r.history.end(f.previous, "ExecutionSucceeded", Event{ExecutionSucceeded: &OutputDetails{Output: value.String(output)}})
		return Outcome{Status: Succeeded, Output: output}
	}
	return r.ended(ctx, f.previous, err)
}

// ended records why an execution did not succeed. What ends it from outside follows no event (recorded on AWS).
func (r *run) ended(ctx context.Context, previous int64, err error) Outcome {
	var failure *Failure
	var stopped *Stopped
	cause := context.Cause(ctx)
	switch {
	case errors.As(cause, &stopped):
		d := &ErrorDetails{Error: stopped.Name, Cause: stopped.Cause}
		r.history.end(0, "ExecutionAborted", Event{ExecutionAborted: d})
		return Outcome{Status: Aborted, Error: d.Error, Cause: d.Cause}
	case errors.Is(cause, errSibling): // a child execution beside one that failed
		r.history.end(0, "ExecutionAborted", Event{ExecutionAborted: &ErrorDetails{}})
		return Outcome{Status: Aborted}
	case errors.Is(cause, errTimedOut):
		// Only the event names the error, the execution itself does not (measured on AWS).
		r.history.end(0, "ExecutionTimedOut", Event{ExecutionTimedOut: &ErrorDetails{Error: asl.ErrTimeout}})
		return Outcome{Status: TimedOut}
	case errors.Is(cause, errHistoryFull):
		failure = &Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The execution reached the maximum number of history events (%d).", MaxEvents)}
	case cause != nil:
		return Outcome{Status: Interrupted}
	case !errors.As(err, &failure):
		failure = &Failure{Name: asl.ErrRuntime, Cause: err.Error()}
	}
	d := &ErrorDetails{Error: failure.Name, Cause: failure.Cause}
	r.history.end(previous, "ExecutionFailed", Event{ExecutionFailed: d})
	return Outcome{Status: Failed, Error: d.Error, Cause: d.Cause}
}

func (r *run) transition() {
	if r.Transition != nil {
		r.Transition()
	}
}
