package local_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// fence are statements that deny what is not encrypted on its way, or comes
// from another machine.
func fence(resources, action string) string {
	deny := func(condition string) string {
		return fmt.Sprintf(`{"Effect":"Deny","Principal":"*","Action":%q,"Resource":[%s],"Condition":{%s}}`, action, resources, condition)
	}
	return deny(`"Bool":{"aws:SecureTransport":"false"}`) + "," + deny(`"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}`)
}

// serviceMay is a statement that lets a service act for this account alone.
func serviceMay(service, action, resource, source string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Principal":{"Service":%q},"Action":%q,"Resource":%q,"Condition":{"StringEquals":{"aws:SourceAccount":%q},"ArnLike":{"aws:SourceArn":%q}}}`,
		service, action, resource, account, source)
}

var _ = Describe("The access log of a bucket", func() {
	It("goes where its target lets S3 put it, and is complete when the endpoint stops", func(ctx SpecContext) {
		dir := tempDir()
		one := open(dir)
		c := newSDK(one.config("test", "test", ""))
		watched, target := aws.String("watched"), aws.String("access-logs")
		for _, b := range []*string{watched, target} {
			must(c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b}))
		}
		log := func() error {
			_, err := c.s3.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: watched, BucketLoggingStatus: &types.BucketLoggingStatus{
				LoggingEnabled: &types.LoggingEnabled{TargetBucket: target, TargetPrefix: aws.String("s3/watched/")}}})
			return err
		}
		let := func(source string) {
			arn := "arn:aws:s3:::access-logs"
			must(c.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: target, Policy: aws.String(policy(
				serviceMay("logging.s3.amazonaws.com", "s3:PutObject", arn+"/s3/*", source), fence(`"`+arn+`","`+arn+`/*"`, "s3:*")))}))
		}
		Expect(log()).To(refuseWith("InvalidTargetBucketForLogging", "permissions to the logging service"))
		let("arn:aws:s3:::another")
		Expect(log()).To(refuseWith("InvalidTargetBucketForLogging"))
		let("arn:aws:s3:::watched")
		Expect(log()).To(Succeed())
		Expect(put(ctx, c.s3, "watched", "k", "text")).To(Succeed())
		_, err := get(ctx, newSDK(one.config("AKIANOBODYHASTHISKEY", "x", "")).s3, object("watched", "secret"))
		Expect(err).To(HaveOccurred())
		Expect(one.Close(ctx)).To(Succeed())

		two := open(dir)
		DeferCleanup(two.Close)
		c = newSDK(two.config("test", "test", ""))
		objects := must(c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: target, Prefix: aws.String("s3/watched/")})).Contents
		Expect(objects).To(HaveLen(1))
		lines := strings.Split(must(get(ctx, c.s3, object("access-logs", *objects[0].Key))), "\n")
		Expect(lines).To(ContainElements(
			MatchRegexp(` watched \[.* \+0000\] 127.0.0.1 \w{64} \S+ REST.PUT.OBJECT k "PUT /watched/k\S* HTTP/1.1" 200 - - 4 `),
			MatchRegexp(` 127.0.0.1 - \S+ REST.GET.OBJECT secret .* 403 InvalidAccessKeyId `)))
		refused := must(c.s3.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: watched})).LoggingEnabled
		Expect(*refused.TargetPrefix).To(Equal("s3/watched/"))
	})
})

var _ = Describe("A policy that lets in this machine alone", func() {
	It("lets in callers and services alike", func(ctx SpecContext) {
		b := bucket(ctx)
		arn := "arn:aws:s3:::" + b
		must(root.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: aws.String(policy(fence(`"`+arn+`","`+arn+`/*"`, "s3:*")))}))
		Expect(put(ctx, root.s3, b, "k", "text")).To(Succeed())
		Expect(must(get(ctx, as(ctx, allow(arn+"/*", "s3:GetObject")).s3, object(b, "k")))).To(Equal("text"))

		By("a topic that S3 publishes to, and a queue that the topic sends to")
		url, queueARN := queue(ctx, nil)
		topic := must(root.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(unique("topic"))})).TopicArn
		set := func(document string) {
			must(root.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": document}}))
		}
		set(policy(serviceMay("sns.amazonaws.com", "sqs:SendMessage", queueARN, *topic), fence(`"`+queueARN+`"`, "sqs:SendMessage")))
		must(root.sns.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: topic, AttributeName: aws.String("Policy"),
			AttributeValue: aws.String(policy(serviceMay("s3.amazonaws.com", "sns:Publish", *topic, arn), fence(`"`+*topic+`"`, "sns:Publish")))}))
		must(root.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: &queueARN, Attributes: map[string]string{"RawMessageDelivery": "true"}}))
		must(root.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: &b, NotificationConfiguration: &types.NotificationConfiguration{
			TopicConfigurations: []types.TopicConfiguration{{TopicArn: topic, Events: []types.Event{"s3:ObjectCreated:*"}}}}}))
		Expect(*receive(ctx, url)[0].Body).To(ContainSubstring("s3:TestEvent"))

		By("a caller of the queue")
		must(root.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")}))
		set(policy(strings.ReplaceAll(fence(`"`+queueARN+`"`, "sqs:SendMessage"), "127.0.0.0/8", "10.0.0.0/8")))
		_, err := root.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
		Expect(err).To(refuseWith("AccessDenied", "sqs:SendMessage"))
	})
})

var _ = Describe("A page of another origin", func() {
	const page = "Origin: https://app.example"
	It("may do what the rules of a bucket let it, and nothing else", func(ctx SpecContext) {
		b := bucket(ctx)
		must(root.s3.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: &b, CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{
			{AllowedOrigins: []string{"https://app.example"}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"*"}}}}}))
		signed := must(s3.NewPresignClient(root.s3).PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("k")}))
		path := strings.TrimPrefix(signed.URL, here.URL())
		ask := raw(ctx, http.MethodOptions, path, "", page, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: content-type")
		Expect(ask.status).To(Equal(http.StatusOK), ask.body)
		Expect(ask.header.Get("Access-Control-Allow-Headers")).To(Equal("content-type"))
		done := raw(ctx, http.MethodPut, path, "text", page, "Sec-Fetch-Site: cross-site")
		Expect(done.status).To(Equal(http.StatusOK), done.body)
		Expect(done.header.Get("Access-Control-Allow-Origin")).To(Equal("https://app.example"))
		Expect(must(get(ctx, root.s3, object(b, "k")))).To(Equal("text"))
		Expect(raw(ctx, http.MethodDelete, "/"+b+"/k", "", page, "Sec-Fetch-Site: cross-site").status).To(Equal(http.StatusForbidden))
		other := raw(ctx, http.MethodOptions, "/", "", page, "Access-Control-Request-Method: POST")
		Expect(other.status).To(BeNumerically(">=", 400))
		Expect(other.header).NotTo(HaveKey("Access-Control-Allow-Origin"))
	})
})
