package plane

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"engage/internal/localaws/provider/kind"
	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// linkedRoles returns the kind of the roles that belong to services.
func linkedRoles(cfg Config, t sdk.Source) []kind.Kind {
	p := rolePlane{Config: cfg, api: iam.NewFromConfig(cfg.AWS)}
	k := t.Kind("aws:iam/serviceLinkedRole:ServiceLinkedRole", sdk.Overlay{Replace: []string{"awsServiceName", "customSuffix"}})
	k.Plane = ops{p.createLinked, p.readLinked, p.updateLinked, p.deleteLinked}
	return []kind.Kind{k}
}

// createLinked makes the role; its identifier is its ARN. Tags come afterwards:
// the call that makes the role takes none.
func (p rolePlane) createLinked(ctx context.Context, in value.Map) (string, value.Map, error) {
	res, err := p.api.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{
		AWSServiceName: text(in, "awsServiceName"), CustomSuffix: optional(value.String(in, "customSuffix")), Description: optional(value.String(in, "description")),
	})
	if err != nil {
		return "", nil, err
	}
	out := value.Merge(roleOutputs(res.Role), value.Map{"name": aws.ToString(res.Role.RoleName), "path": aws.ToString(res.Role.Path)})
	return made(aws.ToString(res.Role.Arn), out, func() error { return p.tagRole(ctx, aws.ToString(res.Role.RoleName), nil, in) })
}

func roleName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func (p rolePlane) readLinked(ctx context.Context, id string, state value.Map) (value.Map, error) {
	now, err := p.readRole(ctx, roleName(id), state)
	if err != nil {
		return nil, err
	}
	delete(now, "assumeRolePolicy")
	return value.Merge(now, value.Map{"awsServiceName": strings.Split(value.String(now, "path"), "/")[2]}), nil
}

func (p rolePlane) updateLinked(ctx context.Context, id string, old, in value.Map) (value.Map, error) {
	name := roleName(id)
	if _, err := p.api.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: &name, Description: text(in, "description")}); err != nil {
		return nil, err
	}
	return nil, p.tagRole(ctx, name, old, in)
}

func (p rolePlane) deleteLinked(ctx context.Context, id string, _ value.Map) error {
	_, err := p.api.DeleteServiceLinkedRole(ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: aws.String(roleName(id))})
	return err
}
