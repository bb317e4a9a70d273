package image

import (
	"fmt"
	"io"
)

// Limits bound what an image may unpack to, so that a small download cannot
// fill the disk.
type Limits struct {
	// Bytes is the size of all files together. The default is 10 GiB, which
	// is what AWS allows for one layer unpacked.
	Bytes int64
	// Files is how many entries all layers may have. The default is 500,000.
	Files int
	// Ratio is how many bytes one compressed byte of a layer may become, once
	// the layer is past 32 MiB. The default is 200; deflate's own limit is 1032,
	// and honest file systems stay below 20.
	Ratio int64
}

const (
	defaultBytes = 10 << 30
	defaultFiles = 500_000
	defaultRatio = 200
	ratioFloor   = 32 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = defaultBytes
	}
	if l.Files == 0 {
		l.Files = defaultFiles
	}
	if l.Ratio == 0 {
		l.Ratio = defaultRatio
	}
	return l
}

// LimitError says that an image is larger than it may be.
type LimitError struct {
	What  string // "bytes", "files", "compression ratio"
	Limit int64
}

// Error names the limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("the image exceeds the limit of %d for its %s: it is damaged, or made to fill the disk", e.Limit, e.What)
}

// counter counts what is read from a compressed layer.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// bounded reads a decompressed layer and fails when it is a bomb. The bytes
// of an archive that are no file's content (headers, padding) count too.
type bounded struct {
	r          io.Reader
	compressed *counter
	layer      int64
	total      *int64 // of all layers
	limits     Limits
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.layer += int64(n)
	*b.total += int64(n)
	if *b.total > b.limits.Bytes {
		return n, &LimitError{"bytes", b.limits.Bytes}
	}
	if b.layer > ratioFloor && b.layer > b.limits.Ratio*max(b.compressed.n, 1) {
		return n, &LimitError{"compression ratio", b.limits.Ratio}
	}
	return n, err
}
