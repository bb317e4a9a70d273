package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"engage/internal/localaws/schedule"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

var durationPattern = regexp.MustCompile(`^[0-9]{1,2}h$`)

// check refuses rules that do not say when to rotate.
func (r *rules) check() error {
	switch {
	case r == nil:
		return nil
	case r.AutomaticallyAfterDays < 0:
		return errParameter("The rotation AutomaticallyAfterDays must be from 1 to 1000.")
	case r.ScheduleExpression != "" && r.AutomaticallyAfterDays > 0:
		return errParameter("You can't specify both AutomaticallyAfterDays and ScheduleExpression in the rotation rules.")
	case r.Duration != "" && !durationPattern.MatchString(r.Duration):
		return errParameter("The rotation Duration is invalid.")
	case r.ScheduleExpression == "":
		return nil
	}
	_, err := schedule.Parse(r.ScheduleExpression)
	if err != nil || strings.HasPrefix(r.ScheduleExpression, "at(") || strings.Contains(r.ScheduleExpression, "minute") {
		return errParameter("The rotation ScheduleExpression is invalid.")
	}
	return nil
}

// next returns when the window of the next rotation opens, nil for never.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
func (r *rules) next(now time.Time) *time.Time {
	if r == nil {
		return nil
	}
	if r.AutomaticallyAfterDays > 0 {
		at := now.AddDate(0, 0, r.AutomaticallyAfterDays)
		return &at
	}
	sched, err := schedule.Parse(r.ScheduleExpression)
	if err != nil {
		return nil // there are no rules but a duration
	}
	at := sched.Next(now, now, time.UTC)
	if at.IsZero() {
		return nil
	}
	return &at
}

// Run rotates the secrets whose time has come, and forgets those whose
// recovery window is over, until the context ends.
func (s *Service) Run(ctx context.Context, report func(error)) {
	s.alarm.Run(ctx, s.next, func(ctx context.Context, _, to time.Time) error { return s.Tick(ctx, to) }, report)
}

func (s *Service) next(time.Time) (first time.Time, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range secrets.Scan(tx, "", "") {
			found, err := raw.Value()
			if err != nil {
				return err
			}
			for _, at := range []*time.Time{found.Purge, found.Rotation.Next} {
				if at != nil && (first.IsZero() || at.Before(first)) {
					first = *at
				}
			}
		}
		return nil
	})
	return first, err
}

// Tick does what is due at a time.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	var due []secret
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		due = nil
		all, err := secrets.List(tx, "", "", 0)
		for _, e := range all {
			found := e.Value
			switch {
			case found.Purge != nil && !now.Before(*found.Purge):
				err = errors.Join(err, secrets.Delete(tx, e.Key))
			case found.Deleted == nil && found.Rotation.Enabled && found.Rotation.Next != nil && !now.Before(*found.Rotation.Next):
				found.Rotation.Next = found.Rotation.Rules.next(now)
				due = append(due, found)
				err = errors.Join(err, secrets.Put(tx, e.Key, found))
			}
		}
		return err
	})
	for _, found := range due {
		err = errors.Join(err, s.rotateDue(ctx, found))
	}
	return err
}

// rotateDue rotates a secret, or ends the rotation that an earlier attempt left unfinished.
func (s *Service) rotateDue(ctx context.Context, of secret) error {
	call := &wire.Call{Caller: wire.Caller{Account: of.Account, Region: of.Region}}
	token, err := s.newID()
	if err != nil {
		return err
	}
	if id := of.staged(pending); id != "" && id != of.staged(current) {
		token = id
	}
	_, err = s.change(call, of.arn(), func(found *secret) error {
		err := found.begin(token, s.cfg.Clock())
		of = *found
		return err
	})
	if err == nil {
		err = s.runSteps(ctx, call, of, token)
	}
	if err != nil {
		return fmt.Errorf("rotate the secret %s: %w", of.Name, err)
	}
	return nil
}
