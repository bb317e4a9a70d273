package sns

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
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

// protocols are those of AWS beside the two that this endpoint delivers by.
var protocols = []string{"http", "https", "email", "email-json", "sms", "application", "firehose"}

func (in *subscribeInput) check() error {
	switch {
	case slices.Contains(protocols, in.Protocol):
		return wire.NotImplemented("the subscription protocol %s", in.Protocol)
	case in.Protocol != "sqs" && in.Protocol != "lambda":
		return errInvalid("Amazon SNS does not support this protocol string: %s", in.Protocol)
	}
	if service, _ := target.Split(in.Endpoint); service != in.Protocol {
		return errInvalid("%s endpoint ARN", map[string]string{"sqs": "SQS", "lambda": "Lambda"}[in.Protocol])
	}
	if !strings.HasSuffix(in.TopicArn, ".fifo") && strings.HasSuffix(in.Endpoint, ".fifo") {
		return errInvalid("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
	}
	if strings.HasSuffix(in.TopicArn, ".fifo") && in.Protocol != "sqs" {
		return errInvalid("Invalid parameter: Endpoint Reason: Please provide an SQS queue endpoint for a FIFO topic")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Attributes)) {
		if err := checkOption(name, in.Attributes[name], in.Attributes["FilterPolicyScope"], in.TopicArn, in.Endpoint); err != nil {
			var w *wire.Error
			if errors.As(err, &w) && w.Code == "InvalidParameter" {
				return errInvalid("Attributes Reason: %s", strings.TrimPrefix(w.Message, "Invalid parameter: "))
			}
			return err
		}
	}
	return nil
}

func (s *Service) subscribe(_ context.Context, call *wire.Call, in *subscribeInput) (*subscriptionARN, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	made := subscription{ID: id, Principal: call.Caller.ARN, Topic: in.TopicArn, Owner: call.Caller.Account, Protocol: in.Protocol, Endpoint: in.Endpoint, Options: in.Attributes}
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

// checkOption checks an attribute of a subscription from a topic to an endpoint.
func checkOption(name, value, scope, topicARN, endpoint string) error {
	switch name {
	case "RawMessageDelivery":
		if value != "true" && value != "false" {
			return errInvalid("RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
		}
	case "FilterPolicyScope":
		if value != "MessageAttributes" && value != "MessageBody" {
			return errInvalid("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", value)
		}
	case "FilterPolicy":
		return checkFilter(value, scope)
	case "RedrivePolicy":
		return checkRedrive(value, topicARN, endpoint)
	case "DeliveryPolicy", "SubscriptionRoleArn", "ReplayPolicy":
		return wire.NotImplemented("the subscription attribute %s", name)
	default:
		return errInvalid("AttributeName")
	}
	return nil
}

func checkFilter(value, scope string) error {
	if value == "" || value == "{}" {
		return nil
	}
	if err := readable("FilterPolicy", value); err != nil {
		return err
	}
	if scope != "MessageBody" && nested(value) {
		return errInvalid("FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy")
	}
	if _, err := eventpattern.Parse(value, eventpattern.SNS); err != nil {
		return errInvalid("FilterPolicy: %v", err)
	}
	return nil
}

// readable refuses a text that is no JSON object.
func readable(name, text string) error {
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return errInvalid("%s: failed to parse JSON. %v", name, err)
	}
	return nil
}

func checkRedrive(value, topicARN, endpoint string) error {
	if value == "" {
		return nil
	}
	if err := readable("RedrivePolicy", value); err != nil {
		return err
	}
	queue := deadLetters(value)
	if queue == "" {
		return errInvalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
	}
	if strings.HasSuffix(topicARN, ".fifo") && strings.HasSuffix(endpoint, ".fifo") && !strings.HasSuffix(queue, ".fifo") {
		return errInvalid("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
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
		if v.Principal != "" {
			out.Attributes["SubscriptionPrincipal"] = v.Principal
		}
		if v.Options["FilterPolicy"] != "" {
			out.Attributes["FilterPolicyScope"] = "MessageAttributes"
		}
		for name, value := range v.Options {
			if value != "" && (name != "FilterPolicyScope" || v.Options["FilterPolicy"] != "") {
				out.Attributes[name] = value
			}
		}
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
		if err := checkOption(in.AttributeName, in.AttributeValue, v.Options["FilterPolicyScope"], v.Topic, v.Endpoint); err != nil {
			return err
		}
		if v.Options == nil {
			v.Options = map[string]string{}
		}
		v.Options[in.AttributeName] = in.AttributeValue
		if in.AttributeName == "FilterPolicy" && in.AttributeValue == "{}" {
			delete(v.Options, "FilterPolicy") // an empty policy wants everything
		}
		return subscriptions.Put(tx, v.arn(), v)
	})
}
