package xgb

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/cgo"
)

// A Source gives batches of rows of the same columns, more than once.
type Source interface {
	// Next returns the next batch, which stays as it is until the next call, or io.EOF.
	Next() (Batch, error)
	// Reset goes back to the first batch.
	Reset() error
}

// StreamOptions says how a streamed matrix is made.
type StreamOptions struct {
	// Bins is the most values that a feature is rounded to, max_bin of the training.
	// The default is 256.
	Bins int
	// Reference is the matrix to train on, if this one is to evaluate with it: both
	// then have the same bins. The default is none.
	Reference *Matrix
	// Threads is how many to use. The default is all processors.
	Threads int
}

// StreamMatrix reads a source some times over, and keeps about a byte a value: the
// bins that the tree method hist trains on, nothing else.
func (l *Library) StreamMatrix(source Source, f Features, o StreamOptions) (*Matrix, error) {
	if o.Bins == 0 {
		o.Bins = 256
	}
	var proxy C.handle
	if err := l.call("stream data", func() C.int { return C.proxy_create(l.api, &proxy) }); err != nil {
		return nil, err
	}
	defer C.matrix_free(l.api, proxy)
	s := &stream{library: l, source: source, features: f, proxy: proxy}
	defer s.pin.Unpin()
	h := cgo.NewHandle(s)
	defer h.Delete()
	if o.Reference == nil {
		return s.create(h, nil, o)
	}
	var m *Matrix
	err := using([]*handle{o.Reference.handle}, func() (err error) {
		m, err = s.create(h, o.Reference.handle.c, o)
		return err
	})
	return m, err
}

// stream is what the library calls back.
type stream struct {
	library  *Library
	source   Source
	features Features
	proxy    C.handle
	pin      runtime.Pinner // of the batch that the library is reading
	all      Batch          // the columns, and the rows and labels of the first time
	read     bool           // all batches, once
	err      error
}

func (s *stream) create(h cgo.Handle, reference C.handle, o StreamOptions) (*Matrix, error) {
	var c C.handle
	config := fmt.Sprintf(`{"missing":NaN,"nthread":%d,"max_bin":%d}`, o.Threads, o.Bins)
	err := s.library.call("stream data", func() C.int {
		return cString(config, func(config *C.char) C.int {
			return C.matrix_streamed(s.library.api, C.uintptr_t(h), s.proxy, reference, config, &c)
		})
	})
	// What the source said comes before what the library made of it.
	if s.err != nil {
		if err == nil {
			C.matrix_free(s.library.api, c)
		}
		return nil, s.err
	}
	if err != nil {
		return nil, err
	}
	return s.library.newMatrix(c, &s.all, s.features), nil
}

//export streamReset
func streamReset(h C.uintptr_t) {
	s := cgo.Handle(h).Value().(*stream)
	s.pin.Unpin()
	if err := s.source.Reset(); err != nil && s.err == nil {
		s.err = fmt.Errorf("go back to the first batch: %w", err)
	}
}

// streamNext returns 1 if there is a batch, 0 at the end and after an error. A
// panic must not pass through the library.
//
//export streamNext
func streamNext(h C.uintptr_t) (more C.int) {
	s := cgo.Handle(h).Value().(*stream)
	defer func() {
		if p := recover(); p != nil {
			s.err, more = fmt.Errorf("read batch: panic: %v", p), 0
		}
	}()
	s.pin.Unpin()
	if s.err != nil {
		return 0
	}
	switch err := s.next(); {
	case errors.Is(err, io.EOF) && s.all.Rows > 0:
		s.read = true
		return 0
	case errors.Is(err, io.EOF):
		s.err = &DataError{"data", "the source has no rows"}
		return 0
	case err != nil:
		s.err = err
		return 0
	}
	return 1
}

// next shows the library one batch.
func (s *stream) next() error {
	b, err := s.source.Next()
	if err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	if s.all.Rows > 0 && b.Cols != s.all.Cols {
		return &DataError{"data", fmt.Sprintf("a batch of %d columns after others of %d", b.Cols, s.all.Cols)}
	}
	if err := s.features.check(b.Cols); err != nil {
		return err
	}
	s.pin.Pin(&b.Data[0])
	l := s.library
	err = l.call("stream data", func() C.int {
		return cString(floats(b.Data, b.ColumnMajor, b.Rows, b.Cols), func(array *C.char) C.int {
			return C.proxy_dense(l.api, s.proxy, array)
		})
	})
	if err != nil {
		return err
	}
	if !s.read {
		s.all.Cols, s.all.Rows = b.Cols, s.all.Rows+b.Rows
		s.all.Labels = append(s.all.Labels, b.Labels...)
	}
	return l.describe(s.proxy, &b, s.features)
}
