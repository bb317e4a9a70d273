package preview_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// sdk has AWS's own clients: what anybody else sees of the stack.
type sdk struct {
	iam    *iam.Client
	kms    *kms.Client
	lambda *lambda.Client
	logs   *cloudwatchlogs.Client
	s3     *s3.Client
	sfn    *sfn.Client

	config aws.Config
}

func newSDK(url string) *sdk {
	c := aws.Config{Region: env.Region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	return &sdk{
		iam: iam.NewFromConfig(c), kms: kms.NewFromConfig(c), lambda: lambda.NewFromConfig(c), logs: cloudwatchlogs.NewFromConfig(c),
		s3: s3.NewFromConfig(c), sfn: sfn.NewFromConfig(c), config: c,
	}
}

func (s *sdk) buckets(ctx context.Context) []string {
	GinkgoHelper()
	var out []string
	for _, b := range must(s.s3.ListBuckets(ctx, &s3.ListBucketsInput{})).Buckets {
		out = append(out, *b.Name)
	}
	return out
}

func (s *sdk) functions(ctx context.Context) []string {
	GinkgoHelper()
	var out []string
	for _, f := range must(s.lambda.ListFunctions(ctx, &lambda.ListFunctionsInput{})).Functions {
		out = append(out, *f.FunctionName)
	}
	return out
}

// roles returns the roles but for those that AWS keeps for its services.
func (s *sdk) roles(ctx context.Context) []string {
	GinkgoHelper()
	var out []string
	for _, r := range must(s.iam.ListRoles(ctx, &iam.ListRolesInput{})).Roles {
		if !strings.HasPrefix(*r.Path, "/aws-service-role/") {
			out = append(out, *r.RoleName)
		}
	}
	return out
}

func (s *sdk) machines(ctx context.Context) []string {
	GinkgoHelper()
	var out []string
	for _, m := range must(s.sfn.ListStateMachines(ctx, &sfn.ListStateMachinesInput{})).StateMachines {
		out = append(out, *m.Name)
	}
	return out
}

// groups returns the log groups and how many days each keeps.
func (s *sdk) groups(ctx context.Context) map[string]int32 {
	GinkgoHelper()
	out := map[string]int32{}
	for _, g := range must(s.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})).LogGroups {
		out[*g.LogGroupName] = aws.ToInt32(g.RetentionInDays)
	}
	return out
}

// keys returns the keys that are not about to be deleted.
func (s *sdk) keys(ctx context.Context) []string {
	GinkgoHelper()
	var out []string
	for _, k := range must(s.kms.ListKeys(ctx, &kms.ListKeysInput{})).Keys {
		about := must(s.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId})).KeyMetadata
		if about.KeyManager == kmstypes.KeyManagerTypeCustomer && about.KeyState != kmstypes.KeyStatePendingDeletion {
			out = append(out, *k.KeyId)
		}
	}
	return out
}

// left returns what is left of everything that the stack makes, by name.
func (s *sdk) left(ctx context.Context) []string {
	GinkgoHelper()
	out := slices.Concat(s.buckets(ctx), s.functions(ctx), s.roles(ctx), s.machines(ctx), s.keys(ctx))
	for name := range s.groups(ctx) {
		out = append(out, name)
	}
	for _, t := range must(sns.NewFromConfig(s.config).ListTopics(ctx, &sns.ListTopicsInput{})).Topics {
		out = append(out, *t.TopicArn)
	}
	out = append(out, must(sqs.NewFromConfig(s.config).ListQueues(ctx, &sqs.ListQueuesInput{})).QueueUrls...)
	for _, d := range must(glue.NewFromConfig(s.config).GetDatabases(ctx, &glue.GetDatabasesInput{})).DatabaseList {
		out = append(out, *d.Name)
	}
	out = append(out, must(ecs.NewFromConfig(s.config).ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{})).TaskDefinitionArns...)
	for _, v := range must(secretsmanager.NewFromConfig(s.config).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})).SecretList {
		out = append(out, *v.Name)
	}
	for _, p := range must(ssm.NewFromConfig(s.config).DescribeParameters(ctx, &ssm.DescribeParametersInput{})).Parameters {
		out = append(out, *p.Name)
	}
	return out
}

// invoke calls a function with an event, and returns its answer.
func (s *sdk) invoke(ctx context.Context, name string, event any) map[string]any {
	GinkgoHelper()
	body := must(json.Marshal(event))
	res := must(s.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: body}))
	Expect(res.FunctionError).To(BeNil(), string(res.Payload))
	var out map[string]any
	Expect(json.Unmarshal(res.Payload, &out)).To(Succeed(), string(res.Payload))
	return out
}
