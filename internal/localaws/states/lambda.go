package states

import (
	"context"
	"errors"
	"fmt"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/wire"
)

// FunctionCall is one invocation of a Lambda function.
type FunctionCall struct {
	Caller         wire.Caller
	Function       string // name or ARN
	Qualifier      string
	InvocationType string // RequestResponse (also when empty), Event or DryRun
	LogType        string // Tail asks for the end of the log
	ClientContext  string // base64
	Payload        []byte
	Trace          string // X-Amzn-Trace-Id
}

// FunctionResult is what Lambda answered.
type FunctionResult struct {
	Status        int
	FunctionError string // Handled or Unhandled; empty on success
	Payload       []byte
	Version       string
	RequestID     string
	LogResult     string // base64, when it was asked for
	Trace         string // X-Amzn-Trace-Id
}

// LambdaIntegrations returns the executors of Lambda functions, by ARN and by lambda:invoke, for Config.Integrations.
// invoke checks the caller's permission; a *wire.Error of it becomes an error such as Lambda.ResourceNotFoundException.
func LambdaIntegrations(invoke func(ctx context.Context, c FunctionCall) (FunctionResult, error)) map[string]Executor {
	l := lambda{invoke}
	return map[string]Executor{"lambda": ExecutorFunc(l.byARN), "lambda:invoke": ExecutorFunc(l.byParameters), "lambda:invoke.waitForTaskToken": ExecutorFunc(l.byParameters)}
}

type lambda struct {
	invoke func(ctx context.Context, c FunctionCall) (FunctionResult, error)
}

// byARN runs the function that the Resource names on the task's input; its answer is the output.
func (l lambda) byARN(ctx context.Context, t Task) (any, error) {
	r, err := l.run(ctx, FunctionCall{Caller: t.Caller, Function: t.Resource.ARN, Payload: value.Encode(t.Parameters), Trace: t.Trace})
	if err != nil {
		return nil, err
	}
	return payload(r.Payload)
}

// byParameters is lambda:invoke, whose output wraps the function's answer.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
func (l lambda) byParameters(ctx context.Context, t Task) (any, error) {
	o, ok := t.Parameters.(*value.Object)
	if !ok || text(o, "FunctionName") == "" {
		return nil, &interp.TaskError{Name: asl.ErrRuntime, Cause: "The Parameters of lambda:invoke must be an object with a FunctionName"}
	}
	c := FunctionCall{Caller: t.Caller, Payload: []byte("{}"), Trace: t.Trace}
	for i := range o.Len() {
		k, v := o.At(i)
		switch k {
		case "FunctionName":
			c.Function = text(o, k)
		case "Qualifier":
			c.Qualifier = text(o, k)
		case "InvocationType":
			c.InvocationType = text(o, k)
		case "LogType":
			c.LogType = text(o, k)
		case "ClientContext":
			c.ClientContext = text(o, k)
		case "Payload":
			c.Payload = event(v)
		default:
			return nil, &interp.TaskError{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The field %q of lambda:invoke is not implemented by this endpoint", k)}
		}
	}
	r, err := l.run(ctx, c)
	if err != nil {
		return nil, compacted(err)
	}
	answer, err := payload(r.Payload)
	if err != nil {
		return nil, err
	}
	return r.output(t.sdk, answer), nil
}

// output is the function's answer with what the SDK tells of it.
func (r FunctionResult) output(tell sdk, answer any) any {
	out := value.Of("ExecutedVersion", r.Version, "Payload", answer, "StatusCode", int64(r.Status))
	more := []header{{"X-Amz-Executed-Version", r.Version}}
	if r.LogResult != "" {
		out.Set("LogResult", r.LogResult)
		more = append([]header{{"X-Amz-Log-Result", r.LogResult}}, more...)
	}
	if r.Trace != "" {
		more = append(more, header{"X-Amzn-Trace-Id", r.Trace})
	}
	return tell.answeredAs(r.RequestID, "lambda", out, r.Status, r.Payload, more...)
}

// event is what a function gets for a Payload: text that is JSON already as it is, nothing for null.
func event(payload any) []byte {
	if payload == nil {
		return []byte("{}")
	}
	if text, ok := payload.(string); ok && invalidJSON(text) == nil {
		return []byte(text)
	}
	return value.Encode(payload)
}

// run turns a function's own error into the task's: its errorType as name, all of it as cause.
func (l lambda) run(ctx context.Context, c FunctionCall) (FunctionResult, error) {
	r, err := l.invoke(ctx, c)
	if err != nil || r.FunctionError == "" {
		return r, err
	}
	v, _ := value.Decode(r.Payload)
	if name := text(v, "errorType"); name != "" {
		return r, &interp.TaskError{Name: name, Cause: string(r.Payload)}
	}
	return r, &interp.TaskError{Name: "Lambda.Unknown", Cause: "The cause could not be determined because Lambda did not return an error type. Returned payload: " + string(r.Payload)}
}

// compacted writes a function's error without white space, as AWS does for lambda:invoke but not for a function's ARN.
func compacted(err error) error {
	var failure *interp.TaskError
	if !errors.As(err, &failure) {
		return err
	}
	v, bad := value.Decode([]byte(failure.Cause))
	if bad != nil {
		return err
	}
	return &interp.TaskError{Name: failure.Name, Cause: value.String(v)}
}

// payload reads a function's answer; none is null.
func payload(text []byte) (any, error) {
	if len(text) == 0 {
		return nil, nil
	}
	v, err := value.Decode(text)
	if err != nil {
		return nil, &interp.TaskError{Name: asl.ErrRuntime, Cause: "The function's answer is not JSON: " + err.Error()}
	}
	return v, nil
}
