//go:build linux

package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSweep ends what an instance of a killed process left running, and
// nothing else.
func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tmp")
	if err := os.MkdirAll(filepath.Join(dir, "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	start := func(temp string) *exec.Cmd {
		c := exec.Command("sleep", "60")
		c.Env = []string{marker(temp)}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	left, other := start(filepath.Join(dir, "1")), start(dir+"-of-another")
	if err := Sweep(dir); err != nil {
		t.Fatal(err)
	}
	if err := left.Wait(); err == nil || left.ProcessState.String() != "signal: killed" {
		t.Errorf("left: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d directories are left", len(entries))
	}
	if memory := residentMemory(other.Process.Pid); memory == 0 {
		t.Error("the other process does not run any more")
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	other.Wait()
}
