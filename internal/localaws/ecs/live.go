package ecs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"engage/internal/localaws/image"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// live is a task that has not stopped.
type live struct {
	s          *Service
	def        *storedDefinition
	containers []*container
	ctx        context.Context // ends when the task is asked to stop
	cancel     context.CancelFunc
	done       chan struct{} // closed when the task is STOPPED

	mu     sync.Mutex // taken inside of a transaction, never around one
	record record
	asked  bool // to stop
	code   string
	reason string
}

func newLive(s *Service, r record, d *storedDefinition) *live {
	t := &live{s: s, record: r, def: d, done: make(chan struct{})}
	t.ctx, t.cancel = context.WithCancel(s.ctx)
	for i := range d.ContainerDefinitions {
		t.containers = append(t.containers, newContainer(t, i))
	}
	return t
}

func (s *Service) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// launch runs a recorded task until it has stopped.
func (s *Service) launch(t *live) {
	s.mu.Lock()
	s.live[t.record.key()] = t
	for i, c := range t.containers {
		s.tokens[t.record.Secrets[i]] = c
	}
	closed := s.closed
	s.tasks.Add(1)
	s.mu.Unlock()
	if closed {
		t.stop("TerminationNotice", "The endpoint was shut down.")
	}
	go func() {
		defer s.tasks.Done()
		t.run()
		s.mu.Lock()
		delete(s.live, t.record.key())
		for _, token := range t.record.Secrets {
			delete(s.tokens, token)
		}
		s.mu.Unlock()
		close(t.done)
	}()
}

// change edits the record and keeps it. What cannot be kept goes on in memory:
// the task's processes matter more than a full disk.
func (t *live) change(f func(r *record)) {
	_ = t.s.store.Batch(func(tx state.Tx) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		f(&t.record)
		return tasks.Put(tx, t.record.key(), t.record)
	})
}

// stop asks the task to stop, for a reason. The first one counts.
func (t *live) stop(code, reason string) {
	t.mu.Lock()
	again := t.asked
	if !again {
		t.asked, t.code, t.reason = true, code, reason
	}
	t.mu.Unlock()
	if again {
		return
	}
	now := t.s.now()
	t.change(func(r *record) {
		r.DesiredStatus, r.StopCode, r.StoppedReason, r.StoppingAt = "STOPPED", code, reason, now
	})
	t.cancel()
}

// run takes the task from PROVISIONING to STOPPED.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
func (t *live) run() {
	defer t.cancel()
	t.change(func(r *record) {
		r.LastStatus, r.Version = "PENDING", r.Version+1
		r.Attachments[0].Status = "ATTACHED"
		r.Attachments[0].Details = append(r.Attachments[0].Details, KeyValue{"privateIPv4Address", "127.0.0.1"})
		for i := range r.Containers {
			r.Containers[i].NetworkInterfaces = []NetworkInterface{{r.Attachments[0].ID, "127.0.0.1"}}
		}
		r.Connectivity, r.ConnectivityAt, r.PullStartedAt = "CONNECTED", t.s.now(), t.s.now()
	})
	if err := t.prepare(); err != nil {
		t.failed(err)
	} else {
		t.execute()
	}
	t.deprovision()
}

// startError is why a task could not start, as AWS words it.
type startError struct {
	kind      string // "CannotPullContainerError", "ResourceInitializationError"
	container int    // index, or -1 for the task
	cause     error
}

func (e *startError) Error() string {
	var known *wire.Error
	if errors.As(e.cause, &known) {
		return e.kind + ": " + known.Message
	}
	return e.kind + ": " + e.cause.Error()
}

func (t *live) failed(err error) {
	var why *startError
	if errors.As(err, &why) && why.container >= 0 {
		t.change(func(r *record) { r.Containers[why.container].Reason = err.Error() })
	}
	t.stop("TaskFailedToStart", err.Error())
}

// prepare gets everything that the containers need.
func (t *live) prepare() error {
	caller, err := t.executionCaller()
	if err != nil {
		return &startError{"ResourceInitializationError", -1, fmt.Errorf("unable to pull secrets or registry auth: %w", err)}
	}
	for i, c := range t.containers {
		if err := c.openLog(t.ctx, caller); err != nil {
			return &startError{"ResourceInitializationError", -1, fmt.Errorf("failed to validate logger args: %w", err)}
		}
		if err := c.readSecrets(t.ctx, caller); err != nil {
			return &startError{"ResourceInitializationError", -1, fmt.Errorf("unable to pull secrets: %w", err)}
		}
		if err := c.pull(t.ctx, caller); err != nil {
			return &startError{"CannotPullContainerError", i, err}
		}
	}
	t.change(func(r *record) { r.PullStoppedAt = t.s.now() })
	return t.ctx.Err()
}

// executionCaller is who pulls images and reads secrets: the execution role's session.
func (t *live) executionCaller() (wire.Caller, error) {
	role := first(t.record.Overrides.ExecutionRoleArn, t.def.ExecutionRoleArn)
	if role == "" {
		anonymous := wire.Caller{Account: t.record.Account, Region: t.record.Region, Service: "ecs-tasks.amazonaws.com", RunID: t.record.RunID}
		return anonymous, nil
	}
	session, err := t.s.session(t.ctx, t, role)
	session.Caller.Region = t.record.Region
	return session.Caller, err
}

func (s *Service) session(ctx context.Context, t *live, role string) (Session, error) {
	tags := map[string]string{}
	if t.record.RunID != "" {
		tags["RunId"] = t.record.RunID
	}
	return s.cfg.Credentials.Session(ctx, "ecs-tasks.amazonaws.com", role, t.record.ID(), tags)
}

// platform is what the image must be for.
func (t *live) platform() v1.Platform {
	architecture := runtime.GOARCH
	if p := t.def.RuntimePlatform; p != nil && p.CPUArchitecture != "" {
		architecture = map[string]string{"X86_64": "amd64", "ARM64": "arm64"}[p.CPUArchitecture]
	}
	return v1.Platform{OS: "linux", Architecture: architecture}
}

// execute runs the containers until an essential one ends or the task is stopped.
func (t *live) execute() {
	var all sync.WaitGroup
	for _, c := range t.containers {
		all.Go(c.run)
	}
	all.Wait()
}

// running notes that a container has started; the task runs when all have.
func (t *live) running(index int) {
	t.change(func(r *record) {
		r.Containers[index].LastStatus = "RUNNING"
		for _, c := range r.Containers {
			if c.LastStatus == "PENDING" {
				return
			}
		}
		if r.LastStatus == "PENDING" {
			r.LastStatus, r.StartedAt, r.Version = "RUNNING", t.s.now(), r.Version+1
		}
	})
}

// exited notes how a container ended, and ends the task with an essential one.
func (t *live) exited(index int, code *int, reason string) {
	t.change(func(r *record) {
		c := &r.Containers[index]
		c.LastStatus, c.ExitCode = "STOPPED", code
		c.Reason = first(c.Reason, reason)
		if r.LastStatus == "PENDING" && code != nil {
			r.LastStatus, r.StartedAt, r.Version = "RUNNING", t.s.now(), r.Version+1
		}
	})
	last := true
	for _, c := range t.containers {
		last = last && (c.index == index || c.ended())
	}
	switch {
	case code == nil && t.ctx.Err() == nil:
		t.stop("TaskFailedToStart", reason)
	case t.def.ContainerDefinitions[index].essential() || last:
		t.stop("EssentialContainerExited", "Essential container in task exited")
	}
}

// deprovision books the use of the task, removes what it has left, and ends it.
func (t *live) deprovision() {
	t.change(func(r *record) {
		r.LastStatus, r.ExecutionStoppedAt, r.Version = "DEPROVISIONING", t.s.now(), r.Version+1
	})
	for _, c := range t.containers {
		c.closeLog()
	}
	err := image.RemoveAll(t.s.taskDir(t.record.ID()))
	t.change(func(r *record) {
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.StoppedReason += " (its files could not be removed: " + err.Error() + ")"
		}
		for i := range r.Containers {
			r.Containers[i].LastStatus = "STOPPED"
		}
		r.Attachments[0].Status = "DELETED"
		r.LastStatus, r.StoppedAt, r.Version = "STOPPED", t.s.now(), r.Version+1
	})
	t.s.meter(context.WithoutCancel(t.ctx), bill{t.record, t.record.StoppedAt.Time, t.def.RuntimePlatform})
}
