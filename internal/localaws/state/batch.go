package state

import (
	"fmt"
	"runtime/debug"
	"sync"

	"go.etcd.io/bbolt"
)

// batcher shares one write to disk among the changes that come while the one
// before is being written. A change that comes alone does not wait.
type batcher struct {
	mu    sync.Mutex
	queue []*pending
	busy  bool // somebody is committing and will look at the queue again
}

// pending is a change that waits for its commit.
type pending struct {
	f    func(Tx) error
	done chan error
}

// Batch is Update for high rates: concurrent calls share one write to disk.
// f may run more than once, so it must not have effects beside the
// transaction that a second run would not overwrite. A panic in f is an error.
func (s *Store) Batch(f func(Tx) error) error {
	p := &pending{f: f, done: make(chan error, 1)}
	b := &s.batch
	b.mu.Lock()
	b.queue = append(b.queue, p)
	lead := !b.busy
	b.busy = true
	b.mu.Unlock()
	if lead && s.commitQueue() {
		// What came meanwhile is committed for its callers, not for this one.
		go func() {
			for s.commitQueue() {
			}
		}()
	}
	return <-p.done
}

// commitQueue commits what is queued, and reports whether there is more.
func (s *Store) commitQueue() bool {
	b := &s.batch
	b.mu.Lock()
	queue := b.queue
	b.queue = nil
	b.mu.Unlock()
	s.commit(queue)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy = len(b.queue) > 0
	return b.busy
}

// commit runs changes in one transaction. The first that fails is told so and
// taken out, and the others run again without it.
func (s *Store) commit(queue []*pending) {
	for len(queue) > 0 {
		failed := -1
		err := s.db.Update(func(tx *bbolt.Tx) error {
			for i, p := range queue {
				if err := safely(p.f, Tx{tx}); err != nil {
					failed = i
					return err
				}
			}
			return nil
		})
		if failed < 0 {
			for _, p := range queue {
				p.done <- err
			}
			return
		}
		queue[failed].done <- err
		queue = append(queue[:failed:failed], queue[failed+1:]...)
	}
}

// safely runs f and returns its panic as an error: the goroutine that commits
// is not that of the caller.
func safely(f func(Tx) error, tx Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a change of state: %v\n%s", p, debug.Stack())
		}
	}()
	return f(tx)
}
