package interp

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/clock"
	"engage/internal/localaws/asl/value"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// harness runs machines with tasks by function and keeps their history.
type harness struct {
	t      testing.TB
	clock  *clock.Fake
	config Config
	mu     sync.Mutex
	events []Event
	calls  map[string]int
}

// tasks by the name of the state that runs them.
type tasks map[string]func(ctx context.Context, r TaskRequest, attempt int) (any, error)

type executor struct {
	h *harness
	t tasks
}

func (e executor) Execute(ctx context.Context, r TaskRequest) (any, error) {
	e.h.mu.Lock()
	e.h.calls[r.State]++
	n := e.h.calls[r.State]
	e.h.mu.Unlock()
	f, ok := e.t[r.State]
	if !ok {
		return r.Parameters, nil
	}
	return f(ctx, r, n)
}

func newHarness(t testing.TB, all tasks) *harness {
	h := &harness{t: t, clock: clock.NewFake(epoch), calls: map[string]int{}}
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	h.config = Config{Tasks: executor{h, all}, Clock: h.clock, Callbacks: NewCallbacks(), Record: func(e Event) { h.events = append(h.events, e) },
		Random: func() uint64 { mu.Lock(); defer mu.Unlock(); return random.Uint64() }}
	return h
}

func compile(t testing.TB, definition string) *asl.Machine {
	t.Helper()
	m, err := asl.Parse([]byte(definition), asl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (h *harness) run(ctx context.Context, definition, input string) Outcome {
	h.t.Helper()
	v, err := value.Decode([]byte(input))
	if err != nil {
		h.t.Fatal(err)
	}
	return Run(ctx, compile(h.t, definition), Execution{ARN: "arn:e", Name: "e", RoleARN: "arn:role", MachineARN: "arn:m", MachineName: "m", Region: "us-east-1", Account: "000000000000", Input: v}, h.config)
}

func (h *harness) history() string {
	var lines []string
	for _, e := range h.events {
		lines = append(lines, fmt.Sprintf("%d<%d %s", e.ID, e.PreviousID, e.Type))
	}
	return strings.Join(lines, "\n")
}

func (o Outcome) String() string {
	if o.Status == Succeeded {
		return value.String(o.Output)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", o.Status, o.Error, o.Cause))
}

func one(state string) string { return `{"StartAt":"X","States":{"X":` + state + `}}` }

const task = `"Type":"Task","Resource":"arn:aws:states:::svc:act","End":true`

func TestData(t *testing.T) {
	const in = `{"a":{"b":[1,2,3]},"name":"N","t":"2026-01-02T03:04:05Z"}`
	for _, c := range []struct{ name, state, input, want string }{
		{"pass through", `{"Type":"Pass","End":true}`, `{"z":1,"a":12345678901234567890,"f":1.0}`, `{"z":1,"a":12345678901234567890,"f":1.0}`},
		{"result", `{"Type":"Pass","End":true,"Result":{"r":1}}`, in, `{"r":1}`},
		{"result path", `{"Type":"Pass","End":true,"Result":1,"ResultPath":"$.a.c"}`, in, `{"a":{"b":[1,2,3],"c":1},"name":"N","t":"2026-01-02T03:04:05Z"}`},
		{"result path null", `{"Type":"Pass","End":true,"Result":1,"ResultPath":null}`, `[1]`, `[1]`},
		{"input path", `{"Type":"Pass","End":true,"InputPath":"$.a.b[1]"}`, in, `2`},
		{"input path null", `{"Type":"Pass","End":true,"InputPath":null}`, in, `{}`},
		{"output path", `{"Type":"Pass","End":true,"OutputPath":"$.name"}`, in, `"N"`},
		{"input and result path", `{"Type":"Pass","End":true,"InputPath":"$.lambda","ResultPath":"$.data.r","OutputPath":"$.data"}`, `{"data":{"v":1},"lambda":{"who":"x"}}`, `{"v":1,"r":{"who":"x"}}`},
		{"parameters", `{"Type":"Pass","End":true,"Parameters":{"k":[{"x.$":"$.a.b[-1]"}],"n.$":"$$.Execution.Name","s.$":"$$.State.EnteredTime","f.$":"States.Format('{}!',$.name)","lit":"$.a"}}`, in,
			`{"k":[{"x":3}],"lit":"$.a","s":"2026-01-02T03:04:05.678Z","f":"N!","n":"e"}`},
		{"wildcard", `{"Type":"Pass","End":true,"Parameters":{"all.$":"$.a.b[?(@ > 1)]"}}`, in, `{"all":[2,3]}`},
		{"missing parameter", `{"Type":"Pass","End":true,"Parameters":{"x.$":"$.no"}}`, `{"q":1}`,
			`FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). The JSONPath '$.no' specified for the field 'x.$' could not be found in the input '{"q":1}'`},
		{"missing argument", `{"Type":"Pass","End":true,"Parameters":{"x.$":"States.Format('{}', $.no)"}}`, `{"q":1}`,
			`FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). The function 'States.Format('{}', $.no)' had the following error: The JsonPath argument for the field '$.no' could not be found in the input '{"q":1}'`},
		{"missing argument of a cause", `{"Type":"Fail","CausePath":"States.Format('{}', $.no)"}`, `{}`,
			`FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). The function 'States.Format('{}', $.no)' had the following error: The JsonPath argument for the field '$.no' could not be found in the input '{}'`},
		{"missing input path", `{"Type":"Pass","End":true,"InputPath":"$.no"}`, `{}`,
			`FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). Invalid path '$.no' : No results for path: $['no']`},
		{"intrinsic failure", `{"Type":"Pass","End":true,"Parameters":{"x.$":"States.ArrayGetItem($.a,3)"}}`, `{"a":[1]}`,
			`FAILED States.IntrinsicFailure An error occurred while executing the state 'X' (entered at the event id #2). The function 'States.ArrayGetItem($.a,3)' had the following error: index 3 is out of bounds of an array of 1 elements`},
		{"result path mismatch", `{"Type":"Pass","End":true,"Result":1,"ResultPath":"$.a"}`, `[1]`,
			`FAILED States.ResultPathMatchFailure An error occurred while executing the state 'X' (entered at the event id #2). Unable to apply ReferencePath $.a to input [1]: field 'a' cannot be written into a JSON array`},
		{"result selector", `{` + task + `,"ResultSelector":{"only.$":"$.name"},"ResultPath":"$.out"}`, `{"name":1}`, `{"name":1,"out":{"only":1}}`},
		{"succeed", `{"Type":"Succeed","InputPath":"$.a","OutputPath":"$.b"}`, in, `[1,2,3]`},
		{"fail", `{"Type":"Fail","Error":"E","Cause":"C"}`, in, `FAILED E C`},
		{"fail by path", `{"Type":"Fail","ErrorPath":"$.name","CausePath":"States.JsonToString($.a)"}`, in, `FAILED N {"b":[1,2,3]}`},
		{"fail by a number", `{"Type":"Fail","ErrorPath":"$.a"}`, `{"a":1}`, `FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). The ErrorPath does not give a string but a JSON number`},
		{"wait for the past", `{"Type":"Wait","TimestampPath":"$.t","End":true}`, in, in},
		{"wait for nonsense", `{"Type":"Wait","SecondsPath":"$.name","End":true}`, in, `FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). The SecondsPath parameter cannot be parsed as a long value: $.name == N`},
		{"no choice", `{"Type":"Choice","Choices":[{"Variable":"$.name","StringEquals":"q","Next":"X"}]}`, in,
			`FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). Failed to transition out of the state. The state does not point to a next state.`},
		{"choice without variable", `{"Type":"Choice","Choices":[{"Variable":"$.no","StringEquals":"q","Next":"X"}]}`, in,
			`FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). Invalid path '$.no': The choice state's condition path references an invalid value.`},
		{"too large", `{"Type":"Pass","End":true,"Parameters":{"a.$":"$.a","b.$":"$.a"}}`, `{"a":"` + strings.Repeat("x", 140_000) + `"}`,
			`FAILED States.DataLimitExceeded The state/task 'X' returned a result with a size exceeding the maximum number of bytes service limit.`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := newHarness(t, nil).run(context.Background(), one(c.state), c.input).String(); got != c.want {
				t.Errorf(" got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestChoice(t *testing.T) {
	const in = `{"s":"b","n":5,"f":5.0,"t":"2016-03-14T01:59:00Z","t2":"2016-03-14T02:59:00+01:00","b":true,"null":null,"s2":"b","big":9007199254740993}`
	for _, c := range []struct {
		rule string
		want bool
	}{
		{`"Variable":"$.s","StringEquals":"b"`, true}, {`"Variable":"$.n","StringEquals":"5"`, false},
		{`"Variable":"$.s","StringLessThan":"c"`, true}, {`"Variable":"$.s","StringGreaterThan":"b"`, false},
		{`"Variable":"$.s","StringLessThanEquals":"b"`, true}, {`"Variable":"$.s","StringGreaterThanEquals":"c"`, false},
		{`"Variable":"$.s","StringEqualsPath":"$.s2"`, true}, {`"Variable":"$.s","StringEqualsPath":"$.n"`, false},
		{`"Variable":"$.s","StringMatches":"*b*"`, true},
		{`"Variable":"$.n","NumericEquals":5.0`, true}, {`"Variable":"$.f","NumericEqualsPath":"$.n"`, true},
		{`"Variable":"$.big","NumericEquals":9007199254740992`, false}, {`"Variable":"$.n","NumericLessThan":5.1`, true},
		{`"Variable":"$.n","NumericGreaterThanEqualsPath":"$.n"`, true}, {`"Variable":"$.s","NumericLessThan":5`, false},
		{`"Variable":"$.b","BooleanEquals":true`, true}, {`"Variable":"$.b","BooleanEqualsPath":"$.b"`, true},
		{`"Variable":"$.t","TimestampEqualsPath":"$.t2"`, true}, {`"Variable":"$.t","TimestampLessThan":"2016-03-14T01:59:00.001Z"`, true},
		{`"Variable":"$.s","TimestampLessThan":"2016-03-14T01:59:00Z"`, false},
		{`"Variable":"$.null","IsNull":true`, true}, {`"Variable":"$.s","IsNull":false`, true},
		{`"Variable":"$.no.deep","IsPresent":false`, true}, {`"Variable":"$.null","IsPresent":true`, true},
		{`"Variable":"$.n","IsNumeric":true`, true}, {`"Variable":"$.s","IsString":true`, true}, {`"Variable":"$.b","IsBoolean":false`, false},
		{`"Variable":"$.t","IsTimestamp":true`, true}, {`"Variable":"$.s","IsTimestamp":true`, false},
		{`"Variable":"$$.Execution.Name","StringEquals":"e"`, true},
		{`"And":[{"Variable":"$.no","IsPresent":true},{"Variable":"$.no","NumericEquals":1}]`, false},
		{`"Or":[{"Variable":"$.n","NumericEquals":1},{"Variable":"$.n","NumericEquals":5}]`, true},
		{`"Not":{"Variable":"$.n","NumericEquals":1}`, true},
	} {
		d := `{"StartAt":"X","States":{"X":{"Type":"Choice","Choices":[{` + c.rule + `,"Next":"Y"}],"Default":"N"},"Y":{"Type":"Pass","Result":true,"End":true},"N":{"Type":"Pass","Result":false,"End":true}}}`
		if got := newHarness(t, nil).run(context.Background(), d, in).String(); got != fmt.Sprint(c.want) {
			t.Errorf("%s: %s", c.rule, got)
		}
	}
}

func fails(name string, times int) func(context.Context, TaskRequest, int) (any, error) {
	return func(_ context.Context, r TaskRequest, n int) (any, error) {
		if n <= times {
			return nil, &TaskError{name, "because"}
		}
		return r.Parameters, nil
	}
}

func TestHistory(t *testing.T) {
	sync := func(_ context.Context, r TaskRequest, _ int) (any, error) {
		r.Submitted(value.Of("Id", "1"))
		return value.Of("Done", true), nil
	}
	inner := func(name string) string {
		return `{"StartAt":"` + name + `","States":{"` + name + `":{"Type":"Pass","End":true}}}`
	}
	for _, c := range []struct {
		name, definition, input string
		tasks                   tasks
		want                    string
	}{
		{"pass", one(`{"Type":"Pass","End":true}`), `{}`, nil, "1<0 ExecutionStarted\n2<0 PassStateEntered\n3<2 PassStateExited\n4<3 ExecutionSucceeded"},
		{"task", one(`{` + task + `}`), `{}`, nil, "1<0 ExecutionStarted\n2<0 TaskStateEntered\n3<2 TaskScheduled\n4<3 TaskStarted\n5<4 TaskSucceeded\n6<5 TaskStateExited\n7<6 ExecutionSucceeded"},
		{"sync", one(`{"Type":"Task","Resource":"arn:aws:states:::ecs:runTask.sync","Parameters":{},"End":true}`), `{}`, tasks{"X": sync},
			"1<0 ExecutionStarted\n2<0 TaskStateEntered\n3<2 TaskScheduled\n4<3 TaskStarted\n5<4 TaskSubmitted\n6<5 TaskSucceeded\n7<6 TaskStateExited\n8<7 ExecutionSucceeded"},
		{"lambda", one(`{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:1:function:f","End":true}`), `{}`, nil,
			"1<0 ExecutionStarted\n2<0 TaskStateEntered\n3<2 LambdaFunctionScheduled\n4<3 LambdaFunctionStarted\n5<4 LambdaFunctionSucceeded\n6<5 TaskStateExited\n7<6 ExecutionSucceeded"},
		{"failure", one(`{` + task + `}`), `{}`, tasks{"X": fails("E", 9)}, "1<0 ExecutionStarted\n2<0 TaskStateEntered\n3<2 TaskScheduled\n4<3 TaskStarted\n5<4 TaskFailed\n6<5 ExecutionFailed"},
		{"fail", one(`{"Type":"Fail"}`), `{}`, nil, "1<0 ExecutionStarted\n2<0 FailStateEntered\n3<2 ExecutionFailed"},
		{"catch", `{"StartAt":"X","States":{"X":{` + task + `,"Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"Y","ResultPath":"$.e"}]},"Y":{"Type":"Succeed"}}}`, `{}`, tasks{"X": fails("E", 9)},
			"1<0 ExecutionStarted\n2<0 TaskStateEntered\n3<2 TaskScheduled\n4<3 TaskStarted\n5<4 TaskFailed\n6<5 TaskStateExited\n7<6 SucceedStateEntered\n8<7 SucceedStateExited\n9<8 ExecutionSucceeded"},
		{"parallel", one(`{"Type":"Parallel","End":true,"Branches":[` + inner("A") + `,` + inner("B") + `]}`), `{}`, nil,
			"1<0 ExecutionStarted\n2<0 ParallelStateEntered\n3<2 ParallelStateStarted\n4<3 PassStateEntered\n5<4 PassStateExited\n6<3 PassStateEntered\n7<6 PassStateExited\n8<7 ParallelStateSucceeded\n9<7 ParallelStateExited\n10<9 ExecutionSucceeded"},
		{"parallel failure", one(`{"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Fail","Error":"E"}}}]}`), `{}`, nil,
			"1<0 ExecutionStarted\n2<0 ParallelStateEntered\n3<2 ParallelStateStarted\n4<3 FailStateEntered\n5<4 ParallelStateFailed\n6<5 ExecutionFailed"},
		{"map", one(`{"Type":"Map","End":true,"MaxConcurrency":1,"ItemProcessor":` + inner("A") + `}`), `[1,2]`, nil,
			"1<0 ExecutionStarted\n2<0 MapStateEntered\n3<2 MapStateStarted\n4<3 MapIterationStarted\n5<4 PassStateEntered\n6<5 PassStateExited\n7<6 MapIterationSucceeded\n8<6 MapIterationStarted\n9<8 PassStateEntered\n10<9 PassStateExited\n11<10 MapIterationSucceeded\n12<11 MapStateSucceeded\n13<11 MapStateExited\n14<13 ExecutionSucceeded"},
		{"empty map", one(`{"Type":"Map","End":true,"ItemProcessor":` + inner("A") + `}`), `[]`, nil,
			"1<0 ExecutionStarted\n2<0 MapStateEntered\n3<2 MapStateStarted\n4<3 MapStateSucceeded\n5<3 MapStateExited\n6<5 ExecutionSucceeded"},
		{"map failure", one(`{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Fail","Error":"E"}}}}`), `[1]`, nil,
			"1<0 ExecutionStarted\n2<0 MapStateEntered\n3<2 MapStateStarted\n4<3 MapIterationStarted\n5<4 FailStateEntered\n6<5 MapIterationFailed\n7<5 MapStateFailed\n8<7 ExecutionFailed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, c.tasks)
			h.run(context.Background(), c.definition, c.input)
			if got := h.history(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestEventDetails(t *testing.T) {
	h := newHarness(t, tasks{"X": fails("E", 1)})
	h.run(context.Background(), one(`{"Type":"Task","Resource":"arn:aws:states:::svc:act.sync","Parameters":{"p.$":"$.v"},"TimeoutSeconds":9,"End":true}`), `{"v":1}`)
	want := []string{
		`{"id":1,"previousEventId":0,"type":"ExecutionStarted","executionStartedEventDetails":{"input":"{\"v\":1}","inputDetails":{"truncated":false},"roleArn":"arn:role"}}`,
		`{"id":2,"previousEventId":0,"type":"TaskStateEntered","stateEnteredEventDetails":{"name":"X","input":"{\"v\":1}","inputDetails":{"truncated":false}}}`,
		`{"id":3,"previousEventId":2,"type":"TaskScheduled","taskScheduledEventDetails":{"resourceType":"svc","resource":"act.sync","region":"us-east-1","parameters":"{\"p\":1}","timeoutInSeconds":9}}`,
		`{"id":4,"previousEventId":3,"type":"TaskStarted","taskStartedEventDetails":{"resourceType":"svc","resource":"act.sync"}}`,
		`{"id":5,"previousEventId":4,"type":"TaskFailed","taskFailedEventDetails":{"resourceType":"svc","resource":"act.sync","error":"E","cause":"because"}}`,
		`{"id":6,"previousEventId":5,"type":"ExecutionFailed","executionFailedEventDetails":{"error":"E","cause":"because"}}`,
	}
	for i, e := range h.events {
		if got, _ := json.Marshal(e); i >= len(want) || string(got) != want[i] {
			t.Errorf("event %d: %s", i, got)
		}
	}
}
