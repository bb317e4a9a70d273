// Package code keeps the deployment packages of functions: each zip once, by
// the SHA-256 of its bytes, and unpacked beside it.
package code

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"engage/internal/localaws/state"
)

// Limits of a package.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	MaxUnpacked = 250 << 20 // bytes
	MaxEntries  = 50_000
)

// Error says what is wrong with a package, in words for its author.
type Error struct{ Reason string }

// Error returns the reason.
func (e *Error) Error() string { return e.Reason }

func fault(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Store keeps packages in a directory. Its methods may be called concurrently.
type Store struct {
	dir string
	mu  sync.Mutex // held while a package is unpacked
}

// Open returns the store in a directory, which is made when it is missing,
// and removes what a crash left half unpacked.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open code store: %w", err)
	}
	s := &Store{dir: dir}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open code store: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), state.TempPrefix) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("remove half unpacked code: %w", err)
			}
		}
	}
	return s, nil
}

// Package is one that is kept.
type Package struct {
	ID     string // hexadecimal SHA-256
	Sha256 string // as AWS tells it, in base64
	Size   int64  // of the zip
}

// Root is where the package is unpacked.
func (s *Store) Root(id string) string { return filepath.Join(s.dir, id, "root") }

// Zip is the file that was given.
func (s *Store) Zip(id string) string { return filepath.Join(s.dir, id, "code.zip") }

// Add keeps a zip. It is unpacked aside and gets its name when all of it is
// on disk, so that nothing is ever run that is still being written.
//
// Errors: *Error, what the file system says.
func (s *Store) Add(data []byte) (Package, error) {
	p := describe(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	final := filepath.Join(s.dir, p.ID)
	if _, err := os.Stat(final); err == nil {
		return p, nil
	}
	temp, err := os.MkdirTemp(s.dir, state.TempPrefix+"*")
	if err != nil {
		return p, fmt.Errorf("unpack code: %w", err)
	}
	err = fill(temp, data)
	if err == nil {
		err = state.Rename(temp, final)
	}
	if err != nil {
		return p, errors.Join(err, os.RemoveAll(temp))
	}
	return p, nil
}

// describe returns what AWS tells of a zip.
func describe(data []byte) Package {
	sum := sha256.Sum256(data)
	return Package{hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(sum[:]), int64(len(data))}
}

// Describe checks a zip as Add does and keeps nothing.
func Describe(data []byte) (Package, error) {
	_, err := readable(data)
	return describe(data), err
}

// Retain removes the packages that keep does not want.
func (s *Store) Retain(keep func(id string) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("list code: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !keep(e.Name()) {
			errs = append(errs, os.RemoveAll(filepath.Join(s.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

func fill(dir string, data []byte) error {
	archive, err := readable(data)
	if err != nil {
		return err
	}
	root := filepath.Join(dir, "root")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(root, 0o755)); err != nil {
		return fmt.Errorf("unpack code: %w", err)
	}
	left := int64(MaxUnpacked)
	for _, f := range archive.File {
		n, err := unpack(root, f, left)
		if err != nil {
			return err
		}
		left -= n
	}
	return state.WriteFile(filepath.Join(dir, "code.zip"), data, 0o600)
}

// readable opens a zip and checks what its directory says.
func readable(data []byte) (*zip.Reader, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fault("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	if len(archive.File) == 0 {
		return nil, fault("Uploaded file must be a non-empty zip")
	}
	if len(archive.File) > MaxEntries {
		return nil, fault("The uploaded file has %d entries; the limit is %d", len(archive.File), MaxEntries)
	}
	var total uint64
	for _, f := range archive.File {
		if !filepath.IsLocal(filepath.FromSlash(strings.TrimSuffix(f.Name, "/"))) || strings.ContainsAny(f.Name, "\\\x00") {
			return nil, fault("The uploaded file has an entry that leads out of its root: %q", f.Name)
		}
		if total += f.UncompressedSize64; total > MaxUnpacked || f.UncompressedSize64 > MaxUnpacked {
			return nil, fault("Unzipped size must be smaller than %d bytes", MaxUnpacked)
		}
	}
	return archive, nil
}

// unpack writes one entry and returns its size. What an entry says of its size
// may be a lie, so that no more than left is read.
func unpack(root string, f *zip.File, left int64) (int64, error) {
	path := filepath.Join(root, filepath.FromSlash(f.Name))
	mode := f.Mode()
	switch {
	case mode.IsDir() || strings.HasSuffix(f.Name, "/"):
		return 0, makeDir(path, f.Name)
	case !mode.IsRegular():
		return 0, fault("The uploaded file has an entry that is neither a file nor a directory: %q", f.Name)
	}
	if err := makeDir(filepath.Dir(path), f.Name); err != nil {
		return 0, err
	}
	in, err := f.Open()
	if err != nil {
		return 0, fault("The entry %q cannot be read: %v", f.Name, err)
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, entryMode(mode))
	if errors.Is(err, fs.ErrExist) {
		return 0, fault("The uploaded file has the entry %q twice", f.Name)
	}
	if err != nil {
		return 0, fmt.Errorf("unpack code: %w", err)
	}
	source := &failing{Reader: io.LimitReader(in, left+1)}
	n, err := io.Copy(out, source)
	err = errors.Join(err, out.Sync(), out.Close())
	switch {
	case source.err != nil:
		return n, fault("The entry %q cannot be read: %v", f.Name, source.err)
	case err != nil:
		return n, fmt.Errorf("unpack code: %w", err)
	case n > left:
		return n, fault("Unzipped size must be smaller than %d bytes", MaxUnpacked)
	}
	return n, nil
}

// failing remembers that reading failed, which is the zip's fault.
type failing struct {
	io.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

func makeDir(path, entry string) error {
	err := os.MkdirAll(path, 0o755)
	var pathError *fs.PathError
	if errors.As(err, &pathError) && !errors.Is(err, fs.ErrPermission) && !isFull(err) {
		return fault("The uploaded file has the entry %q below a file", entry)
	}
	return err
}

func isFull(err error) bool { return strings.Contains(err.Error(), "no space left") }

// entryMode keeps whether a file can be run. An archive that was made without
// Unix permissions has none at all: its files are readable, and nothing more.
func entryMode(mode fs.FileMode) fs.FileMode { return mode.Perm()&0o555 | 0o444 }
