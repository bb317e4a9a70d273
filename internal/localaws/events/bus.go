package events

import (
	"context"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type createBusInput struct {
	Name        string `required:"true" max:"256"`
	Description string `max:"512"`
	Tags        []tagPair
}

type busARN struct{ EventBusArn string }

func (s *Service) createBus(_ context.Context, call *wire.Call, in *createBusInput) (*busARN, error) {
	if !namePattern.MatchString(in.Name) {
		return nil, wire.ValidationException("Event bus name %s is not valid.", in.Name)
	}
	b := bus{Name: in.Name, Account: call.Caller.Account, Region: call.Caller.Region, Description: in.Description, Created: s.cfg.Clock(), Modified: s.cfg.Clock(), Tags: map[string]string{}}
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

type busOutput struct {
	Name, Arn        string
	Description      string     `json:",omitempty"`
	Policy           string     `json:",omitempty"`
	CreationTime     *wire.Time `json:",omitempty"`
	LastModifiedTime *wire.Time `json:",omitempty"`
}

func (b bus) output() busOutput {
	out := busOutput{Name: b.Name, Arn: b.arn(), Description: b.Description, Policy: b.Policy}
	if !b.Created.IsZero() {
		created, modified := wire.TimeOf(b.Created), wire.TimeOf(b.Modified)
		out.CreationTime, out.LastModifiedTime = &created, &modified
	}
	return out
}

func (s *Service) describeBus(_ context.Context, call *wire.Call, in *busInput) (*busOutput, error) {
	var out busOutput
	return &out, s.cfg.Store.View(func(tx state.Tx) error {
		b, err := findBus(tx, call, busName(in.Name))
		out = b.output()
		return err
	})
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
	var all []bus
	err := s.cfg.Store.View(func(tx state.Tx) error {
		first, err := findBus(tx, call, defaultBus)
		if err != nil {
			return err
		}
		all = []bus{first}
		found, err := buses.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
		for _, e := range found {
			if e.Value.Name != defaultBus {
				all = append(all, e.Value)
			}
		}
		return err
	})
	out, passed := &listBusesOutput{EventBuses: []busOutput{}}, in.NextToken == ""
	for _, b := range all {
		if passed && strings.HasPrefix(b.Name, in.NamePrefix) {
			if len(out.EventBuses) == limit {
				out.NextToken = out.EventBuses[limit-1].Name
				break
			}
			out.EventBuses = append(out.EventBuses, b.output())
		}
		passed = passed || b.Name == in.NextToken
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
