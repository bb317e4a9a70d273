package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/localaws/server"
)

// tracing is what a role needs to be traced.
var tracing = allow("*", "xray:PutTraceSegments", "xray:PutTelemetryRecords")

func traces(s *sdk) *xray.Client { return xray.NewFromConfig(s.config) }

// traceID makes the id of a trace that begins now.
func traceID() string { return fmt.Sprintf("1-%08x-%024x", time.Now().Unix(), names.Add(1)) }

// sent is a segment of a test; more are members after its times.
func sent(trace, id, name, more string) string {
	now := float64(time.Now().UnixMilli()) / 1000
	return fmt.Sprintf(`{"trace_id":%q,"id":%q,"name":%q,"start_time":%.3f,"end_time":%.3f%s}`, trace, id, name, now-2, now, more)
}

func record(ctx context.Context, s *sdk, documents ...string) []types.UnprocessedTraceSegment {
	GinkgoHelper()
	return must(traces(s).PutTraceSegments(ctx, &xray.PutTraceSegmentsInput{TraceSegmentDocuments: documents})).UnprocessedTraceSegments
}

// find searches the traces of the last and the next minute.
func find(ctx context.Context, expression string) (found []types.TraceSummary) {
	GinkgoHelper()
	in := &xray.GetTraceSummariesInput{StartTime: aws.Time(time.Now().Add(-time.Minute)), EndTime: aws.Time(time.Now().Add(time.Minute)), FilterExpression: &expression}
	for pages := xray.NewGetTraceSummariesPaginator(traces(root), in); pages.HasMorePages(); {
		found = append(found, must(pages.NextPage(ctx)).TraceSummaries...)
	}
	return found
}

// part is a segment or subsegment as it is read back.
type part struct {
	ID          string         `json:"id"`
	Parent      string         `json:"parent_id"`
	Name        string         `json:"name"`
	Origin      string         `json:"origin"`
	Fault       bool           `json:"fault"`
	Running     bool           `json:"in_progress"`
	AWS         map[string]any `json:"aws"`
	Subsegments []part         `json:"subsegments"`
}

func (p part) names() (all []string) {
	for _, s := range p.Subsegments {
		all = append(all, s.Name)
	}
	return all
}

// parts reads a trace: its segments by their origin.
func parts(ctx context.Context, trace string) map[string]part {
	GinkgoHelper()
	out := must(traces(root).BatchGetTraces(ctx, &xray.BatchGetTracesInput{TraceIds: []string{trace}}))
	all := map[string]part{}
	for _, t := range out.Traces {
		for _, s := range t.Segments {
			var p part
			Expect(json.Unmarshal([]byte(*s.Document), &p)).To(Succeed())
			all[p.Origin] = p
		}
	}
	return all
}

// tracedFunction makes the echo function with a mode of tracing and the permissions of its role.
func tracedFunction(ctx context.Context, mode lambdatypes.TracingMode, statements ...string) (name, arn string) {
	GinkgoHelper()
	name = unique("traced")
	out := must(root.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: &name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String(role(ctx, "lambda.amazonaws.com", policy(append(statements, allow("*", "logs:*"))...))), Code: &lambdatypes.FunctionCode{ZipFile: must(echoZip())},
		TracingConfig: &lambdatypes.TracingConfig{Mode: mode}}))
	return name, *out.FunctionArn
}

// tracedMachine makes a state machine that is traced.
func tracedMachine(ctx context.Context, definition string, statements ...string) (name, arn *string) {
	GinkgoHelper()
	name = aws.String(unique("traced"))
	runs := role(ctx, "states.amazonaws.com", policy(statements...))
	out := must(root.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: name, Definition: &definition, RoleArn: &runs,
		TracingConfiguration: &sfntypes.TracingConfiguration{Enabled: true}}))
	return name, out.StateMachineArn
}

// refusals counts the denied calls of an action by somebody whose ARN has a text.
func refusals(ctx context.Context, action, by string) int {
	GinkgoHelper()
	all := ask[struct{ Requests []server.Record }](ctx, "/_localaws/requests", url.Values{"denied": {"true"}, "service": {"xray"}}).Requests
	return len(slices.DeleteFunc(all, func(r server.Record) bool {
		return r.Action != action || !strings.Contains(r.Message, by)
	}))
}

var _ = Describe("X-Ray", func() {
	It("keeps segments, and tells their traces", func(ctx SpecContext) {
		id, shop := traceID(), unique("shop")
		Expect(record(ctx, root,
			sent(id, "aaaaaaaaaaaaaaaa", shop, `,"fault":true,"user":"ann","annotations":{"plan":"gold","age":41},"http":{"request":{"method":"POST","url":"http://shop/pay"},"response":{"status":502}}`),
			sent(id, "bbbbbbbbbbbbbbbb", "orders", `,"parent_id":"aaaaaaaaaaaaaaaa","origin":"AWS::EC2::Instance"`),
			sent(id, "cccccccccccccccc", "call", `,"parent_id":"bbbbbbbbbbbbbbbb","type":"subsegment","namespace":"remote"`))).To(BeEmpty())
		found := find(ctx, `service("`+shop+`")`)
		Expect(found).To(HaveLen(1))
		s := found[0]
		Expect([]any{*s.Id, *s.HasFault, *s.HasError, *s.IsPartial, *s.Http.HttpStatus, *s.Http.HttpMethod, *s.Users[0].UserName, *s.EntryPoint.Name}).
			To(Equal([]any{id, true, false, false, int32(502), "POST", "ann", shop}))
		Expect(*s.ResponseTime).To(BeNumerically("~", 2, 1e-3))
		Expect(s.Annotations["age"][0].AnnotationValue).To(Equal(&types.AnnotationValueMemberNumberValue{Value: 41}))
		out := must(traces(root).BatchGetTraces(ctx, &xray.BatchGetTracesInput{TraceIds: []string{id, "1-00000000-000000000000000000000000"}}))
		Expect(out.UnprocessedTraceIds).To(Equal([]string{"1-00000000-000000000000000000000000"}))
		Expect(out.Traces[0].Segments).To(HaveLen(3))
	})

	DescribeTable("finds by", func(ctx SpecContext, expression string, finds bool) {
		id, shop := traceID(), unique("shop")
		Expect(record(ctx, root, sent(id, "aaaaaaaaaaaaaaaa", shop, `,"error":true,"annotations":{"plan":"gold"}`))).To(BeEmpty())
		Expect(find(ctx, `service("`+shop+`") AND `+expression)).To(HaveLen(map[bool]int{true: 1}[finds]))
	},
		Entry("an error", `error`, true), Entry("a fault", `fault`, false), Entry("no fault", `!fault`, true), Entry("ok", `ok`, false),
		Entry("how long it took", `responsetime > 1.9`, true), Entry("how long it did not take", `responsetime > 2.1`, false),
		Entry("duration", `duration <= 2.1`, true), Entry("an annotation", `annotation.plan = "gold"`, true), Entry("another", `annotation.plan = "iron"`, false),
		Entry("one or the other", `(fault OR error)`, true))

	It("refuses what it cannot search by", func(ctx SpecContext) {
		search := func(in *xray.GetTraceSummariesInput) error {
			in.StartTime, in.EndTime = aws.Time(time.Now().Add(-time.Minute)), aws.Time(time.Now())
			_, err := traces(root).GetTraceSummaries(ctx, in)
			return err
		}
		Expect(search(&xray.GetTraceSummariesInput{FilterExpression: aws.String(`edge("a", "b")`)})).To(refuseWith("NotImplemented", "the keyword edge"))
		Expect(search(&xray.GetTraceSummariesInput{FilterExpression: aws.String(`service("a"`)})).To(refuseWith("InvalidRequestException", "end of the expression"))
		Expect(search(&xray.GetTraceSummariesInput{TimeRangeType: types.TimeRangeTypeService})).To(refuseWith("NotImplemented", "TimeRangeType Service"))
		Expect(search(&xray.GetTraceSummariesInput{Sampling: aws.Bool(true)})).To(refuseWith("NotImplemented", "Sampling"))
		_, err := traces(root).GetSamplingRules(ctx, &xray.GetSamplingRulesInput{})
		Expect(err).To(refuseWith("NotImplemented"))
		_, err = traces(as(ctx, allow("*", "s3:*"))).GetTraceSummaries(ctx, &xray.GetTraceSummariesInput{StartTime: aws.Time(time.Now()), EndTime: aws.Time(time.Now())})
		Expect(err).To(refuseWith("AccessDeniedException", "xray:GetTraceSummaries on resource: *"))
	})

	DescribeTable("does not process", func(ctx SpecContext, document, code string) {
		bad := record(ctx, root, document, sent(traceID(), "aaaaaaaaaaaaaaaa", "good", ""))
		Expect(bad).To(HaveLen(1))
		Expect(*bad[0].ErrorCode).To(Equal(code))
		Expect(*bad[0].Message).To(Equal("Invalid segment. ErrorCode: " + code))
	},
		Entry("what is no JSON", `{"id":`, "ParseError"),
		Entry("a trace id of another form", sent("1-5", "aaaaaaaaaaaaaaaa", "a", ""), "InvalidTraceId"),
		Entry("a time long past", `{"trace_id":"1-5f9f1b0e-000000000000000000000001","id":"aaaaaaaaaaaaaaaa","name":"a","start_time":1604262670,"end_time":1604262671}`, "InvalidTraceId"),
		Entry("a segment without an id", sent(traceID(), "", "a", ""), "InvalidId"),
		Entry("a segment without a name", sent(traceID(), "aaaaaaaaaaaaaaaa", "", ""), "InvalidName"),
		Entry("a segment that does not end", fmt.Sprintf(`{"trace_id":%q,"id":"aaaaaaaaaaaaaaaa","name":"a","start_time":%d}`, traceID(), time.Now().Unix()), "InvalidTimestamp"),
		Entry("a subsegment of nothing", sent(traceID(), "aaaaaaaaaaaaaaaa", "a", `,"type":"subsegment"`), "InvalidParentId"))

	It("draws the graph of traces", func(ctx SpecContext) {
		id := traceID()
		Expect(record(ctx, root, sent(id, "aaaaaaaaaaaaaaaa", "front", `,"subsegments":[{"id":"dddddddddddddddd","name":"back","start_time":1,"end_time":2,"namespace":"remote"}]`),
			sent(id, "bbbbbbbbbbbbbbbb", "back", `,"parent_id":"dddddddddddddddd","throttle":true,"error":true`))).To(BeEmpty())
		nodes := must(traces(root).GetTraceGraph(ctx, &xray.GetTraceGraphInput{TraceIds: []string{id}})).Services
		Expect(nodes).To(HaveLen(2))
		Expect([]any{*nodes[0].Name, *nodes[0].Root, len(nodes[0].Edges), *nodes[1].Name, len(nodes[1].Edges)}).To(Equal([]any{"front", true, 1, "back", 0}))
		Expect(*nodes[0].Edges[0].ReferenceId).To(Equal(*nodes[1].ReferenceId))
		Expect(*nodes[0].Edges[0].SummaryStatistics.ErrorStatistics.ThrottleCount).To(BeEquivalentTo(1))
	})

	It("counts telemetry", func(ctx SpecContext) {
		counted := func() float64 { return usage(ctx, "")["xray TelemetryRecords"] }
		before := counted()
		must(traces(root).PutTelemetryRecords(ctx, &xray.PutTelemetryRecordsInput{TelemetryRecords: []types.TelemetryRecord{{Timestamp: aws.Time(time.Now()), SegmentsSentCount: aws.Int32(3)}}}))
		Expect(counted() - before).To(Equal(1.0))
	})
})

var _ = Describe("Tracing", func() {
	invoke := func(name string) string {
		return fmt.Sprintf(`{"StartAt":"Call","States":{"Call":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":%q,"Payload.$":"$"},"OutputPath":"$.Payload","Next":"Done"},"Done":{"Type":"Pass","End":true}}}`, name)
	}
	// segments waits until a trace of a service is whole, and returns its segments.
	segments := func(ctx context.Context, service string, more string) (all map[string]part) {
		GinkgoHelper()
		Eventually(ctx, func() []types.TraceSummary { return find(ctx, `service("`+service+`") AND partial = false`+more) }).Should(HaveLen(1))
		return parts(ctx, *find(ctx, `service("`+service+`") AND partial = false`+more)[0].Id)
	}

	It("follows an execution through its states into a function", func(ctx SpecContext) {
		name, arn := tracedFunction(ctx, lambdatypes.TracingModePassThrough, tracing)
		machine, runs := tracedMachine(ctx, invoke(name), tracing, allow(arn, "lambda:InvokeFunction"))
		execution := execute(ctx, root, runs, `{"n":1}`)
		Expect(aws.ToString(ended(ctx, execution).Output)).To(Equal(`{"n":1}`))
		all := segments(ctx, *machine, ` AND service("`+name+`")`)
		m, service, function := all["AWS::StepFunctions::StateMachine"], all["AWS::Lambda"], all["AWS::Lambda::Function"]
		Expect(m.AWS).To(HaveKeyWithValue("execution_arn", *execution))
		Expect(m.names()).To(Equal([]string{"Call", "Done"}))
		call := m.Subsegments[0].Subsegments[0]
		Expect([]any{call.Name, call.AWS["operation"], call.Fault}).To(Equal([]any{"Lambda", "Invoke", false}))
		Expect([]string{service.Parent, function.Parent}).To(Equal([]string{call.ID, service.ID}))
		Expect(function.names()).To(Equal([]string{"Initialization", "Invocation"}))
	})

	It("tells what failed", func(ctx SpecContext) {
		name, arn := tracedFunction(ctx, lambdatypes.TracingModeActive, tracing)
		machine, runs := tracedMachine(ctx, invoke(name), tracing, allow(arn, "lambda:InvokeFunction"))
		Expect(ended(ctx, execute(ctx, root, runs, `"fail"`)).Status).To(Equal(sfntypes.ExecutionStatusFailed))
		all := segments(ctx, *machine, ` AND fault AND service("`+name+`")`)
		Expect([]bool{all["AWS::StepFunctions::StateMachine"].Fault, all["AWS::StepFunctions::StateMachine"].Subsegments[0].Fault, all["AWS::Lambda::Function"].Fault}).To(Equal([]bool{true, true, true}))
	})

	It("of a function by itself samples, and passes its segment on", func(ctx SpecContext) {
		name, _ := tracedFunction(ctx, lambdatypes.TracingModeActive, tracing)
		out := must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`{}`), LogType: lambdatypes.LogTypeTail}))
		Expect(out.StatusCode).To(BeEquivalentTo(200))
		all := segments(ctx, name, "")
		Expect(all).To(And(HaveKey("AWS::Lambda"), HaveKey("AWS::Lambda::Function")))
	})

	It("of a function that is not asked to leaves no trace", func(ctx SpecContext) {
		silent, _ := tracedFunction(ctx, lambdatypes.TracingModePassThrough, tracing)
		must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &silent, Payload: []byte(`{}`)}))
		after, _ := tracedFunction(ctx, lambdatypes.TracingModeActive, tracing)
		must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &after, Payload: []byte(`{}`)}))
		segments(ctx, after, "")
		Expect(find(ctx, `service("`+silent+`")`)).To(BeEmpty())
	})

	It("is denied without a permission, and the work is done", func(ctx SpecContext) {
		name, arn := tracedFunction(ctx, lambdatypes.TracingModeActive)
		machine, runs := tracedMachine(ctx, invoke(name), allow(arn, "lambda:InvokeFunction"))
		Expect(aws.ToString(ended(ctx, execute(ctx, root, runs, `{"n":1}`)).Output)).To(Equal(`{"n":1}`))
		Eventually(ctx, func() int { return refusals(ctx, "PutTraceSegments", "/"+name) }).Should(BeNumerically(">", 0))
		Expect(find(ctx, `service("`+*machine+`")`)).To(BeEmpty())
	})
})
