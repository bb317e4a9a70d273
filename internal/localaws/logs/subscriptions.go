package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Functions invokes Lambda functions: kind is Event or DryRun.
type Functions interface {
	Start(ctx context.Context, caller wire.Caller, functionARN, kind string, payload []byte) error
}

// SubscriptionFilter sends the events of a log group on.
type SubscriptionFilter struct {
	FilterName             string `json:"filterName"`
	FilterPattern          string `json:"filterPattern"`
	LogGroupName           string `json:"logGroupName"`
	DestinationArn         string `json:"destinationArn"`
	Distribution           string `json:"distribution"`
	CreationTime           int64  `json:"creationTime"`
	ApplyOnTransformedLogs bool   `json:"applyOnTransformedLogs"`
}

var subscriptions = state.NewCollection[SubscriptionFilter]("logs/subscription-filters") // account, region, group, name

// maxSubscriptions is how many a group has at most.
const maxSubscriptions = 2

// PutSubscriptionFilterInput is the input of PutSubscriptionFilter.
type PutSubscriptionFilterInput struct {
	LogGroupName           string  `json:"logGroupName" required:"true"`
	FilterName             string  `json:"filterName" required:"true" max:"512"`
	FilterPattern          *string `json:"filterPattern" required:"true" max:"1024"`
	DestinationArn         string  `json:"destinationArn" required:"true"`
	RoleArn                string  `json:"roleArn"`
	Distribution           string  `json:"distribution" enum:"Random,ByLogStream"`
	ApplyOnTransformedLogs bool    `json:"applyOnTransformedLogs"`
}

func (in *PutSubscriptionFilterInput) group() string { return in.LogGroupName }

func (in *PutSubscriptionFilterInput) check(c wire.Caller) error {
	parts := strings.Split(in.DestinationArn, ":")
	switch {
	case len(parts) < 6:
		return invalid("destinationArn %s is no ARN", in.DestinationArn)
	case (parts[2] == "kinesis" || parts[2] == "firehose") && in.RoleArn == "":
		return invalid("destinationArn for vendor %s cannot be used without roleArn", parts[2])
	case parts[2] != "lambda":
		return wire.NotImplemented("the subscription destination %s", in.DestinationArn)
	case parts[4] != c.Account:
		return wire.AccessDenied("Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross account lambda triggers.")
	case in.RoleArn != "":
		return invalid("destinationArn for vendor lambda cannot be used with roleArn")
	case in.ApplyOnTransformedLogs:
		return wire.NotImplemented("applyOnTransformedLogs")
	}
	_, err := parsePattern(*in.FilterPattern)
	return err
}

func (s *Service) putSubscriptionFilter(ctx context.Context, call *wire.Call, in *PutSubscriptionFilterInput) (*wire.Empty, error) {
	if s.cfg.Functions == nil {
		return nil, wire.NotImplemented("a subscription filter without Lambda")
	}
	if err := in.check(call.Caller); err != nil {
		return nil, err
	}
	f := SubscriptionFilter{FilterName: in.FilterName, FilterPattern: *in.FilterPattern, LogGroupName: in.LogGroupName,
		DestinationArn: in.DestinationArn, Distribution: "ByLogStream", CreationTime: s.now()}
	if in.Distribution != "" {
		f.Distribution = in.Distribution
	}
	if err := s.start(ctx, call.Caller, f, "DryRun", nil); err != nil {
		return nil, invalid("Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.")
	}
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, in.LogGroupName); err != nil {
			return err
		}
		key := streamKey(call.Caller, in.LogGroupName, in.FilterName)
		if !subscriptions.Has(tx, key) && countOf(tx, subscriptions, call.Caller, in.LogGroupName) >= maxSubscriptions {
			return errLimit
		}
		return subscriptions.Put(tx, key, f)
	})
}

// start invokes the function of a subscription as CloudWatch Logs, which its
// permissions name with the region or without.
func (s *Service) start(ctx context.Context, owner wire.Caller, f SubscriptionFilter, kind string, payload []byte) error {
	self := wire.Caller{Account: owner.Account, Region: owner.Region, ARN: GroupARN(owner, f.LogGroupName) + ":*", Service: "logs.amazonaws.com"}
	err := s.cfg.Functions.Start(ctx, self, f.DestinationArn, kind, payload)
	if wire.IsAccessDenied(err) {
		self.Service = "logs." + owner.Region + ".amazonaws.com"
		err = s.cfg.Functions.Start(ctx, self, f.DestinationArn, kind, payload)
	}
	return err
}

// DescribeSubscriptionFiltersInput is the input of DescribeSubscriptionFilters.
type DescribeSubscriptionFiltersInput struct {
	LogGroupName     string `json:"logGroupName" required:"true"`
	FilterNamePrefix string `json:"filterNamePrefix" max:"512"`
	Limit            *int   `json:"limit" min:"1" max:"50"`
	NextToken        string `json:"nextToken"`
}

func (in *DescribeSubscriptionFiltersInput) group() string { return in.LogGroupName }

// DescribeSubscriptionFiltersOutput is the output of DescribeSubscriptionFilters.
type DescribeSubscriptionFiltersOutput struct {
	SubscriptionFilters []SubscriptionFilter `json:"subscriptionFilters"`
	NextToken           string               `json:"nextToken,omitempty"`
}

func (s *Service) describeSubscriptionFilters(_ context.Context, call *wire.Call, in *DescribeSubscriptionFiltersInput) (*DescribeSubscriptionFiltersOutput, error) {
	out := &DescribeSubscriptionFiltersOutput{SubscriptionFilters: []SubscriptionFilter{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, in.LogGroupName); err != nil {
			return err
		}
		all, err := subscriptions.List(tx, streamKey(call.Caller, in.LogGroupName, in.FilterNamePrefix), "", 0)
		for _, e := range all {
			if e.Value.FilterName <= in.NextToken {
				continue
			}
			if n := len(out.SubscriptionFilters); n == pageSize(in.Limit) {
				out.NextToken = out.SubscriptionFilters[n-1].FilterName
				break
			}
			out.SubscriptionFilters = append(out.SubscriptionFilters, e.Value)
		}
		return err
	})
}

// DeleteSubscriptionFilterInput is the input of DeleteSubscriptionFilter.
type DeleteSubscriptionFilterInput struct {
	LogGroupName string `json:"logGroupName" required:"true"`
	FilterName   string `json:"filterName" required:"true" max:"512"`
}

func (in *DeleteSubscriptionFilterInput) group() string { return in.LogGroupName }

func (s *Service) deleteSubscriptionFilter(_ context.Context, call *wire.Call, in *DeleteSubscriptionFilterInput) (*wire.Empty, error) {
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := getGroup(tx, call.Caller, in.LogGroupName); err != nil {
			return err
		}
		err := subscriptions.Delete(tx, streamKey(call.Caller, in.LogGroupName, in.FilterName))
		if errors.Is(err, state.ErrNotFound) {
			return wire.Errorf("ResourceNotFoundException", "The specified subscription filter does not exist.")
		}
		return err
	})
}

// arrival are events that have come into a stream and may have to be sent on.
type arrival struct {
	owner         wire.Caller
	group, stream string
	events        []Event
}

// arrived leaves events to Run, so that who logs does not wait for a function.
func (s *Service) arrived(a arrival) {
	if s.cfg.Functions == nil || len(a.events) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrivals = append(s.arrivals, a)
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Run sends events to the functions that subscribe to them, until the context
// ends. What a function does not take is reported, and lost as on AWS.
func (s *Service) Run(ctx context.Context, report func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
			if err := s.Forward(ctx); err != nil && ctx.Err() == nil {
				report(err)
			}
		}
	}
}

// Forward sends on what has arrived.
func (s *Service) Forward(ctx context.Context) error {
	s.mu.Lock()
	list := s.arrivals
	s.arrivals = nil
	s.mu.Unlock()
	var failed error
	for _, a := range list {
		failed = errors.Join(failed, s.forward(ctx, a))
	}
	return failed
}

func (s *Service) forward(ctx context.Context, a arrival) error {
	var all []state.Entry[SubscriptionFilter]
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		all, err = subscriptions.List(tx, state.Prefix(a.owner.Account, a.owner.Region, a.group), "", 0)
		return err
	})
	for _, e := range all {
		f := e.Value
		payload, some, bad := a.payload(f)
		if bad == nil && some {
			bad = s.start(ctx, a.owner, f, "Event", payload)
		}
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("send the events of %s to %s: %w", a.group, f.DestinationArn, bad))
		}
	}
	return err
}

type sentEvent struct {
	ID        string `json:"id"`
	Timestamp int64  `json:"timestamp"`
	Message   string `json:"message"`
}

// payload is what a function gets of the events that the filter selects: a
// JSON document, compressed.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample
func (a arrival) payload(f SubscriptionFilter) (payload []byte, some bool, err error) {
	p := compiled(f.FilterPattern)
	var chosen []sentEvent
	for i, e := range a.events {
		if p.Match(e.Message) {
			h := fnv.New64a()
			fmt.Fprintf(h, "%s\x00%s\x00%d\x00%s", a.group, a.stream, i, e.Message) //nolint:errcheck // never fails
			chosen = append(chosen, sentEvent{fmt.Sprintf("%016d%020d%020d", max(e.Time, 0), h.Sum64(), i), e.Time, e.Message})
		}
	}
	if len(chosen) == 0 {
		return nil, false, nil
	}
	document, err := json.Marshal(map[string]any{"messageType": "DATA_MESSAGE", "owner": a.owner.Account, "logGroup": a.group,
		"logStream": a.stream, "subscriptionFilters": []string{f.FilterName}, "logEvents": chosen})
	if err != nil {
		return nil, false, err
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(document)
	if err := errors.Join(err, z.Close()); err != nil {
		return nil, false, fmt.Errorf("compress: %w", err)
	}
	payload, err = json.Marshal(map[string]any{"awslogs": map[string]any{"data": b.Bytes()}})
	return payload, true, err
}
