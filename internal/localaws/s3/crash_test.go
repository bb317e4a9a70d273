package s3_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"engage/internal/localaws/s3"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

var kills = flag.Int("kills", 8, "how often the writing process is killed")

// crashDir tells the test program that it is the one to be killed.
const crashDir = "LOCALAWS_S3_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// writers each own a set of keys, so that what they acknowledge is in order.
const writers, keysPerWriter = 4, 5

// content is what a key has after a write: the key, the number of the write,
// and a length that depends on it.
func content(key string, n int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%s:%d;", key, n), 1+n%2000)
}

func writeUntilKilled(dir string) {
	store, err := state.Open(dir)
	if err != nil {
		panic(err)
	}
	svc, err := s3.New(s3.Config{Store: store})
	if err != nil {
		panic(err)
	}
	var out sync.Mutex
	for w := range writers {
		go func() {
			for n := 1; ; n++ {
				key := fmt.Sprintf("w%d/k%d", w, n%keysPerWriter)
				if n%7 == 0 {
					err = svc.Delete(context.Background(), serverCaller(), "data", key)
				} else {
					err = svc.PutBytes(context.Background(), serverCaller(), "data", key, content(key, n))
				}
				if err != nil {
					panic(err)
				}
				out.Lock()
				fmt.Println(key, n)
				out.Unlock()
			}
		}()
	}
	select {}
}

// TestKillLosesNothingAcknowledged kills a writing process again and again and
// looks, each time, whether every acknowledged write is there and whole.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	e := bootIn(t, dir, nil)
	e.bucket("data")
	e.close()
	rng := rand.New(rand.NewPCG(7, 7))
	for round := range *kills {
		acked := runAndKill(t, dir, 5+rng.IntN(120))
		checkAfterKill(t, dir, acked)
		if t.Failed() {
			t.Fatalf("after kill %d", round+1)
		}
	}
}

// runAndKill returns the number of the last acknowledged write of each key.
func runAndKill(t *testing.T, dir string, after int) map[string]int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, 0, err)
	must(t, 0, cmd.Start())
	acked := map[string]int{}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		key, number, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			continue // a line that the kill cut short
		}
		acked[key] = n
		if i == after {
			must(t, 0, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait() // it was killed
	return acked
}

func checkAfterKill(t *testing.T, dir string, acked map[string]int) {
	t.Helper()
	store, err := state.Open(dir)
	must(t, 0, err)
	svc, err := s3.New(s3.Config{Store: store})
	must(t, 0, err)
	list, err := svc.Files(t.Context(), serverCaller(), "data", "")
	must(t, 0, err)
	have := map[string]s3.File{}
	view := filepath.Join(dir, "s3", wire.DefaultAccount, "data", "current")
	for _, f := range list {
		have[f.Key] = f
		body, err := os.ReadFile(f.Path)
		must(t, 0, err)
		n := numberOf(body, f.Key)
		if n < acked[f.Key] || !bytes.Equal(body, content(f.Key, n)) || int64(len(body)) != f.Size {
			t.Errorf("%s: write %d was acknowledged, there is %d with %d bytes", f.Key, acked[f.Key], n, len(body))
		}
		seen, err := os.ReadFile(filepath.Join(view, f.Key))
		if err != nil || !bytes.Equal(seen, body) {
			t.Errorf("%s: the view shows something else: %v", f.Key, err)
		}
	}
	for key, n := range acked {
		if _, ok := have[key]; !ok && n%7 != 0 && (n+keysPerWriter)%7 != 0 {
			t.Errorf("%s: write %d was acknowledged and is gone", key, n)
		}
	}
	if got := len(files(t, filepath.Join(dir, "s3"))); got != 2*len(list)+1 {
		t.Errorf("%d files for %d objects: something is left over", got, len(list))
	}
	// A run begins with its own numbers.
	for key := range have {
		must(t, 0, svc.Delete(t.Context(), serverCaller(), "data", key))
	}
	must(t, 0, svc.Close())
	must(t, 0, store.Close())
}

func numberOf(body []byte, key string) int {
	first, _, _ := strings.Cut(strings.TrimPrefix(string(body), key+":"), ";")
	n, err := strconv.Atoi(first)
	if err != nil {
		return -1
	}
	return n
}
