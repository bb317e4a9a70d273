package events

import (
	"context"
	"encoding/json"
	"time"
)

// ServiceEvent is what a service of the endpoint tells of itself. Nobody pays for it.
type ServiceEvent struct {
	Account, Region, RunID string
	Source, DetailType     string
	Time                   time.Time
	Resources              []string
	Detail                 json.RawMessage
}

// Tell puts a service's event on the default bus.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html
func (s *Service) Tell(ctx context.Context, e ServiceEvent) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	return s.match(ctx, e.RunID, busName(""), event{"0", id, e.DetailType, e.Source, e.Account, e.Time.UTC().Format(timeLayout), e.Region, e.Resources, e.Detail})
}
