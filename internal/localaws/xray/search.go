package xray

import (
	"context"
	"errors"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
	"engage/internal/localaws/xray/filter"
)

type summariesInput struct {
	StartTime        *wire.Time `required:"true"`
	EndTime          *wire.Time `required:"true"`
	TimeRangeType    string     `enum:"TraceId,Event,Service"`
	Sampling         bool
	SamplingStrategy *struct {
		Name  string
		Value float64
	}
	FilterExpression string
	NextToken        string
}

type summariesOutput struct {
	TraceSummaries       []*summary
	ApproximateTime      wire.Time
	TracesProcessedCount int
	NextToken            string `json:",omitempty"`
}

// pageSize is how many traces a page has, and pageScan how many it looks at.
const (
	pageSize = 100
	pageScan = 1000
)

// check reads the expression, and refuses what this endpoint does not do.
func (in *summariesInput) check() (filter.Expression, error) {
	switch {
	case in.EndTime.Before(in.StartTime.Time):
		return nil, invalid("EndTime must not be before StartTime")
	case in.TimeRangeType == "Service":
		return nil, wire.NotImplemented("TimeRangeType Service")
	case in.Sampling || in.SamplingStrategy != nil:
		return nil, wire.NotImplemented("Sampling of GetTraceSummaries")
	}
	wanted, err := filter.Parse(in.FilterExpression)
	var unsupported *filter.UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		return nil, wire.NotImplemented("%s", unsupported.What)
	case err != nil:
		return nil, invalid("Invalid filter expression: %v", err)
	}
	return wanted, nil
}

// summaries searches the traces of a time range: those that began in it, or with
// the type Event those that anything of ended in it.
func (s *Service) summaries(ctx context.Context, call *wire.Call, in *summariesInput) (*summariesOutput, error) {
	wanted, err := in.check()
	if err != nil {
		return nil, err
	}
	after, err := pageStart(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &summariesOutput{TraceSummaries: []*summary{}, ApproximateTime: wire.TimeOf(s.cfg.Clock())}
	err = s.cfg.Store.View(func(tx state.Tx) error { return s.search(tx, of(call.Caller), in, wanted, after, out) })
	s.count(ctx, call.Caller, "TracesScanned", out.TracesProcessedCount)
	return out, err
}

// search fills a page.
func (s *Service) search(tx state.Tx, p place, in *summariesInput, wanted filter.Expression, after string, out *summariesOutput) error {
	oldest := s.cfg.Clock().Add(-retention)
	from := in.StartTime.Time
	if in.TimeRangeType == "Event" || from.Before(oldest) {
		from = oldest
	}
	beyond := p.orderKey(in.EndTime.Time, "\xff") // ids are ASCII
	for raw := range order.ScanFrom(tx, p.prefix(), max(p.orderKey(from, ""), after), after) {
		if raw.Key() > beyond {
			return nil
		}
		id, err := raw.Value()
		if err != nil {
			return err
		}
		w, err := p.load(tx, id)
		if err != nil {
			return err
		}
		out.TracesProcessedCount++
		if sum := w.summarize(p.account); in.covers(w, sum) && wanted(sum.asked()) {
			out.TraceSummaries = append(out.TraceSummaries, sum)
		}
		if len(out.TraceSummaries) == pageSize || out.TracesProcessedCount == pageScan {
			out.NextToken = pageToken(raw.Key())
			return nil
		}
	}
	return nil
}

// covers tells whether a search by events wants the trace, and notes the event.
func (in *summariesInput) covers(w *whole, sum *summary) bool {
	if in.TimeRangeType != "Event" {
		return true
	}
	for i := range w.documents {
		at := wire.TimeOf(moment(w.documents[i].end()))
		if !at.Before(in.StartTime.Time) && !at.After(in.EndTime.Time) {
			sum.MatchedAt = &at
			return true
		}
	}
	return false
}
