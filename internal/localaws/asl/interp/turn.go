package interp

import "sync"

// turns lets one frame of an execution interpret at a time. Frames get the turn in the order in which they
// asked for it, and a frame that starts or wakes another one asks on its behalf, so that the order of what
// does not wait for the outside is always the same. The first frame begins with the turn.
type turns struct {
	mu    sync.Mutex
	idle  bool
	queue []chan struct{}
}

// ask queues for the turn; the channel is closed when it comes.
func (t *turns) ask(c chan struct{}) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.idle {
		t.idle = false
		close(c)
	} else {
		t.queue = append(t.queue, c)
	}
	return c
}

// pass gives the turn to the next in the queue.
func (t *turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		t.idle = true
		return
	}
	close(t.queue[0])
	t.queue = t.queue[1:]
}

// waiting lets other frames interpret while wait blocks.
func (t *turns) waiting(wait func()) {
	t.pass()
	defer func() { <-t.ask(make(chan struct{})) }()
	wait()
}

// spawn runs a branch in its own goroutine. It gets the turn at once, and the caller goes on when it waits or ends.
func (t *turns) spawn(branch func()) {
	back := t.ask(make(chan struct{}))
	go func() {
		defer t.pass()
		branch()
	}()
	<-back
}
