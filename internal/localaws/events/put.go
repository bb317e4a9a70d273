package events

import (
	"context"
	"encoding/json"
	"errors"
	"time"

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

func (s *Service) touchEvents(call *wire.Call, in *putEventsInput) []wire.Access {
	var all []wire.Access
	for _, e := range in.Entries {
		b := bus{Name: busName(e.EventBusName), Account: call.Caller.Account, Region: call.Caller.Region}
		_ = s.cfg.Store.View(func(tx state.Tx) error { // a bus that is not there is the operation's to refuse
			found, err := findBus(tx, call, b.Name)
			b.Policy = found.Policy
			return err
		})
		all = append(all, wire.Access{Action: "events:PutEvents", Resource: b.arn(), Policy: b.Policy, Conditions: map[string][]string{
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
			err = s.deliver(ctx, runID, r, a, ev, raw, body)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func (s *Service) deliver(ctx context.Context, runID string, r rule, a aim, ev event, raw []byte, body string) error {
	self := wire.Caller{Account: r.Account, Region: r.Region, ARN: r.arn(), Service: principal, RunID: runID}
	m := target.Message{ARN: a.Arn, Caller: self, Body: body, Source: ev.Source, DetailType: ev.DetailType, Resources: ev.Resources}
	if service, _ := target.Split(a.Arn); service == "events" {
		m.Body = string(ev.Detail)
	}
	if a.SqsParameters != nil {
		m.Group = a.SqsParameters.MessageGroupID
	}
	if a.EcsParameters != nil {
		m.Task = a.EcsParameters.Task()
		if a.untouched() {
			m.Body = "" // an event is no override of a task
		}
	}
	p := target.Parcel{Message: m, Service: principal, Role: a.RoleArn, Policy: a.retries(s.cfg.Clock())}
	if a.DeadLetterConfig != nil && a.DeadLetterConfig.Arn != "" {
		p.Dead = target.Letter{Errors: target.OfRules, Message: target.Message{ARN: a.DeadLetterConfig.Arn, Caller: self, Body: string(raw),
			Attributes: map[string]target.Attribute{"RULE_ARN": target.Text(r.arn())}}}
	}
	return s.courier.Send(ctx, p)
}

// principal is whose policy on a target, or whose trust in a role, lets events in.
const principal = "events.amazonaws.com"

// What AWS does when a target has no retry policy.
const (
	usualAttempts = 185
	usualAge      = 24 * time.Hour
)

func (a aim) retries(now time.Time) target.Policy {
	p := target.Policy{Retries: usualAttempts, Until: now.Add(usualAge)}
	if r := a.RetryPolicy; r != nil && r.MaximumRetryAttempts != nil {
		p.Retries = *r.MaximumRetryAttempts
	}
	if r := a.RetryPolicy; r != nil && r.MaximumEventAgeInSeconds != nil {
		p.Until = now.Add(time.Duration(*r.MaximumEventAgeInSeconds) * time.Second)
	}
	return p
}

// untouched reports whether a target gets the event as it is.
func (a aim) untouched() bool { return a.Input == "" && a.InputPath == "" && a.InputTransformer == nil }
