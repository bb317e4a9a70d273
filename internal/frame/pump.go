package frame

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// lookAhead is how many items, beyond one for each worker, may wait to be consumed.
const lookAhead = 2

// Pump makes the items 0 to n-1 on several goroutines and consumes them one
// after the other, in order.
//
// produce runs on at most the given number of workers (0 or less: one for each
// core), consume on one goroutine. At most workers+2 items are in flight, from
// the start of produce to the return of consume, so memory does not grow with n.
// The first error, or the end of ctx, cancels the context of every other call
// and is returned; no goroutine is left behind.
func Pump[T any](ctx context.Context, workers, n int, produce func(ctx context.Context, i int) (T, error), consume func(i int, item T) error) error {
	if err := ctx.Err(); err != nil || n <= 0 {
		return err
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	p := newPump[T](min(workers, n)+lookAhead, n)
	for range min(workers, n) {
		group.Go(func() error { return p.work(ctx, produce) })
	}
	group.Go(func() error { return p.drain(ctx, consume) })
	return group.Wait()
}

// pump is a ring of slots. A token is taken before an index is drawn and given
// back after that index is consumed, so an index in flight is less than a ring
// ahead of the oldest one and its slot is free.
type pump[T any] struct {
	n      int
	next   atomic.Int64
	tokens chan struct{}
	slots  []chan T
}

func newPump[T any](window, n int) *pump[T] {
	p := &pump[T]{n: n, tokens: make(chan struct{}, window), slots: make([]chan T, window)}
	for i := range p.slots {
		p.slots[i] = make(chan T, 1)
	}
	return p
}

// work draws indices and produces their items until none is left.
func (p *pump[T]) work(ctx context.Context, produce func(context.Context, int) (T, error)) error {
	for {
		select {
		case p.tokens <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		i := int(p.next.Add(1) - 1)
		if i >= p.n {
			<-p.tokens
			return nil
		}
		item, err := produce(ctx, i)
		if err != nil {
			return err
		}
		p.slots[i%len(p.slots)] <- item
	}
}

// drain consumes the items in order.
func (p *pump[T]) drain(ctx context.Context, consume func(int, T) error) error {
	for i := range p.n {
		select {
		case item := <-p.slots[i%len(p.slots)]:
			if err := consume(i, item); err != nil {
				return err
			}
			<-p.tokens
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
