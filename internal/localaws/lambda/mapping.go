package lambda

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"engage/internal/localaws/eventpattern"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// mapping says that a function gets what is in a queue.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
type mapping struct {
	ID, Account, Region string
	Function            string // its ARN, with the qualifier that was given
	Source              string // ARN of the queue
	Batch               int
	Window              int // seconds that a batch is waited for
	Enabled             bool
	Responses           []string // "ReportBatchItemFailures"
	Concurrency         int      // batches at work at once; 0 for the default
	Filters             []string // patterns, of which a message must match one
	Modified            wire.Time
	LastResult          string
	Tags                map[string]string
}

var mappings = state.NewCollection[mapping]("lambda/mappings")

func (m *mapping) key() string { return state.Key(m.Account, m.Region, m.ID) }

func (m *mapping) arn() string {
	return "arn:aws:lambda:" + m.Region + ":" + m.Account + ":event-source-mapping:" + m.ID
}

func (m *mapping) fifo() bool { return strings.HasSuffix(m.Source, ".fifo") }

// Limits of batches. One of more than ten needs a window, and FIFO queues have none.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
const (
	defaultBatch = 10
	maxBatch     = 10000
	maxFifoBatch = 10
	maxWindow    = 300
)

// MappingConfiguration describes an event source mapping.
type MappingConfiguration struct {
	UUID                           string
	EventSourceMappingArn          string
	EventSourceArn                 string
	FunctionArn                    string
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	FunctionResponseTypes          []string
	FilterCriteria                 *FilterCriteria `json:",omitempty"`
	ScalingConfig                  *ScalingConfig  `json:",omitempty"`
	LastModified                   wire.Time
	LastProcessingResult           string `json:",omitempty"`
	State                          string
	StateTransitionReason          string
	Status                         int `status:"true" json:"-"`
}

// FilterCriteria are the patterns of which a message must match one.
type FilterCriteria struct{ Filters []Filter }

// Filter is a pattern of a message, as events and subscriptions have them.
type Filter struct{ Pattern string }

// ScalingConfig bounds the batches that are at work at once.
type ScalingConfig struct {
	MaximumConcurrency *int `min:"2" max:"1000"`
}

func (m *mapping) describe(status int, now string) *MappingConfiguration {
	d := &MappingConfiguration{
		UUID: m.ID, EventSourceMappingArn: m.arn(), EventSourceArn: m.Source, FunctionArn: m.Function, BatchSize: m.Batch,
		MaximumBatchingWindowInSeconds: m.Window, FunctionResponseTypes: append([]string{}, m.Responses...), LastModified: m.Modified,
		LastProcessingResult: m.LastResult, State: now, StateTransitionReason: "USER_INITIATED", Status: status,
	}
	if len(m.Filters) > 0 {
		d.FilterCriteria = &FilterCriteria{}
		for _, pattern := range m.Filters {
			d.FilterCriteria.Filters = append(d.FilterCriteria.Filters, Filter{pattern})
		}
	}
	if m.Concurrency > 0 {
		d.ScalingConfig = &ScalingConfig{&m.Concurrency}
	}
	return d
}

// settled is the state in which a mapping rests.
func (m *mapping) settled() string {
	if m.Enabled {
		return "Enabled"
	}
	return "Disabled"
}

// mappingSettings are what CreateEventSourceMapping and
// UpdateEventSourceMapping have in common. What only streams have is refused by name.
type mappingSettings struct {
	FunctionName                   string
	BatchSize                      *int `min:"1" max:"10000"`
	MaximumBatchingWindowInSeconds *int `min:"0" max:"300"`
	Enabled                        *bool
	FunctionResponseTypes          []string `max:"1"`
	FilterCriteria                 *FilterCriteria
	ScalingConfig                  *ScalingConfig
}

type createMappingInput struct {
	EventSourceArn                 string
	FunctionName                   string   `required:"true"`
	BatchSize                      *int     `min:"1" max:"10000"`
	MaximumBatchingWindowInSeconds *int     `min:"0" max:"300"`
	StartingPosition               string   `enum:"TRIM_HORIZON,LATEST,AT_TIMESTAMP"`
	FunctionResponseTypes          []string `max:"1"`
	Enabled                        *bool
	FilterCriteria                 *FilterCriteria
	ScalingConfig                  *ScalingConfig
	Tags                           map[string]string
}

func (s *Service) createMapping(ctx context.Context, call *wire.Call, in *createMappingInput) (*MappingConfiguration, error) {
	parts := strings.SplitN(in.EventSourceArn, ":", 6)
	switch {
	case in.EventSourceArn == "":
		return nil, invalid("Unrecognized event source.")
	case len(parts) != 6 || parts[0] != "arn":
		return nil, wire.ValidationException("1 validation error detected: Value '%s' at 'eventSourceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:([a-z]{2}(-gov)?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)", in.EventSourceArn)
	case parts[2] != "sqs":
		return nil, wire.NotImplemented("Lambda event source mappings of %s (those of sqs are supported)", parts[2])
	case in.StartingPosition != "":
		return nil, invalid("StartingPosition is not valid for SQS event sources.")
	}
	m := mapping{
		ID: newUUID(), Account: call.Caller.Account, Region: call.Caller.Region, Source: in.EventSourceArn,
		Batch: defaultBatch, Enabled: true, Tags: in.Tags,
	}
	m, err := s.settle(ctx, call.Caller, m, mappingSettings{in.FunctionName, in.BatchSize, in.MaximumBatchingWindowInSeconds, in.Enabled,
		in.FunctionResponseTypes, in.FilterCriteria, in.ScalingConfig})
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.Update(func(tx state.Tx) error { return keepNewMapping(tx, m) }); err != nil {
		return nil, err
	}
	s.pollers.set(s, m)
	return m.describe(202, "Creating"), nil
}

func keepNewMapping(tx state.Tx, m mapping) error {
	all, err := mappings.List(tx, state.Prefix(m.Account, m.Region), "", 0)
	for _, e := range all {
		if old := e.Value; old.Source == m.Source && old.Function == m.Function {
			return conflict("An event source mapping with SQS arn (\" %s \") and function (\" %s \") already exists. Please update or delete the existing mapping with UUID %s",
				m.Source, m.Function, old.ID)
		}
	}
	return errors.Join(err, mappings.Put(tx, m.key(), m))
}

// settle applies settings to a mapping, or refuses them.
func (s *Service) settle(ctx context.Context, c wire.Caller, m mapping, in mappingSettings) (mapping, error) {
	if in.FunctionName != "" {
		r, err := parseRef(c, in.FunctionName, "")
		if err != nil {
			return m, err
		}
		m.Function = r.arn()
	}
	m.Batch = *given(in.BatchSize, &m.Batch)
	m.Window = *given(in.MaximumBatchingWindowInSeconds, &m.Window)
	m.Enabled = *given(in.Enabled, &m.Enabled)
	if in.FunctionResponseTypes != nil {
		m.Responses = in.FunctionResponseTypes
	}
	if in.ScalingConfig != nil {
		m.Concurrency = *given(in.ScalingConfig.MaximumConcurrency, new(int))
	}
	if in.FilterCriteria != nil {
		m.Filters = nil
		for _, f := range in.FilterCriteria.Filters {
			m.Filters = append(m.Filters, f.Pattern)
		}
	}
	m.Modified = wire.TimeOf(s.cfg.Clock.Now())
	if err := m.check(); err != nil {
		return m, err
	}
	return m, s.checkSource(ctx, &m)
}

func (m *mapping) check() error {
	switch {
	case m.fifo() && m.Batch > maxFifoBatch:
		return invalid("Maximum batch size of %d is supported for FIFO SQS event sources.", maxFifoBatch)
	case m.fifo() && m.Window > 0:
		return invalid("Batching window is not supported for FIFO queues")
	case m.Batch > 10 && m.Window < 1:
		return invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	case len(m.Responses) > 0 && !slices.Equal(m.Responses, []string{"ReportBatchItemFailures"}):
		return wire.ValidationException("1 validation error detected: Value '%s' at 'functionResponseTypes' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures]]", m.Responses)
	}
	_, err := m.filters()
	return err
}

// filters compiles the patterns.
func (m *mapping) filters() ([]*eventpattern.Pattern, error) {
	var all []*eventpattern.Pattern
	for _, text := range m.Filters {
		p, err := eventpattern.Parse(text, eventpattern.EventBridge)
		if err != nil {
			return nil, invalid("Invalid filter pattern definition.")
		}
		all = append(all, p)
	}
	return all, nil
}

// checkSource refuses a function that is not there or may not read the queue,
// and a queue whose messages would come back while the function works.
func (s *Service) checkSource(ctx context.Context, m *mapping) error {
	if s.cfg.Invoker == nil {
		return wire.NotImplemented("Lambda event source mappings without the service sqs")
	}
	f, err := s.find(wire.Caller{}, m.Function, "", alias.primary)
	if err != nil {
		return err
	}
	q, err := s.queueOf(ctx, &f, m.Source, queue{})
	if err != nil {
		return err
	}
	var answer struct{ Attributes map[string]string }
	err = q.call(ctx, "GetQueueAttributes", map[string]any{"AttributeNames": []string{"VisibilityTimeout"}}, &answer)
	if wire.IsAccessDenied(err) && err != nil {
		return invalid("The function execution role does not have permissions to call ReceiveMessage on SQS")
	}
	if e := wire.AsError(err); err != nil && e.Fault == wire.Sender {
		return invalid("Error occurred while ReceiveMessage. SQS Error Code: %s. SQS Error Message: %s", orDefault(e.QueryCode, e.Code), e.Message)
	}
	if err != nil {
		return err
	}
	visible, err := strconv.Atoi(answer.Attributes["VisibilityTimeout"])
	if err == nil && visible < *f.Settings.Timeout {
		return invalid("Queue visibility timeout: %d seconds is less than Function timeout: %d seconds", visible, *f.Settings.Timeout)
	}
	return err
}
