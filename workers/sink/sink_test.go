package sink_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"engage/workers/sink"
)

// names lists what a directory holds.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// begin starts a file and writes a word.
func begin(t *testing.T, f sink.File, word string) sink.Sink {
	t.Helper()
	s, err := f.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte(word)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFileIsThereAsAWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	f := sink.File{Path: filepath.Join(dir, "f")}
	s := begin(t, f, "one")
	if _, err := os.Stat(f.Path); err == nil {
		t.Error("the file is there before Commit")
	}
	if err := errors.Join(s.Abort(), s.Abort()); err != nil || len(names(t, dir)) != 0 {
		t.Errorf("%v; left %v", err, names(t, dir))
	}
	s = begin(t, f, "two")
	if err := errors.Join(s.Commit(), s.Abort()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(f.Path); err != nil || string(text) != "two" || len(names(t, dir)) != 1 {
		t.Errorf("%q, %v; %v", text, err, names(t, dir))
	}
}

func TestFileIsNotReplacedUnasked(t *testing.T) {
	dir := t.TempDir()
	f := sink.File{Path: filepath.Join(dir, "f")}
	if err := os.WriteFile(f.Path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var exists *sink.ExistsError
	if _, err := f.Create(t.Context()); !errors.As(err, &exists) || exists.Path != f.Path {
		t.Error(err)
	}
	f.Replace = true
	s := begin(t, f, "new")
	if text, _ := os.ReadFile(f.Path); string(text) != "mine" {
		t.Error("the file was replaced before Commit")
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(f.Path); string(text) != "new" {
		t.Errorf("the file holds %q", text)
	}
	if _, err := (sink.File{Path: dir, Replace: true}).Create(t.Context()); err == nil {
		t.Error("a directory was replaced")
	}
	if _, err := (sink.File{Path: filepath.Join(dir, "no", "f")}).Create(t.Context()); err == nil {
		t.Error("a file was begun in no directory")
	}
}

// A name that is taken while the file is written is still replaced as a whole;
// one whose directory is gone leaves an error.
func TestCommitFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := begin(t, sink.File{Path: filepath.Join(dir, "f")}, "x")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err == nil {
		t.Error("committed into no directory")
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
}
