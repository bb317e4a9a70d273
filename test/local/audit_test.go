package local_test

import (
	"compress/gzip"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("CloudTrail", func() {
	It("writes every call to the trail's bucket, the denied ones too", func(ctx SpecContext) {
		b, name := bucket(ctx), aws.String(unique("trail"))
		must(root.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &b, Policy: aws.String(policy(
			`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::`+b+`"}`,
			`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::`+b+`/AWSLogs/*"}`))}))
		must(root.cloudtrail.CreateTrail(ctx, &cloudtrail.CreateTrailInput{Name: name, S3BucketName: &b, EnableLogFileValidation: aws.Bool(true)}))
		must(root.cloudtrail.StartLogging(ctx, &cloudtrail.StartLoggingInput{Name: name}))
		allowed, refused := aws.String(unique("seen")), aws.String(unique("refused"))
		must(root.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: allowed}))
		_, err := as(ctx, allow("*", "s3:*")).sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: refused})
		Expect(err).To(HaveOccurred())
		must(root.cloudtrail.StopLogging(ctx, &cloudtrail.StopLoggingInput{Name: name}))
		Eventually(ctx, func() string {
			var all strings.Builder
			list := must(root.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b, Prefix: aws.String("AWSLogs/" + account + "/CloudTrail/")}))
			for _, o := range list.Contents {
				packed := must(root.s3.GetObject(ctx, object(b, *o.Key))).Body
				must(io.Copy(&all, must(gzip.NewReader(packed))))
				Expect(packed.Close()).To(Succeed())
			}
			return all.String()
		}).Should(And(ContainSubstring(`"eventName":"CreateQueue"`), ContainSubstring(*allowed), ContainSubstring(*refused), ContainSubstring(`"errorCode":"AccessDenied`)))
		must(root.cloudtrail.DeleteTrail(ctx, &cloudtrail.DeleteTrailInput{Name: name}))
	})
})
