package interp

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"sync"
)

// ErrNoToken says that no task waits for a token: it was never given out, or its task has ended.
var ErrNoToken = errors.New("no task waits for this token")

// Callbacks holds the task tokens that executions wait for. The zero value is not ready; use NewCallbacks.
type Callbacks struct {
	mu      sync.Mutex
	waiting map[string]*callback
}

type callback struct {
	answered chan answer
	beat     chan struct{}
}

// NewCallbacks returns an empty registry.
func NewCallbacks() *Callbacks { return &Callbacks{waiting: map[string]*callback{}} }

// TokenBytes is how many bytes a token encodes.
const TokenBytes = 64

func (c *Callbacks) newToken(random func() uint64) string {
	b := make([]byte, 0, TokenBytes)
	for range TokenBytes / 8 {
		b = binary.BigEndian.AppendUint64(b, random())
	}
	return base64.StdEncoding.EncodeToString(b)
}

func (c *Callbacks) open(token string) *callback {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &callback{answered: make(chan answer, 1), beat: make(chan struct{}, 1)}
	c.waiting[token] = w
	return w
}

func (c *Callbacks) close(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, token)
}

// Succeed ends the task that waits for token with an output, a document.
func (c *Callbacks) Succeed(token string, output any) error {
	return c.answer(token, answer{output: output})
}

// Fail ends the task that waits for token with an error.
func (c *Callbacks) Fail(token, name, cause string) error {
	return c.answer(token, answer{err: &TaskError{Name: name, Cause: cause}})
}

func (c *Callbacks) answer(token string, a answer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := c.waiting[token]
	if !ok {
		return ErrNoToken
	}
	delete(c.waiting, token)
	w.answered <- a // has room: only the first answer finds the token
	return nil
}

// Heartbeat tells the task that waits for token that its holder is alive.
func (c *Callbacks) Heartbeat(token string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := c.waiting[token]
	if !ok {
		return ErrNoToken
	}
	select {
	case w.beat <- struct{}{}:
	default: // one is waiting to be seen already
	}
	return nil
}
