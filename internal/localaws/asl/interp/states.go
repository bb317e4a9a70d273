package interp

import (
	"context"
	"errors"
	"math"
	"time"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

// once runs the state one time: input in, output out.
func (f *frame) once(ctx context.Context, raw any) (left, error) {
	st := f.state
	if st.Task != nil && st.Task.Resource.GivesToken() {
		f.token = f.Callbacks.newToken(f.Random)
	}
	input, err := f.read(st.InputPath, raw)
	if err != nil {
		return left{}, err
	}
	if st.Type == asl.Choice {
		return f.choice(input)
	}
	f.input = input
	effective := input
	if st.Parameters != nil {
		if effective, err = f.evaluate(st.Parameters, input); err != nil {
			return left{}, err
		}
	}
	result, err := f.work(ctx, effective)
	if err != nil {
		return left{}, err
	}
	return f.leave(raw, result)
}

// leave turns a result into the state's output.
func (f *frame) leave(raw, result any) (left, error) {
	st := f.state
	vars, err := f.variables(st.Assign, result)
	if err != nil {
		return left{}, err
	}
	if st.ResultSelector != nil {
		if result, err = f.evaluate(st.ResultSelector, result); err != nil {
			return left{}, err
		}
	}
	output := result
	switch st.Type { // the others replace their input by it as a whole
	case asl.Pass, asl.Task, asl.Parallel, asl.Map:
		if output, err = f.place(st.ResultPath, raw, result); err != nil {
			return left{}, err
		}
	}
	output, err = f.read(st.OutputPath, output)
	return left{output: output, next: st.Next, assigned: vars}, err
}

// work is what each type does with its effective input.
func (f *frame) work(ctx context.Context, input any) (any, error) {
	switch f.state.Type {
	case asl.Pass:
		if f.state.HasResult {
			return f.state.Result, nil
		}
	case asl.Wait:
		return input, f.wait(ctx, input)
	case asl.Task:
		return f.task(ctx, input)
	case asl.Parallel:
		return f.parallel(ctx, input)
	case asl.Map:
		return f.mapState(ctx, input)
	}
	return input, nil
}

func (f *frame) choice(input any) (left, error) {
	next, assign := f.state.Default, f.state.Assign
	for _, r := range f.state.Choices {
		ok, err := r.Match(f.env(input))
		var missing *jsonpath.MissingError
		if errors.As(err, &missing) {
			return left{}, f.runtime("Invalid path '%s': The choice state's condition path references an invalid value.", missing.Path)
		}
		if err != nil {
			return left{}, f.evaluation(err, input)
		}
		if ok {
			next, assign = r.Next, r.Assign
			break
		}
	}
	if next == "" {
		return left{}, f.failed(asl.ErrNoChoiceMatched, "Failed to transition out of the state. The state does not point to a next state.")
	}
	vars, err := f.variables(assign, input)
	if err != nil {
		return left{}, err
	}
	output, err := f.read(f.state.OutputPath, input)
	return left{output: output, next: next, assigned: vars}, err
}

func (f *frame) fail(raw any) error {
	spec := f.state.Fail
	name, cause := spec.Error, spec.Cause
	for _, e := range []struct {
		expr *asl.Expression
		to   *string
		name string
	}{{spec.ErrorPath, &name, "ErrorPath"}, {spec.CausePath, &cause, "CausePath"}} {
		if e.expr == nil {
			continue
		}
		v, err := e.expr.Eval(f.env(raw))
		if err != nil {
			return f.evaluation(err, raw)
		}
		text, ok := v.(string)
		if !ok {
			return f.runtime("The %s does not give a string but a JSON %s", e.name, value.KindOf(v))
		}
		*e.to = text
	}
	return &Failure{Name: name, Cause: cause}
}

func (f *frame) wait(ctx context.Context, input any) error {
	d, err := f.waitFor(input)
	if err != nil || d <= 0 {
		return err
	}
	return f.sleep(ctx, d)
}

func (f *frame) waitFor(input any) (time.Duration, error) {
	spec := f.state.Wait
	until := spec.Timestamp
	switch {
	case spec.Seconds != nil:
		return time.Duration(*spec.Seconds) * time.Second, nil
	case spec.SecondsPath != nil:
		n, err := f.count(asl.Seconds{Path: spec.SecondsPath}, "SecondsPath", input)
		return time.Duration(n) * time.Second, err
	case spec.TimestampPath != nil:
		v, err := f.env(input).Resolve(spec.TimestampPath)
		if err != nil {
			return 0, f.evaluation(err, input)
		}
		until, _ = v.(string)
	}
	at, ok := asl.ParseTimestamp(until)
	if !ok {
		return 0, f.runtime("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s", until)
	}
	return at.Sub(f.Clock.Now()), nil
}

// count reads a whole number of 0 or more that is written out or at a path.
func (f *frame) count(s asl.Seconds, field string, input any) (int64, error) {
	if s.Path == nil {
		return s.Value, nil
	}
	v, err := f.env(input).Resolve(s.Path)
	if err != nil {
		return 0, f.evaluation(err, input)
	}
	n, ok := value.Integer(v)
	if !ok || n < 0 || n > 99_999_999 {
		return 0, f.runtime("The %s parameter does not reference a valid value: %s == %s", field, s.Path, value.String(v))
	}
	return n, nil
}

// sleep waits d of the clock, or until ctx is done.
func (f *frame) sleep(ctx context.Context, d time.Duration) error {
	fired, release := f.Clock.NewTimer(d)
	defer release()
	var err error
	f.waiting(func() {
		select {
		case <-fired:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	})
	return err
}

// retry tells whether the state is to be run again, after having waited as long as the retrier says.
func (f *frame) retry(ctx context.Context, failure *Failure, counts []int64) (bool, error) {
	for i, r := range f.state.Retry {
		if !failure.matches(r.ErrorEquals) {
			continue
		}
		if counts[i] >= r.MaxAttempts {
			return false, nil
		}
		delay := f.delay(r, counts[i])
		counts[i]++
		return true, f.sleep(ctx, delay)
	}
	return false, nil
}

// delay is IntervalSeconds * BackoffRate^n, at most MaxDelaySeconds; full jitter draws from zero to that.
func (f *frame) delay(r asl.Retrier, n int64) time.Duration {
	seconds := float64(r.IntervalSeconds) * math.Pow(r.BackoffRate, float64(n))
	if r.MaxDelaySeconds > 0 {
		seconds = math.Min(seconds, float64(r.MaxDelaySeconds))
	}
	seconds = math.Min(seconds, 99_999_999)
	if r.FullJitter {
		seconds *= float64(f.Random()>>11) / (1 << 53)
	}
	return time.Duration(seconds * float64(time.Second))
}
