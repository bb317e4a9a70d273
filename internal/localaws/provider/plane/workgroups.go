package plane

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// workgroups returns the kinds of Athena.
func workgroups(cfg Config, t sdk.Source) []kind.Kind {
	p := workgroupPlane{Config: cfg, api: athena.NewFromConfig(cfg.AWS)}
	k := t.Kind("aws:athena/workgroup:Workgroup", sdk.Overlay{
		Replace: []string{"name"}, Name: map[string]kind.Naming{"name": {Max: 128}},
		Default: map[string]any{
			"state": "ENABLED", "forceDestroy": false, "configuration.enforceWorkgroupConfiguration": true,
			"configuration.publishCloudwatchMetricsEnabled": true,
		},
		Computed: []string{"configuration.engineVersion", "configuration.engineVersion.effectiveEngineVersion"},
		Unused:   []string{"configuration.executionRole", "configuration.requesterPaysEnabled", "configuration.resultConfiguration.aclConfiguration"},
	})
	p.kind = k
	k.Plane = ops{p.create, p.read, p.update, p.delete}
	return []kind.Kind{k}
}

type workgroupPlane struct {
	Config
	api  *athena.Client
	kind kind.Kind
}

func workgroupTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func workgroupTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

func (p workgroupPlane) workgroupARN(name string) string { return p.arn("athena", "workgroup/"+name) }

// create makes the workgroup; Athena makes every one enabled.
func (p workgroupPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	name := value.String(in, "name")
	req := &athena.CreateWorkGroupInput{
		Name: &name, Description: optional(value.String(in, "description")), Tags: tagList(value.StringMap(in, "tags"), workgroupTag),
		Configuration: &types.WorkGroupConfiguration{},
	}
	if err := fill(renameKey(value.Object(in, "configuration")), req.Configuration); err != nil {
		return "", nil, err
	}
	if _, err := p.api.CreateWorkGroup(ctx, req); err != nil {
		return "", nil, err
	}
	return made(name, value.Map{"arn": p.workgroupARN(name)}, func() error {
		if value.String(in, "state") == "ENABLED" {
			return nil
		}
		_, err := p.api.UpdateWorkGroup(ctx, &athena.UpdateWorkGroupInput{WorkGroup: &name, State: types.WorkGroupState(value.String(in, "state"))})
		return err
	})
}

func (p workgroupPlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetWorkGroup(ctx, &athena.GetWorkGroupInput{WorkGroup: &id})
	if coded(err, "InvalidRequestException") { // as Athena calls a workgroup that is not there
		return nil, kind.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	tags, err := p.api.ListTagsForResource(ctx, &athena.ListTagsForResourceInput{ResourceARN: aws.String(p.workgroupARN(id))})
	if err != nil {
		return nil, err
	}
	out, err := tell(p.kind.Inputs, res.WorkGroup)
	if c := res.WorkGroup.Configuration; err == nil && c != nil && c.ResultConfiguration != nil && c.ResultConfiguration.EncryptionConfiguration != nil {
		results := value.Object(value.Object(out, "configuration"), "resultConfiguration")
		value.Object(results, "encryptionConfiguration")["kmsKeyArn"] = aws.ToString(c.ResultConfiguration.EncryptionConfiguration.KmsKey)
	}
	return value.Merge(out, value.Map{"arn": p.workgroupARN(id), "tags": tagValue(tags.Tags, workgroupTagOf)}), err
}

// update sets the configuration member by member: AWS keeps what an update
// leaves out, so what a program took out is removed by name.
func (p workgroupPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	before, after := value.Object(old, "configuration"), renameKey(value.Object(in, "configuration"))
	changes := &types.WorkGroupConfigurationUpdates{}
	if err := fill(value.Merge(after, value.Map{"resultConfiguration": nil}), changes); err != nil {
		return nil, err
	}
	changes.RemoveBytesScannedCutoffPerQuery = removed(before, after, "bytesScannedCutoffPerQuery")
	results := &types.ResultConfigurationUpdates{}
	was, is := value.Object(before, "resultConfiguration"), value.Object(after, "resultConfiguration")
	if err := fill(is, results); err != nil {
		return nil, err
	}
	results.RemoveOutputLocation = removed(was, is, "outputLocation")
	results.RemoveEncryptionConfiguration = removed(was, is, "encryptionConfiguration")
	results.RemoveExpectedBucketOwner = removed(was, is, "expectedBucketOwner")
	changes.ResultConfigurationUpdates = results
	if _, err := p.api.UpdateWorkGroup(ctx, &athena.UpdateWorkGroupInput{
		WorkGroup: &id, Description: text(in, "description"), State: types.WorkGroupState(value.String(in, "state")), ConfigurationUpdates: changes,
	}); err != nil {
		return nil, err
	}
	return value.Map{"arn": p.workgroupARN(id)}, p.tag(ctx, id, old, in)
}

// renameKey returns a configuration whose encryption names its key as the
// service does.
func renameKey(configuration value.Map) value.Map {
	results := value.Object(configuration, "resultConfiguration")
	encryption := value.Object(results, "encryptionConfiguration")
	if encryption == nil {
		return configuration
	}
	renamed := value.Merge(encryption, value.Map{"kmsKey": encryption["kmsKeyArn"]})
	delete(renamed, "kmsKeyArn")
	return value.Merge(configuration, value.Map{"resultConfiguration": value.Merge(results, value.Map{"encryptionConfiguration": renamed})})
}

func removed(before, after value.Map, name string) *bool {
	if before[name] != nil && after[name] == nil {
		return aws.Bool(true)
	}
	return nil
}

func (p workgroupPlane) tag(ctx context.Context, id string, old, in value.Map) error {
	set, drop := tagChange(old, in)
	arn := p.workgroupARN(id)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &athena.UntagResourceInput{ResourceARN: &arn, TagKeys: drop}); err != nil {
			return fmt.Errorf("untag: %w", err)
		}
	}
	if len(set) == 0 {
		return nil
	}
	_, err := p.api.TagResource(ctx, &athena.TagResourceInput{ResourceARN: &arn, Tags: tagList(set, workgroupTag)})
	return err
}

func (p workgroupPlane) delete(ctx context.Context, id string, state value.Map) error {
	_, err := p.api.DeleteWorkGroup(ctx, &athena.DeleteWorkGroupInput{WorkGroup: &id, RecursiveDeleteOption: aws.Bool(value.Bool(state, "forceDestroy"))})
	if coded(err, "InvalidRequestException") { // that it is not there has no code of its own
		if _, readErr := p.read(ctx, id, state); errors.Is(readErr, kind.ErrNotFound) {
			return nil
		}
	}
	return err
}
