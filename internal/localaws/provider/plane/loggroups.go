package plane

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// logGroups returns the kinds of CloudWatch Logs.
func logGroups(cfg Config, t sdk.Source) []kind.Kind {
	p := logPlane{Config: cfg, api: logs.NewFromConfig(cfg.AWS)}
	group := t.Kind("aws:cloudwatch/logGroup:LogGroup", sdk.Overlay{
		Replace: []string{"name", "logGroupClass"}, Name: map[string]kind.Naming{"name": {Max: 512}}, Unused: []string{"namePrefix"},
		Default: map[string]any{"retentionInDays": 0.0, "skipDestroy": false}, Computed: []string{"logGroupClass"},
	})
	group.Plane = ops{p.create, p.read, p.update, p.delete}
	filter := t.Kind("aws:cloudwatch/logMetricFilter:LogMetricFilter", sdk.Overlay{
		Replace: []string{"name", "logGroupName"}, Name: map[string]kind.Naming{"name": {Max: 512}}, Default: map[string]any{"metricTransformation.unit": "None"},
	})
	filter.Plane = ops{p.putFilter, p.readFilter(filter), p.updateFilter, p.deleteFilter}
	return []kind.Kind{group, filter}
}

type logPlane struct {
	Config
	api *logs.Client
}

func (p logPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	name, class := value.String(in, "name"), value.String(in, "logGroupClass")
	if class == "" {
		class = string(types.LogGroupClassStandard)
	}
	if _, err := p.api.CreateLogGroup(ctx, &logs.CreateLogGroupInput{
		LogGroupName: &name, KmsKeyId: optional(value.String(in, "kmsKeyId")), Tags: value.StringMap(in, "tags"), LogGroupClass: types.LogGroupClass(class),
	}); err != nil {
		return "", nil, err
	}
	return made(name, value.Map{"arn": p.arn("logs", "log-group:"+name), "logGroupClass": class}, func() error { return p.retain(ctx, name, in) })
}

func (p logPlane) retain(ctx context.Context, name string, in value.Map) error {
	if days := whole(in, "retentionInDays"); aws.ToInt32(days) > 0 {
		_, err := p.api.PutRetentionPolicy(ctx, &logs.PutRetentionPolicyInput{LogGroupName: &name, RetentionInDays: days})
		return err
	}
	_, err := p.api.DeleteRetentionPolicy(ctx, &logs.DeleteRetentionPolicyInput{LogGroupName: &name})
	return err
}

func (p logPlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	pages := logs.NewDescribeLogGroupsPaginator(p.api, &logs.DescribeLogGroupsInput{LogGroupNamePrefix: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range page.LogGroups {
			if aws.ToString(g.LogGroupName) == id {
				return p.describe(ctx, id, g)
			}
		}
	}
	return nil, kind.ErrNotFound
}

func (p logPlane) describe(ctx context.Context, id string, g types.LogGroup) (value.Map, error) {
	arn := strings.TrimSuffix(aws.ToString(g.Arn), ":*")
	tags, err := p.api.ListTagsForResource(ctx, &logs.ListTagsForResourceInput{ResourceArn: &arn})
	if err != nil {
		return nil, err
	}
	out := value.Map{
		"arn": arn, "name": id, "retentionInDays": float64(aws.ToInt32(g.RetentionInDays)), "logGroupClass": string(g.LogGroupClass),
		"tags": value.FromStringMap(tags.Tags), "kmsKeyId": nil,
	}
	if k := aws.ToString(g.KmsKeyId); k != "" {
		out["kmsKeyId"] = k
	}
	return out, nil
}

func (p logPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	if err := p.retain(ctx, id, in); err != nil {
		return nil, err
	}
	if err := p.encrypt(ctx, id, old, in); err != nil {
		return nil, err
	}
	arn := p.arn("logs", "log-group:"+id)
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &logs.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagResource(ctx, &logs.TagResourceInput{ResourceArn: &arn, Tags: set}); err != nil {
			return nil, err
		}
	}
	return value.Map{"arn": arn}, nil
}

func (p logPlane) encrypt(ctx context.Context, id string, old, in value.Map) error {
	key := value.String(in, "kmsKeyId")
	switch {
	case key == value.String(old, "kmsKeyId"):
		return nil
	case key == "":
		_, err := p.api.DisassociateKmsKey(ctx, &logs.DisassociateKmsKeyInput{LogGroupName: &id})
		return err
	}
	_, err := p.api.AssociateKmsKey(ctx, &logs.AssociateKmsKeyInput{LogGroupName: &id, KmsKeyId: &key})
	return err
}

func (p logPlane) delete(ctx context.Context, id string, state value.Map) error {
	if value.Bool(state, "skipDestroy") {
		return nil
	}
	_, err := p.api.DeleteLogGroup(ctx, &logs.DeleteLogGroupInput{LogGroupName: &id})
	return err
}

func (p logPlane) putFilter(ctx context.Context, in value.Map) (string, value.Map, error) {
	id := value.String(in, "name")
	_, err := p.updateFilter(ctx, id, nil, in)
	if err != nil {
		return "", nil, err
	}
	return id, nil, nil
}

// updateFilter puts the filter. The default value is a number to the service and
// text to a program.
func (p logPlane) updateFilter(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
	transformation := types.MetricTransformation{}
	given := value.Merge(value.Object(in, "metricTransformation"))
	delete(given, "defaultValue")
	given["metricName"], given["metricNamespace"], given["metricValue"] = given["name"], given["namespace"], given["value"]
	if err := fill(given, &transformation); err != nil {
		return nil, err
	}
	if text := value.String(value.Object(in, "metricTransformation"), "defaultValue"); text != "" {
		v, ok := attribute{kind: kind.Number}.read(text).(float64)
		if !ok {
			return nil, &notNumberError{"metricTransformation.defaultValue", text}
		}
		transformation.DefaultValue = &v
	}
	_, err := p.api.PutMetricFilter(ctx, &logs.PutMetricFilterInput{
		FilterName: &id, LogGroupName: text(in, "logGroupName"), FilterPattern: text(in, "pattern"), MetricTransformations: []types.MetricTransformation{transformation},
	})
	return nil, err
}

type notNumberError struct{ property, text string }

func (e *notNumberError) Error() string { return e.property + ": " + e.text + " is not a number" }

func (p logPlane) readFilter(k kind.Kind) func(context.Context, string, value.Map) (value.Map, error) {
	return func(ctx context.Context, id string, state value.Map) (value.Map, error) {
		res, err := p.api.DescribeMetricFilters(ctx, &logs.DescribeMetricFiltersInput{LogGroupName: text(state, "logGroupName"), FilterNamePrefix: &id})
		if err != nil {
			return nil, err
		}
		for _, f := range res.MetricFilters {
			if aws.ToString(f.FilterName) == id {
				return value.Map{"name": id, "logGroupName": aws.ToString(f.LogGroupName), "pattern": aws.ToString(f.FilterPattern)}, nil
			}
		}
		return nil, kind.ErrNotFound
	}
}

func (p logPlane) deleteFilter(ctx context.Context, id string, state value.Map) error {
	_, err := p.api.DeleteMetricFilter(ctx, &logs.DeleteMetricFilterInput{FilterName: &id, LogGroupName: text(state, "logGroupName")})
	return err
}
