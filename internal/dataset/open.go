package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"engage/internal/schema"
)

// NotDatasetError says that a directory holds no data set.
type NotDatasetError struct{ Dir string }

func (e *NotDatasetError) Error() string {
	return fmt.Sprintf("%s holds no data set: it has no %s; generate one there or name another directory", e.Dir, ManifestFile)
}

// FileError says that a file of a data set is missing or has another size than
// the manifest says.
type FileError struct {
	Dir, Name string
	Reason    string
}

func (e *FileError) Error() string {
	return fmt.Sprintf("%s in %s %s; generate the data set again", e.Name, e.Dir, e.Reason)
}

// SchemaError says that a data set's files have other columns than this program
// knows.
type SchemaError struct{ Dir, Table string }

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the data set in %s was made with another version of the schema (table %s): generate it again", e.Dir, e.Table)
}

// PathError says that there is nothing to read at a path. It wraps an error of
// package fs, such as fs.ErrNotExist.
type PathError struct {
	Path   string
	Reason string // what is wrong and what to do
	Err    error
}

func (e *PathError) Error() string { return e.Path + " " + e.Reason }

func (e *PathError) Unwrap() error { return e.Err }

// errNotDirectory is inside the PathError of a file where a directory is needed.
var errNotDirectory = errors.New("not a directory")

// pathError says in words what keeps a path from being read.
func pathError(path string, err error) error {
	reason := fmt.Sprintf("cannot be read: %v; name another", plain(err))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		reason = "does not exist; generate a data set there or name another path"
	case errors.Is(err, fs.ErrPermission):
		reason = "may not be read by you; change its permissions or name another path"
	}
	return &PathError{Path: path, Reason: reason, Err: err}
}

// Dataset is a data set on disk.
type Dataset struct {
	Dir      string
	Manifest Manifest
}

// Open reads the manifest in dir and checks that it fits the schema and that its
// files are there in their sizes. Errors: *PathError, *NotDatasetError,
// *ManifestError, *SchemaError, *FileError.
func Open(dir string) (*Dataset, error) {
	d, err := openManifest(dir, schema.Tables)
	if err != nil {
		return nil, err
	}
	for _, f := range d.Manifest.Files {
		if reason := d.fault(f); reason != "" {
			return nil, &FileError{Dir: dir, Name: f.Name, Reason: reason}
		}
	}
	return d, nil
}

// openManifest reads the manifest in dir and checks it against the tables.
func openManifest(dir string, tables []*schema.Table) (*Dataset, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, pathError(dir, err)
	}
	if !info.IsDir() {
		return nil, &PathError{Path: dir, Reason: "is a file; name the directory of a data set", Err: errNotDirectory}
	}
	f, err := os.Open(filepath.Join(dir, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotDatasetError{Dir: dir}
	}
	if err != nil {
		return nil, pathError(filepath.Join(dir, ManifestFile), err)
	}
	defer f.Close()
	m, err := DecodeManifest(f)
	if err != nil {
		return nil, fmt.Errorf("open the data set in %s: %w", dir, err)
	}
	for _, t := range tables {
		if m.Schema[t.Name] != schema.Fingerprint(t) {
			return nil, &SchemaError{Dir: dir, Table: t.Name}
		}
	}
	return &Dataset{Dir: dir, Manifest: m}, nil
}

// fault says what is wrong with the size of a file, or nothing.
func (d *Dataset) fault(f File) string {
	info, err := os.Stat(d.Path(f.Name))
	switch {
	case err != nil:
		return "is missing"
	case info.Size() != f.Bytes:
		return fmt.Sprintf("has %d bytes, %s says %d", info.Size(), ManifestFile, f.Bytes)
	}
	return ""
}

// Path is where the named file of the data set is.
func (d *Dataset) Path(name string) string { return filepath.Join(d.Dir, name) }

// Has reports whether the data set holds the named file.
func (d *Dataset) Has(name string) bool {
	_, ok := d.Manifest.file(name)
	return ok
}
