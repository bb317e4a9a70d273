package local_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	bustypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The rules of a bucket", func() {
	var b string
	BeforeEach(func(ctx SpecContext) { b = bucket(ctx) })

	// queue makes a queue that a service may send to for a resource, any for "".
	queue := func(ctx SpecContext, service, source string) (url, arn string) {
		name := unique("told")
		made := must(root.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name}))
		arn = "arn:aws:sqs:" + region + ":" + account + ":" + name
		if service != "" {
			document := policy(`{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sqs:SendMessage","Resource":"` + arn +
				`","Condition":{"ArnLike":{"aws:SourceArn":"` + source + `"}}}`)
			must(root.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: made.QueueUrl, Attributes: map[string]string{string(sqstypes.QueueAttributeNamePolicy): document}}))
		}
		return *made.QueueUrl, arn
	}
	// next is the body of the next message of a queue.
	next := func(ctx SpecContext, url string) (body map[string]any) {
		got := must(root.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})).Messages
		Expect(got).To(HaveLen(1))
		must(root.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: got[0].ReceiptHandle}))
		Expect(json.Unmarshal([]byte(*got[0].Body), &body)).To(Succeed())
		return body
	}
	tell := func(ctx SpecContext, c types.NotificationConfiguration) error {
		_, err := root.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: &b, NotificationConfiguration: &c})
		return err
	}

	It("tell a queue of objects, if it may be told, and the event bus", func(ctx SpecContext) {
		_, closed := queue(ctx, "", "")
		events := []types.Event{"s3:ObjectCreated:*"}
		Expect(tell(ctx, types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{QueueArn: &closed, Events: events}}})).
			To(refuseWith("InvalidArgument", "Unable to validate the following destination configurations"))
		url, arn := queue(ctx, "s3.amazonaws.com", "arn:aws:s3:::"+b)
		rule := unique("rule")
		busURL, busARN := queue(ctx, "events.amazonaws.com", "arn:aws:events:"+region+":"+account+":rule/"+rule)
		must(root.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: &rule, EventPattern: aws.String(`{"source":["aws.s3"],"detail":{"bucket":{"name":["` + b + `"]}}}`)}))
		must(root.events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &rule, Targets: []bustypes.Target{{Id: aws.String("q"), Arn: &busARN}}}))
		Expect(tell(ctx, types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{QueueArn: &arn, Events: events}}, EventBridgeConfiguration: &types.EventBridgeConfiguration{}})).To(Succeed())
		Expect(next(ctx, url)).To(HaveKeyWithValue("Event", "s3:TestEvent"))
		Expect(put(ctx, root.s3, b, "a b.csv", "text")).To(Succeed())
		record := next(ctx, url)["Records"].([]any)[0].(map[string]any)
		Expect(record).To(HaveKeyWithValue("eventName", "ObjectCreated:Put"))
		Expect(record["s3"].(map[string]any)["object"]).To(And(HaveKeyWithValue("key", "a+b.csv"), HaveKeyWithValue("size", BeEquivalentTo(4))))
		Expect(next(ctx, busURL)).To(And(HaveKeyWithValue("detail-type", "Object Created"), HaveKeyWithValue("source", "aws.s3")))
	})

	It("keep the public out until the bucket lets it in", func(ctx SpecContext) {
		Expect(put(ctx, root.s3, b, "k", "text")).To(Succeed())
		fetch := func() int {
			answer := must(http.DefaultClient.Do(must(http.NewRequestWithContext(ctx, http.MethodGet, here.URL()+"/"+b+"/k", nil))))
			defer answer.Body.Close()
			must(io.Copy(io.Discard, answer.Body))
			return answer.StatusCode
		}
		public := &s3.PutBucketPolicyInput{Bucket: &b, Policy: aws.String(policy(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + b + `/*"}`))}
		_, err := root.s3.PutBucketPolicy(ctx, public)
		Expect(err).To(refuseWith("AccessDenied", "BlockPublicPolicy"))
		block := func(restrict bool) {
			must(root.s3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{RestrictPublicBuckets: &restrict}}))
		}
		block(false)
		must(root.s3.PutBucketPolicy(ctx, public))
		Expect(fetch()).To(Equal(http.StatusOK))
		block(true)
		Expect(fetch()).To(Equal(http.StatusForbidden))
		Expect(must(get(ctx, root.s3, object(b, "k")))).To(Equal("text"))
	})

	It("lock versions, which only who may bypass can delete", func(ctx SpecContext) {
		vault := unique("vault")
		must(root.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &vault, ObjectLockEnabledForBucket: aws.Bool(true)}))
		locked := must(root.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &vault, Key: aws.String("k"), Body: strings.NewReader("x"),
			ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour))}))
		in := &s3.DeleteObjectInput{Bucket: &vault, Key: aws.String("k"), VersionId: locked.VersionId}
		_, err := root.s3.DeleteObject(ctx, in)
		Expect(err).To(refuseWith("AccessDenied", "object lock"))
		in.BypassGovernanceRetention = aws.Bool(true)
		_, err = as(ctx, allow("*", "s3:DeleteObject*")).s3.DeleteObject(ctx, in)
		Expect(err).To(refuseWith("AccessDenied", "s3:BypassGovernanceRetention"))
		must(as(ctx, allow("*", "s3:DeleteObject*", "s3:BypassGovernanceRetention")).s3.DeleteObject(ctx, in))
	})
})
