package lambda

import (
	"context"
	"errors"

	"engage/internal/localaws/logs"
	"engage/internal/localaws/wire"
)

// entry is lines to write, or somebody who waits until all before is written.
type entry struct {
	log     *instanceLog
	events  []logs.Event
	written chan struct{}
}

// logWriter writes logs after the fact, so that no invocation waits for the disk.
type logWriter struct {
	service *Service
	entries chan entry
	stop    chan struct{}
	done    chan struct{}
	ready   map[*instanceLog]bool // streams that are there; false: the role may not write
}

// waiting is how many entries may wait before invocations do.
const waiting = 64

func newLogWriter(s *Service) *logWriter {
	w := &logWriter{
		service: s, entries: make(chan entry, waiting), stop: make(chan struct{}), done: make(chan struct{}),
		ready: map[*instanceLog]bool{},
	}
	go w.loop()
	return w
}

func (w *logWriter) put(e entry) { w.entries <- e }

// sync waits until what was put before is written.
func (w *logWriter) sync(ctx context.Context) error {
	written := make(chan struct{})
	select {
	case w.entries <- entry{written: written}:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done:
		return errors.New("lambda: the service is closed")
	}
	select {
	case <-written:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close writes what is left. REQUIRES: nobody puts any more.
func (w *logWriter) close() {
	close(w.stop)
	<-w.done
}

func (w *logWriter) loop() {
	defer close(w.done)
	for {
		select {
		case e := <-w.entries:
			w.write(e)
		case <-w.stop:
			for {
				select {
				case e := <-w.entries:
					w.write(e)
				default:
					return
				}
			}
		}
	}
}

// write writes an entry and those that have come meanwhile, each stream's at once.
func (w *logWriter) write(e entry) {
	batch := map[*instanceLog][]logs.Event{}
	var waiters []chan struct{}
	for more := true; more; {
		if e.written != nil {
			waiters = append(waiters, e.written)
		} else {
			batch[e.log] = append(batch[e.log], e.events...)
		}
		select {
		case e = <-w.entries:
		default:
			more = false
		}
	}
	for l, events := range batch {
		w.append(l, events)
	}
	for _, c := range waiters {
		close(c)
	}
}

// append writes the lines of a stream. As on AWS, the lines of a function that
// may not write logs are lost, and the function works.
func (w *logWriter) append(l *instanceLog, events []logs.Event) {
	ctx := context.Background() // what was printed is written, though the service ends
	group, cfg := l.function.logGroup(), w.service.cfg
	ready, known := w.ready[l]
	if !known {
		ready = w.prepare(ctx, l, group) == nil
		if len(w.ready) > 10_000 {
			clear(w.ready)
		}
		w.ready[l] = ready
	}
	if !ready {
		return
	}
	err := cfg.Logs.Append(ctx, l.function.Account, l.function.Region, group, l.stream, events)
	if wire.IsCode(err, "ResourceNotFoundException") { // somebody deleted the group
		if w.prepare(ctx, l, group) == nil {
			cfg.Logs.Append(ctx, l.function.Account, l.function.Region, group, l.stream, events) //nolint:errcheck // deleted again
		}
	}
}

// prepare makes the stream, and the group where it is missing, with the role's permissions.
func (w *logWriter) prepare(ctx context.Context, l *instanceLog, group string) error {
	f := l.function
	has, err := w.service.cfg.Logs.HasGroup(f.Account, f.Region, group)
	if err != nil {
		return err
	}
	c := wire.Caller{Account: f.Account, Region: f.Region}
	stream := logs.StreamARN(c, group, l.stream)
	accesses := []wire.Access{{Action: "logs:CreateLogStream", Resource: stream}, {Action: "logs:PutLogEvents", Resource: stream}}
	if !has {
		accesses = append(accesses, wire.Access{Action: "logs:CreateLogGroup", Resource: logs.GroupARN(c, group) + ":log-stream:"})
	}
	if a := w.service.cfg.Authorizer; a != nil {
		call := &wire.Call{Service: &wire.Service{Name: "logs", Protocol: wire.JSON11}, Operation: "PutLogEvents", Caller: l.session.Caller}
		if err := a.Authorize(ctx, call, accesses); err != nil {
			return err
		}
	}
	return w.service.cfg.Logs.Create(ctx, f.Account, f.Region, group, l.stream)
}
