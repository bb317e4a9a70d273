package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// newRole makes a role that a service assumes, with what it may do in one policy.
func newRole(s scope, name resource.Role, service string, may []statement, in ...pulumi.ResourceOption) (*iam.Role, error) {
	role, err := iam.NewRole(s.ctx, string(name), &iam.RoleArgs{
		Name: pulumi.String(string(name)), AssumeRolePolicy: s.trust(service), MaxSessionDuration: pulumi.Int(3600),
	}, in...)
	if err != nil || len(may) == 0 {
		return role, err
	}
	_, err = iam.NewRolePolicy(s.ctx, string(name), &iam.RolePolicyArgs{
		Name: pulumi.String("permissions"), Role: role.Name, Policy: document(may...),
	}, in...)
	return role, err
}

// newLogGroup makes a log group that is encrypted and kept as long as configured.
func newLogGroup(s scope, k keys, name resource.LogGroup, in ...pulumi.ResourceOption) (*cloudwatch.LogGroup, error) {
	return cloudwatch.NewLogGroup(s.ctx, string(name), &cloudwatch.LogGroupArgs{
		Name: pulumi.String(string(name)), RetentionInDays: pulumi.Int(s.cfg.LogRetentionDays), KmsKeyId: k[resource.LogsKey].Arn,
	}, in...)
}

// writeLogs allows writing to one log group.
func writeLogs(s scope, group resource.LogGroup) statement {
	return statement{
		Sid: "WriteLogs", Actions: []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
		Resources: arns(within(s.env.LogGroupARN(group))),
	}
}

// trace allows sending traces; X-Ray knows no resources.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
func trace() statement {
	return statement{
		Sid: "Trace", Actions: []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
		Resources: []pulumi.StringInput{pulumi.String("*")},
	}
}

// encrypt allows the use of a key through one service only.
func encrypt(s scope, key pulumi.StringInput, via string) statement {
	return statement{
		Sid: "Encrypt", Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []pulumi.StringInput{key},
		Condition: pulumi.Map{"StringEquals": pulumi.Map{"kms:ViaService": pulumi.String(via + "." + s.env.Region + ".amazonaws.com")}},
	}
}
