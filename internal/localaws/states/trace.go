package states

import (
	"encoding/json"
	"strings"
	"sync"

	"engage/internal/localaws/asl/clock"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray/trace"
)

// spans is what a traced execution is recorded as: a segment of the machine, in it a subsegment for each state that
// was entered, and in that one for each attempt at its task. It is made from the events of the history, each of which
// belongs to the state that the event before it belongs to.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
type spans struct {
	traces    *trace.Recorder
	clock     clock.Clock
	caller    wire.Caller
	execution string
	passed    trace.Header // to what the execution calls

	mu    sync.Mutex
	root  *span // nil when the execution is not sampled
	owner map[int64]*span
}

// span is a state that was entered, or the whole execution.
type span struct {
	*trace.Segment
	above *span
	below []*span
	state string
	task  *trace.Segment // the last attempt, in Subsegments
}

// openSpans returns nil for a machine that is not traced. The rule decides about an execution unless who started it did.
func (s *Service) openSpans(e execution, r revision, caller wire.Caller) *spans {
	var settings struct{ Enabled bool }
	if len(r.Tracing) > 0 {
		_ = json.Unmarshal(r.Tracing, &settings) // checked when it was accepted
	}
	if !settings.Enabled || s.cfg.Traces == nil {
		return nil
	}
	header := s.cfg.Traces.Begin(e.TraceHeader, e.machineARN())
	t := &spans{traces: s.cfg.Traces, clock: s.cfg.Clock, caller: caller, execution: e.arn(), passed: header, owner: map[int64]*span{}}
	if header.Decision != trace.Sampled {
		return t
	}
	t.root = &span{Segment: &trace.Segment{ID: t.traces.NewID(), TraceID: header.Root, ParentID: header.Parent, Name: trace.Name(e.Machine),
		Start: trace.Time{Time: s.cfg.Clock.Now()}, InProgress: true, Origin: "AWS::StepFunctions::StateMachine", ResourceARN: e.machineARN(),
		AWS: map[string]any{"execution_arn": e.arn()}}}
	t.passed = header.Under(t.root.ID)
	begun := *t.root.Segment // what runs for long can be seen before its end
	t.traces.Send(caller, &begun)
	return t
}

// header is what a task passes on. Children of a distributed Map are not traced: their calls belong to the execution.
func (t *spans) header(r interp.TaskRequest) string {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.passed
	if at := t.owner[r.Event]; at != nil && at.task != nil && r.Execution.ARN == t.execution {
		h = h.Under(at.task.ID)
	}
	return h.String()
}

// add takes an event of the history.
func (t *spans) add(e interp.Event) {
	if t == nil || t.root == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.owner[e.PreviousID]
	if at == nil {
		at = t.root
	}
	switch {
	case e.StateEntered != nil:
		at = at.enter(t.part(e, e.StateEntered.Name), e.StateEntered.Name)
	case e.StateExited != nil:
		at = at.exit(e)
	default:
		t.attempt(at, e)
	}
	t.owner[e.ID] = at
}

// part begins a subsegment.
func (t *spans) part(e interp.Event, name string) *trace.Segment {
	return &trace.Segment{ID: t.traces.NewID(), Name: trace.Name(name), Start: trace.Time{Time: e.Time}}
}

// enter adds a state.
func (sp *span) enter(g *trace.Segment, state string) *span {
	sp.Subsegments = append(sp.Subsegments, g)
	inner := &span{Segment: g, above: sp, state: state}
	sp.below = append(sp.below, inner)
	return inner
}

// exit ends the state that the event names, which the one at hand is or is in, and returns the one around it.
func (sp *span) exit(e interp.Event) *span {
	for at := sp; at.above != nil; at = at.above {
		if at.state == e.StateExited.Name && at.End.IsZero() {
			at.finish(trace.Time{Time: e.Time}, true)
			at.Fault = false
			return at.above
		}
	}
	return sp // a state that was entered before a redrive
}

// finish ends a state and what in it has not ended, which was cut short. What has ended stays as it is.
func (sp *span) finish(end trace.Time, whole bool) {
	for _, inner := range sp.below {
		inner.finish(end, false)
	}
	sp.below = nil
	if sp.task != nil && sp.task.End.IsZero() {
		sp.task.End, sp.task.Fault = end, true
	}
	if sp.End.IsZero() {
		sp.End, sp.Fault = end, !whole
	}
}

// attempt begins or ends an attempt at a state's task.
func (t *spans) attempt(at *span, e interp.Event) {
	switch {
	case e.TaskScheduled != nil:
		at.try(t.part(e, called(e.TaskScheduled.ResourceType)), e.TaskScheduled.Resource)
	case e.LambdaScheduled != nil:
		at.try(t.part(e, called("lambda")), "invoke")
		at.task.AWS["function_arn"] = e.LambdaScheduled.Resource
	case at.task != nil && at.task.End.IsZero():
		failed := failureOf(e)
		if failed == nil && !strings.HasSuffix(e.Type, "Succeeded") {
			return
		}
		at.task.End = trace.Time{Time: e.Time}
		if failed != nil {
			at.task.Fault, at.task.Cause = true, trace.Because(t.traces.NewID(), failed.Error, failed.Cause)
		}
	}
}

// try adds an attempt, a call of another service.
func (sp *span) try(g *trace.Segment, action string) {
	action, _, _ = strings.Cut(action, ".")
	if action != "" {
		action = strings.ToUpper(action[:1]) + action[1:]
	}
	g.Namespace, g.AWS = "aws", map[string]any{"operation": action}
	sp.task = g
	sp.Subsegments = append(sp.Subsegments, g)
}

// failureOf tells how an attempt failed; nil when the event is no failure of one.
func failureOf(e interp.Event) *interp.ErrorDetails {
	switch {
	case e.TaskFailed != nil:
		return &e.TaskFailed.ErrorDetails
	case e.TaskTimedOut != nil:
		return &e.TaskTimedOut.ErrorDetails
	case e.LambdaFailed != nil:
		return e.LambdaFailed
	}
	return e.LambdaTimedOut
}

// called is how X-Ray names the services that tasks call.
func called(resourceType string) string {
	switch resourceType {
	case "lambda":
		return "Lambda"
	case "dynamodb":
		return "DynamoDB"
	case "athena":
		return "Athena"
	case "events":
		return "EventBridge"
	case "states":
		return "StepFunctions"
	}
	return strings.ToUpper(resourceType)
}

// end records the execution.
func (t *spans) end(out interp.Outcome) {
	if t == nil || t.root == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	end := trace.Time{Time: t.clock.Now()}
	t.root.InProgress = false
	t.root.finish(end, out.Status == interp.Succeeded)
	if t.root.Fault {
		t.root.Cause = trace.Because(t.traces.NewID(), out.Error, out.Cause)
	}
	t.traces.Send(t.caller, t.root.Segment)
}
