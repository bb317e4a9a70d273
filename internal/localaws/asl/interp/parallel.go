package interp

import (
	"context"
	"errors"
	"sync"

	"engage/internal/localaws/asl"
)

// parallel runs every branch on the same input and gathers their outputs in order.
func (f *frame) parallel(ctx context.Context, input any) (any, error) {
	f.note("ParallelStateStarted", Event{})
	started := f.previous
	g := f.group(ctx)
	defer g.cancel(nil)
	results := make([]any, len(f.state.Branches))
	for i, b := range f.state.Branches {
		branch := f.inner(nil)
		branch.previous = started
		g.spawn(func() {
			output, err := branch.machine(g.ctx, b, input)
			results[i] = output
			g.finished(branch, err)
		})
	}
	g.wait()
	if err := g.outcome(ctx); err != nil {
		return nil, f.groupFailed(ctx, "Parallel", err)
	}
	f.note("ParallelStateSucceeded", Event{})
	return results, nil
}

// groupFailed records the end of a Parallel or Map that failed by itself.
func (f *frame) groupFailed(ctx context.Context, kind string, err error) error {
	if ctx.Err() == nil {
		f.note(kind+"StateFailed", Event{})
	}
	return err
}

// group is a set of frames that run side by side; the first that fails stops the others.
// Its fields are touched only while holding the turn.
type group struct {
	frame  *frame
	ctx    context.Context
	cancel context.CancelCauseFunc
	all    sync.WaitGroup
	ended  chan struct{} // one element for each frame that ended
	err    error
}

func (f *frame) group(ctx context.Context) *group {
	inner, cancel := context.WithCancelCause(ctx)
	return &group{frame: f, ctx: inner, cancel: cancel, ended: make(chan struct{}, 1)}
}

func (g *group) spawn(body func()) {
	g.all.Add(1)
	g.frame.run.spawn(func() {
		defer g.all.Done()
		body()
	})
}

// finished notes how a frame ended; its last event precedes what the group records next.
func (g *group) finished(inner *frame, err error) {
	if err == nil || g.err == nil {
		g.frame.previous = inner.previous
	}
	if err != nil && g.err == nil {
		g.err = err
		g.cancel(errSibling)
	}
	select {
	case g.ended <- struct{}{}:
	default:
	}
}

// pause waits until a frame has ended since the last pause.
func (g *group) pause() { g.frame.waiting(func() { <-g.ended }) }

func (g *group) wait() { g.frame.waiting(g.all.Wait) }

// outcome is the first failure, or why the group as a whole was stopped.
func (g *group) outcome(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(g.err, errSibling) {
		return &Failure{Name: asl.ErrBranchFailed}
	}
	return g.err
}
