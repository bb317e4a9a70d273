package plane

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// roles returns the kinds of IAM.
func roles(cfg Config, t sdk.Source) []kind.Kind {
	p := rolePlane{Config: cfg, api: iam.NewFromConfig(cfg.AWS)}
	role := t.Kind("aws:iam/role:Role", sdk.Overlay{
		Replace: []string{"name", "path"}, Document: []string{"assumeRolePolicy"}, Name: map[string]kind.Naming{"name": {Max: 64}},
		Default: map[string]any{"path": "/", "maxSessionDuration": 3600.0, "forceDetachPolicies": false}, Set: []string{"managedPolicyArns"},
		Unused: []string{"namePrefix", "inlinePolicies", "managedPolicyArns"},
	})
	role.Plane = ops{p.createRole, p.readRole, p.updateRole, p.deleteRole}
	inline := t.Kind("aws:iam/rolePolicy:RolePolicy", sdk.Overlay{
		Replace: []string{"name", "role"}, Document: []string{"policy"}, Name: map[string]kind.Naming{"name": {Max: 128}}, Unused: []string{"namePrefix"},
	})
	inline.Plane = ops{p.putInline, p.readInline, p.updateInline, p.deleteInline}
	policy := t.Kind("aws:iam/policy:Policy", sdk.Overlay{
		Replace: []string{"name", "path", "description"}, Document: []string{"policy"}, Default: map[string]any{"path": "/"},
		Name: map[string]kind.Naming{"name": {Max: 128}}, Unused: []string{"namePrefix"},
	})
	policy.Plane = ops{p.createPolicy, p.readPolicy, p.updatePolicy, p.deletePolicy}
	attachment := t.Kind("aws:iam/rolePolicyAttachment:RolePolicyAttachment", sdk.Overlay{Replace: []string{"role", "policyArn"}})
	attachment.Plane = ops{p.attach, p.readAttachment, nil, p.detach}
	return []kind.Kind{role, inline, policy, attachment}
}

type rolePlane struct {
	Config
	api *iam.Client
}

func iamTag(k, v string) types.Tag            { return types.Tag{Key: &k, Value: &v} }
func iamTagOf(t types.Tag) (key, val *string) { return t.Key, t.Value }
func text(in value.Map, name string) *string  { return aws.String(value.String(in, name)) }

func (p rolePlane) createRole(ctx context.Context, in value.Map) (string, value.Map, error) {
	res, err := p.api.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: text(in, "name"), Path: text(in, "path"), AssumeRolePolicyDocument: text(in, "assumeRolePolicy"),
		Description: optional(value.String(in, "description")), MaxSessionDuration: whole(in, "maxSessionDuration"),
		PermissionsBoundary: optional(value.String(in, "permissionsBoundary")), Tags: tagList(value.StringMap(in, "tags"), iamTag),
	})
	if err != nil {
		return "", nil, err
	}
	return value.String(in, "name"), roleOutputs(res.Role), nil
}

func roleOutputs(r *types.Role) value.Map {
	return value.Map{"arn": aws.ToString(r.Arn), "uniqueId": aws.ToString(r.RoleId), "createDate": aws.ToTime(r.CreateDate).UTC().Format(time.RFC3339)}
}

func (p rolePlane) readRole(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetRole(ctx, &iam.GetRoleInput{RoleName: &id})
	if err != nil {
		return nil, err
	}
	trust, err := url.QueryUnescape(aws.ToString(res.Role.AssumeRolePolicyDocument))
	if err != nil {
		return nil, err
	}
	out := value.Merge(roleOutputs(res.Role), value.Map{
		"name": id, "path": aws.ToString(res.Role.Path), "assumeRolePolicy": trust, "tags": tagValue(res.Role.Tags, iamTagOf),
		"description": aws.ToString(res.Role.Description), "maxSessionDuration": float64(aws.ToInt32(res.Role.MaxSessionDuration)),
	})
	if b := res.Role.PermissionsBoundary; b != nil {
		out["permissionsBoundary"] = aws.ToString(b.PermissionsBoundaryArn)
	}
	return out, nil
}

func (p rolePlane) updateRole(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	if _, err := p.api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &id, PolicyDocument: text(in, "assumeRolePolicy")}); err != nil {
		return nil, err
	}
	if _, err := p.api.UpdateRole(ctx, &iam.UpdateRoleInput{
		RoleName: &id, Description: text(in, "description"), MaxSessionDuration: whole(in, "maxSessionDuration"),
	}); err != nil {
		return nil, err
	}
	if err := p.bound(ctx, id, old, in); err != nil {
		return nil, err
	}
	return nil, p.tagRole(ctx, id, old, in)
}

func (p rolePlane) tagRole(ctx context.Context, id string, old, in value.Map) error {
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &id, TagKeys: drop}); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	_, err := p.api.TagRole(ctx, &iam.TagRoleInput{RoleName: &id, Tags: tagList(set, iamTag)})
	return err
}

// bound sets a role's permissions boundary, or takes it away.
func (p rolePlane) bound(ctx context.Context, id string, old, in value.Map) error {
	boundary := value.String(in, "permissionsBoundary")
	if boundary == value.String(old, "permissionsBoundary") {
		return nil
	}
	if boundary == "" {
		_, err := p.api.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &id})
		return err
	}
	_, err := p.api.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &id, PermissionsBoundary: &boundary})
	return err
}

func (p rolePlane) deleteRole(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &id})
	return err
}

// An inline policy's identifier is "role:policy".
func (p rolePlane) putInline(ctx context.Context, in value.Map) (string, value.Map, error) {
	id := value.String(in, "role") + ":" + value.String(in, "name")
	_, err := p.updateInline(ctx, id, nil, in)
	if err != nil {
		return "", nil, err
	}
	return id, nil, nil
}

func (p rolePlane) updateInline(ctx context.Context, _ string, _, in value.Map) (value.Map, error) {
	_, err := p.api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: text(in, "role"), PolicyName: text(in, "name"), PolicyDocument: text(in, "policy")})
	return nil, err
}

func (p rolePlane) readInline(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	role, name, _ := strings.Cut(id, ":")
	res, err := p.api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
	if err != nil {
		return nil, err
	}
	doc, err := url.QueryUnescape(aws.ToString(res.PolicyDocument))
	return value.Map{"role": role, "name": name, "policy": doc}, err
}

func (p rolePlane) deleteInline(ctx context.Context, id string, _ value.Map) error {
	role, name, _ := strings.Cut(id, ":")
	_, err := p.api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: &name})
	return err
}

func (p rolePlane) createPolicy(ctx context.Context, in value.Map) (string, value.Map, error) {
	res, err := p.api.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: text(in, "name"), Path: text(in, "path"), PolicyDocument: text(in, "policy"),
		Description: optional(value.String(in, "description")), Tags: tagList(value.StringMap(in, "tags"), iamTag),
	})
	if err != nil {
		return "", nil, err
	}
	return aws.ToString(res.Policy.Arn), policyOutputs(res.Policy), nil
}

func policyOutputs(p *types.Policy) value.Map {
	return value.Map{"arn": aws.ToString(p.Arn), "policyId": aws.ToString(p.PolicyId), "attachmentCount": int(aws.ToInt32(p.AttachmentCount))}
}

func (p rolePlane) readPolicy(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	res, err := p.api.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &id})
	if err != nil {
		return nil, err
	}
	version, err := p.api.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &id, VersionId: res.Policy.DefaultVersionId})
	if err != nil {
		return nil, err
	}
	doc, err := url.QueryUnescape(aws.ToString(version.PolicyVersion.Document))
	return value.Merge(policyOutputs(res.Policy), value.Map{
		"name": aws.ToString(res.Policy.PolicyName), "path": aws.ToString(res.Policy.Path), "policy": doc,
		"description": aws.ToString(res.Policy.Description), "tags": tagValue(res.Policy.Tags, iamTagOf),
	}), err
}

// updatePolicy makes a new version the default, and deletes the one before it:
// a policy has five at most.
func (p rolePlane) updatePolicy(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	if before, err := p.api.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &id}); err != nil {
		return nil, err
	} else if value.String(old, "policy") != value.String(in, "policy") {
		if _, err := p.api.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &id, PolicyDocument: text(in, "policy"), SetAsDefault: true}); err != nil {
			return nil, err
		}
		if _, err := p.api.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &id, VersionId: before.Policy.DefaultVersionId}); err != nil {
			return nil, err
		}
	}
	set, drop := tagChange(old, in)
	if len(drop) > 0 {
		if _, err := p.api.UntagPolicy(ctx, &iam.UntagPolicyInput{PolicyArn: &id, TagKeys: drop}); err != nil {
			return nil, err
		}
	}
	if len(set) > 0 {
		if _, err := p.api.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: &id, Tags: tagList(set, iamTag)}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// deletePolicy deletes the versions first that others made: IAM deletes a policy
// with its default version only.
func (p rolePlane) deletePolicy(ctx context.Context, id string, _ value.Map) error {
	versions, err := p.api.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &id})
	if err != nil {
		return err
	}
	for _, v := range versions.Versions {
		if v.IsDefaultVersion {
			continue
		}
		if _, err := p.api.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &id, VersionId: v.VersionId}); err != nil {
			return err
		}
	}
	_, err = p.api.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &id})
	return err
}

// An attachment's identifier is "role/policy ARN".
func (p rolePlane) attach(ctx context.Context, in value.Map) (string, value.Map, error) {
	if _, err := p.api.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: text(in, "role"), PolicyArn: text(in, "policyArn")}); err != nil {
		return "", nil, err
	}
	return value.String(in, "role") + "/" + value.String(in, "policyArn"), nil, nil
}

func (p rolePlane) readAttachment(ctx context.Context, id string, _ value.Map) (value.Map, error) {
	role, policy, _ := strings.Cut(id, "/")
	pages := iam.NewListAttachedRolePoliciesPaginator(p.api, &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, a := range page.AttachedPolicies {
			if aws.ToString(a.PolicyArn) == policy {
				return value.Map{"role": role, "policyArn": policy}, nil
			}
		}
	}
	return nil, kind.ErrNotFound
}

func (p rolePlane) detach(ctx context.Context, id string, _ value.Map) error {
	role, policy, _ := strings.Cut(id, "/")
	_, err := p.api.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: &policy})
	return err
}
