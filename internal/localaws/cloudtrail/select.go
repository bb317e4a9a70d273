package cloudtrail

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// selector is AWS's EventSelector.
type selector struct {
	ReadWriteType                 string         `json:",omitempty" enum:"ReadOnly,WriteOnly,All"`
	IncludeManagementEvents       *bool          `json:",omitempty"`
	DataResources                 []dataResource `json:",omitempty"`
	ExcludeManagementEventSources []string       `json:",omitempty"`
}

type dataResource struct {
	Type   string
	Values []string
}

// selects reports whether the trail logs an event: without selectors all
// management events and no data.
func (t trail) selects(e stored) bool {
	if e.Account != t.Account || e.Region != t.Region && !t.Multi {
		return false
	}
	if len(t.Advanced) > 0 {
		return slices.ContainsFunc(t.Advanced, func(a advanced) bool { return a.selects(e.Record) })
	}
	if len(t.Selectors) == 0 {
		return e.Record.ManagementEvent
	}
	return slices.ContainsFunc(t.Selectors, func(s selector) bool { return s.selects(e.Record) })
}

func (s selector) selects(r record) bool {
	if s.ReadWriteType == "ReadOnly" && !r.ReadOnly || s.ReadWriteType == "WriteOnly" && r.ReadOnly {
		return false
	}
	if r.ManagementEvent {
		return (s.IncludeManagementEvents == nil || *s.IncludeManagementEvents) && !slices.Contains(s.ExcludeManagementEventSources, r.EventSource)
	}
	for _, d := range s.DataResources {
		for _, prefix := range d.Values {
			if d.Type == dataTypes[r.EventSource] && slices.ContainsFunc(r.Resources, func(n resourceName) bool { return strings.HasPrefix(n.ARN, prefix) }) {
				return true
			}
		}
	}
	return false
}

// dataTypes are the data resources that can be selected, by the source of their events.
var dataTypes = map[string]string{"s3.amazonaws.com": "AWS::S3::Object", "lambda.amazonaws.com": "AWS::Lambda::Function", "dynamodb.amazonaws.com": "AWS::DynamoDB::Table"}

type selectorsInput struct {
	TrailName              string     `required:"true"`
	EventSelectors         []selector `max:"5"`
	AdvancedEventSelectors []advanced
}

type selectorsOutput struct {
	TrailARN               string
	EventSelectors         []selector `json:",omitempty"`
	AdvancedEventSelectors []advanced `json:",omitempty"`
}

func (s *Service) putSelectors(_ context.Context, call *wire.Call, in *selectorsInput) (*selectorsOutput, error) {
	if (len(in.EventSelectors) > 0) == (len(in.AdvancedEventSelectors) > 0) {
		return nil, wire.Errorf("InvalidEventSelectorsException", "Specify either EventSelectors or AdvancedEventSelectors, and not both.")
	}
	for _, a := range in.AdvancedEventSelectors {
		if err := a.check(); err != nil {
			return nil, err
		}
	}
	for _, sel := range in.EventSelectors {
		for _, d := range sel.DataResources {
			known := false
			for _, name := range dataTypes {
				known = known || name == d.Type
			}
			if !known {
				return nil, wire.NotImplemented("the data resource type %s", d.Type)
			}
		}
	}
	t, err := s.change(call, in.TrailName, func(t *trail) error {
		t.Selectors, t.Advanced = in.EventSelectors, in.AdvancedEventSelectors
		return nil
	})
	return &selectorsOutput{t.arn(), t.Selectors, t.Advanced}, err
}

type trailNameInput struct {
	TrailName string `required:"true"`
}

func (s *Service) getSelectors(_ context.Context, call *wire.Call, in *trailNameInput) (*selectorsOutput, error) {
	t, err := s.find(call, in.TrailName)
	if len(t.Selectors)+len(t.Advanced) == 0 {
		yes := true
		t.Selectors = []selector{{ReadWriteType: "All", IncludeManagementEvents: &yes}}
	}
	return &selectorsOutput{t.arn(), t.Selectors, t.Advanced}, err
}

type lookupInput struct {
	LookupAttributes []struct {
		AttributeKey   string `required:"true" enum:"EventId,EventName,ReadOnly,Username,ResourceName,EventSource,AccessKeyId"`
		AttributeValue string `required:"true"`
	} `max:"1"`
	StartTime, EndTime *wire.Time
	MaxResults         *int `min:"1" max:"50"`
	NextToken          string
}

type lookedUp struct {
	EventID         string `json:"EventId"`
	EventName       string
	ReadOnly        string
	AccessKeyID     string `json:"AccessKeyId,omitempty"`
	EventTime       wire.Time
	EventSource     string
	Username        string
	CloudTrailEvent string
}

type lookupOutput struct {
	Events    []lookedUp
	NextToken string `json:",omitempty"`
}

func (in *lookupInput) wants(e stored, call *wire.Call) bool {
	if e.Account != call.Caller.Account || e.Region != call.Caller.Region || !e.Record.ManagementEvent ||
		in.StartTime != nil && e.Time.Before(in.StartTime.Time) || in.EndTime != nil && e.Time.After(in.EndTime.Time) {
		return false
	}
	for _, a := range in.LookupAttributes {
		have := map[string]string{"EventId": e.Record.EventID, "EventName": e.Record.EventName, "ReadOnly": strconv.FormatBool(e.Record.ReadOnly),
			"Username": e.Username, "EventSource": e.Record.EventSource, "AccessKeyId": e.Record.UserIdentity.AccessKeyID}
		if a.AttributeKey == "ResourceName" {
			return slices.ContainsFunc(e.Record.Resources, func(n resourceName) bool { return strings.HasSuffix(n.ARN, a.AttributeValue) })
		}
		if have[a.AttributeKey] != a.AttributeValue {
			return false
		}
	}
	return true
}

// lookupEvents returns management events, the newest first.
func (s *Service) lookupEvents(_ context.Context, call *wire.Call, in *lookupInput) (*lookupOutput, error) {
	if err := s.save(); err != nil {
		return nil, err
	}
	var found []state.Entry[stored]
	oldest := s.cfg.Clock().Add(-kept)
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range events.Scan(tx, "", "") {
			if in.NextToken != "" && raw.Key() >= in.NextToken {
				break
			}
			e, err := raw.Value()
			if err != nil {
				return err
			}
			if in.wants(e, call) && !e.Time.Before(oldest) {
				found = append(found, state.Entry[stored]{Key: raw.Key(), Value: e})
			}
		}
		return nil
	})
	slices.Reverse(found)
	limit := 50
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	out := &lookupOutput{Events: []lookedUp{}}
	if len(found) > limit {
		found, out.NextToken = found[:limit], found[limit-1].Key
	}
	for _, e := range found {
		r := e.Value.Record
		text, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		out.Events = append(out.Events, lookedUp{r.EventID, r.EventName, strconv.FormatBool(r.ReadOnly), r.UserIdentity.AccessKeyID,
			wire.TimeOf(e.Value.Time), r.EventSource, e.Value.Username, string(text)})
	}
	return out, err
}

func stamp(t *time.Time) *wire.Time {
	if t == nil {
		return nil
	}
	w := wire.TimeOf(*t)
	return &w
}
