// Package image unpacks container images into directories, once per digest.
//
// Layers: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"engage/internal/localaws/state"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Store is a directory of unpacked images. Its methods may be called concurrently.
type Store struct {
	dir    string
	limits Limits

	mu      sync.Mutex
	running map[string]*sync.Mutex // by digest: who unpacks it
}

// NewStore opens the store in a directory, which it makes when there is none,
// and removes what an interrupted process left half unpacked.
func NewStore(dir string, limits Limits) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make image directory: %w", err)
	}
	s := &Store{dir: dir, limits: limits.withDefaults(), running: map[string]*sync.Mutex{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read image directory: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), state.TempPrefix) {
			if err := RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("remove a half unpacked image: %w", err)
			}
		}
	}
	return s, nil
}

// Root returns the directory that an image's file system is unpacked in. It
// is shared: nothing may be written there.
//
// Errors: *EntryError, *LimitError, the context's, what reading a layer returns.
func (s *Store) Root(ctx context.Context, img v1.Image) (string, error) {
	digest, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("read image digest: %w", err)
	}
	lock := s.lock(digest.String())
	lock.Lock()
	defer lock.Unlock()
	path := filepath.Join(s.dir, digest.Algorithm+"-"+digest.Hex)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	return path, s.unpackTo(ctx, img, path)
}

func (s *Store) lock(digest string) *sync.Mutex {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[digest] == nil {
		s.running[digest] = &sync.Mutex{}
	}
	return s.running[digest]
}

// unpackTo unpacks beside the path and renames, so that the path is there as a whole or not at all.
func (s *Store) unpackTo(ctx context.Context, img v1.Image, path string) error {
	temp, err := os.MkdirTemp(s.dir, state.TempPrefix+"*")
	if err != nil {
		return fmt.Errorf("make directory for an image: %w", err)
	}
	if err := Unpack(ctx, img, temp, s.limits); err != nil {
		return errors.Join(err, RemoveAll(temp))
	}
	if err := state.Rename(temp, path); err != nil {
		return errors.Join(err, RemoveAll(temp))
	}
	return nil
}

// Keep removes every unpacked image that keep does not want, given its digest.
// REQUIRES: no process runs from an image that it removes.
func (s *Store) Keep(keep func(digest string) bool) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("read image directory: %w", err)
	}
	var errs []error
	for _, e := range entries {
		digest := strings.Replace(e.Name(), "-", ":", 1)
		if strings.HasPrefix(e.Name(), state.TempPrefix) || keep(digest) {
			continue
		}
		lock := s.lock(digest)
		lock.Lock()
		errs = append(errs, RemoveAll(filepath.Join(s.dir, e.Name())))
		lock.Unlock()
	}
	return errors.Join(errs...)
}

// RemoveAll removes a tree that may have directories without write permission.
func RemoveAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil
	})
	return errors.Join(err, os.RemoveAll(dir))
}
