package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile replaces a file as a whole: after a crash it has its old content
// or the new one. Missing directories are made.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	f, err := CreateTemp(filepath.Dir(path), mode)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), f.Discard())
	}
	return f.Commit(path)
}

// TempPrefix begins the names of files that are not yet committed: what has
// it when a process starts is left over from a crash.
const TempPrefix = ".tmp-"

// Temp is a file being written. End it with Commit or Discard.
type Temp struct {
	*os.File
	mode os.FileMode
}

// CreateTemp makes a file in a directory, which it makes when there is none.
func CreateTemp(dir string, mode os.FileMode) (*Temp, error) {
	f, err := os.CreateTemp(dir, TempPrefix+"*")
	if errors.Is(err, os.ErrNotExist) {
		if err := makeDirs(dir); err != nil {
			return nil, fmt.Errorf("make directory for a new file: %w", err)
		}
		f, err = os.CreateTemp(dir, TempPrefix+"*")
	}
	if err != nil {
		return nil, fmt.Errorf("make temporary file: %w", err)
	}
	return &Temp{f, mode}, nil
}

var _ io.Writer = (*Temp)(nil)

// Seal makes the content durable and closes the file, which keeps its temporary name.
func (t *Temp) Seal() error {
	err := errors.Join(t.Chmod(t.mode), t.Sync(), t.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", t.Name(), errors.Join(err, os.Remove(t.Name())))
	}
	return nil
}

// Commit makes the content durable and gives the file its name.
func (t *Temp) Commit(path string) error {
	if err := t.Seal(); err != nil {
		return err
	}
	if err := Rename(t.Name(), path); err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	return nil
}

// Discard closes and removes the file.
func (t *Temp) Discard() error {
	err := t.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return errors.Join(err, os.Remove(t.Name()))
}

// Rename moves a file and makes the move durable. Missing directories are made.
func Rename(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, os.ErrNotExist) {
		if err = makeDirs(filepath.Dir(to)); err == nil {
			err = os.Rename(from, to)
		}
	}
	if err != nil {
		return fmt.Errorf("rename to %s: %w", to, err)
	}
	return SyncDir(filepath.Dir(to))
}

// makeDirs makes a directory and its parents, and makes their entries durable.
func makeDirs(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := makeDirs(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return SyncDir(parent)
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}
