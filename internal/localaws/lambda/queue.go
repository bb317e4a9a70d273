package lambda

import (
	"errors"
	"fmt"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// event is an invocation that waits in the queue. It is kept until it has been
// worked on, so that a killed process loses none: one that was at work then is
// worked on again, as AWS too may do.
type event struct {
	Account, Region, Name string
	Qualifier             string
	RequestID             string
	Payload               []byte
	Trace                 string
	ClientContext         string
	RunID                 string
	Received              time.Time
	Next                  time.Time // when to try
	Attempts              int       // that failed in the function
	Throttles             int       // in a row
}

var events = state.NewCollection[event]("lambda/events")

// How AWS retries.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	defaultRetries = 2
	defaultAge     = 6 * time.Hour
	maxBackoff     = 5 * time.Minute
)

func (s *Service) enqueue(f *function, inv invocation) error {
	if !s.begin() {
		return wire.StatusErrorf(503, "ServiceUnavailableException", "the endpoint is shutting down")
	}
	defer s.runs.Done()
	now := s.cfg.Clock.Now()
	e := event{
		Account: f.Account, Region: f.Region, Name: f.Name, Qualifier: f.qualifier, RequestID: inv.id, Payload: inv.payload, Trace: inv.trace,
		ClientContext: inv.clientContext, RunID: inv.runID, Received: now, Next: now,
	}
	var key string
	err := s.cfg.Store.Batch(func(tx state.Tx) error {
		n, err := events.NextSequence(tx)
		if err != nil {
			return err
		}
		key = state.Ordinal(n)
		return events.Put(tx, key, e)
	})
	if err != nil {
		return fmt.Errorf("keep event: %w", err)
	}
	s.tasks.Go(func() { s.work(key, now) })
	return nil
}

// resumeQueue goes on with the events of an earlier process.
func (s *Service) resumeQueue() error {
	next := map[string]time.Time{}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range events.Scan(tx, "", "") {
			e, err := raw.Value()
			if err != nil {
				return err
			}
			next[raw.Key()] = e.Next
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read event queue: %w", err)
	}
	for key, at := range next {
		s.tasks.Go(func() { s.work(key, at) })
	}
	return nil
}

// work tries an event at its times until it is done or given up.
func (s *Service) work(key string, at time.Time) {
	for s.wait(at) {
		select {
		case s.slots <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		next, again := s.attempt(key)
		<-s.slots
		if !again {
			return
		}
		at = next
	}
}

// wait waits for a time, false when the service ends first.
func (s *Service) wait(at time.Time) bool {
	left := at.Sub(s.cfg.Clock.Now())
	if left <= 0 {
		return s.ctx.Err() == nil
	}
	timer, stop := s.cfg.Clock.NewTimer(left)
	defer stop()
	select {
	case <-timer:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// attempt works on an event once. It returns when to try again, if at all.
// What cannot be read or written is tried again after the longest time.
func (s *Service) attempt(key string) (next time.Time, again bool) {
	now := s.cfg.Clock.Now()
	var e event
	var f function
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		if e, err = events.Get(tx, key); err != nil {
			return err
		}
		f, err = resolve(tx, ref{e.Account, e.Region, e.Name, e.Qualifier}, s.route)
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		return next, false
	}
	if wire.IsCode(err, "ResourceNotFoundException") { // deleted meanwhile: AWS drops its events
		return now.Add(maxBackoff), s.drop(key) != nil
	}
	if err != nil {
		return now.Add(maxBackoff), true
	}
	if now.Sub(e.Received) > f.maxAge() {
		return now.Add(maxBackoff), s.giveUp(key, &f, &e, "EventAgeExceeded", outcome{}) != nil
	}
	out, err := s.run(s.ctx, &f, invocation{id: e.RequestID, payload: e.Payload, trace: e.Trace, clientContext: e.ClientContext, runID: e.RunID})
	if s.ctx.Err() != nil {
		return next, false // it is in the queue still, and tried again by the next process
	}
	return s.settleEvent(key, &f, &e, out, err)
}

func (f *function) maxAge() time.Duration {
	if a := f.async(); a != nil && a.Age != nil {
		return time.Duration(*a.Age) * time.Second
	}
	return defaultAge
}

func (f *function) retries() int {
	if a := f.async(); a != nil && a.Retries != nil {
		return *a.Retries
	}
	return defaultRetries
}

// settleEvent decides what becomes of an event after an attempt.
func (s *Service) settleEvent(key string, f *function, e *event, out outcome, err error) (next time.Time, again bool) {
	now := s.cfg.Clock.Now()
	switch {
	case err != nil: // throttled, or this machine's fault: not an attempt
		backoff := min(time.Second<<min(e.Throttles, 10), maxBackoff)
		e.Throttles++
		e.Next = now.Add(backoff)
	case out.functionError == "":
		if arn := f.async().destinations().success(); arn != "" {
			s.deliver(f, arn, s.record(f, e, "Success", out), nil) //nolint:errcheck // AWS drops what it cannot deliver
		}
		return now.Add(maxBackoff), s.drop(key) != nil
	case e.Attempts >= f.retries():
		e.Attempts++
		return now.Add(maxBackoff), s.giveUp(key, f, e, "RetriesExhausted", out) != nil
	default:
		e.Attempts++
		e.Throttles = 0
		e.Next = now.Add(time.Duration(e.Attempts) * time.Minute)
	}
	saveErr := s.cfg.Store.Batch(func(tx state.Tx) error { return events.Put(tx, key, *e) })
	if saveErr != nil {
		return now.Add(maxBackoff), true
	}
	return e.Next, true
}

func (a *asyncConfig) destinations() *DestinationConfig {
	if a == nil {
		return nil
	}
	return a.Destinations
}

// drop removes an event from the queue.
func (s *Service) drop(key string) error {
	err := s.cfg.Store.Batch(func(tx state.Tx) error { return events.Delete(tx, key) })
	if errors.Is(err, state.ErrNotFound) {
		return nil
	}
	return err
}

// giveUp sends an event to where failures go, and drops it.
func (s *Service) giveUp(key string, f *function, e *event, condition string, out outcome) error {
	if c := f.Settings.DeadLetterConfig; c != nil && c.TargetArn != "" {
		s.deliver(f, c.TargetArn, string(e.Payload), deadLetter(e, out)) //nolint:errcheck // AWS drops what it cannot deliver
	}
	if arn := f.async().destinations().failure(); arn != "" {
		s.deliver(f, arn, s.record(f, e, condition, out), nil) //nolint:errcheck // AWS drops what it cannot deliver
	}
	return s.drop(key)
}
