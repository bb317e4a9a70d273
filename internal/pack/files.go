package pack

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// file is a file of an image. Its content is given, or in a file of this machine.
type file struct {
	name    string // absolute
	mode    fs.FileMode
	content []byte
	source  string
}

func (f file) open() (io.ReadCloser, int64, error) {
	if f.source == "" {
		return io.NopCloser(bytes.NewReader(f.content)), int64(len(f.content)), nil
	}
	r, err := os.Open(f.source) // of a link, what it leads to
	if err != nil {
		return nil, 0, err
	}
	info, err := r.Stat()
	if err != nil {
		r.Close()
		return nil, 0, err
	}
	return r, info.Size(), nil
}

// writeTar writes files and the directories above them, sorted, all owned by
// root, so that nothing but scratch space can be written by the image's user.
func writeTar(w io.Writer, files []file) error {
	t := tar.NewWriter(w)
	byName := map[string]file{}
	for _, f := range files {
		byName[f.name] = f
	}
	names := slices.Collect(maps.Keys(byName))
	for name := range byName {
		for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
			names = append(names, dir)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		f, ok := byName[name]
		if !ok || f.mode.IsDir() {
			mode := int64(0o755)
			if f.mode&fs.ModeSticky != 0 {
				mode = 0o1777
			}
			if err := t.WriteHeader(header(name+"/", tar.TypeDir, mode, 0)); err != nil {
				return err
			}
			continue
		}
		if err := writeEntry(t, f); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	return t.Close()
}

func writeEntry(t *tar.Writer, f file) error {
	r, size, err := f.open()
	if err != nil {
		return err
	}
	defer r.Close()
	if err := t.WriteHeader(header(f.name, tar.TypeReg, int64(f.mode.Perm()), size)); err != nil {
		return err
	}
	_, err = io.Copy(t, r)
	return err
}

func header(name string, kind byte, mode, size int64) *tar.Header {
	return &tar.Header{
		Name: strings.TrimPrefix(name, "/"), Typeflag: kind, Mode: mode, Size: size,
		ModTime: epoch, Format: tar.FormatPAX,
	}
}

// User is who programs of an image run as, and Group the same number.
const User = 65532

// etc is what a program asks of a system: who it is, whom to trust, and a place
// to write to.
func etc() []file {
	passwd := fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:%d:%[1]d:nonroot:/tmp:/sbin/nologin\n", User)
	group := fmt.Sprintf("root:x:0:\nnonroot:x:%d:\n", User)
	return []file{
		{name: "/etc/passwd", mode: 0o644, content: []byte(passwd)},
		{name: "/etc/group", mode: 0o644, content: []byte(group)},
		{name: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: authorities()},
		{name: "/tmp", mode: fs.ModeDir | fs.ModeSticky | 0o777},
	}
}

// authorities returns the certificate authorities that Mozilla trusts without
// conditions; a file of certificates can tell of none. They come with a module,
// not from this machine, so that images do not differ by it.
func authorities() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return out.Bytes()
}

// files returns the libraries in one directory, the one where the C library is:
// the loader looks there without a cache.
func (c closure) files() []file {
	dir := "/usr/lib"
	for _, l := range c.libraries {
		if strings.HasPrefix(l.name, "libc.") {
			dir = filepath.Dir(l.path)
		}
	}
	var out []file
	for _, l := range c.libraries {
		if l.name != path.Base(c.interpreter) {
			out = append(out, file{name: path.Join(dir, l.name), mode: 0o644, source: l.path})
		}
	}
	if c.interpreter != "" {
		out = append(out, file{name: c.interpreter, mode: 0o755, source: c.interpreter})
	}
	return out
}
