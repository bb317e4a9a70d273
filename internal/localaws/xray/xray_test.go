package xray_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray"
)

// service is X-Ray with a clock that the test sets, called as the server calls it.
type service struct {
	t   testing.TB
	api *wire.Service
	now time.Time
}

func open(t testing.TB, change func(*xray.Config)) *service {
	t.Helper()
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s := &service{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	cfg := xray.Config{Store: store, Clock: func() time.Time { return s.now }}
	if change != nil {
		change(&cfg)
	}
	s.api = xray.New(cfg).API()
	return s
}

// call runs an operation and returns its output as its caller reads it, or its error.
func (s *service) call(operation string, in map[string]any) (map[string]any, error) {
	s.t.Helper()
	op := s.api.Operation(operation)
	adopted, err := op.Adopt(in)
	if err != nil {
		return nil, err
	}
	answer, err := op.Handle(context.Background(), &wire.Call{Service: s.api, Operation: operation, Caller: wire.Root("000000000000", "us-east-1")}, adopted)
	if err != nil {
		return nil, err
	}
	return decoded(s.t, answer), nil
}

// decoded is an answer as its caller reads it.
func decoded(t testing.TB, answer any) (out map[string]any) {
	t.Helper()
	text, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *service) must(operation string, in map[string]any) map[string]any {
	s.t.Helper()
	out, err := s.call(operation, in)
	if err != nil {
		s.t.Fatalf("%s: %v", operation, err)
	}
	return out
}

func trace(n int) string { return fmt.Sprintf("1-5759e988-%024x", n) }

// put sends a segment that begins now and takes a second.
func (s *service) put(n, id int, more string) {
	s.t.Helper()
	out := s.must("PutTraceSegments", map[string]any{"TraceSegmentDocuments": []string{fmt.Sprintf(
		`{"trace_id":%q,"id":"%016x","name":"shop","start_time":%d,"end_time":%d%s}`, trace(n), id, s.now.Unix(), s.now.Unix()+1, more)}})
	if bad := out["UnprocessedTraceSegments"].([]any); len(bad) > 0 {
		s.t.Fatal(bad)
	}
}

// search returns the ids of the traces of a time range.
func (s *service) search(from, to time.Time, more map[string]any) (ids []string) {
	s.t.Helper()
	in := map[string]any{"StartTime": from.Unix(), "EndTime": to.Unix()}
	for name, v := range more {
		in[name] = v
	}
	for {
		out := s.must("GetTraceSummaries", in)
		for _, found := range out["TraceSummaries"].([]any) {
			ids = append(ids, found.(map[string]any)["Id"].(string))
		}
		token, more := out["NextToken"].(string)
		if !more {
			return ids
		}
		in["NextToken"] = token
	}
}

func (s *service) get(n int) map[string]any {
	s.t.Helper()
	traces := s.must("BatchGetTraces", map[string]any{"TraceIds": []string{trace(n)}})["Traces"].([]any)
	if len(traces) == 0 {
		return nil
	}
	return traces[0].(map[string]any)
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// A search sees the traces that began in its range, the ends included, in pages.
func TestTimeRange(t *testing.T) {
	s := open(t, nil)
	begin := s.now
	for i := range 250 {
		s.now = begin.Add(time.Duration(i) * time.Second)
		s.put(i, 1, "")
	}
	want(t, "all", len(s.search(begin, s.now, nil)), 250)
	want(t, "some", s.search(begin.Add(10*time.Second), begin.Add(11*time.Second), nil), []string{trace(10), trace(11)})
	want(t, "none", len(s.search(begin.Add(-time.Hour), begin.Add(-time.Second), nil)), 0)
	want(t, "what ended in it", s.search(begin.Add(11*time.Second), begin.Add(11*time.Second), map[string]any{"TimeRangeType": "Event"}), []string{trace(10)})
}

// A segment replaces the one of its id; an earlier one moves the trace.
func TestReplaces(t *testing.T) {
	s := open(t, nil)
	begin := s.now
	s.put(1, 1, `,"metadata":{"a":1}`)
	s.put(1, 1, `,"metadata":{"b":2}`)
	segments := s.get(1)["Segments"].([]any)
	want(t, "segments", len(segments), 1)
	want(t, "it is the second", strings.Contains(segments[0].(map[string]any)["Document"].(string), `"b":2`), true)
	s.now = begin.Add(-time.Minute)
	s.put(1, 2, "")
	want(t, "where it was", len(s.search(begin, begin, nil)), 0)
	want(t, "where it is", s.search(s.now, s.now, nil), []string{trace(1)})
	want(t, "duration", s.get(1)["Duration"], 61)
}

// What is in progress makes the trace partial until its end comes.
func TestInProgress(t *testing.T) {
	s := open(t, nil)
	s.must("PutTraceSegments", map[string]any{"TraceSegmentDocuments": []string{fmt.Sprintf(
		`{"trace_id":%q,"id":"%016x","name":"shop","start_time":%d,"in_progress":true}`, trace(1), 1, s.now.Unix())}})
	partial := map[string]any{"FilterExpression": "partial"}
	want(t, "partial", len(s.search(s.now, s.now, partial)), 1)
	s.put(1, 1, "")
	want(t, "whole", len(s.search(s.now, s.now, partial)), 0)
}

// A trace takes 500 KB and says that there was more.
func TestTraceIsBounded(t *testing.T) {
	s := open(t, nil)
	for i := range 12 {
		s.put(1, i, `,"metadata":{"a":"`+strings.Repeat("x", 50<<10)+`"}`)
	}
	got := s.get(1)
	want(t, "segments", len(got["Segments"].([]any)), 9)
	want(t, "exceeded", got["LimitExceeded"], true)
}

// The oldest traces make room for new ones.
func TestSizeIsBounded(t *testing.T) {
	s := open(t, func(c *xray.Config) { c.MaxBytes = 10 << 10 })
	begin := s.now
	for i := range 40 {
		s.now = begin.Add(time.Duration(i) * time.Second)
		s.put(i, 1, `,"metadata":{"a":"`+strings.Repeat("x", 900)+`"}`)
	}
	left := s.search(begin, s.now, nil)
	if len(left) < 9 || len(left) > 11 || left[len(left)-1] != trace(39) {
		t.Errorf("left are %v", left)
	}
	want(t, "the first", s.get(0), map[string]any(nil))
}

// After 30 days a trace is not found, and with the next one that comes it is gone.
func TestAgeIsBounded(t *testing.T) {
	s := open(t, nil)
	begin := s.now
	s.put(1, 1, "")
	s.now = begin.Add(30 * 24 * time.Hour)
	want(t, "on the last day", len(s.search(begin, begin, nil)), 1)
	s.now = s.now.Add(time.Second)
	want(t, "after it", len(s.search(begin, begin, nil)), 0)
	want(t, "by its id", s.get(1), map[string]any(nil))
	s.put(2, 1, "")
	s.now = begin
	want(t, "even then", s.get(1), map[string]any(nil))
}

func TestRefusals(t *testing.T) {
	s := open(t, nil)
	six := []string{trace(1), trace(2), trace(3), trace(4), trace(5), trace(6)}
	now := s.now.Unix()
	for name, c := range map[string]struct {
		operation, code string
		in              map[string]any
	}{
		"no documents":      {"PutTraceSegments", "ValidationError", map[string]any{}},
		"too many":          {"BatchGetTraces", "InvalidRequestException", map[string]any{"TraceIds": six}},
		"a graph of many":   {"GetTraceGraph", "InvalidRequestException", map[string]any{"TraceIds": six}},
		"an empty range":    {"GetTraceSummaries", "InvalidRequestException", map[string]any{"StartTime": now, "EndTime": now - 1}},
		"a token":           {"GetTraceSummaries", "InvalidRequestException", map[string]any{"StartTime": now, "EndTime": now, "NextToken": "!"}},
		"an unknown member": {"GetTraceSummaries", "NotImplemented", map[string]any{"StartTime": now, "EndTime": now, "Colour": 1}},
	} {
		if _, err := s.call(c.operation, c.in); !wire.IsCode(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any text is a document that is kept and can be read back and searched, or is named as unprocessed.
func FuzzDocument(f *testing.F) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Unix()
	for _, more := range []string{`}`, `,"subsegments":[{"id":"0000000000000002","name":"b","start_time":1,"in_progress":true,"namespace":"aws"}]}`, `,"annotations":{"a":[1],"b":null}}`, `,"type":"subsegment","parent_id":"0000000000000001"}`} {
		one := fmt.Sprintf(`{"trace_id":%q,"id":"0000000000000001","name":"a","start_time":%d,"end_time":%d.5%s`, trace(1), at, at, more)
		f.Add(one)
		f.Add("[" + one + "]")
	}
	s := open(f, nil)
	f.Fuzz(func(t *testing.T, text string) {
		s.t = t // one at a time
		out := s.must("PutTraceSegments", map[string]any{"TraceSegmentDocuments": []string{text}})
		s.search(s.now.Add(-time.Hour), s.now.Add(time.Hour), nil)
		s.get(1)
		s.must("GetTraceGraph", map[string]any{"TraceIds": []string{trace(1)}})
		for _, bad := range out["UnprocessedTraceSegments"].([]any) {
			if bad.(map[string]any)["ErrorCode"] == "" {
				t.Error("a segment is not processed and nothing says why")
			}
		}
	})
}
