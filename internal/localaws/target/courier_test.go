package target_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// desk refuses what goes to an address, as often as it says.
type desk struct {
	refuse map[string]int
	with   error
	seen   []target.Message
	now    time.Time
}

func (d *desk) Deliver(_ context.Context, m target.Message) error {
	if d.refuse[m.ARN] > 0 {
		d.refuse[m.ARN]--
		return d.with
	}
	d.seen = append(d.seen, m)
	return nil
}

func courier(t *testing.T, d *desk) *target.Courier {
	t.Helper()
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return target.NewCourier(target.CourierConfig{Name: "c", Store: store, Targets: d, Clock: func() time.Time { return d.now }, Random: strings.NewReader(strings.Repeat("\x01", 1<<16))})
}

const (
	to   = "arn:aws:lambda:us-east-1:000000000000:function:f"
	dead = "arn:aws:sqs:us-east-1:000000000000:dead"
)

// run lets time pass until nothing waits, and returns when each attempt was made.
func run(t *testing.T, d *desk, c *target.Courier, p target.Parcel) (at []time.Duration) {
	t.Helper()
	start := d.now
	if err := c.Send(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	at = append(at, 0)
	for range 1000 {
		next, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		if next.IsZero() {
			return at
		}
		if next.After(d.now) {
			d.now = next
		}
		if err := c.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		at = append(at, d.now.Sub(start))
	}
	t.Fatal("the courier does not give up")
	return nil
}

func TestCourierTriesAgain(t *testing.T) {
	throttled := wire.Errorf("TooManyRequestsException", "later")
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name     string
		refusals int
		with     error
		policy   target.Policy
		attempts int
		dead     bool
	}{
		{"taken at once", 0, throttled, target.Policy{Retries: 9}, 1, false},
		{"taken at the third attempt", 2, throttled, target.Policy{Retries: 9}, 3, false},
		{"refused for good", 99, wire.AccessDenied("no"), target.Policy{Retries: 9}, 1, true},
		{"refused too often", 99, throttled, target.Policy{Retries: 4}, 5, true},
		{"refused for too long", 999, throttled, target.Policy{Retries: 999, Until: start.Add(10 * time.Second)}, 5, true},
		{"never tried again", 99, throttled, target.Policy{}, 1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &desk{refuse: map[string]int{to: tc.refusals}, with: tc.with, now: start}
			at := run(t, d, courier(t, d), target.Parcel{Message: target.Message{ARN: to, Body: "x"}, Policy: tc.policy,
				Dead: target.Letter{Errors: target.OfRules, Message: target.Message{ARN: dead, Body: "dead"}}})
			// The delays are between half and all of 1, 2, 4, 8 s: at least 4 attempts fit in 10 s, at most 5 or 6.
			if n := len(at); n != tc.attempts && !(tc.name == "refused for too long" && n >= 4 && n <= 6) {
				t.Errorf("%d attempts, at %v; want %d", n, at, tc.attempts)
			}
			if len(d.seen) != 1 || (d.seen[0].ARN == dead) != tc.dead {
				t.Errorf("delivered %+v", d.seen)
			}
		})
	}
}

// SNS makes three more attempts at once, two after a second each, and then
// slows down to one in 20 seconds.
func TestCourierKeepsTheDelaysOfSNS(t *testing.T) {
	d := &desk{refuse: map[string]int{to: 18}, with: wire.StatusErrorf(503, "ServiceUnavailable", "later"), now: time.Unix(0, 0)}
	at := run(t, d, courier(t, d), target.Parcel{Message: target.Message{ARN: to}, Policy: target.Policy{Retries: 100_015, Phases: true}})
	if len(at) != 19 {
		t.Fatalf("%d attempts, want 19", len(at))
	}
	if at[3] != 0 || at[5] > 2*time.Second || at[5] < time.Second {
		t.Errorf("the first attempts come at %v", at[:6])
	}
	if last := at[18] - at[17]; last < 10*time.Second || last > 20*time.Second {
		t.Errorf("the last attempt comes after %v", last)
	}
}

func TestCourierKeepsWhatWaits(t *testing.T) {
	d := &desk{refuse: map[string]int{to: 1}, with: wire.Throttling("later"), now: time.Unix(1e9, 0)}
	c := courier(t, d)
	if err := c.Send(t.Context(), target.Parcel{Message: target.Message{ARN: to}, Policy: target.Policy{Retries: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Tick(t.Context()); err != nil || len(d.seen) != 0 {
		t.Errorf("it did not wait: %+v, %v", d.seen, err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	d.now = d.now.Add(time.Minute)
	if err := c.Tick(gone); err == nil {
		t.Error("a courier that is stopped says nothing")
	}
	if next, err := c.Next(); err != nil || next.IsZero() {
		t.Errorf("what waited is lost: %v, %v", next, err)
	}
	if err := c.Tick(t.Context()); err != nil || len(d.seen) != 1 {
		t.Errorf("delivered %+v, %v", d.seen, err)
	}
}
