package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"engage/datagen"
	"engage/internal/generate"
)

// A process that is told to end in any stage removes what it wrote.
func TestSignals(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for signal, stage := range map[syscall.Signal]datagen.Stage{
		syscall.SIGINT: datagen.Connecting, syscall.SIGTERM: generate.Writing, syscall.SIGHUP: datagen.Ranking,
	} {
		dir := filepath.Join(t.TempDir(), "data")
		c := exec.Command(program, "data", "generate", "--rows", "60000", "--out", dir)
		c.Env = append(os.Environ(), asCommand+"=1")
		talk, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(talk); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), string(stage)) {
				if err := c.Process.Signal(signal); err != nil {
					t.Error(err)
				}
			}
		}
		var ended *exec.ExitError
		if err := c.Wait(); !errors.As(err, &ended) || ended.ExitCode() != exitInterrupted {
			t.Errorf("%v in %q: %v, want exit code %d", signal, stage, err, exitInterrupted)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%v in %q: the directory is left", signal, stage)
		}
	}
}

// A reader that goes away is an error like any other, not a crash.
func TestClosedOutput(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	var talk strings.Builder
	code := run(t.Context(), []string{"data", "describe"}, streams{In: strings.NewReader(""), Out: write, Err: &talk})
	if code != exitFailed || !strings.HasPrefix(talk.String(), "engage: ") {
		t.Errorf("exit code %d, said %q", code, talk.String())
	}
}
