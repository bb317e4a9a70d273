package trace_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray/trace"
)

const root = "1-5759e988-bd862e3fe1be46a994272793"

func TestHeader(t *testing.T) {
	for text, want := range map[string]string{
		"Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=1":   "Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=1",
		"Sampled=0; Root=" + root:                               "Root=" + root + ";Sampled=0",
		"Root=" + root + ";Sampled=?;Lineage=a:b":               "Root=" + root + ";Lineage=a:b",
		"Self=1-67891234-12456789abcdef012345678;Root=" + root:  "Root=" + root + ";Self=1-67891234-12456789abcdef012345678",
		"Root=" + root + ";Parent=none":                         "Root=" + root,
		"Root=1-5;Sampled=1":                                    "",
		"":                                                      "",
		"Root=2-5759e988-bd862e3fe1be46a994272793;Parent=none;": "",
	} {
		h, ok := trace.ParseHeader(text)
		if ok != (want != "") || ok && h.String() != want {
			t.Errorf("%s: %s, %t", text, h, ok)
		}
	}
}

func ExampleHeader_Under() {
	h, _ := trace.ParseHeader("Root=" + root + ";Sampled=1")
	fmt.Println(h.Under("53995c3f42cd8ad8"))
	// Output: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
}

// A header that is written is read as it was.
func FuzzParseHeader(f *testing.F) {
	f.Add("Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=x")
	f.Fuzz(func(t *testing.T, text string) {
		if h, ok := trace.ParseHeader(text); ok {
			again, ok := trace.ParseHeader(h.String())
			if !ok || again.String() != h.String() {
				t.Errorf("%q became %q", h, again)
			}
		}
	})
}

// The rule takes the first request of each second of each resource, and of the others the share that the random numbers give.
func TestSampling(t *testing.T) {
	now, random := time.Unix(1_700_000_000, 0), uint64(1)<<63
	r := trace.New(trace.Config{Now: func() time.Time { return now }, Random: func() uint64 { return random }})
	sampled := func(header, resource string) bool { return r.Begin(header, resource).Decision == trace.Sampled }
	steps := []struct {
		header, resource string
		random           float64
		after            time.Duration
		want             bool
	}{
		{resource: "a", random: 0.5, want: true},
		{resource: "a", random: 0.5, want: false},
		{resource: "a", random: 0.049, want: true},
		{resource: "a", random: 0.051, want: false},
		{resource: "b", random: 0.5, want: true},
		{resource: "a", random: 0.5, after: time.Second, want: true},
		{resource: "a", random: 0.5, want: false},
		{header: "Root=" + root + ";Sampled=1", resource: "a", random: 0.5, want: true},
		{header: "Root=" + root + ";Sampled=0", resource: "c", random: 0, want: false},
		{header: "Root=" + root, resource: "c", random: 0.5, want: true}, // the one before did not use up the second's first
	}
	for i, s := range steps {
		now, random = now.Add(s.after), uint64(s.random*(1<<53))<<11
		if got := sampled(s.header, s.resource); got != s.want {
			t.Errorf("step %d: %t", i, got)
		}
	}
	if h := r.Begin("Root="+root+";Parent=53995c3f42cd8ad8;Sampled=1", "a"); h.Root != root || h.Parent != "53995c3f42cd8ad8" {
		t.Errorf("the trace is not the caller's: %s", h)
	}
	if h := r.Begin("", "a"); !strings.HasPrefix(h.Root, "1-6553f101-") || !trace.ValidTraceID(h.Root) {
		t.Errorf("a new trace is %s", h)
	}
}

// What does not fit a document travels in several, which say where they belong.
func TestDocuments(t *testing.T) {
	top := &trace.Segment{ID: "1000000000000000", TraceID: root, Name: "top"}
	for i := range 40 {
		sub := &trace.Segment{ID: fmt.Sprintf("%016x", i), Name: strings.Repeat("n", 150)}
		for j := range 20 {
			sub.Subsegments = append(sub.Subsegments, &trace.Segment{ID: fmt.Sprintf("%016x", i*100+j+1000), Name: strings.Repeat("m", 150)})
		}
		top.Subsegments = append(top.Subsegments, sub)
	}
	documents := top.Documents()
	if len(documents) != 41 {
		t.Fatalf("%d documents", len(documents))
	}
	for i, text := range documents {
		var d struct{ Trace_id, Parent_id, Type string }
		if err := json.Unmarshal([]byte(text), &d); err != nil || len(text) > trace.MaxDocument || d.Trace_id != root {
			t.Errorf("document %d of %d bytes: %v, of trace %q", i, len(text), err, d.Trace_id)
		}
		if i > 0 && (d.Parent_id != top.ID || d.Type != "subsegment") {
			t.Errorf("document %d is a %q of %q", i, d.Type, d.Parent_id)
		}
	}
}

func TestName(t *testing.T) {
	for name, want := range map[string]string{"a b_.:/%&#=+\\-@ä1": "a b_.:/%&#=+\\-@ä1", "a(b)": "ab", "()": "-", strings.Repeat("x", 300): strings.Repeat("x", 200)} {
		if got := trace.Name(name); got != want || !trace.ValidName(got) {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// sink takes what is sent.
type sink struct {
	mu    sync.Mutex
	calls []string
	err   error
}

func (s *sink) Invoke(_ context.Context, c wire.Caller, service, operation string, input any) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	documents := input.(map[string]any)["TraceSegmentDocuments"].([]string)
	s.calls = append(s.calls, fmt.Sprintf("%s %s %s %d", c.ARN, service, operation, len(documents)))
	return nil, s.err
}

// run sends what is recorded and returns what was reported.
func run(r *trace.Recorder) (errs []error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Run(ctx, func(err error) { errs = append(errs, err) })
	return errs
}

// What was recorded before the end is sent, each caller's by itself and in order.
func TestSends(t *testing.T) {
	to := &sink{}
	r := trace.New(trace.Config{Invoker: to})
	for i, who := range []string{"a", "a", "b", "a"} {
		r.Send(wire.Caller{ARN: who}, &trace.Segment{ID: fmt.Sprintf("%016x", i), Name: "n"})
	}
	if errs := run(r); len(errs) > 0 {
		t.Error(errs)
	}
	if got := strings.Join(to.calls, ", "); got != "a xray PutTraceSegments 2, b xray PutTraceSegments 1, a xray PutTraceSegments 1" {
		t.Error(got)
	}
}

// A denied segment is nobody's error, any other refusal is told, and so is what had no room.
func TestReports(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		count int
		want  string
	}{
		"denied":  {wire.AccessDenied("no"), 1, "[]"},
		"failed":  {errors.New("disk"), 1, "[record traces: disk]"},
		"flooded": {nil, 4100, "[record traces: 4 documents were dropped, more than 4096 waited]"},
	} {
		r := trace.New(trace.Config{Invoker: &sink{err: c.err}})
		for range c.count {
			r.Send(wire.Caller{}, &trace.Segment{Name: "n"})
		}
		if got := fmt.Sprint(run(r)); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
