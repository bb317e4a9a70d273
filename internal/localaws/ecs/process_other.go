//go:build !linux

package ecs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// begin starts a plain process: what keeps containers apart is Linux's alone.
func (p *process) begin(sp *spec, _ *Service) error {
	if err := os.MkdirAll(sp.dir, 0o755); err != nil {
		return fmt.Errorf("make container directory: %w", err)
	}
	root, err := sp.copyRoot()
	if err != nil {
		return err
	}
	cmd, err := startCommand(func() *exec.Cmd {
		return &exec.Cmd{Path: filepath.Join(root, sp.program), Args: sp.args, Env: sp.env, Dir: filepath.Join(root, sp.workdir),
			Stdout: sp.output, Stderr: sp.output, SysProcAttr: &syscall.SysProcAttr{Setpgid: true}, WaitDelay: 2 * time.Second}
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", sp.args[0], err)
	}
	p.pid = cmd.Process.Pid
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // ProcessState says how it ended
		p.kill()
		p.state = cmd.ProcessState
	}()
	return nil
}

func probe(string) Isolation {
	i := plainIsolation("only Linux has namespaces")
	i.MemoryLimit = "none"
	return i
}

// usage is what a process uses; nothing measures it here.
type usage struct {
	processes int
	resident  int64
	cpu       time.Duration
}

func usageOf(int) usage { return usage{} }

func killLeftovers([]string) {}

// memoryWatch has nothing to watch.
type memoryWatch struct{}

func newMemoryWatch() *memoryWatch { return &memoryWatch{} }

func (*memoryWatch) close() {}
