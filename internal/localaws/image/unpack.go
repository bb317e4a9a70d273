package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
)

// unpacker applies layers to one root directory.
type unpacker struct {
	root   *os.Root
	limits Limits

	bytes   int64 // of the archives
	content int64 // of the files in them
	files   int
	owners  bool                   // whether this process may give files away
	modes   map[string]fs.FileMode // of directories, set at the end
	layer   map[string]bool        // what the layer at hand has put there, with all parents
}

// Unpack writes an image's file system into an existing directory. Nothing
// outside of the directory is touched, whatever the layers say. Files lose
// their set-user-ID bits: nothing that runs here gets more rights than it has.
//
// Errors: *EntryError, *LimitError, the context's, what reading a layer returns.
func Unpack(ctx context.Context, img v1.Image, dir string, limits Limits) error {
	layers, err := img.Layers()
	if err != nil {
		return fmt.Errorf("read layers: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open image directory: %w", err)
	}
	defer root.Close()
	u := &unpacker{root: root, limits: limits.withDefaults(), owners: os.Geteuid() == 0, modes: map[string]fs.FileMode{".": 0o755}}
	for i, layer := range layers {
		if err := u.unpackLayer(ctx, layer); err != nil {
			return fmt.Errorf("unpack layer %d of %d: %w", i+1, len(layers), err)
		}
	}
	return u.setModes()
}

func (u *unpacker) unpackLayer(ctx context.Context, layer v1.Layer) error {
	want, err := layer.DiffID()
	if err != nil {
		return fmt.Errorf("read digest: %w", err)
	}
	compressed, err := layer.Compressed()
	if err != nil {
		return err
	}
	defer compressed.Close()
	count := &counter{r: contextReader{ctx, compressed}}
	plain, end, err := decompress(count)
	if err != nil {
		return err
	}
	defer end()
	hash := sha256.New()
	r := io.TeeReader(&bounded{r: plain, compressed: count, total: &u.bytes, limits: u.limits}, hash)
	if err := u.apply(tar.NewReader(r)); err != nil {
		return err
	}
	// What follows the archive's end counts for the digest too.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want.Hex {
		return fmt.Errorf("its content has the digest sha256:%s and not %s, as the image says: push it again", got, want)
	}
	return nil
}

// decompress finds the compression by its first bytes, as Docker does: media
// types are not always right.
func decompress(r io.Reader) (plain io.Reader, end func(), err error) {
	br := bufio.NewReaderSize(r, 1<<16)
	magic, _ := br.Peek(4) // shorter when the layer is
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		zr, err := gzip.NewReader(br)
		return zr, func() {}, err
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		zr, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, nil, err
		}
		return zr, zr.Close, nil
	}
	return br, func() {}, nil
}

func (u *unpacker) apply(tr *tar.Reader) error {
	u.layer = map[string]bool{}
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		if u.files++; u.files > u.limits.Files {
			return &LimitError{"files", int64(u.limits.Files)}
		}
		if err := u.entry(h, tr); err != nil {
			var known *EntryError
			if errors.As(err, &known) {
				return err
			}
			return &EntryError{h.Name, err}
		}
	}
}

// setModes gives directories their modes, the deepest first: until now the
// owner could write to all of them.
func (u *unpacker) setModes() error {
	names := make([]string, 0, len(u.modes))
	for name := range u.modes {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Reverse(names)
	for _, name := range names {
		if info, err := u.root.Lstat(name); err != nil || !info.IsDir() {
			continue // a later layer hid or replaced it
		}
		if err := u.root.Chmod(name, u.modes[name]); err != nil {
			return &EntryError{name, err}
		}
	}
	return nil
}

// contextReader ends reading when the context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
