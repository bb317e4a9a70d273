package sns

import (
	"encoding/base64"
	"encoding/json"
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
	TopicArn          string
	Subject           string `json:",omitempty"`
	Message           string
	Timestamp         string
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
	UnsubscribeURL    string `json:"UnsubscribeUrl"`
	MessageAttributes map[string]renderedAttribute
}

func (n notification) render(sub subscription) (string, error) {
	if sub.raw() {
		return n.body(sub), nil
	}
	rendered := map[string]renderedAttribute{}
	for name, a := range n.attributes {
		value := base64.StdEncoding.EncodeToString(a.BinaryValue)
		if a.StringValue != nil {
			value = *a.StringValue
		}
		rendered[name] = renderedAttribute{a.DataType, value}
	}
	e := envelope{"Notification", n.id, n.topic.arn(), n.subject, n.body(sub), wire.TimeOf(n.at).ISO(),
		n.endpoint + "/?Action=Unsubscribe&SubscriptionArn=" + sub.arn(), rendered}
	if sub.Protocol == "sqs" {
		return encode(e)
	}
	in := lambdaEnvelope{Type: e.Type, MessageID: e.MessageID, TopicArn: e.TopicArn, Message: e.Message, Timestamp: e.Timestamp,
		UnsubscribeURL: e.UnsubscribeURL, MessageAttributes: rendered}
	if n.subject != "" {
		in.Subject = &n.subject
	}
	return encode(lambdaEvent{[]lambdaRecord{{"aws:sns", "1.0", sub.arn(), in}}})
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
