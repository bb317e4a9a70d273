package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"engage/internal/localaws/state"
)

// dirtyFile is there while the service runs. When it is there at the start,
// the last run did not end well, and files may not agree with the store.
const dirtyFile = "dirty"

// recover empties the directory of unfinished files and, after a crash, makes
// files and views agree with the store.
func (s *Service) recover() error {
	if err := errors.Join(os.RemoveAll(s.blobs.tmpDir()), os.MkdirAll(s.blobs.tmpDir(), 0o700)); err != nil {
		return fmt.Errorf("clear unfinished objects: %w", err)
	}
	dirty := filepath.Join(s.blobs.root, dirtyFile)
	_, err := os.Stat(dirty)
	if err == nil {
		err = s.reconcile()
	} else if errors.Is(err, os.ErrNotExist) {
		err = state.WriteFile(dirty, nil, 0o600)
	}
	if err != nil {
		return fmt.Errorf("recover objects: %w", err)
	}
	return nil
}

// clean says that files and store agree.
func (s *Service) clean() error { return os.Remove(filepath.Join(s.blobs.root, dirtyFile)) }

func (s *Service) reconcile() error {
	return s.store.View(func(tx state.Tx) error {
		used, err := usedFiles(tx)
		if err != nil {
			return err
		}
		for raw := range buckets.Scan(tx, "", "") {
			bk, err := raw.Value()
			if err != nil {
				return err
			}
			if err := s.reconcileBucket(tx, bk, used); err != nil {
				return err
			}
		}
		return nil
	})
}

// usedFiles returns the ids that versions and parts name.
func usedFiles(tx state.Tx) (map[string]bool, error) {
	used := map[string]bool{}
	for _, c := range []state.Collection[Object]{current, versions} {
		for raw := range c.Scan(tx, "", "") {
			o, err := raw.Value()
			if err != nil {
				return nil, err
			}
			used[o.ID] = true
		}
	}
	for raw := range parts.Scan(tx, "", "") {
		p, err := raw.Value()
		if err != nil {
			return nil, err
		}
		used[p.ID] = true
	}
	return used, nil
}

func (s *Service) reconcileBucket(tx state.Tx, bk Bucket, used map[string]bool) error {
	data := filepath.Join(s.blobs.bucketDir(bk), "data")
	err := eachFile(data, func(path string) error {
		if used[filepath.Base(path)] {
			return nil
		}
		return os.Remove(path)
	})
	if err != nil {
		return err
	}
	prefix := state.Prefix(bk.Name)
	for raw := range current.Scan(tx, prefix, "") {
		o, err := raw.Value()
		if err != nil {
			return err
		}
		key := raw.Key()[len(prefix):]
		if err := s.show(bk, key, o); err != nil {
			return err
		}
	}
	return s.hideOthers(tx, bk)
}

// show makes the view of a key agree, if it does not.
func (s *Service) show(bk Bucket, key string, o Object) error {
	have, err := os.Lstat(s.view.path(bk, key))
	if err == nil {
		want, err := os.Lstat(s.blobs.path(bk, o.ID))
		if err != nil {
			return fmt.Errorf("object %s of bucket %s has lost its file: %w", key, bk.Name, err)
		}
		if os.SameFile(have, want) {
			return nil
		}
	}
	return s.view.set(bk, key, o.ID)
}

// hideOthers removes files from the view that no current version has.
func (s *Service) hideOthers(tx state.Tx, bk Bucket) error {
	shown := map[string]bool{}
	prefix := state.Prefix(bk.Name)
	for raw := range current.Scan(tx, prefix, "") {
		shown[s.view.path(bk, raw.Key()[len(prefix):])] = true
	}
	return eachFile(s.view.root(bk), func(path string) error {
		if shown[path] {
			return nil
		}
		return os.Remove(path)
	})
}

// eachFile runs f on the files below a directory, which may be missing.
func eachFile(dir string, f func(path string) error) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return f(path)
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
