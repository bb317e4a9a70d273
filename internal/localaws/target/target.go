// Package target hands messages from one service to another: to a queue, a
// function, a state machine, a topic or an event bus, by ARN and with the
// permissions of a service principal or of a role.
package target

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"engage/internal/localaws/wire"
)

// Attribute is a message attribute of SQS and SNS.
type Attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

// Message is something to deliver.
type Message struct {
	ARN    string      // where to
	Caller wire.Caller // with whose permissions
	Body   string      // JSON for all but queues and topics

	Attributes map[string]Attribute // queues and topics
	Group      string               // FIFO queues
	Dedup      string               // FIFO queues
	Subject    string               // topics

	Source, DetailType string   // event buses
	Resources          []string // event buses

	// Task is how ECS is asked to run a task in the cluster that ARN names:
	// RunTask's input, of which Body holds the overrides.
	Task map[string]any `json:",omitempty"`
}

// Deliverer delivers messages. A nil error means that the target has taken
// the message and will not lose it.
//
// Errors: what the target's service returns, AccessDenied, NotImplemented.
type Deliverer interface {
	Deliver(ctx context.Context, m Message) error
}

// Invoked delivers by calling the operations of the target's service.
type Invoked struct{ Invoker wire.Invoker }

// Supports reports whether the ARN names something that Invoked can deliver to.
func Supports(arn string) bool {
	switch service, _ := Split(arn); service {
	case "sqs", "lambda", "states", "sns", "events":
		return true
	case "ecs":
		_, resource := Split(arn)
		return strings.HasPrefix(resource, "cluster/")
	}
	return false
}

// Split returns an ARN's service and resource, "" when it is none.
func Split(arn string) (service, resource string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return "", ""
	}
	return parts[2], parts[5]
}

// Deliver calls the operation of the target's service that takes a message.
func (d Invoked) Deliver(ctx context.Context, m Message) error {
	parts := strings.SplitN(m.ARN, ":", 6)
	if !Supports(m.ARN) {
		return wire.NotImplemented("the target %s", m.ARN)
	}
	m.Caller.Region = parts[3]
	if parts[2] == "ecs" {
		return d.runTask(ctx, m)
	}
	operation, input := m.call(parts)
	_, err := d.Invoker.Invoke(ctx, m.Caller, parts[2], operation, input)
	return err
}

func (m Message) call(parts []string) (operation string, input map[string]any) {
	switch parts[2] {
	case "sqs":
		return "SendMessage", optional(map[string]any{"QueueUrl": "/" + parts[4] + "/" + parts[5], "MessageBody": m.Body},
			"MessageGroupId", m.Group, "MessageDeduplicationId", m.Dedup).attributes(m)
	case "sns":
		return "Publish", optional(map[string]any{"TopicArn": m.ARN, "Message": m.Body}, "Subject", m.Subject,
			"MessageGroupId", m.Group, "MessageDeduplicationId", m.Dedup).attributes(m)
	case "lambda":
		return "Invoke", map[string]any{"FunctionName": m.ARN, "InvocationType": "Event", "Payload": json.RawMessage(m.Body)}
	case "states":
		return "StartExecution", map[string]any{"stateMachineArn": m.ARN, "input": m.Body}
	}
	bus := strings.TrimPrefix(parts[5], "event-bus/")
	return "PutEvents", map[string]any{"Entries": []any{map[string]any{
		"EventBusName": bus, "Source": m.Source, "DetailType": m.DetailType, "Detail": m.Body, "Resources": m.Resources}}}
}

// runTask fails when no task was started, as the services that start tasks see it.
func (d Invoked) runTask(ctx context.Context, m Message) error {
	input := map[string]any{"cluster": m.ARN}
	maps.Copy(input, m.Task)
	if m.Body != "" {
		input["overrides"] = json.RawMessage(m.Body)
	}
	answer, err := d.Invoker.Invoke(ctx, m.Caller, "ecs", "RunTask", input)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	var out struct {
		Failures []struct{ Reason string } `json:"failures"`
	}
	if err := json.Unmarshal(raw, &out); err != nil || len(out.Failures) == 0 {
		return err
	}
	return wire.StatusErrorf(500, "RunTaskFailed", "ECS did not start the task: %s", out.Failures[0].Reason)
}

type members map[string]any

// optional adds pairs of name and value, but no empty value.
func optional(m members, pairs ...string) members {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}

func (m members) attributes(message Message) map[string]any {
	if len(message.Attributes) > 0 {
		m["MessageAttributes"] = message.Attributes
	}
	return m
}
