package interp

import "sync"

// turns lets one frame of an execution interpret at a time. Frames get the turn in the order in which they
// asked for it, and a frame that starts or wakes another one asks on its behalf, so that the order of what
// does not wait for the outside is always the same. The first frame begins with the turn.
type turns struct {
	mu    sync.Mutex
	idle  bool
	queue []chan struct{}
	late  []chan struct{} // that go on when the queue is empty
}

// ask queues for the turn; the channel is closed when it comes.
func (t *turns) ask(c chan struct{}) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line(&t.queue, c)
	return c
}

func (t *turns) line(queue *[]chan struct{}, c chan struct{}) {
	if t.idle {
		t.idle = false
		close(c)
	} else {
		*queue = append(*queue, c)
	}
}

// pass gives the turn to the next in the queue.
func (t *turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case len(t.queue) > 0:
		close(t.queue[0])
		t.queue = t.queue[1:]
	case len(t.late) > 0:
		close(t.late[0])
		t.late = t.late[1:]
	default:
		t.idle = true
	}
}

// waiting lets other frames interpret while wait blocks.
func (t *turns) waiting(wait func()) {
	t.pass()
	defer func() { <-t.ask(make(chan struct{})) }()
	wait()
}

// yield lets every frame interpret first that does not wait: AWS schedules all that can be scheduled before the
// first of it starts.
func (t *turns) yield() {
	mine := make(chan struct{})
	t.mu.Lock()
	if len(t.queue)+len(t.late) == 0 { // nobody else
		t.mu.Unlock()
		return
	}
	t.late = append(t.late, mine)
	t.mu.Unlock()
	t.pass()
	<-mine
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
