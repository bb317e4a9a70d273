package score

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"engage/internal/resource"
	"engage/internal/store"
	"engage/workers/registry"
	"engage/workers/sink"
	"engage/workers/source"
)

// Store is what scoring needs of a store.
type Store interface {
	store.Reader
	store.Writer
	store.Lister
	store.Locator
}

// FromStore are the dependencies of scoring in the pipeline: the inference
// table, the registry, and the predictions of the version.
func FromStore(ctx context.Context, s Store, client sink.Client, buckets store.Names, model resource.Model, v resource.Version, log *slog.Logger) (Deps, error) {
	d := Deps{
		Shelf: registry.Stored{Store: s, Model: model, Version: v},
		Output: sink.Object{
			Client: client, Bucket: buckets[resource.Scored.Bucket], Key: resource.PredictionsKey(v, 0, 1), ContentType: "application/vnd.apache.parquet",
		},
		Now: time.Now, Log: log,
	}
	var err error
	if d.Input, err = source.Stored(ctx, s, resource.Inference, os.TempDir()); err != nil {
		return d, fmt.Errorf("find the inference table: %w", err)
	}
	return d, nil
}
