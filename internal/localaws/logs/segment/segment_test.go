package segment

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func open(t testing.TB, dir string, size int64) *Stream {
	t.Helper()
	s, err := Open(dir, size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func all(t testing.TB, from, to int64, backward bool, sources ...Source) []Found {
	t.Helper()
	var found []Found
	for m := NewMerge(sources, from, to, backward); ; {
		e, ok, err := m.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return found
		}
		found = append(found, e)
	}
}

// TestMergeOrders compares the merge with a plain sort, on random streams.
func TestMergeOrders(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var want []Found
	var sources []Source
	for i := range 3 {
		s := open(t, filepath.Join(t.TempDir(), "s"), 300)
		name := fmt.Sprint("s", i)
		sources = append(sources, Source{name, s})
		for range 40 {
			var events []Event
			for range 1 + rnd.IntN(5) {
				events = append(events, Event{rnd.Int64N(100), fmt.Sprint(rnd.Uint32())})
			}
			if err := s.Append(7, events); err != nil {
				t.Fatal(err)
			}
		}
		for _, b := range s.Batches() {
			stored, err := s.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range stored {
				if e.Time >= 20 && e.Time < 80 {
					want = append(want, Found{e, name})
				}
			}
		}
		sources[i].Stream = open(t, s.dir, 300)
	}
	slices.SortFunc(want, func(a, b Found) int { return a.Position().Compare(b.Position()) })
	if got := all(t, 20, 80, false, sources...); !slices.Equal(got, want) {
		t.Errorf("forward: %d events, want %d in order", len(got), len(want))
	}
	slices.Reverse(want)
	if got := all(t, 20, 80, true, sources...); !slices.Equal(got, want) {
		t.Errorf("backward: %d events, want %d in order", len(got), len(want))
	}
}

// TestTornTail cuts the file at every byte: what was acknowledged before the
// last record stays, and the stream goes on.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	for i := range 3 {
		if err := s.Append(1, []Event{{int64(i), fmt.Sprint("message ", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	path := s.path
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := int(s.batches[2].offset)
	for cut := last; cut < len(whole); cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		again := open(t, dir, 0)
		if err := again.Append(1, []Event{{9, "after"}}); err != nil {
			t.Fatal(err)
		}
		got := all(t, 0, 100, false, Source{"", open(t, dir, 0)})
		if len(got) != 3 || got[2].Message != "after" {
			t.Fatalf("cut at %d: %v", cut, got)
		}
	}
}

func TestDamageIsTold(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	for range 2 {
		if err := s.Append(1, []Event{{1, "message"}}); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	data[headerSize+4] ^= 1
	if err := os.WriteFile(s.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var corrupt *CorruptError
	if _, err := Open(dir, 0); !errors.As(err, &corrupt) {
		t.Errorf("Open: %v", err)
	}
	if _, err := s.Read(s.batches[0]); !errors.As(err, &corrupt) {
		t.Errorf("Read: %v", err)
	}
}

func TestDropAndRemove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	s := open(t, dir, 1)
	for i := range 5 {
		if err := s.Append(int64(i), []Event{{int64(i), "m"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DropBefore(3); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, 1)
	if got := all(t, 0, 9, false, Source{"", again}); len(got) != 2 || got[0].Seq != 3<<seqBits {
		t.Errorf("kept %v", got)
	}
	if got := again.Stats(0); got != (Stats{3, 4, 4, 2}) {
		t.Errorf("stats %+v", got)
	}
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(1, []Event{{1, "m"}}); !errors.Is(err, ErrRemoved) {
		t.Errorf("append: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(encode(3, []Event{{1, "a"}, {2, "b"}}))
	f.Add([]byte{1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "0000000000000000.log"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, 0)
		if err != nil {
			return
		}
		if err := s.Append(1, []Event{{1, "x"}}); err != nil {
			t.Fatal(err)
		}
		open(t, dir, 0)
	})
}
