package stack

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// messages are where news goes: to people, and to a queue what no function could
// handle.
type messages struct {
	alerts      *sns.Topic
	deadLetters *sqs.Queue
}

func newMessages(s scope, k keys) (messages, error) {
	m := messages{}
	var err error
	m.alerts, err = sns.NewTopic(s.ctx, string(resource.Alerts), &sns.TopicArgs{
		Name: pulumi.String(string(resource.Alerts)), DisplayName: pulumi.String("Engagement"), KmsMasterKeyId: k[resource.MessageKey].Arn,
	})
	if err != nil {
		return m, err
	}
	if _, err := sns.NewTopicPolicy(s.ctx, string(resource.Alerts), &sns.TopicPolicyArgs{Arn: m.alerts.Arn, Policy: s.mayAlert()}); err != nil {
		return m, err
	}
	if s.cfg.AlertEmail != "" {
		if _, err := sns.NewTopicSubscription(s.ctx, "people", &sns.TopicSubscriptionArgs{
			Topic: m.alerts.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(s.cfg.AlertEmail),
		}); err != nil {
			return m, err
		}
	}
	m.deadLetters, err = sqs.NewQueue(s.ctx, string(resource.DeadLetters), &sqs.QueueArgs{
		Name: pulumi.String(string(resource.DeadLetters)), KmsMasterKeyId: k[resource.MessageKey].Arn,
		KmsDataKeyReusePeriodSeconds: pulumi.Int(300), MessageRetentionSeconds: pulumi.Int(14 * 24 * 3600),
	})
	if err != nil {
		return m, err
	}
	_, err = sqs.NewQueuePolicy(s.ctx, string(resource.DeadLetters), &sqs.QueuePolicyArgs{
		QueueUrl: m.deadLetters.Url, Policy: document(statement{
			Sid: "TLSOnly", Deny: true, Principal: everyone, Actions: []string{"sqs:*"},
			Resources: arns(s.env.QueueARN(resource.DeadLetters)), Condition: insecure(s),
		}),
	})
	return m, err
}

// insecure is the condition of a request that is not encrypted on its way. The
// embedded endpoint listens on loopback only, without TLS: what does not leave
// the machine is let through there.
func insecure(s scope) pulumi.Map {
	condition := pulumi.Map{"Bool": pulumi.Map{"aws:SecureTransport": pulumi.String("false")}}
	if s.cfg.Kind == resource.Local {
		condition["NotIpAddress"] = pulumi.Map{"aws:SourceIp": pulumi.String("127.0.0.0/8")}
	}
	return condition
}

// mayAlert lets the services of this account publish, over TLS.
func (s scope) mayAlert() pulumi.StringOutput {
	topic := arns(s.env.TopicARN(resource.Alerts))
	return document(
		statement{
			Sid: "Services", Principal: services("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"),
			Actions: []string{"sns:Publish"}, Resources: topic, Condition: s.ownAccount(),
		},
		statement{Sid: "TLSOnly", Deny: true, Principal: everyone, Actions: []string{"sns:Publish"}, Resources: topic, Condition: insecure(s)},
	)
}
