package sqs

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// handle names a receipt: queue, message and which receipt of it.
func handle(q queue, m message) string {
	return base64.StdEncoding.EncodeToString([]byte(q.ID + "/" + strconv.FormatUint(m.Seq, 10) + "/" + m.Receipt))
}

func splitHandle(q queue, text string) (seq uint64, receipt string, err error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	parts := strings.Split(string(raw), "/")
	if err != nil || len(parts) != 3 || parts[0] != q.ID {
		return 0, "", errHandle(text)
	}
	if seq, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return 0, "", errHandle(text)
	}
	return seq, parts[2], nil
}

type deleteInput struct {
	QueueURL      string `json:"QueueUrl" required:"true"`
	ReceiptHandle string `required:"true"`
}

func (s *Service) deleteMessage(ctx context.Context, call *wire.Call, in *deleteInput) (*wire.Empty, error) {
	q, err := s.find(call, in.QueueURL)
	if err != nil {
		return nil, err
	}
	s.count(ctx, call, q, 0)
	return &wire.Empty{}, s.deleteOne(q, in.ReceiptHandle)
}

// deleteOne deletes the message of a receipt. A message that is gone is no
// error; an older receipt than the last deletes nothing, as on AWS.
func (s *Service) deleteOne(q queue, text string) error {
	seq, receipt, err := splitHandle(q, text)
	if err != nil {
		return err
	}
	err = s.cfg.Store.Batch(func(tx state.Tx) error {
		m, err := messages.Get(tx, q.at(seq))
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		stale := m.Receipt != receipt
		if q.fifo() && (stale || m.Visible <= s.now()) {
			return errParameter("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", text)
		}
		if stale {
			return nil
		}
		return q.remove(tx, m)
	})
	if err == nil && q.fifo() {
		s.news.tell(q.ID) // the next of its group may go
	}
	return err
}

type visibilityInput struct {
	QueueURL          string `json:"QueueUrl" required:"true"`
	ReceiptHandle     string `required:"true"`
	VisibilityTimeout *int   `required:"true"`
}

func (s *Service) changeVisibility(ctx context.Context, call *wire.Call, in *visibilityInput) (*wire.Empty, error) {
	q, err := s.find(call, in.QueueURL)
	if err != nil {
		return nil, err
	}
	s.count(ctx, call, q, 0)
	return &wire.Empty{}, s.showAgain(q, in.ReceiptHandle, *in.VisibilityTimeout)
}

// showAgain makes a message in flight visible after so many seconds from now.
func (s *Service) showAgain(q queue, text string, seconds int) error {
	if seconds < 0 || seconds > 43200 {
		return errParameter("Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.", seconds)
	}
	seq, receipt, err := splitHandle(q, text)
	if err != nil {
		return err
	}
	err = s.cfg.Store.Batch(func(tx state.Tx) error {
		m, err := messages.Get(tx, q.at(seq))
		if errors.Is(err, state.ErrNotFound) || err == nil && m.Receipt != receipt {
			return errParameter("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", text)
		}
		if err != nil {
			return err
		}
		if m.Visible <= s.now() {
			return simple("MessageNotInflight", "The message is not in flight.")
		}
		return q.show(tx, m, s.now()+int64(seconds)*1000)
	})
	if err == nil {
		s.news.tell(q.ID)
	}
	return err
}
