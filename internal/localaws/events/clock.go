package events

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"engage/internal/localaws/schedule"
	"engage/internal/localaws/state"
)

// Run fires the rules with a schedule, and tries again to deliver what targets
// did not take, until the context ends. Deliveries that fail are reported;
// they do not end it.
func (s *Service) Run(ctx context.Context, report func(error)) {
	s.alarm.Run(ctx, s.next, s.Tick, report)
}

// Tick fires each rule whose schedule is due after from and not after to, once,
// and makes the deliveries that are due again.
func (s *Service) Tick(ctx context.Context, from, to time.Time) error {
	var failed error
	err := s.scheduled(func(r rule, sched schedule.Schedule) {
		at := sched.Next(from, r.Anchor, time.UTC)
		if !at.IsZero() && !at.After(to) {
			failed = errors.Join(failed, s.fireAt(ctx, r, at))
		}
	})
	return errors.Join(err, failed, s.courier.Tick(ctx))
}

// next returns when the first rule, or delivery, is due after a time, the zero
// time for never.
func (s *Service) next(after time.Time) (first time.Time, err error) {
	if first, err = s.courier.Next(); err != nil {
		return first, err
	}
	err = s.scheduled(func(r rule, sched schedule.Schedule) {
		if at := sched.Next(after, r.Anchor, time.UTC); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	})
	return first, err
}

// scheduled visits the enabled rules that have a schedule.
func (s *Service) scheduled(visit func(rule, schedule.Schedule)) error {
	var all []state.Entry[rule]
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		all, err = rules.List(tx, "", "", 0)
		return err
	})
	for _, e := range all {
		if e.Value.Disabled || e.Value.Schedule == "" {
			continue
		}
		if sched, bad := schedule.Parse(e.Value.Schedule); bad == nil {
			visit(e.Value, sched)
		}
	}
	return err
}

func (s *Service) fireAt(ctx context.Context, r rule, at time.Time) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	ev := event{"0", id, "Scheduled Event", "aws.events", r.Account, at.UTC().Format(timeLayout), r.Region, []string{r.arn()}, json.RawMessage("{}")}
	raw, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	return s.fire(ctx, "", r, ev, raw)
}
