package ecr

import (
	"context"
	"errors"
	"testing"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// ledger keeps what was counted.
type ledger map[string]float64

func (l ledger) Add(_ context.Context, q wire.Quantity) { l[q.Usage+" "+q.Resource] += q.Amount }

// What is kept is blobs and manifests, by the hour: 1,000 + 24 bytes for 90 minutes.
func TestStorageIsCounted(t *testing.T) {
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	counted := ledger{}
	s, err := New(Config{Store: store, Meter: counted})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	id := repoID{"000000000000", "us-east-1", "r"}
	err = store.Update(func(tx state.Tx) error {
		return errors.Join(
			repositories.Put(tx, id.key(), repository{Account: id.account, Region: id.region, Name: id.name}),
			blobLinks.Put(tx, id.key("sha256:1"), 1000),
			images.Put(tx, id.key("sha256:2"), storedImage{Manifest: make([]byte, 24)}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.countStorage(t.Context(), 90*time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := counted["TimedStorage-ByteHrs r"]; got != 1024*1.5 || len(counted) != 1 {
		t.Errorf("counted %v", counted)
	}
}

// Run counts once more when it ends.
func TestRunEnds(t *testing.T) {
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s, err := New(Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx, func(err error) { t.Error(err) })
}
