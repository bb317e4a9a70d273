package states

import (
	"context"
	"encoding/json"
	"errors"

	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type historyInput struct {
	ARN     string `json:"executionArn" required:"true"`
	Reverse bool   `json:"reverseOrder"`
	Data    *bool  `json:"includeExecutionData"`
	listInput
}

func (i *historyInput) target() string { return i.ARN }

type historyOutput struct {
	Events []json.RawMessage `json:"events"`
	Token  string            `json:"nextToken,omitempty"`
}

func (s *Service) history(_ context.Context, _ *wire.Call, in *historyInput) (*historyOutput, error) {
	if in.Data != nil && !*in.Data {
		return nil, wire.NotImplemented("GetExecutionHistory without execution data")
	}
	e, err := s.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	token, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	if err := s.journal.flush(); err != nil {
		return nil, err
	}
	out := &historyOutput{Events: []json.RawMessage{}}
	return out, s.store.View(func(tx state.Tx) error { return pageOfEvents(tx, e.key(), in, token, out) })
}

// pageOfEvents reads events by their ids, which have no gaps.
func pageOfEvents(tx state.Tx, execution string, in *historyInput, token string, out *historyOutput) error {
	next, step := int64(1), int64(1)
	if in.Reverse {
		next, step = lastEvent(tx, execution), -1
	}
	if token != "" {
		if err := json.Unmarshal([]byte(token), &next); err != nil {
			return wire.Errorf("InvalidToken", "Invalid Token: '%s'", in.Token)
		}
	}
	for ; ; next += step {
		text, err := events.Get(tx, eventKey(execution, next))
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(out.Events) == pageSize(in.Max) {
			out.Token = pageToken(value.String(next))
			return nil
		}
		out.Events = append(out.Events, text)
	}
}
