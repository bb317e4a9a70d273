package lambda

import (
	"context"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// ConcurrencyOutput is a function's reserved concurrency.
type ConcurrencyOutput struct {
	ReservedConcurrentExecutions *int `json:",omitempty"`
}

type putConcurrencyInput struct {
	FunctionName                 string `uri:"FunctionName" json:"-"`
	ReservedConcurrentExecutions *int   `required:"true" min:"0"`
}

// unreservedMinimum is what AWS leaves to functions without a reservation.
const unreservedMinimum = 100

func (s *Service) putConcurrency(_ context.Context, call *wire.Call, in *putConcurrencyInput) (*ConcurrencyOutput, error) {
	n := *in.ReservedConcurrentExecutions
	if s.cfg.Concurrency > unreservedMinimum && s.cfg.Concurrency-n < unreservedMinimum {
		return nil, invalid("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", unreservedMinimum)
	}
	_, err := s.change(call.Caller, in.FunctionName, "", func(f *function) error {
		f.Reserved = &n
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ConcurrencyOutput{&n}, nil
}

func (s *Service) getConcurrency(_ context.Context, call *wire.Call, in *nameInput) (*ConcurrencyOutput, error) {
	f, err := s.lookup(call.Caller, in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	return &ConcurrencyOutput{f.Reserved}, nil
}

func (s *Service) deleteConcurrency(_ context.Context, call *wire.Call, in *nameInput) (*wire.Empty, error) {
	_, err := s.change(call.Caller, in.FunctionName, "", func(f *function) error {
		f.Reserved = nil
		return nil
	})
	return nil, err
}

// Destination is where a record of an event goes.
type Destination struct {
	Destination string `json:",omitempty"`
}

// DestinationConfig is where records of events go.
type DestinationConfig struct {
	OnSuccess *Destination `json:",omitempty"`
	OnFailure *Destination `json:",omitempty"`
}

func (d *DestinationConfig) success() string {
	if d == nil || d.OnSuccess == nil {
		return ""
	}
	return d.OnSuccess.Destination
}

func (d *DestinationConfig) failure() string {
	if d == nil || d.OnFailure == nil {
		return ""
	}
	return d.OnFailure.Destination
}

// asyncConfig says how a function's events are worked on.
type asyncConfig struct {
	Retries      *int
	Age          *int // seconds
	Destinations *DestinationConfig
	Modified     wire.Time
}

type eventConfigInput struct {
	FunctionName             string `uri:"FunctionName" json:"-"`
	Qualifier                string `query:"Qualifier" json:"-"`
	MaximumRetryAttempts     *int   `min:"0" max:"2"`
	MaximumEventAgeInSeconds *int   `min:"60" max:"21600"`
	DestinationConfig        *DestinationConfig
}

// EventInvokeConfig describes how a function's events are worked on.
type EventInvokeConfig struct {
	FunctionArn              string
	LastModified             wire.Time
	MaximumRetryAttempts     *int               `json:",omitempty"`
	MaximumEventAgeInSeconds *int               `json:",omitempty"`
	DestinationConfig        *DestinationConfig `json:",omitempty"`
}

// eventConfig describes how events are worked on that name a qualifier.
func (f *function) eventConfig(qualifier string) *EventInvokeConfig {
	a := f.EventConfigs[qualifier]
	d := &DestinationConfig{OnSuccess: &Destination{}, OnFailure: &Destination{}}
	if c := a.Destinations; c != nil {
		d.OnSuccess, d.OnFailure = orDefault(c.OnSuccess, d.OnSuccess), orDefault(c.OnFailure, d.OnFailure)
	}
	return &EventInvokeConfig{f.arn() + ":" + qualifier, a.Modified, a.Retries, a.Age, d}
}

func (s *Service) putEventConfig(_ context.Context, call *wire.Call, in *eventConfigInput) (*EventInvokeConfig, error) {
	return s.changeEventConfig(call.Caller, in, false)
}

func (s *Service) updateEventConfig(_ context.Context, call *wire.Call, in *eventConfigInput) (*EventInvokeConfig, error) {
	return s.changeEventConfig(call.Caller, in, true)
}

// eventRef names what a configuration of events is for, $LATEST by default.
func eventRef(c wire.Caller, name, qualifier string) (ref, error) {
	r, err := parseRef(c, name, qualifier)
	r.qualifier = orDefault(r.qualifier, latest)
	return r, err
}

func noEventConfig(r ref) error {
	return notFound("The function %s doesn't have an EventInvokeConfig", r.arn())
}

// changeEventConfig keeps a configuration, over the old one if there must be one.
func (s *Service) changeEventConfig(c wire.Caller, in *eventConfigInput, over bool) (*EventInvokeConfig, error) {
	r, err := eventRef(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := s.checkDestinations(r, in.DestinationConfig); err != nil {
		return nil, err
	}
	f, err := s.edit(c, ref{r.account, r.region, r.name, ""}.arn(), "", func(tx state.Tx, f *function) error {
		if _, err := resolve(tx, r, alias.primary); err != nil {
			return notFound("The function doesn't exist.")
		}
		a, found := f.EventConfigs[r.qualifier]
		if over && !found {
			return noEventConfig(r)
		} else if !over {
			a = asyncConfig{}
		}
		a.Retries = given(in.MaximumRetryAttempts, a.Retries)
		a.Age = given(in.MaximumEventAgeInSeconds, a.Age)
		a.Destinations = given(in.DestinationConfig, a.Destinations)
		a.Modified = wire.TimeOf(s.cfg.Clock.Now())
		f.EventConfigs = with(f.EventConfigs, r.qualifier, a)
		return nil
	})
	if wire.IsCode(err, "ResourceNotFoundException") && f.Name == "" {
		return nil, notFound("The function doesn't exist.")
	}
	if err != nil {
		return nil, err
	}
	return f.eventConfig(r.qualifier), nil
}

// with returns a map that may be nil with one entry more.
func with[V any](m map[string]V, key string, value V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}

func (s *Service) checkDestinations(r ref, c *DestinationConfig) error {
	for _, arn := range []string{c.success(), c.failure()} {
		if arn == "" {
			continue
		}
		if err := s.checkTarget("DestinationConfig", arn, "sqs", "sns", "lambda", "events"); err != nil {
			return err
		}
		if strings.HasPrefix(arn+":", ref{r.account, r.region, r.name, ""}.arn()+":") {
			return invalid("You can't specify the function as a destination for itself.")
		}
	}
	return nil
}

func (s *Service) getEventConfig(_ context.Context, call *wire.Call, in *nameInput) (*EventInvokeConfig, error) {
	r, err := eventRef(call.Caller, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	var f function
	err = s.cfg.Store.View(func(tx state.Tx) error {
		f, err = get(tx, r)
		return err
	})
	if _, found := f.EventConfigs[r.qualifier]; !found && (err == nil || wire.IsCode(err, "ResourceNotFoundException")) {
		return nil, noEventConfig(r)
	}
	if err != nil {
		return nil, err
	}
	return f.eventConfig(r.qualifier), nil
}

func (s *Service) deleteEventConfig(ctx context.Context, call *wire.Call, in *nameInput) (*wire.Empty, error) {
	if _, err := s.getEventConfig(ctx, call, in); err != nil {
		return nil, err
	}
	r, err := eventRef(call.Caller, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	_, err = s.change(call.Caller, ref{r.account, r.region, r.name, ""}.arn(), "", func(f *function) error {
		delete(f.EventConfigs, r.qualifier)
		return nil
	})
	return nil, err
}

// EventConfigs is the output of ListFunctionEventInvokeConfigs.
type EventConfigs struct {
	FunctionEventInvokeConfigs []*EventInvokeConfig
	NextMarker                 *string
}

func (s *Service) listEventConfigs(_ context.Context, call *wire.Call, in *nameInput) (*EventConfigs, error) {
	f, err := s.lookup(call.Caller, in.FunctionName, "")
	if wire.IsCode(err, "ResourceNotFoundException") {
		return nil, notFound("The function doesn't exist.")
	}
	if err != nil {
		return nil, err
	}
	out := &EventConfigs{FunctionEventInvokeConfigs: []*EventInvokeConfig{}}
	for _, qualifier := range slices.Sorted(maps.Keys(f.EventConfigs)) {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, f.eventConfig(qualifier))
	}
	return out, nil
}

// checkTarget refuses targets that nothing can be sent to.
func (s *Service) checkTarget(member, arn string, services ...string) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || !slices.Contains(services, parts[2]) {
		return invalid("The provided %s target %s is not the ARN of one of: %s.", member, arn, strings.Join(services, ", "))
	}
	if s.cfg.Invoker == nil {
		return wire.NotImplemented("Lambda %s without the service %s", member, parts[2])
	}
	return nil
}
