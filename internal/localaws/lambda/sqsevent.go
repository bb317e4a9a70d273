package lambda

import (
	"encoding/json"
	"strings"

	"engage/internal/localaws/eventpattern"
)

// message is what SQS gives of a message.
type message struct {
	MessageId              string
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	MD5OfMessageAttributes string
	Attributes             map[string]string
	MessageAttributes      map[string]struct {
		DataType    string
		StringValue *string
		BinaryValue []byte
	}
}

// sqsRecord is a message as functions get it.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
type sqsRecord struct {
	MessageID              string                  `json:"messageId"`
	ReceiptHandle          string                  `json:"receiptHandle"`
	Body                   string                  `json:"body"`
	Attributes             map[string]string       `json:"attributes"`
	MessageAttributes      map[string]sqsAttribute `json:"messageAttributes"`
	MD5OfMessageAttributes string                  `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody              string                  `json:"md5OfBody"`
	EventSource            string                  `json:"eventSource"`
	EventSourceARN         string                  `json:"eventSourceARN"`
	AWSRegion              string                  `json:"awsRegion"`
}

type sqsAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues []string `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func (m message) record(arn string) sqsRecord {
	r := sqsRecord{
		MessageID: m.MessageId, ReceiptHandle: m.ReceiptHandle, Body: m.Body, Attributes: m.Attributes,
		MessageAttributes: map[string]sqsAttribute{}, MD5OfBody: m.MD5OfBody, MD5OfMessageAttributes: m.MD5OfMessageAttributes,
		EventSource: "aws:sqs", EventSourceARN: arn, AWSRegion: strings.SplitN(arn, ":", 6)[3],
	}
	for name, a := range m.MessageAttributes {
		r.MessageAttributes[name] = sqsAttribute{a.StringValue, a.BinaryValue, []string{}, []string{}, a.DataType}
	}
	return r
}

// sift tells messages that one of the filters matches from the others, which
// AWS deletes. A body that is JSON is matched by its members.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
func sift(messages []message, filters []*eventpattern.Pattern) (wanted, unwanted []message) {
	if len(filters) == 0 {
		return messages, nil
	}
	for _, m := range messages {
		if m.matches(filters) {
			wanted = append(wanted, m)
		} else {
			unwanted = append(unwanted, m)
		}
	}
	return wanted, unwanted
}

func (m message) matches(filters []*eventpattern.Pattern) bool {
	record := struct {
		sqsRecord
		Body any `json:"body"`
	}{m.record("::::::"), m.Body}
	if json.Valid([]byte(m.Body)) {
		record.Body = json.RawMessage(m.Body)
	}
	text := []byte(marshal(record))
	for _, f := range filters {
		if f.MatchJSON(text) {
			return true
		}
	}
	return false
}

// part is as much of a batch as one invocation takes.
type part struct {
	messages []message
	payload  []byte
}

// split makes the events of a batch, each within the limit of a payload.
func split(messages []message, arn string) []part {
	var parts []part
	var records []json.RawMessage
	var held []message
	size := 0
	cut := func() {
		if len(held) > 0 {
			parts = append(parts, part{held, []byte(marshal(map[string]any{"Records": records}))})
		}
		records, held, size = nil, nil, 0
	}
	for _, m := range messages {
		record := marshal(m.record(arn))
		if size += len(record) + 1; size > MaxRequest-100 {
			cut()
			size = len(record) + 1
		}
		records, held = append(records, json.RawMessage(record)), append(held, m)
	}
	cut()
	return parts
}

// succeeded returns the messages that an answer does not name as failed. All
// have failed when it names one that was not there, or cannot be read.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func succeeded(messages []message, payload []byte) []message {
	var answer struct {
		Failures []struct {
			ID *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		return nil
	}
	known, failed := map[string]bool{}, map[string]bool{}
	for _, m := range messages {
		known[m.MessageId] = true
	}
	for _, f := range answer.Failures {
		if f.ID == nil || !known[*f.ID] {
			return nil
		}
		failed[*f.ID] = true
	}
	var done []message
	for _, m := range messages {
		if !failed[m.MessageId] {
			done = append(done, m)
		}
	}
	return done
}
