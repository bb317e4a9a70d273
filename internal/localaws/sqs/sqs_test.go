package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/kms"
	"engage/internal/localaws/server"
	"engage/internal/localaws/sqs"
	"engage/internal/localaws/state"
)

// clock stands still until it is moved; waiting tells that somebody waits on it.
type clock struct {
	mu      sync.Mutex
	now     time.Time
	waiting chan time.Duration
	fire    chan time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) After(d time.Duration) (<-chan time.Time, func()) {
	c.waiting <- d
	return c.fire, func() {}
}

type world struct {
	*sdk.Client
	clock  *clock
	server *server.Server
}

func open(t *testing.T, dir string) (*world, func()) {
	t.Helper()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{clock: &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), waiting: make(chan time.Duration, 10), fire: make(chan time.Time, 10)}}
	w.server, err = server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kms.New(kms.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	svc := sqs.New(sqs.Config{Store: store, Clock: w.clock.Now, After: w.clock.After, Meter: w.server.Meter(),
		Keys: kms.Client{Invoker: w.server, Via: "sqs"}})
	w.server.Register(keys.API(), svc.API(), svc.QueryAPI())
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(w.server.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	return w, func() {
		if err := errors.Join(w.server.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	}
}

func boot(t *testing.T) *world {
	w, stop := open(t, t.TempDir())
	t.Cleanup(stop)
	return w
}

func (w *world) queue(t *testing.T, name string, attributes map[string]string) *string {
	t.Helper()
	out, err := w.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return out.QueueUrl
}

func (w *world) put(t *testing.T, url *string, body, group, dedup string) *sdk.SendMessageOutput {
	t.Helper()
	in := &sdk.SendMessageInput{QueueUrl: url, MessageBody: &body}
	if group != "" {
		in.MessageGroupId = &group
	}
	if dedup != "" {
		in.MessageDeduplicationId = &dedup
	}
	out, err := w.SendMessage(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) get(t *testing.T, url *string, most int32) []types.Message {
	t.Helper()
	out, err := w.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: most,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

func bodies(messages []types.Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, *m.Body)
	}
	return strings.Join(all, " ")
}

func (w *world) remove(t *testing.T, url *string, messages ...types.Message) {
	t.Helper()
	for _, m := range messages {
		if _, err := w.DeleteMessage(t.Context(), &sdk.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) attribute(t *testing.T, url *string, name string) string {
	t.Helper()
	out, err := w.GetQueueAttributes(t.Context(), &sdk.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes[name]
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestVisibilityAndDeletion(t *testing.T) {
	w := boot(t)
	url := w.queue(t, "q", map[string]string{"VisibilityTimeout": "10"})
	if _, err := w.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: url, MessageBody: aws.String("a"), MessageAttributes: map[string]types.MessageAttributeValue{
		"n": {DataType: aws.String("Number"), StringValue: aws.String("7")}, "b": {DataType: aws.String("Binary.x"), BinaryValue: []byte{1}}}}); err != nil {
		t.Fatal(err)
	}
	first := w.get(t, url, 10)
	if len(first) != 1 || *first[0].MessageAttributes["n"].StringValue != "7" || first[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("got %+v", first)
	}
	if again := w.get(t, url, 10); len(again) != 0 || w.attribute(t, url, "ApproximateNumberOfMessagesNotVisible") != "1" {
		t.Errorf("a message in flight was received: %v", again)
	}
	w.clock.move(11 * time.Second)
	second := w.get(t, url, 10)
	if len(second) != 1 || second[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("got %+v", second)
	}
	w.remove(t, url, first...) // an older receipt deletes nothing
	if w.attribute(t, url, "ApproximateNumberOfMessagesNotVisible") != "1" {
		t.Error("a stale receipt deleted the message")
	}
	if _, err := w.ChangeMessageVisibility(t.Context(), &sdk.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: second[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	third := w.get(t, url, 10)
	w.remove(t, url, third...)
	w.clock.move(time.Hour)
	if got := w.get(t, url, 10); len(third) != 1 || len(got) != 0 {
		t.Errorf("got %v and %v", third, got)
	}
}

func TestDelayAndRetention(t *testing.T) {
	w := boot(t)
	url := w.queue(t, "q", map[string]string{"DelaySeconds": "5", "MessageRetentionPeriod": "60"})
	w.put(t, url, "a", "", "")
	if got := w.get(t, url, 1); len(got) != 0 || w.attribute(t, url, "ApproximateNumberOfMessagesDelayed") != "1" {
		t.Errorf("a delayed message was received: %v", got)
	}
	w.clock.move(5 * time.Second)
	if w.attribute(t, url, "ApproximateNumberOfMessages") != "1" {
		t.Error("the message is not visible after its delay")
	}
	w.clock.move(time.Minute)
	if got := w.get(t, url, 1); len(got) != 0 {
		t.Errorf("a message outlived its retention: %v", got)
	}
}

func TestDeadLetters(t *testing.T) {
	w := boot(t)
	dead := w.queue(t, "dead", nil)
	policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"2"}`, w.attribute(t, dead, "QueueArn"))
	url := w.queue(t, "q", map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": policy})
	w.put(t, url, "poison", "", "")
	for range 2 {
		if got := w.get(t, url, 1); len(got) != 1 {
			t.Fatal("not received")
		}
	}
	if got := w.get(t, url, 1); len(got) != 0 {
		t.Errorf("received a third time: %v", got)
	}
	got := w.get(t, dead, 1)
	if bodies(got) != "poison" || got[0].Attributes["DeadLetterQueueSourceArn"] != w.attribute(t, url, "QueueArn") {
		t.Errorf("got %+v", got)
	}
	sources, err := w.ListDeadLetterSourceQueues(t.Context(), &sdk.ListDeadLetterSourceQueuesInput{QueueUrl: dead})
	if err != nil || len(sources.QueueUrls) != 1 {
		t.Errorf("got %v %v", sources, err)
	}
	_, err = w.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: aws.String("x"), Attributes: map[string]string{
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:none","maxReceiveCount":1}`}})
	wantCode(t, err, "InvalidParameterValue")
}

func TestFIFOKeepsTheOrderOfGroups(t *testing.T) {
	w := boot(t)
	url := w.queue(t, "q.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
	for _, m := range []string{"a1", "b1", "a2", "b2"} {
		w.put(t, url, m, m[:1], "")
	}
	if same := w.put(t, url, "a1", "a", ""); *same.MessageId == "" || w.attribute(t, url, "ApproximateNumberOfMessages") != "4" {
		t.Error("a duplicate was kept")
	}
	one := w.get(t, url, 1)
	two := w.get(t, url, 10)
	if bodies(one) != "a1" || bodies(two) != "b1 b2" {
		t.Errorf("got %q and %q", bodies(one), bodies(two))
	}
	w.remove(t, url, one...)
	if got := w.get(t, url, 10); bodies(got) != "a2" {
		t.Errorf("got %q", bodies(got))
	}
	w.clock.move(6 * time.Minute)
	w.put(t, url, "a1", "a", "")
	if w.attribute(t, url, "ApproximateNumberOfMessages") != "4" {
		t.Error("a message after the window counts as a duplicate")
	}
	_, err := w.DeleteMessage(t.Context(), &sdk.DeleteMessageInput{QueueUrl: url, ReceiptHandle: two[0].ReceiptHandle})
	wantCode(t, err, "InvalidParameterValue")
}

func TestLongPollWakes(t *testing.T) {
	w := boot(t)
	url := w.queue(t, "q", nil)
	poll := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() {
			out, err := w.ReceiveMessage(ctx, &sdk.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20})
			if err == nil && len(out.Messages) != 1 {
				err = fmt.Errorf("%d messages", len(out.Messages))
			}
			done <- err
		}()
		return done
	}
	done := poll(t.Context())
	if d := <-w.clock.waiting; d != 20*time.Second {
		t.Errorf("waits %v", d)
	}
	w.put(t, url, "a", "", "")
	if err := <-done; err != nil {
		t.Error(err)
	}
	done = poll(t.Context())
	if d := <-w.clock.waiting; d != 20*time.Second { // a is hidden for 30 s
		t.Errorf("waits %v", d)
	}
	w.clock.move(21 * time.Second)
	w.clock.fire <- w.clock.Now()
	if err := <-done; err == nil || err.Error() != "0 messages" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done = poll(ctx)
	if d := <-w.clock.waiting; d != 9*time.Second { // until a is visible again
		t.Errorf("waits %v", d)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBatchesAndErrors(t *testing.T) {
	w := boot(t)
	url := w.queue(t, "q", nil)
	out, err := w.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: aws.String("a")}, {Id: aws.String("2"), MessageBody: aws.String("\x01")}, {Id: aws.String("3"), MessageBody: aws.String("c")}}})
	if err != nil || len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Code != "InvalidMessageContents" {
		t.Fatalf("got %+v %v", out, err)
	}
	var gone []types.DeleteMessageBatchRequestEntry
	for i, m := range w.get(t, url, 10) {
		gone = append(gone, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
	}
	gone = append(gone, types.DeleteMessageBatchRequestEntry{Id: aws.String("bad"), ReceiptHandle: aws.String("bad")})
	removed, err := w.DeleteMessageBatch(t.Context(), &sdk.DeleteMessageBatchInput{QueueUrl: url, Entries: gone})
	if err != nil || len(removed.Successful) != 2 || len(removed.Failed) != 1 {
		t.Fatalf("got %+v %v", removed, err)
	}
	_, err = w.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{}})
	wantCode(t, err, "AWS.SimpleQueueService.EmptyBatchRequest")
	_, err = w.GetQueueUrl(t.Context(), &sdk.GetQueueUrlInput{QueueName: aws.String("none")})
	wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue")
	_, err = w.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"DelaySeconds": "9"}})
	wantCode(t, err, "QueueAlreadyExists")
	_, err = w.SetQueueAttributes(t.Context(), &sdk.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Colour": "red"}})
	wantCode(t, err, "InvalidAttributeName")
	_, err = w.TagQueue(t.Context(), &sdk.TagQueueInput{QueueUrl: url, Tags: map[string]string{"a": "b"}})
	tags, err2 := w.ListQueueTags(t.Context(), &sdk.ListQueueTagsInput{QueueUrl: url})
	if err != nil || err2 != nil || tags.Tags["a"] != "b" {
		t.Errorf("got %v %v %v", tags, err, err2)
	}
	if _, err := w.DeleteQueue(t.Context(), &sdk.DeleteQueueInput{QueueUrl: url}); err != nil {
		t.Error(err)
	}
	listed, err := w.ListQueues(t.Context(), &sdk.ListQueuesInput{})
	if err != nil || len(listed.QueueUrls) != 0 {
		t.Errorf("got %v %v", listed, err)
	}
}

func TestEncryptedMessagesSurviveTheProcess(t *testing.T) {
	dir := t.TempDir()
	w, stop := open(t, dir)
	url := w.queue(t, "q", map[string]string{"KmsMasterKeyId": "alias/aws/sqs"})
	w.put(t, url, "needle", "", "")
	stop()
	w, stop = open(t, dir)
	defer stop()
	listed, err := w.ListQueues(t.Context(), &sdk.ListQueuesInput{QueueNamePrefix: aws.String("q")})
	if err != nil || len(listed.QueueUrls) != 1 {
		t.Fatalf("got %v %v", listed, err)
	}
	if got := w.get(t, &listed.QueueUrls[0], 1); bodies(got) != "needle" {
		t.Errorf("got %q", bodies(got))
	}
	if used := w.server.Usage().Read(server.Query{Service: "sqs", Resource: "q"}); len(used) != 1 || used[0].Amount != 2 {
		t.Errorf("got %v", used)
	}
}
