package server

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Usage is a Meter that survives the end of the process. Sums are kept in a
// snapshot; what came after it is in a journal of the same number, a line a
// quantity, so that a killed process has lost nothing that it had counted.
type Usage struct {
	mu      sync.Mutex
	sums    map[wire.Quantity]float64 // Amount is 0 in the key
	dir     string
	number  int // of the snapshot and of its journal
	journal *os.File
	lines   int
}

// maxJournalLines is how long a journal gets before a snapshot replaces it.
const maxJournalLines = 200_000

// OpenUsage reads the usage kept in a directory.
func OpenUsage(dir string) (*Usage, error) {
	u := &Usage{sums: map[wire.Quantity]float64{}, dir: dir, number: latestSnapshot(dir)}
	if err := u.load(); err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	if err := u.snapshot(); err != nil {
		return nil, fmt.Errorf("write usage: %w", err)
	}
	return u, nil
}

func latestSnapshot(dir string) int {
	latest := 0
	names, _ := filepath.Glob(filepath.Join(dir, "usage-*.json"))
	for _, name := range names {
		text := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "usage-"), ".json")
		if n, err := strconv.Atoi(text); err == nil {
			latest = max(latest, n)
		}
	}
	return latest
}

func (u *Usage) path(kind string) string { return u.pathOf(u.number, kind) }

func (u *Usage) pathOf(number int, kind string) string {
	return filepath.Join(u.dir, fmt.Sprintf("usage-%d.%s", number, kind))
}

func (u *Usage) load() error {
	raw, err := os.ReadFile(u.path("json"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var kept []wire.Quantity
	if err == nil {
		if err := json.Unmarshal(raw, &kept); err != nil {
			return &state.CorruptError{Path: u.path("json"), Cause: err}
		}
	}
	for _, q := range kept {
		u.add(q)
	}
	return u.replay()
}

// replay adds up the journal. A last line that a crash cut short was never counted.
func (u *Usage) replay() error {
	f, err := os.Open(u.path("jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var q wire.Quantity
		if json.Unmarshal(lines.Bytes(), &q) == nil {
			u.add(q)
		}
	}
	return lines.Err()
}

// snapshot writes the sums under the next number and begins its journal.
// Until the snapshot has its name, the old pair holds.
func (u *Usage) snapshot() error {
	raw, err := json.Marshal(u.all())
	if err != nil {
		return err
	}
	old, oldJournal := u.number, u.journal
	u.number++
	journal, err := os.OpenFile(u.path("jsonl"), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		err = state.WriteFile(u.path("json"), raw, 0o600)
	}
	if err != nil {
		u.number = old
		return err
	}
	if oldJournal != nil {
		oldJournal.Close()
	}
	u.journal, u.lines = journal, 0
	os.Remove(u.pathOf(old, "jsonl"))
	os.Remove(u.pathOf(old, "json"))
	return nil
}

func (u *Usage) add(q wire.Quantity) {
	amount := q.Amount
	q.Amount = 0
	u.sums[q] += amount
}

// Add counts a quantity.
func (u *Usage) Add(_ context.Context, q wire.Quantity) {
	line, err := json.Marshal(q)
	u.mu.Lock()
	defer u.mu.Unlock()
	if err != nil || u.journal == nil {
		return // not a finite number, or closed
	}
	u.add(q)
	u.journal.Write(append(line, '\n')) //nolint:errcheck // a full disk must not fail the call; the sum has it
	if u.lines++; u.lines >= maxJournalLines {
		_ = u.snapshot() // the journal goes on being written when it fails
	}
}

// Query selects usage. An empty field selects all.
type Query struct{ Service, Resource, RunID string }

// Read returns the selected sums, sorted.
func (u *Usage) Read(q Query) []wire.Quantity {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.DeleteFunc(u.all(), func(have wire.Quantity) bool {
		return q.Service != "" && q.Service != have.Service ||
			q.Resource != "" && q.Resource != have.Resource || q.RunID != "" && q.RunID != have.RunID
	})
}

func (u *Usage) all() []wire.Quantity {
	all := make([]wire.Quantity, 0, len(u.sums))
	for q, amount := range u.sums {
		q.Amount = amount
		all = append(all, q)
	}
	slices.SortFunc(all, func(a, b wire.Quantity) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Usage, b.Usage),
			cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.RunID, b.RunID))
	})
	return all
}

// Close ends the journal. What is added later is not counted.
func (u *Usage) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.journal == nil {
		return nil
	}
	err := u.journal.Close()
	u.journal = nil
	return err
}
