package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// NotEmptyError says that a directory holds something already.
type NotEmptyError struct{ Dir string }

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("directory %s is not empty; name another one, or use --force to replace the data set in it", e.Dir)
}

// DirectoryError says that a directory cannot be written.
type DirectoryError struct {
	Dir string
	Err error
}

func (e *DirectoryError) Error() string {
	return fmt.Sprintf("cannot write to directory %s: %v; name one that is writable", e.Dir, e.Err)
}

func (e *DirectoryError) Unwrap() error { return e.Err }

// ForeignFilesError says that a directory holds files with names of a data set's,
// and no manifest that makes them one.
type ForeignFilesError struct {
	Dir   string
	Names []string
}

func (e *ForeignFilesError) Error() string {
	return fmt.Sprintf("directory %s holds files that are no data set of engage: %s; move them away or name another directory",
		e.Dir, strings.Join(e.Names, ", "))
}

// TargetError says that something other than a file is where a file of the data
// set goes.
type TargetError struct{ Dir, Name string }

func (e *TargetError) Error() string {
	return fmt.Sprintf("%s in directory %s is not a regular file and will not be replaced; move it away or name another directory", e.Name, e.Dir)
}

// inspect refuses to replace what is no data set. Half a data set, which a
// process left that was killed while it replaced another, is removed.
func (s *Staging) inspect(entries []fs.DirEntry, replacing []string) error {
	if err := s.targets(); err != nil {
		return err
	}
	var foreign []string
	for _, entry := range entries {
		if entry.Name() == ManifestFile {
			foreign = nil
			break
		}
		if isDataFile(entry.Name()) {
			foreign = append(foreign, entry.Name())
		}
	}
	if len(foreign) > 0 && len(replacing) == 0 {
		return &ForeignFilesError{Dir: s.dir, Names: foreign}
	}
	if err := s.remove(foreign); err != nil {
		return &DirectoryError{Dir: s.dir, Err: plain(err)}
	}
	for _, staging := range replacing {
		if err := os.RemoveAll(staging); err != nil {
			return &DirectoryError{Dir: s.dir, Err: plain(err)}
		}
	}
	return nil
}

// targets checks that each name of a data set's file is free or a regular file.
func (s *Staging) targets() error {
	for _, name := range append([]string{ManifestFile}, DataFiles...) {
		info, err := os.Lstat(filepath.Join(s.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return &DirectoryError{Dir: s.dir, Err: plain(err)}
		}
		if !info.Mode().IsRegular() {
			return &TargetError{Dir: s.dir, Name: name}
		}
	}
	return nil
}

// remove removes files that may be missing.
func (s *Staging) remove(names []string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
