package sns

import (
	"context"
	"fmt"

	"engage/internal/localaws/wire"
)

type batchEntry struct {
	ID                     string `xml:"Id"`
	Message                string
	Subject                *string
	MessageStructure       string
	MessageAttributes      map[string]messageAttribute `key:"Name" value:"Value"`
	MessageGroupID         string                      `xml:"MessageGroupId" max:"128"`
	MessageDeduplicationID string                      `xml:"MessageDeduplicationId" max:"128"`
}

type batchInput struct {
	TopicArn                   string       `required:"true"`
	PublishBatchRequestEntries []batchEntry `required:"true"`
}

type published struct {
	ID             string `xml:"Id"`
	MessageID      string `xml:"MessageId"`
	SequenceNumber string `xml:",omitempty"`
}

type refused struct {
	ID          string `xml:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

type batchOutput struct {
	Successful []published
	Failed     []refused
}

// publishBatch fails as a whole when an entry is not well formed, as recorded
// on AWS; what fails later fails alone.
func (s *Service) publishBatch(ctx context.Context, call *wire.Call, in *batchInput) (*batchOutput, error) {
	t, err := s.find(in.TopicArn)
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	entries, ready, err := s.prepare(t, in.PublishBatchRequestEntries)
	if err != nil {
		return nil, err
	}
	out := &batchOutput{Successful: []published{}, Failed: []refused{}}
	for i, each := range in.PublishBatchRequestEntries {
		sent, err := s.send(ctx, call, ready[i], entries[i])
		if err != nil {
			w := wire.AsError(err)
			out.Failed = append(out.Failed, refused{each.ID, w.Code, w.Message, w.Fault == wire.Sender})
			continue
		}
		out.Successful = append(out.Successful, published{each.ID, sent.MessageID, sent.SequenceNumber})
	}
	return out, nil
}

func (s *Service) prepare(t topic, list []batchEntry) (entries []entry, ready []notification, err error) {
	for i, b := range list {
		attributes, err := attributesOf(fmt.Sprintf("publishBatchRequestEntries.%d.member.messageAttributes", i+1), b.MessageAttributes)
		if err != nil {
			return nil, nil, err
		}
		e := entry{b.Message, b.Subject, b.MessageStructure, attributes, b.MessageGroupID, b.MessageDeduplicationID}
		n, err := s.notification(t, &e)
		if err != nil {
			return nil, nil, err
		}
		entries, ready = append(entries, e), append(ready, n)
	}
	return entries, ready, nil
}

func checkBatch(entries []batchEntry) error {
	if len(entries) == 0 {
		return wire.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	}
	if len(entries) > 10 {
		return wire.Errorf("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	}
	seen, total := map[string]bool{}, 0
	for _, e := range entries {
		if seen[e.ID] || e.ID == "" {
			return wire.Errorf("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[e.ID] = true
		total += len(e.Message) + size(e.MessageAttributes)
	}
	if total > maxMessage {
		return wire.Errorf("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
	}
	return nil
}
