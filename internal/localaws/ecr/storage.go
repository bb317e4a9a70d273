package ecr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// How often what is kept is counted, and images that have become too old are
// looked for: AWS bills storage by the hour, and expires images within a day.
const (
	countInterval  = time.Minute
	expireInterval = time.Hour
)

// Run counts what the repositories keep and applies lifecycle policies, until
// the context ends. What fails is reported, and done again the next time.
func (s *Service) Run(ctx context.Context, report func(error)) {
	ticker := time.NewTicker(countInterval)
	defer ticker.Stop()
	counted, expired := s.now(), s.now()
	for {
		var ended bool
		select {
		case <-ticker.C:
		case <-ctx.Done():
			ended = true
		}
		now := s.now()
		if err := s.countStorage(context.WithoutCancel(ctx), now.Sub(counted)); err != nil {
			report(fmt.Errorf("count images: %w", err))
		}
		counted = now
		if ended {
			return
		}
		if now.Sub(expired) >= expireInterval {
			if err := s.Expire(); err != nil {
				report(fmt.Errorf("expire images: %w", err))
			}
			expired = now
		}
	}
}

// countStorage books a time of what each repository keeps: its blobs, each
// once, and its manifests. https://aws.amazon.com/ecr/pricing/
func (s *Service) countStorage(ctx context.Context, elapsed time.Duration) error {
	kept := map[string]int64{}
	err := s.store.View(func(tx state.Tx) error {
		all, err := repositories.List(tx, "", "", 0)
		for _, e := range all {
			id := repoID{e.Value.Account, e.Value.Region, e.Value.Name}
			bytes, sizeErr := storedBytes(tx, id)
			kept[id.name] += bytes
			err = errors.Join(err, sizeErr)
		}
		return err
	})
	for name, bytes := range kept {
		if bytes > 0 {
			s.cfg.Meter.Add(ctx, wire.Quantity{Service: "ecr", Usage: "TimedStorage-ByteHrs", Resource: name, Amount: float64(bytes) * elapsed.Hours()})
		}
	}
	return err
}

func storedBytes(tx state.Tx, id repoID) (int64, error) {
	var total int64
	blobs, err := blobLinks.List(tx, id.prefix(), "", 0)
	for _, e := range blobs {
		total += e.Value
	}
	manifests, listErr := images.List(tx, id.prefix(), "", 0)
	for _, e := range manifests {
		total += int64(len(e.Value.Manifest))
	}
	return total, errors.Join(err, listErr)
}
