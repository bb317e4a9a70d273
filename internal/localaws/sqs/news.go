package sqs

import "sync"

// news tells those who wait at a queue that something changed there.
type news struct {
	mu      sync.Mutex
	waiting map[string]chan struct{} // by queue id
}

// wait returns a channel that the next tell of the queue closes.
func (n *news) wait(id string) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting == nil {
		n.waiting = map[string]chan struct{}{}
	}
	if n.waiting[id] == nil {
		n.waiting[id] = make(chan struct{})
	}
	return n.waiting[id]
}

func (n *news) tell(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.waiting[id]; c != nil {
		close(c)
		delete(n.waiting, id)
	}
}
