package lambda

import (
	"encoding/json"
	"time"

	"engage/internal/localaws/xray/trace"
)

// span is what a traced run of a function is recorded as: a segment of the
// Lambda service, and below it one of the function.
// https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
type span struct {
	header   trace.Header // as the request came
	service  string       // ids of the segments
	function string
	begin    time.Time
}

// passed is the header that the function gets.
func (sp *span) passed() string { return sp.header.Under(sp.function).String() }

// passed is the header that the function gets.
func (inv invocation) passed() string {
	if inv.span == nil {
		return inv.trace
	}
	return inv.span.passed()
}

// begun returns the header of a request: a function with Active tracing decides
// on it where its caller has not, any other follows its caller.
func (s *Service) begun(f *function, header string) string {
	switch {
	case f.Settings.TracingConfig != nil && f.Settings.TracingConfig.Mode == "Active":
		return s.cfg.Traces.Begin(header, f.arn()).String()
	case header == "":
		return s.cfg.Traces.Untraced().String()
	}
	return header
}

// openSpan begins to trace a run, nil for one that is not traced.
func (s *Service) openSpan(f *function, header string) *span {
	h, ok := trace.ParseHeader(header)
	if !ok || h.Decision != trace.Sampled {
		return nil
	}
	return &span{header: h, service: s.cfg.Traces.NewID(), function: s.cfg.Traces.NewID(), begin: s.cfg.Clock.Now()}
}

// traced records a run that has ended, with the permissions of the function's role.
func (s *Service) traced(f *function, session Session, rep report, out outcome) {
	if rep.span == nil {
		return
	}
	end := s.cfg.Clock.Now()
	function := s.functionSegment(f, rep, out, end)
	begin := rep.span.begin
	if function.Start.Before(begin) { // the clock is not that of the function's time
		begin = function.Start.Time
	}
	service := &trace.Segment{
		ID: rep.span.service, TraceID: rep.span.header.Root, ParentID: rep.span.header.Parent, Name: trace.Name(f.Name),
		Start: trace.Time{Time: begin}, End: trace.Time{Time: end}, Origin: "AWS::Lambda", ResourceARN: f.qualifiedARN(), HTTP: trace.Answered(200),
		Fault: function.Fault, AWS: map[string]any{"request_id": rep.id},
	}
	s.cfg.Traces.Send(session.Caller, service, function)
}

// functionSegment tells of the function's own work: how long it took to start, and to answer.
func (s *Service) functionSegment(f *function, rep report, out outcome, end time.Time) *trace.Segment {
	began := end.Add(-rep.duration)
	g := &trace.Segment{
		ID: rep.span.function, TraceID: rep.span.header.Root, ParentID: rep.span.service, Name: trace.Name(f.Name),
		Start: trace.Time{Time: began.Add(-rep.init)}, End: trace.Time{Time: end}, Origin: "AWS::Lambda::Function", ResourceARN: f.qualifiedARN(),
		Fault: out.functionError != "", Cause: s.cause(out), AWS: map[string]any{"function_arn": f.arn(), "request_id": rep.id},
	}
	part := func(name string, from, to time.Time) *trace.Segment {
		return &trace.Segment{ID: s.cfg.Traces.NewID(), Name: name, Start: trace.Time{Time: from}, End: trace.Time{Time: to}}
	}
	if rep.init > 0 {
		g.Subsegments = append(g.Subsegments, part("Initialization", began.Add(-rep.init), began))
	}
	work := part("Invocation", began, end)
	if rep.noInit {
		work.Name = "Initialization"
	}
	work.Fault, work.Cause = g.Fault, g.Cause
	g.Subsegments = append(g.Subsegments, work)
	return g
}

// cause is the error that a function answered with.
func (s *Service) cause(out outcome) *trace.Cause {
	if out.functionError == "" {
		return nil
	}
	var reported struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	json.Unmarshal(out.payload, &reported) //nolint:errcheck // then nothing is known of it
	return trace.Because(s.cfg.Traces.NewID(), reported.Type, reported.Message)
}
