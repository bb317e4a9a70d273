package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// Dataset is a data set on disk.
type Dataset struct {
	Dir      string
	Manifest Manifest
}

// Open reads the manifest in dir and checks that its files are there in their
// sizes. Errors: *NotDatasetError, *ManifestError, *FileError, those of the file system.
func Open(dir string) (*Dataset, error) {
	d, err := openManifest(dir)
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

func openManifest(dir string) (*Dataset, error) {
	f, err := os.Open(filepath.Join(dir, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotDatasetError{Dir: dir}
	}
	if err != nil {
		return nil, fmt.Errorf("open the data set: %w", err)
	}
	defer f.Close()
	m, err := DecodeManifest(f)
	if err != nil {
		return nil, fmt.Errorf("open the data set in %s: %w", dir, err)
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
