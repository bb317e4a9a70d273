package logs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"

	"engage/internal/localaws/logs/pattern"
	"engage/internal/localaws/logs/segment"
	"engage/internal/localaws/wire"
)

// FilterLogEventsInput is the input of FilterLogEvents.
type FilterLogEventsInput struct {
	LogGroupName        string   `json:"logGroupName"`
	LogGroupIdentifier  string   `json:"logGroupIdentifier"`
	LogStreamNames      []string `json:"logStreamNames" max:"100"`
	LogStreamNamePrefix string   `json:"logStreamNamePrefix"`
	StartTime           *int64   `json:"startTime" min:"0"`
	EndTime             *int64   `json:"endTime" min:"0"`
	FilterPattern       string   `json:"filterPattern"`
	NextToken           string   `json:"nextToken"`
	Limit               *int     `json:"limit" min:"1" max:"10000"`
	Interleaved         bool     `json:"interleaved"` // AWS ignores it: always true
	Unmask              bool     `json:"unmask"`
}

func (in *FilterLogEventsInput) group() string {
	return eitherName(in.LogGroupName, in.LogGroupIdentifier)
}

// FilteredLogEvent is one event of FilterLogEvents.
type FilteredLogEvent struct {
	EventID       string `json:"eventId"`
	IngestionTime int64  `json:"ingestionTime"`
	LogStreamName string `json:"logStreamName"`
	Message       string `json:"message"`
	Timestamp     int64  `json:"timestamp"`
}

// FilterLogEventsOutput is the output of FilterLogEvents.
type FilterLogEventsOutput struct {
	Events             []FilteredLogEvent `json:"events"`
	NextToken          string             `json:"nextToken,omitempty"`
	SearchedLogStreams []struct{}         `json:"searchedLogStreams"` // empty, as AWS has it since 2020
}

func (s *Service) filterLogEvents(ctx context.Context, call *wire.Call, in *FilterLogEventsInput) (*FilterLogEventsOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	p, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	after, err := parseFilterToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	found, cutoff, err := s.sources(call.Caller, in.group(), in.LogStreamNames, in.LogStreamNamePrefix)
	if err != nil {
		return nil, err
	}
	w := newWindow(in.StartTime, in.EndTime, cutoff)
	w.from = max(w.from, after.Time)
	sources := make([]segment.Source, len(found))
	for i, st := range found {
		sources[i] = st.Source
	}
	page := page{limit: limitOf(in.Limit)}
	more, err := page.filter(ctx, segment.NewMerge(sources, w.from, w.to, false), p, after)
	if err != nil {
		return nil, wire.InternalFailure(err)
	}
	return page.filtered(more), nil
}

func (in *FilterLogEventsInput) check() error {
	if err := checkEither(in.LogGroupName, in.LogGroupIdentifier); err != nil {
		return err
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != "" {
		return invalid("logStreamNamePrefix and logStreamNames are mutually exclusive.")
	}
	if in.StartTime != nil && in.EndTime != nil && *in.StartTime > *in.EndTime {
		return invalid("startTime must not be after endTime.")
	}
	return nil
}

// parsePattern tells an unsupported pattern from a wrong one.
func parsePattern(text string) (pattern.Pattern, error) {
	p, err := pattern.Parse(text)
	var unsupported *pattern.UnsupportedError
	if errors.As(err, &unsupported) {
		return p, wire.NotImplemented("the %v", unsupported)
	}
	if err != nil {
		return p, invalid("%v", err)
	}
	return p, nil
}

// filter adds what the pattern selects, and reports whether there may be more.
func (p *page) filter(ctx context.Context, m *segment.Merge, pat pattern.Pattern, after segment.Position) (more bool, err error) {
	for ctx.Err() == nil {
		e, ok, err := m.Next()
		if err != nil || !ok {
			return false, err
		}
		if e.Position().Compare(after) <= 0 && after != (segment.Position{}) || !pat.Match(e.Message) {
			continue
		}
		if len(p.events) == p.limit || !p.add(e) {
			return true, nil
		}
	}
	return false, ctx.Err()
}

func (p *page) filtered(more bool) *FilterLogEventsOutput {
	out := &FilterLogEventsOutput{Events: make([]FilteredLogEvent, len(p.events)), SearchedLogStreams: []struct{}{}}
	for i, e := range p.events {
		out.Events[i] = FilteredLogEvent{eventID(e), e.Ingested, e.Stream, e.Message, e.Time}
	}
	if more {
		out.NextToken = filterToken(p.events[len(p.events)-1].Position())
	}
	return out
}

// eventID is unique in the group: the time, the stream and the place in it.
func eventID(e segment.Found) string {
	h := fnv.New64a()
	h.Write([]byte(e.Stream)) //nolint:errcheck // never fails
	return fmt.Sprintf("%016d%020d%020d", max(e.Time, 0), h.Sum64(), e.Seq)
}

func filterToken(p segment.Position) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic("logs: a position cannot be written: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseFilterToken(text string) (p segment.Position, err error) {
	if text == "" {
		return p, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		return p, invalid("The specified nextToken is invalid.")
	}
	return p, nil
}
