package plane

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// machines returns the kinds of Step Functions.
func machines(cfg Config, t sdk.Source) []kind.Kind {
	p := machinePlane{Config: cfg, api: sfn.NewFromConfig(cfg.AWS)}
	k := t.Kind("aws:sfn/stateMachine:StateMachine", sdk.Overlay{
		Replace: []string{"name", "type"}, Name: map[string]kind.Naming{"name": {Max: 80}}, Document: []string{"definition"},
		Default:  map[string]any{"type": "STANDARD", "publish": false},
		Computed: []string{"encryptionConfiguration", "loggingConfiguration", "tracingConfiguration"},
		Unused:   []string{"namePrefix", "encryptionConfiguration"}, Enum: map[string]string{"type": "STANDARD EXPRESS"},
	})
	p.kind = k
	k.Plane = ops{p.create, p.read, p.update, p.delete}
	return []kind.Kind{k}
}

type machinePlane struct {
	Config
	api  *sfn.Client
	kind kind.Kind
}

func machineTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func machineTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

// logging is the one setting that a program writes differently: one destination
// instead of a list.
func logging(in value.Map) (*types.LoggingConfiguration, error) {
	m := value.Object(in, "loggingConfiguration")
	if m == nil {
		return nil, nil
	}
	c := &types.LoggingConfiguration{}
	if err := fill(m, c); err != nil {
		return nil, err
	}
	if d := value.String(m, "logDestination"); d != "" {
		c.Destinations = []types.LogDestination{{CloudWatchLogsLogGroup: &types.CloudWatchLogsLogGroup{LogGroupArn: &d}}}
	}
	return c, nil
}

func tracing(in value.Map) *types.TracingConfiguration {
	return &types.TracingConfiguration{Enabled: value.Bool(value.Object(in, "tracingConfiguration"), "enabled")}
}

func (p machinePlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	logs, err := logging(in)
	if err != nil {
		return "", nil, err
	}
	res, err := p.api.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name: text(in, "name"), Definition: text(in, "definition"), RoleArn: text(in, "roleArn"), Type: types.StateMachineType(value.String(in, "type")),
		LoggingConfiguration: logs, TracingConfiguration: tracing(in), Publish: value.Bool(in, "publish"),
		Tags: tagList(value.StringMap(in, "tags"), machineTag),
	})
	if err != nil {
		return "", nil, err
	}
	arn := aws.ToString(res.StateMachineArn)
	out, err := p.read(ctx, arn, nil)
	return arn, p.kind.Computed(out), err
}

func (p machinePlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &id})
	if err != nil {
		return nil, err
	}
	if res.Status == types.StateMachineStatusDeleting {
		return nil, kind.ErrNotFound
	}
	tags, err := p.api.ListTagsForResource(ctx, &sfn.ListTagsForResourceInput{ResourceArn: &id})
	if err != nil {
		return nil, err
	}
	out, err := tell(p.kind.Inputs, res)
	if logs := value.Object(out, "loggingConfiguration"); logs != nil {
		for _, d := range res.LoggingConfiguration.Destinations {
			logs["logDestination"] = aws.ToString(d.CloudWatchLogsLogGroup.LogGroupArn)
		}
	}
	return value.Merge(out, value.Map{
		"arn": id, "creationDate": aws.ToTime(res.CreationDate).UTC().Format(time.RFC3339), "description": aws.ToString(res.Description),
		"revisionId": aws.ToString(res.RevisionId), "stateMachineVersionArn": "", "status": string(res.Status), "versionDescription": "",
		"tags": tagValue(tags.Tags, machineTagOf),
	}), err
}

func (p machinePlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	logs, err := logging(in)
	if err != nil {
		return nil, err
	}
	if _, err := p.api.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{
		StateMachineArn: &id, Definition: text(in, "definition"), RoleArn: text(in, "roleArn"), LoggingConfiguration: logs,
		TracingConfiguration: tracing(in), Publish: value.Bool(in, "publish"),
	}); err != nil {
		return nil, err
	}
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &sfn.UntagResourceInput{ResourceArn: &id, TagKeys: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagResource(ctx, &sfn.TagResourceInput{ResourceArn: &id, Tags: tagList(set, machineTag)}); err != nil {
			return nil, err
		}
	}
	out, err := p.read(ctx, id, nil)
	return p.kind.Computed(out), err
}

func (p machinePlane) delete(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: &id})
	return err
}
