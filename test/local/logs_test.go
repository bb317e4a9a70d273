package local_test

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("CloudWatch Logs", func() {
	var group, stream *string
	BeforeEach(func(ctx SpecContext) {
		group, stream = aws.String("/"+unique("group")), aws.String("stream")
		must(root.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group, Tags: map[string]string{"k": "v"}}))
		must(root.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}))
	})
	put := func(ctx SpecContext, c *sdk, messages ...string) error {
		var events []types.InputLogEvent
		now := time.Now().UnixMilli()
		for i, m := range messages {
			events = append(events, types.InputLogEvent{Message: &m, Timestamp: aws.Int64(now + int64(i))})
		}
		_, err := c.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
		return err
	}

	It("gives events back in order and in pages", func(ctx SpecContext) {
		for i := range 5 {
			Expect(put(ctx, root, fmt.Sprint("event ", 2*i), fmt.Sprint("event ", 2*i+1))).To(Succeed())
		}
		var got []string
		in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: group, LogStreamName: stream, Limit: aws.Int32(3), StartFromHead: aws.Bool(true)}
		for {
			page := must(root.logs.GetLogEvents(ctx, in))
			for _, e := range page.Events {
				got = append(got, *e.Message)
			}
			if in.NextToken != nil && *page.NextForwardToken == *in.NextToken {
				break
			}
			in.NextToken = page.NextForwardToken
		}
		Expect(got).To(HaveLen(10))
		Expect(got[0]).To(Equal("event 0"))
		Expect(got[9]).To(Equal("event 9"))
	})

	It("finds structured events by a pattern", func(ctx SpecContext) {
		Expect(put(ctx, root, `{"level":"info","ms":5}`, `{"level":"error","ms":50,"run":"r1"}`, `plain text`)).To(Succeed())
		find := func(pattern string) (found []string) {
			for _, e := range must(root.logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, FilterPattern: &pattern})).Events {
				found = append(found, *e.Message)
			}
			return found
		}
		Expect(find(`{ $.level = "error" && $.ms > 10 }`)).To(Equal([]string{`{"level":"error","ms":50,"run":"r1"}`}))
		Expect(find("plain")).To(Equal([]string{"plain text"}))
		Expect(find("")).To(HaveLen(3))
	})

	It("keeps retention, lists, and deletes", func(ctx SpecContext) {
		must(root.logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(7)}))
		groups := must(root.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: group})).LogGroups
		Expect(groups).To(HaveLen(1))
		Expect(*groups[0].RetentionInDays).To(BeEquivalentTo(7))
		Expect(must(root.logs.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group})).LogStreams).To(HaveLen(1))
		must(root.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group}))
		Expect(put(ctx, root, "late")).To(refuseWith("ResourceNotFoundException", "group"))
	})

	It("is denied by name", func(ctx SpecContext) {
		reader := as(ctx, allow("*", "logs:GetLogEvents"))
		Expect(put(ctx, reader, "x")).To(refuseWith("AccessDeniedException", "logs:PutLogEvents", "log-group:"+*group+":log-stream:stream"))
		Expect(lastDenied(ctx).DeniedAction).To(Equal("logs:PutLogEvents"))
	})
})
