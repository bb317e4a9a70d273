// Package clock is time as the interpreter sees it: the machine's, or one that a test moves.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time and makes timers.
type Clock interface {
	Now() time.Time
	// NewTimer returns a channel that receives once d has passed, and a function that releases the timer.
	NewTimer(d time.Duration) (<-chan time.Time, func())
}

// Real is the machine's clock.
type Real struct{}

// Now is time.Now.
func (Real) Now() time.Time { return time.Now() }

// NewTimer wraps time.NewTimer.
func (Real) NewTimer(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// Fake is a clock that moves only when it is told to. Create it with NewFake.
type Fake struct {
	mu      sync.Mutex
	changed *sync.Cond
	now     time.Time
	timers  map[*fakeTimer]bool
}

type fakeTimer struct {
	at time.Time
	c  chan time.Time
}

// NewFake returns a clock that stands at now.
func NewFake(now time.Time) *Fake {
	f := &Fake{now: now, timers: map[*fakeTimer]bool{}}
	f.changed = sync.NewCond(&f.mu)
	return f
}

// Now is where the clock stands.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// NewTimer makes a timer that Advance fires.
func (f *Fake) NewTimer(d time.Duration) (<-chan time.Time, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &fakeTimer{at: f.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		t.c <- f.now
		return t.c, func() {}
	}
	f.timers[t] = true
	f.changed.Broadcast()
	return t.c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.timers, t)
	}
}

// Advance moves the clock and fires what is due.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	for t := range f.timers {
		if !t.at.After(f.now) {
			delete(f.timers, t)
			t.c <- f.now
		}
	}
}

// AwaitTimers blocks until at least n timers are pending.
func (f *Fake) AwaitTimers(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.timers) < n {
		f.changed.Wait()
	}
}

// Next moves the clock to the earliest pending timer, waiting for one to be made, and returns how far it moved.
func (f *Fake) Next() time.Duration {
	f.AwaitTimers(1)
	f.mu.Lock()
	var first time.Time
	for t := range f.timers {
		if first.IsZero() || t.at.Before(first) {
			first = t.at
		}
	}
	d := first.Sub(f.now)
	f.mu.Unlock()
	f.Advance(d)
	return d
}
