package ecs

import (
	"bytes"
	"context"
	"sync"

	"engage/internal/localaws/wire"
)

// Bounds of what is held for a log: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	maxEvent   = 256<<10 - 26 // bytes of one line; a longer one is split
	maxPending = 1 << 20      // bytes of lines that are not yet sent
	maxBatch   = 10_000       // events of one call
)

// logWriter sends the lines that a container writes to its log stream. What
// cannot be sent at once is held up to a bound; past it, the container waits
// (mode blocking, the default) or loses lines (non-blocking).
type logWriter struct {
	send  func([]LogEvent) error
	clock Clock
	drop  bool

	mu      sync.Mutex
	room    *sync.Cond
	partial []byte
	pending []LogEvent
	size    int
	closed  bool
	wake    chan struct{}
	done    chan struct{}
}

func newLogWriter(send func([]LogEvent) error, clock Clock, drop bool) *logWriter {
	w := &logWriter{send: send, clock: clock, drop: drop, wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.room = sync.NewCond(&w.mu)
	go w.pump()
	return w
}

// Write takes output in. It never fails: a log must not end its container.
func (w *logWriter) Write(p []byte) (int, error) {
	n := len(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(p) > 0 {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		if space := maxEvent - len(w.partial); len(line) > space {
			line, rest, whole = p[:space], p[space:], true
		}
		w.partial, p = append(w.partial, line...), rest
		if whole {
			w.flushLine()
		}
	}
	return n, nil
}

func (w *logWriter) flushLine() {
	line := bytes.TrimSuffix(w.partial, []byte("\r"))
	w.partial = w.partial[:0]
	if len(line) == 0 {
		return // CloudWatch Logs takes no empty event
	}
	for w.size+len(line) > maxPending && !w.drop && !w.closed {
		w.room.Wait()
	}
	if w.size+len(line) > maxPending {
		return
	}
	w.pending = append(w.pending, LogEvent{w.clock.Now(), string(line)})
	w.size += len(line) + 26
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// pump sends what is pending, a batch at a time. Lines that come while a
// batch is under way go with the next.
func (w *logWriter) pump() {
	defer close(w.done)
	for range w.wake {
		for {
			w.mu.Lock()
			batch := w.pending[:min(len(w.pending), maxBatch)]
			w.pending = w.pending[len(batch):]
			for _, e := range batch {
				w.size -= len(e.Message) + 26
			}
			w.room.Broadcast()
			w.mu.Unlock()
			if len(batch) == 0 {
				break
			}
			_ = w.send(batch) // a log that cannot be written must not end its container
		}
	}
}

// close sends the rest.
func (w *logWriter) close() {
	w.mu.Lock()
	w.flushLine()
	w.closed = true
	w.room.Broadcast()
	w.mu.Unlock()
	close(w.wake)
	<-w.done
}

// openLog makes the container's stream, as the execution role.
func (c *container) openLog(ctx context.Context, caller wire.Caller) error {
	l := c.def.LogConfiguration
	if l == nil {
		return nil
	}
	s, r := c.task.s, &c.task.record
	region, group := l.Options["awslogs-region"], l.Options["awslogs-group"]
	stream := l.Options["awslogs-stream-prefix"] + "/" + c.def.Name + "/" + r.ID()
	if s.cfg.Invoker != nil {
		caller.Region = region
		if l.Options["awslogs-create-group"] == "true" {
			err := s.invoke(ctx, caller, "logs", "CreateLogGroup", map[string]any{"logGroupName": group}, &struct{}{})
			if err != nil && !wire.IsCode(err, "ResourceAlreadyExistsException") {
				return err
			}
		}
		in := map[string]any{"logGroupName": group, "logStreamName": stream}
		err := s.invoke(ctx, caller, "logs", "CreateLogStream", in, &struct{}{})
		if err != nil && !wire.IsCode(err, "ResourceAlreadyExistsException") {
			return err
		}
	}
	background := context.WithoutCancel(ctx) // what was written last counts most
	c.log = newLogWriter(func(events []LogEvent) error {
		return s.cfg.Logs.Append(background, r.Account, region, group, stream, events)
	}, s.cfg.Clock, l.Options["mode"] == "non-blocking")
	return nil
}

func (c *container) closeLog() {
	if c.log != nil {
		c.log.close()
	}
}
