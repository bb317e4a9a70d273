// Package golden compares what a test made with a file kept beside it. It is
// for tests only.
package golden

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Update is the environment variable that, set to 1, makes Check rewrite its
// files instead of comparing with them.
const Update = "ENGAGE_UPDATE_GOLDEN"

// Check fails the test unless got is the content of the file at path, which is
// relative to the test's package. It names the first line that differs.
func Check(t testing.TB, path string, got []byte) {
	t.Helper()
	if os.Getenv(Update) == "1" {
		write(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("read golden: %v (make it with %s=1)", err, Update)
		return
	}
	if !bytes.Equal(got, want) {
		n, g, w := firstDifference(got, want)
		t.Errorf("%s: line %d is\n%s\nwant\n%s\n(if the change is meant, rewrite with %s=1)", path, n, g, w, Update)
	}
}

// write leaves an unchanged file alone, so that its time stays.
func write(t testing.TB, path string, got []byte) {
	t.Helper()
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, got) {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatalf("make golden directory: %v", err)
	}
	if err := os.WriteFile(path, got, 0o644); err != nil {
		t.Fatalf("write golden: %v", err)
	}
}

// firstDifference returns the number, from 1, and both forms of the first line
// that differs; a line that one side lacks is told as such.
func firstDifference(got, want []byte) (n int, g, w string) {
	gs, ws := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(gs), len(ws)) {
		g, w = lineAt(gs, i), lineAt(ws, i)
		if g != w {
			return i + 1, g, w
		}
	}
	return 0, "", ""
}

func lineAt(lines [][]byte, i int) string {
	if i >= len(lines) {
		return "(no such line)"
	}
	return string(lines[i])
}
