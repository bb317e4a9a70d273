package pack

import (
	"archive/tar"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"engage/internal/golden"
)

// packed packs an image of one program and one library.
func packed(t *testing.T) v1.Image {
	t.Helper()
	dir := t.TempDir()
	shared(t, dir, "libb.so.1")
	program := shared(t, dir, "program", "-l:libb.so.1")
	image, err := Image(Contents{Arch: "amd64", Programs: map[string]string{"engine": program}}, &Libraries{dirs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func digestOf(t *testing.T, image v1.Image) string {
	t.Helper()
	d, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// The same files in other directories, written at another time, give the same image.
func TestImagesAreReproducible(t *testing.T) {
	one, other := packed(t), packed(t)
	if digestOf(t, one) != digestOf(t, other) {
		t.Errorf("two builds give %s and %s", digestOf(t, one), digestOf(t, other))
	}
}

// The golden lists every entry: mode, owner, time and name.
func TestGoldenEntries(t *testing.T) {
	r := mutate.Extract(packed(t))
	defer r.Close()
	var list strings.Builder
	entries := tar.NewReader(r)
	for {
		h, err := entries.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&list, "%04o %d:%d %s %s\n", h.Mode, h.Uid, h.Gid, h.ModTime.UTC().Format("2006-01-02"), h.Name)
	}
	golden.Check(t, "testdata/entries.golden", []byte(list.String()))
}

func TestConfig(t *testing.T) {
	c, err := packed(t).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c.Config.User != "65532:65532" || c.OS != "linux" || c.Architecture != "amd64" || len(c.RootFS.DiffIDs) != 2 || len(c.History) != 2 {
		t.Errorf("the image's configuration is %+v", c)
	}
}

// Programs trust the authorities of Amazon, whatever this machine trusts.
func TestAuthorities(t *testing.T) {
	n, found := 0, false
	for block, rest := pem.Decode(authorities()); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		n, found = n+1, found || c.Subject.CommonName == "Amazon Root CA 1"
	}
	if n < 50 || !found {
		t.Errorf("there are %d authorities, Amazon's among them: %t", n, found)
	}
}

func TestLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dist", "image")
	var none *NoImageError
	if _, _, err := ReadLayout(dir); !errors.As(err, &none) || !strings.Contains(err.Error(), "task build") {
		t.Errorf("without a build: %v", err)
	}
	image := packed(t)
	for range 2 { // the second replaces the first
		name, err := WriteLayout(dir, image)
		if err != nil || !strings.HasPrefix(digestOf(t, image), "sha256:"+name) || len(name) != 12 {
			t.Fatalf("tag %q, %v", name, err)
		}
	}
	read, name, err := ReadLayout(dir)
	if err != nil || digestOf(t, read) != digestOf(t, image) {
		t.Fatalf("read %q, %v", name, err)
	}
	if err := validate.Image(read); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) != 1 {
		t.Errorf("beside the image there is %v", left)
	}
	write(t, dir, tagFile, "000000000000\n")
	if _, _, err := ReadLayout(dir); !errors.As(err, &none) {
		t.Errorf("the tag of another image: %v", err)
	}
	write(t, dir, "index.json", "{}")
	if _, _, err := ReadLayout(dir); !errors.As(err, &none) {
		t.Errorf("a layout without images: %v", err)
	}
}
