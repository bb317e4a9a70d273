package plane

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// keys returns the kinds of KMS.
func keys(cfg Config, t sdk.Source) []kind.Kind {
	p := keyPlane{Config: cfg, api: kms.NewFromConfig(cfg.AWS)}
	key := t.Kind("aws:kms/key:Key", sdk.Overlay{
		Replace: []string{"keyUsage", "customerMasterKeySpec", "multiRegion", "customKeyStoreId", "xksKeyId"}, Document: []string{"policy"},
		Computed: []string{"description", "policy", "rotationPeriodInDays", "multiRegion"},
		Default: map[string]any{
			"keyUsage": "ENCRYPT_DECRYPT", "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "isEnabled": true, "enableKeyRotation": false,
			"bypassPolicyLockoutSafetyCheck": false, "deletionWindowInDays": 30.0,
		},
		Unused: []string{"customKeyStoreId", "xksKeyId", "multiRegion"},
	})
	key.Plane = ops{p.create, p.read, p.update, p.delete}
	alias := t.Kind("aws:kms/alias:Alias", sdk.Overlay{
		Replace: []string{"name"}, Name: map[string]kind.Naming{"name": {Max: 256, Prefix: "alias/"}}, Unused: []string{"namePrefix"}, DropFirst: true,
	})
	alias.Plane = ops{p.createAlias, p.readAlias, p.updateAlias, p.deleteAlias}
	return []kind.Kind{key, alias}
}

type keyPlane struct {
	Config
	api *kms.Client
}

func keyTag(k, v string) types.Tag            { return types.Tag{TagKey: &k, TagValue: &v} }
func keyTagOf(t types.Tag) (key, val *string) { return t.TagKey, t.TagValue }

func (p keyPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	res, err := p.api.CreateKey(ctx, &kms.CreateKeyInput{
		Description: text(in, "description"), KeyUsage: types.KeyUsageType(value.String(in, "keyUsage")),
		KeySpec: types.KeySpec(value.String(in, "customerMasterKeySpec")), Policy: optional(value.String(in, "policy")),
		BypassPolicyLockoutSafetyCheck: value.Bool(in, "bypassPolicyLockoutSafetyCheck"), Tags: tagList(value.StringMap(in, "tags"), keyTag),
	})
	if err != nil {
		return "", nil, err
	}
	id := aws.ToString(res.KeyMetadata.KeyId)
	return made(id, value.Map{"arn": aws.ToString(res.KeyMetadata.Arn), "keyId": id, "description": value.String(in, "description"), "multiRegion": false},
		func() error { return p.rotate(ctx, id, in) },
		func() error { return p.enable(ctx, id, in) })
}

func (p keyPlane) rotate(ctx context.Context, id string, in value.Map) error {
	if !value.Bool(in, "enableKeyRotation") {
		_, err := p.api.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: &id})
		if value.String(in, "customerMasterKeySpec") != "SYMMETRIC_DEFAULT" {
			return nil // such keys never rotate, and KMS says so
		}
		return err
	}
	_, err := p.api.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: &id, RotationPeriodInDays: whole(in, "rotationPeriodInDays")})
	return err
}

func (p keyPlane) enable(ctx context.Context, id string, in value.Map) error {
	if value.Bool(in, "isEnabled") {
		_, err := p.api.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &id})
		return err
	}
	_, err := p.api.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &id})
	return err
}

func (p keyPlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		return nil, err
	}
	m := res.KeyMetadata
	if m.KeyState == types.KeyStatePendingDeletion {
		return nil, kind.ErrNotFound
	}
	policy, err := p.api.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &id})
	if err != nil {
		return nil, err
	}
	rotation, err := p.api.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: &id})
	if err != nil && !coded(err, "UnsupportedOperationException") {
		return nil, err
	}
	tags, err := p.api.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: &id})
	if err != nil {
		return nil, err
	}
	out := value.Map{
		"arn": aws.ToString(m.Arn), "keyId": id, "description": aws.ToString(m.Description), "keyUsage": string(m.KeyUsage),
		"customerMasterKeySpec": string(m.KeySpec), "isEnabled": m.Enabled, "multiRegion": aws.ToBool(m.MultiRegion),
		"policy": aws.ToString(policy.Policy), "tags": tagValue(tags.Tags, keyTagOf), "enableKeyRotation": rotation != nil && rotation.KeyRotationEnabled,
	}
	if rotation != nil && rotation.RotationPeriodInDays != nil {
		out["rotationPeriodInDays"] = float64(*rotation.RotationPeriodInDays)
	}
	return out, nil
}

func (p keyPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	steps := []func() error{
		func() error { // a disabled key cannot be changed otherwise
			_, err := p.api.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &id})
			return err
		},
		func() error {
			_, err := p.api.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: &id, Description: text(in, "description")})
			return err
		},
		func() error { return p.allow(ctx, id, in) },
		func() error { return p.rotate(ctx, id, in) },
		func() error { return p.tag(ctx, id, old, in) },
		func() error { return p.enable(ctx, id, in) },
	}
	_, out, err := made(id, value.Map{"description": value.String(in, "description")}, steps...)
	return out, err
}

func (p keyPlane) allow(ctx context.Context, id string, in value.Map) error {
	policy := value.String(in, "policy")
	if policy == "" {
		return nil
	}
	_, err := p.api.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{
		KeyId: &id, Policy: &policy, BypassPolicyLockoutSafetyCheck: value.Bool(in, "bypassPolicyLockoutSafetyCheck"),
	})
	return err
}

func (p keyPlane) tag(ctx context.Context, id string, old, in value.Map) error {
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &kms.UntagResourceInput{KeyId: &id, TagKeys: drop}); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	_, err := p.api.TagResource(ctx, &kms.TagResourceInput{KeyId: &id, Tags: tagList(set, keyTag)})
	return err
}

// delete schedules the key's deletion: KMS deletes none at once.
func (p keyPlane) delete(ctx context.Context, id string, state value.Map) error {
	_, err := p.api.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: whole(state, "deletionWindowInDays")})
	if coded(err, "KMSInvalidStateException") { // it is scheduled already
		return nil
	}
	return err
}

func (p keyPlane) createAlias(ctx context.Context, in value.Map) (string, value.Map, error) {
	name := value.String(in, "name")
	if _, err := p.api.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: text(in, "targetKeyId")}); err != nil {
		return "", nil, err
	}
	return name, p.aliasOutputs(name, value.String(in, "targetKeyId")), nil
}

func (p keyPlane) aliasOutputs(name, key string) value.Map {
	return value.Map{"arn": p.arn("kms", name), "targetKeyArn": p.arn("kms", "key/"+key)}
}

func (p keyPlane) readAlias(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	pages := kms.NewListAliasesPaginator(p.api, &kms.ListAliasesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Aliases {
			if aws.ToString(a.AliasName) == id {
				key := aws.ToString(a.TargetKeyId)
				return value.Merge(p.aliasOutputs(id, key), value.Map{"name": id, "targetKeyId": key}), nil
			}
		}
	}
	return nil, kind.ErrNotFound
}

func (p keyPlane) updateAlias(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
	_, err := p.api.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: &id, TargetKeyId: text(in, "targetKeyId")})
	return p.aliasOutputs(id, value.String(in, "targetKeyId")), err
}

func (p keyPlane) deleteAlias(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: &id})
	return err
}
