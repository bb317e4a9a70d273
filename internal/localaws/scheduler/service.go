package scheduler

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"engage/internal/localaws/alarm"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// principal is whom a schedule's role must trust.
const principal = "scheduler.amazonaws.com"

// Config says what the service works with.
type Config struct {
	// Store keeps groups, schedules and what is yet to be delivered. There is no default.
	Store *state.Store
	// Targets takes what the schedules send. There is no default.
	Targets target.Deliverer
	// Assume returns the caller that has a schedule's role, which must trust
	// scheduler.amazonaws.com. There is no default.
	Assume func(ctx context.Context, service, roleARN string) (wire.Caller, error)
	// Clock is for schedules and timestamps. The default is time.Now.
	Clock func() time.Time
	// After makes a channel that fires after a time, and a function that lets
	// go of it. The default is a time.Timer.
	After func(time.Duration) (<-chan time.Time, func())
	// Random makes ids and places an invocation in a flexible window. The
	// default is crypto/rand.Reader.
	Random io.Reader
	// Meter counts invocations. The default counts nothing.
	Meter wire.Meter
}

// Service is EventBridge Scheduler.
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
	s.courier = target.NewCourier(target.CourierConfig{Name: "scheduler", Store: cfg.Store, Targets: cfg.Targets,
		Assume: cfg.Assume, Clock: cfg.Clock, Random: cfg.Random, Tell: s.alarm.Tell})
	return s
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "scheduler", Protocol: wire.RestJSON, Operations: []wire.Operation{
		wire.REST("CreateSchedule", "POST", "/schedules/{Name}", s.create, touchPut("CreateSchedule")),
		wire.REST("UpdateSchedule", "PUT", "/schedules/{Name}", s.update, touchPut("UpdateSchedule")),
		wire.REST("GetSchedule", "GET", "/schedules/{Name}", s.get, touch("GetSchedule")),
		wire.REST("DeleteSchedule", "DELETE", "/schedules/{Name}", s.remove, touchDelete),
		wire.REST("ListSchedules", "GET", "/schedules", s.list, nil),
		wire.REST("CreateScheduleGroup", "POST", "/schedule-groups/{Name}", s.createGroup, func(call *wire.Call, in *createGroupInput) []wire.Access {
			return onGroup(call, "CreateScheduleGroup", in.Name)
		}),
		wire.REST("GetScheduleGroup", "GET", "/schedule-groups/{Name}", s.getGroup, func(call *wire.Call, in *groupInput) []wire.Access {
			return onGroup(call, "GetScheduleGroup", in.Name)
		}),
		wire.REST("DeleteScheduleGroup", "DELETE", "/schedule-groups/{Name}", s.removeGroup, func(call *wire.Call, in *deleteGroupInput) []wire.Access {
			return onGroup(call, "DeleteScheduleGroup", in.Name)
		}),
		wire.REST("ListScheduleGroups", "GET", "/schedule-groups", s.listGroups, nil),
		wire.REST("TagResource", "POST", "/tags/{ResourceArn+}", s.tag, touchTag("TagResource", func(in *tagInput) string { return in.ResourceArn })),
		wire.REST("UntagResource", "DELETE", "/tags/{ResourceArn+}", s.untag, touchTag("UntagResource", func(in *untagInput) string { return in.ResourceArn })),
		wire.REST("ListTagsForResource", "GET", "/tags/{ResourceArn+}", s.tags, touchTag("ListTagsForResource", func(in *tagsInput) string { return in.ResourceArn })),
	}}
}

func onSchedule(call *wire.Call, action, group, name string) wire.Access {
	return wire.Access{Action: "scheduler:" + action, Resource: call.ARN("scheduler", "schedule/"+groupName(group)+"/"+name)}
}

func onGroup(call *wire.Call, action, name string) []wire.Access {
	return []wire.Access{{Action: "scheduler:" + action, Resource: call.ARN("scheduler", "schedule-group/"+name)}}
}

// touchPut asks for the schedule, and to hand its role to the Scheduler.
func touchPut(action string) wire.Touches[putInput] {
	return func(call *wire.Call, in *putInput) []wire.Access {
		return []wire.Access{onSchedule(call, action, in.GroupName, in.Name),
			{Action: "iam:PassRole", Resource: in.Target.RoleArn, Conditions: map[string][]string{"iam:PassedToService": {principal}}}}
	}
}

func touch(action string) wire.Touches[scheduleInput] {
	return func(call *wire.Call, in *scheduleInput) []wire.Access {
		return []wire.Access{onSchedule(call, action, in.GroupName, in.Name)}
	}
}

func touchDelete(call *wire.Call, in *deleteInput) []wire.Access {
	return []wire.Access{onSchedule(call, "DeleteSchedule", in.GroupName, in.Name)}
}

func touchTag[I any](action string, arn func(*I) string) wire.Touches[I] {
	return func(_ *wire.Call, in *I) []wire.Access {
		return []wire.Access{{Action: "scheduler:" + action, Resource: arn(in)}}
	}
}
