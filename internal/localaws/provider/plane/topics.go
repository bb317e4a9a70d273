package plane

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// topics returns the kinds of SNS.
func topics(cfg Config, t sdk.Source) []kind.Kind {
	p := topicPlane{Config: cfg, api: sns.NewFromConfig(cfg.AWS)}
	topic := t.Kind("aws:sns/topic:Topic", sdk.Overlay{
		Replace: []string{"name", "fifoTopic"}, Name: map[string]kind.Naming{"name": {Max: 256}}, Document: []string{"policy", "deliveryPolicy"},
		Default: map[string]any{"fifoTopic": false, "contentBasedDeduplication": false}, Computed: []string{"policy", "signatureVersion", "tracingConfig"},
		Unused: []string{
			"namePrefix", "applicationFailureFeedbackRoleArn", "applicationSuccessFeedbackRoleArn", "applicationSuccessFeedbackSampleRate", "archivePolicy",
			"fifoThroughputScope", "firehoseFailureFeedbackRoleArn", "firehoseSuccessFeedbackRoleArn", "firehoseSuccessFeedbackSampleRate",
			"httpFailureFeedbackRoleArn", "httpSuccessFeedbackRoleArn", "httpSuccessFeedbackSampleRate", "lambdaFailureFeedbackRoleArn",
			"lambdaSuccessFeedbackRoleArn", "lambdaSuccessFeedbackSampleRate", "sqsFailureFeedbackRoleArn", "sqsSuccessFeedbackRoleArn",
			"sqsSuccessFeedbackSampleRate", "tracingConfig",
		},
	})
	topic.Plane = ops{p.create, p.read, p.update, p.delete}
	policy := t.Kind("aws:sns/topicPolicy:TopicPolicy", sdk.Overlay{Replace: []string{"arn"}, Document: []string{"policy"}})
	policy.Plane = ops{p.putPolicy, p.readPolicy, p.updatePolicy, p.dropPolicy}
	subscription := t.Kind("aws:sns/topicSubscription:TopicSubscription", sdk.Overlay{
		Replace: []string{"topic", "protocol", "endpoint"}, Document: []string{"filterPolicy", "redrivePolicy", "deliveryPolicy"},
		Default: map[string]any{"rawMessageDelivery": false, "endpointAutoConfirms": false, "confirmationTimeoutInMinutes": 1.0}, Computed: []string{"filterPolicyScope"},
		Unused: []string{"replayPolicy", "subscriptionRoleArn"},
	})
	subscription.Plane = ops{p.subscribe, p.readSubscription, p.updateSubscription, p.unsubscribe}
	return []kind.Kind{topic, policy, subscription}
}

type topicPlane struct {
	Config
	api *sns.Client
}

func snsTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func snsTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

var topicAttributes = []attribute{
	{"displayName", "DisplayName", kind.String}, {"policy", "Policy", kind.String}, {"deliveryPolicy", "DeliveryPolicy", kind.String},
	{"kmsMasterKeyId", "KmsMasterKeyId", kind.String}, {"fifoTopic", "FifoTopic", kind.Bool}, {"signatureVersion", "SignatureVersion", kind.Number},
	{"contentBasedDeduplication", "ContentBasedDeduplication", kind.Bool},
}

func (p topicPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	attributes := writeAttributes(topicAttributes, in)
	if !value.Bool(in, "fifoTopic") { // a standard topic must not have these at all
		delete(attributes, "FifoTopic")
		delete(attributes, "ContentBasedDeduplication")
	}
	res, err := p.api.CreateTopic(ctx, &sns.CreateTopicInput{Name: text(in, "name"), Attributes: attributes, Tags: tagList(value.StringMap(in, "tags"), snsTag)})
	if err != nil {
		return "", nil, err
	}
	id := aws.ToString(res.TopicArn)
	out, err := p.read(ctx, id, nil)
	return id, out, err
}

func (p topicPlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &id})
	if err != nil {
		return nil, err
	}
	tags, err := p.api.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: &id})
	if err != nil {
		return nil, err
	}
	out := readAttributes(topicAttributes, res.Attributes)
	return value.Merge(value.Map{"fifoTopic": false, "contentBasedDeduplication": false}, out, value.Map{
		"arn": id, "owner": res.Attributes["Owner"], "name": id[strings.LastIndex(id, ":")+1:], "tags": tagValue(tags.Tags, snsTagOf),
		"beginningArchiveTime": "",
	}), nil
}

func (p topicPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	for _, a := range topicAttributes {
		if before, after := a.write(old), a.write(in); before != after && (after != "" || a.property != "policy") {
			if _, err := p.api.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &id, AttributeName: &a.name, AttributeValue: &after}); err != nil {
				return nil, err
			}
		}
	}
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: &id, TagKeys: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &id, Tags: tagList(set, snsTag)}); err != nil {
			return nil, err
		}
	}
	return p.read(ctx, id, nil)
}

func (p topicPlane) delete(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &id})
	return err
}

func (p topicPlane) putPolicy(ctx context.Context, in value.Map) (string, value.Map, error) {
	id := value.String(in, "arn")
	out, err := p.updatePolicy(ctx, id, nil, in)
	if err != nil {
		return "", nil, err
	}
	return id, out, nil
}

func (p topicPlane) updatePolicy(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
	_, err := p.api.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &id, AttributeName: aws.String("Policy"), AttributeValue: text(in, "policy")})
	return value.Map{"owner": p.Account}, err
}

func (p topicPlane) readPolicy(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &id})
	if err != nil {
		return nil, err
	}
	return value.Map{"arn": id, "policy": res.Attributes["Policy"], "owner": p.Account}, nil
}

// dropPolicy leaves the topic with the policy that every topic begins with: a
// topic always has one.
func (p topicPlane) dropPolicy(ctx context.Context, id string, _ value.Map) error {
	policy := `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},` +
		`"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe",` +
		`"SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"` + id + `","Condition":{"StringEquals":{"AWS:SourceOwner":"` + p.Account + `"}}}]}`
	_, err := p.api.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &id, AttributeName: aws.String("Policy"), AttributeValue: &policy})
	return err
}

var subscriptionAttributes = []attribute{
	{"filterPolicy", "FilterPolicy", kind.String}, {"filterPolicyScope", "FilterPolicyScope", kind.String}, {"redrivePolicy", "RedrivePolicy", kind.String},
	{"deliveryPolicy", "DeliveryPolicy", kind.String}, {"rawMessageDelivery", "RawMessageDelivery", kind.Bool},
}

func (p topicPlane) subscribe(ctx context.Context, in value.Map) (string, value.Map, error) {
	attributes := writeAttributes(subscriptionAttributes, in)
	if !value.Bool(in, "rawMessageDelivery") {
		delete(attributes, "RawMessageDelivery")
	}
	res, err := p.api.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: text(in, "topic"), Protocol: text(in, "protocol"), Endpoint: text(in, "endpoint"), Attributes: attributes, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return "", nil, err
	}
	id := aws.ToString(res.SubscriptionArn)
	out, err := p.readSubscription(ctx, id, nil)
	return id, out, err
}

func (p topicPlane) readSubscription(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &id})
	if err != nil {
		return nil, err
	}
	a := res.Attributes
	return value.Merge(value.Map{"rawMessageDelivery": false}, readAttributes(subscriptionAttributes, a), value.Map{
		"arn": id, "topic": a["TopicArn"], "protocol": a["Protocol"], "endpoint": a["Endpoint"], "ownerId": a["Owner"],
		"pendingConfirmation": a["PendingConfirmation"] == "true", "confirmationWasAuthenticated": a["ConfirmationWasAuthenticated"] == "true",
	}), nil
}

func (p topicPlane) updateSubscription(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	for _, a := range subscriptionAttributes {
		if before, after := a.write(old), a.write(in); before != after {
			if _, err := p.api.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: &id, AttributeName: &a.name, AttributeValue: &after}); err != nil {
				return nil, err
			}
		}
	}
	return p.readSubscription(ctx, id, nil)
}

func (p topicPlane) unsubscribe(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &id})
	return err
}
