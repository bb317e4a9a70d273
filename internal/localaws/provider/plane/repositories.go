package plane

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// repositories returns the kinds of ECR.
func repositories(cfg Config, t sdk.Source) []kind.Kind {
	p := repositoryPlane{Config: cfg, api: ecr.NewFromConfig(cfg.AWS)}
	repository := t.Kind("aws:ecr/repository:Repository", sdk.Overlay{
		Replace: []string{"name", "encryptionConfigurations"}, Name: map[string]kind.Naming{"name": {Max: 256, Lower: true}},
		Default: map[string]any{"imageTagMutability": "MUTABLE", "forceDelete": false}, Computed: []string{"imageScanningConfiguration", "encryptionConfigurations"},
		Enum: map[string]string{"imageTagMutability": "MUTABLE IMMUTABLE"},
	})
	p.kind = repository
	repository.Plane = ops{p.create, p.read, p.update, p.delete}
	lifecycle := t.Kind("aws:ecr/lifecyclePolicy:LifecyclePolicy", sdk.Overlay{Replace: []string{"repository"}, Document: []string{"policy"}})
	lifecycle.Plane = p.policy(
		func(ctx context.Context, name, text *string) error {
			_, err := p.api.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: name, LifecyclePolicyText: text})
			return err
		},
		func(ctx context.Context, name *string) (*string, error) {
			res, err := p.api.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: name})
			if err != nil {
				return nil, err
			}
			return res.LifecyclePolicyText, nil
		},
		func(ctx context.Context, name *string) error {
			_, err := p.api.DeleteLifecyclePolicy(ctx, &ecr.DeleteLifecyclePolicyInput{RepositoryName: name})
			return err
		})
	access := t.Kind("aws:ecr/repositoryPolicy:RepositoryPolicy", sdk.Overlay{Replace: []string{"repository"}, Document: []string{"policy"}})
	access.Plane = p.policy(
		func(ctx context.Context, name, text *string) error {
			_, err := p.api.SetRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{RepositoryName: name, PolicyText: text})
			return err
		},
		func(ctx context.Context, name *string) (*string, error) {
			res, err := p.api.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: name})
			if err != nil {
				return nil, err
			}
			return res.PolicyText, nil
		},
		func(ctx context.Context, name *string) error {
			_, err := p.api.DeleteRepositoryPolicy(ctx, &ecr.DeleteRepositoryPolicyInput{RepositoryName: name})
			return err
		})
	return []kind.Kind{repository, lifecycle, access}
}

type repositoryPlane struct {
	Config
	api  *ecr.Client
	kind kind.Kind
}

func imageTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func imageTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

func (p repositoryPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	name := value.String(in, "name")
	req := &ecr.CreateRepositoryInput{
		RepositoryName: &name, ImageTagMutability: types.ImageTagMutability(value.String(in, "imageTagMutability")),
		Tags: tagList(value.StringMap(in, "tags"), imageTag), ImageScanningConfiguration: scanning(in),
	}
	for _, v := range value.List(in, "encryptionConfigurations") {
		m, _ := v.(value.Map)
		req.EncryptionConfiguration = &types.EncryptionConfiguration{}
		if err := fill(m, req.EncryptionConfiguration); err != nil {
			return "", nil, err
		}
	}
	res, err := p.api.CreateRepository(ctx, req)
	if err != nil {
		return "", nil, err
	}
	return name, repositoryOutputs(res.Repository), nil
}

func scanning(in value.Map) *types.ImageScanningConfiguration {
	return &types.ImageScanningConfiguration{ScanOnPush: value.Bool(value.Object(in, "imageScanningConfiguration"), "scanOnPush")}
}

func repositoryOutputs(r *types.Repository) value.Map {
	return value.Map{"arn": aws.ToString(r.RepositoryArn), "registryId": aws.ToString(r.RegistryId), "repositoryUrl": aws.ToString(r.RepositoryUri)}
}

func (p repositoryPlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{id}})
	if err != nil {
		return nil, err
	}
	r := res.Repositories[0]
	tags, err := p.api.ListTagsForResource(ctx, &ecr.ListTagsForResourceInput{ResourceArn: r.RepositoryArn})
	if err != nil {
		return nil, err
	}
	out, err := tell(p.kind.Inputs, struct {
		types.Repository
		EncryptionConfigurations *types.EncryptionConfiguration
	}{r, r.EncryptionConfiguration})
	return value.Merge(out, repositoryOutputs(&r), value.Map{"name": id, "tags": tagValue(tags.Tags, imageTagOf)}), err
}

func (p repositoryPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	if _, err := p.api.PutImageTagMutability(ctx, &ecr.PutImageTagMutabilityInput{
		RepositoryName: &id, ImageTagMutability: types.ImageTagMutability(value.String(in, "imageTagMutability")),
	}); err != nil {
		return nil, err
	}
	if _, err := p.api.PutImageScanningConfiguration(ctx, &ecr.PutImageScanningConfigurationInput{RepositoryName: &id, ImageScanningConfiguration: scanning(in)}); err != nil {
		return nil, err
	}
	arn := value.String(old, "arn")
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &ecr.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagResource(ctx, &ecr.TagResourceInput{ResourceArn: &arn, Tags: tagList(set, imageTag)}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (p repositoryPlane) delete(ctx context.Context, id string, state value.Map) error {
	_, err := p.api.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: &id, Force: value.Bool(state, "forceDelete")})
	return err
}

// policy makes a plane of a document that belongs to a repository, whose name is
// its identifier.
func (p repositoryPlane) policy(
	put func(ctx context.Context, name, text *string) error, get func(ctx context.Context, name *string) (*string, error),
	drop func(ctx context.Context, name *string) error,
) kind.Plane {
	update := func(ctx context.Context, _ string, _, in value.Map) (value.Map, error) {
		return value.Map{"registryId": p.Account}, put(ctx, text(in, "repository"), text(in, "policy"))
	}
	return ops{
		create: func(ctx context.Context, in value.Map) (string, value.Map, error) {
			out, err := update(ctx, "", nil, in)
			if err != nil {
				return "", nil, err
			}
			return value.String(in, "repository"), out, nil
		},
		read: func(ctx context.Context, id string, _ value.Map) (value.Map, error) {
			doc, err := get(ctx, &id)
			return value.Map{"repository": id, "registryId": p.Account, "policy": aws.ToString(doc)}, err
		},
		update: update,
		delete: func(ctx context.Context, id string, _ value.Map) error { return drop(ctx, &id) },
	}
}
