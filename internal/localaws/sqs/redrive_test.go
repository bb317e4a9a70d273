package sqs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

func refused(err error, code, message string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code && strings.Contains(api.ErrorMessage(), message)
}

func arnOf(name string) string { return "arn:aws:sqs:eu-west-1:000000000000:" + name }

func (w *world) make(t *testing.T, name string, attributes map[string]string) *string {
	t.Helper()
	out, err := w.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return out.QueueUrl
}

func (w *world) take(t *testing.T, url *string) []types.Message {
	t.Helper()
	out, err := w.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 0,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

func TestDeadLettersGoBack(t *testing.T) {
	w, closeAll := open(t, t.TempDir())
	defer closeAll()
	ctx := t.Context()
	dead := w.make(t, "dead", nil)
	source := w.make(t, "source", map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": `{"deadLetterTargetArn":"` + arnOf("dead") + `","maxReceiveCount":1}`})
	if _, err := w.SendMessage(ctx, &sdk.SendMessageInput{QueueUrl: source, MessageBody: aws.String("m")}); err != nil {
		t.Fatal(err)
	}
	w.take(t, source)
	if got := w.take(t, source); len(got) != 0 {
		t.Fatalf("received again: %v", got)
	}
	_, err := w.StartMessageMoveTask(ctx, &sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("source"))})
	if !refused(err, "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.") {
		t.Errorf("from a queue that is no dead-letter queue: %v", err)
	}
	task, err := w.StartMessageMoveTask(ctx, &sdk.StartMessageMoveTaskInput{SourceArn: aws.String(arnOf("dead"))})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.take(t, source); len(got) != 1 || *got[0].Body != "m" {
		t.Errorf("moved back %v", got)
	}
	if got := w.take(t, dead); len(got) != 0 {
		t.Errorf("still there: %v", got)
	}
	listed, err := w.ListMessageMoveTasks(ctx, &sdk.ListMessageMoveTasksInput{SourceArn: aws.String(arnOf("dead"))})
	if err != nil || len(listed.Results) != 1 || *listed.Results[0].Status != "COMPLETED" || listed.Results[0].ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("listed %+v, %v", listed, err)
	}
	_, err = w.CancelMessageMoveTask(ctx, &sdk.CancelMessageMoveTaskInput{TaskHandle: task.TaskHandle})
	if !refused(err, "ResourceNotFoundException", "Only active tasks can be cancelled.") {
		t.Errorf("cancelled: %v", err)
	}
}

func TestPermissionsAreStatements(t *testing.T) {
	w, closeAll := open(t, t.TempDir())
	defer closeAll()
	ctx := t.Context()
	url := w.make(t, "q", nil)
	add := &sdk.AddPermissionInput{QueueUrl: url, Label: aws.String("l"), AWSAccountIds: []string{"111111111111"}, Actions: []string{"SendMessage", "ReceiveMessage"}}
	if _, err := w.AddPermission(ctx, add); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddPermission(ctx, add); !refused(err, "InvalidParameterValue", "Already exists") {
		t.Errorf("added twice: %v", err)
	}
	policy := func() string {
		out, err := w.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"Policy"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes["Policy"]
	}
	if got := policy(); !strings.Contains(got, `"Action":["SQS:SendMessage","SQS:ReceiveMessage"]`) || !strings.Contains(got, "arn:aws:iam::111111111111:root") {
		t.Errorf("the policy is %s", got)
	}
	if _, err := w.RemovePermission(ctx, &sdk.RemovePermissionInput{QueueUrl: url, Label: aws.String("l")}); err != nil || policy() != "" {
		t.Errorf("removed: %v, the policy is %q", err, policy())
	}
	if _, err := w.RemovePermission(ctx, &sdk.RemovePermissionInput{QueueUrl: url, Label: aws.String("l")}); !refused(err, "InvalidParameterValue", "can't find label") {
		t.Errorf("removed twice: %v", err)
	}
}
