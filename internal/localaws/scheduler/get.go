package scheduler

import (
	"context"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type scheduleInput struct {
	Name      string `uri:"Name" json:"-"`
	GroupName string `query:"groupName" json:"-"`
}

type scheduleOutput struct {
	Arn, Name, GroupName       string
	ScheduleExpression         string
	ScheduleExpressionTimezone string
	StartDate                  *wire.Time `json:",omitempty"`
	EndDate                    *wire.Time `json:",omitempty"`
	Description                string     `json:",omitempty"`
	State                      string
	CreationDate               wire.Time
	LastModificationDate       wire.Time
	Target                     aim
	FlexibleTimeWindow         window
	ActionAfterCompletion      string
}

func stamp(t *time.Time) *wire.Time {
	if t == nil {
		return nil
	}
	w := wire.TimeOf(*t)
	return &w
}

// AWS tells a retry policy whether one was given or not.
const (
	usualAttempts = 185
	usualAge      = 86400
)

func (a aim) policy() retries {
	age, attempts := usualAge, usualAttempts
	if r := a.RetryPolicy; r != nil && r.Age != nil {
		age = *r.Age
	}
	if r := a.RetryPolicy; r != nil && r.Attempts != nil {
		attempts = *r.Attempts
	}
	return retries{&age, &attempts}
}

func (s *Service) get(_ context.Context, call *wire.Call, in *scheduleInput) (*scheduleOutput, error) {
	var p plan
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		if _, err := findGroup(tx, call, groupName(in.GroupName)); err != nil {
			return err
		}
		p, err = findPlan(tx, call, in.GroupName, in.Name)
		return err
	})
	policy := p.Target.policy()
	p.Target.RetryPolicy = &policy
	return &scheduleOutput{p.arn(), p.Name, p.Group, p.Expression, p.Timezone, stamp(p.Start), stamp(p.End), p.Description, p.State,
		wire.TimeOf(p.Created), wire.TimeOf(p.Modified), p.Target, p.Window, p.After}, err
}

type deleteInput struct {
	Name        string `uri:"Name" json:"-"`
	GroupName   string `query:"groupName" json:"-"`
	ClientToken string `query:"clientToken" json:"-"`
}

func (s *Service) remove(_ context.Context, call *wire.Call, in *deleteInput) (*wire.Empty, error) {
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		p, err := findPlan(tx, call, in.GroupName, in.Name)
		if err != nil {
			return err
		}
		return plans.Delete(tx, p.key())
	})
	return &wire.Empty{}, err
}

type listInput struct {
	Group      string `query:"ScheduleGroup" json:"-"`
	NamePrefix string `query:"NamePrefix" json:"-"`
	State      string `query:"State" json:"-" enum:"ENABLED,DISABLED"`
	NextToken  string `query:"NextToken" json:"-"`
	MaxResults *int   `query:"MaxResults" json:"-" min:"1" max:"100"`
}

type summary struct {
	Arn, Name, GroupName, State        string
	CreationDate, LastModificationDate wire.Time
	Target                             struct{ Arn string }
}

type listOutput struct {
	Schedules []summary
	NextToken string `json:",omitempty"`
}

const pageSize = 100

func limitOf(n *int) int {
	if n == nil {
		return pageSize
	}
	return *n
}

func (in *listInput) wants(p plan) bool {
	return strings.HasPrefix(p.Name, in.NamePrefix) && (in.State == "" || in.State == p.State)
}

func (s *Service) list(_ context.Context, call *wire.Call, in *listInput) (*listOutput, error) {
	out, last := &listOutput{Schedules: []summary{}}, ""
	within := state.Prefix(call.Caller.Account, call.Caller.Region)
	after := ""
	if group, name, ok := strings.Cut(in.NextToken, "/"); ok {
		after = within + state.Key(group, name)
	}
	if in.Group != "" {
		within = state.Prefix(call.Caller.Account, call.Caller.Region, in.Group)
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		if in.Group != "" {
			if _, err := findGroup(tx, call, in.Group); err != nil {
				return err
			}
		}
		for raw := range plans.Scan(tx, within, after) {
			p, err := raw.Value()
			if err != nil {
				return err
			}
			if !in.wants(p) {
				continue
			}
			if len(out.Schedules) == limitOf(in.MaxResults) {
				out.NextToken = last
				break
			}
			last = p.Group + "/" + p.Name
			out.Schedules = append(out.Schedules, summary{p.arn(), p.Name, p.Group, p.State, wire.TimeOf(p.Created), wire.TimeOf(p.Modified), struct{ Arn string }{p.Target.Arn}})
		}
		return nil
	})
}
