package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"engage/internal/localaws/state"
)

type thing struct{ Name string }

var things = state.NewCollection[thing]("things")

func open(t *testing.T, dir string) *state.Store {
	t.Helper()
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t *testing.T, s *state.Store, keys ...string) {
	t.Helper()
	err := s.Update(func(tx state.Tx) error {
		for _, k := range keys {
			if err := things.Put(tx, k, thing{k}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestValuesSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := open(t, dir).View(func(tx state.Tx) error {
		v, err := things.Get(tx, "a")
		if v.Name != "a" {
			t.Errorf("got %+v", v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailedUpdateChangesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	want := errors.New("no")
	err := s.Update(func(tx state.Tx) error {
		if err := things.Put(tx, "a", thing{"a"}); err != nil {
			return err
		}
		return want
	})
	if !errors.Is(err, want) {
		t.Fatalf("got %v", err)
	}
	_ = s.View(func(tx state.Tx) error {
		if _, err := things.Get(tx, "a"); !errors.Is(err, state.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

func TestCreateAndDelete(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, "a")
	_ = s.Update(func(tx state.Tx) error {
		if err := things.Create(tx, "a", thing{}); !errors.Is(err, state.ErrExists) {
			t.Errorf("create: %v", err)
		}
		if err := things.Delete(tx, "b"); !errors.Is(err, state.ErrNotFound) {
			t.Errorf("delete: %v", err)
		}
		return things.Delete(tx, "a")
	})
}

func TestListPages(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, state.Key("1", "a"), state.Key("1", "b"), state.Key("1", "c"), state.Key("10", "x"))
	_ = s.View(func(tx state.Tx) error {
		first, err := things.List(tx, state.Prefix("1"), "", 2)
		if err != nil || len(first) != 2 || first[1].Key != state.Key("1", "b") {
			t.Fatalf("got %v %v", first, err)
		}
		rest, err := things.List(tx, state.Prefix("1"), first[1].Key, 2)
		if err != nil || len(rest) != 1 || rest[0].Value.Name != state.Key("1", "c") {
			t.Errorf("got %v %v", rest, err)
		}
		return nil
	})
	if err := s.Update(func(tx state.Tx) error { return things.DeletePrefix(tx, state.Prefix("1")) }); err != nil {
		t.Fatal(err)
	}
	_ = s.View(func(tx state.Tx) error {
		if left, _ := things.List(tx, "", "", 0); len(left) != 1 {
			t.Errorf("left %v", left)
		}
		return nil
	})
}

func TestScanBack(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, "0", state.Key("1", "a"), state.Key("1", "b"), state.Key("1", "c"), "2")
	for before, want := range map[string]string{state.Key("1", "c"): "ba", state.Key("1", "bb"): "ba", "1\x01": "cba", "3": "", state.Key("1", "a"): ""} {
		got := ""
		_ = s.View(func(tx state.Tx) error {
			for raw := range things.ScanBack(tx, state.Prefix("1"), before) {
				got += state.Parts(raw.Key())[1]
			}
			return nil
		})
		if got != want {
			t.Errorf("before %q: got %q, want %q", before, got, want)
		}
	}
}

func TestConcurrentBatches(t *testing.T) {
	s := open(t, t.TempDir())
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			err := s.Batch(func(tx state.Tx) error { return things.Put(tx, strconv.Itoa(i), thing{}) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	_ = s.View(func(tx state.Tx) error {
		if all, _ := things.List(tx, "", "", 0); len(all) != 100 {
			t.Errorf("%d entries", len(all))
		}
		return nil
	})
}

func TestBatchTellsEachCallerItsOwnError(t *testing.T) {
	s := open(t, t.TempDir())
	want := errors.New("odd")
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			err := s.Batch(func(tx state.Tx) error {
				if err := things.Put(tx, strconv.Itoa(i), thing{}); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return want
				case 2:
					panic("on purpose")
				}
				return nil
			})
			if i%3 == 0 && err != nil || i%3 == 1 && !errors.Is(err, want) || i%3 == 2 && (err == nil || !strings.Contains(err.Error(), "on purpose")) {
				t.Errorf("%d: got %v", i, err)
			}
		})
	}
	wg.Wait()
	_ = s.View(func(tx state.Tx) error {
		if all, _ := things.List(tx, "", "", 0); len(all) != 20 {
			t.Errorf("%d entries, want those of the changes that did not fail", len(all))
		}
		return nil
	})
}

func BenchmarkBatch(b *testing.B) {
	s, err := state.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Batch(func(tx state.Tx) error { return things.Put(tx, "k", thing{}) }); err != nil {
				b.Error(err)
			}
		}
	})
}

func TestDamagedFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	if err := os.WriteFile(path, []byte("this is no store, but it is long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	var corrupt *state.CorruptError
	if _, err := state.Open(dir); !errors.As(err, &corrupt) || corrupt.Path != path {
		t.Errorf("got %v", err)
	}
}

func TestDamagedPageIsFoundAtOpening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	keys := make([]string, 2000)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	put(t, s, keys...)
	s.Close()
	path := filepath.Join(dir, "state.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4 * os.Getpagesize(); i < len(b); i++ {
		b[i] = 0xff
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var corrupt *state.CorruptError
	if s, err := state.Open(dir); !errors.As(err, &corrupt) {
		t.Errorf("got %v %v", s, err)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	var locked *state.LockedError
	if _, err := state.Open(dir); !errors.As(err, &locked) {
		t.Errorf("got %v", err)
	}
}

func TestWriteFileLeavesNoTemporary(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "c")
	for _, content := range []string{"one", "two"} {
		if err := state.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("got %q %v", b, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}
