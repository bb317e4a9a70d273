package daemon

import (
	"os"
	"slices"
	"strings"
	"testing"
)

const exampleSmaps = `00400000-00500000 r--p 00000000 fe:01 12 /bin/engage
Size: 1024 kB
Anonymous: 0 kB
00500000-00600000 r-xp 00100000 fe:01 12 /bin/engage
Anonymous: 0 kB
00600000-00700000 r--p 00200000 fe:01 12 /bin/engage
Anonymous: 8 kB
00700000-00800000 rw-p 00300000 fe:01 12 /bin/engage
Anonymous: 0 kB
00800000-00900000 r--s 00000000 fe:01 13 /state/state.db
Anonymous: 0 kB
7f000000-7f100000 r--p 00000000 00:00 0
Anonymous: 0 kB
7ffe0000-7ffe4000 r-xp 00000000 00:00 0 [vdso]
Anonymous: 0 kB
`

func TestCleanMappings(t *testing.T) {
	got := cleanMappings(strings.NewReader(exampleSmaps))
	want := []mapping{{0x400000, 0x100000}, {0x500000, 0x100000}}
	if !slices.Equal(got, want) {
		t.Errorf("got %x, want %x: only what nobody has written to may go", got, want)
	}
}

// TestTrim works on: what is given back is read again when it is needed.
func TestTrim(t *testing.T) {
	before := strings.Repeat("engage", 10)
	Trim()
	if text, err := os.ReadFile("/proc/self/maps"); err != nil || len(text) == 0 || before[:6] != "engage" {
		t.Errorf("%v, %d bytes", err, len(text))
	}
}
