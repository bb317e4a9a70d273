package states

import (
	"encoding/json"
	"fmt"
	"sync"

	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// journal writes history to the store beside the executions, many events in one transaction: an event
// is durable once flush returned, which is before anybody can see it.
type journal struct {
	store   *state.Store
	mu      sync.Mutex
	changed *sync.Cond
	pending []write
	taken   uint64 // writes handed to the writer or durable
	durable uint64
	closing bool
	err     error
	done    chan struct{}
}

// write is one change, in the order in which they were added.
type write func(tx state.Tx) error

func openJournal(store *state.Store) *journal {
	j := &journal{store: store, done: make(chan struct{})}
	j.changed = sync.NewCond(&j.mu)
	go j.work()
	return j
}

// add queues a change.
func (j *journal) add(w write) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending = append(j.pending, w)
	j.taken++
	j.changed.Broadcast()
}

// flush returns once everything that was added before is durable, or with the error that prevents it.
func (j *journal) flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for target := j.taken; j.durable < target && j.err == nil; {
		j.changed.Wait()
	}
	return j.err
}

func (j *journal) work() {
	defer close(j.done)
	for {
		batch := j.next()
		if batch == nil {
			return
		}
		err := j.store.Update(func(tx state.Tx) error {
			for _, w := range batch {
				if err := w(tx); err != nil {
					return err
				}
			}
			return nil
		})
		j.wrote(len(batch), err)
	}
}

// next waits for changes; nil at the end.
func (j *journal) next() []write {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.pending) == 0 && !j.closing {
		j.changed.Wait()
	}
	batch := j.pending
	j.pending = nil
	return batch
}

func (j *journal) wrote(n int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.durable += uint64(n)
	if err != nil {
		j.err = fmt.Errorf("write history: %w", err)
	}
	j.changed.Broadcast()
}

func (j *journal) close() error {
	j.mu.Lock()
	j.closing = true
	j.changed.Broadcast()
	j.mu.Unlock()
	<-j.done
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// kept is an event as GetExecutionHistory answers it.
type kept struct {
	interp.Event
	Timestamp wire.Time `json:"timestamp"`
}

func encodeEvent(e interp.Event) (json.RawMessage, error) {
	return json.Marshal(kept{e, wire.TimeOf(e.Time)})
}

func eventKey(execution string, id int64) string {
	return state.Key(execution, state.Ordinal(uint64(id)))
}

func putEvent(tx state.Tx, execution string, e interp.Event) error {
	text, err := encodeEvent(e)
	if err != nil {
		return err
	}
	return events.Put(tx, eventKey(execution, e.ID), text)
}
