package dataset

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// writeBuffer is the size of the buffer before each staged file.
const writeBuffer = 1 << 20

// Staging is a data set that is being written. Nothing of it is seen under its
// final name before Commit, and nothing is left of it after Abort.
type Staging struct {
	dir     string   // where the data set goes
	temp    string   // where it is written, inside dir and so on the same file system
	held    *os.File // keeps temp from being swept away
	created []string // directories that Create made, outermost first
	files   []*StagedFile
	begun   bool // Commit has begun to replace what was in dir
	done    bool
}

// Create prepares dir, made if it is not there, to receive a data set. A
// directory that holds anything is a *NotEmptyError unless force is set; then
// Commit replaces the files of the data set and touches nothing else: files of
// those names that are no data set are a *ForeignFilesError, anything that is no
// regular file under such a name a *TargetError. A directory that cannot be written is a *DirectoryError, one that another process
// is writing to a *BusyError. What a killed process left there is removed.
func Create(dir string, force bool) (*Staging, error) {
	s := &Staging{dir: filepath.Clean(dir)}
	if err := s.makeDirs(); err != nil {
		s.removeDirs()
		return nil, &DirectoryError{Dir: dir, Err: plain(err)}
	}
	if err := s.claim(force); err != nil {
		s.removeDirs()
		return nil, err
	}
	return s, nil
}

// claim makes the directory to write in, unless that would harm what is there.
func (s *Staging) claim(force bool) error {
	entries, replacing, err := sweep(s.dir)
	var busy *BusyError
	switch {
	case errors.As(err, &busy):
		return err
	case err != nil:
		return &DirectoryError{Dir: s.dir, Err: plain(err)}
	case len(entries) > 0 && !force:
		return &NotEmptyError{Dir: s.dir}
	}
	if err := s.inspect(entries, replacing); err != nil {
		return err
	}
	if s.temp, err = os.MkdirTemp(s.dir, stagingPrefix); err != nil {
		return &DirectoryError{Dir: s.dir, Err: plain(err)}
	}
	if s.held, _, err = hold(s.temp); err != nil { // nobody else knows the name yet
		os.Remove(s.temp)
		return &DirectoryError{Dir: s.dir, Err: plain(err)}
	}
	return nil
}

// plain drops the operation and the path, which the caller names.
func plain(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// makeDirs makes the directory and its missing parents, and remembers which.
func (s *Staging) makeDirs() error {
	var missing []string
	for d := s.dir; ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file", d)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		missing = append(missing, d)
	}
	slices.Reverse(missing)
	for _, d := range missing {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
		s.created = append(s.created, d)
	}
	return nil
}

// removeDirs removes the directories that were made, where they are empty.
func (s *Staging) removeDirs() {
	for _, d := range slices.Backward(s.created) {
		os.Remove(d)
	}
}

// File starts one of DataFiles. It is closed by Commit or Abort, or earlier by
// the caller, who then hears at once of a full disk. Files of restricted columns
// and the truth can be read by their owner only.
func (s *Staging) File(name string) (*StagedFile, error) {
	if !isDataFile(name) {
		return nil, fmt.Errorf("stage %q: no data set has a file of that name", name)
	}
	mode := fs.FileMode(0o644)
	if isPrivate(name) {
		mode = 0o600
	}
	f, err := os.OpenFile(filepath.Join(s.temp, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", name, plain(err))
	}
	staged := &StagedFile{name: name, file: f, sum: sha256.New(), buffer: bufio.NewWriterSize(nil, writeBuffer)}
	staged.buffer.Reset(sink{staged})
	s.files = append(s.files, staged)
	return staged, nil
}

// Commit puts the files in place, the manifest last, so that a directory with
// a manifest is whole. It fills the manifest's FormatVersion and Files, rows of
// connections from Edges and all others from Rows. The set must be whole: each
// table in each of the manifest's formats, and the truth. When it fails before
// the first file is in place, Abort leaves the directory as it was.
func (s *Staging) Commit(m Manifest) error {
	if s.done {
		return errors.New("commit the data set: it was committed or aborted before")
	}
	m.FormatVersion, m.Files = FormatVersion, nil
	for _, f := range s.files {
		if err := f.Close(); err != nil {
			return err
		}
		m.Files = append(m.Files, f.entry(&m))
	}
	slices.SortFunc(m.Files, func(a, b File) int { return slices.Index(DataFiles, a.Name) - slices.Index(DataFiles, b.Name) })
	if err := s.stageManifest(m); err != nil {
		return err
	}
	if err := s.replace(m); err != nil {
		return fmt.Errorf("replace the data set: %w", err)
	}
	s.done = true
	os.RemoveAll(s.temp)
	s.held.Close()
	return syncDir(s.dir)
}

func (s *Staging) stageManifest(m Manifest) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("write %s: %w", ManifestFile, err)
	}
	text, err := m.Encode()
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(s.temp, ManifestFile))
	if err != nil {
		return fmt.Errorf("write %s: %w", ManifestFile, plain(err))
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", ManifestFile, plain(err))
	}
	return nil
}

// replace puts the staged files over those of an earlier data set. Its manifest
// goes first, and the new one comes last, so that a half-replaced directory is
// never taken for a whole one.
func (s *Staging) replace(m Manifest) error {
	if err := s.targets(); err != nil {
		return err
	}
	s.begun = true
	if err := s.remove([]string{ManifestFile}); err != nil {
		return plain(err)
	}
	if err := syncDir(s.dir); err != nil {
		return plain(err)
	}
	for _, f := range m.Files {
		if err := s.put(f.Name); err != nil {
			return err
		}
	}
	gone := slices.DeleteFunc(slices.Clone(DataFiles), func(name string) bool { _, listed := m.file(name); return listed })
	if err := s.remove(gone); err != nil {
		return plain(err)
	}
	return s.put(ManifestFile)
}

func (s *Staging) put(name string) error {
	if err := os.Rename(filepath.Join(s.temp, name), filepath.Join(s.dir, name)); err != nil {
		return fmt.Errorf("put %s in place: %w", name, plain(err))
	}
	return nil
}

// syncDir brings the names in a directory to the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Abort removes everything that was staged, and the directories that Create
// made. Where Commit failed in the middle of replacing a data set, what is left
// of both goes too, since it is neither. After Commit it does nothing, so it can be deferred.
func (s *Staging) Abort() error {
	if s.done {
		return nil
	}
	s.done = true
	for _, f := range s.files {
		if !f.closed {
			f.closed = true
			f.file.Close()
		}
	}
	var err error
	if s.begun {
		err = s.remove(DataFiles)
	}
	err = errors.Join(err, os.RemoveAll(s.temp))
	s.held.Close()
	s.removeDirs()
	return err
}
