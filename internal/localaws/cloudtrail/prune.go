package cloudtrail

import (
	"fmt"
	"time"

	"engage/internal/localaws/state"
)

// kept is how long events can be looked up.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
const kept = 90 * 24 * time.Hour

// maxPruned bounds how many events one transaction deletes, so that calls do
// not wait for it.
const maxPruned = 5000

// prune forgets events that are too old to be looked up and that every trail
// that logs has delivered.
func (s *Service) prune() error {
	for {
		var n int
		err := s.cfg.Store.Update(func(tx state.Tx) (err error) {
			n, err = s.pruneSome(tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old events: %w", err)
		}
		if n < maxPruned {
			return nil
		}
	}
}

func (s *Service) pruneSome(tx state.Tx) (int, error) {
	all, err := trails.List(tx, "", "", 0)
	if err != nil {
		return 0, err
	}
	oldest := s.cfg.Clock().Add(-kept)
	var old []string
	for raw := range events.Scan(tx, "", "") {
		e, err := raw.Value()
		if err != nil {
			return 0, err
		}
		if !e.Time.Before(oldest) || len(old) == maxPruned || undelivered(all, raw.Key()) {
			break
		}
		old = append(old, raw.Key())
	}
	for _, key := range old {
		if err := events.Delete(tx, key); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// undelivered reports whether a trail has still to look at an event.
func undelivered(all []state.Entry[trail], event string) bool {
	for _, e := range all {
		if e.Value.Logging && e.Value.Cursor < event {
			return true
		}
	}
	return false
}
