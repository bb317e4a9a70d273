package xgb

// #include "shim.h"
import "C"

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
)

// A handle owns something of the library's. Its lock is held while the library
// uses it.
type handle struct {
	id      uint64 // order of locking, so that no two goroutines wait for each other
	mu      sync.Mutex
	c       C.handle // nil after release
	free    func(C.handle)
	cleanup runtime.Cleanup
}

// own makes a handle whose thing is freed at the latest when it is not reachable.
func own(l *Library, c C.handle, free func(C.handle)) *handle {
	h := &handle{id: l.nextID.Add(1), c: c, free: free}
	h.cleanup = runtime.AddCleanup(h, free, c)
	return h
}

// release frees what it owns, once.
func (h *handle) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.c == nil {
		return
	}
	h.cleanup.Stop()
	h.free(h.c)
	h.c = nil
}

// using calls f with the locks of all handles held, each of which may be given
// more than once.
func using(handles []*handle, f func() error) error {
	locked := unique(handles)
	for _, h := range locked {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.c == nil {
			return ErrClosed
		}
	}
	defer runtime.KeepAlive(handles)
	return f()
}

// unique returns the distinct handles in the order of locking.
func unique(handles []*handle) []*handle {
	sorted := slices.Clone(handles)
	slices.SortFunc(sorted, func(a, b *handle) int { return cmp.Compare(a.id, b.id) })
	return slices.Compact(sorted)
}
