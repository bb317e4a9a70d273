package sns

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"engage/internal/localaws/eventpattern"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

type subscribeInput struct {
	TopicArn              string `required:"true"`
	Protocol              string `required:"true"`
	Endpoint              string
	Attributes            map[string]string
	ReturnSubscriptionArn bool
}

func (s *Service) touchSubscribe(call *wire.Call, in *subscribeInput) []wire.Access {
	a := s.access(call, "Subscribe", in.TopicArn)
	a.Conditions["sns:Protocol"], a.Conditions["sns:Endpoint"] = []string{in.Protocol}, []string{in.Endpoint}
	return []wire.Access{a}
}

type subscriptionARN struct{ SubscriptionArn string }

func (s *Service) subscribe(_ context.Context, call *wire.Call, in *subscribeInput) (*subscriptionARN, error) {
	if in.Protocol != "sqs" && in.Protocol != "lambda" {
		return nil, wire.NotImplemented("the subscription protocol %s", in.Protocol)
	}
	if service, _ := target.Split(in.Endpoint); service != in.Protocol {
		return nil, errInvalid("Endpoint Reason: %s endpoint must be an ARN of %s", in.Protocol, in.Protocol)
	}
	if in.Protocol == "sqs" && strings.HasSuffix(in.Endpoint, ".fifo") {
		return nil, errInvalid("Invalid parameter: Endpoint Reason: Please use FIFO SQS queue with FIFO topics only")
	}
	for name, value := range in.Attributes {
		if err := checkOption(name, value, in.Attributes["FilterPolicyScope"]); err != nil {
			return nil, err
		}
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	made := subscription{ID: id, Topic: in.TopicArn, Owner: call.Caller.Account, Protocol: in.Protocol, Endpoint: in.Endpoint, Options: in.Attributes}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		if _, err := lookup(tx, in.TopicArn); err != nil {
			return err
		}
		for raw := range subscriptions.Scan(tx, of(in.TopicArn), "") {
			old, err := raw.Value()
			if err != nil {
				return err
			}
			if old.Protocol == made.Protocol && old.Endpoint == made.Endpoint {
				if len(in.Attributes) > 0 && !maps.Equal(old.Options, in.Attributes) {
					return errInvalid("Attributes Reason: Subscription already exists with different attributes")
				}
				made = old
				return nil
			}
		}
		return subscriptions.Put(tx, made.arn(), made)
	})
	return &subscriptionARN{made.arn()}, err
}

func checkOption(name, value, scope string) error {
	switch name {
	case "RawMessageDelivery":
		if value != "true" && value != "false" {
			return errInvalid("Attributes Reason: RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
		}
	case "FilterPolicyScope":
		if value != "MessageAttributes" && value != "MessageBody" {
			return errInvalid("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", value)
		}
	case "FilterPolicy":
		if value == "" {
			return nil
		}
		if _, err := eventpattern.Parse(value, eventpattern.SNS); err != nil {
			return errInvalid("FilterPolicy: %v", err)
		}
		if scope != "MessageBody" && nested(value) {
			return errInvalid("FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy")
		}
	case "RedrivePolicy":
		if value != "" && deadLetters(value) == "" {
			return errInvalid("RedrivePolicy: deadLetterTargetArn must be the ARN of a queue")
		}
	default:
		return wire.NotImplemented("the subscription attribute %s", name)
	}
	return nil
}

// nested reports whether a filter policy looks below the first level.
func nested(text string) bool {
	var members map[string]any
	_ = json.Unmarshal([]byte(text), &members) // it has been parsed
	for _, value := range members {
		if _, ok := value.(map[string]any); ok {
			return true
		}
	}
	return false
}

// deadLetters returns the ARN of the queue in a redrive policy, "" when there is none.
func deadLetters(text string) string {
	var redrive struct {
		Target string `json:"deadLetterTargetArn"`
	}
	if json.Unmarshal([]byte(text), &redrive) != nil {
		return ""
	}
	if service, _ := target.Split(redrive.Target); service != "sqs" {
		return ""
	}
	return redrive.Target
}

type subscriptionInput struct {
	SubscriptionArn string `required:"true"`
}

func (s *Service) unsubscribe(_ context.Context, _ *wire.Call, in *subscriptionInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		if err := subscriptions.Delete(tx, in.SubscriptionArn); !errors.Is(err, state.ErrNotFound) {
			return err
		}
		return nil // idempotent, as AWS
	})
}

type subscriptionEntry struct {
	SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string
}

type listSubscriptionsOutput struct {
	Subscriptions []subscriptionEntry
	NextToken     string
}

type listOfInput struct {
	TopicArn  string `required:"true"`
	NextToken string
}

func (s *Service) listAll(_ context.Context, call *wire.Call, in *listInput) (*listSubscriptionsOutput, error) {
	return s.list(call.ARN("sns", ""), in.NextToken)
}

func (s *Service) listOfTopic(_ context.Context, _ *wire.Call, in *listOfInput) (*listSubscriptionsOutput, error) {
	if _, err := s.find(in.TopicArn); err != nil {
		return nil, err
	}
	return s.list(of(in.TopicArn), in.NextToken)
}

func (s *Service) list(prefix, after string) (*listSubscriptionsOutput, error) {
	out := &listSubscriptionsOutput{Subscriptions: []subscriptionEntry{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		found, err := subscriptions.List(tx, prefix, after, pageSize+1)
		for i, e := range found {
			if i == pageSize {
				out.NextToken = found[i-1].Key
				break
			}
			v := e.Value
			out.Subscriptions = append(out.Subscriptions, subscriptionEntry{v.arn(), v.Owner, v.Protocol, v.Endpoint, v.Topic})
		}
		return err
	})
}

func (s *Service) getSubscription(_ context.Context, _ *wire.Call, in *subscriptionInput) (*attributesOutput, error) {
	out := &attributesOutput{}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		v, err := subscriptions.Get(tx, in.SubscriptionArn)
		if errors.Is(err, state.ErrNotFound) {
			return errNotFound("Subscription")
		}
		out.Attributes = map[string]string{"SubscriptionArn": v.arn(), "TopicArn": v.Topic, "Owner": v.Owner, "Protocol": v.Protocol,
			"Endpoint": v.Endpoint, "RawMessageDelivery": "false", "PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true"}
		maps.Copy(out.Attributes, v.Options)
		return err
	})
}

type setSubscriptionInput struct {
	SubscriptionArn string `required:"true"`
	AttributeName   string `required:"true"`
	AttributeValue  string
}

func (s *Service) setSubscription(_ context.Context, _ *wire.Call, in *setSubscriptionInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		v, err := subscriptions.Get(tx, in.SubscriptionArn)
		if errors.Is(err, state.ErrNotFound) {
			return errNotFound("Subscription")
		}
		if err != nil {
			return err
		}
		if err := checkOption(in.AttributeName, in.AttributeValue, v.Options["FilterPolicyScope"]); err != nil {
			return err
		}
		if v.Options == nil {
			v.Options = map[string]string{}
		}
		v.Options[in.AttributeName] = in.AttributeValue
		return subscriptions.Put(tx, v.arn(), v)
	})
}
