package plane

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// trails returns the kind of CloudTrail.
func trails(cfg Config, t sdk.Source) []kind.Kind {
	p := trailPlane{Config: cfg, api: cloudtrail.NewFromConfig(cfg.AWS)}
	k := t.Kind("aws:cloudtrail/trail:Trail", sdk.Overlay{
		Replace: []string{"name"}, Name: map[string]kind.Naming{"name": {Max: 128}},
		Default: map[string]any{
			"enableLogFileValidation": false, "enableLogging": true, "includeGlobalServiceEvents": true, "isMultiRegionTrail": false, "isOrganizationTrail": false,
		},
		Unused: []string{"advancedEventSelectors", "eventSelectors", "insightSelectors", "isOrganizationTrail"},
	})
	p.kind = k
	k.Plane = ops{p.create, p.read, p.update, p.delete}
	return []kind.Kind{k}
}

type trailPlane struct {
	Config
	api  *cloudtrail.Client
	kind kind.Kind
}

func trailTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func trailTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

// renameTrail gives the members the names that the service has.
func renameTrail(in value.Map) value.Map {
	return value.Merge(in, value.Map{"cloudWatchLogsLogGroupArn": in["cloudWatchLogsGroupArn"], "tags": nil, "isOrganizationTrail": nil})
}

func (p trailPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	req := &cloudtrail.CreateTrailInput{}
	if err := fill(renameTrail(in), req); err != nil {
		return "", nil, err
	}
	req.TagsList = tagList(value.StringMap(in, "tags"), trailTag)
	res, err := p.api.CreateTrail(ctx, req)
	if err != nil {
		return "", nil, err
	}
	arn := aws.ToString(res.TrailARN)
	return made(arn, p.outputs(arn), func() error { return p.log(ctx, arn, in) })
}

func (p trailPlane) outputs(arn string) value.Map {
	return value.Map{"arn": arn, "homeRegion": p.AWS.Region, "snsTopicArn": ""}
}

func (p trailPlane) log(ctx context.Context, arn string, in value.Map) error {
	if value.Bool(in, "enableLogging") {
		_, err := p.api.StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: &arn})
		return err
	}
	_, err := p.api.StopLogging(ctx, &cloudtrail.StopLoggingInput{Name: &arn})
	return err
}

func (p trailPlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetTrail(ctx, &cloudtrail.GetTrailInput{Name: &id})
	if err != nil {
		return nil, err
	}
	status, err := p.api.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: &id})
	if err != nil {
		return nil, err
	}
	tags, err := p.api.ListTags(ctx, &cloudtrail.ListTagsInput{ResourceIdList: []string{id}})
	if err != nil {
		return nil, err
	}
	out, err := tell(p.kind.Inputs, res.Trail)
	t := res.Trail
	now := value.Map{
		"enableLogFileValidation": aws.ToBool(t.LogFileValidationEnabled), "enableLogging": aws.ToBool(status.IsLogging), "tags": value.Map{},
	}
	if g := aws.ToString(t.CloudWatchLogsLogGroupArn); g != "" {
		now["cloudWatchLogsGroupArn"] = g
	}
	for _, list := range tags.ResourceTagList {
		now["tags"] = tagValue(list.TagsList, trailTagOf)
	}
	return value.Merge(out, p.outputs(id), now), err
}

func (p trailPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	req := &cloudtrail.UpdateTrailInput{}
	if err := fill(renameTrail(in), req); err != nil {
		return nil, err
	}
	req.Name = &id
	if _, err := p.api.UpdateTrail(ctx, req); err != nil {
		return nil, err
	}
	if err := p.log(ctx, id, in); err != nil {
		return nil, err
	}
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		var list []types.Tag
		for _, k := range drop {
			list = append(list, types.Tag{Key: &k})
		}
		if _, err := p.api.RemoveTags(ctx, &cloudtrail.RemoveTagsInput{ResourceId: &id, TagsList: list}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.AddTags(ctx, &cloudtrail.AddTagsInput{ResourceId: &id, TagsList: tagList(set, trailTag)}); err != nil {
			return nil, err
		}
	}
	return p.outputs(id), nil
}

func (p trailPlane) delete(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteTrail(ctx, &cloudtrail.DeleteTrailInput{Name: &id})
	return err
}
