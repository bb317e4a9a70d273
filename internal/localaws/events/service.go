package events

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"engage/internal/localaws/alarm"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// Config says what the service works with.
type Config struct {
	// Store keeps buses and rules. There is no default.
	Store *state.Store
	// Targets takes the events. There is no default.
	Targets target.Deliverer
	// Assume returns the caller that has a target's role, which must trust
	// events.amazonaws.com. Without it a target with a role is refused.
	Assume func(ctx context.Context, service, roleARN string) (wire.Caller, error)
	// Clock is for schedules and timestamps. The default is time.Now.
	Clock func() time.Time
	// After makes a channel that fires after a time, and a function that lets
	// go of it. The default is a time.Timer.
	After func(time.Duration) (<-chan time.Time, func())
	// Random makes ids. The default is crypto/rand.Reader.
	Random io.Reader
	// Meter counts events. The default counts nothing.
	Meter wire.Meter
}

// Service is EventBridge.
type Service struct {
	cfg     Config
	alarm   *alarm.Alarm
	courier *target.Courier
}

// New opens the service. Schedules fire while Run runs.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	s := &Service{cfg: cfg, alarm: alarm.New(cfg.Clock, cfg.After)}
	s.courier = target.NewCourier(target.CourierConfig{Name: "events", Store: cfg.Store, Targets: cfg.Targets,
		Assume: cfg.Assume, Clock: cfg.Clock, Random: cfg.Random, Tell: s.alarm.Tell})
	return s
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "events", Targets: []string{"AWSEvents"}, Protocol: wire.JSON11, Operations: []wire.Operation{
		wire.JSON("PutRule", s.putRule, touch("PutRule", func(in *putRuleInput) (string, string) { return in.Bus, in.Name })),
		wire.JSON("DescribeRule", s.describeRule, touch("DescribeRule", ruleOf)),
		wire.JSON("ListRules", s.listRules, nil),
		wire.JSON("EnableRule", s.enableRule, touch("EnableRule", ruleOf)),
		wire.JSON("DisableRule", s.disableRule, touch("DisableRule", ruleOf)),
		wire.JSON("DeleteRule", s.deleteRule, touch("DeleteRule", func(in *deleteRuleInput) (string, string) { return in.Bus, in.Name })),
		wire.JSON("PutTargets", s.putTargets, touch("PutTargets", func(in *putTargetsInput) (string, string) { return in.Bus, in.Rule })),
		wire.JSON("ListTargetsByRule", s.listTargets, touch("ListTargetsByRule", func(in *listTargetsInput) (string, string) { return in.Bus, in.Rule })),
		wire.JSON("RemoveTargets", s.removeTargets, touch("RemoveTargets", func(in *removeTargetsInput) (string, string) { return in.Bus, in.Rule })),
		wire.JSON("ListRuleNamesByTarget", s.namesByTarget, nil),
		wire.JSON("PutPermission", s.putPermission, nil),
		wire.JSON("RemovePermission", s.removePermission, nil),
		wire.JSON("PutEvents", s.putEvents, s.touchEvents),
		wire.JSON("TestEventPattern", s.testPattern, nil),
		wire.JSON("CreateEventBus", s.createBus, nil),
		wire.JSON("DescribeEventBus", s.describeBus, nil),
		wire.JSON("ListEventBuses", s.listBuses, nil),
		wire.JSON("DeleteEventBus", s.deleteBus, nil),
		wire.JSON("TagResource", s.tag, nil),
		wire.JSON("UntagResource", s.untag, nil),
		wire.JSON("ListTagsForResource", s.tags, nil),
	}}
}

func touch[I any](action string, of func(*I) (bus, name string)) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		bus, name := of(in)
		r := rule{Name: name, Bus: busName(bus), Account: call.Caller.Account, Region: call.Caller.Region}
		return []wire.Access{{Action: "events:" + action, Resource: r.arn()}}
	}
}

func (s *Service) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.cfg.Random, raw[:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), nil
}

// change changes a rule and tells the clock.
func (s *Service) change(call *wire.Call, bus, name string, f func(*rule) error) error {
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		r, err := lookup(tx, call, bus, name)
		if err != nil {
			return err
		}
		if err := f(&r); err != nil {
			return err
		}
		return rules.Put(tx, r.key(), r)
	})
	s.alarm.Tell()
	return err
}
