package states

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/wire"
)

// forwarded are the integrations that are one call of a service. They take parameters and give answers
// under the names of the service's own API.
// https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
var forwarded = map[string]map[string]string{
	"dynamodb": {"getItem": "GetItem", "putItem": "PutItem", "updateItem": "UpdateItem", "deleteItem": "DeleteItem"},
	"sns":      {"publish": "Publish", "publish.waitForTaskToken": "Publish"},
	"sqs":      {"sendMessage": "SendMessage", "sendMessage.waitForTaskToken": "SendMessage"},
	"events":   {"putEvents": "PutEvents", "putEvents.waitForTaskToken": "PutEvents"},
	"athena": {"startQueryExecution": "StartQueryExecution", "stopQueryExecution": "StopQueryExecution",
		"getQueryExecution": "GetQueryExecution", "getQueryResults": "GetQueryResults"},
	"ecs": {"runTask": "RunTask", "runTask.waitForTaskToken": "RunTask"},
}

// Integrations returns the executors of services that an invoker reaches, for Config.Integrations. It knows
// athena, dynamodb, ecs, events, sns and sqs; another name is a programming error and panics.
// Lambda's are made by LambdaIntegrations.
func Integrations(invoker wire.Invoker, services ...string) map[string]Executor {
	out := map[string]Executor{}
	for _, service := range services {
		actions, ok := forwarded[service]
		if !ok {
			panic("states: no integration of the service " + service)
		}
		for action, operation := range actions {
			out[service+":"+action] = forward{invoker, service, operation}
		}
	}
	for _, service := range services {
		switch service {
		case "athena":
			out["athena:startQueryExecution.sync"] = ExecutorFunc(query{invoker}.execute)
		case "ecs":
			out["ecs:runTask.sync"] = ExecutorFunc(runTask{invoker}.execute)
		}
	}
	return out
}

// forward is an integration that is one call.
type forward struct {
	invoker            wire.Invoker
	service, operation string
}

// Execute implements Executor.
func (f forward) Execute(ctx context.Context, t Task) (any, error) {
	return f.call(ctx, t.Caller, t.Parameters)
}

func (f forward) call(ctx context.Context, caller wire.Caller, parameters any) (any, error) {
	answer, err := f.invoker.Invoke(ctx, caller, f.service, f.operation, json.RawMessage(value.Encode(f.textual(parameters))))
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("encode the answer of %s %s: %w", f.service, f.operation, err)
	}
	out, err := value.Decode(text)
	if err == nil && f.service == "ecs" {
		out = pascal(out)
	}
	return out, err
}

// textual turns the parameters that may be written as JSON, but are text to the service, into that text.
func (f forward) textual(parameters any) any {
	o, ok := parameters.(*value.Object)
	if !ok {
		return parameters
	}
	switch f.service {
	case "sqs":
		return withText(o, "MessageBody")
	case "sns":
		return withText(o, "Message")
	case "events":
		list, _ := o.Get("Entries")
		entries, ok := list.([]any)
		if !ok {
			return o
		}
		out := make([]any, len(entries))
		for i, e := range entries {
			out[i] = e
			if entry, ok := e.(*value.Object); ok {
				out[i] = withText(entry, "Detail")
			}
		}
		o = o.Copy()
		o.Set("Entries", out)
	}
	return o
}

func withText(o *value.Object, name string) *value.Object {
	v, there := o.Get(name)
	if _, isText := v.(string); isText || !there {
		return o
	}
	c := o.Copy()
	c.Set(name, value.String(v))
	return c
}

// pascal renames members as integrations with ECS show them: PascalCase, times in milliseconds.
func pascal(v any) any {
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = pascal(e)
		}
		return out
	case *value.Object:
		out := value.NewObject(x.Len())
		for i := range x.Len() {
			k, e := x.At(i)
			if seconds, isTime := e.(float64); isTime && strings.HasSuffix(k, "At") {
				e = int64(seconds*1000 + 0.5)
			} else if whole, isTime := e.(int64); isTime && strings.HasSuffix(k, "At") {
				e = whole * 1000
			}
			if k != "" {
				k = strings.ToUpper(k[:1]) + k[1:]
			}
			out.Set(k, pascal(e))
		}
		return out
	}
	return v
}

// failed is a job's failure: its description as the cause.
func failed(description any) error {
	return &interp.TaskError{Name: asl.ErrTaskFailed, Cause: value.String(description)}
}

// field reads a member at a path of names; nil when there is none.
func field(v any, names ...string) any {
	for _, n := range names {
		o, ok := v.(*value.Object)
		if !ok {
			return nil
		}
		v, _ = o.Get(n)
	}
	return v
}

func text(v any, names ...string) string {
	s, _ := field(v, names...).(string)
	return s
}
