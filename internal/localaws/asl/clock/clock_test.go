package clock

import (
	"testing"
	"time"
)

func TestFake(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := NewFake(start)
	late, _ := f.NewTimer(2 * time.Second)
	soon, _ := f.NewTimer(time.Second)
	gone, release := f.NewTimer(time.Second)
	release()
	if d := f.Next(); d != time.Second || !f.Now().Equal(start.Add(time.Second)) {
		t.Errorf("moved %s to %s", d, f.Now())
	}
	<-soon
	select {
	case <-late:
		t.Error("a timer fired early")
	case <-gone:
		t.Error("a released timer fired")
	default:
	}
	f.Advance(time.Hour)
	<-late
	now, _ := f.NewTimer(0)
	<-now
}

func TestReal(t *testing.T) {
	fired, release := Real{}.NewTimer(time.Nanosecond)
	defer release()
	if at := <-fired; at.After(Real{}.Now()) {
		t.Errorf("fired at %s, which is to come", at)
	}
}
