package interp

import (
	"context"
	"errors"
	"fmt"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/value"
)

// maxInline is how many iterations of an inline Map AWS runs side by side.
const maxInline = 40

func (f *frame) mapState(ctx context.Context, input any) (any, error) {
	spec := f.state.Map
	limits, err := f.limits(spec, input)
	if err != nil {
		return nil, err
	}
	if spec.Distributed {
		return f.distributed(ctx, input, limits)
	}
	items, err := f.items(spec, input)
	if err != nil {
		return nil, err
	}
	f.note("MapStateStarted", Event{MapStarted: &MapStartedDetails{Length: int64(len(items))}})
	results, err := f.iterate(ctx, input, items, limits)
	if err != nil {
		return nil, f.groupFailed(ctx, "Map", err)
	}
	f.note("MapStateSucceeded", Event{})
	return results, nil
}

// limits of a Map, read from the input where they are paths.
type limits struct {
	concurrency int64
	count       *float64 // tolerated failures
	share       *float64 // tolerated percentage
}

func (f *frame) limits(spec *asl.MapSpec, input any) (limits, error) {
	var l limits
	var err error
	if l.concurrency, err = f.count(spec.Concurrency, "MaxConcurrencyPath", input); err != nil {
		return l, err
	}
	if l.count, err = f.limit(spec.ToleratedCount, "ToleratedFailureCountPath", input, 1e9); err != nil {
		return l, err
	}
	l.share, err = f.limit(spec.ToleratedShare, "ToleratedFailurePercentagePath", input, 100)
	return l, err
}

func (f *frame) limit(l asl.Limit, field string, input any, high float64) (*float64, error) {
	if !l.Set {
		return nil, nil
	}
	if l.Path == nil {
		return &l.Value, nil
	}
	v, err := f.env(input).Resolve(l.Path)
	if err != nil {
		return nil, f.evaluation(err, input)
	}
	n, isFloat := v.(float64)
	if i, ok := v.(int64); ok {
		n, isFloat = float64(i), true
	}
	if !isFloat || n < 0 || n > high {
		return nil, f.runtime("The %s parameter does not reference a valid value: %s == %s", field, l.Path, value.String(v))
	}
	return &n, nil
}

// exceeded tells whether so many failures are more than what is tolerated. Without limits none is.
func (l limits) exceeded(failed, total int) bool {
	if failed == 0 {
		return false
	}
	if l.count == nil && l.share == nil {
		return true
	}
	return l.count != nil && float64(failed) > *l.count || l.share != nil && float64(failed)*100 > *l.share*float64(total)
}

// items reads the array of an inline Map.
func (f *frame) items(spec *asl.MapSpec, input any) ([]any, error) {
	v := input
	at := "$"
	if spec.ItemsPath != nil {
		var err error
		if v, err = f.env(input).Resolve(spec.ItemsPath); err != nil {
			return nil, f.evaluation(err, input)
		}
		at = spec.ItemsPath.String()
	}
	items, ok := v.([]any)
	if !ok {
		return nil, f.runtime("Reference path \"%s\" must point to array.", at)
	}
	return items, nil
}

// iterate runs the processor for each item. Outputs stand in the items' order; an iteration that failed
// within the tolerance leaves none.
func (f *frame) iterate(ctx context.Context, input any, items []any, l limits) ([]any, error) {
	started := f.previous
	g := f.group(ctx)
	defer g.cancel(nil)
	it := &iterations{group: g, limits: l, total: len(items), outputs: make([]any, len(items)), there: make([]bool, len(items))}
	parallelism := maxInline
	if l.concurrency > 0 {
		parallelism = int(min(l.concurrency, maxInline))
	}
	for i, item := range items {
		for it.active >= parallelism && g.ctx.Err() == nil {
			g.pause()
		}
		if g.ctx.Err() != nil {
			break
		}
		inner := f.inner(value.Of("Index", int64(i), "Value", item))
		inner.previous = started
		g.spawn(func() { it.run(inner, i, input, item) })
	}
	g.wait()
	if err := g.outcome(ctx); err != nil {
		return nil, err
	}
	return it.results(), nil
}

// iterations is the progress of an inline Map.
type iterations struct {
	*group
	limits  limits
	total   int
	failed  int
	outputs []any
	there   []bool
}

func (it *iterations) run(inner *frame, i int, input, item any) {
	d := &IterationDetails{Name: it.frame.state.Name, Index: int64(i)}
	inner.note("MapIterationStarted", Event{IterationStarted: d})
	output, err := it.process(inner, input, item)
	switch {
	case err == nil:
		inner.note("MapIterationSucceeded", Event{IterationSucceeded: d})
		it.outputs[i], it.there[i] = output, true
	case errors.Is(err, errSibling):
		inner.note("MapIterationAborted", Event{IterationAborted: d})
	case it.ctx.Err() == nil:
		inner.note("MapIterationFailed", Event{IterationFailed: d})
		it.failed++
		err = it.tolerate(err)
	}
	it.finished(inner, err)
}

func (it *iterations) process(inner *frame, input, item any) (any, error) {
	selected, err := it.frame.selected(inner.item, input, item)
	if err != nil {
		return nil, err
	}
	return inner.machine(it.ctx, it.frame.state.Map.Processor, selected)
}

// tolerate forgets a failure that is within the limits.
func (it *iterations) tolerate(err error) error {
	switch {
	case !it.limits.exceeded(it.failed, it.total):
		return nil
	case it.limits.count == nil && it.limits.share == nil:
		return err
	}
	return exceededThreshold(it.failed, it.total)
}

func exceededThreshold(failed, total int) *Failure {
	return &Failure{Name: asl.ErrToleratedThreshold,
		Cause: fmt.Sprintf("The specified tolerated failure threshold was exceeded (%d of %d items failed)", failed, total)}
}

func (it *iterations) results() []any {
	out := make([]any, 0, len(it.outputs))
	for i, o := range it.outputs {
		if it.there[i] {
			out = append(out, o)
		}
	}
	return out
}

// selected applies ItemSelector, which sees the Map's input and the item in $$.Map.Item.
func (f *frame) selected(item *value.Object, input, v any) (any, error) {
	if f.state.Map.ItemSelector == nil {
		return v, nil
	}
	view := *f
	view.item = item
	return view.evaluate(f.state.Map.ItemSelector, input)
}
