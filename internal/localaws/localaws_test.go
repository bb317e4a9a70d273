package localaws_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"engage/internal/localaws"
)

// An endpoint opens on an empty directory, listens, and opens again on what it
// left; after Close it no longer answers.
func TestOpenStartClose(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		e, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		answer, err := http.Get(e.URL() + "/_localstack/health")
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("health: %v, %v", answer, err)
		}
		answer.Body.Close()
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := http.Get(e.URL() + "/_localstack/health"); err == nil {
			t.Error("the endpoint answers after Close")
		}
	}
}

// A damaged state file is named, with what to do; nothing is left open.
func TestDamagedState(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/state.db", []byte("this is no state file, whatever it is"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "state.db") || !strings.Contains(err.Error(), "reset") {
		t.Errorf("error %v, want the file's name and the way out", err)
	}
}

// Only loopback addresses are taken.
func TestOpenAddress(t *testing.T) {
	if e, err := localaws.Open(localaws.Config{Addr: "0.0.0.0:0", Dir: t.TempDir()}); err == nil {
		_ = e.Close(context.Background())
		t.Error("an address that other machines reach was taken")
	}
}
