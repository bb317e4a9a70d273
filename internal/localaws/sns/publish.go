package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"engage/internal/localaws/eventpattern"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

const maxMessage = 256 << 10

// entry is what is published, alone or in a batch.
type entry struct {
	Message    string
	Subject    *string
	Structure  string
	Attributes map[string]target.Attribute
	Group      string
	Dedup      string
}

type publishInput struct {
	TopicArn               *string
	TargetArn              *string
	PhoneNumber            string
	Message                string
	Subject                *string
	MessageStructure       string
	MessageAttributes      map[string]messageAttribute `key:"Name" value:"Value"`
	MessageGroupID         string                      `xml:"MessageGroupId" max:"128"`
	MessageDeduplicationID string                      `xml:"MessageDeduplicationId" max:"128"`
}

func (in *publishInput) arn() string {
	for _, given := range []*string{in.TopicArn, in.TargetArn} {
		if given != nil {
			return *given
		}
	}
	return ""
}

// destination is the topic that is published to. Phones and applications are no topics.
func (s *Service) destination(in *publishInput) (topic, error) {
	switch {
	case in.PhoneNumber != "":
		return topic{}, wire.NotImplemented("Publish to a PhoneNumber")
	case in.TopicArn == nil && in.TargetArn == nil:
		return topic{}, errInvalid("TopicArn or TargetArn Reason: no value for required parameter")
	case in.TopicArn == nil && strings.Contains(*in.TargetArn, ":endpoint/"):
		return topic{}, errInvalid("TargetArn Reason: No endpoint found for the target arn specified")
	}
	return s.find(in.arn())
}

type publishOutput struct {
	MessageID      string `xml:"MessageId" json:"MessageId"`
	SequenceNumber string `xml:",omitempty" json:",omitempty"`
}

func (s *Service) publish(ctx context.Context, call *wire.Call, in *publishInput) (*publishOutput, error) {
	t, err := s.destination(in)
	if err != nil {
		return nil, err
	}
	if len(in.Message)+size(in.MessageAttributes) > maxMessage {
		return nil, errInvalid("Message too long")
	}
	attributes, err := attributesOf("messageAttributes", in.MessageAttributes)
	if err != nil {
		return nil, err
	}
	e := entry{in.Message, in.Subject, in.MessageStructure, attributes, in.MessageGroupID, in.MessageDeduplicationID}
	n, err := s.notification(t, &e)
	if err != nil {
		return nil, err
	}
	return s.send(ctx, call, n, e)
}

// notification checks a message, and makes of it what is sent.
func (s *Service) notification(t topic, e *entry) (n notification, err error) {
	n = notification{topic: t, attributes: e.Attributes, at: s.cfg.Clock(), endpoint: s.cfg.Endpoint(), group: e.Group}
	if n.bodies, err = e.bodies(); err != nil {
		return n, err
	}
	if e.Subject != nil {
		if n.subject = *e.Subject; n.subject == "" || len(n.subject) > 100 || strings.ContainsAny(n.subject, "\r\n") {
			return n, errInvalid("Subject")
		}
	}
	if err := e.order(t); err != nil {
		return n, err
	}
	n.dedup = e.Dedup
	if n.id, err = s.newID(); err != nil || t.fifo() {
		return n, err
	}
	n.signer, err = s.signs()
	return n, err
}

// send publishes one message.
func (s *Service) send(ctx context.Context, call *wire.Call, n notification, e entry) (*publishOutput, error) {
	if err := s.checkKey(ctx, call.Caller, n.topic); err != nil {
		return nil, err
	}
	s.count(ctx, call, n.topic, "Requests-Tier1", max(1, (len(e.Message)+64<<10-1)/(64<<10)))
	if n.topic.fifo() {
		again, err := s.number(&n, e)
		if err != nil || again {
			return &publishOutput{n.id, n.sequence}, err
		}
	}
	var all []state.Entry[subscription]
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		all, err = subscriptions.List(tx, of(n.topic.arn()), "", 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	for _, each := range all {
		if n.wanted(each.Value) {
			if err := s.deliver(ctx, call, n, each.Value); err != nil {
				return nil, err
			}
		}
	}
	return &publishOutput{n.id, n.sequence}, nil
}

func (e entry) bodies() (map[string]string, error) {
	if e.Message == "" {
		return nil, errInvalid("Empty message")
	}
	if e.Structure == "" {
		return map[string]string{"default": e.Message}, nil
	}
	if e.Structure != "json" {
		return nil, errInvalid("MessageStructure")
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(e.Message), &members); err != nil {
		return nil, errInvalid("Message Structure - JSON message body failed to parse")
	}
	bodies := map[string]string{}
	for protocol, body := range members {
		if text, ok := body.(string); ok {
			bodies[protocol] = text
		}
	}
	if _, ok := bodies["default"]; !ok {
		return nil, errInvalid("Message Structure - No default entry in JSON message body")
	}
	return bodies, nil
}

// checkKey fails when the publisher may not use the topic's key.
func (s *Service) checkKey(ctx context.Context, caller wire.Caller, t topic) error {
	keyID := t.Attributes["KmsMasterKeyId"]
	if keyID == "" {
		return nil
	}
	_, _, err := s.cfg.Keys.Seal(ctx, caller, keyID, []byte{0}, map[string]string{"aws:sns:topicArn": t.arn()})
	if wire.IsAccessDenied(err) {
		return wire.StatusErrorf(400, "KMSAccessDenied", "%s", wire.AsError(err).Message)
	}
	return err
}

func (s *Service) count(ctx context.Context, call *wire.Call, t topic, usage string, n int) {
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "sns", Usage: usage, Resource: t.Name, RunID: call.Caller.RunID, Amount: float64(n)})
}

// maxRetries is how often SNS tries queues and functions again.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
const maxRetries = 100_015

// deliver hands the message to a subscription. An error is what stops the
// publication itself, not what the subscriber refuses: that goes to the
// subscription's dead-letter queue, or is lost as on AWS.
func (s *Service) deliver(ctx context.Context, call *wire.Call, n notification, sub subscription) error {
	s.count(ctx, call, n.topic, "DeliveryAttempts-"+strings.ToUpper(sub.Protocol), 1)
	self := wire.Caller{Account: n.topic.Account, Region: n.topic.Region, ARN: n.topic.arn(), Service: "sns.amazonaws.com", RunID: call.Caller.RunID}
	p := target.Parcel{Policy: target.Policy{Retries: maxRetries, Phases: true}}
	var err error
	if p.Message, err = n.message(sub, sub.Protocol, sub.Endpoint, self); err != nil {
		return err
	}
	if queue := deadLetters(sub.Options["RedrivePolicy"]); queue != "" {
		// A queue gets what a queue gets, whoever refused it, as recorded on AWS.
		if p.Dead.Message, err = n.message(sub, "sqs", queue, self); err != nil {
			return err
		}
	}
	return s.courier.Send(ctx, p)
}

// message is what an endpoint of a protocol gets.
func (n notification) message(sub subscription, protocol, arn string, self wire.Caller) (m target.Message, err error) {
	m = target.Message{ARN: arn, Caller: self}
	if m.Body, err = n.render(sub, protocol); err != nil {
		return m, err
	}
	if sub.raw() {
		m.Attributes = n.attributes
	}
	if strings.HasSuffix(arn, ".fifo") {
		m.Group, m.Dedup = n.group, n.dedup
	}
	return m, nil
}

func (s subscription) raw() bool {
	return s.Protocol == "sqs" && s.Options["RawMessageDelivery"] == "true"
}

// wanted applies the subscription's filter policy.
func (n notification) wanted(sub subscription) bool {
	text := sub.Options["FilterPolicy"]
	if text == "" {
		return true
	}
	pattern, err := eventpattern.Parse(text, eventpattern.SNS)
	if err != nil {
		return false // it was checked when it was set
	}
	if sub.Options["FilterPolicyScope"] == "MessageBody" {
		return pattern.MatchJSON([]byte(n.body(sub)))
	}
	return pattern.Match(facts(n.attributes))
}

// facts are message attributes as JSON values: what a filter policy sees.
func facts(attributes map[string]target.Attribute) map[string]any {
	all := map[string]any{}
	for name, a := range attributes {
		if a.StringValue == nil {
			continue // a filter policy does not look at binary values
		}
		all[name] = *a.StringValue
		if a.DataType == "Number" || a.DataType == "String.Array" {
			if value, err := eventpattern.Decode([]byte(*a.StringValue)); err == nil {
				all[name] = value
			}
		}
	}
	return all
}
