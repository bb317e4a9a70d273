package lambda

import (
	"encoding/json"
	"strings"

	"engage/internal/localaws/wire"
)

// attribute is one of a message in a dead-letter queue.
type attribute struct{ kind, value string }

// deadLetter returns the attributes that Lambda gives to a dead letter.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
func deadLetter(e *event, out outcome) map[string]attribute {
	var reported struct {
		Message string `json:"errorMessage"`
	}
	json.Unmarshal(out.payload, &reported) //nolint:errcheck // then there is no message
	if len(reported.Message) > 1024 {
		reported.Message = strings.ToValidUTF8(reported.Message[:1024], "")
	}
	attributes := map[string]attribute{"RequestID": {"String", e.RequestID}, "ErrorCode": {"Number", "200"}}
	if reported.Message != "" {
		attributes["ErrorMessage"] = attribute{"String", reported.Message}
	}
	return attributes
}

// record is what a destination gets.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
func (s *Service) record(f *function, e *event, condition string, out outcome) string {
	record := map[string]any{
		"version": "1.0", "timestamp": s.cfg.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"requestContext": map[string]any{
			"requestId": e.RequestID, "functionArn": f.invokedARN(), "condition": condition, "approximateInvokeCount": max(e.Attempts, 1),
		},
		"requestPayload": json.RawMessage(e.Payload),
	}
	if out.payload != nil {
		context := map[string]any{"statusCode": 200, "executedVersion": f.version()}
		if out.functionError != "" {
			context["functionError"] = out.functionError
		}
		record["responseContext"] = context
		if json.Valid(out.payload) {
			record["responsePayload"] = json.RawMessage(out.payload)
		}
	}
	return marshal(record)
}

// invokedARN names the function with the qualifier of the event, $LATEST for none.
func (f *function) invokedARN() string { return f.arn() + ":" + orDefault(f.qualifier, latest) }

// deliver sends a message with the permissions of the function's role.
func (s *Service) deliver(f *function, arn, body string, attributes map[string]attribute) error {
	session, err := s.cfg.Credentials.Assume(s.ctx, *f.Settings.Role, f.Name, wire.Caller{Account: f.Account, Region: f.Region})
	if err != nil {
		return err
	}
	parts := strings.SplitN(arn, ":", 6)
	session.Caller.Region = parts[3]
	if parts[2] == "lambda" {
		_, err = s.cfg.Invoker.Invoke(s.ctx, session.Caller, "lambda", "Invoke",
			&InvokeInput{FunctionName: arn, InvocationType: "Event", Payload: []byte(body)})
		return err
	}
	operation, input := s.message(f, arn, parts, body, attributes)
	_, err = s.cfg.Invoker.Invoke(s.ctx, session.Caller, parts[2], operation, input)
	return err
}

// message returns the call that sends a message to a queue, topic or bus.
func (s *Service) message(f *function, arn string, parts []string, body string, attributes map[string]attribute) (operation string, input map[string]any) {
	converted := map[string]any{}
	for name, a := range attributes {
		converted[name] = map[string]string{"DataType": a.kind, "StringValue": a.value}
	}
	switch parts[2] {
	case "sqs":
		operation = "SendMessage"
		input = map[string]any{"QueueUrl": s.cfg.Endpoint() + "/" + parts[4] + "/" + parts[5], "MessageBody": body}
	case "sns":
		operation = "Publish"
		input = map[string]any{"TopicArn": arn, "Message": body}
	default: // checkTarget lets no other pass
		return "PutEvents", map[string]any{"Entries": []map[string]any{{
			"Source": "lambda", "DetailType": "Lambda Function Invocation Result", "EventBusName": arn,
			"Resources": []string{f.invokedARN(), arn}, "Detail": body,
		}}}
	}
	if len(converted) > 0 {
		input["MessageAttributes"] = converted
	}
	return operation, input
}
