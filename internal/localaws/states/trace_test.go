package states_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"engage/internal/localaws/states"
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray/trace"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// sink takes what is recorded.
type sink struct {
	callers   []string
	documents []string
}

func (s *sink) Invoke(_ context.Context, c wire.Caller, _, _ string, input any) (any, error) {
	s.callers = append(s.callers, c.RoleARN)
	s.documents = append(s.documents, input.(map[string]any)["TraceSegmentDocuments"].([]string)...)
	return nil, nil
}

// segments returns what was recorded.
func (s *sink) segments(t *testing.T, r *trace.Recorder) (all []recorded) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Run(ctx, func(err error) { t.Error(err) }) // sends what waits
	for _, d := range s.documents {
		var one recorded
		if err := json.Unmarshal([]byte(d), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// recorded is a segment as it was sent.
type recorded struct {
	ID          string     `json:"id"`
	Parent      string     `json:"parent_id"`
	Trace       string     `json:"trace_id"`
	Name        string     `json:"name"`
	Origin      string     `json:"origin"`
	Running     bool       `json:"in_progress"`
	Fault       bool       `json:"fault"`
	End         float64    `json:"end_time"`
	Subsegments []recorded `json:"subsegments"`
}

// String draws a segment and what is in it: ! marks a fault, ~ what has no end.
func (r recorded) String() string {
	s := r.Name
	if r.Fault {
		s += "!"
	}
	if r.End == 0 {
		s += "~"
	}
	if len(r.Subsegments) == 0 {
		return s
	}
	var inner []string
	for _, sub := range r.Subsegments {
		inner = append(inner, sub.String())
	}
	return s + "(" + strings.Join(inner, " ") + ")"
}

// find returns the segments of a name.
func (r recorded) find(name string) (all []recorded) {
	if r.Name == name {
		all = append(all, r)
	}
	for _, sub := range r.Subsegments {
		all = append(all, sub.find(name)...)
	}
	return all
}

// flaky is a function that fails the first time that it gets each payload, and always the payload "bad". It
// keeps the trace headers that it got.
type flaky struct {
	mu      sync.Mutex
	seen    map[string]bool
	headers []string
}

func (f *flaky) invoke(_ context.Context, c states.FunctionCall) (states.FunctionResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.headers = append(f.headers, c.Trace)
	payload := string(c.Payload)
	if !f.seen[payload] || payload == `"bad"` {
		f.seen[payload] = true
		return states.FunctionResult{Status: 200, FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Flaky","errorMessage":"no"}`)}, nil
	}
	return states.FunctionResult{Status: 200, Payload: []byte(`{}`)}, nil
}

// traced runs an execution of a traced machine to its end.
func traced(t *testing.T, definition, input, header string) (all []recorded, f *flaky, s *sink) {
	t.Helper()
	f, s = &flaky{seen: map[string]bool{}}, &sink{}
	recorder := trace.New(trace.Config{Invoker: s})
	e := boot(t, t.TempDir(), func(c *states.Config) {
		c.Traces, c.Integrations = recorder, states.LambdaIntegrations(f.invoke)
	})
	m, err := e.sfn.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: &definition, RoleArn: aws.String(role),
		TracingConfiguration: &types.TracingConfiguration{Enabled: true}})
	if err != nil {
		t.Fatal(err)
	}
	in := &sfn.StartExecutionInput{StateMachineArn: m.StateMachineArn, Input: &input}
	if header != "" {
		in.TraceHeader = &header
	}
	x, err := e.sfn.StartExecution(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	e.end(x.ExecutionArn)
	return s.segments(t, recorder), f, s
}

const call = `"Type":"Task","Resource":"arn:aws:lambda:us-east-1:000000000000:function:f"`

// The segment of an execution has its states in it, and in those the attempts at their tasks.
func TestSpans(t *testing.T) {
	for name, c := range map[string]struct{ definition, input, want string }{
		"one after the other": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Succeed"}}}`, `{}`, "m(A B)"},
		"a retry": {`{"StartAt":"A","States":{"A":{` + call + `,"Retry":[{"ErrorEquals":["Flaky"],"IntervalSeconds":1,"MaxAttempts":1,"BackoffRate":1,"MaxDelaySeconds":2}],"Next":"B"},"B":{"Type":"Pass","End":true}}}`,
			`1`, "m(A(Lambda! Lambda) B)"},
		"a catch":   {`{"StartAt":"A","States":{"A":{` + call + `,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}}}`, `1`, "m(A(Lambda!) B)"},
		"a failure": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{` + call + `,"End":true}}}`, `"bad"`, "m!(A B!(Lambda!))"},
		"branches": {`{"StartAt":"P","States":{"P":{"Type":"Parallel","Next":"Z","Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","End":true}}},
			{"StartAt":"C","States":{"C":{"Type":"Pass","End":true}}}]},"Z":{"Type":"Pass","End":true}}}`, `{}`, "m(P(A B C) Z)"},
		"a branch that is caught": {`{"StartAt":"P","States":{"P":{"Type":"Parallel","Catch":[{"ErrorEquals":["States.ALL"],"Next":"Z"}],"End":true,"Branches":[{"StartAt":"A","States":{"A":{` + call + `,"End":true}}}]},
			"Z":{"Type":"Pass","End":true}}}`, `1`, "m(P(A!(Lambda!)) Z)"},
		"iterations": {`{"StartAt":"M","States":{"M":{"Type":"Map","Next":"Z","MaxConcurrency":1,"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","End":true}}}},
			"Z":{"Type":"Pass","End":true}}}`, `[1,2]`, "m(M(A B A B) Z)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, _, s := traced(t, c.definition, c.input, "")
			if len(all) != 2 || !all[0].Running || all[1].Running || all[0].ID != all[1].ID {
				t.Fatalf("recorded: %v", all)
			}
			if got := all[1].String(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if slices.ContainsFunc(s.callers, func(c string) bool { return c != role }) {
				t.Errorf("recorded by %v", s.callers)
			}
		})
	}
}

// A function gets the trace with the attempt as its parent; the execution has its caller's.
func TestSpansArePassedOn(t *testing.T) {
	const root = "1-5759e988-bd862e3fe1be46a994272793"
	retried := `{"StartAt":"A","States":{"A":{` + call + `,"Retry":[{"ErrorEquals":["Flaky"],"IntervalSeconds":1,"MaxAttempts":1}],"End":true}}}`
	all, f, _ := traced(t, retried, `1`, "Root="+root+";Parent=53995c3f42cd8ad8;Sampled=1")
	segment := all[len(all)-1]
	if segment.Trace != root || segment.Parent != "53995c3f42cd8ad8" || segment.Origin != "AWS::StepFunctions::StateMachine" {
		t.Errorf("the segment is %+v", segment)
	}
	for i, attempt := range segment.find("Lambda") {
		if want := "Root=" + root + ";Parent=" + attempt.ID + ";Sampled=1"; f.headers[i] != want {
			t.Errorf("attempt %d got %s, want %s", i, f.headers[i], want)
		}
	}
}

// Who starts an execution may say that it is not traced, and functions are told.
func TestUnsampled(t *testing.T) {
	const header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"
	all, f, _ := traced(t, `{"StartAt":"A","States":{"A":{`+call+`,"End":true}}}`, `1`, header)
	if len(all) != 0 || len(f.headers) != 1 || f.headers[0] != header {
		t.Errorf("recorded %v, passed on %v", all, f.headers)
	}
}
