package sns

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tagPair struct {
	Key   string `required:"true" max:"128"`
	Value string `max:"256"`
}

type createInput struct {
	Name       string `required:"true"`
	Attributes map[string]string
	Tags       []tagPair
}

type topicARN struct {
	TopicArn string
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

func checkTopicName(in *createInput) error {
	base, fifo := strings.CutSuffix(in.Name, ".fifo")
	if wanted := in.Attributes["FifoTopic"] == "true"; wanted && !fifo {
		return errInvalid("Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
	} else if fifo && !wanted || !namePattern.MatchString(base) || len(in.Name) > 256 {
		return errInvalid("Topic Name")
	}
	return nil
}

func tagsOf(pairs []tagPair) (map[string]string, error) {
	tags := map[string]string{}
	for _, p := range pairs {
		if _, twice := tags[p.Key]; twice {
			return nil, errInvalid("Duplicated keys are not allowed.")
		}
		tags[p.Key] = p.Value
	}
	return tags, nil
}

func (s *Service) createTopic(_ context.Context, call *wire.Call, in *createInput) (*topicARN, error) {
	if err := checkTopicName(in); err != nil {
		return nil, err
	}
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	t := topic{Name: in.Name, Account: call.Caller.Account, Region: call.Caller.Region, Attributes: map[string]string{}, Tags: tags}
	if in.Attributes["FifoTopic"] == "true" {
		t.Attributes["FifoTopic"], t.Attributes["ContentBasedDeduplication"] = "true", "false"
	}
	for name, value := range in.Attributes {
		if name == "FifoTopic" {
			continue
		}
		if err := s.setAttribute(&t, name, value); err != nil {
			return nil, err
		}
	}
	return &topicARN{t.arn()}, s.cfg.Store.Update(func(tx state.Tx) error {
		old, err := topics.Get(tx, t.arn())
		if err != nil {
			return topics.Put(tx, t.arn(), t)
		}
		return sameTopic(old, t)
	})
}

// sameTopic lets a topic be created again with the attributes and tags it has.
func sameTopic(old, asked topic) error {
	for name, value := range asked.Attributes {
		if old.Attributes[name] != value {
			return errInvalid("Attributes Reason: Topic already exists with different attributes")
		}
	}
	if len(asked.Tags) > 0 && !maps.Equal(old.Tags, asked.Tags) {
		return errInvalid("Tags Reason: Topic already exists with different tags")
	}
	return nil
}

func (s *Service) setAttribute(t *topic, name, value string) error {
	switch name {
	case "DisplayName":
	case "Policy":
		if _, err := policy.Parse(policy.Resource, value); err != nil && value != "" {
			return errInvalid("Policy Error: %v", err)
		}
	case "KmsMasterKeyId":
		if s.cfg.Keys == nil && value != "" {
			return wire.NotImplemented("KmsMasterKeyId without KMS")
		}
	case "TracingConfig":
		if value != "PassThrough" {
			return wire.NotImplemented("TracingConfig %s", value)
		}
	case "SignatureVersion":
		if value != "1" && value != "2" {
			return errInvalid("SignatureVersion")
		}
	case "DeliveryPolicy":
		if value != "" && !json.Valid([]byte(value)) {
			return errInvalid("DeliveryPolicy: failed to parse JSON")
		}
	case "ContentBasedDeduplication", "FifoThroughputScope":
		return t.setFIFO(name, value)
	default:
		return unknownAttribute(name)
	}
	t.Attributes[name] = value
	return nil
}

// setFIFO sets what only FIFO topics have.
func (t *topic) setFIFO(name, value string) error {
	choices := map[string][]string{"ContentBasedDeduplication": {"true", "false"}, "FifoThroughputScope": {"Topic", "MessageGroup"}}
	if !t.fifo() || !slices.Contains(choices[name], value) {
		return errInvalid("%s", name)
	}
	t.Attributes[name] = value
	return nil
}

// unknownAttribute tells what AWS has and this endpoint does not from what nobody has.
func unknownAttribute(name string) error {
	for _, suffix := range []string{"FeedbackRoleArn", "FeedbackSampleRate", "ArchivePolicy", "DataProtectionPolicy"} {
		if strings.HasSuffix(name, suffix) {
			return wire.NotImplemented("the topic attribute %s", name)
		}
	}
	return errInvalid("AttributeName")
}

type listInput struct{ NextToken string }

type listTopicsOutput struct {
	Topics    []topicARN
	NextToken string
}

const pageSize = 100

func (s *Service) listTopics(_ context.Context, call *wire.Call, in *listInput) (*listTopicsOutput, error) {
	out := &listTopicsOutput{Topics: []topicARN{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		found, err := topics.List(tx, call.ARN("sns", ""), in.NextToken, pageSize+1)
		for i, e := range found {
			if i == pageSize {
				out.NextToken = found[i-1].Key
				break
			}
			out.Topics = append(out.Topics, topicARN{e.Key})
		}
		return err
	})
}

type topicInput struct {
	TopicArn string `required:"true"`
}

func topicOf(in *topicInput) string { return in.TopicArn }

type attributesOutput struct{ Attributes map[string]string }

func (s *Service) getTopic(_ context.Context, _ *wire.Call, in *topicInput) (*attributesOutput, error) {
	t, err := s.find(in.TopicArn)
	if err != nil {
		return nil, err
	}
	subscribed := 0
	err = s.cfg.Store.View(func(tx state.Tx) error {
		for range subscriptions.Scan(tx, of(in.TopicArn), "") {
			subscribed++
		}
		return nil
	})
	all := maps.Clone(t.Attributes)
	maps.Copy(all, map[string]string{"TopicArn": t.arn(), "Owner": t.Account, "Policy": t.policy(), "DisplayName": t.Attributes["DisplayName"],
		"SubscriptionsConfirmed": strconv.Itoa(subscribed), "SubscriptionsPending": "0", "SubscriptionsDeleted": "0",
		"EffectiveDeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`})
	if t.fifo() && all["SignatureVersion"] == "" {
		all["SignatureVersion"] = "2"
	}
	return &attributesOutput{all}, err
}

type setTopicInput struct {
	TopicArn       string `required:"true"`
	AttributeName  string `required:"true"`
	AttributeValue string
}

func (s *Service) setTopic(_ context.Context, _ *wire.Call, in *setTopicInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(in.TopicArn, func(t *topic) error { return s.setAttribute(t, in.AttributeName, in.AttributeValue) })
}

func (s *Service) deleteTopic(_ context.Context, _ *wire.Call, in *topicInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		if !topics.Has(tx, in.TopicArn) {
			return nil // as AWS: deleting is idempotent
		}
		if err := toldOf.DeletePrefix(tx, state.Prefix(in.TopicArn)); err != nil {
			return err
		}
		if err := subscriptions.DeletePrefix(tx, of(in.TopicArn)); err != nil {
			return err
		}
		return topics.Delete(tx, in.TopicArn)
	})
}

type tagInput struct {
	ResourceArn string    `required:"true"`
	Tags        []tagPair `required:"true"`
}

func (s *Service) tag(_ context.Context, _ *wire.Call, in *tagInput) (*wire.Empty, error) {
	if _, err := tagsOf(in.Tags); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.change(in.ResourceArn, func(t *topic) error {
		if t.Tags == nil {
			t.Tags = map[string]string{}
		}
		for _, p := range in.Tags {
			t.Tags[p.Key] = p.Value
		}
		if len(t.Tags) > 50 {
			return wire.Errorf("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
		}
		return nil
	})
}

type untagInput struct {
	ResourceArn string   `required:"true"`
	TagKeys     []string `required:"true"`
}

func (s *Service) untag(_ context.Context, _ *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(in.ResourceArn, func(t *topic) error {
		for _, name := range in.TagKeys {
			delete(t.Tags, name)
		}
		return nil
	})
}

type tagsOfInput struct {
	ResourceArn string `required:"true"`
}

type tagsOutput struct{ Tags []tagPair }

func (s *Service) listTags(_ context.Context, _ *wire.Call, in *tagsOfInput) (*tagsOutput, error) {
	t, err := s.find(in.ResourceArn)
	out := &tagsOutput{Tags: []tagPair{}}
	for _, name := range slices.Sorted(maps.Keys(t.Tags)) {
		out.Tags = append(out.Tags, tagPair{name, t.Tags[name]})
	}
	return out, err
}
