package sns

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// notification is a message on its way.
type notification struct {
	topic      topic
	id         string
	subject    string
	bodies     map[string]string // by protocol
	attributes map[string]target.Attribute
	at         time.Time
	endpoint   string
	signer     *signer // nil for FIFO topics, which do not sign

	group, dedup, sequence string // of FIFO topics
}

// body is the message for the subscription's protocol.
func (n notification) body(sub subscription) string {
	if b, ok := n.bodies[sub.Protocol]; ok {
		return b
	}
	return n.bodies["default"]
}

type renderedAttribute struct{ Type, Value string }

// envelope is what a queue gets.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type envelope struct {
	Type              string
	MessageID         string `json:"MessageId"`
	SequenceNumber    string `json:",omitempty"`
	TopicArn          string
	Subject           string `json:",omitempty"`
	Message           string
	Timestamp         string
	SignatureVersion  string `json:",omitempty"`
	Signature         string `json:",omitempty"`
	SigningCertURL    string `json:",omitempty"`
	UnsubscribeURL    string
	MessageAttributes map[string]renderedAttribute `json:",omitempty"`
}

// lambdaEvent is what a function gets.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
type lambdaEvent struct{ Records []lambdaRecord }

type lambdaRecord struct {
	EventSource          string
	EventVersion         string
	EventSubscriptionArn string
	Sns                  lambdaEnvelope
}

type lambdaEnvelope struct {
	Type              string
	MessageID         string `json:"MessageId"`
	TopicArn          string
	Subject           *string
	Message           string
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string `json:"SigningCertUrl"`
	UnsubscribeURL    string `json:"UnsubscribeUrl"`
	MessageAttributes map[string]renderedAttribute
}

// render makes what an endpoint of a protocol gets of the message: that of the
// subscription, or a queue for its dead letters.
func (n notification) render(sub subscription, protocol string) (string, error) {
	if sub.raw() {
		return n.body(sub), nil
	}
	e, err := n.envelope(sub)
	if err != nil {
		return "", err
	}
	if protocol == "sqs" {
		return encode(e)
	}
	in := lambdaEnvelope{Type: e.Type, MessageID: e.MessageID, TopicArn: e.TopicArn, Message: e.Message, Timestamp: e.Timestamp,
		SignatureVersion: e.SignatureVersion, Signature: e.Signature, SigningCertURL: e.SigningCertURL,
		UnsubscribeURL: e.UnsubscribeURL, MessageAttributes: e.MessageAttributes}
	if n.subject != "" {
		in.Subject = &n.subject
	}
	return encode(lambdaEvent{[]lambdaRecord{{"aws:sns", "1.0", sub.arn(), in}}})
}

func (n notification) envelope(sub subscription) (e envelope, err error) {
	rendered := map[string]renderedAttribute{}
	for name, a := range n.attributes {
		value := base64.StdEncoding.EncodeToString(a.BinaryValue)
		if a.StringValue != nil {
			value = *a.StringValue
		}
		rendered[name] = renderedAttribute{a.DataType, value}
	}
	e = envelope{Type: "Notification", MessageID: n.id, SequenceNumber: n.sequence, TopicArn: n.topic.arn(), Subject: n.subject, Message: n.body(sub),
		Timestamp: wire.TimeOf(n.at).ISO(), UnsubscribeURL: n.endpoint + "/?Action=Unsubscribe&SubscriptionArn=" + sub.arn(), MessageAttributes: rendered}
	if n.signer == nil {
		return e, nil
	}
	e.SignatureVersion = "1"
	if n.topic.Attributes["SignatureVersion"] == "2" {
		e.SignatureVersion = "2"
	}
	e.SigningCertURL = n.endpoint + n.signer.path
	e.Signature, err = n.signer.sign(e.SignatureVersion, "Message", e.Message, "MessageId", e.MessageID, "Subject", e.Subject,
		"Timestamp", e.Timestamp, "TopicArn", e.TopicArn, "Type", e.Type)
	return e, err
}

func encode(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}
