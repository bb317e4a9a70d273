package interp

import (
	"context"
	"errors"

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
	frame   *frame
	ctx     context.Context
	cancel  context.CancelCauseFunc
	active  int
	ended   bool          // a frame ended since the last pause
	sleeper chan struct{} // of the frame that pauses
	err     error
}

func (f *frame) group(ctx context.Context) *group {
	inner, cancel := context.WithCancelCause(ctx)
	return &group{frame: f, ctx: inner, cancel: cancel}
}

// spawn runs a frame, whose body ends with finished.
func (g *group) spawn(body func()) {
	g.active++
	g.frame.spawn(body)
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
	g.active--
	g.ended = true
	if g.sleeper != nil {
		g.frame.ask(g.sleeper)
		g.sleeper = nil
	}
}

// pause waits until a frame has ended since the last pause.
func (g *group) pause() {
	if !g.ended {
		mine := make(chan struct{})
		g.sleeper = mine
		g.frame.pass()
		<-mine
	}
	g.ended = false
}

// wait waits until every frame has ended.
func (g *group) wait() {
	for g.active > 0 {
		g.pause()
	}
}

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
