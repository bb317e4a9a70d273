package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type receiveInput struct {
	QueueURL                    string `json:"QueueUrl" required:"true"`
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	AttributeNames              []string `xml:"AttributeName" list:"flat"`
	MessageSystemAttributeNames []string `xml:"MessageSystemAttributeName" list:"flat"`
	MessageAttributeNames       []string `xml:"MessageAttributeName" list:"flat"`
}

type received struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             map[string]string    `json:",omitempty" xml:"Attribute" list:"flat" key:"Name" value:"Value"`
	MessageAttributes      map[string]attribute `json:",omitempty" xml:"MessageAttribute" list:"flat" key:"Name" value:"Value"`
	MD5OfMessageAttributes string               `json:",omitempty"`
}

type receiveOutput struct {
	Messages []received `json:",omitempty" xml:"Message" list:"flat"`
}

// plan is how much to receive, for how long to hide it and to wait for it.
type plan struct {
	most       int
	hide, wait int64 // ms
}

func (in *receiveInput) plan(q queue) (plan, error) {
	p := plan{1, q.millis("VisibilityTimeout"), q.millis("ReceiveMessageWaitTimeSeconds")}
	for _, option := range []struct {
		name     string
		given    *int
		low, top int
		set      func(int)
	}{
		{"MaxNumberOfMessages", in.MaxNumberOfMessages, 1, maxBatch, func(n int) { p.most = n }},
		{"VisibilityTimeout", in.VisibilityTimeout, 0, 43200, func(n int) { p.hide = int64(n) * 1000 }},
		{"WaitTimeSeconds", in.WaitTimeSeconds, 0, 20, func(n int) { p.wait = int64(n) * 1000 }},
	} {
		if option.given == nil {
			continue
		}
		if n := *option.given; n < option.low || n > option.top {
			return p, errParameter("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", n, option.name, option.low, option.top)
		}
		option.set(*option.given)
	}
	return p, nil
}

func (s *Service) receive(ctx context.Context, call *wire.Call, in *receiveInput) (*receiveOutput, error) {
	q, err := s.find(call, in.QueueURL)
	if err != nil {
		return nil, err
	}
	p, err := in.plan(q)
	if err != nil {
		return nil, err
	}
	taken, err := s.await(ctx, q, p)
	if err != nil {
		return nil, err
	}
	out, size := &receiveOutput{}, 0
	for _, t := range taken {
		content, err := s.open(ctx, call.Caller, t)
		if err != nil {
			return nil, err
		}
		size += content.size()
		out.Messages = append(out.Messages, in.render(q, t.message, content))
	}
	s.count(ctx, call, q, size)
	return out, nil
}

// await takes messages, and waits for them up to the plan's time: until
// something changes in the queue or the next hidden message becomes visible.
func (s *Service) await(ctx context.Context, q queue, p plan) ([]taken, error) {
	deadline := s.now() + p.wait
	for {
		news := s.news.wait(q.ID)
		got, next, err := s.take(q, p)
		now := s.now()
		if err != nil || len(got) > 0 || now >= deadline {
			return got, err
		}
		until := deadline
		if next > 0 {
			until = min(until, next)
		}
		timer, stop := s.cfg.After(time.Duration(max(until-now, 1)) * time.Millisecond)
		select {
		case <-ctx.Done():
			stop()
			return nil, ctx.Err()
		case <-news:
		case <-timer:
		}
		stop()
	}
}

type taken struct {
	message
	content []byte
}

// choice is what a receipt would do.
type choice struct {
	take, dead, expired []message
}

func (c choice) empty() bool { return len(c.take)+len(c.dead)+len(c.expired) == 0 }

// take receives what is visible. When that is nothing it returns the time at
// which something will be, 0 when nothing is hidden either.
func (s *Service) take(q queue, p plan) (got []taken, next int64, err error) {
	nothing := false
	err = s.cfg.Store.View(func(tx state.Tx) error {
		c, err := s.choose(tx, q, p.most)
		nothing = c.empty()
		if nothing {
			next = s.nextDue(tx, q)
		}
		return err
	})
	if err != nil || nothing {
		return nil, next, err
	}
	moved := ""
	err = s.cfg.Store.Batch(func(tx state.Tx) error {
		got = nil
		current, err := queues.Get(tx, q.key())
		if err != nil || current.ID != q.ID {
			return errNoQueue()
		}
		c, err := s.choose(tx, current, p.most)
		if err != nil {
			return err
		}
		if moved, err = s.discard(tx, current, c); err != nil {
			return err
		}
		got, err = s.hide(tx, current, c.take, p.hide)
		return err
	})
	if moved != "" {
		s.news.tell(moved)
	}
	if err == nil && len(got) == 0 { // all that was there has been discarded, or taken by others
		return s.take(q, p)
	}
	return got, 0, err
}

func (s *Service) nextDue(tx state.Tx, q queue) int64 {
	from := state.Key(q.ID, state.Ordinal(uint64(s.now()+1)))
	for raw := range dues.ScanFrom(tx, state.Prefix(q.ID), from, "") {
		n, _ := strconv.ParseInt(state.Parts(raw.Key())[1], 16, 64)
		return n
	}
	return 0
}

// choose finds up to most messages, and those in their way that are too old
// or were received too often.
func (s *Service) choose(tx state.Tx, q queue, most int) (choice, error) {
	now := s.now()
	_, limit, redriven := q.redrive()
	var c choice
	sift := func(m message) bool {
		switch {
		case m.Sent+q.millis("MessageRetentionPeriod") <= now:
			c.expired = append(c.expired, m)
		case redriven && m.Receives >= limit:
			c.dead = append(c.dead, m)
		default:
			c.take = append(c.take, m)
		}
		return len(c.take) < most
	}
	if q.fifo() {
		return c, inGroups(tx, q, now, sift)
	}
	edge := state.Key(q.ID, state.Ordinal(uint64(now)), "g")
	for raw := range dues.Scan(tx, state.Prefix(q.ID), "") {
		if raw.Key() > edge {
			break
		}
		m, err := messages.Get(tx, state.Key(q.ID, state.Parts(raw.Key())[2]))
		if err != nil {
			return c, fmt.Errorf("read message: %w", err)
		}
		if !sift(m) {
			break
		}
	}
	return c, nil
}

// inGroups visits the visible messages of a FIFO queue in order, without
// those of groups that have a message in flight before them.
func inGroups(tx state.Tx, q queue, now int64, visit func(message) bool) error {
	blocked := map[string]bool{}
	for raw := range messages.Scan(tx, state.Prefix(q.ID), "") {
		m, err := raw.Value()
		if err != nil {
			return err
		}
		if m.Visible > now {
			blocked[m.Group] = true
		}
		if !blocked[m.Group] && !visit(m) {
			break
		}
	}
	return nil
}

// discard removes the messages that are too old, and moves those that were
// received too often to the dead-letter queue, whose id it returns.
func (s *Service) discard(tx state.Tx, q queue, c choice) (moved string, err error) {
	for _, m := range c.expired {
		if err := q.remove(tx, m); err != nil {
			return "", err
		}
	}
	if len(c.dead) == 0 {
		return "", nil
	}
	target, _, _ := q.redrive()
	dead, err := byARN(tx, target)
	if err != nil {
		return "", fmt.Errorf("move to the dead-letter queue %s: %w", target, err)
	}
	for _, m := range c.dead {
		if err := s.move(tx, q, dead, m); err != nil {
			return "", err
		}
	}
	return dead.ID, nil
}

func (s *Service) move(tx state.Tx, from, to queue, m message) error {
	content, err := payloads.Get(tx, from.at(m.Seq))
	if err != nil {
		return err
	}
	if err := from.remove(tx, m); err != nil {
		return err
	}
	if m.Seq, err = messages.NextSequence(tx); err != nil {
		return err
	}
	m.Source, m.Visible, m.Receipt, m.Delayed = from.arn(), s.now(), "", false
	if to.fifo() {
		m.Sent = s.now() // FIFO queues count the retention anew
	}
	m.Receives, m.First = 0, 0
	if err := payloads.Put(tx, to.at(m.Seq), content); err != nil {
		return err
	}
	return to.put(tx, m)
}

// hide notes a receipt of each message and makes it invisible for a time.
func (s *Service) hide(tx state.Tx, q queue, chosen []message, hide int64) ([]taken, error) {
	now := s.now()
	var got []taken
	for _, m := range chosen {
		nonce, err := s.newID()
		if err != nil {
			return nil, err
		}
		if err := dues.Delete(tx, q.dueKey(m)); err != nil {
			return nil, err
		}
		m.Receives, m.Receipt, m.Delayed, m.Visible = m.Receives+1, nonce, false, now+hide
		if m.First == 0 {
			m.First = now
		}
		content, err := payloads.Get(tx, q.at(m.Seq))
		if err != nil {
			return nil, fmt.Errorf("read payload: %w", err)
		}
		if err := q.put(tx, m); err != nil {
			return nil, err
		}
		got = append(got, taken{m, content})
	}
	return got, nil
}

func (s *Service) open(ctx context.Context, caller wire.Caller, t taken) (payload, error) {
	var p payload
	content := t.content
	if t.Sealed != nil {
		if s.cfg.Keys == nil {
			return p, fmt.Errorf("sqs: message %s is encrypted and there is no KMS", t.ID)
		}
		var err error
		if content, err = s.cfg.Keys.Open(ctx, caller, content, t.Sealed); err != nil {
			return p, err
		}
	}
	return p, json.Unmarshal(content, &p)
}

func (in *receiveInput) render(q queue, m message, p payload) received {
	out := received{MessageID: m.ID, ReceiptHandle: handle(q, m), Body: p.Body, MD5OfBody: digestText(p.Body)}
	wanted := append(in.AttributeNames, in.MessageSystemAttributeNames...)
	for name, value := range m.system(q) {
		if value != "" && (contains(wanted, "All") || contains(wanted, name)) {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	for name, a := range p.Attributes {
		if in.wants(name) {
			if out.MessageAttributes == nil {
				out.MessageAttributes = map[string]attribute{}
			}
			out.MessageAttributes[name] = a
		}
	}
	out.MD5OfMessageAttributes = digestAttributes(out.MessageAttributes)
	return out
}

func (in *receiveInput) wants(name string) bool {
	for _, pattern := range in.MessageAttributeNames {
		prefix, ok := strings.CutSuffix(pattern, ".*")
		if pattern == "All" || pattern == name || ok && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (m message) system(q queue) map[string]string {
	all := map[string]string{
		"SenderId": m.Sender, "SentTimestamp": strconv.FormatInt(m.Sent, 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.First, 10),
		"AWSTraceHeader":                   m.Trace, "DeadLetterQueueSourceArn": m.Source, "MessageGroupId": m.Group,
	}
	if q.fifo() {
		all["SequenceNumber"], all["MessageDeduplicationId"] = sequence(m.Seq), m.Dedup
	}
	return all
}
