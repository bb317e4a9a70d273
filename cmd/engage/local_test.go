package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The life of an endpoint, as a person has it: up twice, status, logs, usage,
// reset refused, down twice, reset.
func TestLocal(t *testing.T) {
	t.Setenv(asCommand, "1") // up starts this test binary as engage
	dir := filepath.Join(t.TempDir(), "state")
	local := func(args ...string) (int, string, string) {
		return command(t, append(append([]string{"local"}, args...), "--dir", dir)...)
	}
	if code, _, talk := local("status"); code != exitFailed || !strings.Contains(talk, "engage local up") {
		t.Errorf("status without an endpoint: exit code %d, said %q", code, talk)
	}
	code, url, talk := local("up", "--port", "0")
	if code != exitOK || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("up: exit code %d, %q, %q", code, url, talk)
	}
	defer local("down")
	if code, again, _ := local("up", "--port", "0"); code != exitOK || again != url {
		t.Errorf("up again: exit code %d, %q, want %q", code, again, url)
	}
	code, out, _ := local("status", "--json")
	var status struct {
		URL      string
		Services []string
	}
	if err := json.Unmarshal([]byte(out), &status); code != exitOK || err != nil || status.URL+"\n" != url || len(status.Services) < 10 {
		t.Errorf("status: exit code %d, error %v, %+v", code, err, status)
	}
	for _, args := range [][]string{{"status"}, {"logs", "--denied"}, {"logs", "--json"}, {"usage"}, {"usage", "--json"}} {
		if code, _, talk := local(args...); code != exitOK {
			t.Errorf("%v: exit code %d, said %q", args, code, talk)
		}
	}
	if code, _, talk := local("reset"); code != exitFailed || !strings.Contains(talk, "local down") {
		t.Errorf("reset of a running endpoint: exit code %d, said %q", code, talk)
	}
	for range 2 {
		if code, _, talk := local("down"); code != exitOK {
			t.Errorf("down: exit code %d, said %q", code, talk)
		}
	}
	if code, _, _ := local("reset"); code != exitOK {
		t.Errorf("reset: exit code %d", code)
	}
	if _, err := os.Stat(filepath.Join(dir, "state.db")); err == nil {
		t.Error("reset leaves state.db")
	}
}

// A port that is taken is named, with the way out.
func TestPortTaken(t *testing.T) {
	t.Setenv(asCommand, "1")
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	code, url, talk := command(t, "local", "up", "--dir", first, "--port", "0")
	if code != exitOK {
		t.Fatalf("up: %s", talk)
	}
	defer command(t, "local", "down", "--dir", first)
	port := strings.TrimSpace(url[strings.LastIndexByte(url, ':')+1:])
	code, _, talk = command(t, "local", "up", "--dir", second, "--port", port)
	if code != exitFailed || !strings.Contains(talk, "taken") || !strings.Contains(talk, "--port") {
		t.Errorf("a taken port: exit code %d, said %q", code, talk)
	}
}
