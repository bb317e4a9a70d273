package interp

import (
	"errors"
	"fmt"
	"slices"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/intrinsic"
	"engage/internal/localaws/asl/jsonpath"
	"engage/internal/localaws/asl/value"
)

// Failure is an error of the state machine's own world: what Retry and Catch see.
type Failure struct {
	Name, Cause string
	heartbeat   bool // a States.Timeout because no heartbeat came
}

func (f *Failure) Error() string { return f.Name + ": " + f.Cause }

// output is what a catcher puts into the document: null for what nobody told.
func (f *Failure) output() *value.Object {
	told := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	return value.Of("Error", told(f.Name), "Cause", told(f.Cause))
}

// fatal tells whether the failure ends the execution whatever retriers and catchers say.
func (f *Failure) fatal() bool { return f.Name == asl.ErrRuntime }

func isFatal(err error) bool {
	var failure *Failure
	return errors.As(err, &failure) && failure.fatal()
}

// matches tells whether ErrorEquals covers a failure. States.Runtime is never covered, and
// States.DataLimitExceeded only by its own name.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
func (f *Failure) matches(names []string) bool {
	if f.Name == asl.ErrRuntime {
		return false
	}
	if slices.Contains(names, f.Name) {
		return true
	}
	if f.Name == asl.ErrDataLimit {
		return false
	}
	timeout := f.Name == asl.ErrTimeout || f.Name == asl.ErrHeartbeatTimeout
	for _, n := range names {
		switch n {
		case asl.ErrHeartbeatTimeout:
			if f.heartbeat {
				return true
			}
		case asl.ErrAll:
			return true
		case asl.ErrTimeout:
			if timeout {
				return true
			}
		case asl.ErrTaskFailed:
			if !timeout {
				return true
			}
		}
	}
	return false
}

// runtime is a States.Runtime failure of the state that the frame is in, in AWS's words.
func (f *frame) runtime(format string, args ...any) *Failure {
	return f.failed(asl.ErrRuntime, format, args...)
}

func (f *frame) failed(name, format string, args ...any) *Failure {
	return &Failure{Name: name, Cause: fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). ", f.state.Name, f.entered) +
		fmt.Sprintf(format, args...)}
}

// evaluation turns what an expression returned into a failure; input is what it was evaluated on.
func (f *frame) evaluation(err error, input any) error {
	var field *asl.FieldError
	var function *intrinsic.Error
	var missing *jsonpath.MissingError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &field):
		return f.notFound(field, input)
	case errors.As(err, &function):
		return f.failed(asl.ErrIntrinsic, "%s", function)
	case errors.As(err, &missing):
		return f.runtime("%s", missing)
	}
	return f.runtime("%s", err)
}

// notFound is the failure of a field whose path names nothing, or whose function's argument is such a path.
func (f *frame) notFound(e *asl.FieldError, input any) *Failure {
	if e.Function != "" {
		return f.runtime("The function '%s' had the following error: The JsonPath argument for the field '%s' could not be found in the input '%s'", e.Function, e.Path, value.String(input))
	}
	return f.runtime("The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'", e.Path, e.Field, value.String(input))
}
