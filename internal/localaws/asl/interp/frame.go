package interp

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

// frame is one line of control: the machine itself, a branch or an iteration.
type frame struct {
	*run
	parent    *frame
	vars      map[string]any // of this scope; inner scopes read outer ones
	previous  int64          // the id that the next event names as its predecessor
	item      *value.Object  // $$.Map.Item, inside an iteration
	iteration *IterationDetails
	below     *group      // what the current state runs side by side
	joined    bool        // to the group that it belongs to
	done      bool        // it ended by itself
	silent    atomic.Bool // it was cut short, and records nothing any more

	state   *asl.State
	input   any // of the state after InputPath: what its path fields other than Parameters read
	entered int64
	since   time.Time
	retries int64
	token   string

	resume *Resume // until the first state of a redriven execution is reached
}

func (f *frame) inner(item *value.Object) *frame {
	if item == nil {
		item = f.item
	}
	return &frame{run: f.run, parent: f, previous: f.previous, item: item}
}

// note records an event and makes it the predecessor of the next.
func (f *frame) note(kind string, e Event) int64 {
	id := f.mark(kind, e)
	if id > 0 {
		f.previous = id
	}
	return id
}

// mark records an event that is not the predecessor of the next, as the success of a Map or Parallel and the end
// of an iteration are not (recorded on AWS). It returns the event's id.
func (f *frame) mark(kind string, e Event) int64 {
	if f.silent.Load() {
		return 0
	}
	return f.history.add(f.previous, kind, e)
}

// machine runs states from the first to a terminal one.
func (f *frame) machine(ctx context.Context, m *asl.Machine, input any) (any, error) {
	name := m.StartAt
	if f.resume != nil {
		name, input = f.resume.State, f.resume.Input
	}
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		st := m.States[name]
		f.state, f.since, f.retries, f.token = st, f.Clock.Now(), 0, ""
		output, next, err := f.step(ctx, input)
		if err != nil {
			return nil, err
		}
		if next == "" {
			return output, nil
		}
		name, input = next, output
	}
}

// told is the text of a state's input: of the execution's first state as it was given (recorded on AWS).
func (f *frame) told(input any) string {
	if first := f.parent == nil && f.previous == 0; first && f.execution.InputText != "" {
		return f.execution.InputText
	}
	return value.String(input)
}

// errSibling is the cancellation cause for branches and iterations beside one that failed.
var errSibling = errors.New("a branch beside this one failed")

// step enters a state, runs it and leaves it.
func (f *frame) step(ctx context.Context, raw any) (output any, next string, err error) {
	f.transition()
	if f.resume != nil && f.resume.Entered > 0 { // the history tells already that the state was entered
		f.entered = f.resume.Entered
	} else {
		f.entered = f.note(string(f.state.Type)+"StateEntered", Event{StateEntered: &EnteredDetails{Name: f.state.Name, Input: f.told(raw)}})
	}
	f.resume = nil
	if f.state.Type == asl.Fail {
		return nil, "", f.fail(raw)
	}
	out, err := f.attempts(ctx, raw)
	if err != nil {
		return nil, "", err
	}
	text := value.String(out.output)
	if len(text) > MaxPayload {
		return nil, "", &Failure{Name: asl.ErrDataLimit, Cause: "The state/task '" + f.state.Name + "' returned a result with a size exceeding the maximum number of bytes service limit."}
	}
	exited := &ExitedDetails{Name: f.state.Name, Output: text}
	f.assign(out.assigned, exited)
	f.note(string(f.state.Type)+"StateExited", Event{StateExited: exited})
	return out.output, out.next, nil
}

// left is how a state is left.
type left struct {
	output   any
	next     string
	assigned *value.Object
}

func (f *frame) assign(vars *value.Object, d *ExitedDetails) {
	if vars == nil || vars.Len() == 0 {
		return
	}
	d.Assigned, d.Vars = map[string]string{}, &Truncation{}
	if f.vars == nil {
		f.vars = map[string]any{}
	}
	for i := range vars.Len() {
		k, v := vars.At(i)
		f.vars[k] = v
		d.Assigned[k] = value.String(v)
	}
}

// attempts runs the state until it succeeds, is caught, or fails for good.
func (f *frame) attempts(ctx context.Context, raw any) (left, error) {
	counts := make([]int64, len(f.state.Retry))
	for {
		out, err := f.once(ctx, raw)
		if err == nil {
			return out, nil
		}
		var failure *Failure
		if ctx.Err() != nil || !errors.As(err, &failure) {
			return left{}, err
		}
		again, err := f.retry(ctx, failure, counts)
		if err != nil {
			return left{}, err
		}
		if !again {
			f.exhausted(failure)
			return f.caught(failure, raw)
		}
		f.retries++
		f.transition()
	}
}

// exhausted records the failure of a Parallel or Map, which is told only once no retrier covers it (recorded on AWS).
func (f *frame) exhausted(failure *Failure) {
	switch f.state.Type {
	case asl.Parallel, asl.Map:
		if !failure.fatal() {
			f.note(string(f.state.Type)+"StateFailed", Event{})
		}
	}
}

// caught applies the first catcher that covers the failure.
func (f *frame) caught(failure *Failure, raw any) (left, error) {
	for _, c := range f.state.Catch {
		if !failure.matches(c.ErrorEquals) {
			continue
		}
		result := failure.output()
		output, err := f.place(c.ResultPath, raw, result)
		if err != nil {
			return left{}, err
		}
		vars, err := f.variables(c.Assign, result)
		return left{output: output, next: c.Next, assigned: vars}, err
	}
	return left{}, failure
}

// place puts a result into the raw input at ResultPath.
func (f *frame) place(at asl.PathField, raw, result any) (any, error) {
	if at.Null {
		return raw, nil
	}
	if at.Path == nil {
		return result, nil
	}
	out, err := at.Path.Put(raw, result)
	if err != nil {
		return nil, f.failed(asl.ErrResultPath, "Unable to apply ReferencePath %s to input %s: %s", at.Path, value.String(raw), err)
	}
	return out, nil
}

// variables evaluates Assign on a document.
func (f *frame) variables(t *asl.Template, document any) (*value.Object, error) {
	if t == nil {
		return nil, nil
	}
	v, err := f.evaluate(t, document)
	if err != nil {
		return nil, err
	}
	o, _ := v.(*value.Object)
	return o, nil
}

func (f *frame) evaluate(t *asl.Template, document any) (any, error) {
	v, err := t.Eval(f.env(document))
	return v, f.evaluation(err, document)
}

// read applies a path field such as InputPath.
func (f *frame) read(p asl.PathField, document any) (any, error) {
	if p.Null {
		return value.NewObject(0), nil
	}
	if p.Path == nil {
		return document, nil
	}
	v, err := f.env(document).Resolve(p.Path)
	return v, f.evaluation(err, document)
}

// env is what expressions of the current state see.
type env struct {
	frame    *frame
	document any
}

func (f *frame) env(document any) env { return env{f, document} }

// Uint64 implements asl.Env.
func (e env) Uint64() uint64 { return e.frame.Random() }

// Resolve implements asl.Env.
func (e env) Resolve(p *jsonpath.Path) (any, error) {
	switch p.Root() {
	case jsonpath.Context:
		return p.Eval(e.frame.context())
	case jsonpath.Variable:
		for f := e.frame; f != nil; f = f.parent {
			if v, ok := f.vars[p.VariableName()]; ok {
				return p.Eval(v)
			}
		}
		return nil, &jsonpath.MissingError{Path: p.String(), Reason: "The variable '" + p.VariableName() + "' has not been assigned"}
	}
	return p.Eval(e.document)
}

// context is the context object.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
func (f *frame) context() *value.Object {
	e := f.execution
	c := value.Of(
		"Execution", value.Of("Id", e.ARN, "Input", e.Input, "StartTime", stamp(e.Start), "Name", e.Name, "RoleArn", e.RoleARN, "RedriveCount", e.redrives()),
		"StateMachine", value.Of("Id", e.MachineARN, "Name", e.MachineName),
		"State", f.stateContext())
	if f.item != nil {
		c.Set("Map", value.Of("Item", f.item))
	}
	if f.token != "" {
		c.Set("Task", value.Of("Token", f.token))
	}
	return c
}

// stateContext tells the number of retries only of states that can have retriers (recorded on AWS).
func (f *frame) stateContext() *value.Object {
	o := value.Of("Name", f.state.Name, "EnteredTime", stamp(f.since))
	switch f.state.Type {
	case asl.Task, asl.Parallel, asl.Map:
		o.Set("RetryCount", f.retries)
	}
	return o
}

func stamp(t time.Time) string {
	return strings.Replace(t.UTC().Format("2006-01-02T15:04:05.000Z07:00"), "+00:00", "Z", 1)
}
