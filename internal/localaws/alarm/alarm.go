// Package alarm does what is due, when it is due, on a clock that is given.
package alarm

import (
	"context"
	"sync"
	"time"
)

// Idle is how long an alarm sleeps at most: the clock of a machine may be set.
const Idle = time.Minute

// Alarm sleeps until the next thing is due. Make it with New.
type Alarm struct {
	now   func() time.Time
	after func(time.Duration) (<-chan time.Time, func())

	mu      sync.Mutex
	changed chan struct{} // closed when something else may be due first
}

// New returns an alarm on a clock. After makes a channel that fires after a
// time, and a function that lets go of it; the default of both is package time's.
func New(now func() time.Time, after func(time.Duration) (<-chan time.Time, func())) *Alarm {
	if now == nil {
		now = time.Now
	}
	if after == nil {
		after = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTimer(d)
			return t.C, func() { t.Stop() }
		}
	}
	return &Alarm{now: now, after: after, changed: make(chan struct{})}
}

// Tell says that something else may be due first now.
func (a *Alarm) Tell() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *Alarm) news() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

// Run asks next when something is due after a time, the zero time for never,
// sleeps until then and has do do what is due after from and not after to. It
// ends with the context; errors are reported and do not end it.
func (a *Alarm) Run(ctx context.Context, next func(after time.Time) (time.Time, error), do func(ctx context.Context, from, to time.Time) error, report func(error)) {
	from := a.now()
	for {
		news := a.news()
		at, err := next(from)
		if err != nil {
			report(err)
		}
		if !a.sleep(ctx, at, news) {
			return
		}
		to := a.now()
		if err := do(ctx, from, to); err != nil && ctx.Err() == nil {
			report(err)
		}
		from = to
	}
}

// sleep returns when a time has come, or something changed; false when the context ended.
func (a *Alarm) sleep(ctx context.Context, until time.Time, news <-chan struct{}) bool {
	wait := Idle
	if !until.IsZero() {
		wait = max(0, min(Idle, until.Sub(a.now())))
	}
	timer, stop := a.after(wait)
	defer stop()
	select {
	case <-ctx.Done():
		return false
	case <-news:
	case <-timer:
	}
	return true
}
