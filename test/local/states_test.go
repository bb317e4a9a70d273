package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// machine makes a state machine that runs under a role with the statements.
func machine(ctx context.Context, definition string, statements ...string) *string {
	GinkgoHelper()
	if len(statements) == 0 {
		statements = []string{allow("*", "states:DescribeStateMachine")}
	}
	arn := role(ctx, "states.amazonaws.com", policy(statements...))
	return must(root.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String(unique("machine")), Definition: &definition, RoleArn: &arn})).StateMachineArn
}

func execute(ctx context.Context, c *sdk, machine *string, input string) *string {
	GinkgoHelper()
	return must(c.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: machine, Input: &input})).ExecutionArn
}

// ended waits until an execution is not running.
func ended(ctx context.Context, execution *string) *sfn.DescribeExecutionOutput {
	GinkgoHelper()
	var out *sfn.DescribeExecutionOutput
	Eventually(ctx, func() types.ExecutionStatus {
		out = must(root.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: execution}))
		return out.Status
	}).ShouldNot(Equal(types.ExecutionStatusRunning))
	return out
}

func history(ctx context.Context, execution *string) []types.HistoryEvent {
	GinkgoHelper()
	var events []types.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(root.sfn, &sfn.GetExecutionHistoryInput{ExecutionArn: execution, MaxResults: 10})
	for pages.HasMorePages() {
		events = append(events, must(pages.NextPage(ctx)).Events...)
	}
	return events
}

// kinds is the types of events, in a line.
func kinds(events []types.HistoryEvent) string {
	var names []string
	for _, e := range events {
		names = append(names, string(e.Type))
	}
	return strings.Join(names, " ")
}

const (
	passes   = `{"StartAt":"X","States":{"X":{"Type":"Pass","Result":{"done":true},"End":true}}}`
	waits    = `{"StartAt":"X","States":{"X":{"Type":"Wait","Seconds":100000,"End":true}}}`
	breaks   = `{"StartAt":"X","States":{"X":{"Type":"Fail","Error":"Broken","Cause":"on purpose"}}}`
	combined = `{"StartAt":"Sum","States":{
		"Sum":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.a,$.b)","name.$":"$$.StateMachine.Name"},"Next":"Big"},
		"Big":{"Type":"Choice","Choices":[{"And":[{"Variable":"$.n","NumericGreaterThan":10},{"Variable":"$.name","IsString":true}],"Next":"Both"}],"Default":"Small"},
		"Small":{"Type":"Fail","Error":"Small","CausePath":"States.Format('{} is small',$.n)"},
		"Both":{"Type":"Parallel","ResultPath":"$.both","Next":"Each","Branches":[
			{"StartAt":"L","States":{"L":{"Type":"Pass","Result":"left","End":true}}},
			{"StartAt":"R","States":{"R":{"Type":"Pass","InputPath":"$.n","End":true}}}]},
		"Each":{"Type":"Map","ItemsPath":"$.both","MaxConcurrency":1,"ResultPath":"$.each","End":true,
			"ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value"},
			"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}}}}`
)

// calling is a machine that runs another and waits for it; more is further fields of that state, its end and further states.
func calling(machine *string, more string) string {
	return fmt.Sprintf(`{"StartAt":"Call","States":{"Call":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":%q,"Input":{}},"End":true%s}}`, *machine, more)
}

// mayCall lets a role start and follow executions.
var mayCall = allow("*", "states:StartExecution", "states:DescribeExecution", "states:StopExecution", "events:PutTargets", "events:PutRule", "events:DescribeRule")

var _ = Describe("Step Functions", func() {
	It("runs Pass, Choice, Parallel and Map with paths, intrinsics and the context object", func(ctx SpecContext) {
		m := machine(ctx, combined)
		done := ended(ctx, execute(ctx, root, m, `{"a":7,"b":8}`))
		Expect(done.Status).To(Equal(types.ExecutionStatusSucceeded))
		var out struct {
			N    int
			Both []any
			Each []map[string]any
		}
		Expect(json.Unmarshal([]byte(*done.Output), &out)).To(Succeed())
		Expect(out.Both).To(Equal([]any{"left", 15.0}))
		Expect(out.Each).To(Equal([]map[string]any{{"i": 0.0, "v": "left"}, {"i": 1.0, "v": 15.0}}))
		small := ended(ctx, execute(ctx, root, m, `{"a":1,"b":2}`))
		Expect([]string{string(small.Status), *small.Error, *small.Cause}).To(Equal([]string{"FAILED", "Small", "3 is small"}))
	})

	It("records history as AWS does", func(ctx SpecContext) {
		x := execute(ctx, root, machine(ctx, passes), `{"in":1}`)
		ended(ctx, x)
		events := history(ctx, x)
		Expect(kinds(events)).To(Equal("ExecutionStarted PassStateEntered PassStateExited ExecutionSucceeded"))
		for i, previous := range []int64{0, 0, 2, 3} { // the first two have none
			Expect(events[i].Id).To(BeEquivalentTo(i + 1))
			Expect(events[i].PreviousEventId).To(Equal(previous))
		}
		Expect(*events[1].StateEnteredEventDetails.Input).To(Equal(`{"in":1}`))
		Expect(*events[3].ExecutionSucceededEventDetails.Output).To(Equal(`{"done":true}`))
	})

	It("retries, then catches", func(ctx SpecContext) {
		retried := calling(machine(ctx, breaks), `,"Retry":[{"ErrorEquals":["States.TaskFailed"],"IntervalSeconds":1,"MaxDelaySeconds":2,"MaxAttempts":1}],
			"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.failure","Next":"Rescue"}]},"Rescue":{"Type":"Pass","End":true}`)
		x := execute(ctx, root, machine(ctx, retried, mayCall), `{"kept":1}`)
		done := ended(ctx, x)
		Expect(done.Status).To(Equal(types.ExecutionStatusSucceeded))
		var out struct {
			Kept    int
			Failure struct{ Error, Cause string }
		}
		Expect(json.Unmarshal([]byte(*done.Output), &out)).To(Succeed())
		Expect(out.Kept).To(Equal(1))
		Expect(out.Failure.Error).To(Equal("States.TaskFailed"))
		Expect(out.Failure.Cause).To(ContainSubstring("Broken"))
		Expect(strings.Count(kinds(history(ctx, x)), "TaskScheduled")).To(Equal(2))
	})

	It("stops an execution, and what it started", func(ctx SpecContext) {
		child := machine(ctx, waits)
		x := execute(ctx, root, machine(ctx, calling(child, "}"), mayCall), `{}`)
		running := &sfn.ListExecutionsInput{StateMachineArn: child, StatusFilter: types.ExecutionStatusRunning}
		Eventually(ctx, func() []types.ExecutionListItem { return must(root.sfn.ListExecutions(ctx, running)).Executions }).Should(HaveLen(1))
		must(root.sfn.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: x, Error: aws.String("Enough"), Cause: aws.String("seen")}))
		stopped := ended(ctx, x)
		Expect([]string{string(stopped.Status), *stopped.Error, *stopped.Cause}).To(Equal([]string{"ABORTED", "Enough", "seen"}))
		Eventually(ctx, func() []types.ExecutionListItem { return must(root.sfn.ListExecutions(ctx, running)).Executions }).Should(BeEmpty())
		Expect(kinds(history(ctx, x))).To(HaveSuffix("ExecutionAborted"))
	})

	It("maps over the objects of a bucket", func(ctx SpecContext) {
		b := bucket(ctx)
		for i := range 5 {
			Expect(put(ctx, root.s3, b, fmt.Sprint("in/", i), "x")).To(Succeed())
		}
		m := machine(ctx, fmt.Sprintf(`{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ToleratedFailurePercentage":20,
			"ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":%q,"Prefix":"in/"}},
			"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C","States":{
				"C":{"Type":"Choice","Choices":[{"Variable":"$.Key","StringEquals":"in/3","Next":"F"}],"Default":"P"},
				"P":{"Type":"Pass","OutputPath":"$.Key","End":true},"F":{"Type":"Fail","Error":"Three"}}}}}}`, b),
			allow("*", "s3:ListBucket", "s3:GetObject"), mayCall)
		done := ended(ctx, execute(ctx, root, m, `{}`))
		Expect(done.Status).To(Equal(types.ExecutionStatusSucceeded), aws.ToString(done.Cause))
		Expect(*done.Output).To(ContainSubstring(`"in/0"`))
	})

	It("fails a state whose role may not do what it does, and names the action", func(ctx SpecContext) {
		done := ended(ctx, execute(ctx, root, machine(ctx, calling(machine(ctx, passes), "}")), `{}`))
		Expect(done.Status).To(Equal(types.ExecutionStatusFailed))
		Expect(*done.Cause).To(ContainSubstring("is not authorized to perform: states:StartExecution on resource: "))
		d := lastDenied(ctx)
		Expect(d.DeniedAction).To(Equal("states:StartExecution"))
		Expect(d.Caller).To(ContainSubstring(":assumed-role/role-"))
	})

	It("fails a map that may not list its bucket", func(ctx SpecContext) {
		b := bucket(ctx)
		done := ended(ctx, execute(ctx, root, machine(ctx, fmt.Sprintf(`{"StartAt":"M","States":{"M":{"Type":"Map","End":true,
			"ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":%q}},
			"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}}}}`, b), mayCall), `{}`))
		Expect(done.Status).To(Equal(types.ExecutionStatusFailed))
		Expect(*done.Cause).To(ContainSubstring("s3:ListBucket"))
	})

	It("counts what an execution uses for the run that started it", func(ctx SpecContext) {
		run, b := unique("run"), bucket(ctx)
		arn := role(ctx, "", policy(allow("*", "states:StartExecution", "s3:PutObject")))
		worker := assume(ctx, &sts.AssumeRoleInput{RoleArn: &arn, Tags: []ststypes.Tag{{Key: aws.String("RunId"), Value: &run}}})
		Expect(put(ctx, worker.s3, b, "k", "text")).To(Succeed())
		ended(ctx, execute(ctx, worker, machine(ctx, calling(machine(ctx, passes), "}"), mayCall), `{}`))
		used := usage(ctx, run)
		Expect(used).To(HaveKeyWithValue("states StateTransitions", BeNumerically("==", 2)), "two machines of one state each")
		Expect(used).To(HaveKeyWithValue("s3 Requests-Tier1", BeNumerically("==", 1)))
	})

	DescribeTable("refuses a machine when it is created", func(ctx SpecContext, state string, words ...string) {
		_, err := root.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String(unique("machine")), RoleArn: aws.String(role(ctx, "states.amazonaws.com", policy(mayCall))),
			Definition: aws.String(`{"StartAt":"X","States":{"X":` + state + `}}`)})
		Expect(err).To(Or(refuseWith("InvalidDefinition", words...), refuseWith("NotImplemented", words...)))
	},
		Entry("JSONata", `{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% 1 %}","End":true}`, "JSONata"),
		Entry("an unknown integration", `{"Type":"Task","Resource":"arn:aws:states:::bedrock:invokeModel","End":true}`, "bedrock:invokeModel"),
		Entry("an integration with the SDK", `{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:s3:getObject","End":true}`, "aws-sdk:s3:getObject"),
		Entry("a state that is not there", `{"Type":"Pass","Next":"Y"}`, "Y"),
	)

	It("keeps a machine's role to roles that trust it", func(ctx SpecContext) {
		untrusting := role(ctx, "lambda.amazonaws.com", policy(mayCall))
		out, err := root.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String(unique("machine")), Definition: aws.String(calling(machine(ctx, passes), "}")), RoleArn: &untrusting})
		if err != nil {
			Expect(err).To(refuseWith("AccessDeniedException", untrusting))
			return
		}
		done := ended(ctx, execute(ctx, root, out.StateMachineArn, `{}`))
		Expect(done.Status).To(Equal(types.ExecutionStatusFailed))
	})

	It("creates, reads, updates, lists, tags and deletes machines", func(ctx SpecContext) {
		m := machine(ctx, passes)
		must(root.sfn.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: m, Definition: aws.String(breaks)}))
		Expect(*must(root.sfn.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: m})).Definition).To(Equal(breaks))
		must(root.sfn.TagResource(ctx, &sfn.TagResourceInput{ResourceArn: m, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}))
		Expect(must(root.sfn.ListTagsForResource(ctx, &sfn.ListTagsForResourceInput{ResourceArn: m})).Tags).To(HaveLen(1))
		var all []string
		pages := sfn.NewListStateMachinesPaginator(root.sfn, &sfn.ListStateMachinesInput{MaxResults: 5})
		for pages.HasMorePages() {
			for _, x := range must(pages.NextPage(ctx)).StateMachines {
				all = append(all, *x.StateMachineArn)
			}
		}
		Expect(all).To(ContainElement(*m))
		must(root.sfn.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: m}))
		Eventually(ctx, func() error {
			_, err := root.sfn.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: m})
			return err
		}).Should(refuseWith("StateMachineDoesNotExist"))
	})

	It("is denied by name", func(ctx SpecContext) {
		m := machine(ctx, passes)
		_, err := as(ctx, allow("*", "s3:*")).sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: m})
		Expect(err).To(refuseWith("AccessDeniedException", "is not authorized to perform: states:StartExecution on resource: ", *m))
	})
})
