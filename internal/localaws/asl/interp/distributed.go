package interp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/intrinsic"
	"engage/internal/localaws/asl/value"
)

// maxChildren is how many child executions run side by side here when the definition sets no limit;
// AWS's own limit of 10,000 would only make them wait for each other on one machine.
const maxChildren = 64

// MapRun is the progress of a distributed Map.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html
type MapRun struct {
	ARN          string
	ExecutionARN string
	State        string
	Status       string // RUNNING, SUCCEEDED, FAILED or ABORTED
	Start, Stop  time.Time
	Concurrency  int64
	Count, Share float64 // tolerated
	Items        Counts
	Executions   Counts
	Error, Cause string
}

// Counts of a map run's items or child executions.
type Counts struct {
	Total, Pending, Running, Succeeded, Failed, Aborted, Written int64
}

// batch is the input of one child execution and how many items it holds.
type batch struct {
	input any
	items int
}

// distributed runs a child execution for each item or batch. items are those of a Map without a reader.
func (f *frame) distributed(ctx context.Context, input any, items []any, l limits) (any, error) {
	most, err := f.maxItems(input)
	if err != nil {
		return nil, err
	}
	d := &distribution{frame: f, limits: l, items: items, most: most}
	d.run.ARN, d.label = f.mapRunARN()
	f.note("MapRunStarted", Event{MapRunStarted: &MapRunDetails{ARN: d.run.ARN}})
	output, err := d.execute(ctx, input)
	if ctx.Err() != nil {
		d.end("ABORTED", nil)
		return nil, context.Cause(ctx)
	}
	if err != nil {
		failure := asFailure(err)
		d.end("FAILED", failure)
		f.note("MapRunFailed", Event{MapRunFailed: &ErrorDetails{Error: failure.Name, Cause: failure.Cause}})
		return nil, failure
	}
	d.end("SUCCEEDED", nil)
	f.note("MapRunSucceeded", Event{})
	f.mark("MapStateSucceeded", Event{})
	return output, nil
}

// maxItems is the reader's limit. That it is no integer is noticed before the run starts (recorded on AWS).
func (f *frame) maxItems(input any) (int64, error) {
	r := f.state.Map.Reader
	if r == nil {
		return 0, nil
	}
	if r.MaxItems.Path == nil {
		return r.MaxItems.Value, nil
	}
	v, err := f.env(input).Resolve(r.MaxItems.Path)
	if err != nil {
		return 0, f.evaluation(err, input)
	}
	n, ok := value.Integer(v)
	if !ok {
		return 0, f.notNumber("MaxItemsPath", "integer", r.MaxItems.Path, v)
	}
	return n, nil
}

// mapRunARN makes a name for the run: the machine's, the state's label and a UUID.
func (f *frame) mapRunARN() (arn, label string) {
	e := f.execution
	label = f.state.Map.Label
	if label == "" {
		label = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
				return r
			}
			return '-'
		}, f.state.Name)
	}
	return fmt.Sprintf("arn:aws:states:%s:%s:mapRun:%s/%s:%s", e.Region, e.Account, e.MachineName, label, intrinsic.NewUUID(f.Random)), label
}

// distribution is a distributed Map in progress. It is touched only while holding the turn.
type distribution struct {
	frame    *frame
	limits   limits
	label    string
	run      MapRun
	items    []any
	most     int64 // items to read, 0 for all
	children []childResult
}

type childResult struct {
	execution Execution
	outcome   Outcome
	stop      time.Time
}

func (d *distribution) execute(ctx context.Context, input any) (any, error) {
	f := d.frame
	d.start()
	batches, err := d.batches(ctx, input)
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		d.run.Items.Total += int64(b.items)
	}
	d.run.Items.Pending, d.run.Executions.Total, d.run.Executions.Pending = d.run.Items.Total, int64(len(batches)), int64(len(batches))
	d.children = make([]childResult, len(batches))
	if err := d.runAll(ctx, batches); err != nil {
		return nil, err
	}
	if f.state.Map.Writer != nil {
		return d.write(ctx, input)
	}
	outputs := []any{}
	for _, c := range d.children {
		if c.outcome.Status == Succeeded {
			outputs = append(outputs, c.outcome.Output)
		}
	}
	return outputs, nil
}

func (d *distribution) start() {
	f := d.frame
	d.run.ExecutionARN, d.run.State, d.run.Status, d.run.Start, d.run.Concurrency = f.execution.ARN, f.state.Name, "RUNNING", f.Clock.Now(), d.limits.concurrency
	if d.limits.count != nil {
		d.run.Count = *d.limits.count
	}
	if d.limits.share != nil {
		d.run.Share = *d.limits.share
	}
	d.report()
}

func (d *distribution) end(status string, failure *Failure) {
	d.run.Status, d.run.Stop = status, d.frame.Clock.Now()
	if failure != nil {
		d.run.Error, d.run.Cause = failure.Name, failure.Cause
	}
	d.report()
}

func (d *distribution) report() {
	if d.frame.MapRun != nil {
		d.frame.MapRun(d.run)
	}
}

func (d *distribution) runAll(ctx context.Context, batches []batch) error {
	g := d.frame.group(ctx)
	defer g.cancel(nil)
	parallelism := maxChildren
	if d.limits.concurrency > 0 {
		parallelism = int(min(d.limits.concurrency, maxChildren))
	}
	for i, b := range batches {
		for g.active >= parallelism && g.ctx.Err() == nil {
			g.pause()
		}
		if g.ctx.Err() != nil {
			break
		}
		one := d.frame.inner(nil)
		g.spawn(one, func() { d.child(g, one, i, b) })
	}
	g.wait()
	return g.outcome(ctx)
}

// child runs one child execution, which has a history of its own.
func (d *distribution) child(g *group, one *frame, i int, b batch) {
	f := d.frame
	d.count(b, func(c *Counts, n int64) { c.Pending -= n; c.Running += n })
	e := f.execution
	e.Name = intrinsic.NewUUID(f.Random)
	e.ARN = fmt.Sprintf("arn:aws:states:%s:%s:execution:%s/%s:%s", e.Region, e.Account, e.MachineName, d.label, e.Name)
	e.MachineARN += "/" + d.label
	e.MachineName += "/" + d.label
	e.Input, e.InputText, e.Start = b.input, "", f.Clock.Now()
	c := f.Config
	c.Record = nil
	ended := func(Outcome) {}
	if c.Child != nil {
		c.Record, ended = c.Child(e, d.run.ARN)
	}
	var out Outcome
	f.waiting(func() { out = Run(g.ctx, f.state.Map.Processor, e, c) })
	ended(out)
	d.children[i] = childResult{execution: e, outcome: out, stop: f.Clock.Now()}
	g.finished(one, d.settle(b, out))
	d.report()
}

// settle counts a child's end and fails the Map when too many have failed.
func (d *distribution) settle(b batch, out Outcome) error {
	switch out.Status {
	case Succeeded:
		d.count(b, func(c *Counts, n int64) { c.Running -= n; c.Succeeded += n })
		if d.frame.state.Map.Writer == nil { // the Map's output has it, which AWS counts too (recorded)
			d.count(b, func(c *Counts, n int64) { c.Written += n })
		}
	case Aborted, Interrupted:
		d.count(b, func(c *Counts, n int64) { c.Running -= n; c.Aborted += n })
		return errSibling
	default:
		d.count(b, func(c *Counts, n int64) { c.Running -= n; c.Failed += n })
	}
	if d.limits.exceeded(int(d.run.Items.Failed), int(d.run.Items.Total)) {
		return exceededThreshold()
	}
	return nil
}

func (d *distribution) count(b batch, change func(c *Counts, n int64)) {
	change(&d.run.Items, int64(b.items))
	change(&d.run.Executions, 1)
}

// batches reads the items and makes the children's inputs.
func (d *distribution) batches(ctx context.Context, input any) ([]batch, error) {
	f, items, err := d.frame, slices.Clone(d.items), error(nil)
	spec := f.state.Map
	if spec.Reader != nil {
		if items, err = f.readItems(ctx, spec.Reader, d.most, input); err != nil {
			return nil, err
		}
	}
	for i, item := range items {
		if items[i], err = f.selected(value.Of("Index", int64(i), "Value", item), input, item); err != nil {
			return nil, err
		}
	}
	if spec.Batcher == nil {
		out := make([]batch, len(items))
		for i, item := range items {
			out[i] = batch{item, 1}
		}
		return out, nil
	}
	return f.packed(spec.Batcher, items, input)
}

// packed fills batches up to the limits of the batcher.
func (f *frame) packed(spec *asl.BatcherSpec, items []any, input any) ([]batch, error) {
	most, err := f.count(spec.MaxItems, "MaxItemsPerBatchPath", input)
	if err != nil {
		return nil, err
	}
	bytes, err := f.count(spec.MaxBytes, "MaxInputBytesPerBatchPath", input)
	if err != nil {
		return nil, err
	}
	if bytes == 0 || bytes > MaxPayload {
		bytes = MaxPayload
	}
	base := value.NewObject(2)
	if spec.Input != nil {
		v, err := f.evaluate(spec.Input, input)
		if err != nil {
			return nil, err
		}
		base.Set("BatchInput", v)
	}
	return pack(base, items, most, bytes)
}

// pack groups items: at most so many of them, and of so many bytes of JSON, in a batch. most 0 is no limit.
func pack(base *value.Object, items []any, most, bytes int64) ([]batch, error) {
	overhead := int64(len(value.Encode(base)) + len(`"Items":[],`))
	var out []batch
	var current []any
	size := overhead
	flush := func() {
		if len(current) > 0 {
			b := base.Copy()
			b.Set("Items", current)
			out = append(out, batch{b, len(current)})
		}
		current, size = nil, overhead
	}
	for i, item := range items {
		n := int64(len(value.Encode(item)) + 1)
		if overhead+n > bytes {
			return nil, &Failure{Name: asl.ErrItemReader, Cause: fmt.Sprintf("Item %d is larger than the %d bytes of a batch", i, bytes)}
		}
		if size+n > bytes || most > 0 && int64(len(current)) >= most {
			flush()
		}
		current, size = append(current, item), size+n
	}
	flush()
	return out, nil
}

// location reads Bucket and Key or Prefix of a reader's or writer's Parameters.
func (f *frame) location(t *asl.Template, input any) (*value.Object, error) {
	if t == nil {
		return nil, errors.New("the field Parameters is missing")
	}
	v, err := f.evaluate(t, input)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, errors.New("the field Parameters is not an object")
	}
	return o, nil
}

func textField(o *value.Object, name string) string {
	v, _ := o.Get(name)
	s, _ := v.(string)
	return s
}
