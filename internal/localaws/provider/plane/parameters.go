package plane

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// parameters returns the kind of Systems Manager.
func parameters(cfg Config, t sdk.Source) []kind.Kind {
	p := parameterPlane{Config: cfg, api: ssm.NewFromConfig(cfg.AWS)}
	k := t.Kind("aws:ssm/parameter:Parameter", sdk.Overlay{
		Replace: []string{"name"}, Name: map[string]kind.Naming{"name": {Max: 1011}}, Default: map[string]any{"dataType": "text", "tier": "Standard"},
		Computed: []string{"arn", "keyId", "insecureValue", "value"}, Secret: []string{"value"}, Unused: []string{"insecureValue", "overwrite"},
		Enum: map[string]string{"type": "String StringList SecureString"},
	})
	k.Plane = ops{p.create, p.read, p.update, p.delete}
	return []kind.Kind{k}
}

type parameterPlane struct {
	Config
	api *ssm.Client
}

func parameterTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func parameterTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

func (p parameterPlane) put(ctx context.Context, in value.Map, fresh bool) (value.Map, error) {
	req := &ssm.PutParameterInput{
		Name: text(in, "name"), Value: text(in, "value"), Type: types.ParameterType(value.String(in, "type")), KeyId: optional(value.String(in, "keyId")),
		Description: optional(value.String(in, "description")), DataType: text(in, "dataType"), Tier: types.ParameterTier(value.String(in, "tier")),
		AllowedPattern: optional(value.String(in, "allowedPattern")), Overwrite: aws.Bool(!fresh),
	}
	if fresh {
		req.Tags = tagList(value.StringMap(in, "tags"), parameterTag)
	}
	res, err := p.api.PutParameter(ctx, req)
	if err != nil {
		return nil, err
	}
	return value.Map{"arn": p.parameterARN(value.String(in, "name")), "version": int(res.Version), "keyId": value.String(in, "keyId"), "hasValueWo": false}, nil
}

func (p parameterPlane) parameterARN(name string) string {
	if name != "" && name[0] == '/' {
		return p.arn("ssm", "parameter"+name)
	}
	return p.arn("ssm", "parameter/"+name)
}

func (p parameterPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	out, err := p.put(ctx, in, true)
	if err != nil {
		return "", nil, err
	}
	return value.String(in, "name"), out, nil
}

func (p parameterPlane) read(ctx context.Context, id string, state value.Map) (value.Map, error) {
	res, err := p.api.GetParameter(ctx, &ssm.GetParameterInput{Name: &id, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	tags, err := p.api.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceId: &id, ResourceType: types.ResourceTypeForTaggingParameter})
	if err != nil {
		return nil, err
	}
	return value.Map{
		"name": id, "arn": p.parameterARN(id), "version": int(res.Parameter.Version), "type": string(res.Parameter.Type),
		"value": aws.ToString(res.Parameter.Value), "dataType": aws.ToString(res.Parameter.DataType), "tags": tagValue(tags.TagList, parameterTagOf),
		"keyId": value.String(state, "keyId"),
	}, nil
}

func (p parameterPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	out, err := p.put(ctx, in, false)
	if err != nil {
		return nil, err
	}
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
			ResourceId: &id, ResourceType: types.ResourceTypeForTaggingParameter, TagKeys: drop,
		}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
			ResourceId: &id, ResourceType: types.ResourceTypeForTaggingParameter, Tags: tagList(set, parameterTag),
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p parameterPlane) delete(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &id})
	return err
}
