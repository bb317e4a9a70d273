package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"engage/internal/localaws/eventpattern"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

type putEntry struct {
	Time         *wire.Time
	Source       string
	Resources    []string
	DetailType   string
	Detail       string
	EventBusName string
	TraceHeader  string
}

type putEventsInput struct {
	Entries []putEntry `required:"true" min:"1" max:"10"`
}

func touchEvents(call *wire.Call, in *putEventsInput) []wire.Access {
	var all []wire.Access
	for _, e := range in.Entries {
		b := bus{Name: busName(e.EventBusName), Account: call.Caller.Account, Region: call.Caller.Region}
		all = append(all, wire.Access{Action: "events:PutEvents", Resource: b.arn(), Conditions: map[string][]string{
			"events:source": {e.Source}, "events:detail-type": {e.DetailType}}})
	}
	return all
}

type putResult struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

type putEventsOutput struct {
	FailedEntryCount int
	Entries          []putResult
}

// event is what rules see and targets get.
type event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

const (
	maxEntry   = 256 << 10
	maxDepth   = 8
	timeLayout = "2006-01-02T15:04:05Z"
)

type depthKey struct{}

// deeper counts how many buses an event has passed, so that a rule that feeds
// its own bus ends.
func deeper(ctx context.Context) (context.Context, error) {
	depth, _ := ctx.Value(depthKey{}).(int)
	if depth >= maxDepth {
		return ctx, wire.Errorf("LimitExceededException", "An event passed %d event buses: a rule feeds its own bus", maxDepth)
	}
	return context.WithValue(ctx, depthKey{}, depth+1), nil
}

func (s *Service) putEvents(ctx context.Context, call *wire.Call, in *putEventsInput) (*putEventsOutput, error) {
	ctx, err := deeper(ctx)
	if err != nil {
		return nil, err
	}
	out := &putEventsOutput{}
	for _, e := range in.Entries {
		result, err := s.putEvent(ctx, call, e)
		if err != nil {
			return nil, err
		}
		if result.ErrorCode != "" {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
	}
	return out, nil
}

func (e putEntry) fault() (code, message string) {
	var object map[string]json.RawMessage
	switch {
	case e.Source == "":
		return "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."
	case e.DetailType == "":
		return "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."
	case e.Detail == "":
		return "InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."
	case json.Unmarshal([]byte(e.Detail), &object) != nil || object == nil:
		return "MalformedDetail", "Detail is malformed."
	case len(e.Detail)+len(e.Source)+len(e.DetailType) > maxEntry:
		return "InvalidArgument", "Total size of the entry is greater than the maximum allowed."
	}
	return "", ""
}

func (s *Service) putEvent(ctx context.Context, call *wire.Call, e putEntry) (putResult, error) {
	if code, message := e.fault(); code != "" {
		return putResult{ErrorCode: code, ErrorMessage: message}, nil
	}
	id, err := s.newID()
	if err != nil {
		return putResult{}, err
	}
	at := s.cfg.Clock()
	if e.Time != nil && !e.Time.IsZero() {
		at = e.Time.Time
	}
	ev := event{"0", id, e.DetailType, e.Source, call.Caller.Account, at.UTC().Format(timeLayout), call.Caller.Region,
		append([]string{}, e.Resources...), json.RawMessage(e.Detail)}
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "events", Usage: "Events-64K-Chunks", Resource: busName(e.EventBusName),
		RunID: call.Caller.RunID, Amount: float64(1 + len(e.Detail)/(64<<10))})
	return putResult{EventID: id}, s.match(ctx, call.Caller.RunID, busName(e.EventBusName), ev)
}

// match hands an event to the targets of the rules that it fits.
func (s *Service) match(ctx context.Context, runID, busName string, ev event) error {
	raw, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	value, err := eventpattern.Decode(raw)
	if err != nil {
		return err
	}
	var all []state.Entry[rule]
	err = s.cfg.Store.View(func(tx state.Tx) error {
		all, err = rules.List(tx, state.Prefix(ev.Account, ev.Region, busName), "", 0)
		return err
	})
	for _, e := range all {
		if e.Value.Disabled || e.Value.Pattern == "" {
			continue
		}
		pattern, bad := eventpattern.Parse(e.Value.Pattern, eventpattern.EventBridge)
		if bad == nil && pattern.Match(value) {
			err = errors.Join(err, s.fire(ctx, runID, e.Value, ev, raw))
		}
	}
	return err
}

// fire hands an event to the targets of a rule. An error is one of this
// endpoint: what targets refuse goes to their dead-letter queues, or is lost
// as on AWS, and is in the request log.
func (s *Service) fire(ctx context.Context, runID string, r rule, ev event, raw []byte) error {
	var failed error
	for _, a := range r.Targets {
		body, err := a.render(r, raw, s.cfg.Clock())
		if err == nil {
			err = s.deliver(ctx, runID, r, a, ev, body)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func (s *Service) deliver(ctx context.Context, runID string, r rule, a aim, ev event, body string) error {
	self := wire.Caller{Account: r.Account, Region: r.Region, ARN: r.arn(), Service: "events.amazonaws.com", RunID: runID}
	m := target.Message{ARN: a.Arn, Caller: self, Body: body, Source: ev.Source, DetailType: ev.DetailType}
	if service, _ := target.Split(a.Arn); service == "events" {
		m.Body = string(ev.Detail)
	}
	if a.SqsParameters != nil {
		m.Group = a.SqsParameters.MessageGroupID
	}
	err := s.as(ctx, &m, a)
	if err == nil {
		err = s.cfg.Targets.Deliver(ctx, m)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil || a.DeadLetterConfig == nil || a.DeadLetterConfig.Arn == "" {
		return nil
	}
	e := wire.AsError(err)
	dead := target.Message{ARN: a.DeadLetterConfig.Arn, Caller: self, Body: string(body), Attributes: map[string]target.Attribute{
		"RULE_ARN": text(r.arn()), "TARGET_ARN": text(a.Arn), "ERROR_CODE": text(e.Code), "ERROR_MESSAGE": text(e.Message)}}
	if failed := s.cfg.Targets.Deliver(ctx, dead); failed != nil {
		return fmt.Errorf("deliver to the dead-letter queue: %w", errors.Join(failed, err))
	}
	return nil
}

func (s *Service) as(ctx context.Context, m *target.Message, a aim) error {
	if a.RoleArn == "" {
		return nil
	}
	runID := m.Caller.RunID
	caller, err := s.cfg.Assume(ctx, "events.amazonaws.com", a.RoleArn)
	if err == nil {
		m.Caller = caller
		if caller.RunID == "" {
			m.Caller.RunID = runID
		}
	}
	return err
}

func text(s string) target.Attribute { return target.Attribute{DataType: "String", StringValue: &s} }
