package s3

import (
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

const (
	copyBuffer  = 256 << 10
	copyBuffers = 6
	flushEvery  = 8 << 20
)

// chunk is a part of a body that is with the hashes.
type chunk struct {
	b    []byte
	n    int
	left atomic.Int32 // hashes that have not seen it
}

// pipeline digests a body while it is being received: each hash has its own
// goroutine, so that on several cores the slowest of them sets the pace.
type pipeline struct {
	free  chan *chunk
	lanes []chan *chunk
	done  sync.WaitGroup
}

func newPipeline(hashes []hash.Hash) *pipeline {
	p := &pipeline{free: make(chan *chunk, copyBuffers)}
	for range copyBuffers {
		p.free <- &chunk{}
	}
	for _, h := range hashes {
		lane := make(chan *chunk, copyBuffers)
		p.lanes = append(p.lanes, lane)
		p.done.Go(func() { p.digest(h, lane) })
	}
	return p
}

func (p *pipeline) digest(h hash.Hash, lane chan *chunk) {
	for c := range lane {
		h.Write(c.b[:c.n])
		if c.left.Add(-1) == 0 {
			p.free <- c
		}
	}
}

func (p *pipeline) send(c *chunk) {
	c.left.Store(int32(len(p.lanes)))
	for _, lane := range p.lanes {
		lane <- c
	}
}

// wait returns when all hashes have seen everything.
func (p *pipeline) wait() {
	for _, lane := range p.lanes {
		close(lane)
	}
	p.done.Wait()
}

// copyDigested copies a body to a file and digests it. A short body does not
// pay for goroutines.
func copyDigested(dst *os.File, src io.Reader, d *digester) error {
	first := make([]byte, 32<<10)
	n, err := io.ReadFull(src, first)
	if n > 0 {
		d.Write(first[:n])
		if _, werr := dst.Write(first[:n]); werr != nil {
			return fmt.Errorf("write object: %w", werr)
		}
	}
	switch err {
	case nil:
	case io.EOF:
		return nil
	case io.ErrUnexpectedEOF:
		return ended(src)
	default:
		return err
	}
	p := newPipeline(d.hashes())
	size, err := p.feed(dst, src)
	p.wait()
	d.size += size
	return err
}

// feed reads to the end. What is written is sent to the disk now and then, so
// that the final sync has little left to do.
func (p *pipeline) feed(dst *os.File, src io.Reader) (size int64, err error) {
	flushed := int64(0)
	for {
		c := <-p.free
		if c.b == nil {
			c.b = make([]byte, copyBuffer)
		}
		c.n, err = io.ReadFull(src, c.b)
		size += int64(c.n)
		if _, werr := dst.Write(c.b[:c.n]); werr != nil {
			return size, fmt.Errorf("write object: %w", werr)
		}
		p.send(c)
		if size-flushed >= flushEvery {
			startWriteback(dst, flushed, size-flushed)
			flushed = size
		}
		switch err {
		case nil:
		case io.EOF:
			return size, nil
		case io.ErrUnexpectedEOF:
			return size, ended(src)
		default:
			return size, err
		}
	}
}

// ended tells a body that is over from one that was cut short: ReadFull
// returns the same for both.
func ended(src io.Reader) error {
	var p [1]byte
	if _, err := src.Read(p[:]); err != io.EOF {
		return io.ErrUnexpectedEOF
	}
	return nil
}
