package interp

import (
	"context"
	"strconv"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

// maxInline is how many iterations of an inline Map AWS runs side by side.
const maxInline = 40

func (f *frame) mapState(ctx context.Context, input any) (any, error) {
	spec := f.state.Map
	var l limits
	var err error
	if l.concurrency, err = f.concurrency(spec, input); err != nil {
		return nil, err
	}
	var items []any
	if spec.Reader == nil {
		if items, err = f.items(spec, input); err != nil {
			return nil, err
		}
	}
	f.note("MapStateStarted", Event{MapStarted: &MapStartedDetails{Length: int64(len(items))}})
	if err := f.tolerance(spec, input, &l); err != nil {
		return nil, err
	}
	if spec.Distributed {
		return f.distributed(ctx, input, items, l)
	}
	results, err := f.iterate(ctx, input, items, l)
	if err != nil {
		return nil, err
	}
	f.mark("MapStateSucceeded", Event{})
	return results, nil
}

// limits of a Map, read from the input where they are paths.
type limits struct {
	concurrency int64
	count       *float64 // tolerated failures
	share       *float64 // tolerated percentage
}

// concurrency is read before the Map starts; the tolerance is read after that (recorded on AWS).
func (f *frame) concurrency(spec *asl.MapSpec, input any) (int64, error) {
	if spec.Concurrency.Path == nil {
		return spec.Concurrency.Value, nil
	}
	v, err := f.env(input).Resolve(spec.Concurrency.Path)
	if err != nil {
		return 0, f.evaluation(err, input)
	}
	n, ok := value.Integer(v)
	switch {
	case !ok:
		return 0, f.notNumber("MaxConcurrencyPath", "integer", spec.Concurrency.Path, v)
	case n < 0:
		return 0, f.runtime("Expected non-negative integer for MaxConcurrency, got '%d' instead.", n)
	}
	return n, nil
}

// notNumber is the failure of a limit whose path leads to something else, in AWS's words.
func (f *frame) notNumber(field, kind string, path *jsonpath.Path, v any) *Failure {
	return f.runtime("The %s field refers to value \"%s\" which is not a valid %s: %s", field, bare(v), kind, path)
}

func (f *frame) tolerance(spec *asl.MapSpec, input any, l *limits) error {
	var err error
	if l.count, err = f.limit(spec.ToleratedCount, "ToleratedFailureCountPath", "integer", input); err != nil {
		return err
	}
	if l.count != nil && *l.count < 0 {
		return f.runtime("ToleratedFailureCount cannot be negative.")
	}
	if l.share, err = f.limit(spec.ToleratedShare, "ToleratedFailurePercentagePath", "float", input); err != nil {
		return err
	}
	if l.share != nil && (*l.share < 0 || *l.share > 100) {
		return f.runtime("ToleratedFailurePercentage must be between 0 and 100.")
	}
	return nil
}

// limit reads a tolerance; a string of digits is taken too.
func (f *frame) limit(l asl.Limit, field, kind string, input any) (*float64, error) {
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
	n, ok := v.(float64)
	ok = ok && kind == "float"
	if text, isText := v.(string); isText {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			v = i
		}
	}
	if i, isInt := value.Integer(v); isInt {
		n, ok = float64(i), true
	}
	if !ok {
		return nil, f.notNumber(field, kind, l.Path, v)
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
// within the tolerance leaves none. As many iterations as may run side by side are begun before the first of them
// goes on; each later one follows what the iteration whose place it takes did last (recorded on AWS).
func (f *frame) iterate(ctx context.Context, input any, items []any, l limits) ([]any, error) {
	g := f.group(ctx)
	defer g.cancel(nil)
	it := &iterations{group: g, limits: l, input: input, items: items, outputs: make([]any, len(items)), there: make([]bool, len(items))}
	parallelism := maxInline
	if l.concurrency > 0 {
		parallelism = int(min(l.concurrency, maxInline))
	}
	begun := make([]*frame, min(parallelism, len(items)))
	for i := range begun {
		begun[i] = it.begin(i, f.previous)
	}
	for i, inner := range begun {
		it.launch(i, inner)
	}
	for i := len(begun); i < len(items); i++ {
		for len(it.freed) == 0 && g.ctx.Err() == nil {
			g.pause()
		}
		if g.ctx.Err() != nil {
			break
		}
		previous := it.freed[0]
		it.freed = it.freed[1:]
		it.launch(i, it.begin(i, previous))
	}
	g.wait()
	if err := g.outcome(ctx); err != nil {
		return nil, err
	}
	if it.last > 0 {
		f.previous = it.last
	}
	return it.results(), nil
}

// iterations is the progress of an inline Map.
type iterations struct {
	*group
	limits  limits
	input   any
	items   []any
	failed  int
	outputs []any
	there   []bool
	freed   []int64 // the last event of each iteration that ended and whose place is free
	last    int64   // the event that tells of the latest success
}

// begin records that an iteration starts.
func (it *iterations) begin(i int, previous int64) *frame {
	inner := it.frame.inner(value.Of("Index", int64(i), "Value", it.items[i]))
	inner.previous = previous
	inner.iteration = &IterationDetails{Name: it.frame.state.Name, Index: int64(i)}
	it.join(inner)
	inner.note("MapIterationStarted", Event{IterationStarted: inner.iteration})
	return inner
}

func (it *iterations) launch(i int, inner *frame) {
	if it.ctx.Err() == nil {
		it.spawn(inner, func() { it.run(inner, i) })
	}
}

func (it *iterations) run(inner *frame, i int) {
	output, err := it.process(inner, it.items[i])
	switch {
	case err == nil:
		it.last = inner.mark("MapIterationSucceeded", Event{IterationSucceeded: inner.iteration})
		it.outputs[i], it.there[i] = output, true
	case it.ctx.Err() == nil && !isFatal(err):
		inner.mark("MapIterationFailed", Event{IterationFailed: inner.iteration})
		it.failed++
		err = it.tolerate(err)
	}
	it.freed = append(it.freed, inner.previous)
	it.finished(inner, err)
}

func (it *iterations) process(inner *frame, item any) (any, error) {
	selected, err := it.frame.selected(inner.item, it.input, item)
	if err != nil {
		return nil, err
	}
	return inner.machine(it.ctx, it.frame.state.Map.Processor, selected)
}

// tolerate forgets a failure that is within the limits.
func (it *iterations) tolerate(err error) error {
	switch {
	case !it.limits.exceeded(it.failed, len(it.items)):
		return nil
	case it.limits.count == nil && it.limits.share == nil:
		return err
	}
	return exceededThreshold()
}

// exceededThreshold has AWS's words; how many failed, the map run tells.
func exceededThreshold() *Failure {
	return &Failure{Name: asl.ErrToleratedThreshold, Cause: "The specified tolerated failure threshold was exceeded"}
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
	view := f.inner(item)
	view.state, view.entered, view.since, view.retries = f.state, f.entered, f.since, f.retries
	return view.evaluate(f.state.Map.ItemSelector, input)
}
