package xray

import (
	"context"
	"fmt"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type putInput struct {
	TraceSegmentDocuments []string `required:"true"`
}

type putOutput struct {
	UnprocessedTraceSegments []unprocessed
}

type unprocessed struct {
	ID      string `json:"Id,omitempty"`
	Code    string `json:"ErrorCode"`
	Message string
}

// Refused tells what was not processed, for a sender inside the endpoint.
func (o *putOutput) Refused() error {
	if len(o.UnprocessedTraceSegments) == 0 {
		return nil
	}
	first := o.UnprocessedTraceSegments[0]
	return fmt.Errorf("%d segments were not processed: segment %q: %s", len(o.UnprocessedTraceSegments), first.ID, first.Message)
}

// put keeps the segments that are valid, and names the others.
func (s *Service) put(ctx context.Context, call *wire.Call, in *putInput) (*putOutput, error) {
	out := &putOutput{UnprocessedTraceSegments: []unprocessed{}}
	now := s.cfg.Clock()
	var accepted []document
	for _, text := range in.TraceSegmentDocuments {
		read, bad := read(text, now)
		if bad != nil {
			out.UnprocessedTraceSegments = append(out.UnprocessedTraceSegments, *bad)
			continue
		}
		accepted = append(accepted, read...)
	}
	if len(accepted) == 0 {
		return out, nil
	}
	var added int
	err := s.cfg.Store.Batch(func(tx state.Tx) error {
		added = 0
		p := of(call.Caller)
		for _, d := range accepted {
			is, err := p.keep(tx, d)
			if err != nil {
				return err
			}
			if is {
				added++
			}
		}
		return p.prune(tx, now.Add(-retention), s.cfg.MaxBytes)
	})
	if err != nil {
		return nil, fmt.Errorf("keep segments: %w", err)
	}
	s.count(ctx, call.Caller, "TracesRecorded", added)
	return out, nil
}
