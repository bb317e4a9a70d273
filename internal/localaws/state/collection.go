package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"

	"go.etcd.io/bbolt"
)

// ErrNotFound is returned by Get and Delete for a key that is not there.
var ErrNotFound = errors.New("not found")

// ErrExists is returned by Create for a key that is there already.
var ErrExists = errors.New("exists already")

// Collection is a set of values of one type in one Store, ordered by key.
// It is only a name: it may be a package variable.
type Collection[T any] struct{ name []byte }

// NewCollection returns the collection of a name: "glue/tables". Values are
// kept as JSON, unless T has encoding.BinaryAppender and *T has
// encoding.BinaryUnmarshaler.
func NewCollection[T any](name string) Collection[T] { return Collection[T]{[]byte(name)} }

// Key joins the parts of a key: account, region and names. The order of keys
// is that of their parts, one after the other. A part must not have a NUL.
func Key(parts ...string) string { return strings.Join(parts, "\x00") }

// Prefix is the prefix of all keys whose first parts are these: for List.
func Prefix(parts ...string) string { return Key(parts...) + "\x00" }

// Parts splits what Key joined.
func Parts(key string) []string { return strings.Split(key, "\x00") }

func (c Collection[T]) bucket(tx Tx) (*bbolt.Bucket, error) {
	b, err := tx.tx.CreateBucketIfNotExists(c.name)
	if err != nil {
		return nil, fmt.Errorf("open collection %s: %w", c.name, err)
	}
	return b, nil
}

// Get returns the value of a key. Errors: ErrNotFound.
func (c Collection[T]) Get(tx Tx, key string) (T, error) {
	var zero T
	b := tx.tx.Bucket(c.name)
	if b == nil {
		return zero, ErrNotFound
	}
	raw := b.Get([]byte(key))
	if raw == nil {
		return zero, ErrNotFound
	}
	return decode[T](raw)
}

// Has reports whether the key is there.
func (c Collection[T]) Has(tx Tx, key string) bool {
	b := tx.tx.Bucket(c.name)
	return b != nil && b.Get([]byte(key)) != nil
}

// Put sets the value of a key.
func (c Collection[T]) Put(tx Tx, key string, value T) error {
	b, err := c.bucket(tx)
	if err != nil {
		return err
	}
	raw, err := encode(value)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), raw)
}

// Create sets the value of a key that is not there yet. Errors: ErrExists.
func (c Collection[T]) Create(tx Tx, key string, value T) error {
	if c.Has(tx, key) {
		return ErrExists
	}
	return c.Put(tx, key, value)
}

// Delete removes a key. Errors: ErrNotFound.
func (c Collection[T]) Delete(tx Tx, key string) error {
	if !c.Has(tx, key) {
		return ErrNotFound
	}
	return tx.tx.Bucket(c.name).Delete([]byte(key))
}

// DeletePrefix removes every key with the prefix.
func (c Collection[T]) DeletePrefix(tx Tx, prefix string) error {
	b := tx.tx.Bucket(c.name)
	if b == nil {
		return nil
	}
	var keys [][]byte
	cursor := b.Cursor()
	for k, _ := cursor.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, _ = cursor.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return fmt.Errorf("delete from %s: %w", c.name, err)
		}
	}
	return nil
}

// Entry is a key and its value.
type Entry[T any] struct {
	Key   string
	Value T
}

// List returns up to limit entries whose keys have the prefix and come after
// the key after ("" for the first ones), in order. No limit is 0.
func (c Collection[T]) List(tx Tx, prefix, after string, limit int) ([]Entry[T], error) {
	var entries []Entry[T]
	for raw := range c.Scan(tx, prefix, after) {
		value, err := raw.Value()
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry[T]{raw.Key(), value})
		if len(entries) == limit {
			break
		}
	}
	return entries, nil
}

// Raw is an entry that is decoded on demand. It is valid until the next step
// of its scan.
type Raw[T any] struct{ key, value []byte }

// Key returns the entry's key.
func (r Raw[T]) Key() string { return string(r.key) }

// KeyBytes returns the key without a copy.
func (r Raw[T]) KeyBytes() []byte { return r.key }

// ValueBytes returns the value as it is kept, without a copy.
func (r Raw[T]) ValueBytes() []byte { return r.value }

// Value decodes the entry's value.
func (r Raw[T]) Value() (T, error) { return decode[T](r.value) }

// Scan iterates over the entries whose keys have the prefix and come after
// the key after, in order. The collection must not change meanwhile.
func (c Collection[T]) Scan(tx Tx, prefix, after string) iter.Seq[Raw[T]] {
	return c.ScanFrom(tx, prefix, max(prefix, after), after)
}

// ScanFrom is Scan from the first key not before from, and not equal to after.
func (c Collection[T]) ScanFrom(tx Tx, prefix, from, after string) iter.Seq[Raw[T]] {
	return func(yield func(Raw[T]) bool) {
		b := tx.tx.Bucket(c.name)
		if b == nil {
			return
		}
		cursor := b.Cursor()
		for k, v := cursor.Seek([]byte(from)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = cursor.Next() {
			if after != "" && string(k) == after {
				continue
			}
			if !yield(Raw[T]{k, v}) {
				return
			}
		}
	}
}

// ScanBack iterates over the entries whose keys have the prefix and come
// before the key before, the last one first. The collection must not change meanwhile.
func (c Collection[T]) ScanBack(tx Tx, prefix, before string) iter.Seq[Raw[T]] {
	return func(yield func(Raw[T]) bool) {
		b := tx.tx.Bucket(c.name)
		if b == nil {
			return
		}
		cursor := b.Cursor()
		step := cursor.Prev
		if k, _ := cursor.Seek([]byte(before)); k == nil {
			step = cursor.Last
		}
		k, v := step()
		for ; k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = cursor.Prev() {
			if !yield(Raw[T]{k, v}) {
				return
			}
		}
	}
}

// Cursor walks over the entries of a prefix and can jump ahead.
type Cursor[T any] struct {
	cursor *bbolt.Cursor
	prefix []byte
}

// Cursor returns a cursor over the entries whose keys have the prefix.
func (c Collection[T]) Cursor(tx Tx, prefix string) Cursor[T] {
	b := tx.tx.Bucket(c.name)
	if b == nil {
		return Cursor[T]{}
	}
	return Cursor[T]{b.Cursor(), []byte(prefix)}
}

// Seek returns the first entry whose key is not before key, false at the end.
func (c Cursor[T]) Seek(key string) (Raw[T], bool) {
	if c.cursor == nil {
		return Raw[T]{}, false
	}
	return c.entry(c.cursor.Seek([]byte(key)))
}

// Next returns the entry after the one returned last, false at the end.
// REQUIRES: the last call returned true.
func (c Cursor[T]) Next() (Raw[T], bool) { return c.entry(c.cursor.Next()) }

func (c Cursor[T]) entry(k, v []byte) (Raw[T], bool) {
	return Raw[T]{k, v}, k != nil && bytes.HasPrefix(k, c.prefix)
}

// NextSequence returns 1, 2, 3 ... for the collection, never one twice.
func (c Collection[T]) NextSequence(tx Tx) (uint64, error) {
	b, err := c.bucket(tx)
	if err != nil {
		return 0, err
	}
	return b.NextSequence()
}

// Ordinal returns a number as a key part whose order is the number's.
// It has no NUL: each half-byte is one letter.
func Ordinal(n uint64) string {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], n)
	return fmt.Sprintf("%x", raw)
}
