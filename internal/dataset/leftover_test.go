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

// A process that was killed while it replaced a data set leaves half of one
// without a manifest. Force replaces that too.
func TestHalfADataSetIsReplaced(t *testing.T) {
	dir := newWorld(5).store(t)
	left := filepath.Join(dir, ".staging-123")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, dataset.ManifestFile), filepath.Join(left, dataset.ManifestFile)); err != nil {
		t.Fatal(err)
	}
	var notEmpty *dataset.NotEmptyError
	if _, err := dataset.Create(dir, false); !errors.As(err, &notEmpty) {
		t.Errorf("without force: %v", err)
	}
	s, err := dataset.Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	newWorld(6).commit(t, s, "csv")
	if r := validate(t, dir); !r.OK() {
		t.Errorf("got %+v", r)
	}
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
