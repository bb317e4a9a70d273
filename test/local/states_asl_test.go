package local_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// chain is an execution's events, each with its id and that of the one before it.
func chain(events []types.HistoryEvent) string {
	var lines []string
	for _, e := range events {
		lines = append(lines, fmt.Sprintf("%d<%d %s", e.Id, e.PreviousEventId, e.Type))
	}
	return strings.Join(lines, "\n")
}

// traced runs a machine to its end and gives its history.
func traced(ctx context.Context, definition, input string) []types.HistoryEvent {
	GinkgoHelper()
	x := execute(ctx, root, machine(ctx, definition, mayCall), input)
	ended(ctx, x)
	return history(ctx, x)
}

func only(state string) string { return `{"StartAt":"X","States":{"X":` + state + `}}` }

const failsInside = `{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E","Cause":"C"}}}`

// The chains and words were recorded on AWS, for machines of the same shape.
var _ = Describe("A state machine's history", func() {
	DescribeTable("is chained as AWS chains it", func(ctx SpecContext, definition, input string, want ...string) {
		Expect(chain(traced(ctx, definition, input))).To(Equal(strings.Join(want, "\n")))
	},
		Entry("map, one at a time", only(`{"Type":"Map","MaxConcurrency":1,"End":true,"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}}`), `[1,2]`,
			"1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 MapIterationStarted", "5<4 PassStateEntered", "6<5 PassStateExited", "7<6 MapIterationSucceeded",
			"8<6 MapIterationStarted", "9<8 PassStateEntered", "10<9 PassStateExited", "11<10 MapIterationSucceeded", "12<11 MapStateSucceeded", "13<11 MapStateExited", "14<13 ExecutionSucceeded"),
		Entry("map, retried", only(`{"Type":"Map","End":true,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":1}],"ItemProcessor":`+failsInside+`}`), `[1]`,
			"1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 MapIterationStarted", "5<4 FailStateEntered", "6<5 MapIterationFailed",
			"7<5 MapStateStarted", "8<7 MapIterationStarted", "9<8 FailStateEntered", "10<9 MapIterationFailed", "11<9 MapStateFailed", "12<11 ExecutionFailed"),
		Entry("parallel, caught", `{"StartAt":"X","States":{"X":{"Type":"Parallel","Catch":[{"ErrorEquals":["E"],"Next":"Y"}],"End":true,"Branches":[`+failsInside+`]},"Y":{"Type":"Pass","End":true}}}`, `{}`,
			"1<0 ExecutionStarted", "2<0 ParallelStateEntered", "3<2 ParallelStateStarted", "4<3 FailStateEntered", "5<4 ParallelStateFailed", "6<5 ParallelStateExited",
			"7<6 PassStateEntered", "8<7 PassStateExited", "9<8 ExecutionSucceeded"),
		Entry("parallel, beside a branch that waits", only(`{"Type":"Parallel","End":true,"Branches":[{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":100000,"End":true}}},`+failsInside+`]}`), `{}`,
			"1<0 ExecutionStarted", "2<0 ParallelStateEntered", "3<2 ParallelStateStarted", "4<3 WaitStateEntered", "5<3 FailStateEntered", "6<5 WaitStateAborted", "7<5 ParallelStateFailed", "8<7 ExecutionFailed"),
		Entry("distributed map", only(`{"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}}`), `[1,2]`,
			"1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 MapRunStarted", "5<4 MapRunSucceeded", "6<5 MapStateSucceeded", "7<5 MapStateExited", "8<7 ExecutionSucceeded"),
		Entry("a runtime failure in a branch", only(`{"Type":"Parallel","End":true,"Branches":[{"StartAt":"P","States":{"P":{"Type":"Pass","InputPath":"$.no","End":true}}}]}`), `{}`,
			"1<0 ExecutionStarted", "2<0 ParallelStateEntered", "3<2 ParallelStateStarted", "4<3 PassStateEntered", "5<4 ExecutionFailed"),
	)

	DescribeTable("tells a failure in AWS's words", func(ctx SpecContext, state, input, want string) {
		events := traced(ctx, only(state), input)
		d := events[len(events)-1].ExecutionFailedEventDetails
		Expect([]string{*d.Error, *d.Cause}).To(Equal([]string{"States.Runtime", "An error occurred while executing the state 'X' (entered at the event id #2). " + want}))
	},
		Entry("a field on the way", `{"Type":"Pass","InputPath":"$.no.more","End":true}`, `{}`, "Invalid path '$.no.more' : Missing property in path $['no']"),
		Entry("the last field", `{"Type":"Pass","OutputPath":"$.no","End":true}`, `{}`, "Invalid path '$.no' : No results for path: $['no']"),
		Entry("a template", `{"Type":"Pass","Parameters":{"v.$":"$.no"},"End":true}`, `{"a": 1}`, `The JSONPath '$.no' specified for the field 'v.$' could not be found in the input '{"a":1}'`),
		Entry("a wait", `{"Type":"Wait","TimestampPath":"$.t","End":true}`, `{"t":"tomorrow"}`, "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.t == tomorrow"),
		Entry("no choice", `{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"X"}]}`, `{"a":1}`, "Failed to transition out of the state. The state does not point to a next state."),
	)

	It("tells the input as it was given, then as it is understood", func(ctx SpecContext) {
		events := traced(ctx, only(`{"Type":"Pass","End":true}`), `{"b": 1, "a": [ ]}`)
		Expect(*events[0].ExecutionStartedEventDetails.Input).To(Equal(`{"b": 1, "a": [ ]}`))
		Expect(*events[1].StateEnteredEventDetails.Input).To(Equal(`{"b": 1, "a": [ ]}`))
		Expect(*events[2].StateExitedEventDetails.Output).To(Equal(`{"b":1,"a":[]}`))
	})
})
