package sns_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

func TestFIFOTopicsOrderAndDeduplicate(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	made, err := w.CreateTopic(ctx, &sdk.CreateTopicInput{Name: aws.String("t.fifo"), Attributes: map[string]string{"FifoTopic": "true", "ContentBasedDeduplication": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.server.Invoke(ctx, caller(), "sqs", "CreateQueue", map[string]any{"QueueName": "q.fifo", "Attributes": map[string]string{"FifoQueue": "true"}}); err != nil {
		t.Fatal(err)
	}
	queue := aws.String("arn:aws:sqs:eu-west-1:" + account + ":q.fifo")
	if _, err := w.Subscribe(ctx, &sdk.SubscribeInput{TopicArn: w.topic, Protocol: aws.String("sqs"), Endpoint: queue}); !refused(err, "InvalidParameter", "FIFO SQS Queues can not be subscribed to standard SNS topics") {
		t.Errorf("a FIFO queue at a standard topic: %v", err)
	}
	if _, err := w.Subscribe(ctx, &sdk.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: queue}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Publish(ctx, &sdk.PublishInput{TopicArn: made.TopicArn, Message: aws.String("m")})
	if !refused(err, "InvalidParameter", "The MessageGroupId parameter is required for FIFO topics") {
		t.Errorf("without a group: %v", err)
	}
	var sequences []string
	for _, text := range []string{"one", "two", "one"} {
		out, err := w.Publish(ctx, &sdk.PublishInput{TopicArn: made.TopicArn, Message: &text, MessageGroupId: aws.String("g")})
		if err != nil {
			t.Fatal(err)
		}
		sequences = append(sequences, *out.SequenceNumber)
	}
	if sequences[0] != sequences[2] || sequences[0] >= sequences[1] || len(sequences[0]) != 20 {
		t.Errorf("numbered %v", sequences)
	}
	got := w.bodies(t, "q.fifo")
	if len(got) != 2 || !strings.Contains(got[0], `"SequenceNumber":"`+sequences[0]+`"`) || strings.Contains(got[0], "Signature") {
		t.Errorf("the queue got %q", got)
	}
}

// What a topic sends verifies with the certificate that it names.
func TestMessagesAreSigned(t *testing.T) {
	w := boot(t)
	w.queue(t, "q", nil)
	if _, err := w.Publish(t.Context(), &sdk.PublishInput{TopicArn: w.topic, Message: aws.String("m"), Subject: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal([]byte(w.bodies(t, "q")[0]), &m); err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(m["SigningCertURL"], "http://"), "/")
	answer, err := http.Get(w.server.URL() + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s is no certificate: %s", m["SigningCertURL"], text)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signed := ""
	for _, name := range []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"} {
		signed += name + "\n" + m[name] + "\n"
	}
	signature, err := base64.StdEncoding.DecodeString(m["Signature"])
	sum := sha1.Sum([]byte(signed))
	if err != nil || rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), crypto.SHA1, sum[:], signature) != nil {
		t.Errorf("the signature does not fit %q", signed)
	}
}

func TestPermissionsAreStatements(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	add := &sdk.AddPermissionInput{TopicArn: w.topic, Label: aws.String("l"), AWSAccountId: []string{"111111111111"}, ActionName: []string{"Publish"}}
	if _, err := w.AddPermission(ctx, add); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddPermission(ctx, add); !refused(err, "InvalidParameter", "Statement already exists") {
		t.Errorf("added twice: %v", err)
	}
	policy := func() string {
		out, err := w.GetTopicAttributes(ctx, &sdk.GetTopicAttributesInput{TopicArn: w.topic})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes["Policy"]
	}
	if got := policy(); !strings.Contains(got, `"Action":"SNS:Publish"`) || !strings.Contains(got, "arn:aws:iam::111111111111:root") || !strings.Contains(got, "__default_statement_ID") {
		t.Errorf("the policy is %s", got)
	}
	if _, err := w.RemovePermission(ctx, &sdk.RemovePermissionInput{TopicArn: w.topic, Label: aws.String("l")}); err != nil || strings.Contains(policy(), "111111111111") {
		t.Errorf("removed: %v, the policy is %s", err, policy())
	}
}

func TestBadMessagesAreRefused(t *testing.T) {
	w := boot(t)
	for name, tc := range map[string]struct {
		code, message string
		change        func(*sdk.PublishInput)
	}{
		"no ARN":       {"InvalidParameter", "An ARN must have at least 6 elements, not 2", func(in *sdk.PublishInput) { in.TopicArn = aws.String("a:b") }},
		"subject":      {"InvalidParameter", "Invalid parameter: Subject", func(in *sdk.PublishInput) { in.Subject = aws.String("") }},
		"long":         {"InvalidParameter", "Message too long", func(in *sdk.PublishInput) { in.Message = aws.String(strings.Repeat("x", 256<<10+1)) }},
		"deduplicated": {"InvalidParameter", "not valid for this topic type", func(in *sdk.PublishInput) { in.MessageDeduplicationId = aws.String("d") }},
		"empty attribute": {"ParameterValueInvalid", "must contain non-empty message attribute value for message attribute type 'String'.", func(in *sdk.PublishInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String")}}
		}},
		"attribute's field": {"ParameterValueInvalid", "The message attribute 'a' with type 'Binary' must use field 'Binary'.", func(in *sdk.PublishInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{"a": text("Binary", "x")}
		}},
		"attribute's name": {"ParameterValueInvalid", "Invalid non-alphanumeric character '#x5E'", func(in *sdk.PublishInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{"a^b": text("String", "x")}
		}},
		"phone": {"NotImplemented", "PhoneNumber", func(in *sdk.PublishInput) { in.TopicArn, in.PhoneNumber = nil, aws.String("+15550100") }},
	} {
		in := &sdk.PublishInput{TopicArn: w.topic, Message: aws.String("m")}
		tc.change(in)
		if _, err := w.Publish(t.Context(), in); !refused(err, tc.code, tc.message) {
			t.Errorf("%s: got %v, want %s: %s", name, err, tc.code, tc.message)
		}
	}
	_, err := w.ConfirmSubscription(t.Context(), &sdk.ConfirmSubscriptionInput{TopicArn: w.topic, Token: aws.String("x")})
	if !refused(err, "InvalidParameter", "Invalid token") {
		t.Errorf("confirmed: %v", err)
	}
}
