package trace

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"engage/internal/localaws/wire"
)

// Config says what a recorder works with.
type Config struct {
	// Invoker takes what is recorded, with the permissions of its caller. The default forgets it.
	Invoker wire.Invoker
	// Now is for the ids of traces and the sampling rule. The default is time.Now.
	Now func() time.Time
	// Random gives 64 random bits, safe for concurrent use. The default is the system's.
	Random func() uint64
}

// waiting is how many calls of Send wait, and together how many documents are
// sent at once, about. What comes while that much waits is dropped, as X-Ray's
// daemon does: no request waits for its trace.
const (
	waiting  = 4096
	together = 50
)

// Recorder decides what is traced and sends segments beside the work that they
// are about. Its methods may be called concurrently.
type Recorder struct {
	cfg     Config
	sampler sampler
	queue   chan item
	dropped atomic.Int64
}

// item is what is recorded at once, and is seen at once.
type item struct {
	caller    wire.Caller
	documents []string
}

// New returns a recorder. What it records is sent while Run runs.
func New(cfg Config) *Recorder {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = system
	}
	return &Recorder{cfg: cfg, queue: make(chan item, waiting)}
}

func system() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// NewID returns an id for a segment.
func (r *Recorder) NewID() string { return fmt.Sprintf("%016x", r.cfg.Random()) }

// newTraceID returns an id for a trace that begins now.
func (r *Recorder) newTraceID() string {
	return fmt.Sprintf("1-%08x-%016x%08x", uint32(r.cfg.Now().Unix()), r.cfg.Random(), uint32(r.cfg.Random()))
}

// Begin returns the header of a request on a resource that is traced: the
// header that it came with, else that of a new trace, with the decision of whom
// it came from, else with that of the sampling rule.
func (r *Recorder) Begin(header, resource string) Header {
	h, ok := ParseHeader(header)
	if !ok {
		h = Header{Root: r.newTraceID(), Decision: h.Decision}
	}
	if h.Decision == Open {
		h.Decision = Dropped
		if r.sampler.take(resource, r.cfg.Now(), r.cfg.Random) {
			h.Decision = Sampled
		}
	}
	return h
}

// Untraced returns the header of a request that came with none and is not traced.
func (r *Recorder) Untraced() Header {
	return Header{Root: r.newTraceID(), Parent: r.NewID(), Decision: Dropped}
}

// Send records segments for a caller, and does not wait.
func (r *Recorder) Send(caller wire.Caller, segments ...*Segment) {
	if r.cfg.Invoker == nil {
		return
	}
	i := item{caller: caller}
	for _, s := range segments {
		i.documents = append(i.documents, s.Documents()...)
	}
	select {
	case r.queue <- i:
	default:
		r.dropped.Add(int64(len(i.documents)))
	}
}

// Run sends what is recorded until the context ends, and then what is left.
// What a role may not record is in the log of requests and no error.
func (r *Recorder) Run(ctx context.Context, report func(error)) {
	for {
		select {
		case first := <-r.queue:
			r.send(context.WithoutCancel(ctx), first, report)
		case <-ctx.Done():
			for len(r.queue) > 0 {
				r.send(context.WithoutCancel(ctx), <-r.queue, report)
			}
			return
		}
	}
}

// send sends an item with those of the same caller that follow it.
func (r *Recorder) send(ctx context.Context, next item, report func(error)) {
	if n := r.dropped.Swap(0); n > 0 {
		report(fmt.Errorf("record traces: %d documents were dropped, more than %d waited", n, waiting))
	}
	for more := true; more; {
		batch := next
		for more = false; !more && len(batch.documents) < together && len(r.queue) > 0; {
			if next = <-r.queue; same(next.caller, batch.caller) {
				batch.documents = append(batch.documents, next.documents...)
			} else {
				more = true // which is another's
			}
		}
		if err := r.put(ctx, batch); err != nil && !wire.IsAccessDenied(err) {
			report(fmt.Errorf("record traces: %w", err))
		}
	}
}

func same(a, b wire.Caller) bool {
	return a.ARN == b.ARN && a.AccessKey == b.AccessKey && a.Region == b.Region && a.RunID == b.RunID
}

func (r *Recorder) put(ctx context.Context, i item) error {
	answer, err := r.cfg.Invoker.Invoke(ctx, i.caller, "xray", "PutTraceSegments", map[string]any{"TraceSegmentDocuments": i.documents})
	if refused, ok := answer.(interface{ Refused() error }); ok && err == nil {
		err = refused.Refused()
	}
	return err
}
