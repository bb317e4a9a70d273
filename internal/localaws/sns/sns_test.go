package sns_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/server"
	"engage/internal/localaws/sns"
	"engage/internal/localaws/sqs"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// recorder delivers for real, remembers, and refuses what it is told to.
type recorder struct {
	target.Invoked
	mu     sync.Mutex
	seen   []target.Message
	refuse string
}

func (r *recorder) Deliver(ctx context.Context, m target.Message) error {
	r.mu.Lock()
	r.seen = append(r.seen, m)
	r.mu.Unlock()
	if strings.Contains(m.ARN, "lambda") && r.refuse == "" {
		return nil
	}
	if m.ARN == r.refuse {
		return wire.AccessDenied("no")
	}
	return r.Invoked.Deliver(ctx, m)
}

type world struct {
	*sdk.Client
	server  *server.Server
	targets *recorder
	topic   *string
}

const account = "000000000000"

func boot(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{}
	if w.server, err = server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir}); err != nil {
		t.Fatal(err)
	}
	w.targets = &recorder{Invoked: target.Invoked{Invoker: w.server}}
	w.server.Register(sqs.New(sqs.Config{Store: store}).API(), sns.New(sns.Config{Store: store, Targets: w.targets}).API())
	if err := w.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.server.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	w.Client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(w.server.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	out, err := w.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: aws.String("news"), Attributes: map[string]string{"DisplayName": "N"},
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	if err != nil {
		t.Fatal(err)
	}
	w.topic = out.TopicArn
	return w
}

func caller() wire.Caller { return wire.Root(account, "eu-west-1") }

// queue makes a queue and subscribes it.
func (w *world) queue(t *testing.T, name string, options map[string]string) string {
	t.Helper()
	if _, err := w.server.Invoke(t.Context(), caller(), "sqs", "CreateQueue", map[string]any{"QueueName": name}); err != nil {
		t.Fatal(err)
	}
	arn := "arn:aws:sqs:eu-west-1:" + account + ":" + name
	out, err := w.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: w.topic, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: options})
	if err != nil {
		t.Fatal(err)
	}
	return *out.SubscriptionArn
}

// bodies empties a queue.
func (w *world) bodies(t *testing.T, name string) []string {
	t.Helper()
	out, err := w.server.Invoke(t.Context(), caller(), "sqs", "ReceiveMessage", map[string]any{"QueueUrl": "/" + account + "/" + name, "MaxNumberOfMessages": 10})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Messages []struct{ Body string } }
	raw, _ := json.Marshal(out)
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range answer.Messages {
		all = append(all, m.Body)
	}
	return all
}

func text(kind, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, StringValue: &value}
}

func TestPublishReachesQueues(t *testing.T) {
	w := boot(t)
	w.queue(t, "plain", nil)
	w.queue(t, "raw", map[string]string{"RawMessageDelivery": "true"})
	w.queue(t, "attributes", map[string]string{"RawMessageDelivery": "true", "FilterPolicy": `{"kind":["order",{"prefix":"inv"}],"price":[{"numeric":[">",10]}],"absent":[{"exists":false}],"tags":["x"]}`})
	w.queue(t, "body", map[string]string{"RawMessageDelivery": "true", "FilterPolicy": `{"detail":{"ok":[true]}}`, "FilterPolicyScope": "MessageBody"})
	for _, price := range []string{"12.5", "7"} {
		_, err := w.Publish(t.Context(), &sdk.PublishInput{TopicArn: w.topic, Subject: aws.String("s"), Message: aws.String(`{"detail":{"ok":` + fmt.Sprint(price == "7") + `}}`),
			MessageAttributes: map[string]types.MessageAttributeValue{"kind": text("String", "invoice"), "price": text("Number", price), "tags": text("String.Array", `["x","y"]`)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	plain := w.bodies(t, "plain")
	if len(plain) != 2 || !strings.Contains(plain[0], `"Type":"Notification"`) || !strings.Contains(plain[0], `"price":{"Type":"Number","Value":"12.5"}`) {
		t.Errorf("got %q", plain)
	}
	for name, want := range map[string]string{"raw": `["{\"detail\":{\"ok\":false}}" "{\"detail\":{\"ok\":true}}"]`,
		"attributes": `["{\"detail\":{\"ok\":false}}"]`, "body": `["{\"detail\":{\"ok\":true}}"]`} {
		if got := fmt.Sprintf("%q", w.bodies(t, name)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if m := w.targets.seen[0]; m.Caller.Service != "sns.amazonaws.com" || m.Caller.ARN != *w.topic {
		t.Errorf("delivered as %+v", m.Caller)
	}
}

func TestFunctionsAndDeadLetters(t *testing.T) {
	w := boot(t)
	w.queue(t, "dead", map[string]string{"FilterPolicy": `{"never":["x"]}`})
	function := "arn:aws:lambda:eu-west-1:000000000000:function:f"
	out, err := w.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: w.topic, Protocol: aws.String("lambda"), Endpoint: &function})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.SetSubscriptionAttributes(t.Context(), &sdk.SetSubscriptionAttributesInput{SubscriptionArn: out.SubscriptionArn, AttributeName: aws.String("RedrivePolicy"),
		AttributeValue: aws.String(`{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead"}`)}); err != nil {
		t.Fatal(err)
	}
	batch := func(body string) (*sdk.PublishBatchOutput, error) {
		return w.PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: w.topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{Id: aws.String("1"), Message: &body, MessageStructure: aws.String("json")}}})
	}
	if _, err := batch(`{"lambda":"l"}`); !refused(err, "InvalidParameter", "No default entry in JSON message body") {
		t.Errorf("got %v", err)
	}
	if got, err := batch(`{"default":"d","lambda":"l"}`); err != nil || len(got.Successful) != 1 || len(got.Failed) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if m := w.targets.seen[0]; m.ARN != function || !strings.Contains(m.Body, `"EventSource":"aws:sns"`) || !strings.Contains(m.Body, `"Message":"l"`) {
		t.Errorf("got %+v", m)
	}
	w.targets.refuse = function
	if _, err := batch(`{"default":"d","lambda":"l"}`); err != nil {
		t.Error(err)
	}
	if got := w.bodies(t, "dead"); len(got) != 1 || !strings.HasPrefix(got[0], `{"Type":"Notification"`) {
		t.Errorf("got %q", got)
	}
}

func refused(err error, code, message string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code && strings.Contains(api.ErrorMessage(), message)
}

func TestManagement(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	sub := w.queue(t, "q", nil)
	if again := w.queue(t, "q", nil); again != sub {
		t.Errorf("subscribed twice: %s and %s", sub, again)
	}
	got, err := w.GetTopicAttributes(ctx, &sdk.GetTopicAttributesInput{TopicArn: w.topic})
	if err != nil || got.Attributes["SubscriptionsConfirmed"] != "1" || got.Attributes["DisplayName"] != "N" {
		t.Errorf("got %v %v", got, err)
	}
	tags, err := w.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: w.topic})
	if err != nil || len(tags.Tags) != 1 {
		t.Errorf("got %v %v", tags, err)
	}
	listed, err := w.ListSubscriptionsByTopic(ctx, &sdk.ListSubscriptionsByTopicInput{TopicArn: w.topic})
	if err != nil || len(listed.Subscriptions) != 1 || *listed.Subscriptions[0].SubscriptionArn != sub {
		t.Errorf("got %v %v", listed, err)
	}
	for code, call := range map[string]func() error{
		"NotImplemented": func() error {
			_, err := w.Subscribe(ctx, &sdk.SubscribeInput{TopicArn: w.topic, Protocol: aws.String("email"), Endpoint: aws.String("a@b.example")})
			return err
		},
		"NotFound": func() error {
			_, err := w.Publish(ctx, &sdk.PublishInput{TopicArn: aws.String(*w.topic + "x"), Message: aws.String("m")})
			return err
		},
		"InvalidParameter": func() error {
			_, err := w.SetSubscriptionAttributes(ctx, &sdk.SetSubscriptionAttributesInput{SubscriptionArn: &sub, AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String(`{"a":[{"like":"x"}]}`)})
			return err
		},
	} {
		var api smithy.APIError
		if err := call(); !errors.As(err, &api) || api.ErrorCode() != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	if _, err := w.Unsubscribe(ctx, &sdk.UnsubscribeInput{SubscriptionArn: &sub}); err != nil {
		t.Error(err)
	}
	if _, err := w.DeleteTopic(ctx, &sdk.DeleteTopicInput{TopicArn: w.topic}); err != nil {
		t.Error(err)
	}
	if out, err := w.ListTopics(ctx, &sdk.ListTopicsInput{}); err != nil || len(out.Topics) != 0 {
		t.Errorf("got %v %v", out, err)
	}
}
