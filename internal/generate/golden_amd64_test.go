package generate_test

import (
	"bytes"
	"fmt"
	"testing"

	"engage/internal/generate"
	"engage/internal/golden"
)

// The bytes of a seed are a promise: they change only together with
// datagen.Version. Other architectures may fuse multiplications and additions.
func TestBytesOfASeed(t *testing.T) {
	_, m := write(t, generate.Options{Rows: 3000, Seed: 1})
	var b bytes.Buffer
	fmt.Fprintln(&b, m.Generator)
	for _, f := range m.Files {
		fmt.Fprintln(&b, f.SHA256, f.Name)
	}
	golden.Check(t, "testdata/seed-1.amd64.golden", b.Bytes())
}
