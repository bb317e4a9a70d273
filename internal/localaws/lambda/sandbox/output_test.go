package sandbox

import (
	"bytes"
	"testing"
)

// FuzzTake checks that lines do not depend on how the bytes arrive.
func FuzzTake(f *testing.F) {
	f.Add([]byte("a\nbc\n\nd"), 2)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		if size < 1 {
			return
		}
		var got [][]byte
		o := &output{line: func(b []byte) { got = append(got, bytes.Clone(b)) }}
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			o.take(rest[:n])
			rest = rest[n:]
		}
		o.flush()
		if joined := bytes.Join(got, []byte("\n")); !bytes.Equal(joined, bytes.TrimSuffix(text, []byte("\n"))) {
			t.Errorf("%q became %q", text, joined)
		}
	})
}
