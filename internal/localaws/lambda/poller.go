package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"engage/internal/localaws/eventpattern"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// pollers are those of the mappings that are enabled.
type pollers struct {
	mu      sync.Mutex
	cancels map[string]context.CancelFunc // by the mapping's key
}

// defaultPollers is how many batches of a queue are at work at once where the
// mapping does not say: AWS begins with five.
const defaultPollers = 5

// set starts, restarts or ends the poller of a mapping, as it is enabled or not.
func (p *pollers) set(s *Service, m mapping) {
	p.end(m.key())
	if !m.Enabled || !s.begin() {
		return
	}
	defer s.runs.Done()
	ctx, cancel := context.WithCancel(s.ctx)
	p.mu.Lock()
	if p.cancels == nil {
		p.cancels = map[string]context.CancelFunc{}
	}
	p.cancels[m.key()] = cancel
	p.mu.Unlock()
	s.tasks.Go(func() { s.poll(ctx, m) })
}

// end lets a poller end: batches that are at work are finished.
func (p *pollers) end(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if cancel := p.cancels[key]; cancel != nil {
		cancel()
		delete(p.cancels, key)
	}
}

// resumePollers starts those of an earlier process.
func (s *Service) resumePollers() error {
	var all []mapping
	err := s.cfg.Store.View(func(tx state.Tx) error {
		found, err := mappings.List(tx, "", "", 0)
		for _, e := range found {
			all = append(all, e.Value)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read event source mappings: %w", err)
	}
	for _, m := range all {
		s.pollers.set(s, m)
	}
	return nil
}

// queue is a queue as a function's role sees it.
type queue struct {
	service *Service
	session Session
	role    string
	url     string
}

// queueOf returns a function's queue, with the session of before while it is good.
func (s *Service) queueOf(ctx context.Context, f *function, arn string, before queue) (queue, error) {
	const longest = 16 * time.Minute // of a function, and what is to do after it
	fresh := before.session.Expires.IsZero() || s.cfg.Clock.Now().Add(longest).Before(before.session.Expires)
	if before.role == *f.Settings.Role && fresh {
		return before, nil
	}
	parts := strings.SplitN(arn, ":", 6)
	session, err := s.cfg.Credentials.Assume(ctx, *f.Settings.Role, f.Name, wire.Caller{Account: f.Account, Region: f.Region})
	if err != nil {
		return queue{}, fmt.Errorf("assume role of function %s: %w", f.Name, err)
	}
	session.Caller.Region = parts[3]
	return queue{s, session, *f.Settings.Role, "https://sqs." + parts[3] + ".amazonaws.com/" + parts[4] + "/" + parts[5]}, nil
}

// call makes a call and reads its answer as the wire has it.
func (q queue) call(ctx context.Context, operation string, in map[string]any, out any) error {
	in["QueueUrl"] = q.url
	answer, err := q.service.cfg.Invoker.Invoke(ctx, q.session.Caller, "sqs", operation, in)
	if err != nil || out == nil {
		return err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("read answer of %s: %w", operation, err)
	}
	return json.Unmarshal(text, out)
}

// Waiting for messages: AWS polls with the longest wait that SQS has.
const (
	pollWait    = 20 // seconds
	pollBackoff = 5 * time.Second
)

// poll gives a function what comes into a queue, until the context ends.
func (s *Service) poll(ctx context.Context, m mapping) {
	places := defaultPollers
	if m.Concurrency > 0 {
		places = m.Concurrency
	}
	if m.fifo() {
		places = 1 // so that what is in a group stays in order
	}
	filters, err := m.filters()
	if err != nil {
		return // it was checked when it was kept
	}
	slots := make(chan struct{}, places)
	var q queue
	var working sync.WaitGroup
	defer working.Wait()
	for ctx.Err() == nil {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		b, err := s.gather(ctx, &m, q)
		q = b.queue
		if err != nil || len(b.messages) == 0 {
			<-slots
			if err != nil && ctx.Err() == nil {
				s.noteResult(&m, "PROBLEM: "+wire.AsError(err).Message)
				s.pause(ctx)
			}
			continue
		}
		working.Go(func() {
			defer func() { <-slots }()
			s.noteResult(&m, s.workBatch(&m, b, filters))
		})
	}
}

// pause waits before the queue is asked again that could not be read.
func (s *Service) pause(ctx context.Context) {
	timer, stop := s.cfg.Clock.NewTimer(pollBackoff)
	defer stop()
	select {
	case <-timer:
	case <-ctx.Done():
	}
}

// batch is what was received, with what it was received for.
type batch struct {
	function function
	queue    queue
	messages []message
}

// gather receives a batch: what there is, or as much as comes in the window.
func (s *Service) gather(ctx context.Context, m *mapping, before queue) (b batch, err error) {
	if b.function, err = s.find(wire.Caller{}, m.Function, "", s.route); err != nil {
		return b, err
	}
	if b.queue, err = s.queueOf(ctx, &b.function, m.Source, before); err != nil {
		return b, err
	}
	var until time.Time
	for wait := pollWait; ; {
		var got struct{ Messages []message }
		err := b.queue.call(ctx, "ReceiveMessage", map[string]any{
			"MaxNumberOfMessages": min(m.Batch-len(b.messages), 10), "WaitTimeSeconds": wait,
			"AttributeNames": []string{"All"}, "MessageAttributeNames": []string{"All"},
		}, &got)
		if err != nil && len(b.messages) == 0 {
			return b, err
		}
		b.messages = append(b.messages, got.Messages...)
		now := s.cfg.Clock.Now()
		if until.IsZero() {
			until = now.Add(time.Duration(m.Window) * time.Second)
		}
		left := until.Sub(now)
		if err != nil || len(b.messages) == 0 || len(b.messages) >= m.Batch || left <= 0 {
			return b, nil
		}
		wait = min(pollWait, max(1, int(left.Seconds())))
	}
}

// noteResult keeps how the last batch went, when that has changed.
func (s *Service) noteResult(m *mapping, result string) {
	s.cfg.Store.Batch(func(tx state.Tx) error { //nolint:errcheck // it is there to be read, and written with the next batch
		kept, err := mappings.Get(tx, m.key())
		if err != nil || kept.LastResult == result {
			return err
		}
		kept.LastResult = result
		return mappings.Put(tx, m.key(), kept)
	})
}

// workBatch runs the function on a batch, and removes from the queue what it
// worked on. What stays comes back when its visibility timeout is over.
func (s *Service) workBatch(m *mapping, b batch, filters []*eventpattern.Pattern) string {
	wanted, unwanted := sift(b.messages, filters)
	result := "OK"
	if err := b.queue.remove(s.ctx, unwanted); err != nil {
		result = "PROBLEM: " + err.Error()
	}
	for _, part := range split(wanted, m.Source) {
		out, err := s.run(s.ctx, &b.function, invocation{id: newUUID(), payload: part.payload, trace: s.begun(&b.function, "")})
		if s.ctx.Err() != nil {
			return result // the queue still has it
		}
		done := part.messages
		if err != nil || out.functionError != "" {
			done, result = nil, "PROBLEM: Function call failed"
		} else if len(m.Responses) > 0 {
			done = succeeded(part.messages, out.payload)
		}
		if err := b.queue.remove(s.ctx, done); err != nil {
			result = "PROBLEM: " + err.Error()
		}
	}
	return result
}

// remove deletes messages, ten at a time.
func (q queue) remove(ctx context.Context, messages []message) error {
	for len(messages) > 0 {
		n := min(10, len(messages))
		var entries []map[string]string
		for i, m := range messages[:n] {
			entries = append(entries, map[string]string{"Id": fmt.Sprint(i), "ReceiptHandle": m.ReceiptHandle})
		}
		if err := q.call(ctx, "DeleteMessageBatch", map[string]any{"Entries": entries}, nil); err != nil {
			return fmt.Errorf("delete messages: %w", err)
		}
		messages = messages[n:]
	}
	return nil
}
