package sns

import (
	"context"
	"encoding/json"
	"errors"
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
	Message           string
	Subject           string                      `max:"100"`
	MessageStructure  string                      `enum:"json"`
	MessageAttributes map[string]target.Attribute `key:"Name" value:"Value"`
}

type publishInput struct {
	TopicArn          string
	TargetArn         string
	Message           string                      `required:"true"`
	Subject           string                      `max:"100"`
	MessageStructure  string                      `enum:"json"`
	MessageAttributes map[string]target.Attribute `key:"Name" value:"Value"`
}

func (in *publishInput) arn() string {
	if in.TopicArn != "" {
		return in.TopicArn
	}
	return in.TargetArn
}

type publishOutput struct{ MessageId string }

func (s *Service) publish(ctx context.Context, call *wire.Call, in *publishInput) (*publishOutput, error) {
	t, err := s.find(in.arn())
	if err != nil {
		return nil, err
	}
	id, err := s.send(ctx, call, t, entry{in.Message, in.Subject, in.MessageStructure, in.MessageAttributes})
	return &publishOutput{id}, err
}

// send publishes one message and returns its id.
func (s *Service) send(ctx context.Context, call *wire.Call, t topic, e entry) (string, error) {
	n := notification{topic: t, subject: e.Subject, attributes: e.MessageAttributes, at: s.cfg.Clock(), endpoint: s.cfg.Endpoint()}
	var err error
	if n.bodies, err = e.bodies(); err != nil {
		return "", err
	}
	if n.id, err = s.newID(); err != nil {
		return "", err
	}
	if err := s.checkKey(ctx, call.Caller, t); err != nil {
		return "", err
	}
	s.count(ctx, call, t, "Requests-Tier1", max(1, (len(e.Message)+64<<10-1)/(64<<10)))
	var all []state.Entry[subscription]
	err = s.cfg.Store.View(func(tx state.Tx) error {
		all, err = subscriptions.List(tx, of(t.arn()), "", 0)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read subscriptions: %w", err)
	}
	for _, each := range all {
		if n.wanted(each.Value) {
			if err := s.deliver(ctx, call, n, each.Value); err != nil {
				return "", err
			}
		}
	}
	return n.id, nil
}

func (e entry) bodies() (map[string]string, error) {
	if e.Message == "" {
		return nil, errInvalid("Empty message")
	}
	if len(e.Message) > maxMessage {
		return nil, errInvalid("Message too long")
	}
	for name, a := range e.MessageAttributes {
		if a.DataType == "" || a.StringValue == nil && len(a.BinaryValue) == 0 {
			return nil, wire.Errorf("ParameterValueInvalid", "The message attribute '%s' must contain non-empty message attribute type and value.", name)
		}
	}
	if e.MessageStructure == "" {
		return map[string]string{"default": e.Message}, nil
	}
	var bodies map[string]string
	if err := json.Unmarshal([]byte(e.Message), &bodies); err != nil {
		return nil, errInvalid("Message Structure - JSON message body failed to parse")
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

// deliver hands the message to a subscription, or to its dead-letter queue.
// A subscription without one loses what its target refuses, as on AWS; the
// request log has the refusal. An error is what stops the publication itself.
func (s *Service) deliver(ctx context.Context, call *wire.Call, n notification, sub subscription) error {
	s.count(ctx, call, n.topic, "DeliveryAttempts-"+strings.ToUpper(sub.Protocol), 1)
	m := target.Message{ARN: sub.Endpoint, Caller: wire.Caller{Account: n.topic.Account, Region: n.topic.Region,
		ARN: n.topic.arn(), Service: "sns.amazonaws.com", RunID: call.Caller.RunID}}
	var err error
	if m.Body, err = n.render(sub); err != nil {
		return err
	}
	if sub.raw() {
		m.Attributes = n.attributes
	}
	err = s.cfg.Targets.Deliver(ctx, m)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	queue := deadLetters(sub.Options["RedrivePolicy"])
	if err == nil || queue == "" {
		return nil
	}
	m.ARN = queue
	if failed := s.cfg.Targets.Deliver(ctx, m); failed != nil {
		return fmt.Errorf("deliver to the dead-letter queue: %w", errors.Join(failed, err))
	}
	return nil
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

type batchEntry struct {
	Id                string
	Message           string
	Subject           string
	MessageStructure  string
	MessageAttributes map[string]target.Attribute `key:"Name" value:"Value"`
}

type batchInput struct {
	TopicArn                   string       `required:"true"`
	PublishBatchRequestEntries []batchEntry `required:"true"`
}

type published struct{ Id, MessageId string }

type refused struct {
	Id, Code, Message string
	SenderFault       bool
}

type batchOutput struct {
	Successful []published
	Failed     []refused
}

func (s *Service) publishBatch(ctx context.Context, call *wire.Call, in *batchInput) (*batchOutput, error) {
	t, err := s.find(in.TopicArn)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	out := &batchOutput{Successful: []published{}, Failed: []refused{}}
	for _, e := range in.PublishBatchRequestEntries {
		id, err := s.send(ctx, call, t, entry{e.Message, e.Subject, e.MessageStructure, e.MessageAttributes})
		if err != nil {
			w := wire.AsError(err)
			out.Failed = append(out.Failed, refused{e.Id, w.Code, w.Message, w.Fault == wire.Sender})
			continue
		}
		out.Successful = append(out.Successful, published{e.Id, id})
	}
	return out, nil
}

func checkBatch(entries []batchEntry) error {
	if len(entries) == 0 {
		return wire.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	}
	if len(entries) > 10 {
		return wire.Errorf("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	}
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		if seen[e.Id] || e.Id == "" {
			return wire.Errorf("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[e.Id] = true
		size += len(e.Message)
	}
	if size > maxMessage {
		return wire.Errorf("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
	}
	return nil
}
