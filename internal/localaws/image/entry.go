package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// EntryError says which entry of an image cannot be unpacked.
type EntryError struct {
	Name  string
	Cause error
}

// Error names the entry.
func (e *EntryError) Error() string {
	return fmt.Sprintf("the image's entry %q cannot be unpacked: %v", e.Name, e.Cause)
}

// Unwrap returns what is wrong with the entry.
func (e *EntryError) Unwrap() error { return e.Cause }

// ErrEscapes says that a path or link leads out of the image's root.
var ErrEscapes = errors.New("it leads out of the image's root")

// Names of whiteouts: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
)

// localName returns a name of an archive relative to the root.
func localName(name string) (string, error) {
	name = strings.TrimLeft(name, "/")
	if strings.ContainsRune(name, 0) {
		return "", errors.New("its name has a NUL")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", ErrEscapes
		}
	}
	return path.Clean(name), nil
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := localName(h.Name)
	if err != nil {
		return err
	}
	dir, base := path.Split(name)
	if dir, err = u.resolve(path.Clean(dir)); err != nil {
		return err
	}
	if base == opaqueMarker {
		return u.hideBelow(dir)
	}
	if hidden, ok := strings.CutPrefix(base, whiteoutPrefix); ok {
		if hidden == "" || hidden == "." || hidden == ".." {
			return errors.New("it hides no name")
		}
		return u.hide(path.Join(dir, hidden))
	}
	name = path.Join(dir, base)
	if err := u.makeParents(dir); err != nil {
		return err
	}
	u.mark(name)
	if err := u.makeEntry(h, name, content); err != nil {
		return err
	}
	return u.setAttributes(h, name)
}

// maxLinks is how many symbolic links a path may go through, as in Linux.
const maxLinks = 40

// resolve follows the symbolic links of a directory's path as a process whose
// root is the image's would, which os.Root does not do for absolute ones.
func (u *unpacker) resolve(dir string) (string, error) { return Resolve(u.root, dir) }

// Linker is what Resolve needs of a directory tree: an *os.Root.
type Linker interface {
	Readlink(name string) (string, error)
}

// Resolve returns a path without symbolic links, relative to the root, as a
// process with that root would find it. What does not exist is kept as it is.
// Errors: ErrEscapes for a link that climbs above the root.
func Resolve(root Linker, name string) (string, error) {
	done, rest := ".", strings.Split(strings.TrimLeft(name, "/"), "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if done == "." {
				return "", ErrEscapes
			}
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, part)
		target, err := root.Readlink(next)
		if err != nil { // no link, or not there
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", errors.New("too many levels of symbolic links")
		}
		if strings.HasPrefix(target, "/") {
			done = "."
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}

func (u *unpacker) makeParents(dir string) error {
	if dir == "." {
		return nil
	}
	if info, err := u.root.Lstat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := u.makeParents(path.Dir(dir)); err != nil {
		return err
	}
	return u.makeDir(dir, 0o755)
}

func (u *unpacker) makeDir(name string, mode fs.FileMode) error {
	info, err := u.root.Lstat(name)
	switch {
	case err == nil && info.IsDir():
	case err == nil:
		if err := u.hide(name); err != nil {
			return err
		}
		fallthrough
	default:
		if err := u.root.Mkdir(name, 0o700); err != nil {
			return err
		}
	}
	u.modes[name] = mode
	return u.root.Chmod(name, mode|0o700)
}

func (u *unpacker) makeEntry(h *tar.Header, name string, content io.Reader) error {
	if h.Typeflag == tar.TypeDir {
		return u.makeDir(name, fileMode(h))
	}
	if name == "." {
		return errors.New("the root can be a directory only")
	}
	// A hard link to itself, under one of its names, must not lose the file.
	if h.Typeflag == tar.TypeLink {
		return u.makeHardLink(h, name)
	}
	if err := u.hide(name); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg:
		return u.makeFile(h, name, content)
	case tar.TypeSymlink:
		return u.makeSymlink(h, name)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		if strings.HasPrefix(name, "dev/") {
			return nil // a container's /dev is not the image's
		}
		return errors.New("devices and pipes are not supported outside of /dev")
	}
	return fmt.Errorf("its type %q is not supported", h.Typeflag)
}

func (u *unpacker) makeFile(h *tar.Header, name string, content io.Reader) (err error) {
	// The holes of a sparse file are not in the archive but are written out.
	if u.content += h.Size; u.content > u.limits.Bytes {
		return &LimitError{"bytes", u.limits.Bytes}
	}
	f, err := u.root.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, content)
	return err
}

// makeSymlink refuses a link that climbs above the root. An absolute one is
// meant relative to the root.
func (u *unpacker) makeSymlink(h *tar.Header, name string) error {
	if h.Linkname == "" || strings.ContainsRune(h.Linkname, 0) {
		return errors.New("its target is no path")
	}
	depth := strings.Count(path.Dir(name), "/") + 1
	if path.Dir(name) == "." || strings.HasPrefix(h.Linkname, "/") {
		depth = 0
	}
	for part := range strings.SplitSeq(h.Linkname, "/") {
		switch part {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return ErrEscapes
		}
	}
	return u.root.Symlink(h.Linkname, name)
}

func (u *unpacker) makeHardLink(h *tar.Header, name string) error {
	target, err := localName(h.Linkname)
	if err != nil {
		return err
	}
	dir, err := u.resolve(path.Dir(target))
	if err != nil {
		return err
	}
	target = path.Join(dir, path.Base(target))
	if target == name {
		return nil
	}
	info, err := u.root.Lstat(target)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errors.New("a hard link cannot lead to a directory")
	}
	if err := u.hide(name); err != nil {
		return err
	}
	return u.root.Link(target, name)
}

// setAttributes sets owner, mode and time.
func (u *unpacker) setAttributes(h *tar.Header, name string) error {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeSymlink:
	default:
		return nil // a link has the file's own
	}
	if u.owners && h.Uid >= 0 && h.Gid >= 0 {
		if err := u.root.Lchown(name, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	if err := u.root.Chmod(name, fileMode(h)); err != nil {
		return err
	}
	return u.root.Chtimes(name, h.ModTime, h.ModTime)
}

// fileMode returns the permission bits and, for directories, the sticky bit.
func fileMode(h *tar.Header) fs.FileMode {
	mode := fs.FileMode(h.Mode) & fs.ModePerm
	if h.Typeflag == tar.TypeDir && h.Mode&0o1000 != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

// hide removes what a lower layer has at the name.
func (u *unpacker) hide(name string) error {
	if name == "." || strings.HasSuffix(name, "/..") || name == ".." {
		return ErrEscapes
	}
	return u.root.RemoveAll(name)
}

// hideBelow removes what lower layers have in a directory. The entries of the
// same layer stay, whether they came before the marker or after it.
func (u *unpacker) hideBelow(dir string) error {
	d, err := u.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	for _, name := range names {
		child := path.Join(dir, name)
		if u.layer[child] {
			if err := u.hideOlder(child); err != nil {
				return err
			}
			continue
		}
		if err := u.hide(child); err != nil {
			return err
		}
	}
	return nil
}

// mark notes that the layer at hand made the name, and its parents with it.
func (u *unpacker) mark(name string) {
	for ; name != "." && !u.layer[name]; name = path.Dir(name) {
		u.layer[name] = true
	}
}

func (u *unpacker) hideOlder(name string) error {
	info, err := u.root.Lstat(name)
	if err != nil || !info.IsDir() {
		return err
	}
	return u.hideBelow(name)
}
