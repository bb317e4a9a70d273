package local_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// given allows actions under a condition.
func given(action, condition string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"*","Condition":` + condition + `}`
}

var _ = Describe("A condition of a policy", func() {
	// Each pair is a call that the condition lets pass, and one that it does not.
	DescribeTable("is asked with what the service says of the call", func(ctx SpecContext, statement string, calls func(SpecContext, *sdk) (passes, fails error)) {
		passes, fails := calls(ctx, as(ctx, statement))
		if passes != nil { // what is not there may be missed, but not denied
			Expect(passes.Error()).NotTo(ContainSubstring("not authorized"))
		}
		Expect(fails).To(MatchError(ContainSubstring("not authorized")))
	},
		Entry("s3:prefix", given("s3:ListBucket", `{"StringLike":{"s3:prefix":"a/*"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			b := bucket(ctx)
			list := func(prefix string) error {
				_, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b, Prefix: &prefix})
				return err
			}
			return list("a/b"), list("b/")
		}),
		Entry("s3:x-amz-server-side-encryption", given("s3:PutObject", `{"StringEquals":{"s3:x-amz-server-side-encryption":"AES256"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			b := bucket(ctx)
			_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), ServerSideEncryption: s3types.ServerSideEncryptionAes256})
			return err, put(ctx, c.s3, b, "k", "1")
		}),
		Entry("aws:SecureTransport", given("sqs:ListQueues", `{"Bool":{"aws:SecureTransport":"true"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			_, err := c.sqs.ListQueues(ctx, &sqs.ListQueuesInput{})
			_, other := c.kms.ListKeys(ctx, &kms.ListKeysInput{})
			return err, other
		}),
		Entry("kms:EncryptionContext", given("kms:Encrypt", `{"StringEquals":{"kms:EncryptionContext:table":"users"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			key := must(root.kms.CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata.KeyId
			encrypt := func(table string) error {
				_, err := c.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: []byte("x"), EncryptionContext: map[string]string{"table": table}})
				return err
			}
			return encrypt("users"), encrypt("orders")
		}),
		Entry("kms:CallerAccount", given("kms:ListKeys", `{"StringEquals":{"kms:CallerAccount":"`+account+`"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			_, err := c.kms.ListKeys(ctx, &kms.ListKeysInput{})
			_, other := c.kms.ListAliases(ctx, &kms.ListAliasesInput{})
			return err, other
		}),
		Entry("iam:PassedToService, by Lambda", given("lambda:CreateFunction", `{}`)+","+given("iam:PassRole", `{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			create := func(c *sdk) error {
				_, err := c.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String(unique("function")), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("h"),
					Role: aws.String(role(ctx, "lambda.amazonaws.com", policy(allow("*", "logs:*")))), Code: &types.FunctionCode{ZipFile: must(echoZip())}})
				return err
			}
			return create(c), create(as(ctx, allow("*", "lambda:CreateFunction")))
		}),
		Entry("iam:PassedToService, by states", given("states:CreateStateMachine", `{}`)+","+given("iam:PassRole", `{"StringEquals":{"iam:PassedToService":"states.amazonaws.com"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			create := func(c *sdk) error {
				_, err := c.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String(unique("machine")), Definition: aws.String(`{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}`),
					RoleArn: aws.String(role(ctx, "states.amazonaws.com", policy(allow("*", "logs:*"))))})
				return err
			}
			return create(c), create(as(ctx, allow("*", "states:CreateStateMachine")))
		}),
		Entry("ecs:cluster", given("ecs:RunTask", `{"ArnLike":{"ecs:cluster":"arn:aws:ecs:*:*:cluster/right-*"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			run := func(cluster string) error {
				name := unique(cluster)
				must(root.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &name}))
				_, err := c.ecs.RunTask(ctx, &ecs.RunTaskInput{Cluster: &name, TaskDefinition: aws.String("nothing:1")})
				return err
			}
			return run("right"), run("wrong")
		}),
		Entry("lambda:FunctionArn", given("lambda:CreateEventSourceMapping", `{"ArnLike":{"lambda:FunctionArn":"arn:aws:lambda:*:*:function:right"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			mapTo := func(function string) error {
				_, err := c.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &function, EventSourceArn: aws.String("arn:aws:sqs:us-east-1:000000000000:q")})
				return err
			}
			return mapTo("right"), mapTo("wrong")
		}),
		Entry("secretsmanager:SecretId", given("secretsmanager:GetSecretValue", `{"StringLike":{"secretsmanager:SecretId":"*right*"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			read := func(prefix string) error {
				name := unique(prefix)
				must(root.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String("x")}))
				_, err := c.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
				return err
			}
			return read("right"), read("wrong")
		}),
		Entry("iam:PolicyARN", given("iam:AttachRolePolicy", `{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AmazonS3*"}}`), func(ctx SpecContext, c *sdk) (error, error) {
			name := unique("role")
			must(root.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trusts(""))}))
			attach := func(policy string) error {
				_, err := c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String("arn:aws:iam::aws:policy/" + policy)})
				return err
			}
			return attach("AmazonS3ReadOnlyAccess"), attach("AdministratorAccess")
		}),
	)
})
