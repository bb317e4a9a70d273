package events

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"engage/internal/localaws/schedule"
	"engage/internal/localaws/state"
)

// idle is how long Run waits at most: the clock of a machine may be set.
const idle = time.Minute

// Run fires the rules with a schedule until the context ends. Deliveries that
// fail are reported; they do not end it.
func (s *Service) Run(ctx context.Context, report func(error)) {
	from := s.cfg.Clock()
	for {
		news := s.news()
		wait := idle
		if next, err := s.next(from); err != nil {
			report(err)
		} else if !next.IsZero() {
			wait = max(0, min(idle, next.Sub(s.cfg.Clock())))
		}
		timer, stop := s.cfg.After(wait)
		select {
		case <-ctx.Done():
			stop()
			return
		case <-news:
		case <-timer:
		}
		stop()
		to := s.cfg.Clock()
		if err := s.Tick(ctx, from, to); err != nil {
			report(err)
		}
		from = to
	}
}

// Tick fires each rule whose schedule is due after from and not after to, once.
func (s *Service) Tick(ctx context.Context, from, to time.Time) error {
	var failed error
	err := s.scheduled(func(r rule, sched schedule.Schedule) {
		at := sched.Next(from, r.Anchor, time.UTC)
		if !at.IsZero() && !at.After(to) {
			failed = errors.Join(failed, s.fireAt(ctx, r, at))
		}
	})
	return errors.Join(err, failed)
}

// next returns when the first rule is due after a time, the zero time for never.
func (s *Service) next(after time.Time) (first time.Time, err error) {
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
