package dataset_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"engage/internal/dataset"
)

// What a killed process left is no reason to refuse a directory, and is removed.
func TestLeftoversAreSweptAway(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".staging-123")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "customers.csv"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	staging, err := dataset.Create(dir, false)
	if err != nil {
		t.Fatalf("with a leftover: %v", err)
	}
	defer staging.Abort()
	if _, err := os.Stat(left); err == nil {
		t.Error("the leftover is still there")
	}
}

// Two processes cannot write to one directory, whether or not they use force.
func TestADirectoryHasOneWriter(t *testing.T) {
	dir := t.TempDir()
	first, err := dataset.Create(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	var busy *dataset.BusyError
	for _, force := range []bool{false, true} {
		if _, err := dataset.Create(dir, force); !errors.As(err, &busy) {
			t.Errorf("a second writer, force %t: error %v, want BusyError", force, err)
		}
	}
	if err := first.Abort(); err != nil {
		t.Fatal(err)
	}
	second, err := dataset.Create(dir, false)
	if err != nil {
		t.Fatalf("after the first writer: %v", err)
	}
	if err := second.Abort(); err != nil {
		t.Error(err)
	}
}
