package interp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"engage/internal/localaws/asl/value"
)

// start runs a machine beside the test, which moves the clock.
func (h *harness) start(ctx context.Context, definition, input string) <-chan Outcome {
	done := make(chan Outcome, 1)
	go func() { done <- h.run(ctx, definition, input) }()
	return done
}

// kinds lists the types of all events.
func (h *harness) kinds() string {
	var out []string
	for _, e := range h.events {
		out = append(out, e.Type)
	}
	return strings.Join(out, " ")
}

func TestRetryDelays(t *testing.T) {
	for _, c := range []struct {
		name, retry string
		want        []time.Duration
		outcome     string
	}{
		{"defaults", `{"ErrorEquals":["States.ALL"]}`, []time.Duration{1e9, 2e9, 4e9}, "FAILED E because"},
		{"capped", `{"ErrorEquals":["E"],"IntervalSeconds":3,"BackoffRate":3,"MaxAttempts":4,"MaxDelaySeconds":20}`, []time.Duration{3e9, 9e9, 20e9, 20e9}, "FAILED E because"},
		{"other error", `{"ErrorEquals":["F"]}`, nil, "FAILED E because"},
		{"none", `{"ErrorEquals":["E"],"MaxAttempts":0}`, nil, "FAILED E because"},
		{"success at last", `{"ErrorEquals":["States.TaskFailed"],"BackoffRate":1,"MaxAttempts":9}`, []time.Duration{1e9, 1e9, 1e9, 1e9, 1e9}, `{"n":5}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, tasks{"X": fails("E", 5)})
			done := h.start(context.Background(), one(`{`+task+`,"Parameters":{"n.$":"$$.State.RetryCount"},"Retry":[`+c.retry+`]}`), `{}`)
			for _, want := range c.want {
				if got := h.clock.Next(); got != want {
					t.Errorf("waited %s, want %s", got, want)
				}
			}
			if got := (<-done).String(); got != c.outcome {
				t.Errorf("got %s, want %s", got, c.outcome)
			}
		})
	}
}

func TestJitterStaysBelowTheDelay(t *testing.T) {
	h := newHarness(t, tasks{"X": fails("E", 100)})
	done := h.start(context.Background(), one(`{`+task+`,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":10,"BackoffRate":1,"MaxAttempts":50,"JitterStrategy":"FULL"}]}`), `{}`)
	var total time.Duration
	for range 50 {
		d := h.clock.Next()
		if d > 10*time.Second {
			t.Fatalf("waited %s", d)
		}
		total += d
	}
	<-done
	// The mean of 50 uniform draws from 0..10 s is 5 s with a deviation of 0.41 s: five deviations.
	if mean := total / 50; mean < 2950*time.Millisecond || mean > 7050*time.Millisecond {
		t.Errorf("mean delay is %s", mean)
	}
}

func TestCatchNames(t *testing.T) {
	for _, c := range []struct{ failure, equals, want string }{
		{"E", `"States.ALL"`, "caught"}, {"E", `"States.TaskFailed"`, "caught"}, {"E", `"F","E"`, "caught"}, {"E", `"F"`, "FAILED E because"},
		{"States.Timeout", `"States.TaskFailed"`, "FAILED States.Timeout because"}, {"States.HeartbeatTimeout", `"States.Timeout"`, "caught"},
		{"States.Runtime", `"States.ALL"`, "FAILED States.Runtime because"}, {"States.Runtime", `"States.Runtime"`, "FAILED States.Runtime because"},
		{"States.DataLimitExceeded", `"States.ALL"`, "FAILED States.DataLimitExceeded because"}, {"States.DataLimitExceeded", `"States.DataLimitExceeded"`, "caught"},
	} {
		h := newHarness(t, tasks{"X": fails(c.failure, 9)})
		got := h.run(context.Background(), `{"StartAt":"X","States":{"X":{`+task+`,"Catch":[{"ErrorEquals":[`+c.equals+`],"Next":"Y"}]},"Y":{"Type":"Pass","Result":"caught","End":true}}}`, `{}`).String()
		if strings.Trim(got, `"`) != c.want {
			t.Errorf("%s by %s: %s, want %s", c.failure, c.equals, got, c.want)
		}
	}
}

func TestCatchPutsTheErrorAtResultPath(t *testing.T) {
	h := newHarness(t, tasks{"X": func(context.Context, TaskRequest, int) (any, error) { return nil, errors.New("boom") }})
	got := h.run(context.Background(), `{"StartAt":"X","States":{"X":{`+task+`,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Y","ResultPath":"$.e"}]},"Y":{"Type":"Succeed"}}}`, `{"in":1}`).String()
	if got != `{"in":1,"e":{"Error":"States.TaskFailed","Cause":"boom"}}` {
		t.Error(got)
	}
}

func hang(ctx context.Context, _ TaskRequest, _ int) (any, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTimeouts(t *testing.T) {
	token := `"Type":"Task","Resource":"arn:aws:states:::svc:act.waitForTaskToken","End":true,"Parameters":{"t.$":"$$.Task.Token"}`
	for _, c := range []struct {
		name, definition string
		tasks            tasks
		after            time.Duration
		want, last       string
	}{
		{"task", one(`{` + task + `,"TimeoutSeconds":7}`), tasks{"X": hang}, 7e9, "FAILED States.Timeout", "TaskTimedOut ExecutionFailed"},
		{"task by path", one(`{` + task + `,"TimeoutSecondsPath":"$.s"}`), tasks{"X": hang}, 3e9, "FAILED States.Timeout", "TaskTimedOut ExecutionFailed"},
		{"task by path beside parameters", one(`{` + task + `,"TimeoutSecondsPath":"$.s","Parameters":{"a":1}}`), tasks{"X": hang}, 3e9, "FAILED States.Timeout", "TaskTimedOut ExecutionFailed"},
		{"lambda", one(`{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:1:function:f","End":true,"TimeoutSeconds":7}`), tasks{"X": hang}, 7e9, "FAILED States.Timeout", "LambdaFunctionTimedOut ExecutionFailed"},
		{"token", one(`{` + token + `,"TimeoutSeconds":7}`), nil, 7e9, "FAILED States.Timeout", "TaskTimedOut ExecutionFailed"},
		{"heartbeat", one(`{` + token + `,"HeartbeatSeconds":2}`), nil, 2e9, "FAILED States.Timeout", "TaskTimedOut ExecutionFailed"},
		{"execution", `{"TimeoutSeconds":5,` + one(`{` + task + `}`)[1:], tasks{"X": hang}, 5e9, "TIMED_OUT", "ExecutionTimedOut"},
		{"wait", one(`{"Type":"Wait","Seconds":11,"End":true}`), nil, 11e9, `{"s":3}`, "ExecutionSucceeded"},
		{"timestamp", one(`{"Type":"Wait","Timestamp":"2026-01-02T03:05:05.678Z","End":true}`), nil, 60e9, `{"s":3}`, "ExecutionSucceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, c.tasks)
			done := h.start(context.Background(), c.definition, `{"s":3}`)
			if got := h.clock.Next(); got != c.after {
				t.Errorf("after %s, want %s", got, c.after)
			}
			if got := (<-done).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			// The timer may fire before or after a task has begun, so only the order of the last events is certain.
			if got := h.kinds(); !strings.HasSuffix(got, c.last) {
				t.Errorf("history ends\n%s\nwant\n%s", got, c.last)
			}
		})
	}
}

func TestTaskToken(t *testing.T) {
	tokens := make(chan string, 3)
	h := newHarness(t, tasks{"X": func(_ context.Context, r TaskRequest, n int) (any, error) {
		tokens <- r.Token
		return value.Of("MessageId", int64(n)), nil
	}})
	done := h.start(context.Background(), one(`{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","End":true,"Parameters":{"t.$":"$$.Task.Token"},"HeartbeatSeconds":5,
		"Retry":[{"ErrorEquals":["Again"]}]}`), `{}`)
	first := <-tokens
	h.clock.AwaitTimers(1)
	if err := h.config.Callbacks.Heartbeat(first); err != nil {
		t.Error(err)
	}
	if err := h.config.Callbacks.Fail(first, "Again", "please"); err != nil {
		t.Error(err)
	}
	for h.config.Callbacks.Heartbeat(first) == nil {
		t.Error("an answered token is still known")
	}
	// The heartbeat's timer and then the retry's may stand: move until the second attempt begins.
	var second string
	for second == "" {
		select {
		case second = <-tokens:
		default:
			h.clock.Advance(time.Second / 100)
		}
	}
	if second == first {
		t.Error("the second attempt has the first one's token")
	}
	if err := h.config.Callbacks.Succeed(second, value.Of("ok", true)); err != nil {
		t.Error(err)
	}
	if got := (<-done).String(); got != `{"ok":true}` {
		t.Error(got)
	}
	if !strings.Contains(h.history(), "TaskSubmitted") || !errors.Is(h.config.Callbacks.Succeed(second, nil), ErrNoToken) {
		t.Error(h.history())
	}
}

func TestStop(t *testing.T) {
	h := newHarness(t, tasks{"A": hang, "B": hang})
	ctx, cancel := context.WithCancelCause(context.Background())
	branch := func(n string) string { return `{"StartAt":"` + n + `","States":{"` + n + `":{` + task + `}}}` }
	started := make(chan bool, 2)
	h.config.Tasks = executor{h, tasks{"A": func(ctx context.Context, r TaskRequest, n int) (any, error) { started <- true; return hang(ctx, r, n) },
		"B": func(ctx context.Context, r TaskRequest, n int) (any, error) { started <- true; return hang(ctx, r, n) }}}
	done := h.start(ctx, one(`{"Type":"Parallel","End":true,"Branches":[`+branch("A")+`,`+branch("B")+`]}`), `{}`)
	<-started
	<-started
	cancel(&Stopped{"Mine", "enough"})
	if got := (<-done).String(); got != "ABORTED Mine enough" {
		t.Error(got)
	}
	if got := h.history(); !strings.HasSuffix(got, "ExecutionAborted") || strings.Count(got, "Aborted") != 1 {
		t.Error(got)
	}
}

func TestSiblingsAreAborted(t *testing.T) {
	hanging := make(chan bool, 1)
	h := newHarness(t, tasks{"A": func(ctx context.Context, r TaskRequest, n int) (any, error) { hanging <- true; return hang(ctx, r, n) },
		"B": func(context.Context, TaskRequest, int) (any, error) { <-hanging; return nil, &TaskError{"E", ""} }})
	branch := func(n string) string { return `{"StartAt":"` + n + `","States":{"` + n + `":{` + task + `}}}` }
	got := h.run(context.Background(), one(`{"Type":"Parallel","End":true,"Branches":[`+branch("A")+`,`+branch("B")+`]}`), `{}`).String()
	if got != "FAILED E" || !strings.Contains(h.history(), "TaskStateAborted") || !strings.HasSuffix(h.history(), "ExecutionFailed") {
		t.Errorf("%s\n%s", got, h.history())
	}
}

func TestMap(t *testing.T) {
	for _, c := range []struct{ name, fields, input, want string }{
		{"selector", `"ItemsPath":"$.list","ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value","k.$":"$.k"}`, `{"k":"x","list":[5,{"a":6}]}`, `[{"v":5,"i":0,"k":"x"},{"v":{"a":6},"i":1,"k":"x"}]`},
		{"order", `"MaxConcurrency":2`, `[1,2,3,4,5]`, `[1,2,3,4,5]`},
		{"result path", `"ItemsPath":"$.l","ResultPath":"$.r"`, `{"l":[1]}`, `{"l":[1],"r":[1]}`},
		{"no array", ``, `{}`, `FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). Reference path "$" must point to array.`},
		{"failure", ``, `[1,"bad",3]`, `FAILED Bad because`},
		{"tolerated", `"ToleratedFailureCount":1`, `[1,"bad",3]`, `[1,3]`},
		{"tolerated share", `"ToleratedFailurePercentagePath":"$[0]","ItemsPath":"$[1]"`, `[50,["bad",3]]`, `[3]`},
		{"too many", `"ToleratedFailurePercentage":33`, `["bad",2]`, `FAILED States.ExceedToleratedFailureThreshold The specified tolerated failure threshold was exceeded`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, tasks{"I": func(_ context.Context, r TaskRequest, _ int) (any, error) {
				if r.Parameters == "bad" {
					return nil, &TaskError{"Bad", "because"}
				}
				return r.Parameters, nil
			}})
			fields := c.fields
			if fields != "" {
				fields += ","
			}
			got := h.run(context.Background(), one(`{"Type":"Map",`+fields+`"End":true,"ItemProcessor":{"StartAt":"I","States":{"I":{`+task+`}}}}`), c.input).String()
			if got != c.want {
				t.Errorf(" got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestMapConcurrency(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	h := newHarness(t, tasks{"I": func(_ context.Context, r TaskRequest, _ int) (any, error) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		defer func() { mu.Lock(); now--; mu.Unlock() }()
		return r.Parameters, nil
	}})
	h.run(context.Background(), one(`{"Type":"Map","MaxConcurrency":3,"End":true,"ItemProcessor":{"StartAt":"I","States":{"I":{`+task+`}}}}`), `[`+strings.Repeat("1,", 200)+`1]`)
	if most > 3 || h.calls["I"] != 201 {
		t.Errorf("%d at once, %d calls", most, h.calls["I"])
	}
}

func TestVariables(t *testing.T) {
	d := `{"StartAt":"A","States":{
	 "A":{"Type":"Pass","Assign":{"x.$":"$.n","y":{"z":[1,2]}},"Next":"P"},
	 "P":{"Type":"Parallel","Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","Assign":{"x":"inner"},"Next":"C"},"C":{"Type":"Pass","Parameters":{"x.$":"$x","z.$":"$y.z[1]"},"End":true}}}],"Next":"D"},
	 "D":{"Type":"Pass","Parameters":{"in.$":"$[0]","x.$":"$x","s.$":"States.MathAdd($x, 1)"},"End":true}}}`
	h := newHarness(t, nil)
	if got := h.run(context.Background(), d, `{"n":7}`).String(); got != `{"s":8,"in":{"x":"inner","z":2},"x":7}` {
		t.Error(got)
	}
	if e := h.events[2].StateExited; e.Assigned["x"] != "7" || e.Assigned["y"] != `{"z":[1,2]}` || e.Vars == nil {
		t.Errorf("%+v", e)
	}
	if got := newHarness(t, nil).run(context.Background(), one(`{"Type":"Pass","InputPath":"$nope","End":true}`), `{}`).String(); !strings.Contains(got, "'nope' has not been assigned") {
		t.Error(got)
	}
}

func TestHistoryLimit(t *testing.T) {
	h := newHarness(t, nil)
	got := h.run(context.Background(), `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":true,"Next":"A"}]}}}`, `{}`).String()
	if got != "FAILED States.Runtime The execution reached the maximum number of history events (25000)." || len(h.events) != MaxEvents {
		t.Errorf("%s after %d events", got, len(h.events))
	}
}

// store is an object store in memory.
type store struct {
	mu      sync.Mutex
	objects map[string]string
}

func (s *store) Get(_ context.Context, bucket, key string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.objects[bucket+"/"+key]
	if !ok {
		return nil, errors.New("NoSuchKey")
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (s *store) List(_ context.Context, bucket, prefix string, each func(*value.Object) error) error {
	var keys []string
	for k := range s.objects {
		if strings.HasPrefix(k, bucket+"/"+prefix) {
			keys = append(keys, strings.TrimPrefix(k, bucket+"/"))
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		if err := each(value.Of("Key", k, "Size", int64(len(s.objects[bucket+"/"+k])))); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) Put(_ context.Context, bucket, key string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[bucket+"/"+key] = string(body)
	return nil
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func TestDistributedMap(t *testing.T) {
	s3 := map[string]string{
		"b/in.csv": "\ufeffid,name\n1,\"x, y\"\n2,z\n", "b/in.json": `[{"a":1},{"a":2},{"a":3}]`, "b/in.jsonl": "{\"a\":1}\n\n{\"a\":2}", "b/p/1": "1", "b/p/2": "22", "b/bad.json": "{}",
		"b/m.json": `{"destinationBucket":"arn:aws:s3:::b","fileFormat":"CSV","fileSchema":"Bucket, Key","files":[{"key":"inv.csv.gz"}]}`, "b/inv.csv.gz": zipped("\"b\",\"k1\"\n\"b\",\"k2\"\n"),
	}
	reader := func(config, key string) string {
		return `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{` + config + `},"Parameters":{"Bucket":"b","Key":"` + key + `"}}`
	}
	for _, c := range []struct{ name, fields, input, want string }{
		{"items", `"ItemsPath":"$.l"`, `{"l":[1,2]}`, `[1,2]`},
		{"csv", reader(`"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"`, "in.csv"), `{}`, `[{"name":"x, y","id":"1"},{"name":"z","id":"2"}]`},
		{"given header", reader(`"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["p"],"MaxItems":2`, "in.csv"), `{}`, `[{"p":"id"},{"p":"1"}]`},
		{"json", reader(`"InputType":"JSON"`, "in.json") + `,"ItemSelector":{"v.$":"$$.Map.Item.Value.a","i.$":"$$.Map.Item.Index","o.$":"$.o"}`, `{"o":9}`, `[{"v":1,"i":0,"o":9},{"v":2,"i":1,"o":9},{"v":3,"i":2,"o":9}]`},
		{"json lines", reader(`"InputType":"JSONL"`, "in.jsonl"), `{}`, `[{"a":1},{"a":2}]`},
		{"manifest", reader(`"InputType":"MANIFEST"`, "m.json"), `{}`, `[{"Bucket":"b","Key":"k1"},{"Bucket":"b","Key":"k2"}]`},
		{"list", `"ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":"b","Prefix":"p/"}}`, `{}`, `[{"Key":"p/1","Size":1},{"Key":"p/2","Size":2}]`},
		{"batches", `"ItemsPath":"$.l","ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"k.$":"$.k"}}`, `{"l":[1,2,3],"k":"q"}`, `[{"BatchInput":{"k":"q"},"Items":[1,2]},{"BatchInput":{"k":"q"},"Items":[3]}]`},
		{"missing object", reader(`"InputType":"JSON"`, "no"), `{}`, `FAILED States.ItemReaderFailed read s3://b/no: NoSuchKey`},
		{"no array", reader(`"InputType":"JSON"`, "bad.json"), `{}`, `FAILED States.ItemReaderFailed Attempting to map over non-iterable node.`},
		{"failure", `"ItemsPath":"$.l"`, `{"l":[1,"bad"]}`, `FAILED States.ExceedToleratedFailureThreshold The specified tolerated failure threshold was exceeded`},
		{"tolerated", `"ItemsPath":"$.l","ToleratedFailurePercentage":50`, `{"l":["bad",2]}`, `[2]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, tasks{"I": func(_ context.Context, r TaskRequest, _ int) (any, error) {
				if r.Parameters == "bad" {
					return nil, &TaskError{"Bad", ""}
				}
				return r.Parameters, nil
			}})
			h.config.Objects = &store{objects: s3}
			var last MapRun
			h.config.MapRun = func(m MapRun) { last = m }
			got := h.run(context.Background(), distributed(c.fields), c.input).String()
			if got != c.want {
				t.Errorf(" got %s\nwant %s", got, c.want)
			}
			if (last.Status == "SUCCEEDED") != !strings.HasPrefix(got, "FAILED") || last.Items.Running != 0 {
				t.Errorf("%+v", last)
			}
		})
	}
}

func distributed(fields string) string {
	return one(`{"Type":"Map",` + fields + `,"Label":"L","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{` + task + `}}}}`)
}

func TestDistributedHistoryAndResults(t *testing.T) {
	h := newHarness(t, nil)
	s3 := &store{objects: map[string]string{}}
	h.config.Objects = s3
	out := h.run(context.Background(), distributed(`"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b","Prefix":"out"}}`), `[1,2]`)
	want := "1<0 ExecutionStarted\n2<0 MapStateEntered\n3<2 MapStateStarted\n4<3 MapRunStarted\n5<4 MapRunSucceeded\n6<5 MapStateSucceeded\n7<5 MapStateExited\n8<7 ExecutionSucceeded"
	if got := h.history(); got != want {
		t.Error(got)
	}
	details, _ := out.Output.(*value.Object).Get("ResultWriterDetails")
	manifest := s3.objects["b/"+textField(details.(*value.Object), "Key")]
	if !strings.Contains(manifest, `"SUCCEEDED":[{"Key":"out/`) || len(s3.objects) != 2 {
		t.Errorf("%s: %s", out, manifest)
	}
	for k, v := range s3.objects {
		if strings.HasSuffix(k, "SUCCEEDED_0.json") && strings.Count(v, `"Status":"SUCCEEDED"`) != 2 {
			t.Errorf("%s: %s", k, v)
		}
	}
}

// Batches keep every item once and in order, within both limits.
func FuzzPack(f *testing.F) {
	f.Add("aaaa,b,cc", int64(2), int64(60))
	f.Fuzz(func(t *testing.T, text string, most, size int64) {
		if most < 0 || size < 0 {
			return
		}
		var items []any
		for _, s := range strings.Split(text, ",") {
			items = append(items, s)
		}
		batches, err := pack(value.Of("BatchInput", "x"), items, most, size)
		if err != nil {
			return
		}
		var back []any
		for _, b := range batches {
			got, _ := b.input.(*value.Object).Get("Items")
			list := got.([]any)
			if most > 0 && int64(len(list)) > most || int64(len(value.Encode(b.input))) > size || b.items != len(list) {
				t.Fatalf("batch %s breaks %d items, %d bytes", value.Encode(b.input), most, size)
			}
			back = append(back, list...)
		}
		if !value.Equal(back, items) {
			t.Fatalf("%v became %v", items, back)
		}
	})
}

func BenchmarkTransitions(b *testing.B) {
	h := newHarness(b, nil)
	h.config.Record = func(Event) {}
	m := compile(b, `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, 1)","s.$":"$.s"},"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":100,"Next":"A"}],"Default":"Z"},"Z":{"Type":"Succeed"}}}`)
	input, _ := value.Decode([]byte(`{"n":0,"s":"` + strings.Repeat("x", 500) + `"}`))
	transitions := 0
	h.config.Transition = func() { transitions++ }
	for b.Loop() {
		if out := Run(context.Background(), m, Execution{Input: input}, h.config); out.Status != Succeeded {
			b.Fatal(out)
		}
	}
	b.ReportMetric(float64(transitions)/b.Elapsed().Seconds(), "transitions/s")
}
