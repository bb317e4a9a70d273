package alarm_test

import (
	"context"
	"testing"
	"time"

	"engage/internal/localaws/alarm"
)

func TestAlarmWakesForWhatIsDue(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	asked := make(chan time.Duration)
	fire := make(chan time.Time)
	a := alarm.New(func() time.Time { return now }, func(d time.Duration) (<-chan time.Time, func()) { asked <- d; return fire, func() {} })
	done, spans := make(chan struct{}), make(chan time.Duration)
	ctx, stop := context.WithCancel(t.Context())
	due := now.Add(10 * time.Second)
	go func() {
		defer close(done)
		a.Run(ctx, func(time.Time) (time.Time, error) { return due, nil },
			func(_ context.Context, from, to time.Time) error { spans <- to.Sub(from); return nil }, func(err error) { t.Error(err) })
	}()
	if d := <-asked; d != 10*time.Second {
		t.Errorf("it sleeps %v, want 10 s", d)
	}
	now = due
	due = time.Time{}
	fire <- now
	if d := <-spans; d != 10*time.Second {
		t.Errorf("what is due spans %v, want 10 s", d)
	}
	if d := <-asked; d != alarm.Idle {
		t.Errorf("with nothing due it sleeps %v, want %v", d, alarm.Idle)
	}
	a.Tell()
	if d := <-spans; d != 0 {
		t.Errorf("told of news, it looks at %v", d)
	}
	<-asked
	stop()
	<-done
}
