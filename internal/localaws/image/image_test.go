package image_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"engage/internal/localaws/image"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func file(name, content string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Linkname: content}
}
func dir(name string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}
}
func link(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777}
}
func hard(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target}
}

// archive writes entries; the content of a file is in its Linkname.
func archive(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content, h.Linkname = h.Linkname, ""
			h.Size = int64(len(content))
		}
		h.Uid, h.Gid = os.Getuid(), os.Getgid()
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func imageOf(t testing.TB, layers ...[]byte) v1.Image {
	t.Helper()
	img := empty.Image
	for _, raw := range layers {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil })
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

// tree lists what is below a directory: "a/", "a/f=content", "l->target".
func tree(t testing.TB, root string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil || name == ".":
			return err
		case d.IsDir():
			name += "/"
		case d.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			name += "->" + target
		default:
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name += "=" + string(b)
		}
		all = append(all, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func TestLayersAreApplied(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers [][]tar.Header
		want   string
	}{
		{"files and parents", [][]tar.Header{{file("a/b/c", "x"), file("/abs", "y")}}, "a/ a/b/ a/b/c=x abs=y"},
		{"later wins", [][]tar.Header{{file("a", "old")}, {file("a", "new")}}, "a=new"},
		{"whiteout", [][]tar.Header{{file("d/a", "x"), file("d/b", "y")}, {file("d/.wh.a", "")}}, "d/ d/b=y"},
		{"whiteout of a directory", [][]tar.Header{{file("d/e/a", "x")}, {file("d/.wh.e", "")}}, "d/"},
		{"opaque directory", [][]tar.Header{{file("d/a", "x"), file("d/e/f", "x")}, {file("d/new", "n"), file("d/e/g", "g"), file("d/.wh..wh..opq", "")}}, "d/ d/e/ d/e/g=g d/new=n"},
		{"opaque first", [][]tar.Header{{file("d/a", "x")}, {file("d/.wh..wh..opq", ""), file("d/b", "y")}}, "d/ d/b=y"},
		{"directory becomes file", [][]tar.Header{{file("d/a", "x")}, {file("d", "f")}}, "d=f"},
		{"file becomes directory", [][]tar.Header{{file("d", "f")}, {file("d/a", "x")}}, "d/ d/a=x"},
		{"hard link", [][]tar.Header{{file("a", "x"), hard("d/b", "/a")}}, "a=x d/ d/b=x"},
		{"hard link to itself", [][]tar.Header{{file("a", "x"), hard("a", "./a")}}, "a=x"},
		{"symlinks", [][]tar.Header{{dir("usr/lib"), link("lib", "usr/lib"), link("etc/m", "../proc/self/mounts"), link("abs", "/usr/lib")}}, "abs->/usr/lib etc/ etc/m->../proc/self/mounts lib->usr/lib usr/ usr/lib/"},
		{"through symlinks", [][]tar.Header{{dir("usr/lib"), link("lib", "/usr/lib"), link("l2", "lib")}, {file("l2/f", "x")}}, "l2->lib lib->/usr/lib usr/ usr/lib/ usr/lib/f=x"},
		{"device", [][]tar.Header{{{Name: "dev/null", Typeflag: tar.TypeChar}}}, "dev/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var layers [][]byte
			for _, l := range c.layers {
				layers = append(layers, archive(t, l...))
			}
			root := t.TempDir()
			if err := image.Unpack(t.Context(), imageOf(t, layers...), root, image.Limits{}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(tree(t, root), " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestWhatClimbsOutIsRefused(t *testing.T) {
	for name, entries := range map[string][]tar.Header{
		"path":                   {file("../evil", "x")},
		"path below":             {file("a/../../evil", "x")},
		"absolute path":          {file("/../evil", "x")},
		"symlink":                {link("l", "../evil")},
		"symlink below":          {link("a/b/l", "../../../evil")},
		"symlink that dives":     {link("a/l", "b/../../../evil")},
		"hard link":              {hard("l", "../evil")},
		"hard link via symlinks": {dir("a"), link("a/up", ".."), hard("l", "a/up/../evil")},
		"whiteout":               {file("../.wh.evil", "")},
		"whiteout of the parent": {file("a/.wh...", "")},
		"write through symlinks": {dir("a"), link("a/up", ".."), link("out", "a/up/../.."), file("out/evil", "x")},
		"fifo":                   {{Name: "pipe", Typeflag: tar.TypeFifo}},
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			root := filepath.Join(base, "root")
			if err := os.Mkdir(root, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(base, "evil"), []byte("kept"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := image.Unpack(t.Context(), imageOf(t, archive(t, entries...)), root, image.Limits{})
			var bad *image.EntryError
			if !errors.As(err, &bad) {
				t.Errorf("got %v", err)
			}
			if b, err := os.ReadFile(filepath.Join(base, "evil")); err != nil || string(b) != "kept" {
				t.Errorf("the file outside is %q %v", b, err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	zeros := strings.Repeat("\x00", 40<<20)
	for what, c := range map[string]struct {
		limits image.Limits
		layer  []byte
	}{
		"bytes":             {image.Limits{Bytes: 100 << 10}, archive(t, file("a", zeros[:200<<10]))},
		"files":             {image.Limits{Files: 2}, archive(t, file("a", ""), file("b", ""), file("c", ""))},
		"compression ratio": {image.Limits{}, archive(t, file("a", zeros))},
	} {
		err := image.Unpack(t.Context(), imageOf(t, c.layer), t.TempDir(), c.limits)
		var limit *image.LimitError
		if !errors.As(err, &limit) || limit.What != what {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

func TestModesAreKeptWithoutSetUserID(t *testing.T) {
	f, d := file("d/f", "x"), dir("d")
	f.Mode, d.Mode = 0o4750, 0o555
	root := t.TempDir()
	if err := image.Unpack(t.Context(), imageOf(t, archive(t, d, f), archive(t, file("d/g", "y"))), root, image.Limits{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"d": fs.ModeDir | 0o555, "d/f": 0o750, "d/g": 0o644} {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v %v, want %v", name, info.Mode(), err, want)
		}
	}
	if err := image.RemoveAll(root); err != nil {
		t.Error(err)
	}
}

func TestStoreUnpacksOnceAndLeavesNothingBehind(t *testing.T) {
	base := t.TempDir()
	s, err := image.NewStore(base, image.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	img := imageOf(t, archive(t, file("a", "x")))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Root(ended, img); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := tree(t, base); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	first, err := s.Root(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(filepath.Join(first, "a"))
	again, err := s.Root(t.Context(), img)
	after, _ := os.Stat(filepath.Join(again, "a"))
	if err != nil || again != first || !os.SameFile(before, after) {
		t.Errorf("got %s %v", again, err)
	}
	// What a killed process leaves is swept away by the next.
	if err := os.MkdirAll(filepath.Join(base, ".tmp-1", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if s, err = image.NewStore(base, image.Limits{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, base); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// rawLayer is a layer of any bytes, damaged ones included.
type rawLayer struct {
	v1.Layer
	raw []byte
}

func (l rawLayer) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.raw)), nil
}

type rawImage struct {
	v1.Image
	layers []v1.Layer
}

func (i rawImage) Layers() ([]v1.Layer, error) { return i.layers, nil }

func TestWrongContentIsRefused(t *testing.T) {
	img := imageOf(t, archive(t, file("a", "x")))
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	other := rawImage{img, []v1.Layer{rawLayer{layers[0], archive(t, file("a", "y"))}}}
	if err := image.Unpack(t.Context(), other, t.TempDir(), image.Limits{}); err == nil || !strings.Contains(err.Error(), "digest") {
		t.Errorf("got %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, file("a/b", "x"), link("l", "a"), file("l/c", "y"), hard("h", "a/b"), file("a/.wh.b", "")))
	f.Add(archive(f, link("l", "../../x"), file("l/y", "z"), file("d/.wh..wh..opq", "")))
	f.Add(archive(f, dir("a"), link("a/up", ".."), file("a/up/up/f", "x"), hard("../h", "/a")))
	img := imageOf(f, archive(f, file("a", "x")))
	layers, err := img.Layers()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		base := t.TempDir()
		root := filepath.Join(base, "in", "root")
		if err := os.MkdirAll(root, 0o755); err != nil {
			t.Fatal(err)
		}
		defer image.RemoveAll(root)
		damaged := rawImage{img, []v1.Layer{rawLayer{layers[0], raw}}}
		if err := image.Unpack(t.Context(), damaged, root, image.Limits{Bytes: 1 << 20, Files: 100}); err == nil {
			t.Log("applied") // a fuzzer found a tar of the right digest: the seed's own
		}
		for _, at := range []string{base, filepath.Join(base, "in")} {
			if entries, err := os.ReadDir(at); err != nil || len(entries) != 1 {
				t.Errorf("outside of the root there is %v %v", entries, err)
			}
		}
	})
}
