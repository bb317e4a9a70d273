package s3

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"engage/internal/localaws/state"
)

// blobs are the files that hold the bytes of objects and parts. A file never
// changes once it has its name:
//
//	<root>/tmp/                                 being written
//	<root>/<account>/<bucket>/data/<xx>/<id>    the bytes of one version
//	<root>/<account>/<bucket>/current/<key>     hard link to the current version: see view
type blobs struct{ root string }

func (b blobs) tmpDir() string { return filepath.Join(b.root, "tmp") }

func (b blobs) bucketDir(bk Bucket) string { return filepath.Join(b.root, bk.Account, bk.Name) }

func (b blobs) path(bk Bucket, id string) string {
	return filepath.Join(b.bucketDir(bk), "data", id[:2], id)
}

// create returns a file to write bytes into.
func (b blobs) create() (*state.Temp, error) { return state.CreateTemp(b.tmpDir(), 0o600) }

// keep makes the file's bytes durable under a new id.
func (b blobs) keep(bk Bucket, f *state.Temp) (string, error) {
	id := newID()
	return id, f.Commit(b.path(bk, id))
}

// remove deletes files that no version names any more. What cannot be removed
// takes space until the next recovery and does no other harm.
func (b blobs) remove(bk Bucket, ids ...string) {
	for _, id := range ids {
		os.Remove(b.path(bk, id))
	}
}

// removeBucket deletes what is left of an empty bucket: directories.
func (b blobs) removeBucket(bk Bucket) {
	dir := b.bucketDir(bk)
	shards, _ := os.ReadDir(filepath.Join(dir, "data"))
	for _, shard := range shards {
		os.Remove(filepath.Join(dir, "data", shard.Name())) // fails when it is not empty
	}
	for _, name := range []string{"data", "current", ""} {
		os.Remove(filepath.Join(dir, name))
	}
}

func newID() string {
	var raw [16]byte
	rand.Read(raw[:]) //nolint:errcheck // never fails, by its documentation
	return hex.EncodeToString(raw[:])
}

// open opens the file of a version.
func (b blobs) open(bk Bucket, id string) (*os.File, error) {
	f, err := os.Open(b.path(bk, id))
	if err != nil {
		return nil, fmt.Errorf("open object: %w", err)
	}
	return f, nil
}

func isGone(err error) bool { return errors.Is(err, os.ErrNotExist) }
