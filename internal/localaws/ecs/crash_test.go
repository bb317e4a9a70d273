package ecs_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/ecs"
	"engage/internal/localaws/state"
)

// crashDir, in the environment, makes the test binary the process that
// TestCrash kills: it runs a task from a state directory.
const crashDir = "ECS_TEST_CRASH_DIR"

func TestCrashChild(t *testing.T) {
	if os.Getenv(crashDir) == "" {
		t.Skip("runs as the child of TestCrash")
	}
	f := boot(t, func(c *ecs.Config) { c.Plain = os.Getenv("ECS_TEST_PLAIN") != "" })
	arn := f.begin(t, definition(f.container("forkwait")), nil)
	f.logs.await(id(arn))
	fmt.Println("READY", arn, f.server.URL())
	select {}
}

// left returns the processes of the containers of an endpoint.
func left(url string) (all []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && bytes.Contains(b, []byte("METADATA_URI_V4="+url+"/")) {
			all = append(all, file)
		}
	}
	return all
}

func TestCrash(t *testing.T) {
	if os.Getenv(crashDir) != "" {
		t.Skip("this is the child")
	}
	for _, plain := range []string{"", "plain"} {
		t.Run("mode "+plain, func(t *testing.T) {
			dir := t.TempDir()
			arn, url := killed(t, dir, plain)
			store, err := state.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			used := &meter{sums: map[string]float64{}}
			s, err := ecs.New(ecs.Config{Store: store, Puller: noPuller{}, Credentials: credentials{}, Logs: &logs{}, Meter: used, Endpoint: func() string { return "" }})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close(context.Background())
			for deadline := time.Now().Add(10 * time.Second); len(left(url)) > 0; { // the kernel is at it
				if time.Now().After(deadline) {
					t.Fatalf("left %v", left(url))
				}
			}
			task, err := s.Wait(t.Context(), arn)
			if err != nil || task.LastStatus != "STOPPED" || !strings.Contains(task.StoppedReason, "The endpoint ended while the task was ") {
				t.Errorf("got %s %s %v", task.LastStatus, task.StoppedReason, err)
			}
			if len(used.sums) != 4 { // used and minimum, of CPU and memory
				t.Errorf("counted %v", used.sums)
			}
			if entries, _ := os.ReadDir(filepath.Join(dir, "ecs", "tasks")); len(entries) > 0 {
				t.Errorf("left %v", entries)
			}
		})
	}
}

// killed runs a task in another process and kills that with SIGKILL.
func killed(t *testing.T, dir, plain string) (arn, url string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestCrashChild$", "-test.v")
	cmd.Env = append(os.Environ(), crashDir+"="+dir, "ECS_TEST_PLAIN="+plain)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "READY "); ok {
			arn, url, _ = strings.Cut(rest, " ")
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil || arn == "" {
		t.Fatalf("the child was not ready: %v", err)
	}
	_ = cmd.Wait() // it was killed
	return arn, url
}
