package lambda

import (
	"context"
	"slices"
	"strings"

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

func (f *function) eventConfig() *EventInvokeConfig {
	a := f.Async
	return &EventInvokeConfig{f.arn() + ":$LATEST", a.Modified, a.Retries, a.Age, a.Destinations}
}

func (s *Service) putEventConfig(_ context.Context, call *wire.Call, in *eventConfigInput) (*EventInvokeConfig, error) {
	return s.changeEventConfig(call.Caller, in, func(*function) (asyncConfig, error) { return asyncConfig{}, nil })
}

func (s *Service) updateEventConfig(_ context.Context, call *wire.Call, in *eventConfigInput) (*EventInvokeConfig, error) {
	return s.changeEventConfig(call.Caller, in, func(f *function) (asyncConfig, error) {
		if f.Async == nil {
			return asyncConfig{}, noEventConfig(f)
		}
		return *f.Async, nil
	})
}

func noEventConfig(f *function) error {
	return notFound("The function %s doesn't have an EventInvokeConfig", f.arn()+":$LATEST")
}

func (s *Service) changeEventConfig(c wire.Caller, in *eventConfigInput, old func(*function) (asyncConfig, error)) (*EventInvokeConfig, error) {
	if _, err := parseRef(c, in.FunctionName, in.Qualifier); err != nil {
		return nil, err
	}
	for _, arn := range []string{in.DestinationConfig.success(), in.DestinationConfig.failure()} {
		if arn == "" {
			continue
		}
		if err := s.checkTarget("DestinationConfig", arn, "sqs", "sns", "lambda", "events"); err != nil {
			return nil, err
		}
	}
	f, err := s.change(c, in.FunctionName, "", func(f *function) error {
		a, err := old(f)
		a.Retries = given(in.MaximumRetryAttempts, a.Retries)
		a.Age = given(in.MaximumEventAgeInSeconds, a.Age)
		a.Destinations = given(in.DestinationConfig, a.Destinations)
		a.Modified = wire.TimeOf(s.cfg.Clock.Now())
		f.Async = &a
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.eventConfig(), nil
}

func (s *Service) getEventConfig(_ context.Context, call *wire.Call, in *nameInput) (*EventInvokeConfig, error) {
	f, err := s.lookup(call.Caller, in.FunctionName, in.Qualifier)
	if err == nil && f.Async == nil {
		err = noEventConfig(&f)
	}
	if err != nil {
		return nil, err
	}
	return f.eventConfig(), nil
}

func (s *Service) deleteEventConfig(_ context.Context, call *wire.Call, in *nameInput) (*wire.Empty, error) {
	_, err := s.change(call.Caller, in.FunctionName, "", func(f *function) error {
		if f.Async == nil {
			return noEventConfig(f)
		}
		f.Async = nil
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
	if err != nil {
		return nil, err
	}
	out := &EventConfigs{FunctionEventInvokeConfigs: []*EventInvokeConfig{}}
	if f.Async != nil {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, f.eventConfig())
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
