package states

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
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
	if err := f.reachable(t.Parameters); err != nil {
		return nil, err
	}
	parameters := t.Parameters
	if f.service == "events" {
		parameters = attributed(parameters, t.Execution)
	}
	out, err := f.call(ctx, t.Caller, parameters)
	if err != nil {
		return nil, err
	}
	failures, _ := field(out, "Failures").([]any)
	switch {
	case f.service == "events":
		return out, entries(out)
	case f.service == "ecs" && t.Resource.Pattern == asl.TaskToken && len(failures) > 0:
		return nil, notRun(t, out)
	}
	return f.told(t, out), nil
}

// attributed adds to each event from where it comes: the machine and the execution.
func attributed(parameters any, e interp.Execution) any {
	o, ok := parameters.(*value.Object)
	list, _ := field(parameters, "Entries").([]any)
	if !ok || list == nil {
		return parameters
	}
	out := make([]any, len(list))
	for i, entry := range list {
		out[i] = entry
		if event, ok := entry.(*value.Object); ok {
			resources, _ := field(event, "Resources").([]any)
			event = event.Copy()
			event.Set("Resources", append(slices.Clip(resources), e.MachineARN, e.ARN))
			out[i] = event
		}
	}
	o = o.Copy()
	o.Set("Entries", out)
	return o
}

// notRun is the failure of tasks that ECS did not start.
func notRun(t Task, out any) error {
	return &interp.TaskError{Name: "AmazonECS.Unknown", Cause: value.String(forward{service: "ecs"}.told(t, out))}
}

// told adds what the SDK tells of the answer.
func (f forward) told(t Task, out any) any {
	body := value.Encode(out)
	if f.service == "sns" {
		body = []byte(published(text(out, "MessageId"), t.sdk.requestID("sns")))
	}
	return t.sdk.answered(f.service, out, body)
}

// published is the document that Publish answers, whose length the SDK tells.
func published(message, request string) string {
	return `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">` + "\n  <PublishResult>\n    <MessageId>" + message +
		"</MessageId>\n  </PublishResult>\n  <ResponseMetadata>\n    <RequestId>" + request + "</RequestId>\n  </ResponseMetadata>\n</PublishResponse>\n"
}

// entries fails a task of which not every event was taken, with the whole answer as cause.
func entries(out any) error {
	if failed, _ := field(out, "FailedEntryCount").(int64); failed > 0 {
		return &interp.TaskError{Name: "EventBridge.FailedEntry", Cause: value.String(sorted(out.(*value.Object)))}
	}
	return nil
}

// reachable refuses the URL of a queue whose host is only a name: it leads nowhere.
func (f forward) reachable(parameters any) error {
	if f.service != "sqs" {
		return nil
	}
	u, err := url.Parse(text(parameters, "QueueUrl"))
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil
	}
	return &interp.TaskError{Name: "SQS.SdkClientException", Cause: "Unable to execute HTTP request: " + u.Hostname() + ": Name or service not known"}
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
	if err == nil && (f.service == "ecs" || f.service == "athena") {
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
	if _, isText := v.(string); isText || !there || v == nil {
		return o
	}
	c := o.Copy()
	c.Set(name, value.String(v))
	return c
}

// pascal shows an answer as the SDK for Java writes it: members in PascalCase and by name, times in milliseconds.
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
			if strings.HasSuffix(k, "At") || strings.HasSuffix(k, "DateTime") {
				e = milliseconds(e)
			}
			if k != "" {
				k = strings.ToUpper(k[:1]) + k[1:]
			}
			out.Set(k, pascal(e))
		}
		return sorted(out)
	}
	return v
}

// milliseconds is a time that a service tells in seconds.
func milliseconds(t any) any {
	switch seconds := t.(type) {
	case float64:
		return int64(math.Round(seconds * 1000))
	case int64:
		return seconds * 1000
	}
	return t
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
