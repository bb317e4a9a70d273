package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// says is a machine whose output is a word.
func says(word string) string {
	return fmt.Sprintf(`{"StartAt":"X","States":{"X":{"Type":"Pass","Result":%q,"End":true}}}`, word)
}

// asking sends its token to a queue and waits for who answers.
func asking(queue *string, more string) string {
	return fmt.Sprintf(`{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","End":true,
		"Parameters":{"QueueUrl":%q,"MessageBody":{"token.$":"$$.Task.Token","order.$":"$.order"}}%s}}}`, *queue, more)
}

// asked takes what a machine that asks has sent.
func asked(ctx context.Context, queue *string) (token *string, order string) {
	GinkgoHelper()
	got := must(root.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 10}))
	Expect(got.Messages).To(HaveLen(1))
	var body struct{ Token, Order string }
	Expect(json.Unmarshal([]byte(*got.Messages[0].Body), &body)).To(Succeed())
	return &body.Token, body.Order
}

var _ = Describe("Step Functions' further API", func() {
	It("waits for the holder of a task's token, through a queue", func(ctx SpecContext) {
		q := must(root.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(unique("queue"))})).QueueUrl
		m := machine(ctx, asking(q, `,"HeartbeatSeconds":600`), allow("*", "sqs:SendMessage"))
		x := execute(ctx, root, m, `{"order":"tea"}`)
		token, order := asked(ctx, q)
		Expect(order).To(Equal("tea"))
		must(root.sfn.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: token}))
		must(root.sfn.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: token, Output: aws.String(`{"cups":2}`)}))
		Expect(*ended(ctx, x).Output).To(Equal(`{"cups":2}`))
		events := history(ctx, x)
		Expect(kinds(events)).To(Equal("ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSubmitted TaskSucceeded TaskStateExited ExecutionSucceeded"))
		Expect(*events[2].TaskScheduledEventDetails.Resource).To(Equal("sendMessage.waitForTaskToken"))
		var told struct {
			MessageId       string
			SdkHttpMetadata struct{ HttpStatusCode int }
		}
		Expect(json.Unmarshal([]byte(*events[4].TaskSubmittedEventDetails.Output), &told)).To(Succeed())
		Expect(told.MessageId).NotTo(BeEmpty())
		Expect(told.SdkHttpMetadata.HttpStatusCode).To(Equal(200))

		y := execute(ctx, root, m, `{"order":"soup"}`)
		token, _ = asked(ctx, q)
		must(root.sfn.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{TaskToken: token, Error: aws.String("Sold"), Cause: aws.String("out")}))
		failed := ended(ctx, y)
		Expect([]string{string(failed.Status), *failed.Error, *failed.Cause}).To(Equal([]string{"FAILED", "Sold", "out"}))
		_, err := root.sfn.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: token, Output: aws.String(`{}`)})
		Expect(err).To(refuseWith("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"))
		_, err = root.sfn.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: aws.String("none")})
		Expect(err).To(refuseWith("InvalidToken"))
	})

	It("publishes to a topic and tells the message's id", func(ctx SpecContext) {
		topic := must(root.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(unique("topic"))})).TopicArn
		m := machine(ctx, fmt.Sprintf(`{"StartAt":"P","States":{"P":{"Type":"Task","Resource":"arn:aws:states:::sns:publish","Parameters":{"TopicArn":%q,"Message":{"a":1}},"End":true}}}`, *topic), allow("*", "sns:Publish"))
		done := ended(ctx, execute(ctx, root, m, `{}`))
		Expect(done.Status).To(Equal(types.ExecutionStatusSucceeded), aws.ToString(done.Cause))
		Expect(*done.Output).To(And(MatchRegexp(`^\{"MessageId":"[-0-9a-f]{36}"`), ContainSubstring(`"Content-Length":"294"`), Not(ContainSubstring("SequenceNumber"))))
	})

	It("names a service's error as AWS does, and a refused permission", func(ctx SpecContext) {
		missing := `{"StartAt":"C","States":{"C":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution","Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:none"},"End":true}}}`
		done := ended(ctx, execute(ctx, root, machine(ctx, missing, mayCall), `{}`))
		Expect(*done.Error).To(Equal("StepFunctions.StateMachineDoesNotExistException"))
		Expect(*done.Cause).To(MatchRegexp(`^State Machine Does Not Exist: '.*:none' \(Service: AWSStepFunctions; Status Code: 400; Error Code: StateMachineDoesNotExist; Request ID: [-0-9a-f]{36}; Proxy: null\)$`))
		denied := ended(ctx, execute(ctx, root, machine(ctx, missing), `{}`))
		Expect(*denied.Error).To(Equal("StepFunctions.AWSStepFunctionsException"))
		Expect(*denied.Cause).To(ContainSubstring("because no identity-based policy allows the states:StartExecution action (Service: AWSStepFunctions;"))
	})

	It("hands an activity's tasks to workers", func(ctx SpecContext) {
		a := must(root.sfn.CreateActivity(ctx, &sfn.CreateActivityInput{Name: aws.String(unique("activity"))})).ActivityArn
		x := execute(ctx, root, machine(ctx, fmt.Sprintf(`{"StartAt":"X","States":{"X":{"Type":"Task","Resource":%q,"End":true}}}`, *a)), `{"n":1}`)
		task := must(root.sfn.GetActivityTask(ctx, &sfn.GetActivityTaskInput{ActivityArn: a, WorkerName: aws.String("worker")}))
		Expect(*task.Input).To(Equal(`{"n":1}`))
		must(root.sfn.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: task.TaskToken, Output: task.Input}))
		Expect(*ended(ctx, x).Output).To(Equal(`{"n":1}`))
		Expect(kinds(history(ctx, x))).To(ContainSubstring("ActivityScheduled ActivityStarted ActivitySucceeded"))
		_, err := as(ctx, allow("*", "s3:*")).sfn.GetActivityTask(ctx, &sfn.GetActivityTaskInput{ActivityArn: a})
		Expect(err).To(refuseWith("AccessDeniedException", "states:GetActivityTask", *a))
		must(root.sfn.DeleteActivity(ctx, &sfn.DeleteActivityInput{ActivityArn: a}))
		_, err = root.sfn.DescribeActivity(ctx, &sfn.DescribeActivityInput{ActivityArn: a})
		Expect(err).To(refuseWith("ActivityDoesNotExist", "Activity Does Not Exist: '"+*a+"'"))
	})

	DescribeTable("runs another machine", func(ctx SpecContext, pattern, want string) {
		m := machine(ctx, fmt.Sprintf(`{"StartAt":"C","States":{"C":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution%s","End":true,
			"Parameters":{"StateMachineArn":%q,"Input":{"a":1}}}}}`, pattern, *machine(ctx, says("done"))), mayCall)
		done := ended(ctx, execute(ctx, root, m, `{}`))
		Expect(done.Status).To(Equal(types.ExecutionStatusSucceeded), aws.ToString(done.Cause))
		Expect(*done.Output).To(ContainSubstring(want))
	},
		Entry("without waiting", "", `"SdkHttpMetadata":{`),
		Entry("and waits, with text", ".sync", `"Output":"\"done\""`),
		Entry("and waits, with JSON", ".sync:2", `"Output":"done"`),
	)

	It("publishes versions and leads aliases to them", func(ctx SpecContext) {
		m := machine(ctx, says("one"))
		one := must(root.sfn.PublishStateMachineVersion(ctx, &sfn.PublishStateMachineVersionInput{StateMachineArn: m})).StateMachineVersionArn
		two := must(root.sfn.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: m, Definition: aws.String(says("two")), Publish: true})).StateMachineVersionArn
		Expect([]string{*one, *two}).To(Equal([]string{*m + ":1", *m + ":2"}))
		a := must(root.sfn.CreateStateMachineAlias(ctx, &sfn.CreateStateMachineAliasInput{Name: aws.String("live"), RoutingConfiguration: []types.RoutingConfigurationListItem{{StateMachineVersionArn: one, Weight: 100}}})).StateMachineAliasArn
		for arn, word := range map[*string]string{m: `"two"`, one: `"one"`, two: `"two"`, a: `"one"`} {
			Expect(*ended(ctx, execute(ctx, root, arn, `{}`)).Output).To(Equal(word), *arn)
		}
		Expect(must(root.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: a})).Executions).To(HaveLen(1))
		_, err := root.sfn.DeleteStateMachineVersion(ctx, &sfn.DeleteStateMachineVersionInput{StateMachineVersionArn: one})
		Expect(err).To(refuseWith("ConflictException", "[live]"))
		must(root.sfn.DeleteStateMachineAlias(ctx, &sfn.DeleteStateMachineAliasInput{StateMachineAliasArn: a}))
		must(root.sfn.DeleteStateMachineVersion(ctx, &sfn.DeleteStateMachineVersionInput{StateMachineVersionArn: one}))
		left := must(root.sfn.ListStateMachineVersions(ctx, &sfn.ListStateMachineVersionsInput{StateMachineArn: m})).StateMachineVersions
		Expect(left).To(HaveLen(1))
		_, err = as(ctx, allow(*m, "states:*")).sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: two})
		Expect(err).To(refuseWith("AccessDeniedException", *two))
	})

	It("tags machines and activities, not versions", func(ctx SpecContext) {
		m := machine(ctx, passes)
		a := must(root.sfn.CreateActivity(ctx, &sfn.CreateActivityInput{Name: aws.String(unique("activity"))})).ActivityArn
		for _, arn := range []*string{m, a} {
			tags := []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}
			must(root.sfn.TagResource(ctx, &sfn.TagResourceInput{ResourceArn: arn, Tags: tags}))
			must(root.sfn.UntagResource(ctx, &sfn.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a", "none"}}))
			Expect(must(root.sfn.ListTagsForResource(ctx, &sfn.ListTagsForResourceInput{ResourceArn: arn})).Tags).To(Equal(tags[1:]))
		}
		v := must(root.sfn.PublishStateMachineVersion(ctx, &sfn.PublishStateMachineVersionInput{StateMachineArn: m})).StateMachineVersionArn
		_, err := root.sfn.TagResource(ctx, &sfn.TagResourceInput{ResourceArn: v, Tags: []types.Tag{}})
		Expect(err).To(refuseWith("ResourceNotFound", *v))
	})

	It("redrives an execution from the state that failed", func(ctx SpecContext) {
		name := unique("later")
		later := "arn:aws:states:us-east-1:000000000000:stateMachine:" + name
		m := machine(ctx, fmt.Sprintf(`{"StartAt":"P","States":{"P":{"Type":"Pass","Next":"C"},
			"C":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":%q},"OutputPath":"$.Output","End":true}}}`, later), mayCall)
		x := execute(ctx, root, m, `{}`)
		failed := ended(ctx, x)
		Expect(failed.RedriveStatus).To(Equal(types.ExecutionRedriveStatusRedrivable))
		must(root.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: &name, Definition: aws.String(says("now")), RoleArn: aws.String(role(ctx, "states.amazonaws.com", policy(mayCall)))}))
		must(root.sfn.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: x}))
		done := ended(ctx, x)
		Expect(*done.Output).To(Equal(`"now"`))
		Expect(*done.RedriveCount).To(BeEquivalentTo(1))
		Expect(strings.Count(kinds(history(ctx, x)), "PassStateEntered")).To(Equal(1))
		_, err := root.sfn.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: x})
		Expect(err).To(refuseWith("ExecutionNotRedrivable", "Execution is SUCCEEDED and cannot be redriven"))
	})

	It("runs a task as the role in its Credentials", func(ctx SpecContext) {
		q := must(root.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(unique("queue"))})).QueueUrl
		sender := role(ctx, "", policy(allow("*", "sqs:SendMessage")))
		definition := fmt.Sprintf(`{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true,
			"Parameters":{"QueueUrl":%q,"MessageBody":"m"},"Credentials":{"RoleArn":%q}}}}`, *q, sender)
		done := ended(ctx, execute(ctx, root, machine(ctx, definition, allow(sender, "sts:AssumeRole")), `{}`))
		Expect(done.Status).To(Equal(types.ExecutionStatusSucceeded), aws.ToString(done.Cause))
		refused := ended(ctx, execute(ctx, root, machine(ctx, definition), `{}`))
		Expect(*refused.Cause).To(ContainSubstring("is not authorized to assume the task state's role, " + sender))
	})

	It("logs to a group that exists", func(ctx SpecContext) {
		group := unique("group")
		arn := "arn:aws:logs:us-east-1:000000000000:log-group:" + group + ":*"
		logging := &types.LoggingConfiguration{Level: types.LogLevelAll, Destinations: []types.LogDestination{{CloudWatchLogsLogGroup: &types.CloudWatchLogsLogGroup{LogGroupArn: &arn}}}}
		in := &sfn.CreateStateMachineInput{Name: aws.String(unique("machine")), Definition: aws.String(passes), RoleArn: aws.String(role(ctx, "states.amazonaws.com", policy(mayCall))), LoggingConfiguration: logging}
		_, err := root.sfn.CreateStateMachine(ctx, in)
		Expect(err).To(refuseWith("InvalidLoggingConfiguration", "Log Destination not found."))
		must(root.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}))
		x := execute(ctx, root, must(root.sfn.CreateStateMachine(ctx, in)).StateMachineArn, `{}`)
		ended(ctx, x)
		found := must(root.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})).Events
		Expect(found).To(HaveLen(4))
		Expect(*found[3].Message).To(And(ContainSubstring(`"type":"ExecutionSucceeded"`), ContainSubstring(*x)))
	})

	It("keeps roles to those who may pass them", func(ctx SpecContext) {
		r := role(ctx, "states.amazonaws.com", policy(mayCall))
		_, err := as(ctx, allow("*", "states:*")).sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String(unique("machine")), Definition: aws.String(passes), RoleArn: &r})
		Expect(err).To(refuseWith("AccessDeniedException", "iam:PassRole", r))
	})

	DescribeTable("refuses in AWS's words", func(ctx SpecContext, call func(context.Context) error, code, words string) {
		Expect(call(ctx)).To(refuseWith(code, words))
	},
		Entry("an ARN that is none", func(ctx context.Context) error {
			_, err := root.sfn.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: aws.String("none")})
			return err
		}, "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: none'"),
		Entry("too many results", func(ctx context.Context) error {
			_, err := root.sfn.ListStateMachines(ctx, &sfn.ListStateMachinesInput{MaxResults: 1001})
			return err
		}, "ValidationException", "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000"),
		Entry("an unknown status", func(ctx context.Context) error {
			_, err := root.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: machine(ctx, passes), StatusFilter: "succeeded"})
			return err
		}, "ValidationException", "Member must satisfy enum value set: [SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING]"),
		Entry("input that is not JSON", func(ctx context.Context) error {
			_, err := root.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: machine(ctx, passes), Input: aws.String("{'a':1}")})
			return err
		}, "InvalidExecutionInput", "'Unexpected character (''' (code 39)): was expecting double-quote to start field name'"),
	)
})
