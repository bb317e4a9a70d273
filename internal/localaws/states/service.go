// Package states is AWS Step Functions: standard state machines, kept and run for real.
//
// API: https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html
package states

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/clock"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray/trace"
)

// Config says what the service works with.
type Config struct {
	Store *state.Store // the service does not close it
	// Clock drives waits, timeouts and timestamps. The default is the machine's.
	Clock clock.Clock
	// Random is a source of random numbers, safe for concurrent use. The default is the system's.
	Random func() uint64
	// Meter counts transitions. The default counts nothing.
	Meter wire.Meter
	// Invoker is how states:startExecution calls this service again, with its permissions checked: give the
	// server. The default calls the handlers without a check.
	Invoker wire.Invoker
	// AssumeRole gives the caller that an execution's tasks act as. The default is a session of the
	// machine's role, made without asking whether the role exists.
	AssumeRole func(ctx context.Context, roleARN, session string, owner wire.Caller) (wire.Caller, error)
	// TaskRole gives the caller for a task with a role of its own (Credentials), which by takes on. Without it
	// such a task is refused when the machine is created.
	TaskRole func(ctx context.Context, roleARN, session string, by wire.Caller) (wire.Caller, error)
	// Objects is where a distributed Map reads and writes, as a caller. Without it such a Map is refused
	// when the machine is created.
	Objects func(caller wire.Caller) interp.Objects
	// Logs takes the events of machines that log. Without it a loggingConfiguration is refused.
	Logs func(ctx context.Context, line LogLine) error
	// LogGroup tells whether the log group exists to which a machine is to log. The default takes every one for existing.
	LogGroup func(owner wire.Caller, arn string) (bool, error)
	// Traces takes the segments of machines that are traced. Without it a tracingConfiguration that is enabled is refused.
	Traces *trace.Recorder
	// Changed hears of the status of each execution, before it runs and once its end is durable. Without it nobody is told.
	Changed func(ctx context.Context, c StatusChange)
	// Integrations run tasks, by asl.Resource.Name: "lambda" for a function's ARN, "lambda:invoke",
	// "ecs:runTask.sync" ... What is missing is refused by name when a machine is created.
	// states:startExecution is the service's own.
	Integrations map[string]Executor
}

// Task is a task of a state machine, with the caller whose permissions it has.
type Task struct {
	interp.TaskRequest
	Caller wire.Caller
	Trace  string // X-Amzn-Trace-Id for what the task calls; empty when the machine is not traced
	sdk    sdk
}

// Executor runs tasks of one kind. Its contract is that of interp.TaskExecutor.
type Executor interface {
	Execute(ctx context.Context, t Task) (any, error)
}

// ExecutorFunc makes an Executor of a function.
type ExecutorFunc func(ctx context.Context, t Task) (any, error)

// Execute calls the function.
func (f ExecutorFunc) Execute(ctx context.Context, t Task) (any, error) { return f(ctx, t) }

// Service is Step Functions. Make it with New, end it with Close.
type Service struct {
	cfg       Config
	store     *state.Store
	callbacks *interp.Callbacks
	journal   *journal
	wire      *wire.Service

	mu       sync.Mutex
	closed   bool
	running  map[string]*running // by execution ARN
	machines map[string]*asl.Machine
	all      sync.WaitGroup
	activity map[string]chan offer // by activity ARN
	stopping chan struct{}         // closed by Close
}

// New returns the service. Executions that were in flight when an earlier process ended have failed.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil {
		return nil, errors.New("states: no store is set")
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.Real{}
	}
	if cfg.Random == nil {
		cfg.Random = systemRandom
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.AssumeRole == nil {
		cfg.AssumeRole = session
	}
	s := &Service{cfg: cfg, store: cfg.Store, callbacks: interp.NewCallbacks(), running: map[string]*running{}, machines: map[string]*asl.Machine{},
		activity: map[string]chan offer{}, stopping: make(chan struct{})}
	s.wire = s.service()
	if s.cfg.Invoker == nil {
		s.cfg.Invoker = direct{s.wire}
	}
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("states: %w", err)
	}
	s.journal = openJournal(cfg.Store)
	return s, nil
}

func (s *Service) sdk() sdk { return sdk{s.cfg.Clock.Now, s.cfg.Random} }

// Service returns the operations, for the server.
func (s *Service) Service() *wire.Service { return s.wire }

// Close stops every execution, which fails with a cause that says so, and returns once all have ended.
func (s *Service) Close() error {
	s.mu.Lock()
	if !s.closed {
		close(s.stopping)
	}
	s.closed = true
	for _, r := range s.running {
		r.cancel(errShutdown)
	}
	s.mu.Unlock()
	s.all.Wait()
	return s.journal.close()
}

func systemRandom() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// session is the assumed-role session of an execution.
func session(_ context.Context, roleARN, name string, owner wire.Caller) (wire.Caller, error) {
	role := roleARN[strings.LastIndexByte(roleARN, '/')+1:]
	account := owner.Account
	if parts := strings.Split(roleARN, ":"); len(parts) > 4 {
		account = parts[4]
	}
	return wire.Caller{Account: account, Region: owner.Region, ARN: "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name,
		RoleARN: roleARN, SessionName: name, RunID: owner.RunID, Service: "states.amazonaws.com"}, nil
}

// own are the integrations that the service brings itself.
var own = []string{"states:startExecution", "states:startExecution.sync", "states:startExecution.sync:2", "states:startExecution.waitForTaskToken"}

// check refuses a resource that nothing here can run.
func (s *Service) check(r asl.Resource) error {
	name := r.Name()
	switch {
	case r.Activity || slices.Contains(own, name) || s.cfg.Integrations[name] != nil:
		return nil
	case r.Type == "s3" && s.cfg.Objects != nil && slices.Contains([]string{"s3:getObject", "s3:listObjectsV2", "s3:putObject"}, name):
		return nil
	case r.Lambda:
		return fmt.Errorf("the integration of Lambda functions by their ARN is not implemented by this endpoint: '%s'", r.ARN)
	case unrecognized(r):
		return errors.New(notRecognized + r.ARN + " is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.")
	}
	return fmt.Errorf("the integration '%s' is not implemented by this endpoint: '%s'", name, r.ARN)
}

// notRecognized begins AWS's words for an integration that it does not have.
const notRecognized = "The resource provided "

// unrecognized tells what AWS does not have either, of the services all of whose optimized integrations are known here.
func unrecognized(r asl.Resource) bool {
	actions, known := forwarded[r.Type]
	jobs := r.Name() == "athena:startQueryExecution.sync" || r.Name() == "ecs:runTask.sync"
	return known && actions[r.ActionText()] == "" && !jobs || r.Type == "states" && !slices.Contains(own, r.Name()) ||
		r.Type == "lambda" && r.Name() != "lambda:invoke" && r.Name() != "lambda:invoke.waitForTaskToken"
}

// executor finds who runs a task.
func (s *Service) executor(r asl.Resource) Executor {
	switch {
	case r.Activity:
		return ExecutorFunc(s.offer)
	case slices.Contains(own, r.Name()):
		return ExecutorFunc(s.startExecutionTask)
	}
	return s.cfg.Integrations[r.Name()]
}

// direct is an Invoker without permissions.
type direct struct{ service *wire.Service }

// Invoke runs one of the service's own operations.
func (d direct) Invoke(ctx context.Context, caller wire.Caller, service, operation string, input any) (any, error) {
	op := d.service.Operation(operation)
	if service != d.service.Name || op == nil {
		return nil, wire.NotImplemented("%s %s called from another service", service, operation)
	}
	in, err := op.Adopt(input)
	if err != nil {
		return nil, err
	}
	return op.Handle(ctx, &wire.Call{Service: d.service, Operation: operation, Caller: caller}, in)
}
