package local_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// plan makes a schedule that fires once, in a second.
func plan(ctx context.Context, c *scheduler.Client, target *schedulertypes.Target) (name *string, err error) {
	name = aws.String(unique("schedule"))
	at := time.Now().UTC().Add(time.Second).Format("at(2006-01-02T15:04:05)")
	_, err = c.CreateSchedule(ctx, &scheduler.CreateScheduleInput{Name: name, ScheduleExpression: aws.String(at), Target: target,
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff}, ActionAfterCompletion: schedulertypes.ActionAfterCompletionDelete})
	return name, err
}

// loggedBy returns what a function has printed.
func loggedBy(ctx context.Context, name string) (lines string) {
	GinkgoHelper()
	out, err := root.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + name)})
	if err != nil {
		return "" // nothing yet
	}
	for _, e := range out.Events {
		lines += *e.Message
	}
	return lines
}

// attributesOf takes a message with all its attributes.
func attributesOf(ctx context.Context, url string) (body string, attributes map[string]string) {
	GinkgoHelper()
	out := must(root.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 10, MessageAttributeNames: []string{"All"}}))
	Expect(out.Messages).To(HaveLen(1))
	attributes = map[string]string{}
	for name, a := range out.Messages[0].MessageAttributes {
		attributes[name] = aws.ToString(a.StringValue)
	}
	return *out.Messages[0].Body, attributes
}

var _ = Describe("EventBridge Scheduler", func() {
	schedules := func(s *sdk) *scheduler.Client { return scheduler.NewFromConfig(s.config) }

	It("starts a function and a state machine, and is gone", func(ctx SpecContext) {
		name, arn := function(ctx)
		m := machine(ctx, passes)
		starter := role(ctx, "scheduler.amazonaws.com", policy(allow(arn, "lambda:InvokeFunction"), allow(*m, "states:StartExecution")))
		first := must(plan(ctx, schedules(root), &schedulertypes.Target{Arn: &arn, RoleArn: &starter, Input: aws.String(`{"by":"schedule"}`)}))
		must(plan(ctx, schedules(root), &schedulertypes.Target{Arn: m, RoleArn: &starter, Input: aws.String(`{}`)}))
		Eventually(ctx, func() string { return loggedBy(ctx, name) }).Should(ContainSubstring(`got {"by":"schedule"}`))
		Eventually(ctx, func() int {
			return len(must(root.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: m})).Executions)
		}).Should(Equal(1))
		_, err := schedules(root).GetSchedule(ctx, &scheduler.GetScheduleInput{Name: first})
		Expect(err).To(refuseWith("ResourceNotFoundException", "does not exist"))
	})

	It("buries what its role may not send", func(ctx SpecContext) {
		url, dead := queue(ctx, nil)
		_, arn := queue(ctx, nil)
		starter := role(ctx, "scheduler.amazonaws.com", policy(allow(dead, "sqs:SendMessage")))
		must(plan(ctx, schedules(root), &schedulertypes.Target{Arn: &arn, RoleArn: &starter, Input: aws.String("work"), DeadLetterConfig: &schedulertypes.DeadLetterConfig{Arn: &dead}}))
		body, attributes := attributesOf(ctx, url)
		Expect(body).To(Equal("work"))
		Expect(attributes).To(And(HaveKeyWithValue("TARGET_ARN", arn), HaveKeyWithValue("RETRY_ATTEMPTS", "0"),
			HaveKeyWithValue("ERROR_MESSAGE", ContainSubstring("not authorized to perform: sqs:SendMessage"))))
	})

	It("takes no role that may not be passed, or does not trust it", func(ctx SpecContext) {
		_, arn := queue(ctx, nil)
		starter := role(ctx, "scheduler.amazonaws.com", policy(allow(arn, "sqs:SendMessage")))
		_, err := plan(ctx, schedules(as(ctx, allow("*", "scheduler:*"))), &schedulertypes.Target{Arn: &arn, RoleArn: &starter})
		Expect(err).To(refuseWith("AccessDeniedException", "iam:PassRole on resource: "+starter))
		other := role(ctx, "events.amazonaws.com", policy(allow(arn, "sqs:SendMessage")))
		_, err = plan(ctx, schedules(root), &schedulertypes.Target{Arn: &arn, RoleArn: &other})
		Expect(err).To(refuseWith("ValidationException", "must allow AWS EventBridge Scheduler to assume the role"))
	})
})

var _ = Describe("Dead letters", func() {
	It("of a rule tell what went wrong", func(ctx SpecContext) {
		url, dead := queue(ctx, nil)
		sendFrom(ctx, url, dead, "events.amazonaws.com")
		_, closed := queue(ctx, nil)
		rule := aws.String(unique("rule"))
		must(root.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: rule, EventPattern: aws.String(`{"source":["` + *rule + `"]}`)}))
		must(root.events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: rule, Targets: []eventtypes.Target{{Id: aws.String("q"), Arn: &closed, Input: aws.String(`{}`), DeadLetterConfig: &eventtypes.DeadLetterConfig{Arn: &dead}}}}))
		must(root.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{{Source: rule, DetailType: aws.String("t"), Detail: aws.String(`{"n":1}`)}}}))
		body, attributes := attributesOf(ctx, url)
		Expect(body).To(ContainSubstring(`"detail":{"n":1}`))
		Expect(attributes).To(And(HaveKeyWithValue("ERROR_CODE", "NO_PERMISSIONS"), HaveKeyWithValue("TARGET_ARN", closed), HaveKeyWithValue("RULE_ARN", HaveSuffix(*rule))))
	})

	It("of a subscription are what the queue would have got", func(ctx SpecContext) {
		url, dead := queue(ctx, nil)
		sendFrom(ctx, url, dead, "sns.amazonaws.com")
		_, closed := queue(ctx, nil)
		topic := must(root.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(unique("topic"))})).TopicArn
		must(root.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: &closed,
			Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + dead + `"}`}}))
		must(root.sns.Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: aws.String("lost")}))
		body, attributes := attributesOf(ctx, url)
		Expect(body).To(And(ContainSubstring(`"Type":"Notification"`), ContainSubstring(`"Message":"lost"`)))
		Expect(attributes).To(BeEmpty())
	})
})

// rotator makes the function that rotates secrets, which Secrets Manager may invoke.
func rotator(ctx context.Context) *string {
	GinkgoHelper()
	name := unique("rotate")
	out := must(root.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: &name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String(role(ctx, "lambda.amazonaws.com", policy(allow("*", "logs:*", "secretsmanager:*")))), Code: &lambdatypes.FunctionCode{ZipFile: must(functionZip("./testdata/rotate"))}}))
	must(root.lambda.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: &name, StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("secretsmanager.amazonaws.com")}))
	return out.FunctionArn
}

var _ = Describe("Rotation", func() {
	It("asks a function for each step", func(ctx SpecContext) {
		secret := aws.String(unique("secret"))
		must(root.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: secret, SecretString: aws.String("a")}))
		arn := rotator(ctx)
		must(root.secrets.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: secret, RotationLambdaARN: arn}))
		value := func(stage string) string {
			return *must(root.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: secret, VersionStage: &stage})).SecretString
		}
		Eventually(ctx, func() string { return value("AWSCURRENT") }).Should(Equal("ax"))
		Expect(value("AWSPREVIOUS")).To(Equal("a"))
		lines := loggedBy(ctx, (*arn)[strings.LastIndex(*arn, ":")+1:])
		Expect(lines).To(And(ContainSubstring("step createSecret"), ContainSubstring("step setSecret"), ContainSubstring("step testSecret"), ContainSubstring("step finishSecret")))
	})
})

var _ = Describe("Log subscriptions", func() {
	It("send a function what their pattern selects", func(ctx SpecContext) {
		name, arn := function(ctx)
		must(root.lambda.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: &name, StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("logs.amazonaws.com")}))
		group, stream := aws.String("/"+unique("group")), aws.String("s")
		must(root.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}))
		must(root.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}))
		must(root.logs.PutSubscriptionFilter(ctx, &cloudwatchlogs.PutSubscriptionFilterInput{LogGroupName: group, FilterName: aws.String("f"), FilterPattern: aws.String("ERROR"), DestinationArn: &arn}))
		must(root.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: []logtypes.InputLogEvent{{Message: aws.String("ERROR here"), Timestamp: aws.Int64(time.Now().UnixMilli())}}}))
		Eventually(ctx, func() string { return loggedBy(ctx, name) }).Should(ContainSubstring(`"awslogs"`))
		_, after, _ := strings.Cut(loggedBy(ctx, name), "got ")
		var got struct{ Awslogs struct{ Data []byte } }
		Expect(json.NewDecoder(strings.NewReader(after)).Decode(&got)).To(Succeed())
		var document struct{ LogEvents []struct{ Message string } }
		Expect(json.NewDecoder(must(gzip.NewReader(bytes.NewReader(got.Awslogs.Data)))).Decode(&document)).To(Succeed())
		Expect(document.LogEvents).To(HaveLen(1))
		Expect(document.LogEvents[0].Message).To(Equal("ERROR here"))
	})
})
