package frame_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"engage/internal/frame"
)

func TestPumpKeepsOrderAndBoundsItemsInFlight(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		workers, n := 1+rng.IntN(8), rng.IntN(60)
		var inFlight, peak atomic.Int64
		var got []int
		err := frame.Pump(t.Context(), workers, n,
			func(_ context.Context, i int) (int, error) {
				now := inFlight.Add(1)
				for old := peak.Load(); now > old && !peak.CompareAndSwap(old, now); old = peak.Load() {
				}
				for range i % 3 {
					runtime.Gosched()
				}
				return i * i, nil
			},
			func(i, item int) error {
				if item != i*i {
					t.Errorf("item %d is %d", i, item)
				}
				got = append(got, i)
				inFlight.Add(-1)
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n {
			t.Fatalf("consumed %d of %d", len(got), n)
		}
		for i, v := range got {
			if i != v {
				t.Fatalf("position %d holds %d", i, v)
			}
		}
		if limit := int64(workers + 2); peak.Load() > limit {
			t.Fatalf("%d items in flight, at most %d are allowed", peak.Load(), limit)
		}
	}
}

func TestPumpReturnsTheFirstErrorAndLeavesNothingRunning(t *testing.T) {
	boom := errors.New("boom")
	for _, inConsume := range []bool{false, true} {
		before := runtime.NumGoroutine()
		var running atomic.Int64
		err := frame.Pump(t.Context(), 4, 1000,
			func(ctx context.Context, i int) (int, error) {
				running.Add(1)
				defer running.Add(-1)
				if !inConsume && i == 37 {
					return 0, boom
				}
				return i, nil
			},
			func(i, _ int) error {
				if inConsume && i == 37 {
					return boom
				}
				if i > 37 {
					t.Errorf("consumed %d after the failure", i)
				}
				return nil
			})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		if running.Load() != 0 {
			t.Fatal("a producer is still running")
		}
		waitForGoroutines(t, before)
	}
}

func TestPumpStopsWhenTheContextEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	err := frame.Pump(ctx, 3, 1<<40,
		func(ctx context.Context, i int) (int, error) { return i, nil },
		func(i, _ int) error {
			if i == 100 {
				cancel()
			}
			return nil
		})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	waitForGoroutines(t, before)
	called := false
	err = frame.Pump(ctx, 3, 5, func(context.Context, int) (int, error) { called = true; return 0, nil }, func(int, int) error { return nil })
	if !errors.Is(err, context.Canceled) || called {
		t.Fatalf("a cancelled context started work: %v, %v", err, called)
	}
}

// waitForGoroutines gives goroutines that have done their work the time to leave.
func waitForGoroutines(t *testing.T, want int) {
	t.Helper()
	for range 10_000 {
		if runtime.NumGoroutine() <= want {
			return
		}
		runtime.Gosched()
	}
	t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), want)
}
