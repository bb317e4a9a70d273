package logs

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"engage/internal/localaws/logs/segment"
	"engage/internal/localaws/wire"
)

// GetLogEventsInput is the input of GetLogEvents.
type GetLogEventsInput struct {
	LogGroupName       string `json:"logGroupName"`
	LogGroupIdentifier string `json:"logGroupIdentifier"`
	LogStreamName      string `json:"logStreamName" required:"true"`
	StartTime          *int64 `json:"startTime" min:"0"`
	EndTime            *int64 `json:"endTime" min:"0"`
	StartFromHead      bool   `json:"startFromHead"`
	Limit              *int   `json:"limit" min:"1" max:"10000"`
	NextToken          string `json:"nextToken"`
	Unmask             bool   `json:"unmask"`
}

func (in *GetLogEventsInput) group() string {
	return eitherName(in.LogGroupName, in.LogGroupIdentifier)
}
func (in *GetLogEventsInput) stream() string { return in.LogStreamName }

// OutputLogEvent is one event of GetLogEvents.
type OutputLogEvent struct {
	IngestionTime int64  `json:"ingestionTime"`
	Message       string `json:"message"`
	Timestamp     int64  `json:"timestamp"`
}

// GetLogEventsOutput is the output of GetLogEvents. The tokens are always
// there; one that equals the token of the request says that the end is reached.
type GetLogEventsOutput struct {
	Events            []OutputLogEvent `json:"events"`
	NextForwardToken  string           `json:"nextForwardToken"`
	NextBackwardToken string           `json:"nextBackwardToken"`
}

// pageBytes and pageEvents bound an answer.
const (
	pageBytes  = 1 << 20
	pageEvents = 10_000
)

func (s *Service) getLogEvents(_ context.Context, call *wire.Call, in *GetLogEventsInput) (*GetLogEventsOutput, error) {
	if err := checkEither(in.LogGroupName, in.LogGroupIdentifier); err != nil {
		return nil, err
	}
	g, st, err := s.find(call.Caller, in.group(), in.LogStreamName)
	if err != nil {
		return nil, err
	}
	f, err := s.files(st.ID)
	if err != nil {
		return nil, err
	}
	window := newWindow(in.StartTime, in.EndTime, s.cutoff(g))
	direction, at, err := in.start(window)
	if err != nil {
		return nil, err
	}
	page := page{limit: limitOf(in.Limit)}
	if err := page.fill(f, window, direction == backward, at); err != nil {
		return nil, wire.InternalFailure(err)
	}
	return page.output(at, direction), nil
}

func limitOf(limit *int) int {
	if limit == nil {
		return pageEvents
	}
	return *limit
}

// window is the time that is asked for, from inclusive, to exclusive.
type window struct{ from, to int64 }

func newWindow(from, to *int64, cutoff int64) window {
	w := window{cutoff, math.MaxInt64}
	if from != nil {
		w.from = max(w.from, *from)
	}
	if to != nil {
		w.to = *to
	}
	return w
}

const (
	forward  = "f"
	backward = "b"
)

// start returns where the page begins and which way it goes.
func (in *GetLogEventsInput) start(w window) (direction string, at segment.Position, err error) {
	switch {
	case in.NextToken != "":
		return parseToken(in.NextToken)
	case in.StartFromHead:
		return forward, segment.Position{Time: w.from - 1, Seq: math.MaxUint64}, nil
	}
	return backward, segment.Position{Time: w.to}, nil
}

// token carries a position between events: what a page ended before or after.
func token(direction string, p segment.Position) string {
	return fmt.Sprintf("%s/%d-%d/s", direction, p.Time, p.Seq)
}

func parseToken(text string) (direction string, p segment.Position, err error) {
	fail := invalid("The specified nextToken is invalid.")
	parts := strings.Split(text, "/")
	if len(parts) != 3 || parts[0] != forward && parts[0] != backward || parts[2] != "s" {
		return "", p, fail
	}
	i := strings.LastIndexByte(parts[1], '-')
	if i < 1 {
		return "", p, fail
	}
	t, err1 := strconv.ParseInt(parts[1][:i], 10, 64)
	seq, err2 := strconv.ParseUint(parts[1][i+1:], 10, 64)
	if err1 != nil || err2 != nil {
		return "", p, fail
	}
	return parts[0], segment.Position{Time: t, Seq: seq}, nil
}

// page collects events up to the limits of an answer.
type page struct {
	limit  int
	events []segment.Found
	bytes  int
}

func (p *page) fill(f *segment.Stream, w window, back bool, at segment.Position) error {
	from, to := w.from, w.to
	if back && at.Time < math.MaxInt64 {
		to = min(to, at.Time+1)
	} else if !back {
		from = max(from, at.Time)
	}
	m := segment.NewMerge([]segment.Source{{Stream: f}}, from, to, back)
	for len(p.events) < p.limit {
		e, ok, err := m.Next()
		if err != nil || !ok {
			return err
		}
		if order := e.Position().Compare(at); back && order >= 0 || !back && order <= 0 {
			continue
		}
		if !p.add(e) {
			return nil
		}
	}
	return nil
}

// add returns false when the page is full.
func (p *page) add(e segment.Found) bool {
	size := len(e.Message) + EventOverhead
	if p.bytes+size > pageBytes && len(p.events) > 0 {
		return false
	}
	p.bytes += size
	p.events = append(p.events, e)
	return true
}

// output gives the events oldest first. Without events the tokens stay at the
// place where the page began.
func (p *page) output(at segment.Position, direction string) *GetLogEventsOutput {
	if direction == backward {
		slices.Reverse(p.events)
	}
	first, last := at, at
	if n := len(p.events); n > 0 {
		first, last = p.events[0].Position(), p.events[n-1].Position()
	}
	out := &GetLogEventsOutput{
		Events:           make([]OutputLogEvent, len(p.events)),
		NextForwardToken: token(forward, last), NextBackwardToken: token(backward, first),
	}
	for i, e := range p.events {
		out.Events[i] = OutputLogEvent{e.Ingested, e.Message, e.Time}
	}
	return out
}
