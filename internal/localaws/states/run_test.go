package states

import "testing"

// An execution that was redriven before the goroutine of its first run has gone can still be stopped.
func TestForgetLeavesALaterRun(t *testing.T) {
	first, second := &running{}, &running{}
	s := &Service{running: map[string]*running{"x": second}}
	if s.forget("x", first); s.running["x"] != second {
		t.Error("the later run is forgotten")
	}
	if s.forget("x", second); len(s.running) != 0 {
		t.Error("it is kept")
	}
}
