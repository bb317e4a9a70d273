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
		return left{}, f.runtime("Failed to transition out of the state. The state does not point to a next state.")
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
		var missing *jsonpath.MissingError
		if errors.As(err, &missing) {
			return f.notFound(&asl.FieldError{Field: e.name, Function: e.expr.Function(), Path: missing.Path}, raw)
		}
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
	switch {
	case spec.Seconds != nil:
		return time.Duration(*spec.Seconds) * time.Second, nil
	case spec.SecondsPath != nil:
		return f.waitSeconds(spec.SecondsPath, input)
	case spec.TimestampPath != nil:
		return f.waitUntil(spec.TimestampPath, input)
	}
	at, _ := asl.ParseTimestamp(spec.Timestamp) // checked when the machine was compiled
	return at.Sub(f.Clock.Now()), nil
}

// waited reads what a Wait's path names.
func (f *frame) waited(field string, path *jsonpath.Path, input any) (any, error) {
	v, err := f.env(input).Resolve(path)
	var missing *jsonpath.MissingError
	if errors.As(err, &missing) {
		return nil, f.runtime("The %s parameter does not reference an input value: %s", field, path)
	}
	return v, f.evaluation(err, input)
}

func (f *frame) waitSeconds(path *jsonpath.Path, input any) (time.Duration, error) {
	v, err := f.waited("SecondsPath", path, input)
	if err != nil {
		return 0, err
	}
	n, ok := value.Integer(v)
	switch {
	case !ok:
		return 0, f.runtime("The SecondsPath parameter cannot be parsed as a long value: %s == %s", path, bare(v))
	case n < 0:
		return 0, f.runtime("The SecondsPath parameter references a negative value: %s == %d", path, n)
	}
	return time.Duration(min(n, maxWait)) * time.Second, nil
}

// maxWait is AWS's longest wait in seconds.
const maxWait = 99_999_999

func (f *frame) waitUntil(path *jsonpath.Path, input any) (time.Duration, error) {
	v, err := f.waited("TimestampPath", path, input)
	if err != nil {
		return 0, err
	}
	text, _ := v.(string)
	at, ok := asl.ParseTimestamp(text)
	if !ok {
		return 0, f.runtime("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s", path, bare(v))
	}
	return at.Sub(f.Clock.Now()), nil
}

// bare is a value as AWS's messages have it: a string without quotes.
func bare(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return value.String(v)
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
