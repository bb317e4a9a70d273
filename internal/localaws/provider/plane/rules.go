package plane

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// rules returns the kinds of EventBridge.
func rules(cfg Config, t sdk.Source) []kind.Kind {
	p := rulePlane{Config: cfg, api: eventbridge.NewFromConfig(cfg.AWS)}
	rule := t.Kind("aws:cloudwatch/eventRule:EventRule", sdk.Overlay{
		Replace: []string{"name", "eventBusName"}, Name: map[string]kind.Naming{"name": {Max: 64}}, Document: []string{"eventPattern"},
		Default: map[string]any{"eventBusName": "default", "state": "ENABLED", "forceDestroy": false},
		Enum:    map[string]string{"state": "ENABLED DISABLED ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}, Unused: []string{"namePrefix", "isEnabled"},
	})
	p.rule = rule
	rule.Plane = ops{p.create, p.read, p.update, p.delete}
	target := t.Kind("aws:cloudwatch/eventTarget:EventTarget", sdk.Overlay{
		Replace: []string{"rule", "eventBusName", "targetId"}, Name: map[string]kind.Naming{"targetId": {Max: 64}},
		Default: map[string]any{"eventBusName": "default", "forceDestroy": false}, Document: []string{"input"},
		Unused: []string{
			"appsyncTarget", "batchTarget", "httpTarget", "kinesisTarget", "redshiftTarget", "runCommandTargets", "sagemakerPipelineTarget", "ecsTarget",
		},
	})
	p.target = target
	target.Plane = ops{p.aim, p.readTarget, p.updateTarget, p.unaim}
	return []kind.Kind{rule, target}
}

type rulePlane struct {
	Config
	api          *eventbridge.Client
	rule, target kind.Kind
}

func ruleTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func ruleTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

// A rule's identifier is its name, "bus/name" on a bus that is not the default.
func ruleID(in value.Map) string {
	if bus := value.String(in, "eventBusName"); bus != "default" {
		return bus + "/" + value.String(in, "name")
	}
	return value.String(in, "name")
}

func splitRule(id string) (bus, name string) {
	if i := strings.LastIndex(id, "/"); i >= 0 {
		return id[:i], id[i+1:]
	}
	return "default", id
}

func (p rulePlane) ruleARN(id string) string { return p.arn("events", "rule/"+id) }

func (p rulePlane) put(ctx context.Context, in value.Map, tags []types.Tag) error {
	_, err := p.api.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: text(in, "name"), EventBusName: text(in, "eventBusName"), Description: optional(value.String(in, "description")),
		ScheduleExpression: optional(value.String(in, "scheduleExpression")), EventPattern: optional(value.String(in, "eventPattern")),
		RoleArn: optional(value.String(in, "roleArn")), State: types.RuleState(value.String(in, "state")), Tags: tags,
	})
	return err
}

func (p rulePlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	if err := p.put(ctx, in, tagList(value.StringMap(in, "tags"), ruleTag)); err != nil {
		return "", nil, err
	}
	return ruleID(in), value.Map{"arn": p.ruleARN(ruleID(in))}, nil
}

func (p rulePlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	bus, name := splitRule(id)
	res, err := p.api.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: &name, EventBusName: &bus})
	if err != nil {
		return nil, err
	}
	tags, err := p.api.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: aws.String(p.ruleARN(id))})
	if err != nil {
		return nil, err
	}
	out, err := tell(p.rule.Inputs, res)
	return value.Merge(out, value.Map{"arn": p.ruleARN(id), "name": name, "eventBusName": bus, "tags": tagValue(tags.Tags, ruleTagOf)}), err
}

func (p rulePlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	if err := p.put(ctx, in, nil); err != nil {
		return nil, err
	}
	arn := p.ruleARN(id)
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &eventbridge.UntagResourceInput{ResourceARN: &arn, TagKeys: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: &arn, Tags: tagList(set, ruleTag)}); err != nil {
			return nil, err
		}
	}
	return value.Map{"arn": arn}, nil
}

func (p rulePlane) delete(ctx context.Context, id string, state value.Map) error {
	bus, name := splitRule(id)
	_, err := p.api.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &name, EventBusName: &bus, Force: value.Bool(state, "forceDestroy")})
	return err
}

func (p rulePlane) aim(ctx context.Context, in value.Map) (string, value.Map, error) {
	if _, err := p.updateTarget(ctx, "", nil, in); err != nil {
		return "", nil, err
	}
	id := value.String(in, "rule") + "-" + value.String(in, "targetId")
	if bus := value.String(in, "eventBusName"); bus != "default" {
		id = bus + "-" + id
	}
	return id, nil, nil
}

// targetNames are the members that a program names differently.
var targetNames = map[string]string{"sqsTarget": "sqsParameters", "targetId": "id"}

func (p rulePlane) updateTarget(ctx context.Context, _ string, _, in value.Map) (value.Map, error) {
	target := types.Target{}
	members := value.Merge(in)
	for from, to := range targetNames {
		members[to] = members[from]
	}
	if t := value.Object(in, "inputTransformer"); t != nil {
		members["inputTransformer"] = value.Map{"inputPathsMap": t["inputPaths"], "inputTemplate": t["inputTemplate"]}
	}
	if err := fill(members, &target); err != nil {
		return nil, err
	}
	res, err := p.api.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: text(in, "rule"), EventBusName: text(in, "eventBusName"), Targets: []types.Target{target}})
	if err != nil {
		return nil, err
	}
	for _, f := range res.FailedEntries {
		return nil, fmt.Errorf("%s: %s", aws.ToString(f.ErrorCode), aws.ToString(f.ErrorMessage))
	}
	return nil, nil
}

func (p rulePlane) readTarget(ctx context.Context, _ string, state value.Map) (value.Map, error) {
	bus := value.String(state, "eventBusName")
	if bus == "" {
		bus = "default"
	}
	res, err := p.api.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: text(state, "rule"), EventBusName: &bus})
	if err != nil {
		return nil, err
	}
	for _, t := range res.Targets {
		if aws.ToString(t.Id) != value.String(state, "targetId") {
			continue
		}
		out, err := tell(p.target.Inputs, t)
		if transformer := t.InputTransformer; transformer != nil {
			out["inputTransformer"] = value.Map{
				"inputPaths": value.FromStringMap(transformer.InputPathsMap), "inputTemplate": aws.ToString(transformer.InputTemplate),
			}
		}
		return value.Merge(out, value.Map{"rule": value.String(state, "rule"), "eventBusName": bus, "targetId": aws.ToString(t.Id)}), err
	}
	return nil, kind.ErrNotFound
}

func (p rulePlane) unaim(ctx context.Context, _ string, state value.Map) error {
	_, err := p.api.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{
		Rule: text(state, "rule"), EventBusName: text(state, "eventBusName"), Ids: []string{value.String(state, "targetId")}, Force: value.Bool(state, "forceDestroy"),
	})
	return err
}
