package local_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// queue makes a queue and returns its URL and ARN.
func queue(ctx context.Context, attributes map[string]string) (url, arn string) {
	GinkgoHelper()
	url = *must(root.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(unique("queue")), Attributes: attributes})).QueueUrl
	got := must(root.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}}))
	return url, got.Attributes["QueueArn"]
}

// receive takes the messages that are there, waiting a second for the first.
func receive(ctx context.Context, url string) []types.Message {
	GinkgoHelper()
	return must(root.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}})).Messages
}

var _ = Describe("SQS", func() {
	It("hides a message while it is worked on, and gives it again when that fails", func(ctx SpecContext) {
		url, _ := queue(ctx, map[string]string{"VisibilityTimeout": "600"})
		sent := must(root.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("work"),
			MessageAttributes: map[string]types.MessageAttributeValue{"n": {DataType: aws.String("Number"), StringValue: aws.String("1")}}}))
		first := receive(ctx, url)
		Expect(first).To(HaveLen(1))
		Expect(*first[0].MessageId).To(Equal(*sent.MessageId))
		Expect(must(root.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url})).Messages).To(BeEmpty())
		must(root.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: first[0].ReceiptHandle, VisibilityTimeout: 0}))
		again := receive(ctx, url)
		Expect(again).To(HaveLen(1))
		Expect(again[0].Attributes).To(HaveKeyWithValue("ApproximateReceiveCount", "2"))
		must(root.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: again[0].ReceiptHandle}))
		count := must(root.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})).Attributes
		Expect(count).To(HaveKeyWithValue("ApproximateNumberOfMessages", "0"))
		Expect(count).To(HaveKeyWithValue("ApproximateNumberOfMessagesNotVisible", "0"))
	})

	It("moves what fails too often to the dead-letter queue", func(ctx SpecContext) {
		dead, arn := queue(ctx, nil)
		url, _ := queue(ctx, map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"2"}`, arn)})
		must(root.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("poison")}))
		for range 2 {
			Expect(receive(ctx, url)).To(HaveLen(1))
		}
		Expect(must(root.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url})).Messages).To(BeEmpty())
		moved := receive(ctx, dead)
		Expect(moved).To(HaveLen(1))
		Expect(*moved[0].Body).To(Equal("poison"))
	})

	It("sends and deletes in batches, keeps order and drops doubles in FIFO queues", func(ctx SpecContext) {
		name := aws.String(unique("queue") + ".fifo")
		url := must(root.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name, Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}})).QueueUrl
		var batch []types.SendMessageBatchRequestEntry
		for _, body := range []string{"a", "b", "a", "c"} {
			batch = append(batch, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(len(batch))), MessageBody: aws.String(body), MessageGroupId: aws.String("g")})
		}
		Expect(must(root.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: batch})).Successful).To(HaveLen(4))
		var bodies []string
		for _, m := range receive(ctx, *url) {
			bodies = append(bodies, *m.Body)
		}
		Expect(bodies).To(Equal([]string{"a", "b", "c"}))
	})

	It("lists, tags and deletes queues, and is denied by name", func(ctx SpecContext) {
		url, arn := queue(ctx, nil)
		must(root.sqs.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"k": "v"}}))
		Expect(must(root.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})).Tags).To(HaveKeyWithValue("k", "v"))
		_, err := as(ctx, allow("*", "sqs:ReceiveMessage")).sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
		Expect(err).To(refuseWith("AccessDenied", "sqs:SendMessage on resource: "+arn))
		Expect(must(root.sqs.ListQueues(ctx, &sqs.ListQueuesInput{})).QueueUrls).To(ContainElement(url))
		must(root.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url}))
		_, err = root.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
		Expect(err).To(refuseWith("AWS.SimpleQueueService.NonExistentQueue"))
	})
})
