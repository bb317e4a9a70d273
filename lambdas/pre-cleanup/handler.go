// Package precleanup is the first state of the pipeline: it deletes what the run
// before left, so that a run can be repeated.
package precleanup

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
)

// Catalog drops tables.
type Catalog interface {
	// Drop deletes a table or view with its partitions and versions, and reports
	// whether there was one. Errors: store.ErrDenied.
	Drop(ctx context.Context, r query.Relation) (bool, error)
}

// Handler deletes what runs make.
type Handler struct {
	Store   store.Eraser
	Catalog Catalog
	Now     func() time.Time
}

// workers bounds the calls at a time, beside those that a store makes for itself.
const workers = 6

// Handle deletes the tables, views and objects that a run of this version makes,
// every version of an object. A run that only scores keeps the model and the data
// that is prepared. What is not there is no error. Errors: *pipeline.InputError,
// store.ErrDenied.
func (h Handler) Handle(ctx context.Context, run pipeline.Run) (pipeline.Cleanup, error) {
	version, err := run.Check()
	if err != nil {
		return pipeline.Cleanup{}, err
	}
	// First the tables: who asks meanwhile finds none, rather than empty ones.
	tables, err := h.drop(ctx, relations(run.Mode))
	if err != nil {
		return pipeline.Cleanup{}, fmt.Errorf("drop tables: %w", err)
	}
	objects, err := h.erase(ctx, locations(run.Mode, version))
	if err != nil {
		return pipeline.Cleanup{}, fmt.Errorf("delete objects (%d are gone): %w", objects, err)
	}
	return pipeline.Cleanup{Status: "success", TablesDropped: tables, ObjectsDeleted: objects, Timestamp: h.Now().UTC().Format(time.RFC3339)}, nil
}

// relations lists the tables and views that the run makes anew. Views go first: a
// view over a table that is gone fails for whoever asks it.
func relations(mode pipeline.Mode) []query.Relation {
	var out []query.Relation
	for _, v := range resource.Views() {
		if !kept(mode, v.Database()) {
			out = append(out, query.ViewOf(v))
		}
	}
	for _, t := range resource.Tables() {
		if !kept(mode, t.Database()) {
			out = append(out, query.TableOf(t))
		}
	}
	return out
}

// kept reports whether a run leaves a database as it is.
func kept(mode pipeline.Mode, d resource.Database) bool {
	return mode == pipeline.ScoreOnly && d == resource.RawDatabase
}

// locations lists the places that the run writes to.
func locations(mode pipeline.Mode, v resource.Version) []resource.Location {
	all := resource.RunOutputs(v)
	if mode != pipeline.ScoreOnly {
		return all
	}
	return slices.DeleteFunc(all, func(l resource.Location) bool {
		return l == resource.Raw || l == resource.Processed || l.Bucket == resource.Registry.Bucket
	})
}

func (h Handler) drop(ctx context.Context, list []query.Relation) (int, error) {
	return each(ctx, list, func(ctx context.Context, r query.Relation) (int, error) {
		dropped, err := h.Catalog.Drop(ctx, r)
		if dropped {
			return 1, err
		}
		return 0, err
	})
}

func (h Handler) erase(ctx context.Context, list []resource.Location) (int, error) {
	return each(ctx, list, h.Store.Erase)
}

// each does something to each of a list, some at a time, and adds up the counts.
func each[T any](ctx context.Context, list []T, do func(context.Context, T) (int, error)) (int, error) {
	var sum atomic.Int64
	work, inner := errgroup.WithContext(ctx)
	work.SetLimit(workers)
	for _, one := range list {
		work.Go(func() error {
			n, err := do(inner, one)
			sum.Add(int64(n))
			return err
		})
	}
	err := work.Wait()
	return int(sum.Load()), err
}
