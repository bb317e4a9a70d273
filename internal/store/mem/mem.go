// Package mem keeps objects in memory, with their versions, as a versioned
// bucket of S3 does.
package mem

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"engage/internal/resource"
	"engage/internal/store"
)

// Store implements every interface of package store. Its buckets are all there
// and empty at first. It is safe for concurrent use.
type Store struct {
	store.Names
	now func() time.Time

	mu      sync.Mutex
	objects map[store.Ref][]version // oldest first
	denied  map[resource.Bucket]bool
}

type version struct {
	body     []byte
	modified time.Time
}

// New returns an empty store whose objects are as old as now says.
func New(now func() time.Time) *Store {
	names := store.Names{}
	for _, b := range resource.Buckets() {
		names[b] = "engagement-" + string(b)
	}
	return &Store{Names: names, now: now, objects: map[store.Ref][]version{}, denied: map[resource.Bucket]bool{}}
}

// Deny makes every call on a bucket fail with store.ErrDenied.
func (s *Store) Deny(b resource.Bucket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[b] = true
}

// enter locks the store for a call on a bucket.
func (s *Store) enter(ctx context.Context, b resource.Bucket) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.denied[b] {
		s.mu.Unlock()
		return fmt.Errorf("%w: bucket %s", store.ErrDenied, s.Names[b])
	}
	return nil
}

// Get implements store.Reader.
func (s *Store) Get(ctx context.Context, b resource.Bucket, key string) (io.ReadCloser, error) {
	if err := s.enter(ctx, b); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	versions := s.objects[store.Ref{Bucket: b, Key: key}]
	if len(versions) == 0 {
		return nil, fmt.Errorf("read s3://%s/%s: %w", s.Names[b], key, store.ErrNotFound)
	}
	return io.NopCloser(bytes.NewReader(versions[len(versions)-1].body)), nil
}

// Put implements store.Writer.
func (s *Store) Put(ctx context.Context, b resource.Bucket, key string, body []byte, _ string) error {
	if err := s.enter(ctx, b); err != nil {
		return err
	}
	defer s.mu.Unlock()
	ref := store.Ref{Bucket: b, Key: key}
	s.objects[ref] = append(s.objects[ref], version{slices.Clone(body), s.now()})
	return nil
}

// Copy implements store.Copier.
func (s *Store) Copy(ctx context.Context, from, to store.Ref) error {
	body, err := store.ReadAll(ctx, s, from.Bucket, from.Key)
	if err != nil {
		return err
	}
	return s.Put(ctx, to.Bucket, to.Key, body, "")
}

// List implements store.Lister.
func (s *Store) List(ctx context.Context, l resource.Location) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		list, err := s.list(ctx, l)
		if err != nil {
			yield(store.Object{}, err)
			return
		}
		for _, o := range list {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (s *Store) list(ctx context.Context, l resource.Location) ([]store.Object, error) {
	if err := s.enter(ctx, l.Bucket); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var list []store.Object
	for ref, versions := range s.objects {
		if in(ref, l) {
			last := versions[len(versions)-1]
			list = append(list, store.Object{Key: ref.Key, Size: int64(len(last.body)), Modified: last.modified})
		}
	}
	slices.SortFunc(list, func(a, b store.Object) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

// Erase implements store.Eraser.
func (s *Store) Erase(ctx context.Context, l resource.Location) (int, error) {
	if err := s.enter(ctx, l.Bucket); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	n := 0
	maps.DeleteFunc(s.objects, func(ref store.Ref, versions []version) bool {
		if in(ref, l) {
			n += len(versions)
		}
		return in(ref, l)
	})
	return n, nil
}

func in(ref store.Ref, l resource.Location) bool {
	return ref.Bucket == l.Bucket && strings.HasPrefix(ref.Key, l.Prefix)
}
