package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The names that the door takes are those of the SDK that programs are written
// with: both change together or not at all.
func TestTypesAreTheSDKs(t *testing.T) {
	out := filepath.Join(t.TempDir(), "types.json")
	if err := generate(out, filepath.Join("..", "types.txt")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("..", "types.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("types.json is not what the SDK says; run \"go generate ./internal/localaws/provider/sdk\"")
	}
}

func TestUnknownTypesAreRefused(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "types.txt")
	if err := os.WriteFile(list, []byte("aws:sqs/stack:Stack\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := generate(filepath.Join(dir, "types.json"), list)
	if err == nil || !strings.Contains(err.Error(), "aws:sqs/stack:Stack: the SDK has no such type") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "types.json")); !os.IsNotExist(err) {
		t.Error("a file was written all the same")
	}
}
