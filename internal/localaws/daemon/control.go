package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// readyFD is the descriptor on which a background process says that it is
// healthy: the first after standard error.
const readyFD = 3

// ReadyVariable tells a process that it was started by Start.
const ReadyVariable = "LOCALAWS_READY_FD"

// Start runs a command in the background, in a session of its own, and waits
// until it calls Ready or ends. What it says goes to LogFile. The context bounds
// the wait; when it ends, the process is killed.
func Start(ctx context.Context, dir, program string, args ...string) (Info, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Info{}, fmt.Errorf("make state directory: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, LogFile), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return Info{}, fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	ready, tell, err := os.Pipe()
	if err != nil {
		return Info{}, fmt.Errorf("make pipe: %w", err)
	}
	defer ready.Close()
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr, c.ExtraFiles = log, log, []*os.File{tell}
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", ReadyVariable, readyFD))
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = c.Start()
	tell.Close()
	if err != nil {
		return Info{}, fmt.Errorf("start endpoint: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Process.Kill() })
	defer stop()
	if line, _ := bufio.NewReader(ready).ReadString('\n'); line == "" {
		_ = c.Wait() // how it ended is in the log
		if ctx.Err() != nil {
			return Info{}, fmt.Errorf("wait for endpoint: %w", ctx.Err())
		}
		return Info{}, fmt.Errorf("the endpoint did not start: %s", lastLine(dir))
	}
	return Find(dir)
}

// Ready tells the process that started this one in the background, if there is
// such a process, that it is healthy.
func Ready() error {
	if os.Getenv(ReadyVariable) == "" {
		return nil
	}
	f := os.NewFile(readyFD, "ready")
	_, err := io.WriteString(f, "ready\n")
	return errors.Join(err, f.Close())
}

// lastLine returns what the endpoint said last.
func lastLine(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, LogFile))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; err == nil && last != "" {
		return last
	}
	return "it said nothing"
}

// Stop asks the endpoint of a directory to end, and waits until it has. When
// the context ends first, the process is killed. The error is ErrNotRunning if
// none runs.
func Stop(ctx context.Context, dir string) error {
	info, err := Find(dir)
	if err != nil {
		return err
	}
	if err := syscall.Kill(info.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop process %d: %w", info.PID, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(info.PID, syscall.SIGKILL) })
	defer stop()
	return awaitRelease(dir)
}

// awaitRelease blocks until nobody owns the directory.
func awaitRelease(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open lock: %w", err)
	}
	defer f.Close()
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// Reset deletes all state of a directory that no endpoint owns. Errors: *BusyError.
func Reset(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lease, err := Own(dir)
	if err != nil {
		return err
	}
	defer lease.file.Close()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read state directory: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == lockFile {
			continue // it is what keeps others out while the rest goes
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("delete state: %w", err)
		}
	}
	return nil
}
