package lambda

import (
	"errors"
	"slices"
	"sync"
	"time"

	"engage/internal/localaws/lambda/sandbox"
	"engage/internal/localaws/wire"
)

// worker is an instance of a function with what belongs to it.
type worker struct {
	*sandbox.Instance
	function function // as the instance was made from
	session  Session
	log      *instanceLog
	init     time.Duration // until it was ready
	idleFrom time.Time
	retired  bool // the function has changed
}

// Close ends the instance, and keeps what it printed since its last invocation.
func (w *worker) Close() error {
	err := w.Instance.Close()
	w.log.flush()
	return err
}

// fits reports whether the worker can run the function as it is now, for as
// long as an invocation may take.
func (w *worker) fits(f *function, now time.Time) bool {
	fresh := w.session.Expires.IsZero() || now.Add(f.timeout()).Before(w.session.Expires)
	return fresh && w.Alive() && w.function.Modified.Equal(f.Modified) && w.function.Code.ID == f.Code.ID
}

// pool is the workers of one function.
type pool struct {
	idle []*worker // the one used last is at the end
	busy int
	all  map[*worker]bool
}

// pools are those of all functions.
type pools struct {
	limit int // of workers at work

	mu     sync.Mutex
	all    map[string]*pool
	busy   int
	closed bool
}

// throttled is what a caller is told when a function may not run more often.
func throttled(reason string) error {
	return lambdaError(429, "TooManyRequestsException", "Rate Exceeded.").With("Reason", reason)
}

// reserve takes a place for an invocation, with a worker when one is idle.
// release must follow. Workers that do not fit any more are returned to be closed.
func (p *pools) reserve(f *function, now time.Time) (w *worker, stale []*worker, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, wire.StatusErrorf(503, "ServiceUnavailableException", "the endpoint is shutting down")
	}
	one := p.of(f.key())
	if f.Reserved != nil && one.busy >= *f.Reserved {
		return nil, nil, throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	}
	if p.busy >= p.limit {
		return nil, nil, throttled("ConcurrentInvocationLimitExceeded")
	}
	one.busy++
	p.busy++
	w, stale = one.take(f, now)
	return w, stale, nil
}

// take takes the idle worker that was used last and has the function's
// version, and those of that version that do not fit any more.
func (one *pool) take(f *function, now time.Time) (w *worker, stale []*worker) {
	for i := len(one.idle) - 1; i >= 0 && w == nil; i-- {
		last := one.idle[i]
		if last.function.Version != f.Version {
			continue
		}
		one.idle = slices.Delete(one.idle, i, i+1)
		if last.fits(f, now) {
			w = last
		} else {
			delete(one.all, last)
			stale = append(stale, last)
		}
	}
	return w, stale
}

func (p *pools) of(key string) *pool {
	one := p.all[key]
	if one == nil {
		one = &pool{all: map[*worker]bool{}}
		p.all[key] = one
	}
	return one
}

// add notes a worker that has been started, false when everything is being closed.
func (p *pools) add(w *worker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.of(w.function.key()).all[w] = true
	}
	return !p.closed
}

// release gives back the place, and the worker if it can be used again.
func (p *pools) release(key string, w *worker, usable bool, now time.Time) error {
	p.mu.Lock()
	one := p.of(key)
	one.busy--
	p.busy--
	if w == nil {
		p.mu.Unlock()
		return nil
	}
	if usable && !p.closed && !w.retired {
		w.idleFrom = now
		one.idle = append(one.idle, w)
		p.mu.Unlock()
		return nil
	}
	delete(one.all, w)
	p.mu.Unlock()
	return w.Close()
}

// everyVersion and onlyLatest say which of a function's workers retire.
func everyVersion(string) bool       { return true }
func onlyLatest(version string) bool { return version == "" }

// retire ends idle workers of a function. Those at work end after it.
func (p *pools) retire(key string, which func(version string) bool) error {
	p.mu.Lock()
	one := p.of(key)
	var ended, kept []*worker
	for _, w := range one.idle {
		if which(w.function.Version) {
			delete(one.all, w)
			ended = append(ended, w)
		} else {
			kept = append(kept, w)
		}
	}
	one.idle = kept
	for w := range one.all {
		w.retired = w.retired || which(w.function.Version)
	}
	if one.busy == 0 && len(one.all) == 0 {
		delete(p.all, key)
	}
	p.mu.Unlock()
	return closeAll(ended)
}

// expire ends the workers that have been idle since before a time.
func (p *pools) expire(before time.Time) error {
	p.mu.Lock()
	var old []*worker
	for _, one := range p.all {
		n := 0
		for n < len(one.idle) && one.idle[n].idleFrom.Before(before) {
			delete(one.all, one.idle[n])
			n++
		}
		old = append(old, one.idle[:n]...)
		one.idle = one.idle[n:]
	}
	p.mu.Unlock()
	return closeAll(old)
}

// close ends all workers, those at work too.
func (p *pools) close() error {
	p.mu.Lock()
	p.closed = true
	var workers []*worker
	for _, one := range p.all {
		for w := range one.all {
			workers = append(workers, w)
		}
		one.idle = nil
	}
	p.mu.Unlock()
	return closeAll(workers)
}

func closeAll(workers []*worker) error {
	var group sync.WaitGroup
	errs := make([]error, len(workers))
	for i, w := range workers {
		group.Go(func() { errs[i] = w.Close() })
	}
	group.Wait()
	return errors.Join(errs...)
}

// endIdle ends instances that have had no work for long.
func (s *Service) endIdle() {
	for {
		tick, stop := s.cfg.Clock.NewTimer(s.cfg.Idle / 2)
		select {
		case now := <-tick:
			s.pools.expire(now.Add(-s.cfg.Idle)) //nolint:errcheck // their files are swept at the next start
		case <-s.ctx.Done():
			stop()
			return
		}
	}
}
