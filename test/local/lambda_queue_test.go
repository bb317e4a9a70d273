package local_test

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// assumeInput assumes a role.
func assumeInput(arn string) *sts.AssumeRoleInput { return &sts.AssumeRoleInput{RoleArn: &arn} }

// functionOf makes a function from a program, with a role that may do some actions.
func functionOf(ctx context.Context, program string, change func(*lambda.CreateFunctionInput), actions ...string) (name string) {
	GinkgoHelper()
	name = unique("function")
	in := &lambda.CreateFunctionInput{FunctionName: &name, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Timeout: aws.Int32(10),
		Role: aws.String(role(ctx, "lambda.amazonaws.com", policy(allow("*", append(actions, "logs:*")...)))), Code: &types.FunctionCode{ZipFile: must(functionZip(program))}}
	if change != nil {
		change(in)
	}
	must(root.lambda.CreateFunction(ctx, in))
	return name
}

// queueOf makes a queue and returns its URL and ARN.
func queueOf(ctx context.Context, attributes map[string]string) (url, arn string) {
	GinkgoHelper()
	name := unique("queue")
	url = *must(root.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})).QueueUrl
	return url, "arn:aws:sqs:" + region + ":" + account + ":" + name
}

// printed returns what a function printed that has a text in it.
func printed(ctx context.Context, function, text string) []string {
	GinkgoHelper()
	found, err := root.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + function), FilterPattern: aws.String(`"` + text + `"`)})
	if err != nil {
		return nil // the group comes with the first line
	}
	var all []string
	for _, e := range found.Events {
		all = append(all, strings.TrimSpace(*e.Message))
	}
	return all
}

// waiting is how many messages a queue has, hidden ones too.
func waiting(ctx context.Context, url string) string {
	GinkgoHelper()
	a := must(root.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})).Attributes
	return a["ApproximateNumberOfMessages"] + "+" + a["ApproximateNumberOfMessagesNotVisible"]
}

// received waits for a message of a queue, and returns its body.
func received(ctx context.Context, url string) (body string, attributes map[string]string) {
	GinkgoHelper()
	var m sqstypes.Message
	Eventually(ctx, func() int {
		got := must(root.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"}})).Messages
		if len(got) > 0 {
			m = got[0]
		}
		return len(got)
	}).Should(Equal(1))
	attributes = map[string]string{}
	for name, a := range m.MessageAttributes {
		attributes[name] = aws.ToString(a.StringValue)
	}
	return *m.Body, attributes
}

var polls = []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}

var _ = Describe("A queue that is mapped to a function", func() {
	send := func(ctx context.Context, url string, bodies ...string) {
		GinkgoHelper()
		for _, body := range bodies {
			must(root.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}))
		}
	}

	It("gives its messages to the function, and forgets those that it worked on", func(ctx SpecContext) {
		name := functionOf(ctx, "./testdata/batch", nil, polls...)
		url, arn := queueOf(ctx, nil)
		send(ctx, url, "one", "two")
		made := must(root.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &name, EventSourceArn: &arn}))
		Expect(*made.State).To(Equal("Creating"))
		Expect(*made.BatchSize).To(BeEquivalentTo(10))
		Eventually(ctx, func() []string { return printed(ctx, name, "message") }).Should(ConsistOf(HavePrefix("message one "+arn+" 1"), HavePrefix("message two "+arn+" 1")))
		Eventually(ctx, func() string { return waiting(ctx, url) }).Should(Equal("0+0"))
		got := must(root.lambda.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: made.UUID}))
		Expect(*got.State).To(Equal("Enabled"))
		listed := must(root.lambda.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: &name})).EventSourceMappings
		Expect(listed).To(HaveLen(1))

		must(root.lambda.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: made.UUID, Enabled: aws.Bool(false)}))
		send(ctx, url, "three")
		Consistently(ctx, func() string { return waiting(ctx, url) }, "200ms").Should(Equal("1+0"))
		must(root.lambda.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: made.UUID, Enabled: aws.Bool(true)}))
		Eventually(ctx, func() string { return waiting(ctx, url) }).Should(Equal("0+0"))
		must(root.lambda.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: made.UUID}))
		_, err := root.lambda.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: made.UUID})
		Expect(err).To(refuseWith("ResourceNotFoundException", "The resource you requested does not exist."))
	})

	It("keeps the messages that the function names as failed, until they are dead", func(ctx SpecContext) {
		name := functionOf(ctx, "./testdata/batch", func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(1) }, polls...)
		dead, deadARN := queueOf(ctx, nil)
		redrive := string(must(json.Marshal(map[string]any{"deadLetterTargetArn": deadARN, "maxReceiveCount": 2})))
		url, arn := queueOf(ctx, map[string]string{"VisibilityTimeout": "1", "RedrivePolicy": redrive})
		send(ctx, url, "good", "bad")
		must(root.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &name, EventSourceArn: &arn,
			FunctionResponseTypes: []types.FunctionResponseType{types.FunctionResponseTypeReportBatchItemFailures}}))
		body, _ := received(ctx, dead)
		Expect(body).To(Equal("bad"))
		Expect(waiting(ctx, url)).To(Equal("0+0"))
		Eventually(ctx, func() []string { return printed(ctx, name, "bad") }).Should(HaveLen(2), "tried twice")
		Expect(printed(ctx, name, "good")).To(HaveLen(1))
	})

	It("gives what a filter matches, and drops the rest", func(ctx SpecContext) {
		name := functionOf(ctx, "./testdata/batch", nil, polls...)
		url, arn := queueOf(ctx, nil)
		must(root.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &name, EventSourceArn: &arn,
			FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body":{"kind":["wanted"]}}`)}}}}))
		send(ctx, url, `{"kind":"other"}`, `{"kind":"wanted"}`)
		Eventually(ctx, func() []string { return printed(ctx, name, "message") }).Should(ConsistOf(ContainSubstring("wanted")))
		Eventually(ctx, func() string { return waiting(ctx, url) }).Should(Equal("0+0"))
	})

	It("is refused where it cannot work", func(ctx SpecContext) {
		name := functionOf(ctx, "./testdata/batch", nil)
		_, arn := queueOf(ctx, nil)
		mapTo := func(in *lambda.CreateEventSourceMappingInput) error {
			in.FunctionName = &name
			_, err := root.lambda.CreateEventSourceMapping(ctx, in)
			return err
		}
		Expect(mapTo(&lambda.CreateEventSourceMappingInput{EventSourceArn: &arn})).To(refuseWith("InvalidParameterValueException", "does not have permissions to call ReceiveMessage on SQS"))
		Expect(mapTo(&lambda.CreateEventSourceMappingInput{EventSourceArn: &arn, StartingPosition: types.EventSourcePositionLatest})).To(
			refuseWith("InvalidParameterValueException", "StartingPosition is not valid for SQS event sources."))
		Expect(mapTo(&lambda.CreateEventSourceMappingInput{EventSourceArn: aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/s")})).To(refuseWith("NotImplemented", "kinesis"))
		name = functionOf(ctx, "./testdata/batch", func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(60) }, polls...)
		Expect(mapTo(&lambda.CreateEventSourceMappingInput{EventSourceArn: &arn})).To(refuseWith("InvalidParameterValueException", "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"))
		Expect(mapTo(&lambda.CreateEventSourceMappingInput{EventSourceArn: aws.String(arn + "-none")})).To(refuseWith("InvalidParameterValueException", "AWS.SimpleQueueService.NonExistentQueue"))
	})
})
