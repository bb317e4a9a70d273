package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// keys are the KMS keys by their names.
type keys map[resource.Key]*kms.Key

// keyUse says who besides this account's own policies may use a key.
type keyUse struct {
	purpose    string
	statements func(s scope) []statement
}

// The uses of the keys. A key's policy lets the account's root administer it, so
// IAM policies decide, and names the services that come with no role of ours.
var keyUses = map[resource.Key]keyUse{
	resource.DataKey:    {"objects, the catalog, query results and tables", nil},
	resource.LogsKey:    {"log groups and the API trail", logsKeyStatements},
	resource.MessageKey: {"topics and queues", messageKeyStatements},
	resource.SecretKey:  {"secrets and parameters", nil},
	resource.ComputeKey: {"images and environments of functions", nil},
}

func newKeys(s scope) (keys, error) {
	out := keys{}
	for _, name := range resource.Keys() {
		use := keyUses[name]
		statements := []statement{s.administer()}
		if use.statements != nil {
			statements = append(statements, use.statements(s)...)
		}
		key, err := kms.NewKey(s.ctx, string(name), &kms.KeyArgs{
			Description:          pulumi.String("Encrypts " + use.purpose),
			EnableKeyRotation:    pulumi.Bool(true),
			RotationPeriodInDays: pulumi.Int(365),
			DeletionWindowInDays: pulumi.Int(30),
			Policy:               document(statements...),
		})
		if err != nil {
			return nil, err
		}
		if _, err := kms.NewAlias(s.ctx, string(name), &kms.AliasArgs{Name: pulumi.String(name.Alias()), TargetKeyId: key.KeyId}); err != nil {
			return nil, err
		}
		out[name] = key
	}
	return out, nil
}

// administer lets the account decide by IAM policies; without it, a key that
// nobody may administer could be left behind. The actions are those of
// administrators and of users, without kms:*.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (s scope) administer() statement {
	return statement{
		Sid: "Account", Principal: account(s.env),
		Actions: []string{
			"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:CreateGrant", "kms:Decrypt", "kms:DeleteAlias", "kms:DescribeKey",
			"kms:DisableKey", "kms:EnableKey", "kms:EnableKeyRotation", "kms:Encrypt", "kms:GenerateDataKey",
			"kms:GenerateDataKeyWithoutPlaintext", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListGrants",
			"kms:ListKeyPolicies", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:RevokeGrant",
			"kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
			"kms:UpdateKeyDescription",
		},
		Resources: []pulumi.StringInput{pulumi.String("*")}, // in a key policy: this key
	}
}

// use are the actions that encrypt and decrypt with a key.
var use = []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"}

// logsKeyStatements let CloudWatch Logs and CloudTrail encrypt for this account.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func logsKeyStatements(s scope) []statement {
	return []statement{
		{
			Sid: "LogGroups", Principal: services("logs." + s.env.Region + ".amazonaws.com"), Actions: use,
			Resources: []pulumi.StringInput{pulumi.String("*")},
			Condition: pulumi.Map{"ArnLike": pulumi.Map{
				"kms:EncryptionContext:aws:logs:arn": pulumi.String(string(s.env.LogGroupARN("*"))),
			}},
		},
		{
			Sid: "Records", Principal: services("cloudtrail.amazonaws.com", "config.amazonaws.com"), Actions: []string{"kms:DescribeKey", "kms:GenerateDataKey"},
			Resources: []pulumi.StringInput{pulumi.String("*")}, Condition: s.ownAccount(),
		},
	}
}

// messageKeyStatements let the services publish that have something to tell.
func messageKeyStatements(s scope) []statement {
	return []statement{{
		Sid:       "Publishers",
		Principal: services("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"),
		Actions:   []string{"kms:Decrypt", "kms:GenerateDataKey"},
		Resources: []pulumi.StringInput{pulumi.String("*")}, Condition: s.ownAccount(),
	}}
}
