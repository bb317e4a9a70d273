package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/accessanalyzer"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cfg"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/guardduty"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/securityhub"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// newSecurity watches the account: who did what, what changed, who could reach
// what, and what looks like an attack.
func newSecurity(s scope, k keys, b buckets, m messages, c compute) error {
	if err := newTrail(s, k, b); err != nil {
		return err
	}
	if err := newRecorder(s, b); err != nil {
		return err
	}
	if err := newDetection(s); err != nil {
		return err
	}
	if err := newSecrets(s, k, c); err != nil {
		return err
	}
	return newOptions(s, k, b)
}

// newTrail writes every call to the audit bucket, with digests that show a
// change, and to CloudWatch, where alarms look.
func newTrail(s scope, k keys, b buckets) error {
	group, err := newLogGroup(s, k, resource.TrailLogGroup)
	if err != nil {
		return err
	}
	role, err := newRole(s, resource.TrailRole, "cloudtrail.amazonaws.com", []statement{writeLogs(s, resource.TrailLogGroup)})
	if err != nil {
		return err
	}
	_, err = cloudtrail.NewTrail(s.ctx, "trail", &cloudtrail.TrailArgs{
		Name: pulumi.String("engagement"), S3BucketName: b[resource.Audit].Bucket.ID(), S3KeyPrefix: pulumi.String("cloudtrail"),
		IsMultiRegionTrail: pulumi.Bool(true), IncludeGlobalServiceEvents: pulumi.Bool(true), EnableLogFileValidation: pulumi.Bool(true),
		EnableLogging: pulumi.Bool(true), KmsKeyId: k[resource.LogsKey].Arn,
		CloudWatchLogsGroupArn: pulumi.Sprintf("%s:*", group.Arn), CloudWatchLogsRoleArn: role.Arn,
	}, pulumi.DependsOn([]pulumi.Resource{b[resource.Audit]}))
	return err
}

// The rules that AWS Config checks the account by, in its own names.
// https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html
var configRules = map[string]string{
	"bucket-tls-only":         "S3_BUCKET_SSL_REQUESTS_ONLY",
	"bucket-versioned":        "S3_BUCKET_VERSIONING_ENABLED",
	"bucket-not-readable":     "S3_BUCKET_PUBLIC_READ_PROHIBITED",
	"bucket-not-writable":     "S3_BUCKET_PUBLIC_WRITE_PROHIBITED",
	"function-in-network":     "LAMBDA_INSIDE_VPC",
	"function-not-public":     "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED",
	"key-rotates":             "CMK_BACKING_KEY_ROTATION_ENABLED",
	"log-group-encrypted":     "CLOUDWATCH_LOG_GROUP_ENCRYPTED",
	"no-admin-policy":         "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS",
	"root-has-mfa":            "ROOT_ACCOUNT_MFA_ENABLED",
	"secret-rotates":          "SECRETSMANAGER_ROTATION_ENABLED_CHECK",
	"trail-on":                "CLOUD_TRAIL_ENABLED",
	"trail-validated":         "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED",
	"vpc-default-group-empty": "VPC_DEFAULT_SECURITY_GROUP_CLOSED",
	"vpc-flow-logs-on":        "VPC_FLOW_LOGS_ENABLED",
}

// newRecorder writes how resources change to the audit bucket, and checks each
// change by the rules. Its role is the one that AWS keeps for it.
// https://docs.aws.amazon.com/config/latest/developerguide/using-service-linked-roles.html
func newRecorder(s scope, b buckets) error {
	role, err := iam.NewServiceLinkedRole(s.ctx, "recorder", &iam.ServiceLinkedRoleArgs{AwsServiceName: pulumi.String("config.amazonaws.com")})
	if err != nil {
		return err
	}
	recorder, err := cfg.NewRecorder(s.ctx, "recorder", &cfg.RecorderArgs{
		Name: pulumi.String("engagement"), RoleArn: role.Arn,
		RecordingGroup: &cfg.RecorderRecordingGroupArgs{AllSupported: pulumi.Bool(true), IncludeGlobalResourceTypes: pulumi.Bool(true)},
	})
	if err != nil {
		return err
	}
	channel, err := cfg.NewDeliveryChannel(s.ctx, "recorder", &cfg.DeliveryChannelArgs{
		Name: pulumi.String("engagement"), S3BucketName: b[resource.Audit].Bucket.ID(), S3KeyPrefix: pulumi.String("config"),
	}, pulumi.DependsOn([]pulumi.Resource{recorder}))
	if err != nil {
		return err
	}
	on, err := cfg.NewRecorderStatus(s.ctx, "recorder", &cfg.RecorderStatusArgs{
		Name: recorder.Name, IsEnabled: pulumi.Bool(true),
	}, pulumi.DependsOn([]pulumi.Resource{channel}))
	if err != nil {
		return err
	}
	for name, identifier := range configRules {
		if _, err := cfg.NewRule(s.ctx, name, &cfg.RuleArgs{
			Name:   pulumi.String("engagement-" + name),
			Source: &cfg.RuleSourceArgs{Owner: pulumi.String("AWS"), SourceIdentifier: pulumi.String(identifier)},
		}, pulumi.DependsOn([]pulumi.Resource{on})); err != nil {
			return err
		}
	}
	return nil
}

// The standards that Security Hub measures the account by.
var standards = map[string]string{
	"best-practices": "standards/aws-foundational-security-best-practices/v/1.0.0",
	"nist-800-53":    "standards/nist-800-53/v/5.0.0",
	"cis":            "standards/cis-aws-foundations-benchmark/v/3.0.0",
}

// newDetection turns on what looks for attacks and for access from outside.
func newDetection(s scope) error {
	if _, err := accessanalyzer.NewAnalyzer(s.ctx, "analyzer", &accessanalyzer.AnalyzerArgs{
		AnalyzerName: pulumi.String("engagement"), Type: pulumi.String("ACCOUNT"),
	}); err != nil {
		return err
	}
	if _, err := guardduty.NewDetector(s.ctx, "detector", &guardduty.DetectorArgs{
		Enable: pulumi.Bool(true), FindingPublishingFrequency: pulumi.String("FIFTEEN_MINUTES"),
	}); err != nil {
		return err
	}
	hub, err := securityhub.NewAccount(s.ctx, "hub", &securityhub.AccountArgs{
		EnableDefaultStandards: pulumi.Bool(false), AutoEnableControls: pulumi.Bool(true), ControlFindingGenerator: pulumi.String("SECURITY_CONTROL"),
	})
	if err != nil {
		return err
	}
	for name, path := range standards {
		if _, err := securityhub.NewStandardsSubscription(s.ctx, name, &securityhub.StandardsSubscriptionArgs{
			StandardsArn: pulumi.String("arn:" + s.env.Partition() + ":securityhub:" + s.env.Region + "::" + path),
		}, pulumi.DependsOn([]pulumi.Resource{hub})); err != nil {
			return err
		}
	}
	_, err = iam.NewAccountPasswordPolicy(s.ctx, "passwords", &iam.AccountPasswordPolicyArgs{
		MinimumPasswordLength: pulumi.Int(14), PasswordReusePrevention: pulumi.Int(24), MaxPasswordAge: pulumi.Int(90),
		RequireLowercaseCharacters: pulumi.Bool(true), RequireUppercaseCharacters: pulumi.Bool(true), RequireNumbers: pulumi.Bool(true),
		RequireSymbols: pulumi.Bool(true), AllowUsersToChangePassword: pulumi.Bool(true),
	})
	return err
}

// rotationDays is how often a secret gets a new value, by the requirements.
const rotationDays = 30

// newSecrets makes the secrets, which a function gives new values, and the
// parameters that runs leave notes in.
func newSecrets(s scope, k keys, c compute) error {
	rotate := c.functions[resource.RotateSecret].Function
	for _, name := range resource.Secrets() {
		secret, err := secretsmanager.NewSecret(s.ctx, string(name), &secretsmanager.SecretArgs{
			Name: pulumi.String(string(name)), Description: pulumi.String("Signs requests to the prediction API"),
			KmsKeyId: k[resource.SecretKey].Arn, RecoveryWindowInDays: pulumi.Int(recoveryDays(s.cfg.Kind)),
		})
		if err != nil {
			return err
		}
		allowed, err := lambda.NewPermission(s.ctx, string(name), &lambda.PermissionArgs{
			Action: pulumi.String("lambda:InvokeFunction"), Function: rotate.Name, Principal: pulumi.String("secretsmanager.amazonaws.com"),
			StatementId: pulumi.String("rotation"), SourceAccount: pulumi.String(s.env.Account), SourceArn: secret.Arn,
		})
		if err != nil {
			return err
		}
		if _, err := secretsmanager.NewSecretRotation(s.ctx, string(name), &secretsmanager.SecretRotationArgs{
			SecretId: secret.ID(), RotationLambdaArn: rotate.Arn,
			RotationRules: &secretsmanager.SecretRotationRotationRulesArgs{AutomaticallyAfterDays: pulumi.Int(rotationDays)},
		}, pulumi.DependsOn([]pulumi.Resource{allowed})); err != nil {
			return err
		}
	}
	for _, name := range resource.Parameters() {
		if _, err := ssm.NewParameter(s.ctx, string(name), &ssm.ParameterArgs{
			Name: pulumi.String(string(name)), Type: pulumi.String("SecureString"), KeyId: k[resource.SecretKey].Arn, Value: pulumi.String("none"),
		}, pulumi.IgnoreChanges([]string{"value"})); err != nil {
			return err
		}
	}
	return nil
}

// recoveryDays is how long a deleted secret can be had back; a local stack is
// made anew under the same name at once.
func recoveryDays(kind resource.Kind) int {
	if kind == resource.Local {
		return 0
	}
	return 30
}
