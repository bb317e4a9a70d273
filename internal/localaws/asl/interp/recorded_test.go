package interp

import (
	"context"
	"strings"
	"sync"
	"testing"

	"engage/internal/localaws/asl/value"
)

// What this file expects was recorded on AWS, for machines of the same shape, unless a case says otherwise.

func lines(events ...string) string { return strings.Join(events, "\n") }

const failing = `{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E","Cause":"C"}}}`

func TestRecordedChains(t *testing.T) {
	pass := func(name string) string {
		return `{"StartAt":"` + name + `","States":{"` + name + `":{"Type":"Pass","End":true}}}`
	}
	for _, c := range []struct{ name, definition, input, want string }{
		{"an iteration follows what the one before it did last", one(`{"Type":"Map","MaxConcurrency":1,"End":true,"ItemProcessor":` + pass("P") + `}`), `[1,2]`,
			lines("1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 MapIterationStarted", "5<4 PassStateEntered", "6<5 PassStateExited", "7<6 MapIterationSucceeded",
				"8<6 MapIterationStarted", "9<8 PassStateEntered", "10<9 PassStateExited", "11<10 MapIterationSucceeded", "12<11 MapStateSucceeded", "13<11 MapStateExited", "14<13 ExecutionSucceeded")},
		{"a map's failure is told when no retrier is left", one(`{"Type":"Map","End":true,"Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}],"ItemProcessor":` + failing + `}`), `[1]`,
			lines("1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 MapIterationStarted", "5<4 FailStateEntered", "6<5 MapIterationFailed",
				"7<5 MapStateStarted", "8<7 MapIterationStarted", "9<8 FailStateEntered", "10<9 MapIterationFailed", "11<9 MapStateFailed", "12<11 ExecutionFailed")},
		{"so is a parallel's", one(`{"Type":"Parallel","End":true,"Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}],"Branches":[` + failing + `]}`), `{}`,
			lines("1<0 ExecutionStarted", "2<0 ParallelStateEntered", "3<2 ParallelStateStarted", "4<3 FailStateEntered", "5<4 ParallelStateStarted", "6<5 FailStateEntered", "7<6 ParallelStateFailed", "8<7 ExecutionFailed")},
		{"a caught map", `{"StartAt":"X","States":{"X":{"Type":"Map","Catch":[{"ErrorEquals":["States.ALL"],"Next":"Y"}],"End":true,"ItemProcessor":` + failing + `},"Y":{"Type":"Pass","End":true}}}`, `[1]`,
			lines("1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 MapIterationStarted", "5<4 FailStateEntered", "6<5 MapIterationFailed", "7<5 MapStateFailed",
				"8<7 MapStateExited", "9<8 PassStateEntered", "10<9 PassStateExited", "11<10 ExecutionSucceeded")},
		{"a runtime failure ends the execution from within", one(`{"Type":"Parallel","Catch":[{"ErrorEquals":["States.ALL"],"Next":"X"}],"End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"x.$":"$.no"},"End":true}}},` + pass("B") + `]}`), `{}`,
			lines("1<0 ExecutionStarted", "2<0 ParallelStateEntered", "3<2 ParallelStateStarted", "4<3 PassStateEntered", "5<4 ExecutionFailed")},
		{"a bad MaxItemsPath comes before the run", distributed(`"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"},"ReaderConfig":{"InputType":"JSON","MaxItemsPath":"$.n"}}`), `{"n":1.5}`,
			lines("1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 ExecutionFailed")},
		{"a bad tolerance comes after the start", distributed(`"ItemsPath":"$.i","ToleratedFailureCountPath":"$.n"`), `{"i":[1],"n":{}}`,
			lines("1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 ExecutionFailed")},
		{"a bad MaxConcurrencyPath comes before it", one(`{"Type":"Map","ItemsPath":"$.i","MaxConcurrencyPath":"$.n","End":true,"ItemProcessor":` + pass("P") + `}`), `{"i":[1],"n":"x"}`,
			lines("1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 ExecutionFailed")},
		{"a distributed map of items", distributed(`"Comment":"no reader"`), `[1]`,
			lines("1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted", "4<3 MapRunStarted", "5<4 MapRunSucceeded", "6<5 MapStateSucceeded", "7<5 MapStateExited", "8<7 ExecutionSucceeded")},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, nil)
			done := h.start(context.Background(), c.definition, c.input)
			if strings.Contains(c.definition, "MaxAttempts") {
				h.clock.Next()
			}
			<-done
			if got := h.history(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Four iterations begin before the first goes on, each schedules its task before the first of them starts, and what is
// cut short follows the failure. The failed task's own state is told as aborted too.
func TestRecordedAborts(t *testing.T) {
	var all sync.WaitGroup
	all.Add(4)
	h := newHarness(t, tasks{"I": func(ctx context.Context, r TaskRequest, _ int) (any, error) {
		all.Done()
		if r.Parameters != int64(0) {
			return hang(ctx, r, 0)
		}
		all.Wait()
		return nil, &TaskError{"E", "C"}
	}})
	h.run(context.Background(), one(`{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"I","States":{"I":{`+task+`}}}}`), `[0,1,2,3]`)
	want := lines("1<0 ExecutionStarted", "2<0 MapStateEntered", "3<2 MapStateStarted",
		"4<3 MapIterationStarted", "5<3 MapIterationStarted", "6<3 MapIterationStarted", "7<3 MapIterationStarted",
		"8<4 TaskStateEntered", "9<8 TaskScheduled", "10<5 TaskStateEntered", "11<10 TaskScheduled", "12<6 TaskStateEntered", "13<12 TaskScheduled", "14<7 TaskStateEntered", "15<14 TaskScheduled",
		"16<9 TaskStarted", "17<11 TaskStarted", "18<13 TaskStarted", "19<15 TaskStarted", "20<16 TaskFailed", "21<20 MapIterationFailed", "22<20 TaskStateAborted",
		"23<20 MapIterationAborted", "24<20 TaskStateAborted", "25<20 MapIterationAborted", "26<20 TaskStateAborted", "27<20 MapIterationAborted", "28<20 TaskStateAborted",
		"29<20 MapStateFailed", "30<29 ExecutionFailed")
	if got := h.history(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := []int64{h.events[22].IterationAborted.Index, h.events[26].IterationAborted.Index}; got[0] != 1 || got[1] != 3 {
		t.Errorf("aborted %v", got)
	}
}

// What is nested is cut short from the outside in (not recorded: the order within is the recorded one's).
func TestAbortsReachNestedStates(t *testing.T) {
	waiting := make(chan struct{})
	h := newHarness(t, tasks{
		"I": func(ctx context.Context, r TaskRequest, _ int) (any, error) { close(waiting); return hang(ctx, r, 0) },
		"F": func(context.Context, TaskRequest, int) (any, error) { <-waiting; return nil, &TaskError{"E", "C"} },
	})
	h.run(context.Background(), one(`{"Type":"Parallel","End":true,"Branches":[{"StartAt":"F","States":{"F":{`+task+`}}},
	 {"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"I","States":{"I":{`+task+`}}}}}}]}`), `[1]`)
	if got := h.kinds(); !strings.HasSuffix(got, "TaskFailed TaskStateAborted MapStateAborted MapIterationAborted TaskStateAborted ParallelStateFailed ExecutionFailed") {
		t.Error(got)
	}
}

func TestRecordedWords(t *testing.T) {
	const at = "FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). "
	inline := func(fields string) string {
		return `{"Type":"Map","ItemsPath":"$.i",` + fields + `,"End":true,"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}}`
	}
	for _, c := range []struct{ state, input, want string }{
		{`{"Type":"Pass","InputPath":"$.no.more","End":true}`, `{}`, "Invalid path '$.no.more' : Missing property in path $['no']"},
		{`{"Type":"Pass","OutputPath":"$.no","End":true}`, `{}`, "Invalid path '$.no' : No results for path: $['no']"},
		{`{` + task + `,"TimeoutSecondsPath":"$.no"}`, `{}`, "Invalid path '$.no' : No results for path: $['no']"},
		{`{"Type":"Fail","ErrorPath":"$.no"}`, `{"a":1}`, `The JSONPath '$.no' specified for the field 'ErrorPath' could not be found in the input '{"a":1}'`},
		{`{"Type":"Fail","Error":"E","CausePath":"$.no"}`, `{}`, `The JSONPath '$.no' specified for the field 'CausePath' could not be found in the input '{}'`},
		{`{"Type":"Pass","Parameters":{"v.$":"$$.Execution.Input.no"},"End":true}`, `{}`, "The JSONPath '$$.Execution.Input.no' specified for the field 'v.$' could not be found in the input '{}'"},
		{`{"Type":"Wait","SecondsPath":"$.s","End":true}`, `{"s":1.5}`, "The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5"},
		{`{"Type":"Wait","SecondsPath":"$.s","End":true}`, `{"s":-1}`, "The SecondsPath parameter references a negative value: $.s == -1"},
		{`{"Type":"Wait","SecondsPath":"$.s","End":true}`, `{}`, "The SecondsPath parameter does not reference an input value: $.s"},
		{`{"Type":"Wait","TimestampPath":"$.t","End":true}`, `{"t":"2016-12-05 21:29:29Z"}`, "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.t == 2016-12-05 21:29:29Z"},
		{`{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"X"}]}`, `{"a":1}`, "Failed to transition out of the state. The state does not point to a next state."},
		{inline(`"MaxConcurrencyPath":"$.n"`), `{"i":[],"n":"NoNumber"}`, `The MaxConcurrencyPath field refers to value "NoNumber" which is not a valid integer: $.n`},
		{inline(`"MaxConcurrencyPath":"$.n"`), `{"i":[],"n":-2}`, `Expected non-negative integer for MaxConcurrency, got '-2' instead.`},
		{inline(`"ToleratedFailureCountPath":"$.n"`), `{"i":[],"n":{}}`, `The ToleratedFailureCountPath field refers to value "{}" which is not a valid integer: $.n`},
		{inline(`"ToleratedFailureCountPath":"$.n"`), `{"i":[],"n":-1}`, `ToleratedFailureCount cannot be negative.`},
		{inline(`"ToleratedFailurePercentagePath":"$.n"`), `{"i":[],"n":"x"}`, `The ToleratedFailurePercentagePath field refers to value "x" which is not a valid float: $.n`},
		{inline(`"ToleratedFailurePercentagePath":"$.n"`), `{"i":[],"n":100.1}`, `ToleratedFailurePercentage must be between 0 and 100.`},
	} {
		if got := newHarness(t, nil).run(context.Background(), one(c.state), c.input).String(); got != at+c.want {
			t.Errorf("%s of %s:\n got %s\nwant %s", c.state, c.input, got, at+c.want)
		}
	}
}

func TestRecordedOutputs(t *testing.T) {
	for _, c := range []struct{ name, state, input, want string }{
		{"what is written out comes first", `{"Type":"Pass","End":true,"Parameters":{"QueueUrl.$":"$.q","MessageBody":{"Message.$":"$.m","k":1}}}`, `{"q":1,"m":2}`, `{"MessageBody":{"k":1,"Message":2},"QueueUrl":1}`},
		{"the rest as a hash map has it", `{"Type":"Pass","End":true,"Parameters":{"iteration_index.$":"$","iteration_input_value.$":"$","original_input.$":"$","from_input_constant.$":"$"}}`, `1`,
			`{"iteration_input_value":1,"from_input_constant":1,"iteration_index":1,"original_input":1}`},
		{"RetryCount of a Pass", `{"Type":"Pass","End":true,"Parameters":{"s.$":"$$.State"},"OutputPath":"$.s"}`, `{}`, `{"Name":"X","EnteredTime":"2026-01-02T03:04:05.678Z"}`},
		{"RetryCount of a Task", `{` + task + `,"Parameters":{"s.$":"$$.State"},"OutputPath":"$.s"}`, `{}`, `{"Name":"X","EnteredTime":"2026-01-02T03:04:05.678Z","RetryCount":0}`},
		{"behind the end of an array (measured)", `{"Type":"Pass","End":true,"Parameters":{"x.$":"$.a[2]"}}`, `{"a":[1]}`, `{"x":null}`},
		{"a tolerance as text", `{"Type":"Map","ItemsPath":"$.i","ToleratedFailureCountPath":"$.n","End":true,"ItemProcessor":` + failing + `}`, `{"i":[1],"n":"1"}`, `[]`},
		{"a result too large is told by its service", `{` + task + `}`, `"` + strings.Repeat("x", MaxPayload-2) + `y"`,
			`FAILED States.DataLimitExceeded The state/task 'svc' returned a result with a size exceeding the maximum number of bytes service limit.`},
	} {
		if got := newHarness(t, nil).run(context.Background(), one(c.state), c.input).String(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestRecordedEnds(t *testing.T) {
	h := newHarness(t, tasks{"X": hang})
	done := h.start(context.Background(), `{"TimeoutSeconds":5,`+one(`{` + task + `}`)[1:], `{}`)
	h.clock.Next()
	<-done
	last := h.events[len(h.events)-1]
	if last.PreviousID != 0 || last.Type != "ExecutionTimedOut" || last.ExecutionTimedOut.Error != "States.Timeout" {
		t.Errorf("%+v", last)
	}

	h = newHarness(t, nil)
	input, _ := value.Decode([]byte(`[1, 2]`))
	Run(context.Background(), compile(t, one(`{"Type":"Pass","End":true}`)), Execution{Input: input, InputText: `[1, 2]`}, h.config)
	if got := h.events[0].ExecutionStarted.Input + h.events[1].StateEntered.Input; got != `[1, 2][1, 2]` {
		t.Errorf("input %s", got)
	}

	h = newHarness(t, nil)
	h.run(context.Background(), one(`{"Type":"Pass","Assign":{},"End":true}`), `{}`)
	if e := h.events[2].StateExited; e.Vars != nil || e.Assigned != nil {
		t.Errorf("%+v", e)
	}
}

func TestRecordedItems(t *testing.T) {
	const list = `"ItemsPath":"$.other","ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key.$":"$.key"},"ReaderConfig":{`
	for _, c := range []struct{ name, config, input, want string }{
		{"no limit", `"InputType":"JSON","MaxItems":0`, `{"key":"list"}`, `[1,2,3]`},
		{"no limit by path", `"InputType":"JSON","MaxItemsPath":"$.n"`, `{"key":"list","n":0}`, `[1,2,3]`},
		{"more than the most", `"InputType":"JSON","MaxItemsPath":"$.n"`, `{"key":"list","n":100000001}`, `[1,2,3]`},
		{"two", `"InputType":"JSON","MaxItemsPath":"$.n"`, `{"key":"list","n":2}`, `[1,2]`},
		{"less than none", `"InputType":"JSON","MaxItemsPath":"$.n"`, `{"key":"list","n":-1}`, `FAILED States.ItemReaderFailed field MaxItems must be positive`},
		{"part of one", `"InputType":"JSON","MaxItemsPath":"$.n"`, `{"key":"list","n":1.5}`,
			`FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). The MaxItemsPath field refers to value "1.5" which is not a valid integer: $.n`},
		{"no list", `"InputType":"JSON"`, `{"key":"object"}`, `FAILED States.ItemReaderFailed Attempting to map over non-iterable node.`},
		{"a header with a name twice", `"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["H","H"]`, `{"key":"csv"}`, `FAILED States.ItemReaderFailed CSV headers cannot contain duplicates.`},
		{"a header of odd names", `"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"`, `{"key":"csv"}`, `[{"0":"a","{}":"c","True":"b"}]`},
	} {
		h := newHarness(t, nil)
		h.config.Objects = &store{objects: map[string]string{"b/list": `[1,2,3]`, "b/object": `{}`, "b/csv": "0,True,{}\na,b,c\n"}}
		if got := h.run(context.Background(), distributed(list+c.config+`}}`), c.input).String(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// A missing heartbeat is told as States.Timeout, and is caught by either name.
func TestRecordedHeartbeat(t *testing.T) {
	for _, name := range []string{"States.HeartbeatTimeout", "States.Timeout"} {
		h := newHarness(t, nil)
		done := h.start(context.Background(), `{"StartAt":"X","States":{"X":{"Type":"Task","Resource":"arn:aws:states:::svc:act.waitForTaskToken","End":true,"Parameters":{"t.$":"$$.Task.Token"},
		 "HeartbeatSeconds":2,"TimeoutSeconds":600,"Catch":[{"ErrorEquals":["`+name+`"],"Next":"Y"}]},"Y":{"Type":"Succeed"}}}`, `{}`)
		h.clock.AwaitTimers(2)
		if d := h.clock.Next(); d.Seconds() != 2 {
			t.Fatalf("the first timer is of %s, not the heartbeat's", d)
		}
		if got := (<-done).String(); got != `{"Error":"States.Timeout","Cause":null}` {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Who reports a failure need not say which, and a catcher then sees null.
func TestRecordedNamelessFailure(t *testing.T) {
	h := newHarness(t, tasks{"X": func(context.Context, TaskRequest, int) (any, error) { return nil, &TaskError{} }})
	got := h.run(context.Background(), `{"StartAt":"X","States":{"X":{`+task+`,"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"Y"}]},"Y":{"Type":"Succeed"}}}`, `{}`).String()
	if got != `{"e":{"Error":null,"Cause":null}}` {
		t.Error(got)
	}
}

// Results that only the Map's output has are counted as written too.
func TestRecordedCounts(t *testing.T) {
	var last MapRun
	h := newHarness(t, nil)
	h.config.MapRun = func(r MapRun) { last = r }
	h.run(context.Background(), distributed(`"MaxConcurrency":1`), `[1,2]`)
	want := Counts{Total: 2, Succeeded: 2, Written: 2}
	if last.Items != want || last.Executions != want {
		t.Errorf("%+v %+v", last.Items, last.Executions)
	}
}
