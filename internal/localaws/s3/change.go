package s3

import (
	"errors"
	"hash/maphash"
	"sync"

	"engage/internal/localaws/state"
)

// keyLocks make the changes of one key happen one after the other, in the
// store and in the view alike.
type keyLocks struct {
	seed  maphash.Seed
	locks [256]sync.Mutex
}

func (l *keyLocks) of(bucket, key string) *sync.Mutex {
	return &l.locks[maphash.String(l.seed, bucket+"\x00"+key)%uint64(len(l.locks))]
}

// change is a transaction on one key. It notes the files that nothing names
// once it is committed.
type change struct {
	tx     state.Tx
	bucket Bucket
	key    string
	drop   []string

	emitted bool // an event waits to be told
}

func (c *change) name() string { return state.Key(c.bucket.Name, c.key) }

// change runs f in a transaction, and then makes files and view agree with it.
// f may run more than once.
func (s *Service) change(bucket, key string, f func(*change) error) error {
	lock := s.locks.of(bucket, key)
	lock.Lock()
	defer lock.Unlock()
	var c change
	var now string
	err := s.store.Batch(func(tx state.Tx) error {
		bk, err := getBucket(tx, bucket)
		if err != nil {
			return err
		}
		c = change{tx: tx, bucket: bk, key: key}
		if err := f(&c); err != nil {
			return err
		}
		o, _, err := c.current()
		now = o.ID
		return err
	})
	if err != nil {
		return err
	}
	if err := s.view.set(c.bucket, key, now); err != nil {
		return err
	}
	s.blobs.remove(c.bucket, c.drop...)
	if c.emitted {
		select {
		case s.wake <- struct{}{}:
		default: // it will wake, and then finds this one too
		}
	}
	return nil
}

// current returns the current version, false when there is none.
func (c *change) current() (Object, bool, error) {
	o, err := current.Get(c.tx, c.name())
	if errors.Is(err, state.ErrNotFound) {
		return Object{}, false, nil
	}
	return o, err == nil, err
}

// stamp gives a new version its number and, in a versioned bucket, its id.
func (c *change) stamp(o *Object, now int64) error {
	seq, err := current.NextSequence(c.tx)
	if err != nil {
		return err
	}
	o.Seq, o.Modified, o.Version = seq, now, nullVersion
	if c.bucket.Versioning == "Enabled" {
		o.Version = newID()
	}
	return nil
}

// retire makes room for a new version: what was current is kept as an old
// version, unless the new one takes its place.
func (c *change) retire(replacement string) error {
	o, ok, err := c.current()
	if err != nil {
		return err
	}
	if ok {
		if err := current.Delete(c.tx, c.name()); err != nil {
			return err
		}
		if o.Version != replacement {
			if err := versions.Put(c.tx, versionKey(c.bucket.Name, c.key, o.Seq), o); err != nil {
				return err
			}
		} else {
			c.drop = append(c.drop, o.ID)
		}
	}
	if replacement != nullVersion || c.bucket.Versioning == "" {
		return nil
	}
	_, _, err = c.dropOld(nullVersion)
	return err
}

// install makes o the current version.
func (c *change) install(o *Object, now int64) error {
	if err := c.stamp(o, now); err != nil {
		return err
	}
	if err := o.lockByDefault(c.bucket); err != nil {
		return err
	}
	if err := c.retire(o.Version); err != nil {
		return err
	}
	return current.Put(c.tx, c.name(), *o)
}

// remove deletes the object: for good without versioning, else by a marker,
// which it returns.
func (c *change) remove(now int64) (Object, error) {
	var marker Object
	if c.bucket.Versioning == "" {
		return marker, c.retire(nullVersion)
	}
	if err := c.stamp(&marker, now); err != nil {
		return marker, err
	}
	if err := c.retire(marker.Version); err != nil {
		return marker, err
	}
	return marker, versions.Put(c.tx, versionKey(c.bucket.Name, c.key, marker.Seq), marker)
}

// removeVersion deletes one version for good and returns it; the next older
// one becomes current when it was the newest.
func (c *change) removeVersion(id string) (Object, error) {
	o, ok, err := c.current()
	if err != nil {
		return o, err
	}
	if ok && o.Version == id {
		c.drop = append(c.drop, o.ID)
		if err := current.Delete(c.tx, c.name()); err != nil {
			return o, err
		}
		return o, c.promote()
	}
	old, _, err := c.dropOld(id)
	if err != nil || ok {
		return old, err
	}
	return old, c.promote()
}

// dropOld deletes an old version, false when there is none of this id.
func (c *change) dropOld(id string) (Object, bool, error) {
	name, o, err := c.old(func(o Object) bool { return o.Version == id })
	if name == "" || err != nil {
		return o, false, err
	}
	if !o.marker() {
		c.drop = append(c.drop, o.ID)
	}
	return o, true, versions.Delete(c.tx, name)
}

// old returns the newest old version that f accepts, "" for none.
func (c *change) old(f func(Object) bool) (string, Object, error) {
	return oldVersion(c.tx, c.bucket.Name, c.key, f)
}

func oldVersion(tx state.Tx, bucket, key string, f func(Object) bool) (string, Object, error) {
	prefix := state.Prefix(bucket, key)
	for raw := range versions.Scan(tx, prefix, "") {
		if len(raw.KeyBytes()) != len(prefix)+16 {
			continue // of a key that goes on after a NUL
		}
		o, err := raw.Value()
		if err != nil {
			return "", o, err
		}
		if f(o) {
			return raw.Key(), o, nil
		}
	}
	return "", Object{}, nil
}

// promote makes the newest old version current, unless it is a marker.
func (c *change) promote() error {
	name, o, err := c.old(func(Object) bool { return true })
	if err != nil || name == "" || o.marker() {
		return err
	}
	if err := versions.Delete(c.tx, name); err != nil {
		return err
	}
	return current.Put(c.tx, c.name(), o)
}

// find returns a version of an object: the current one for "". A marker is
// returned as such.
func find(tx state.Tx, bucket, key, version string) (Object, error) {
	o, err := current.Get(tx, state.Key(bucket, key))
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return o, err
	}
	if err == nil && (version == "" || version == o.Version) {
		return o, nil
	}
	name, o, err := oldVersion(tx, bucket, key, func(o Object) bool { return version == "" || version == o.Version })
	if err != nil {
		return o, err
	}
	if name == "" && version == "" {
		return o, noSuchKey(key)
	}
	if name == "" {
		return o, noSuchVersion(key, version)
	}
	return o, nil
}

func getBucket(tx state.Tx, name string) (Bucket, error) {
	b, err := buckets.Get(tx, name)
	if errors.Is(err, state.ErrNotFound) {
		return b, noSuchBucket(name)
	}
	return b, err
}
