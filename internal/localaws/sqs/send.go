package sqs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// entry is what a message is sent with, alone or in a batch.
type entry struct {
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]attribute `xml:"MessageAttribute" list:"flat" key:"Name" value:"Value"`
	MessageSystemAttributes map[string]attribute `xml:"MessageSystemAttribute" list:"flat" key:"Name" value:"Value"`
	MessageDeduplicationID  string               `json:"MessageDeduplicationId" max:"128"`
	MessageGroupID          string               `json:"MessageGroupId" max:"128"`
}

type sendInput struct {
	QueueURL string `json:"QueueUrl" required:"true"`
	entry
}

type sendOutput struct {
	MessageID              string `json:"MessageId"`
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
	MD5OfSystemAttributes  string `json:"MD5OfMessageSystemAttributes,omitempty"`
	SequenceNumber         string `json:",omitempty"`
}

// duplicateWindow is how long a FIFO queue remembers a deduplication id.
const duplicateWindow = 5 * time.Minute

func (s *Service) send(ctx context.Context, call *wire.Call, in *sendInput) (*sendOutput, error) {
	q, err := s.find(call, in.QueueURL)
	if err != nil {
		return nil, err
	}
	d, err := s.prepare(ctx, call, q, in.entry)
	if err != nil {
		return nil, err
	}
	if err := s.store(q, []*draft{d}); err != nil {
		return nil, err
	}
	s.count(ctx, call, q, d.size)
	return d.output(q), nil
}

// draft is a message that is checked and encrypted, but not yet in its queue.
type draft struct {
	message
	content []byte
	size    int
	dedup   string // key of the deduplication, "" for none
	in      entry
}

func (d *draft) output(q queue) *sendOutput {
	out := &sendOutput{MessageID: d.ID, MD5OfMessageBody: digestText(d.in.MessageBody),
		MD5OfMessageAttributes: digestAttributes(d.in.MessageAttributes), MD5OfSystemAttributes: digestAttributes(d.in.MessageSystemAttributes)}
	if q.fifo() {
		out.SequenceNumber = sequence(d.Seq)
	}
	return out
}

// sequence is a number of 20 digits, as FIFO queues give out.
func sequence(n uint64) string { return fmt.Sprintf("%020d", n) }

func (s *Service) prepare(ctx context.Context, call *wire.Call, q queue, in entry) (*draft, error) {
	p := payload{in.MessageBody, in.MessageAttributes}
	if err := in.check(q, p); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	d := &draft{in: in, size: p.size()}
	d.message = message{ID: id, Sender: sender(call.Caller), Sent: s.now(), Group: in.MessageGroupID, Dedup: in.MessageDeduplicationID}
	delay := q.millis("DelaySeconds")
	if in.DelaySeconds != nil {
		delay = int64(*in.DelaySeconds) * 1000
	}
	d.Visible, d.Delayed = d.Sent+delay, delay > 0
	if trace, ok := in.MessageSystemAttributes["AWSTraceHeader"]; ok && trace.StringValue != nil {
		d.Trace = *trace.StringValue
	}
	if err := d.deduplicate(q); err != nil {
		return nil, err
	}
	return d, s.seal(ctx, call.Caller, q, d, p)
}

func sender(c wire.Caller) string {
	if c.UserID != "" {
		return c.UserID
	}
	return c.Account
}

func (in entry) check(q queue, p payload) error {
	if in.MessageBody == "" {
		return errMissing("The request must contain the parameter MessageBody.")
	}
	if !utf8.ValidString(in.MessageBody) || hasControl(in.MessageBody) {
		return coded("InvalidMessageContents", "InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	}
	if limit := q.number("MaximumMessageSize"); p.size() > limit {
		return errParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	}
	if d := in.DelaySeconds; d != nil && (*d < 0 || *d > 900) {
		return errParameter("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *d)
	}
	if d := in.DelaySeconds; d != nil && *d != 0 && q.fifo() {
		return errParameter("Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", *d)
	}
	for name := range in.MessageSystemAttributes {
		if name != "AWSTraceHeader" {
			return errParameter("Message system attribute name '%s' is invalid.", name)
		}
	}
	return checkAttributes(in.MessageAttributes)
}

func hasControl(s string) bool {
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return true
		}
	}
	return false
}

// deduplicate finds what makes the message of a FIFO queue a duplicate.
func (d *draft) deduplicate(q queue) error {
	if !q.fifo() {
		if d.Dedup != "" {
			return errParameter("The request include parameter MessageDeduplicationId that is not valid for this queue type.")
		}
		return nil
	}
	if d.Group == "" {
		return errMissing("The request must contain the parameter MessageGroupId.")
	}
	if d.Dedup == "" {
		if q.get("ContentBasedDeduplication") != "true" {
			return errParameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
		}
		sum := sha256.Sum256([]byte(d.in.MessageBody))
		d.Dedup = hex.EncodeToString(sum[:])
	}
	scope := ""
	if q.get("DeduplicationScope") == "messageGroup" {
		scope = d.Group
	}
	d.dedup = state.Key(q.ID, scope, d.Dedup)
	return nil
}

// seal makes the stored content, encrypted when the queue has a key.
func (s *Service) seal(ctx context.Context, caller wire.Caller, q queue, d *draft, p payload) (err error) {
	if d.content, err = json.Marshal(p); err != nil {
		return err
	}
	keyID := q.Attributes["KmsMasterKeyId"]
	if keyID == "" {
		return nil
	}
	d.Sealed = map[string]string{"aws:sqs:arn": q.arn()}
	d.content, _, err = s.cfg.Keys.Seal(ctx, caller, keyID, d.content, d.Sealed)
	return err
}

// store appends messages to a queue, all or none, and wakes who waits for them.
func (s *Service) store(q queue, drafts []*draft) error {
	err := s.cfg.Store.Batch(func(tx state.Tx) error {
		if have, err := queues.Get(tx, q.key()); err != nil || have.ID != q.ID {
			return errNoQueue()
		}
		for _, d := range drafts {
			if err := s.append(tx, q, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.news.tell(q.ID)
	}
	return err
}

func (s *Service) append(tx state.Tx, q queue, d *draft) (err error) {
	if d.dedup != "" {
		old, err := duplicates.Get(tx, d.dedup)
		if err == nil && d.Sent-old.At < duplicateWindow.Milliseconds() {
			d.ID, d.Seq = old.ID, old.Seq
			return nil
		}
	}
	if d.Seq, err = messages.NextSequence(tx); err != nil {
		return err
	}
	if d.dedup != "" {
		if err := s.remember(tx, q, d); err != nil {
			return err
		}
	}
	if err := payloads.Put(tx, q.at(d.Seq), d.content); err != nil {
		return err
	}
	return q.put(tx, d.message)
}

// sweepEvery is how many messages pass between two clean-ups of the
// deduplication ids of a queue.
const sweepEvery = 1000

func (s *Service) remember(tx state.Tx, q queue, d *draft) error {
	if d.Seq%sweepEvery == 0 {
		all, err := duplicates.List(tx, state.Prefix(q.ID), "", 0)
		for _, e := range all {
			if d.Sent-e.Value.At >= duplicateWindow.Milliseconds() {
				err = errors.Join(err, duplicates.Delete(tx, e.Key))
			}
		}
		if err != nil {
			return err
		}
	}
	return duplicates.Put(tx, d.dedup, duplicate{d.ID, d.Seq, d.Sent})
}

type sendBatchEntry struct {
	ID string `json:"Id"`
	entry
}

type sendBatchInput struct {
	QueueURL string           `json:"QueueUrl" required:"true"`
	Entries  []sendBatchEntry `xml:"SendMessageBatchRequestEntry" list:"flat"`
}

type sendBatchOutput struct {
	Successful []sendBatchResult `xml:"SendMessageBatchResultEntry" list:"flat"`
	Failed     []failure         `xml:"BatchResultErrorEntry" list:"flat"`
}

type sendBatchResult struct {
	ID string `json:"Id"`
	sendOutput
}

func (s *Service) sendBatch(ctx context.Context, call *wire.Call, in *sendBatchInput) (*sendBatchOutput, error) {
	q, err := s.find(call, in.QueueURL)
	if err != nil {
		return nil, err
	}
	ids, size := make([]string, len(in.Entries)), 0
	for i, e := range in.Entries {
		ids[i] = e.ID
		size += payload{e.MessageBody, e.MessageAttributes}.size()
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	if size > maxMessageSize {
		return nil, simple("BatchRequestTooLong", "Batch requests cannot be longer than %s bytes. You have sent %d bytes.", strconv.Itoa(maxMessageSize), size)
	}
	out := &sendBatchOutput{Successful: []sendBatchResult{}, Failed: []failure{}}
	var drafts []*draft
	var sent []string
	for _, e := range in.Entries {
		d, err := s.prepare(ctx, call, q, e.entry)
		if err != nil {
			out.Failed = append(out.Failed, failed(e.ID, err))
			continue
		}
		drafts, sent = append(drafts, d), append(sent, e.ID)
	}
	if err := s.store(q, drafts); err != nil {
		return nil, err
	}
	s.count(ctx, call, q, size)
	for i, d := range drafts {
		out.Successful = append(out.Successful, sendBatchResult{sent[i], *d.output(q)})
	}
	return out, nil
}
