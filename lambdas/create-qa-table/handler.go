// Package createqatable picks the predictions that people review.
package createqatable

import (
	"context"
	"fmt"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
)

// Store is what the handler needs of objects.
type Store interface {
	store.Eraser
	store.Locator
}

// SQL runs statements.
type SQL interface {
	Exec(ctx context.Context, s query.Statement) (query.Done, error)
	Rows(ctx context.Context, s query.Statement) ([]query.Row, error)
}

// Catalog drops tables and tells of them.
type Catalog interface {
	Drop(ctx context.Context, r query.Relation) (bool, error)
	Columns(ctx context.Context, r query.Relation) ([]query.Column, error)
}

// Handler picks predictions.
type Handler struct {
	Store   Store
	SQL     SQL
	Catalog Catalog
}

// Handle makes the table of predictions to review, and its masked view. Which
// they are follows from the data and the run's seed alone: see
// internal/query/sql/review.sql. Errors: *pipeline.InputError, store.ErrDenied,
// *query.Error.
func (h Handler) Handle(ctx context.Context, run pipeline.Run) (pipeline.Review, error) {
	if _, err := run.Check(); err != nil {
		return pipeline.Review{}, err
	}
	location := h.Store.URI(resource.ReviewTable.Location())
	tables := query.Tables{SQL: h.SQL, Catalog: h.Catalog, Store: h.Store}
	if err := tables.Make(ctx, resource.ReviewTable, query.Review(location, run.Seed)); err != nil {
		return pipeline.Review{}, err
	}
	columns, err := h.Catalog.Columns(ctx, query.TableOf(resource.ReviewTable))
	if err != nil {
		return pipeline.Review{}, err
	}
	if _, err := h.SQL.Exec(ctx, query.MaskedView(resource.ReviewTable, columns)); err != nil {
		return pipeline.Review{}, err
	}
	breakdown, err := h.breakdown(ctx)
	if err != nil {
		return pipeline.Review{}, err
	}
	out := pipeline.Review{Status: "success", Breakdown: breakdown, Location: location}
	for _, n := range breakdown {
		out.Records += n
	}
	return out, nil
}

// breakdown counts the predictions by reason.
func (h Handler) breakdown(ctx context.Context) (map[string]int, error) {
	rows, err := h.SQL.Rows(ctx, query.ReviewBreakdown())
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for _, r := range rows {
		n, err := r.Int("n")
		if err != nil {
			return nil, fmt.Errorf("count by reason: %w", err)
		}
		out[r["qa_reason"]] = int(n)
	}
	return out, nil
}
