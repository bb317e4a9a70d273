package states

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

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
		if in.Data != nil && !*in.Data {
			if text, err = withoutData(text); err != nil {
				return err
			}
		}
		out.Events = append(out.Events, text)
	}
}

// withoutData is an event without inputs and outputs.
func withoutData(event json.RawMessage) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(event, &all); err != nil {
		return nil, err
	}
	for name, raw := range all {
		if !strings.HasSuffix(name, "EventDetails") {
			continue
		}
		var details map[string]json.RawMessage
		if err := json.Unmarshal(raw, &details); err != nil {
			return nil, err
		}
		for _, private := range executionData {
			delete(details, private)
		}
		kept, err := json.Marshal(details)
		if err != nil {
			return nil, err
		}
		all[name] = kept
	}
	return json.Marshal(all)
}
