// Package state keeps the endpoint's metadata in one file that survives a
// crash at any moment: a change is there as a whole once its call returned, or
// not at all.
package state

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// fileName is the store's file inside its directory.
const fileName = "state.db"

// lockTimeout is how long Open waits for another process to let go of the file.
const lockTimeout = 2 * time.Second

// Store is an open metadata file. Its methods may be called concurrently.
type Store struct {
	db    *bbolt.DB
	dir   string
	batch batcher
}

// CorruptError says that the file cannot be read as a store.
type CorruptError struct {
	Path  string
	Cause error
}

// Error names the file and the way out.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("state file %s is damaged (%v): restore it, or start afresh with `engage local reset`", e.Path, e.Cause)
}

// Unwrap returns what was found wrong.
func (e *CorruptError) Unwrap() error { return e.Cause }

// LockedError says that another process has the file open.
type LockedError struct{ Path string }

// Error names the file and the way out.
func (e *LockedError) Error() string {
	return fmt.Sprintf("state file %s is in use by another endpoint: stop it with `engage local down`, or choose another state directory", e.Path)
}

// Open opens the store in a directory, which it makes when there is none.
//
// Errors: *CorruptError, *LockedError, what the file system says.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	path := filepath.Join(dir, fileName)
	db, err := openFile(path)
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, &LockedError{path}
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("open state: %w", err)
	case err != nil:
		return nil, &CorruptError{path, err}
	}
	return &Store{db: db, dir: dir}, nil
}

// openFile opens the file and reads every page that is in use: a damaged page
// would otherwise panic, or worse, much later.
func openFile(path string) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	if err := db.View(walk); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// walk visits the branch structure of every bucket's tree.
func walk(tx *bbolt.Tx) error {
	return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
		b.Stats()
		return nil
	})
}

// Dir returns the store's directory, where services keep their files beside it.
func (s *Store) Dir() string { return s.dir }

// Close flushes and closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Tx is a transaction over all collections. It must not be used after the
// function that got it returned.
type Tx struct{ tx *bbolt.Tx }

// Update runs f in a transaction of its own. It is durable when Update
// returns nil; when f fails nothing of it happened.
func (s *Store) Update(f func(Tx) error) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return f(Tx{tx}) })
}

// View runs f over a snapshot.
func (s *Store) View(f func(Tx) error) error {
	return s.db.View(func(tx *bbolt.Tx) error { return f(Tx{tx}) })
}

// encode writes a value as JSON, or in a form of its own.
func encode[T any](v T) ([]byte, error) {
	var b []byte
	var err error
	if own, ok := any(v).(encoding.BinaryAppender); ok {
		b, err = own.AppendBinary(nil)
	} else {
		b, err = json.Marshal(v)
	}
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return b, nil
}

func decode[T any](b []byte) (T, error) {
	var v T
	var err error
	if own, ok := any(&v).(encoding.BinaryUnmarshaler); ok {
		err = own.UnmarshalBinary(b)
	} else {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		return v, fmt.Errorf("decode %T: %w", v, err)
	}
	return v, nil
}
