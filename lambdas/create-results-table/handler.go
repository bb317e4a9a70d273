// Package createresultstable joins customers with their predictions into the
// table that people and the agent ask, makes the views over it, and records the run.
package createresultstable

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
)

// Store is what the handler needs of objects.
type Store interface {
	store.Reader
	store.Writer
	store.Eraser
	store.Locator
}

// SQL runs statements.
type SQL interface {
	Exec(ctx context.Context, s query.Statement) (query.Done, error)
	Rows(ctx context.Context, s query.Statement) ([]query.Row, error)
	One(ctx context.Context, s query.Statement) (query.Row, error)
}

// Catalog drops tables and tells of them.
type Catalog interface {
	Drop(ctx context.Context, r query.Relation) (bool, error)
	Columns(ctx context.Context, r query.Relation) ([]query.Column, error)
}

// Handler makes the results.
type Handler struct {
	Store   Store
	SQL     SQL
	Catalog Catalog
	Now     func() time.Time
}

// Handle makes the table of results, the views over it, the masked views of all
// tables but that of reviews, and the run's manifest. Errors:
// *pipeline.InputError, *MetadataError, *PredictionsError, store.ErrDenied,
// *query.Error.
func (h Handler) Handle(ctx context.Context, run pipeline.Run) (pipeline.Results, error) {
	version, err := run.Check()
	if err != nil {
		return pipeline.Results{}, err
	}
	model, err := h.metadata(ctx, version)
	if err != nil {
		return pipeline.Results{}, err
	}
	prepared, err := h.prepared(ctx)
	if err != nil {
		return pipeline.Results{}, err
	}
	if err := h.table(ctx, run, model); err != nil {
		return pipeline.Results{}, err
	}
	views, err := h.views(ctx)
	if err != nil {
		return pipeline.Results{}, fmt.Errorf("make views: %w", err)
	}
	out, err := h.summary(ctx)
	if err != nil {
		return pipeline.Results{}, fmt.Errorf("sum up the results: %w", err)
	}
	out.Views, out.Location = views, h.Store.URI(resource.ResultsTable.Location())
	out.Manifest, err = h.record(ctx, run, version, model, prepared, out)
	return out, err
}

// table makes the table of results, in as many statements as its partitions need.
func (h Handler) table(ctx context.Context, run pipeline.Run, model Metadata) error {
	columns, err := h.Catalog.Columns(ctx, query.TableOf(resource.PredictionsTable))
	if err != nil {
		return err
	}
	if err := checkPredictions(columns); err != nil {
		return err
	}
	rows, err := h.SQL.Rows(ctx, query.Partitions())
	if err != nil {
		return err
	}
	statements := query.Results(query.ResultsOf{
		Location: h.Store.URI(resource.ResultsTable.Location()), Predictions: columns,
		Model: query.Model{Algorithm: model.Algorithm, R2: model.Metrics[metricR2], RMSE: model.Metrics[metricRMSE]},
		Run:   resource.RunID(run.RunID), Created: h.Now(),
	}, query.PartitionsOf(rows))
	return query.Tables{SQL: h.SQL, Catalog: h.Catalog, Store: h.Store}.Make(ctx, resource.ResultsTable, statements...)
}

// views makes the views side by side and returns their names.
func (h Handler) views(ctx context.Context) ([]string, error) {
	work, inner := errgroup.WithContext(ctx)
	for _, s := range query.AnalyticsViews() {
		work.Go(func() error {
			_, err := h.SQL.Exec(inner, s)
			return err
		})
	}
	names := []string{resource.HighValueCustomers.Name(), resource.AtRiskCustomers.Name(), resource.ModelPerformance.Name()}
	for _, t := range resource.MaskedTables() {
		if t == resource.ReviewTable { // made beside this, with its own view
			continue
		}
		names = append(names, t.Masked().Name())
		work.Go(func() error {
			columns, err := h.Catalog.Columns(inner, query.TableOf(t))
			if err == nil {
				_, err = h.SQL.Exec(inner, query.MaskedView(t, columns))
			}
			return err
		})
	}
	return names, work.Wait()
}

// summary counts the results.
func (h Handler) summary(ctx context.Context) (pipeline.Results, error) {
	row, err := h.SQL.One(ctx, query.ResultsSummary())
	if err != nil {
		return pipeline.Results{}, err
	}
	n := map[string]int64{}
	for _, name := range []string{"total", "locations", "account_types", "evaluated", "accurate", "acceptable", "poor"} {
		if n[name], err = row.Int(name); err != nil {
			return pipeline.Results{}, err
		}
	}
	out := pipeline.Results{
		Status: "success", Records: n["total"],
		Partitions:  map[string]int{"locations": int(n["locations"]), "account_types": int(n["account_types"])},
		Performance: pipeline.Performance{Rows: n["evaluated"], Accurate: n["accurate"], Acceptable: n["acceptable"], Poor: n["poor"]},
	}
	if out.Performance.MeanError, _, err = row.Float("mean_error"); err != nil {
		return out, err
	}
	out.Performance.MedianError, _, err = row.Float("median_error")
	return out, err
}

// prepared is what the tables were made of.
func (h Handler) prepared(ctx context.Context) (p pipeline.Prepared, err error) {
	text, err := store.ReadAll(ctx, h.Store, resource.Data, resource.PreparedKey)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read what was prepared: %w", err)
	}
	return p, nil
}
