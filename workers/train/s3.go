package train

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"engage/internal/model/xgb"
	"engage/internal/resource"
	"engage/internal/store"
	"engage/workers/registry"
	"engage/workers/source"
)

// Store is what a training needs of a store.
type Store interface {
	store.Reader
	store.Writer
	store.Lister
	store.Locator
}

// FromStore are the dependencies of a training in the pipeline: the training and
// test tables, the manifest of their data set, and the registry.
func FromStore(ctx context.Context, s Store, c Config, dataset string, log *slog.Logger) (Deps, error) {
	d := Deps{
		Library: func() (*xgb.Library, error) { return xgb.Open("") },
		Shelf:   registry.Stored{Store: s, Model: c.Model, Version: c.Version},
		Now:     time.Now, Log: log,
	}
	var err error
	if d.Training, err = source.Stored(ctx, s, resource.Training, os.TempDir()); err != nil {
		return d, fmt.Errorf("find the training table: %w", err)
	}
	if d.Test, err = source.Stored(ctx, s, resource.Test, os.TempDir()); err != nil {
		return d, fmt.Errorf("find the test table: %w", err)
	}
	d.Origin, err = source.Arrived(ctx, s, dataset)
	return d, err
}
