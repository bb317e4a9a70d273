package pack

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// replace writes a file under another name and gives it its own when it is whole.
func replace(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

// replaceDir fills a new directory and puts it in the place of another.
func replaceDir(path string, fill func(dir string) error) error {
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	made, err := os.MkdirTemp(parent, ".tmp-*")
	if err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(made, 0o755), fill(made)); err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	old := made + ".old"
	if err := os.Rename(path, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, os.RemoveAll(made))
	}
	return errors.Join(os.Rename(made, path), os.RemoveAll(old))
}
