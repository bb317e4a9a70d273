package provider_test

import (
	"archive/zip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"engage/internal/localaws/provider/plane"
	"engage/internal/localaws/provider/value"
)

// Every kind lives its whole life: what is made reads as it was made, changes as
// asked, tells what others changed, and goes.
func TestKinds(t *testing.T) {
	n := open(t)
	lives := slices.Concat(n.buckets(), n.identities(), n.messages(), n.data(), n.compute(), n.watch())
	for _, l := range lives {
		t.Run(strings.ReplaceAll(l.token, "/", "."), func(t *testing.T) { n.on(t).live(l) })
	}
	var missing []string
	for _, k := range plane.Kinds(plane.Config{AWS: n.config, Partition: "aws", Account: account}) {
		if !slices.ContainsFunc(lives, func(l life) bool { return l.token == k.Token }) {
			missing = append(missing, k.Token)
		}
	}
	if len(missing) > 0 {
		t.Errorf("no test is about %s", strings.Join(missing, ", "))
	}
}

func trust(service string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
}

func allow(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"Allow","Action":%q,"Resource":%q}]}`, action, resource)
}

func allowAs(principal, action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"Allow","Principal":{"AWS":%q},"Action":%q,"Resource":%q}]}`, principal, action, resource)
}

const owner = "arn:aws:iam::" + account + ":root"

// role makes a role that a service may take, which may do everything.
func (n *engine) role(name, service string) string {
	n.t.Helper()
	h := n.create("aws:iam/role:Role", value.Map{"name": name, "assumeRolePolicy": trust(service)})
	n.create("aws:iam/rolePolicy:RolePolicy", value.Map{"name": "all", "role": name, "policy": allow("*", "*")})
	return value.String(h.props, "arn")
}

// made makes a resource and returns its ARN.
func (n *engine) made(token string, in value.Map) string {
	n.t.Helper()
	return value.String(n.create(token, in).props, "arn")
}

func (n *engine) buckets() []life {
	api := s3.NewFromConfig(n.config, func(o *s3.Options) { o.UsePathStyle = true })
	n.create("aws:s3/bucketV2:BucketV2", value.Map{"bucket": "fixture", "objectLockEnabled": true})
	n.create("aws:s3/bucketV2:BucketV2", value.Map{"bucket": "logs-fixture"})
	n.create("aws:s3/bucketPolicy:BucketPolicy", value.Map{"bucket": "logs-fixture", "policy": `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow",` +
		`"Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs-fixture/*"}]}`})
	on := func(m value.Map) value.Map { m["bucket"] = "fixture"; return m }
	name := aws.String("fixture")
	return []life{
		{
			token: "aws:s3/bucketV2:BucketV2", in: value.Map{"bucket": "alive", "forceDestroy": true, "tags": value.Map{"a": "1"}}, change: value.Map{"tags": value.Map{"a": "2", "b": "3"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: &h.id})
				return err
			}, drift: "tags",
		},
		{
			token: "aws:s3/bucketPolicy:BucketPolicy", in: on(value.Map{"policy": allowAs(owner, "s3:GetObject", "arn:aws:s3:::fixture/*")}),
			change: value.Map{"policy": allowAs(owner, "s3:PutObject", "arn:aws:s3:::fixture/*")},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: name})
				return err
			},
		},
		{
			token: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", in: on(value.Map{"blockPublicAcls": true}), change: value.Map{"blockPublicPolicy": true},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}})
				return err
			}, drift: "blockPublicPolicy",
		},
		{
			token: "aws:s3/bucketOwnershipControls:BucketOwnershipControls", in: on(value.Map{"rule": value.Map{"objectOwnership": "BucketOwnerEnforced"}}),
			behind: func(ctx context.Context, h *held) error {
				_, err := api.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: name})
				return err
			},
		},
		{
			token: "aws:s3/bucketVersioningV2:BucketVersioningV2", in: value.Map{"bucket": "logs-fixture", "versioningConfiguration": value.Map{"status": "Enabled"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &h.id, VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Suspended"}})
				return err
			}, drift: "versioningConfiguration", stays: true,
		},
		{
			token:  "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
			in:     on(value.Map{"rules": []any{value.Map{"applyServerSideEncryptionByDefault": value.Map{"sseAlgorithm": "aws:kms"}, "bucketKeyEnabled": true}}}),
			change: value.Map{"rules": []any{value.Map{"applyServerSideEncryptionByDefault": value.Map{"sseAlgorithm": "aws:kms"}, "bucketKeyEnabled": false}}},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: name})
				return err
			}, drift: "rules", stays: true,
		},
		{
			token: "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
			in:    on(value.Map{"rules": []any{value.Map{"id": "r", "status": "Enabled", "filter": value.Map{"prefix": ""}, "expiration": value.Map{"days": 3.0}}}}),
			change: value.Map{"rules": []any{value.Map{"id": "r", "status": "Enabled", "filter": value.Map{"prefix": ""}, "expiration": value.Map{"days": 4.0},
				"noncurrentVersionExpiration": value.Map{"noncurrentDays": 9.0}}}},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: name})
				return err
			},
		},
		{
			token: "aws:s3/bucketLoggingV2:BucketLoggingV2", in: on(value.Map{"targetBucket": "logs-fixture", "targetPrefix": "a/"}), change: value.Map{"targetPrefix": "b/"},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: name, BucketLoggingStatus: &s3types.BucketLoggingStatus{}})
				return err
			},
		},
		{
			token: "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", in: on(value.Map{"rule": value.Map{"defaultRetention": value.Map{"mode": "GOVERNANCE", "days": 1.0}}}),
			change: value.Map{"rule": value.Map{"defaultRetention": value.Map{"days": 2.0}}},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: name, ObjectLockConfiguration: &s3types.ObjectLockConfiguration{
					ObjectLockEnabled: "Enabled", Rule: &s3types.ObjectLockRule{DefaultRetention: &s3types.DefaultRetention{Mode: "GOVERNANCE", Days: aws.Int32(9)}},
				}})
				return err
			}, drift: "rule", stays: true,
		},
	}
}

func (n *engine) identities() []life {
	api, keys := iam.NewFromConfig(n.config), kms.NewFromConfig(n.config)
	n.role("fixture", "lambda.amazonaws.com")
	policy := n.made("aws:iam/policy:Policy", value.Map{"name": "fixture", "policy": allow("s3:GetObject", "*")})
	key := n.create("aws:kms/key:Key", value.Map{"description": "fixture"})
	other := n.create("aws:kms/key:Key", value.Map{"description": "other"})
	keyPolicy := `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"kms:*","Resource":"*"}]}`
	return []life{
		{
			token: "aws:iam/role:Role", in: value.Map{"name": "r", "assumeRolePolicy": trust("lambda.amazonaws.com"), "tags": value.Map{"a": "1"}},
			change: value.Map{"assumeRolePolicy": trust("ecs-tasks.amazonaws.com"), "maxSessionDuration": 7200.0, "description": "d", "tags": value.Map{"b": "2"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &h.id, PolicyDocument: aws.String(trust("states.amazonaws.com"))})
				return err
			}, drift: "assumeRolePolicy",
		},
		{
			token: "aws:iam/rolePolicy:RolePolicy", in: value.Map{"name": "p", "role": "fixture", "policy": allow("s3:GetObject", "*")}, change: value.Map{"policy": allow("s3:PutObject", "*")},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("fixture"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("s3:*", "*"))})
				return err
			}, drift: "policy",
		},
		{
			token: "aws:iam/policy:Policy", in: value.Map{"name": "p", "policy": allow("s3:GetObject", "*")}, change: value.Map{"policy": allow("s3:PutObject", "*")},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &h.id, PolicyDocument: aws.String(allow("s3:*", "*")), SetAsDefault: true})
				return err
			}, drift: "policy",
		},
		{
			token: "aws:iam/rolePolicyAttachment:RolePolicyAttachment", in: value.Map{"role": "fixture", "policyArn": policy},
			behind: func(ctx context.Context, h *held) error {
				_, err := api.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String("fixture"), PolicyArn: &policy})
				return err
			},
		},
		{token: "aws:iam/serviceLinkedRole:ServiceLinkedRole", in: value.Map{"awsServiceName": "config.amazonaws.com"}},
		{
			token: "aws:kms/key:Key", in: value.Map{"description": "a", "enableKeyRotation": true, "policy": keyPolicy, "tags": value.Map{"a": "1"}},
			change: value.Map{"description": "b", "rotationPeriodInDays": 200.0, "tags": value.Map{"b": "1"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := keys.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: &h.id})
				return err
			}, drift: "enableKeyRotation",
		},
		{
			token: "aws:kms/alias:Alias", in: value.Map{"name": "alias/a", "targetKeyId": key.id}, change: value.Map{"targetKeyId": other.id},
			behind: func(ctx context.Context, h *held) error {
				_, err := keys.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: aws.String("alias/a")})
				return err
			},
		},
	}
}

func (n *engine) messages() []life {
	topics, queues := sns.NewFromConfig(n.config), sqs.NewFromConfig(n.config)
	topic := n.made("aws:sns/topic:Topic", value.Map{"name": "fixture"})
	queue := n.create("aws:sqs/queue:Queue", value.Map{"name": "fixture"})
	arn := value.String(queue.props, "arn")
	attribute := func(name, v string) func(context.Context, *held) error {
		return func(ctx context.Context, h *held) error {
			_, err := queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &h.id, Attributes: map[string]string{name: v}})
			return err
		}
	}
	return []life{
		{
			token: "aws:sns/topic:Topic", in: value.Map{"name": "t", "displayName": "a", "tags": value.Map{"a": "1"}}, change: value.Map{"displayName": "b", "tags": value.Map{"a": "2"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := topics.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &h.id, AttributeName: aws.String("DisplayName"), AttributeValue: aws.String("c")})
				return err
			}, drift: "displayName",
		},
		{
			token: "aws:sns/topicPolicy:TopicPolicy", in: value.Map{"arn": topic, "policy": allowAs(owner, "sns:Publish", topic)}, change: value.Map{"policy": allowAs(owner, "sns:Subscribe", topic)},
			behind: func(ctx context.Context, h *held) error {
				_, err := topics.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &topic, AttributeName: aws.String("Policy"), AttributeValue: aws.String(allowAs(owner, "sns:Publish", topic))})
				return err
			}, drift: "policy", stays: true,
		},
		{
			token: "aws:sns/topicSubscription:TopicSubscription", in: value.Map{"topic": topic, "protocol": "sqs", "endpoint": arn}, change: value.Map{"rawMessageDelivery": true},
			behind: func(ctx context.Context, h *held) error {
				_, err := topics.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &h.id})
				return err
			},
		},
		{
			token: "aws:sqs/queue:Queue", in: value.Map{"name": "q", "messageRetentionSeconds": 3600.0, "tags": value.Map{"a": "1"}}, change: value.Map{"visibilityTimeoutSeconds": 60.0, "tags": value.Map{}},
			behind: attribute("VisibilityTimeout", "90"), drift: "visibilityTimeoutSeconds",
		},
		{
			token: "aws:sqs/queuePolicy:QueuePolicy", in: value.Map{"queueUrl": queue.id, "policy": allowAs(owner, "sqs:SendMessage", arn)}, change: value.Map{"policy": allowAs(owner, "sqs:ReceiveMessage", arn)},
			behind: attribute("Policy", ""),
		},
		{
			token: "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", in: value.Map{"queueUrl": queue.id, "redriveAllowPolicy": `{"redrivePermission":"denyAll"}`},
			change: value.Map{"redriveAllowPolicy": `{"redrivePermission":"allowAll"}`}, behind: attribute("RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`), drift: "redriveAllowPolicy",
		},
	}
}

func (n *engine) data() []life {
	catalog, queries, notes, vault := glue.NewFromConfig(n.config), athena.NewFromConfig(n.config), ssm.NewFromConfig(n.config), secretsmanager.NewFromConfig(n.config)
	secret := n.create("aws:secretsmanager/secret:Secret", value.Map{"name": "fixture", "recoveryWindowInDays": 0.0})
	rotator := n.made("aws:lambda/function:Function", n.function("rotator", n.role("rotator", "lambda.amazonaws.com"), handler(n.t)))
	n.create("aws:lambda/permission:Permission", value.Map{"statementId": "s", "action": "lambda:InvokeFunction", "function": "rotator", "principal": "secretsmanager.amazonaws.com"})
	encryption := func(mode string) value.Map {
		return value.Map{"dataCatalogEncryptionSettings": value.Map{
			"encryptionAtRest": value.Map{"catalogEncryptionMode": mode}, "connectionPasswordEncryption": value.Map{"returnConnectionPasswordEncrypted": false},
		}}
	}
	return []life{
		{
			token: "aws:glue/catalogDatabase:CatalogDatabase", in: value.Map{"name": "d", "description": "a"}, change: value.Map{"description": "b"},
			behind: func(ctx context.Context, h *held) error {
				_, err := catalog.UpdateDatabase(ctx, &glue.UpdateDatabaseInput{Name: aws.String("d"), DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("d"), Description: aws.String("c")}})
				return err
			}, drift: "description",
		},
		{
			token: "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings", in: encryption("DISABLED"), change: encryption("SSE-KMS"), stays: true,
			behind: func(ctx context.Context, h *held) error {
				_, err := catalog.PutDataCatalogEncryptionSettings(ctx, &glue.PutDataCatalogEncryptionSettingsInput{DataCatalogEncryptionSettings: &gluetypes.DataCatalogEncryptionSettings{
					EncryptionAtRest: &gluetypes.EncryptionAtRest{CatalogEncryptionMode: "DISABLED"}, ConnectionPasswordEncryption: &gluetypes.ConnectionPasswordEncryption{},
				}})
				return err
			}, drift: "dataCatalogEncryptionSettings",
		},
		{
			token: "aws:athena/workgroup:Workgroup", in: value.Map{"name": "w", "forceDestroy": true, "configuration": value.Map{
				"bytesScannedCutoffPerQuery": 10485760.0, "resultConfiguration": value.Map{"outputLocation": "s3://fixture/a/"},
			}}, change: value.Map{"description": "d", "configuration": value.Map{"bytesScannedCutoffPerQuery": nil, "resultConfiguration": value.Map{"outputLocation": "s3://fixture/b/"}}},
			behind: func(ctx context.Context, h *held) error {
				_, err := queries.UpdateWorkGroup(ctx, &athena.UpdateWorkGroupInput{WorkGroup: &h.id, Description: aws.String("e")})
				return err
			}, drift: "description",
		},
		{
			token: "aws:ssm/parameter:Parameter", in: value.Map{"name": "/p", "type": "String", "value": "a"}, change: value.Map{"value": "b", "description": "d"},
			behind: func(ctx context.Context, h *held) error {
				_, err := notes.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/p"), Value: aws.String("c"), Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true)})
				return err
			}, drift: "value",
		},
		{
			token: "aws:secretsmanager/secret:Secret", in: value.Map{"name": "s", "description": "a", "recoveryWindowInDays": 0.0}, change: value.Map{"description": "b"},
			behind: func(ctx context.Context, h *held) error {
				_, err := vault.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: &h.id, Description: aws.String("c")})
				return err
			}, drift: "description",
		},
		{token: "aws:secretsmanager/secretVersion:SecretVersion", in: value.Map{"secretId": secret.id, "secretString": "s"}, stays: true},
		{
			token: "aws:secretsmanager/secretPolicy:SecretPolicy", in: value.Map{"secretArn": secret.id, "policy": allowAs(owner, "secretsmanager:GetSecretValue", "*")},
			change: value.Map{"policy": allowAs(owner, "secretsmanager:DescribeSecret", "*")},
			behind: func(ctx context.Context, h *held) error {
				_, err := vault.DeleteResourcePolicy(ctx, &secretsmanager.DeleteResourcePolicyInput{SecretId: &secret.id})
				return err
			},
		},
		{
			token:  "aws:secretsmanager/secretRotation:SecretRotation",
			in:     value.Map{"secretId": secret.id, "rotationLambdaArn": rotator, "rotateImmediately": false, "rotationRules": value.Map{"automaticallyAfterDays": 30.0}},
			change: value.Map{"rotationRules": value.Map{"automaticallyAfterDays": 60.0}},
			behind: func(ctx context.Context, h *held) error {
				_, err := vault.CancelRotateSecret(ctx, &secretsmanager.CancelRotateSecretInput{SecretId: &secret.id})
				return err
			},
		},
	}
}

// idle is a function's program that nobody calls.
var idle = []byte("#!/bin/sh\nexit 1\n")

// handler compiles a function's program that answers.
func handler(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	c := exec.Command("go", "build", "-o", out, "../preview/testdata/handler")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// function returns the inputs of a function, and makes its archive.
func (n *engine) function(name, role string, program []byte) value.Map {
	n.t.Helper()
	path := filepath.Join(n.t.TempDir(), name+".zip")
	f, err := os.Create(path)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	w := zip.NewWriter(f)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	part, err := w.CreateHeader(header)
	if err == nil {
		_, err = part.Write(program)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		n.t.Fatal(err)
	}
	return value.Map{
		"name": name, "role": role, "runtime": "provided.al2023", "handler": "bootstrap", "timeout": 5.0, "memorySize": 128.0,
		"code": value.File{Path: path, Hash: name, Archive: true}, "environment": value.Map{"variables": value.Map{"MODE": "1"}},
	}
}

func (n *engine) compute() []life {
	functions, images, tasks, machines := lambda.NewFromConfig(n.config), ecr.NewFromConfig(n.config), ecs.NewFromConfig(n.config), sfn.NewFromConfig(n.config)
	role, starter := n.role("runner", "lambda.amazonaws.com"), n.role("starter", "states.amazonaws.com")
	n.made("aws:lambda/function:Function", n.function("fixture", role, idle))
	n.create("aws:ecr/repository:Repository", value.Map{"name": "fixture"})
	n.create("aws:ecs/cluster:Cluster", value.Map{"name": "fixture"})
	lifecycle := func(count int) string {
		return fmt.Sprintf(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":%d},"action":{"type":"expire"}}]}`, count)
	}
	wait := func(seconds int) string {
		return fmt.Sprintf(`{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":%d,"End":true}}}`, seconds)
	}
	return []life{
		{
			token: "aws:lambda/function:Function", in: n.function("f", role, idle), change: value.Map{"timeout": 6.0, "environment": value.Map{"variables": value.Map{"MODE": "2"}}, "reservedConcurrentExecutions": 2.0, "tags": value.Map{"a": "1"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), MemorySize: aws.Int32(256)})
				return err
			}, drift: "memorySize",
		},
		{
			token: "aws:lambda/permission:Permission", in: value.Map{"statementId": "x", "action": "lambda:InvokeFunction", "function": "fixture", "principal": "sns.amazonaws.com", "sourceAccount": account},
			behind: func(ctx context.Context, h *held) error {
				_, err := functions.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: aws.String("fixture"), StatementId: aws.String("x")})
				return err
			},
		},
		{
			token: "aws:ecr/repository:Repository", in: value.Map{"name": "r", "imageScanningConfiguration": value.Map{"scanOnPush": true}}, change: value.Map{"imageTagMutability": "IMMUTABLE", "tags": value.Map{"a": "1"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := images.PutImageTagMutability(ctx, &ecr.PutImageTagMutabilityInput{RepositoryName: aws.String("r"), ImageTagMutability: "MUTABLE"})
				return err
			}, drift: "imageTagMutability",
		},
		{
			token: "aws:ecr/lifecyclePolicy:LifecyclePolicy", in: value.Map{"repository": "fixture", "policy": lifecycle(5)},
			behind: func(ctx context.Context, h *held) error {
				_, err := images.DeleteLifecyclePolicy(ctx, &ecr.DeleteLifecyclePolicyInput{RepositoryName: aws.String("fixture")})
				return err
			},
		},
		{
			token: "aws:ecr/repositoryPolicy:RepositoryPolicy", in: value.Map{"repository": "fixture", "policy": `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"ecr:BatchGetImage"}]}`},
			behind: func(ctx context.Context, h *held) error {
				_, err := images.DeleteRepositoryPolicy(ctx, &ecr.DeleteRepositoryPolicyInput{RepositoryName: aws.String("fixture")})
				return err
			},
		},
		{
			token: "aws:ecs/cluster:Cluster", in: value.Map{"name": "c", "settings": []any{value.Map{"name": "containerInsights", "value": "enabled"}}},
			change: value.Map{"settings": []any{value.Map{"name": "containerInsights", "value": "disabled"}}},
			behind: func(ctx context.Context, h *held) error {
				_, err := tasks.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: aws.String("c")})
				return err
			},
		},
		{
			token: "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders", in: value.Map{"clusterName": "fixture", "capacityProviders": []any{"FARGATE", "FARGATE_SPOT"},
				"defaultCapacityProviderStrategies": []any{value.Map{"capacityProvider": "FARGATE_SPOT", "weight": 1.0}}},
			change: value.Map{"defaultCapacityProviderStrategies": []any{value.Map{"capacityProvider": "FARGATE", "weight": 2.0}}}, stays: true,
		},
		{
			token: "aws:ecs/taskDefinition:TaskDefinition", in: value.Map{"family": "t", "networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": []any{"FARGATE"},
				"containerDefinitions": `[{"name":"c","image":"i:v1","essential":true}]`, "volumes": []any{value.Map{"name": "scratch"}}},
			behind: func(ctx context.Context, h *held) error {
				_, err := tasks.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("t:1")})
				return err
			},
		},
		{
			token: "aws:sfn/stateMachine:StateMachine", in: value.Map{"name": "m", "roleArn": starter, "definition": wait(1)}, change: value.Map{"definition": wait(2), "tags": value.Map{"a": "1"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := machines.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: &h.id, Definition: aws.String(wait(3))})
				return err
			}, drift: "definition",
		},
	}
}

func (n *engine) watch() []life {
	logs, events := cloudwatchlogs.NewFromConfig(n.config), eventbridge.NewFromConfig(n.config)
	n.create("aws:cloudwatch/logGroup:LogGroup", value.Map{"name": "/fixture"})
	n.create("aws:cloudwatch/eventRule:EventRule", value.Map{"name": "fixture", "scheduleExpression": "rate(1 day)", "state": "DISABLED"})
	topic := n.made("aws:sns/topic:Topic", value.Map{"name": "heard"})
	n.create("aws:s3/bucketV2:BucketV2", value.Map{"bucket": "trail-fixture", "forceDestroy": true})
	n.create("aws:s3/bucketPolicy:BucketPolicy", value.Map{"bucket": "trail-fixture", "policy": `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},` +
		`"Action":["s3:GetBucketAcl","s3:PutObject"],"Resource":["arn:aws:s3:::trail-fixture","arn:aws:s3:::trail-fixture/*"]}]}`})
	filter := func(v string) value.Map {
		return value.Map{"name": "f", "logGroupName": "/fixture", "pattern": "ERROR", "metricTransformation": value.Map{"name": "errors", "namespace": "test", "value": v}}
	}
	return []life{
		{
			token: "aws:cloudwatch/logGroup:LogGroup", in: value.Map{"name": "/g", "retentionInDays": 7.0, "tags": value.Map{"a": "1"}}, change: value.Map{"retentionInDays": 30.0, "tags": value.Map{"b": "1"}},
			behind: func(ctx context.Context, h *held) error {
				_, err := logs.DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String("/g")})
				return err
			}, drift: "retentionInDays",
		},
		{
			token: "aws:cloudwatch/logMetricFilter:LogMetricFilter", in: filter("1"), change: filter("2"),
			behind: func(ctx context.Context, h *held) error {
				_, err := logs.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String("/fixture"), FilterName: aws.String("f")})
				return err
			},
		},
		{
			token: "aws:cloudwatch/eventRule:EventRule", in: value.Map{"name": "r", "scheduleExpression": "rate(1 day)", "state": "DISABLED"}, change: value.Map{"scheduleExpression": "cron(0 2 * * ? *)", "description": "d"},
			behind: func(ctx context.Context, h *held) error {
				_, err := events.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: aws.String("r")})
				return err
			}, drift: "state",
		},
		{
			token: "aws:cloudwatch/eventTarget:EventTarget", in: value.Map{"rule": "fixture", "targetId": "t", "arn": topic, "input": `{"a":1}`}, change: value.Map{"input": `{"a":2}`},
			behind: func(ctx context.Context, h *held) error {
				_, err := events.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("fixture"), Ids: []string{"t"}})
				return err
			},
		},
		{
			token: "aws:cloudtrail/trail:Trail", in: value.Map{"name": "trail", "s3BucketName": "trail-fixture", "enableLogFileValidation": true}, change: value.Map{"enableLogging": false, "includeGlobalServiceEvents": false, "tags": value.Map{"a": "1"}},
		},
	}
}
