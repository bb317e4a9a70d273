package states

import (
	"strings"
	"testing"
)

func TestSessionName(t *testing.T) {
	for execution, want := range map[string]string{"x": "x_", "run-1": "run-1", "été (1)": "_t___1_", strings.Repeat("n", 80): strings.Repeat("n", 64)} {
		if got := sessionName(execution); got != want {
			t.Errorf("%s: %s", execution, got)
		}
	}
}
