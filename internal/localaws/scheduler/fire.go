package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// Run fires schedules until the context ends. What a schedule that recurs
// missed while nothing ran is gone; an at() of that time is late instead.
func (s *Service) Run(ctx context.Context, report func(error)) {
	if err := s.resume(); err != nil {
		report(fmt.Errorf("resume schedules: %w", err))
	}
	s.alarm.Run(ctx, s.next, func(ctx context.Context, _, to time.Time) error { return s.Tick(ctx, to) }, report)
}

// resume moves schedules that recur on to their next invocation.
func (s *Service) resume() error {
	now := s.cfg.Clock()
	return s.each(func(tx state.Tx, p plan) error {
		if p.once() || !p.Fire.Before(now) {
			return nil
		}
		if err := s.arm(&p, now); err != nil {
			return err
		}
		return s.keep(tx, p)
	})
}

// each visits the schedules that have an invocation to come.
func (s *Service) each(visit func(state.Tx, plan) error) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		all, err := plans.List(tx, "", "", 0)
		for _, e := range all {
			if !e.Value.Fire.IsZero() {
				err = errors.Join(err, visit(tx, e.Value))
			}
		}
		return err
	})
}

// keep keeps a schedule, or removes it when it is done and asked to be.
func (s *Service) keep(tx state.Tx, p plan) error {
	if p.Fire.IsZero() && p.After == "DELETE" {
		return plans.Delete(tx, p.key())
	}
	return plans.Put(tx, p.key(), p)
}

// next returns when the first schedule, or attempt at a delivery, is due.
func (s *Service) next(time.Time) (time.Time, error) {
	first, err := s.courier.Next()
	if err != nil {
		return first, err
	}
	return first, s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range plans.Scan(tx, "", "") {
			p, err := raw.Value()
			if err != nil {
				return err
			}
			if !p.Fire.IsZero() && (first.IsZero() || p.Fire.Before(first)) {
				first = p.Fire
			}
		}
		return nil
	})
}

// Tick fires what is due at a time, once each, and delivers it. What fires is
// written down with the schedule's next time, so that a crash between the two
// loses nothing.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	due, err := s.anyDue(now)
	if err == nil && due {
		err = s.each(func(tx state.Tx, p plan) error {
			if p.Fire.After(now) {
				return nil
			}
			return s.fire(ctx, tx, p, now)
		})
	}
	return errors.Join(err, s.courier.Tick(ctx))
}

func (s *Service) anyDue(now time.Time) (due bool, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range plans.Scan(tx, "", "") {
			p, err := raw.Value()
			if err != nil {
				return err
			}
			due = due || !p.Fire.IsZero() && !p.Fire.After(now)
		}
		return nil
	})
	return due, err
}

func (s *Service) fire(ctx context.Context, tx state.Tx, p plan, now time.Time) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	parcel, err := p.parcel(id, now)
	if err != nil {
		return err
	}
	if err := s.courier.Put(tx, parcel); err != nil {
		return err
	}
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "scheduler", Usage: "Invocations", Resource: p.Name, Amount: 1})
	if err := s.arm(&p, laterOf(p.At, now)); err != nil {
		return err
	}
	return s.keep(tx, p)
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *Service) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.cfg.Random, raw[:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), nil
}

const timeLayout = "2006-01-02T15:04:05Z"

// parcel is one invocation on its way.
func (p plan) parcel(id string, now time.Time) (target.Parcel, error) {
	policy := p.Target.policy()
	at := p.At.UTC().Format(timeLayout)
	m := target.Message{ARN: p.Target.Arn, Caller: wire.Caller{Account: p.Account, Region: p.Region}}
	var err error
	if m.Body, err = p.body(id, at); err != nil {
		return target.Parcel{}, err
	}
	if e := p.Target.EventBridgeParameters; e != nil {
		m.Source, m.DetailType = e.Source, e.DetailType
	}
	if q := p.Target.SqsParameters; q != nil {
		m.Group = q.MessageGroupID
	}
	if e := p.Target.EcsParameters; e != nil {
		m.Task, m.Body = e.Task(), p.Target.Input
	}
	out := target.Parcel{Message: m, Service: principal, Role: p.Target.RoleArn, Due: now,
		Policy: target.Policy{Retries: *policy.Attempts, Until: now.Add(time.Duration(*policy.Age) * time.Second)}}
	if d := p.Target.DeadLetterConfig; d != nil && d.Arn != "" {
		out.Dead = target.Letter{Errors: target.OfPlanned, Role: p.Target.RoleArn, Message: target.Message{ARN: d.Arn, Body: or(m.Body, "{}"), Caller: m.Caller,
			Attributes: map[string]target.Attribute{"SCHEDULE_ARN": target.Text(p.arn()), "SCHEDULED_TIME": target.Text(at),
				"EXECUTION_ID": target.Text(id), "IS_PAYLOAD_TRUNCATED": target.Text("false")}}}
	}
	return out, nil
}

// body is the target's input, with what it asks for of its context, or the
// event that a target without an input gets.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
func (p plan) body(id, at string) (string, error) {
	if p.Target.Input != "" {
		return strings.NewReplacer("<aws.scheduler.schedule-arn>", p.arn(), "<aws.scheduler.scheduled-time>", at,
			"<aws.scheduler.execution-id>", id).Replace(p.Target.Input), nil
	}
	if service, _ := target.Split(p.Target.Arn); service == "events" {
		return "{}", nil
	}
	b, err := json.Marshal(struct {
		Version    string   `json:"version"`
		ID         string   `json:"id"`
		DetailType string   `json:"detail-type"`
		Source     string   `json:"source"`
		Account    string   `json:"account"`
		Time       string   `json:"time"`
		Region     string   `json:"region"`
		Resources  []string `json:"resources"`
		Detail     string   `json:"detail"`
	}{"0", id, "Scheduled Event", "aws.scheduler", p.Account, at, p.Region, []string{p.arn()}, "{}"})
	return string(b), err
}
