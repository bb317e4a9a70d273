package code

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pack makes a zip of names and contents, in turn.
func pack(t testing.TB, mode fs.FileMode, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		h := &zip.FileHeader{Name: pairs[i], Method: zip.Deflate}
		h.SetMode(mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "code"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAdd(t *testing.T) {
	s := open(t)
	data := pack(t, 0o755, "bootstrap", "#!", "data/a.txt", "x")
	for range 2 {
		p, err := s.Add(data)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(s.Root(p.ID), "bootstrap"))
		if err != nil || info.Mode().Perm() != 0o555 || p.Size != int64(len(data)) {
			t.Errorf("%v %v %+v", info, err, p)
		}
		kept, err := os.ReadFile(s.Zip(p.ID))
		if err != nil || !bytes.Equal(kept, data) {
			t.Errorf("the zip is not kept: %v", err)
		}
	}
	if err := s.Retain(func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(s.dir); len(left) != 0 {
		t.Errorf("%d packages left", len(left))
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"no zip":   {[]byte("hello"), "Could not unzip"},
		"empty":    {pack(t, 0), "non-empty"},
		"climbing": {pack(t, 0o644, "../x", ""), "leads out"},
		"absolute": {pack(t, 0o644, "/etc/x", ""), "leads out"},
		"symlink":  {pack(t, fs.ModeSymlink|0o777, "link", "/etc/passwd"), "neither a file"},
		"twice":    {pack(t, 0o644, "a", "", "a", ""), "twice"},
		"below":    {pack(t, 0o644, "a", "", "a/b", ""), "below a file"},
		"bomb":     {liar(t, MaxUnpacked+1), "Unzipped size"},
		"liar":     {liar(t, 1), "cannot be read"},
	} {
		s := open(t)
		var e *Error
		if _, err := s.Add(c.data); !errors.As(err, &e) || !strings.Contains(e.Reason, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(s.dir); len(left) != 0 {
			t.Errorf("%s: something was left behind", name)
		}
	}
}

// liar is a zip whose directory says that its entry has another size than it has.
func liar(t *testing.T, size uint32) []byte {
	data := pack(t, 0o644, "a", strings.Repeat("x", 5000))
	i := bytes.LastIndex(data, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(data[i+24:], size)
	return data
}

func FuzzAdd(f *testing.F) {
	f.Add(pack(f, 0o755, "bootstrap", "#!", "d/e", "x"))
	f.Add(pack(f, 0o755, "../a", "x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := open(t)
		if _, err := s.Add(data); err == nil {
			return
		}
		if left, _ := os.ReadDir(s.dir); len(left) != 0 {
			t.Error("something was left behind")
		}
		if entries, _ := os.ReadDir(filepath.Dir(s.dir)); len(entries) != 1 {
			t.Error("something was written outside")
		}
	})
}
