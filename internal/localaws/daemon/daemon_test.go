package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"engage/internal/localaws/daemon"
)

// behaviour makes the test binary play an endpoint.
const behaviour = "DAEMON_TEST_BEHAVIOUR"

func TestMain(m *testing.M) {
	if os.Getenv(behaviour) == "" {
		os.Exit(m.Run())
	}
	if err := play(os.Getenv(behaviour), os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// play is an endpoint that serves nothing.
func play(how, dir string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	if how == "fail" {
		return errors.New("first line\nthe port is taken")
	}
	lease, err := daemon.Own(dir)
	if err != nil {
		return err
	}
	if how == "hang" {
		select {}
	}
	if err := lease.Announce("http://127.0.0.1:1", 2, time.Now()); err != nil {
		return err
	}
	if err := daemon.Ready(); err != nil {
		return err
	}
	<-stop
	if how == "stubborn" {
		select {}
	}
	return lease.Release()
}

// start runs the test binary in the background on a directory of its own.
func start(t *testing.T, ctx context.Context, how string) (string, daemon.Info, error) {
	t.Helper()
	t.Setenv(behaviour, how)
	dir := filepath.Join(t.TempDir(), "state")
	info, err := daemon.Start(ctx, dir, os.Args[0], dir)
	t.Cleanup(func() {
		if info.PID > 0 {
			_ = syscall.Kill(info.PID, syscall.SIGKILL)
		}
	})
	return dir, info, err
}

func TestStartFindStop(t *testing.T) {
	dir, info, err := start(t, t.Context(), "serve")
	if err != nil {
		t.Fatal(err)
	}
	found, err := daemon.Find(dir)
	if err != nil || found != info || info.PID == os.Getpid() || info.URL == "" {
		t.Errorf("found %+v, %v; started %+v", found, err, info)
	}
	var busy *daemon.BusyError
	if _, err := daemon.Own(dir); !errors.As(err, &busy) {
		t.Errorf("a second owner: %v, want BusyError", err)
	}
	if err := daemon.Reset(dir); !errors.As(err, &busy) {
		t.Errorf("reset of a running endpoint: %v, want BusyError", err)
	}
	if err := daemon.Stop(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.Find(dir); !errors.Is(err, daemon.ErrNotRunning) {
		t.Errorf("after stop: %v, want ErrNotRunning", err)
	}
	if err := daemon.Stop(t.Context(), dir); !errors.Is(err, daemon.ErrNotRunning) {
		t.Errorf("stop again: %v, want ErrNotRunning", err)
	}
}

// An endpoint that was killed is not running, and its directory can be owned.
func TestKilled(t *testing.T) {
	dir, info, err := start(t, t.Context(), "serve")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(info.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Wait4(info.PID, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.Find(dir); !errors.Is(err, daemon.ErrNotRunning) {
		t.Errorf("after kill: %v, want ErrNotRunning", err)
	}
	if err := daemon.Reset(dir); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("reset leaves %v, want the lock alone", entries)
	}
}

func TestAFailedStartSaysWhy(t *testing.T) {
	dir, _, err := start(t, t.Context(), "fail")
	if err == nil || !strings.Contains(err.Error(), "the port is taken") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want the last line that the process said", err)
	}
	if _, err := daemon.Find(dir); !errors.Is(err, daemon.ErrNotRunning) {
		t.Errorf("after a failed start: %v, want ErrNotRunning", err)
	}
}

// A process that is never ready, or never ends, is killed when time is up.
func TestTimeIsUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, _, err := start(t, ctx, "hang"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("never ready: %v, want DeadlineExceeded", err)
	}
	dir, info, err := start(t, t.Context(), "stubborn")
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Stop(ctx, dir); err != nil {
		t.Errorf("stop of a stubborn endpoint: %v", err)
	}
	if _, err := syscall.Wait4(info.PID, nil, 0, nil); err != nil {
		t.Errorf("the process was not killed: %v", err)
	}
}

func TestResetOfNothing(t *testing.T) {
	if err := daemon.Reset(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Error(err)
	}
}
