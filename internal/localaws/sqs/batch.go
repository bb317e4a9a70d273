package sqs

import (
	"context"
	"regexp"

	"engage/internal/localaws/wire"
)

const maxBatch = 10

type failure struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

func failed(id string, err error) failure {
	e := wire.AsError(err)
	code := e.QueryCode
	if code == "" {
		code = e.Code
	}
	return failure{id, e.Fault == wire.Sender, code, e.Message}
}

var idPattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

func checkBatch(ids []string) error {
	if len(ids) == 0 {
		return simple("EmptyBatchRequest", "There should be at least one entry in the request.")
	}
	if len(ids) > maxBatch {
		return simple("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(ids))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !idPattern.MatchString(id) {
			return simple("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[id] {
			return simple("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	return nil
}

type idOnly struct {
	ID string `json:"Id"`
}

type batchOutput struct {
	Successful []idOnly
	Failed     []failure
}

// batchDeleted and batchChanged are the answers as the query protocol spells them.
type batchDeleted struct {
	Successful []idOnly  `xml:"DeleteMessageBatchResultEntry" list:"flat"`
	Failed     []failure `xml:"BatchResultErrorEntry" list:"flat"`
}

type batchChanged struct {
	Successful []idOnly  `xml:"ChangeMessageVisibilityBatchResultEntry" list:"flat"`
	Failed     []failure `xml:"BatchResultErrorEntry" list:"flat"`
}

// each runs f for every entry and sorts the outcomes.
func each(ids []string, f func(i int) error) (*batchOutput, error) {
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	out := &batchOutput{Successful: []idOnly{}, Failed: []failure{}}
	for i, id := range ids {
		if err := f(i); err != nil {
			out.Failed = append(out.Failed, failed(id, err))
		} else {
			out.Successful = append(out.Successful, idOnly{id})
		}
	}
	return out, nil
}

type deleteBatchInput struct {
	QueueURL string `json:"QueueUrl" required:"true"`
	Entries  []struct {
		ID            string `json:"Id"`
		ReceiptHandle string
	} `xml:"DeleteMessageBatchRequestEntry" list:"flat"`
}

func (s *Service) deleteBatch(ctx context.Context, call *wire.Call, in *deleteBatchInput) (*batchOutput, error) {
	q, err := s.find(call, in.QueueURL)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.ID
	}
	s.count(ctx, call, q, 0)
	return each(ids, func(i int) error { return s.deleteOne(q, in.Entries[i].ReceiptHandle) })
}

type visibilityBatchInput struct {
	QueueURL string `json:"QueueUrl" required:"true"`
	Entries  []struct {
		ID                string `json:"Id"`
		ReceiptHandle     string
		VisibilityTimeout int
	} `xml:"ChangeMessageVisibilityBatchRequestEntry" list:"flat"`
}

func (s *Service) changeBatch(ctx context.Context, call *wire.Call, in *visibilityBatchInput) (*batchOutput, error) {
	q, err := s.find(call, in.QueueURL)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.ID
	}
	s.count(ctx, call, q, 0)
	return each(ids, func(i int) error {
		return s.showAgain(q, in.Entries[i].ReceiptHandle, in.Entries[i].VisibilityTimeout)
	})
}
