package events

import (
	"context"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type createBusInput struct {
	Name string `required:"true" max:"256"`
	Tags []tagPair
}

type busARN struct{ EventBusArn string }

func (s *Service) createBus(_ context.Context, call *wire.Call, in *createBusInput) (*busARN, error) {
	if !namePattern.MatchString(in.Name) {
		return nil, wire.ValidationException("Event bus name %s is not valid.", in.Name)
	}
	b := bus{Name: in.Name, Account: call.Caller.Account, Region: call.Caller.Region, Created: s.cfg.Clock(), Tags: map[string]string{}}
	for _, t := range in.Tags {
		b.Tags[t.Key] = t.Value
	}
	return &busARN{b.arn()}, s.cfg.Store.Update(func(tx state.Tx) error {
		if in.Name == defaultBus || buses.Create(tx, state.Key(b.Account, b.Region, b.Name), b) == state.ErrExists {
			return wire.Errorf("ResourceAlreadyExistsException", "Event bus %s already exists.", in.Name)
		}
		return nil
	})
}

type busInput struct{ Name string }

type busOutput struct{ Name, Arn string }

func (s *Service) describeBus(_ context.Context, call *wire.Call, in *busInput) (*busOutput, error) {
	b := bus{Name: busName(in.Name), Account: call.Caller.Account, Region: call.Caller.Region}
	return &busOutput{b.Name, b.arn()}, s.cfg.Store.View(func(tx state.Tx) error { return checkBus(tx, call, b.Name) })
}

type listBusesInput struct {
	NamePrefix string
	NextToken  string
	Limit      *int `min:"1" max:"100"`
}

type listBusesOutput struct {
	EventBuses []busOutput
	NextToken  string `json:",omitempty"`
}

func (s *Service) listBuses(_ context.Context, call *wire.Call, in *listBusesInput) (*listBusesOutput, error) {
	limit := 100
	if in.Limit != nil {
		limit = *in.Limit
	}
	all := []string{defaultBus}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		found, err := buses.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
		for _, e := range found {
			all = append(all, e.Value.Name)
		}
		return err
	})
	out, passed := &listBusesOutput{EventBuses: []busOutput{}}, in.NextToken == ""
	for _, name := range all {
		if passed && strings.HasPrefix(name, in.NamePrefix) {
			if len(out.EventBuses) == limit {
				out.NextToken = out.EventBuses[limit-1].Name
				break
			}
			b := bus{Name: name, Account: call.Caller.Account, Region: call.Caller.Region}
			out.EventBuses = append(out.EventBuses, busOutput{name, b.arn()})
		}
		passed = passed || name == in.NextToken
	}
	return out, err
}

type deleteBusInput struct {
	Name string `required:"true"`
}

func (s *Service) deleteBus(_ context.Context, call *wire.Call, in *deleteBusInput) (*wire.Empty, error) {
	name := busName(in.Name)
	if name == defaultBus {
		return nil, wire.ValidationException("Cannot delete event bus default.")
	}
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		err := buses.Delete(tx, state.Key(call.Caller.Account, call.Caller.Region, name))
		if err == state.ErrNotFound {
			return nil // idempotent, as AWS
		}
		if err != nil {
			return err
		}
		return rules.DeletePrefix(tx, state.Prefix(call.Caller.Account, call.Caller.Region, name))
	})
}
