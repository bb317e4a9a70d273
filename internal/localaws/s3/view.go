package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// view is the directory of a bucket that has the current version of every
// object at the path that its key says, for programs that read files. It is
// derived: what the store says holds, and recovery makes the view agree.
//
// A segment of a key that cannot be a file name is escaped, and escapes alone
// begin with a per cent sign:
//
//	""            %empty      (a trailing or doubled slash)
//	"."  ".."     %dot  %dotdot
//	"%..."        %%...
//	over 200 bytes  %long-<SHA-256>
//
// An object whose path is a directory, because other keys go on below it, is
// the file %object in that directory.
type view struct {
	blobs blobs
	mu    sync.Mutex // making a directory and removing an empty one exclude each other
}

const (
	objectFile = "%object"
	maxSegment = 200
)

// escapeKey returns the path of a key inside the view.
func escapeKey(key string) string {
	segments := strings.Split(key, "/")
	for i, s := range segments {
		segments[i] = escapeSegment(s)
	}
	return filepath.Join(segments...)
}

func escapeSegment(s string) string {
	switch {
	case s == "":
		return "%empty"
	case s == ".":
		return "%dot"
	case s == "..":
		return "%dotdot"
	case len(s) > maxSegment:
		sum := sha256.Sum256([]byte(s))
		return "%long-" + hex.EncodeToString(sum[:])
	case s[0] == '%':
		return "%" + s
	}
	return s
}

func (v *view) root(bk Bucket) string { return filepath.Join(v.blobs.bucketDir(bk), "current") }

// path returns where the file of a key is, or would be.
func (v *view) path(bk Bucket, key string) string {
	path := filepath.Join(v.root(bk), escapeKey(key))
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return filepath.Join(path, objectFile)
	}
	return path
}

// set makes the view show a version of a key, "" for none.
func (v *view) set(bk Bucket, key, id string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if id == "" {
		return v.unset(bk, key)
	}
	return v.link(bk, key, id)
}

func (v *view) link(bk Bucket, key, id string) error {
	tmp := filepath.Join(v.blobs.tmpDir(), "link-"+newID())
	if err := os.Link(v.blobs.path(bk, id), tmp); err != nil {
		return fmt.Errorf("show object in %s: %w", v.root(bk), err)
	}
	dir := filepath.Dir(filepath.Join(v.root(bk), escapeKey(key)))
	err := os.Rename(tmp, v.path(bk, key))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		if err = v.makeDir(v.root(bk), dir); err == nil {
			err = os.Rename(tmp, v.path(bk, key))
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("show object in %s: %w", v.root(bk), err), os.Remove(tmp))
	}
	return nil
}

// makeDir makes a directory and what is above it up to the root. An object
// that is in the way moves into the directory that takes its name.
func (v *view) makeDir(root, dir string) error {
	if len(dir) > len(root) {
		if err := v.makeDir(root, filepath.Dir(dir)); err != nil {
			return err
		}
	}
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return os.MkdirAll(dir, 0o700)
	case err != nil || info.IsDir():
		return err
	}
	aside := filepath.Join(v.blobs.tmpDir(), "aside-"+newID())
	if err := os.Rename(dir, aside); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return os.Rename(aside, filepath.Join(dir, objectFile))
}

// unset removes a key's file and the directories that it leaves empty.
func (v *view) unset(bk Bucket, key string) error {
	path, root := v.path(bk, key), v.root(bk)
	err := os.Remove(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("hide object in %s: %w", root, err)
	}
	for dir := filepath.Dir(path); len(dir) > len(root); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			break // not empty
		}
	}
	return nil
}
