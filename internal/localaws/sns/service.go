package sns

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"engage/internal/localaws/alarm"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// Keys encrypts for topics that have a KMS key.
type Keys interface {
	Seal(ctx context.Context, caller wire.Caller, keyID string, plaintext []byte, encryptionContext map[string]string) ([]byte, string, error)
}

// Config says what the service works with.
type Config struct {
	// Store keeps topics and subscriptions. There is no default.
	Store *state.Store
	// Targets takes what is published. There is no default.
	Targets target.Deliverer
	// Keys checks that a publisher may use the topic's key. Without it a topic
	// with KmsMasterKeyId is refused.
	Keys Keys
	// Endpoint returns the address of this endpoint. The default is http://127.0.0.1:4566.
	Endpoint func() string
	// Clock is for timestamps. The default is time.Now.
	Clock func() time.Time
	// After makes a channel that fires after a time, and a function that lets
	// go of it. The default is a time.Timer.
	After func(time.Duration) (<-chan time.Time, func())
	// Random makes ids and spreads attempts. The default is crypto/rand.Reader.
	Random io.Reader
	// Meter counts requests and deliveries. The default counts nothing.
	Meter wire.Meter
}

// Service is SNS.
type Service struct {
	cfg     Config
	alarm   *alarm.Alarm
	courier *target.Courier

	signing sync.Mutex
	signer  *signer
}

// New opens the service. What subscribers did not take is tried again while Run runs.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.Endpoint == nil {
		cfg.Endpoint = func() string { return "http://127.0.0.1:4566" }
	}
	s := &Service{cfg: cfg, alarm: alarm.New(cfg.Clock, cfg.After)}
	s.courier = target.NewCourier(target.CourierConfig{Name: "sns", Store: cfg.Store, Targets: cfg.Targets, Clock: cfg.Clock, Random: cfg.Random, Tell: s.alarm.Tell})
	return s
}

// Run tries again to deliver what subscribers did not take, until the context ends.
func (s *Service) Run(ctx context.Context, report func(error)) {
	s.alarm.Run(ctx, func(time.Time) (time.Time, error) { return s.courier.Next() },
		func(ctx context.Context, _, _ time.Time) error { return s.courier.Tick(ctx) }, report)
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "sns", Protocol: wire.Query, Namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
		ValidationCode: "InvalidParameter", DeniedCode: "AuthorizationError", Foreign: []wire.Foreign{s.certificates()}, Operations: []wire.Operation{
			wire.Form("CreateTopic", s.createTopic, func(call *wire.Call, in *createInput) []wire.Access {
				return []wire.Access{{Action: "sns:CreateTopic", Resource: call.ARN("sns", in.Name)}}
			}),
			wire.Form("ListTopics", s.listTopics, nil),
			wire.Form("GetTopicAttributes", s.getTopic, touch(s, "GetTopicAttributes", topicOf)),
			wire.Form("SetTopicAttributes", s.setTopic, touch(s, "SetTopicAttributes", func(in *setTopicInput) string { return in.TopicArn })),
			wire.Form("DeleteTopic", s.deleteTopic, touch(s, "DeleteTopic", topicOf)),
			wire.Form("Subscribe", s.subscribe, s.touchSubscribe),
			wire.Form("Unsubscribe", s.unsubscribe, nil),
			wire.Form("ListSubscriptions", s.listAll, nil),
			wire.Form("ListSubscriptionsByTopic", s.listOfTopic, touch(s, "ListSubscriptionsByTopic", func(in *listOfInput) string { return in.TopicArn })),
			wire.Form("AddPermission", s.addPermission, touch(s, "AddPermission", func(in *addPermissionInput) string { return in.TopicArn })),
			wire.Form("RemovePermission", s.removePermission, touch(s, "RemovePermission", func(in *removePermissionInput) string { return in.TopicArn })),
			wire.Form("ConfirmSubscription", s.confirm, touch(s, "ConfirmSubscription", func(in *confirmInput) string { return in.TopicArn })),
			wire.Form("GetSubscriptionAttributes", s.getSubscription, nil),
			wire.Form("SetSubscriptionAttributes", s.setSubscription, nil),
			wire.Form("Publish", s.publish, touch(s, "Publish", func(in *publishInput) string { return in.arn() })),
			wire.Form("PublishBatch", s.publishBatch, touch(s, "Publish", func(in *batchInput) string { return in.TopicArn })),
			wire.Form("TagResource", s.tag, touch(s, "TagResource", func(in *tagInput) string { return in.ResourceArn })),
			wire.Form("UntagResource", s.untag, touch(s, "UntagResource", func(in *untagInput) string { return in.ResourceArn })),
			wire.Form("ListTagsForResource", s.listTags, touch(s, "ListTagsForResource", func(in *tagsOfInput) string { return in.ResourceArn })),
		}}
}

func touch[I any](s *Service, action string, arn func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access { return []wire.Access{s.access(call, action, arn(in))} }
}

func (s *Service) access(call *wire.Call, action, arn string) wire.Access {
	a := wire.Access{Action: "sns:" + action, Resource: arn, Owner: accountOf(arn), Conditions: map[string][]string{}}
	if call.Caller.Service != "" { // a service has a source; a role of the account needs a permission of its own
		a.Conditions["aws:SourceOwner"] = []string{call.Caller.Account}
	}
	if t, err := s.find(arn); err == nil {
		a.Policy = t.policy()
	}
	return a
}

func (s *Service) find(arn string) (t topic, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		t, err = lookup(tx, arn)
		return err
	})
	return t, err
}

func lookup(tx state.Tx, arn string) (topic, error) {
	if n := strings.Count(arn, ":") + 1; n < 6 {
		return topic{}, errInvalid("TopicArn Reason: An ARN must have at least 6 elements, not %d", n)
	}
	t, err := topics.Get(tx, arn)
	if errors.Is(err, state.ErrNotFound) {
		return t, errNotFound("Topic")
	}
	return t, err
}

func (s *Service) change(arn string, f func(*topic) error) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := lookup(tx, arn)
		if err != nil {
			return err
		}
		if err := f(&t); err != nil {
			return err
		}
		return topics.Put(tx, arn, t)
	})
}

func (s *Service) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.cfg.Random, raw[:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), nil
}
