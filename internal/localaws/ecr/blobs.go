package ecr

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"engage/internal/localaws/state"
)

// blobStore keeps blobs as files named by their digest. A repository sees a
// blob when it has a link to it; a blob without links is removed.
type blobStore struct {
	dir   string
	store *state.Store

	// files is held for reading while a blob is put and linked, and for
	// writing while one is unlinked and removed.
	files sync.RWMutex
}

func openBlobs(store *state.Store) (*blobStore, error) {
	b := &blobStore{dir: filepath.Join(store.Dir(), "ecr"), store: store}
	for _, dir := range []string{b.uploads(), filepath.Join(b.dir, "sha256")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make blob directory: %w", err)
		}
	}
	left, err := os.ReadDir(b.uploads())
	if err != nil {
		return nil, fmt.Errorf("read upload directory: %w", err)
	}
	for _, e := range left {
		if err := os.Remove(filepath.Join(b.uploads(), e.Name())); err != nil {
			return nil, fmt.Errorf("remove an upload that a crash cut short: %w", err)
		}
	}
	return b, nil
}

func (b *blobStore) uploads() string { return filepath.Join(b.dir, "uploads") }

func (b *blobStore) path(digest string) string {
	hexed := strings.TrimPrefix(digest, "sha256:")
	return filepath.Join(b.dir, "sha256", hexed[:2], hexed)
}

// errDigest says that content is not what its digest promises.
var errDigest = errors.New("the content does not have the digest")

// upload is a blob that is being sent.
type upload struct {
	mu   sync.Mutex
	repo repoID
	file *state.Temp
	hash hash.Hash
	size int64
}

func (b *blobStore) begin(repo repoID) (*upload, error) {
	f, err := state.CreateTemp(b.uploads(), 0o600)
	if err != nil {
		return nil, err
	}
	return &upload{repo: repo, file: f, hash: sha256.New()}, nil
}

// Write appends to the upload.
func (u *upload) Write(p []byte) (int, error) {
	n, err := u.file.Write(p)
	u.hash.Write(p[:n])
	u.size += int64(n)
	return n, err
}

func (u *upload) discard() error { return u.file.Discard() }

// commit verifies the upload and makes it a blob of its repository. Errors: errDigest.
func (b *blobStore) commit(u *upload, digest string) error {
	if got := "sha256:" + hex.EncodeToString(u.hash.Sum(nil)); got != digest {
		return errors.Join(fmt.Errorf("%w %s but %s", errDigest, digest, got), u.discard())
	}
	b.files.RLock()
	defer b.files.RUnlock()
	if err := u.file.Commit(b.path(digest)); err != nil {
		return fmt.Errorf("keep blob: %w", err)
	}
	return b.store.Update(func(tx state.Tx) error { return link(tx, u.repo, digest, u.size) })
}

func link(tx state.Tx, repo repoID, digest string, size int64) error {
	if err := blobLinks.Put(tx, repo.key(digest), size); err != nil {
		return err
	}
	return blobUsers.Put(tx, state.Key(digest, repo.account, repo.region, repo.name), true)
}

// mount links a blob of one repository to another. Errors: state.ErrNotFound.
func (b *blobStore) mount(from, to repoID, digest string) error {
	b.files.RLock()
	defer b.files.RUnlock()
	return b.store.Update(func(tx state.Tx) error {
		size, err := blobLinks.Get(tx, from.key(digest))
		if err != nil {
			return err
		}
		return link(tx, to, digest, size)
	})
}

// size returns the size of a repository's blob. Errors: state.ErrNotFound.
func (b *blobStore) size(repo repoID, digest string) (size int64, err error) {
	err = b.store.View(func(tx state.Tx) error {
		size, err = blobLinks.Get(tx, repo.key(digest))
		return err
	})
	return size, err
}

func (b *blobStore) open(digest string) (*os.File, error) { return os.Open(b.path(digest)) }

// prune runs f, which returns blobs to unlink from a repository, in a
// transaction, and then removes the files that nothing links to any more.
func (b *blobStore) prune(f func(state.Tx) (repoID, []string, error)) error {
	b.files.Lock()
	defer b.files.Unlock()
	var unused []string
	err := b.store.Update(func(tx state.Tx) error {
		repo, digests, err := f(tx)
		if err != nil {
			return err
		}
		unused = unused[:0]
		for _, digest := range digests {
			if err := unlink(tx, repo, digest); err != nil {
				return err
			}
			users, err := blobUsers.List(tx, state.Prefix(digest), "", 1)
			if err != nil {
				return err
			}
			if len(users) == 0 {
				unused = append(unused, digest)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, digest := range unused {
		if err := os.Remove(b.path(digest)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func unlink(tx state.Tx, repo repoID, digest string) error {
	err := errors.Join(blobLinks.Delete(tx, repo.key(digest)),
		blobUsers.Delete(tx, state.Key(digest, repo.account, repo.region, repo.name)))
	if errors.Is(err, state.ErrNotFound) {
		return nil
	}
	return err
}
