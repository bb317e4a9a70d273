// Package sink writes one file as a whole: it is there when Commit returns, and
// until then, and after Abort, there is nothing of it.
package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Sink is a file that is being written. Either Commit or Abort ends it; Abort
// after either does nothing.
type Sink interface {
	io.Writer
	Commit() error
	Abort() error
}

// Output is a place for one file.
type Output interface {
	Place() string // for people
	Create(ctx context.Context) (Sink, error)
}

// ExistsError refuses to replace a file.
type ExistsError struct{ Path string }

// Error is one line that says what to do.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("%s is there already; name another file, or use --force to replace it", e.Path)
}

// File is an output on disk.
type File struct {
	Path    string
	Replace bool // a file that is there
}

// Place is the path.
func (f File) Place() string { return f.Path }

// Create begins a file beside the final one. Errors: *ExistsError, those of the
// file system.
func (f File) Create(context.Context) (Sink, error) {
	info, err := os.Lstat(f.Path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("write %s: it is not a regular file; name another", f.Path)
	case err == nil && !f.Replace:
		return nil, &ExistsError{f.Path}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("write %s: %w", f.Path, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+".*")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", f.Path, err)
	}
	return &file{File: temp, path: f.Path}, nil
}

// file is a temporary file with a name to get.
type file struct {
	*os.File
	path string
	done bool
}

// readable is the mode of a file that others may read.
const readable = 0o644

// Commit brings the file to the disk and gives it its name.
func (f *file) Commit() error {
	err := errors.Join(f.Chmod(readable), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.path, err), os.Remove(f.Name()))
	}
	f.done = true
	return syncDirectory(filepath.Dir(f.path))
}

// Abort removes what was written.
func (f *file) Abort() error {
	if f.done {
		return nil
	}
	f.done = true
	f.Close() // fails only if Commit closed it
	if err := os.Remove(f.Name()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDirectory makes a new name outlast a crash.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
