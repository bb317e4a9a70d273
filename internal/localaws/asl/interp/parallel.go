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
		g.spawn(branch, func() {
			output, err := branch.machine(g.ctx, b, input)
			results[i] = output
			g.finished(branch, err)
		})
	}
	g.wait()
	if err := g.outcome(ctx); err != nil {
		return nil, err
	}
	f.mark("ParallelStateSucceeded", Event{})
	return results, nil
}

// group is a set of frames that run side by side; the first that fails stops the others.
// Its fields are touched only while holding the turn.
type group struct {
	frame   *frame
	inner   []*frame // in the order in which they began
	ctx     context.Context
	cancel  context.CancelCauseFunc
	active  int
	ended   bool          // a frame ended since the last pause
	sleeper chan struct{} // of the frame that pauses
	err     error
}

func (f *frame) group(ctx context.Context) *group {
	inner, cancel := context.WithCancelCause(ctx)
	f.below = &group{frame: f, ctx: inner, cancel: cancel}
	return f.below
}

// spawn runs a frame, whose body ends with finished.
func (g *group) spawn(inner *frame, body func()) {
	g.join(inner)
	g.active++
	g.frame.spawn(body)
}

// join makes a frame one of the group.
func (g *group) join(inner *frame) {
	if !inner.joined {
		inner.joined = true
		g.inner = append(g.inner, inner)
	}
}

// finished notes how a frame ended; its last event precedes what the group records next.
func (g *group) finished(inner *frame, err error) {
	inner.done = true
	if g.err == nil {
		g.frame.previous = inner.previous
	}
	if err != nil && g.err == nil {
		g.fail(inner, err)
	}
	g.active--
	g.ended = true
	if g.sleeper != nil {
		g.frame.ask(g.sleeper)
		g.sleeper = nil
	}
}

// fail ends the group by its first failure. What was still open is recorded as aborted, with the failure as
// predecessor (recorded on AWS), unless the execution as a whole ends at once.
func (g *group) fail(inner *frame, err error) {
	g.err = err
	if g.ctx.Err() == nil && !isFatal(err) {
		inner.abortTask(inner.previous)
		for _, other := range g.inner {
			other.abort(inner.previous)
		}
	}
	for _, other := range g.inner {
		other.silence()
	}
	g.cancel(errSibling)
}

// abort records that a frame that still runs was cut short, from the outside in.
func (f *frame) abort(previous int64) {
	if f.done || f.silent.Load() {
		return
	}
	if f.iteration != nil {
		f.history.add(previous, "MapIterationAborted", Event{IterationAborted: f.iteration})
	}
	if f.state == nil {
		return
	}
	switch f.state.Type {
	case asl.Task, asl.Wait, asl.Parallel, asl.Map:
		f.history.add(previous, string(f.state.Type)+"StateAborted", Event{})
	}
	if f.below != nil {
		for _, inner := range f.below.inner {
			inner.abort(previous)
		}
	}
}

// abortTask records that the state in which a frame failed is left, if it is a Task: that is told when the Map
// or Parallel around it fails, not when the task does.
func (f *frame) abortTask(previous int64) {
	if f.state != nil && f.state.Type == asl.Task {
		f.history.add(previous, "TaskStateAborted", Event{})
	}
}

// silence keeps a frame and everything below it from recording anything more.
func (f *frame) silence() {
	f.silent.Store(true)
	if f.below != nil {
		for _, inner := range f.below.inner {
			inner.silence()
		}
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
