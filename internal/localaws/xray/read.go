package xray

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// whole is a trace with its segments, those that began first first.
type whole struct {
	id string
	record
	documents []document
}

// load reads a trace. Errors: state.ErrNotFound.
func (p place) load(tx state.Tx, id string) (*whole, error) {
	r, err := records.Get(tx, p.key(id))
	if err != nil {
		return nil, err
	}
	kept, err := documents.List(tx, p.key(id)+"\x00", "", 0)
	if err != nil {
		return nil, err
	}
	w := &whole{id: id, record: r}
	for _, e := range kept {
		d := document{text: e.Value}
		if err := json.Unmarshal(e.Value, &d.segment); err != nil {
			return nil, err // it was read when it was kept
		}
		w.documents = append(w.documents, d)
	}
	slices.SortStableFunc(w.documents, func(a, b document) int { return cmp.Compare(a.start(), b.start()) })
	return w, nil
}

// span returns when the first segment began and the last one ended.
func (w *whole) span() (start, end float64) {
	start = w.Start
	for i := range w.documents {
		end = max(end, w.documents[i].end())
	}
	return start, max(start, end)
}

// known returns the traces of a list that are kept and not too old, and the ids of the others.
func (s *Service) known(c wire.Caller, ids []string) (found []*whole, missing []string, err error) {
	missing = []string{}
	oldest := float64(s.cfg.Clock().Add(-retention).UnixMicro()) / 1e6
	err = s.cfg.Store.View(func(tx state.Tx) error {
		for i, id := range ids {
			if slices.Contains(ids[:i], id) {
				continue
			}
			w, err := of(c).load(tx, id)
			switch {
			case errors.Is(err, state.ErrNotFound) || err == nil && w.Start < oldest:
				missing = append(missing, id)
			case err != nil:
				return err
			default:
				found = append(found, w)
			}
		}
		return nil
	})
	return found, missing, err
}

type traceIDsInput struct {
	TraceIds  []string `required:"true"`
	NextToken string
}

// check refuses what no answer of this endpoint asks for. An answer is never
// long enough for a second page: an input has five traces at most.
func (in *traceIDsInput) check() error {
	switch {
	case len(in.TraceIds) > maxBatch:
		return invalid("TraceIds has %d entries; at most %d are allowed", len(in.TraceIds), maxBatch)
	case in.NextToken != "":
		return invalid("NextToken is not valid")
	}
	return nil
}

// maxBatch is how many traces a call reads.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html
const maxBatch = 5

type tracesOutput struct {
	Traces              []fullTrace
	UnprocessedTraceIds []string
}

type fullTrace struct {
	ID            string `json:"Id"`
	Duration      float64
	LimitExceeded bool
	Segments      []fullSegment
}

type fullSegment struct {
	ID       string `json:"Id"`
	Document string
}

// traces returns traces with their documents.
func (s *Service) traces(ctx context.Context, call *wire.Call, in *traceIDsInput) (*tracesOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	found, missing, err := s.known(call.Caller, in.TraceIds)
	if err != nil {
		return nil, err
	}
	out := &tracesOutput{Traces: []fullTrace{}, UnprocessedTraceIds: missing}
	for _, w := range found {
		start, end := w.span()
		full := fullTrace{ID: w.id, Duration: seconds(end - start), LimitExceeded: w.Exceeded}
		for _, d := range w.documents {
			full.Segments = append(full.Segments, fullSegment{d.ID, string(d.text)})
		}
		out.Traces = append(out.Traces, full)
	}
	s.count(ctx, call.Caller, "TracesRetrieved", len(found))
	return out, nil
}

// seconds rounds a difference of times to the microsecond, which is what segments have.
func seconds(d float64) float64 {
	return float64(time.Duration(d*1e6+0.5)) / 1e6
}

func pageToken(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

func pageStart(token string) (string, error) {
	key, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", invalid("NextToken is not valid")
	}
	return string(key), nil
}
