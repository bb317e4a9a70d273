// Package sandbox runs one instance of a function: a process that asks for its
// work over the Lambda Runtime API, on a loopback address of its own.
//
// API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Spec says what to run.
type Spec struct {
	Root string   // directory of the code; bootstrap is in it
	Env  []string // all of the environment but TMPDIR and AWS_LAMBDA_RUNTIME_API
	// TempDir is where the instance's own directory for temporary files is made.
	TempDir string
	// Memory is how many bytes the processes may have resident.
	Memory int64
	// InitTimeout bounds the time until the first request for work.
	InitTimeout time.Duration
	// MaxResponse bounds a response, in bytes.
	MaxResponse int64
	// Output gets each line of standard output and error, without its newline,
	// one at a time. It must not keep the slice.
	Output func(line []byte)
}

// Instance is a running function. One invocation runs at a time.
type Instance struct {
	spec  Spec
	temp  string
	cmd   *exec.Cmd
	http  *http.Server
	out   *output
	work  chan *job
	ready chan struct{} // has an entry when the runtime asked for work and has none

	initFailed chan []byte
	exited     chan struct{} // closed when the process is gone
	exit       *os.ProcessState
	overMemory atomic.Bool
	peak       atomic.Int64
	peakAt     time.Time // when it was looked up
	current    atomic.Pointer[job]
	closeOnce  sync.Once
	killOnce   sync.Once
	closeErr   error
}

// Failure says why the runtime gave no answer.
type Failure struct {
	Type    string // "Runtime.ExitError"
	Message string // what AWS has behind "RequestId: ID Error: "
	Payload []byte // what the runtime itself reported, instead of the two
	Reason  Reason
}

// Reason tells failures apart.
type Reason int

const (
	Exited     Reason = iota // the process ended
	TimedOut                 // it was killed because its time was over
	OverMemory               // it was killed because it had too much memory
	NoEntry                  // there is nothing to run
	InitError                // the runtime reported that it could not begin
	TooLarge                 // the response was too long
)

// Error returns type and message.
func (f *Failure) Error() string { return f.Type + ": " + f.Message }

// Start runs the bootstrap and waits until it asks for work.
// Errors: *Failure, what the system says, the context's. Close ends it.
func Start(ctx context.Context, spec Spec) (*Instance, error) {
	i := &Instance{
		spec: spec, work: make(chan *job), ready: make(chan struct{}, 1),
		initFailed: make(chan []byte, 1), exited: make(chan struct{}),
	}
	if err := i.launch(ctx); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	if err := i.awaitInit(ctx); err != nil {
		i.kill()
		i.out.drain()
		if closeErr := i.Close(); closeErr != nil {
			return nil, errors.Join(err, closeErr)
		}
		return nil, err
	}
	return i, nil
}

func (i *Instance) launch(ctx context.Context) error {
	bootstrap := filepath.Join(i.spec.Root, "bootstrap")
	if info, err := os.Stat(bootstrap); err != nil || info.IsDir() {
		return &Failure{Type: "Runtime.InvalidEntrypoint", Reason: NoEntry,
			Message: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}
	}
	if err := os.MkdirAll(i.spec.TempDir, 0o700); err != nil {
		return fmt.Errorf("start function: %w", err)
	}
	temp, err := os.MkdirTemp(i.spec.TempDir, "")
	if err != nil {
		return fmt.Errorf("start function: %w", err)
	}
	i.temp = temp
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start function: listen for the Runtime API: %w", err)
	}
	i.http = &http.Server{Handler: i.api()}
	go i.http.Serve(listener) //nolint:errcheck // ends with ErrServerClosed
	if i.out, err = newOutput(i.spec.Output); err != nil {
		return fmt.Errorf("start function: %w", err)
	}
	err = i.exec(ctx, bootstrap, listener.Addr().String())
	return errors.Join(err, i.out.started())
}

// exec starts the process. Where another thread forked while the file was
// being written, its child has the file open for an instant: that is waited for.
func (i *Instance) exec(ctx context.Context, bootstrap, api string) error {
	for wait := time.Millisecond; ; wait *= 2 {
		i.cmd = &exec.Cmd{
			Path: bootstrap, Args: []string{bootstrap}, Dir: i.spec.Root,
			Env:    append(append([]string{}, i.spec.Env...), marker(i.temp), "AWS_LAMBDA_RUNTIME_API="+api),
			Stdout: i.out.write, Stderr: i.out.write, SysProcAttr: attributes(),
		}
		err := i.cmd.Start()
		if err == nil {
			go i.reap()
			return nil
		}
		i.cmd = nil
		if !errors.Is(err, syscall.ETXTBSY) || wait > time.Second {
			return entryFailure(err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// entryFailure tells what cannot be run from what this machine refuses.
func entryFailure(err error) error {
	if errors.Is(err, syscall.ENOEXEC) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		var cause syscall.Errno
		errors.As(err, &cause)
		return &Failure{Type: "Runtime.InvalidEntrypoint", Reason: NoEntry, Message: "fork/exec /var/task/bootstrap: " + cause.Error()}
	}
	return fmt.Errorf("start function: %w", err)
}

// reap waits for the end of the process, and ends what it left running.
func (i *Instance) reap() {
	i.cmd.Wait() //nolint:errcheck // the state says it
	i.exit = i.cmd.ProcessState
	killAll(i.cmd.Process.Pid, i.temp)
	close(i.exited)
}

func (i *Instance) awaitInit(ctx context.Context) error {
	timer := time.NewTimer(i.spec.InitTimeout)
	defer timer.Stop()
	stop := i.watchMemory()
	defer stop()
	select {
	case <-i.ready:
		return nil
	case payload := <-i.initFailed:
		return &Failure{Type: "Runtime.InitError", Payload: payload, Reason: InitError}
	case <-i.exited:
		select {
		case payload := <-i.initFailed: // it reported and ended
			return &Failure{Type: "Runtime.InitError", Payload: payload, Reason: InitError}
		default:
			return i.exitFailure()
		}
	case <-timer.C:
		return &Failure{Type: "Sandbox.Timedout", Reason: TimedOut,
			Message: fmt.Sprintf("Task timed out after %.2f seconds", i.spec.InitTimeout.Seconds())}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exitFailure says how the process ended. REQUIRES: exited is closed.
func (i *Instance) exitFailure() *Failure {
	f := &Failure{Type: "Runtime.ExitError", Message: "Runtime exited without providing a reason"}
	if i.overMemory.Load() {
		f.Reason, f.Message = OverMemory, "Runtime exited with error: signal: killed"
	} else if !i.exit.Success() {
		f.Message = "Runtime exited with error: " + i.exit.String()
	}
	return f
}

// kill ends the process and all that it started, and waits for it.
func (i *Instance) kill() {
	if i.cmd == nil {
		return
	}
	i.killOnce.Do(func() { killGroup(i.cmd.Process.Pid) })
	<-i.exited
}

// Close ends the instance and removes its files.
func (i *Instance) Close() error {
	i.closeOnce.Do(func() {
		i.kill()
		if i.http != nil {
			i.closeErr = i.http.Close()
		}
		if i.out != nil {
			i.out.close()
		}
		if i.temp != "" {
			i.closeErr = errors.Join(i.closeErr, os.RemoveAll(i.temp))
		}
	})
	return i.closeErr
}

// Alive reports whether the process still runs.
func (i *Instance) Alive() bool {
	select {
	case <-i.exited:
		return false
	default:
		return true
	}
}

// Done is closed when the process has ended.
func (i *Instance) Done() <-chan struct{} { return i.exited }

// Peak returns the most memory that was resident, in bytes. The system is
// asked every peakInterval at most, since the answer takes it a while.
// REQUIRES: nobody else calls it at the same time.
func (i *Instance) Peak() int64 {
	if now := time.Now(); now.Sub(i.peakAt) > peakInterval && i.Alive() {
		i.peakAt = now
		i.notePeak(peakMemory(i.cmd.Process.Pid))
	}
	return i.peak.Load()
}

const peakInterval = 100 * time.Millisecond

func (i *Instance) notePeak(n int64) {
	for {
		old := i.peak.Load()
		if n <= old || i.peak.CompareAndSwap(old, n) {
			return
		}
	}
}

// memoryInterval is how often the resident memory is looked at while the
// function works.
const memoryInterval = 20 * time.Millisecond

// watchMemory kills the process when it has too much memory, until it is stopped.
func (i *Instance) watchMemory() (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(memoryInterval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-i.exited:
				return
			case <-ticker.C:
			}
			n := residentMemory(i.cmd.Process.Pid)
			i.notePeak(n)
			if n > i.spec.Memory {
				i.overMemory.Store(true)
				i.kill()
				return
			}
		}
	}()
	return func() { close(done) }
}
