package plane

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// queues returns the kinds of SQS.
func queues(cfg Config, t sdk.Source) []kind.Kind {
	p := queuePlane{Config: cfg, api: sqs.NewFromConfig(cfg.AWS)}
	queue := t.Kind("aws:sqs/queue:Queue", sdk.Overlay{
		Replace: []string{"name", "namePrefix", "fifoQueue"}, Name: map[string]kind.Naming{"name": {Max: 80}}, Unused: []string{"namePrefix"},
		Document: []string{"policy", "redrivePolicy", "redriveAllowPolicy"}, Computed: []string{"policy", "sqsManagedSseEnabled", "deduplicationScope", "fifoThroughputLimit", "kmsDataKeyReusePeriodSeconds"},
		Default: map[string]any{
			"delaySeconds": 0.0, "maxMessageSize": 262144.0, "messageRetentionSeconds": 345600.0, "receiveWaitTimeSeconds": 0.0,
			"visibilityTimeoutSeconds": 30.0, "fifoQueue": false, "contentBasedDeduplication": false,
		},
	})
	queue.Plane = ops{p.create, p.read, p.update, p.delete}
	return []kind.Kind{
		queue,
		p.policy(t.Kind("aws:sqs/queuePolicy:QueuePolicy", sdk.Overlay{Replace: []string{"queueUrl"}, Document: []string{"policy"}}), "policy", "Policy"),
		p.policy(t.Kind("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", sdk.Overlay{
			Replace: []string{"queueUrl"}, Document: []string{"redriveAllowPolicy"},
		}), "redriveAllowPolicy", "RedriveAllowPolicy"),
	}
}

type queuePlane struct {
	Config
	api *sqs.Client
}

var queueAttributes = []attribute{
	{"delaySeconds", "DelaySeconds", kind.Number}, {"maxMessageSize", "MaximumMessageSize", kind.Number},
	{"messageRetentionSeconds", "MessageRetentionPeriod", kind.Number}, {"receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", kind.Number},
	{"visibilityTimeoutSeconds", "VisibilityTimeout", kind.Number}, {"policy", "Policy", kind.String}, {"redrivePolicy", "RedrivePolicy", kind.String},
	{"redriveAllowPolicy", "RedriveAllowPolicy", kind.String}, {"kmsMasterKeyId", "KmsMasterKeyId", kind.String},
	{"kmsDataKeyReusePeriodSeconds", "KmsDataKeyReusePeriodSeconds", kind.Number}, {"sqsManagedSseEnabled", "SqsManagedSseEnabled", kind.Bool},
	{"fifoQueue", "FifoQueue", kind.Bool}, {"contentBasedDeduplication", "ContentBasedDeduplication", kind.Bool},
	{"deduplicationScope", "DeduplicationScope", kind.String}, {"fifoThroughputLimit", "FifoThroughputLimit", kind.String},
}

func (p queuePlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	attributes := writeAttributes(queueAttributes, in)
	if !value.Bool(in, "fifoQueue") { // a standard queue must not have these at all
		delete(attributes, "FifoQueue")
		delete(attributes, "ContentBasedDeduplication")
	}
	res, err := p.api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: text(in, "name"), Attributes: attributes, Tags: value.StringMap(in, "tags")})
	if err != nil {
		return "", nil, err
	}
	id := aws.ToString(res.QueueUrl)
	out, err := p.read(ctx, id, nil)
	return id, out, err
}

func (p queuePlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &id, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		return nil, err
	}
	tags, err := p.api.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &id})
	if err != nil {
		return nil, err
	}
	return value.Merge(value.Map{"fifoQueue": false, "contentBasedDeduplication": false}, readAttributes(queueAttributes, res.Attributes), value.Map{
		"arn": res.Attributes["QueueArn"], "url": id, "name": id[strings.LastIndex(id, "/")+1:], "tags": value.FromStringMap(tags.Tags),
	}), nil
}

func (p queuePlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	changed := map[string]string{}
	for _, a := range queueAttributes {
		before, after := a.write(old), a.write(in)
		if _, given := in[a.property]; before != after && (given || a.property == "redrivePolicy" || a.property == "kmsMasterKeyId") {
			changed[a.name] = after
		}
	}
	if len(changed) > 0 {
		if _, err := p.api.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &id, Attributes: changed}); err != nil {
			return nil, err
		}
	}
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: &id, TagKeys: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: &id, Tags: set}); err != nil {
			return nil, err
		}
	}
	return p.read(ctx, id, nil)
}

func (p queuePlane) delete(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &id})
	return err
}

// policy makes a kind of one attribute of a queue: its identifier is the queue's.
func (p queuePlane) policy(k kind.Kind, property, name string) kind.Kind {
	put := func(ctx context.Context, id, text string) error {
		_, err := p.api.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &id, Attributes: map[string]string{name: text}})
		return err
	}
	k.Plane = ops{
		create: func(ctx context.Context, in value.Map) (string, value.Map, error) {
			id := value.String(in, "queueUrl")
			if err := put(ctx, id, value.String(in, property)); err != nil {
				return "", nil, err
			}
			return id, nil, nil
		},
		read: func(ctx context.Context, id string, _ value.Map) (value.Map, error) {
			res, err := p.api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &id, AttributeNames: []types.QueueAttributeName{"All"}})
			if err != nil {
				return nil, err
			}
			if res.Attributes[name] == "" {
				return nil, kind.ErrNotFound
			}
			return value.Map{"queueUrl": id, property: res.Attributes[name]}, nil
		},
		update: func(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
			return nil, put(ctx, id, value.String(in, property))
		},
		delete: func(ctx context.Context, id string, _ value.Map) error { return put(ctx, id, "") },
	}
	return k
}
