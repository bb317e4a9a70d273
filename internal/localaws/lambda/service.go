// Package lambda runs functions for real: a zip's bootstrap, as processes that
// speak the Lambda Runtime API.
//
// API: https://docs.aws.amazon.com/lambda/latest/api/Welcome.html
package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"engage/internal/localaws/asl/clock"
	"engage/internal/localaws/lambda/code"
	"engage/internal/localaws/lambda/sandbox"
	"engage/internal/localaws/logs"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray/trace"
)

// Config says what the service works with.
type Config struct {
	Store *state.Store // metadata; the service does not close it
	// Dir is where code is kept, and temporary files of functions. The default is lambda beside the store.
	Dir string
	// Clock is for timestamps, retries and idle instances; a running function's
	// time is the machine's. The default is clock.Real.
	Clock clock.Clock
	// Meter counts requests and GB-seconds. The default counts nothing.
	Meter wire.Meter
	// Logs keeps what functions print. There is no default.
	Logs Logs
	// Credentials makes the sessions of functions' roles. By default a
	// function has the root user's keys, test and test.
	Credentials Credentials
	// Objects reads code from S3. By default such code is refused by name.
	Objects Objects
	// Authorizer is asked whether a role may write logs. The default allows everything.
	Authorizer wire.Authorizer
	// Invoker delivers to queues, topics, buses and functions. By default
	// destinations and dead-letter queues are refused by name.
	Invoker wire.Invoker
	// Endpoint is the URL that functions reach this endpoint by. There is no default.
	Endpoint func() string
	// Concurrency is how many instances an account may have at work. The default is 1000.
	Concurrency int
	// AsyncConcurrency is how many events of the queue are at work at once. The default is 16.
	AsyncConcurrency int
	// Pending is how long a function stays Pending, or an update InProgress. The default is 0.
	Pending time.Duration
	// Idle is when an instance without work is ended. The default is 5 minutes.
	Idle time.Duration
	// InitTimeout bounds the start of an instance, where the function's own
	// timeout is not longer. The default is 10 seconds, as AWS has it.
	InitTimeout time.Duration
	// Random chooses between the versions of an alias: from 0 to 1. The
	// default is math/rand's.
	Random func() float64
	// Traces takes the segments of traced invocations. The default forgets them.
	Traces *trace.Recorder
	// LogLimit is how many bytes an invocation may print; the rest is dropped,
	// and the log says so. The default is 4 MiB.
	LogLimit int
}

// Logs is where functions' output goes: *logs.Service.
type Logs interface {
	HasGroup(account, region, group string) (bool, error)
	Create(ctx context.Context, account, region, group, stream string) error
	Append(ctx context.Context, account, region, group, stream string, events []logs.Event) error
}

// Session is what a function acts with.
type Session struct {
	AccessKey, Secret, Token string
	Caller                   wire.Caller
	Expires                  time.Time // zero: never
}

// Credentials assumes roles for functions, as the principal lambda.amazonaws.com.
// Errors: AccessDenied when the role does not trust it or is not there.
type Credentials interface {
	Assume(ctx context.Context, roleARN, sessionName string, caller wire.Caller) (Session, error)
}

// Objects opens an object of S3 for a caller, with that caller's permissions.
type Objects interface {
	Open(ctx context.Context, caller wire.Caller, bucket, key, version string) (io.ReadCloser, error)
}

// Service runs functions. Its methods may be called concurrently.
type Service struct {
	cfg     Config
	code    *code.Store
	pools   pools
	pollers pollers
	log     *logWriter

	ctx    context.Context // ends with the service
	cancel context.CancelFunc
	tasks  sync.WaitGroup // queue and clean-up
	runs   sync.WaitGroup // invocations
	slots  chan struct{}  // for events of the queue

	closing sync.Mutex
	closed  bool
}

// New returns the service over what is kept. What a killed process left
// running is ended. Resume goes on with what it left undone. Close ends it.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Logs == nil || cfg.Endpoint == nil {
		panic("lambda: Config needs Store, Logs and Endpoint")
	}
	cfg.defaults()
	if err := sandbox.Sweep(filepath.Join(cfg.Dir, "tmp")); err != nil {
		return nil, err
	}
	store, err := code.Open(filepath.Join(cfg.Dir, "code"))
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, code: store, slots: make(chan struct{}, cfg.AsyncConcurrency)}
	s.pools = pools{limit: cfg.Concurrency, all: map[string]*pool{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.retainCode(); err != nil {
		return nil, err
	}
	s.log = newLogWriter(s)
	s.tasks.Go(s.endIdle)
	return s, nil
}

// Resume works on the events and queues that were waited for when an earlier
// process ended. REQUIRES: the endpoint listens, since functions call it.
func (s *Service) Resume() error { return errors.Join(s.resumeQueue(), s.resumePollers()) }

func (cfg *Config) defaults() {
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(cfg.Store.Dir(), "lambda")
	}
	if abs, err := filepath.Abs(cfg.Dir); err == nil {
		cfg.Dir = abs // processes run elsewhere
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.Real{}
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.Credentials == nil {
		cfg.Credentials = rootCredentials{}
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Traces == nil {
		cfg.Traces = trace.New(trace.Config{Now: cfg.Clock.Now})
	}
	cfg.Concurrency = orDefault(cfg.Concurrency, 1000)
	cfg.AsyncConcurrency = orDefault(cfg.AsyncConcurrency, 16)
	cfg.Idle = orDefault(cfg.Idle, 5*time.Minute)
	cfg.InitTimeout = orDefault(cfg.InitTimeout, 10*time.Second)
	cfg.LogLimit = orDefault(cfg.LogLimit, 4<<20)
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// rootCredentials are those of the account's root user.
type rootCredentials struct{}

func (rootCredentials) Assume(_ context.Context, _, _ string, caller wire.Caller) (Session, error) {
	return Session{AccessKey: "test", Secret: "test", Caller: wire.Root(caller.Account, caller.Region)}, nil
}

// retainCode removes the packages that no function has any more.
func (s *Service) retainCode() error {
	used := map[string]bool{}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for _, collection := range []state.Collection[function]{functions, versions} {
			for raw := range collection.Scan(tx, "", "") {
				fn, err := raw.Value()
				if err != nil {
					return err
				}
				used[fn.Code.ID] = true
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list functions: %w", err)
	}
	return s.code.Retain(func(id string) bool { return used[id] })
}

// begin counts an invocation, false when the service is closing.
func (s *Service) begin() bool {
	s.closing.Lock()
	defer s.closing.Unlock()
	if !s.closed {
		s.runs.Add(1)
	}
	return !s.closed
}

// Close ends all instances, those at work too, and waits until nothing runs.
// Events in the queue stay there. Logs of what ran are written first.
func (s *Service) Close() error {
	s.closing.Lock()
	again := s.closed
	s.closed = true
	s.closing.Unlock()
	if again {
		return nil
	}
	s.cancel()
	err := s.pools.close()
	s.runs.Wait()
	s.tasks.Wait()
	s.log.close()
	return err
}

// Sync returns when everything that functions printed until now is in the logs.
func (s *Service) Sync(ctx context.Context) error { return s.log.sync(ctx) }

// Limits says how the limits of functions are kept on this machine.
func (s *Service) Limits() string {
	return "memory: resident memory of the process tree is sampled every 20 ms and a function above its limit is killed; " +
		"/tmp: a directory of its own in TMPDIR; processes run as the endpoint's user"
}
