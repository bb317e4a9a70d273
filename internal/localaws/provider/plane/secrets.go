package plane

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// secrets returns the kinds of Secrets Manager.
func secrets(cfg Config, t sdk.Source) []kind.Kind {
	p := secretPlane{Config: cfg, api: secretsmanager.NewFromConfig(cfg.AWS)}
	secret := t.Kind("aws:secretsmanager/secret:Secret", sdk.Overlay{
		Replace: []string{"name"}, Name: map[string]kind.Naming{"name": {Max: 512}}, Document: []string{"policy"},
		Default: map[string]any{"recoveryWindowInDays": 30.0, "forceOverwriteReplicaSecret": false}, Computed: []string{"policy"},
		Unused: []string{"namePrefix", "replicas", "forceOverwriteReplicaSecret", "policy"},
	})
	secret.Plane = ops{p.create, p.read, p.update, p.delete}
	version := t.Kind("aws:secretsmanager/secretVersion:SecretVersion", sdk.Overlay{
		Replace: []string{"secretId", "secretString", "secretBinary"}, Computed: []string{"versionStages"}, Set: []string{"versionStages"},
		Secret: []string{"secretString", "secretBinary"}, Unused: []string{"secretBinary"},
	})
	version.Plane = ops{p.putVersion, p.readVersion, nil, p.deleteVersion}
	rotation := t.Kind("aws:secretsmanager/secretRotation:SecretRotation", sdk.Overlay{
		Replace: []string{"secretId"}, Default: map[string]any{"rotateImmediately": true}, Required: []string{"rotationLambdaArn"},
	})
	rotation.Plane = ops{p.rotate, p.readRotation(rotation), p.updateRotation, p.cancelRotation}
	policy := t.Kind("aws:secretsmanager/secretPolicy:SecretPolicy", sdk.Overlay{Replace: []string{"secretArn"}, Document: []string{"policy"}})
	policy.Plane = ops{p.putPolicy, p.readPolicy, p.updatePolicy, p.deletePolicy}
	return []kind.Kind{secret, version, rotation, policy}
}

type secretPlane struct {
	Config
	api *secretsmanager.Client
}

func secretTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func secretTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }

func (p secretPlane) create(ctx context.Context, in value.Map) (string, value.Map, error) {
	res, err := p.api.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: text(in, "name"), Description: optional(value.String(in, "description")), KmsKeyId: optional(value.String(in, "kmsKeyId")),
		Tags: tagList(value.StringMap(in, "tags"), secretTag),
	})
	if err != nil {
		return "", nil, err
	}
	id := aws.ToString(res.ARN)
	return id, value.Map{"arn": id, "policy": ""}, nil
}

func (p secretPlane) read(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		return nil, err
	}
	if res.DeletedDate != nil {
		return nil, kind.ErrNotFound
	}
	out := value.Map{"arn": id, "name": aws.ToString(res.Name), "description": aws.ToString(res.Description), "tags": tagValue(res.Tags, secretTagOf), "policy": ""}
	if k := aws.ToString(res.KmsKeyId); k != "" {
		out["kmsKeyId"] = k
	}
	return out, nil
}

func (p secretPlane) update(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	if _, err := p.api.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{
		SecretId: &id, Description: text(in, "description"), KmsKeyId: optional(value.String(in, "kmsKeyId")),
	}); err != nil {
		return nil, err
	}
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: &id, TagKeys: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: &id, Tags: tagList(set, secretTag)}); err != nil {
			return nil, err
		}
	}
	return value.Map{"arn": id}, nil
}

func (p secretPlane) delete(ctx context.Context, id string, state value.Map) error {
	req := &secretsmanager.DeleteSecretInput{SecretId: &id}
	if days := value.Int(state, "recoveryWindowInDays"); days > 0 {
		req.RecoveryWindowInDays = aws.Int64(int64(days))
	} else {
		req.ForceDeleteWithoutRecovery = aws.Bool(true)
	}
	_, err := p.api.DeleteSecret(ctx, req)
	return err
}

// A version's identifier is "secret|version".
func (p secretPlane) putVersion(ctx context.Context, in value.Map) (string, value.Map, error) {
	res, err := p.api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: text(in, "secretId"), SecretString: text(in, "secretString"), VersionStages: value.Strings(in, "versionStages"),
	})
	if err != nil {
		return "", nil, err
	}
	version := aws.ToString(res.VersionId)
	return value.String(in, "secretId") + "|" + version, value.Map{
		"arn": aws.ToString(res.ARN), "versionId": version, "versionStages": value.FromStrings(res.VersionStages),
	}, nil
}

func (p secretPlane) readVersion(ctx context.Context, _ string, state value.Map) (value.Map, error) {
	res, err := p.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: text(state, "secretId"), VersionId: text(state, "versionId")})
	if err != nil {
		return nil, err
	}
	return value.Map{
		"secretId": value.String(state, "secretId"), "arn": aws.ToString(res.ARN), "versionId": aws.ToString(res.VersionId),
		"secretString": aws.ToString(res.SecretString), "versionStages": value.FromStrings(res.VersionStages),
	}, nil
}

// deleteVersion does nothing: a version goes with its secret, or when its last
// stage moves on.
func (p secretPlane) deleteVersion(context.Context, string, value.Map) error { return nil }

func (p secretPlane) rotate(ctx context.Context, in value.Map) (string, value.Map, error) {
	id := value.String(in, "secretId")
	out, err := p.updateRotation(ctx, id, nil, in)
	if err != nil {
		return "", nil, err
	}
	return id, out, nil
}

func (p secretPlane) updateRotation(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
	rules := &types.RotationRulesType{}
	if err := fill(value.Object(in, "rotationRules"), rules); err != nil {
		return nil, err
	}
	_, err := p.api.RotateSecret(ctx, &secretsmanager.RotateSecretInput{
		SecretId: &id, RotationLambdaARN: text(in, "rotationLambdaArn"), RotationRules: rules, RotateImmediately: aws.Bool(value.Bool(in, "rotateImmediately")),
	})
	return value.Map{"rotationEnabled": true}, err
}

func (p secretPlane) readRotation(k kind.Kind) func(context.Context, string, value.Map) (value.Map, error) {
	return func(ctx context.Context, id string, _ value.Map) (value.Map, error) {
		res, err := p.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
		if err != nil {
			return nil, err
		}
		if !aws.ToBool(res.RotationEnabled) {
			return nil, kind.ErrNotFound
		}
		out, err := tell(kind.Object{"rotationRules": k.Inputs["rotationRules"]}, res)
		return value.Merge(out, value.Map{"secretId": id, "rotationLambdaArn": aws.ToString(res.RotationLambdaARN), "rotationEnabled": true}), err
	}
}

// cancelRotation leaves a secret alone that does not rotate: there is nothing to
// cancel.
func (p secretPlane) cancelRotation(ctx context.Context, id string, _ value.Map) error {
	res, err := p.api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil || !aws.ToBool(res.RotationEnabled) {
		return err
	}
	_, err = p.api.CancelRotateSecret(ctx, &secretsmanager.CancelRotateSecretInput{SecretId: &id})
	return err
}

func (p secretPlane) putPolicy(ctx context.Context, in value.Map) (string, value.Map, error) {
	id := value.String(in, "secretArn")
	if _, err := p.updatePolicy(ctx, id, nil, in); err != nil {
		return "", nil, err
	}
	return id, nil, nil
}

func (p secretPlane) updatePolicy(ctx context.Context, id string, _, in value.Map) (value.Map, error) {
	_, err := p.api.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{
		SecretId: &id, ResourcePolicy: text(in, "policy"), BlockPublicPolicy: aws.Bool(value.Bool(in, "blockPublicPolicy")),
	})
	return nil, err
}

func (p secretPlane) readPolicy(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: &id})
	if err != nil {
		return nil, err
	}
	if res.ResourcePolicy == nil {
		return nil, kind.ErrNotFound
	}
	return value.Map{"secretArn": id, "policy": *res.ResourcePolicy}, nil
}

func (p secretPlane) deletePolicy(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteResourcePolicy(ctx, &secretsmanager.DeleteResourcePolicyInput{SecretId: &id})
	return err
}
