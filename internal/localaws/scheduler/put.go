package scheduler

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

type putInput struct {
	Name                       string `uri:"Name" json:"-"`
	GroupName                  string
	ScheduleExpression         string `required:"true" max:"256"`
	ScheduleExpressionTimezone string `max:"50"`
	StartDate, EndDate         *wire.Time
	Description                string `max:"512"`
	State                      string `enum:"ENABLED,DISABLED"`
	KmsKeyArn                  string
	Target                     aim    `required:"true"`
	FlexibleTimeWindow         window `required:"true"`
	ClientToken                string `max:"64"`
	ActionAfterCompletion      string `enum:"NONE,DELETE"`
}

type scheduleARN struct{ ScheduleArn string }

func or(text, usual string) string {
	if text == "" {
		return usual
	}
	return text
}

// plan checks the input, and makes the schedule of it.
func (in *putInput) plan(call *wire.Call) (plan, error) {
	p := plan{Name: in.Name, Group: groupName(in.GroupName), Account: call.Caller.Account, Region: call.Caller.Region,
		Expression: in.ScheduleExpression, Timezone: or(in.ScheduleExpressionTimezone, "UTC"), Description: in.Description,
		State: or(in.State, "ENABLED"), After: or(in.ActionAfterCompletion, "NONE"), Token: in.ClientToken,
		Window: in.FlexibleTimeWindow, Target: in.Target}
	if in.StartDate != nil {
		p.Start = &in.StartDate.Time
	}
	if in.EndDate != nil {
		p.End = &in.EndDate.Time
	}
	return p, firstError(checkName("name", in.Name), checkName("groupName", p.Group), in.checkTiming(), in.checkTarget())
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *putInput) checkTiming() error {
	if _, err := parse(in.ScheduleExpression); err != nil {
		return err
	}
	if _, err := location(in.ScheduleExpressionTimezone); err != nil {
		return err
	}
	if in.StartDate != nil && in.EndDate != nil && !in.EndDate.After(in.StartDate.Time) {
		return wire.ValidationException("The EndDate must come after the StartDate.")
	}
	if w := in.FlexibleTimeWindow; (w.Mode == "FLEXIBLE") != (w.Minutes != nil) {
		return wire.ValidationException("MaximumWindowInMinutes is required with the mode FLEXIBLE of a FlexibleTimeWindow, and with no other.")
	}
	if in.KmsKeyArn != "" {
		return wire.NotImplemented("the KmsKeyArn of a schedule")
	}
	return nil
}

var queuePattern = regexp.MustCompile(`^arn:aws(-[a-z]+)?:sqs:[a-z0-9-]+:[0-9]{12}:[a-zA-Z0-9_-]+$`)

func (in *putInput) checkTarget() error {
	t := in.Target
	if !target.Supports(t.Arn) {
		return wire.NotImplemented("the target %s", t.Arn)
	}
	if d := t.DeadLetterConfig; d != nil && d.Arn != "" && !queuePattern.MatchString(d.Arn) {
		return wire.ValidationException("The dead-letter queue %s is not the ARN of a standard queue.", d.Arn)
	}
	if strings.Contains(t.Input, "<aws.scheduler.attempt-number>") {
		return wire.NotImplemented("the context attribute <aws.scheduler.attempt-number>")
	}
	return t.checkParameters()
}

// checkParameters wants those of the target's service, and no others.
func (t aim) checkParameters() error {
	service, _ := target.Split(t.Arn)
	for _, p := range []struct {
		name, of       string
		given, needful bool
	}{
		{"EcsParameters", "ecs", t.EcsParameters != nil, true},
		{"EventBridgeParameters", "events", t.EventBridgeParameters != nil, true},
		{"SqsParameters", "sqs", t.SqsParameters != nil, strings.HasSuffix(t.Arn, ".fifo")},
	} {
		if p.given && service != p.of {
			return wire.ValidationException("%s do not fit the target %s.", p.name, t.Arn)
		}
		if !p.given && p.needful && service == p.of {
			return wire.ValidationException("%s are required for the target %s.", p.name, t.Arn)
		}
	}
	if t.EcsParameters != nil {
		if err := t.EcsParameters.Refuse(); err != nil {
			return err
		}
	}
	if t.Input != "" && service != "sqs" && service != "sns" && !json.Valid([]byte(t.Input)) {
		return wire.ValidationException("Invalid Input: the target %s takes JSON.", t.Arn)
	}
	return nil
}

// checkRole refuses a role that the Scheduler may not assume.
func (s *Service) checkRole(ctx context.Context, in *putInput) error {
	_, err := s.cfg.Assume(ctx, principal, in.Target.RoleArn)
	if wire.IsAccessDenied(err) {
		return wire.ValidationException("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
	}
	return err
}

func (s *Service) create(ctx context.Context, call *wire.Call, in *putInput) (*scheduleARN, error) {
	p, err := in.plan(call)
	if err == nil {
		err = s.checkRole(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	p.Created, p.Modified, p.Anchor = now, now, now
	if err := s.arm(&p, now); err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := findGroup(tx, call, p.Group); err != nil {
			return err
		}
		if old, err := plans.Get(tx, p.key()); err == nil {
			if p.Token != "" && old.Token == p.Token {
				return nil // the same request once more
			}
			return errExists("Schedule", p.Name)
		}
		return plans.Put(tx, p.key(), p)
	})
	s.alarm.Tell()
	return &scheduleARN{p.arn()}, err
}

// update replaces the whole schedule: what the input leaves out gets its default.
func (s *Service) update(ctx context.Context, call *wire.Call, in *putInput) (*scheduleARN, error) {
	p, err := in.plan(call)
	if err == nil {
		err = s.checkRole(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	p.Modified, p.Anchor = now, now
	if err := s.arm(&p, now); err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		old, err := findPlan(tx, call, p.Group, p.Name)
		if err != nil {
			return err
		}
		p.Created, p.Token = old.Created, old.Token
		return plans.Put(tx, p.key(), p)
	})
	s.alarm.Tell()
	return &scheduleARN{p.arn()}, err
}
