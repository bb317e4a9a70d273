package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder keeps what Check reports instead of failing the test.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func check(t *testing.T, path, got string) string {
	r := &recorder{TB: t}
	Check(r, path, []byte(got))
	return strings.Join(r.failures, "\n")
}

func TestCheck(t *testing.T) {
	t.Setenv(Update, "")
	path := filepath.Join(t.TempDir(), "sub", "x.txt")
	if msg := check(t, path, "a"); !strings.Contains(msg, "read golden") {
		t.Errorf("a missing file should fail, got %q", msg)
	}
	t.Setenv(Update, "1")
	if msg := check(t, path, "a\nb\n"); msg != "" {
		t.Errorf("an update should pass, got %q", msg)
	}
	t.Setenv(Update, "")
	if msg := check(t, path, "a\nb\n"); msg != "" {
		t.Errorf("the same text should pass, got %q", msg)
	}
	if msg := check(t, path, "a\nc\n"); !strings.Contains(msg, "line 2 is\nc\nwant\nb") {
		t.Errorf("a difference should name its line, got %q", msg)
	}
	if msg := check(t, path, "a"); !strings.Contains(msg, "(no such line)") {
		t.Errorf("a short text should fail, got %q", msg)
	}
	if b, _ := os.ReadFile(path); string(b) != "a\nb\n" {
		t.Errorf("comparing must not write, file is %q", b)
	}
}
