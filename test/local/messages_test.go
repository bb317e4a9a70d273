package local_test

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// sendFrom lets a service send to a queue from a source.
func sendFrom(ctx SpecContext, url, arn, service string) {
	GinkgoHelper()
	document := policy(fmt.Sprintf(`{"Effect":"Allow","Principal":{"Service":%q},"Action":"sqs:SendMessage","Resource":%q}`, service, arn))
	must(root.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": document}}))
}

var _ = Describe("SNS", func() {
	It("publishes to a queue that lets it, as AWS wraps it", func(ctx SpecContext) {
		topic := must(root.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(unique("topic"))})).TopicArn
		url, arn := queue(ctx, nil)
		sendFrom(ctx, url, arn, "sns.amazonaws.com")
		must(root.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: &arn}))
		must(root.sns.Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: aws.String("hello")}))
		got := receive(ctx, url)
		Expect(got).To(HaveLen(1))
		var wrapped struct{ Type, TopicArn, Message string }
		Expect(json.Unmarshal([]byte(*got[0].Body), &wrapped)).To(Succeed())
		Expect([]string{wrapped.Type, wrapped.TopicArn, wrapped.Message}).To(Equal([]string{"Notification", *topic, "hello"}))
		_, err := as(ctx, allow("*", "sqs:*")).sns.Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: aws.String("x")})
		Expect(err).To(refuseWith("AuthorizationError", "sns:Publish on resource: "+*topic))
	})
})

var _ = Describe("EventBridge", func() {
	It("sends what a rule matches", func(ctx SpecContext) {
		url, arn := queue(ctx, nil)
		sendFrom(ctx, url, arn, "events.amazonaws.com")
		rule := aws.String(unique("rule"))
		must(root.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: rule, EventPattern: aws.String(`{"source":["` + *rule + `"],"detail":{"n":[{"numeric":[">",1]}]}}`)}))
		must(root.events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: rule, Targets: []eventtypes.Target{{Id: aws.String("q"), Arn: &arn}}}))
		for n := range 3 {
			out := must(root.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{{Source: rule, DetailType: aws.String("t"), Detail: aws.String(fmt.Sprintf(`{"n":%d}`, n))}}}))
			Expect(out.FailedEntryCount).To(BeZero())
		}
		got := receive(ctx, url)
		Expect(got).To(HaveLen(1))
		Expect(*got[0].Body).To(ContainSubstring(`"detail":{"n":2}`))
	})

	It("starts a state machine", func(ctx SpecContext) {
		m, rule := machine(ctx, passes), aws.String(unique("rule"))
		starter := role(ctx, "events.amazonaws.com", policy(allow(*m, "states:StartExecution")))
		must(root.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: rule, EventPattern: aws.String(`{"source":["` + *rule + `"]}`)}))
		must(root.events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: rule, Targets: []eventtypes.Target{{Id: aws.String("m"), Arn: m, RoleArn: &starter}}}))
		must(root.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{{Source: rule, DetailType: aws.String("t"), Detail: aws.String(`{}`)}}}))
		Eventually(ctx, func() int {
			return len(must(root.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: m})).Executions)
		}).Should(Equal(1))
	})
})

var _ = Describe("Secrets Manager", func() {
	It("keeps versions of a secret", func(ctx SpecContext) {
		name := aws.String(unique("secret"))
		must(root.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, SecretString: aws.String("one")}))
		must(root.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: name, SecretString: aws.String("two")}))
		for stage, want := range map[string]string{"AWSCURRENT": "two", "AWSPREVIOUS": "one"} {
			Expect(*must(root.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: name, VersionStage: &stage})).SecretString).To(Equal(want))
		}
		_, err := as(ctx, allow("*", "secretsmanager:ListSecrets")).secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: name})
		Expect(err).To(refuseWith("AccessDeniedException", "secretsmanager:GetSecretValue"))
	})
})

var _ = Describe("Parameter Store", func() {
	It("encrypts a SecureString, and gives paths in pages", func(ctx SpecContext) {
		path := "/" + unique("path")
		for i := range 3 {
			must(root.ssm.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String(fmt.Sprint(path, "/p", i)), Value: aws.String(fmt.Sprint("v", i)), Type: ssmtypes.ParameterTypeSecureString}))
		}
		name := aws.String(path + "/p0")
		sealed := *must(root.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: name})).Parameter.Value
		Expect(sealed).NotTo(Equal("v0"))
		Expect(*must(root.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: name, WithDecryption: aws.Bool(true)})).Parameter.Value).To(Equal("v0"))
		var values []string
		pages := ssm.NewGetParametersByPathPaginator(root.ssm, &ssm.GetParametersByPathInput{Path: &path, WithDecryption: aws.Bool(true), MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			for _, p := range must(pages.NextPage(ctx)).Parameters {
				values = append(values, *p.Value)
			}
		}
		Expect(values).To(ConsistOf("v0", "v1", "v2"))
		_, err := root.ssm.PutParameter(ctx, &ssm.PutParameterInput{Name: name, Value: aws.String("x")})
		Expect(err).To(refuseWith("ParameterAlreadyExists"))
		_, err = as(ctx, allow("*", "s3:*")).ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: name})
		Expect(err).To(refuseWith("AccessDeniedException", "ssm:GetParameter"))
	})
})
