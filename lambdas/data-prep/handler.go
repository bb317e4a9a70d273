// Package dataprep makes the tables that models train on, are tested on and score.
package dataprep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"engage/internal/dataset"
	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store"
)

// Store is what the handler needs of objects.
type Store interface {
	store.Reader
	store.Writer
	store.Lister
	store.Copier
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

// Handler prepares data.
type Handler struct {
	Store   Store
	SQL     SQL
	Catalog Catalog
}

// Handle takes a data set from the landing prefix and makes the tables of it. A
// run that only scores takes those that are there if they were made of the same
// data in the same way. Errors: *pipeline.InputError, *DatasetError,
// store.ErrDenied, *query.Error.
func (h Handler) Handle(ctx context.Context, run pipeline.Run) (pipeline.Preparation, error) {
	if _, err := run.Check(); err != nil {
		return pipeline.Preparation{}, err
	}
	set, err := h.find(ctx, run.Dataset)
	if err != nil {
		return pipeline.Preparation{}, err
	}
	if run.Mode == pipeline.ScoreOnly {
		if made, ok, err := h.reuse(ctx, set); err != nil || ok {
			return made, err
		}
	}
	made, err := h.prepare(ctx, set)
	if err != nil {
		return pipeline.Preparation{}, fmt.Errorf("prepare %s: %w", set.prefix, err)
	}
	return made.Preparation, h.record(ctx, made)
}

// reuse returns what an earlier run prepared, if it is there, whole and the same.
func (h Handler) reuse(ctx context.Context, set landed) (pipeline.Preparation, bool, error) {
	text, err := store.ReadAll(ctx, h.Store, resource.Data, resource.PreparedKey)
	if errors.Is(err, store.ErrNotFound) {
		return pipeline.Preparation{}, false, nil
	}
	if err != nil {
		return pipeline.Preparation{}, false, err
	}
	var p pipeline.Prepared
	if json.Unmarshal(text, &p) != nil || p.DataHash != set.hash || p.Split != query.Split || p.Schema != schema.Fingerprint(&schema.Customers) {
		return pipeline.Preparation{}, false, nil
	}
	for _, t := range resource.RawDatabase.Tables() {
		if _, err := h.Catalog.Columns(ctx, query.TableOf(t)); errors.Is(err, store.ErrNotFound) {
			return pipeline.Preparation{}, false, nil
		} else if err != nil {
			return pipeline.Preparation{}, false, err
		}
	}
	p.Dataset = set.prefix
	return p.Preparation, true, nil
}

// prepare makes every table. Nothing is touched before the data is known to be
// whole; then what an earlier try left is cleared, the note of what was prepared
// first: it must never tell of half a work. When a table fails, none is left.
func (h Handler) prepare(ctx context.Context, set landed) (pipeline.Prepared, error) {
	if err := h.verify(ctx, set, sources[:]); err != nil {
		return pipeline.Prepared{}, err
	}
	if _, err := h.Store.Erase(ctx, resource.Location{Bucket: resource.Data, Prefix: resource.PreparedKey}); err != nil {
		return pipeline.Prepared{}, err
	}
	made, err := h.make(ctx, set)
	if err != nil {
		return made, errors.Join(err, h.giveUp(ctx))
	}
	return made, nil
}

// sources are the tables of a data set that raw tables are made of.
var sources = [...]source{{resource.CustomersTable, &schema.Customers}, {resource.ConnectionsTable, &schema.Connections}}

type source struct {
	table resource.Table
	of    *schema.Table
}

// file is the name of the source's file in a data set.
func (s source) file(f schema.Format) string { return s.of.Name + "." + f.String() }

func (h Handler) make(ctx context.Context, set landed) (pipeline.Prepared, error) {
	work, inner := errgroup.WithContext(ctx)
	for _, s := range sources {
		work.Go(func() error {
			if err := h.raw(inner, set, s); err != nil || s.table != resource.CustomersTable {
				return err
			}
			return h.derive(inner)
		})
	}
	if err := work.Wait(); err != nil {
		return pipeline.Prepared{}, err
	}
	return h.count(ctx, set)
}

// raw copies a file from the landing prefix and makes the table over it.
func (h Handler) raw(ctx context.Context, set landed, s source) error {
	statement, err := query.RawTable(s.table, s.of, set.format, h.Store.URI(s.table.Location()))
	if err != nil {
		return err
	}
	if err := h.tables().Remove(ctx, s.table); err != nil {
		return err
	}
	name, to := s.file(set.format), s.table.Location()
	if err := h.Store.Copy(ctx, store.Ref{Bucket: resource.Landing.Bucket, Key: set.prefix + name}, store.Ref{Bucket: to.Bucket, Key: to.Key(name)}); err != nil {
		return err
	}
	_, err = h.SQL.Exec(ctx, statement)
	return err
}

// tidyPatience bounds the clearing away after a failure.
const tidyPatience = 30 * time.Second

func (h Handler) giveUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyPatience)
	defer cancel()
	for _, t := range resource.RawDatabase.Tables() {
		if err := h.tables().Remove(ctx, t); err != nil {
			return fmt.Errorf("clear what is left: %w", err)
		}
	}
	return nil
}

func (h Handler) tables() query.Tables {
	return query.Tables{SQL: h.SQL, Catalog: h.Catalog, Store: h.Store}
}

// derive makes the three tables that follow from the raw one, side by side.
func (h Handler) derive(ctx context.Context) error {
	work, inner := errgroup.WithContext(ctx)
	for table, statement := range map[resource.Table]func(string) query.Statement{
		resource.TrainingTable: query.TrainingTable, resource.TestTable: query.TestTable, resource.InferenceTable: query.InferenceTable,
	} {
		work.Go(func() error { return h.tables().Make(inner, table, statement(h.Store.URI(table.Location()))) })
	}
	return work.Wait()
}

// count tells how many rows went where, and fails where some were lost.
func (h Handler) count(ctx context.Context, set landed) (pipeline.Prepared, error) {
	rows, err := h.SQL.Rows(ctx, query.Counts(resource.TrainingTable, resource.TestTable, resource.InferenceTable))
	if err != nil {
		return pipeline.Prepared{}, err
	}
	n := map[string]int64{}
	for _, r := range rows {
		if n[r["t"]], err = r.Int("n"); err != nil {
			return pipeline.Prepared{}, err
		}
	}
	training, test, inference := n[resource.TrainingTable.Name()], n[resource.TestTable.Name()], n[resource.InferenceTable.Name()]
	if training+test != inference || inference != set.manifest.Rows {
		return pipeline.Prepared{}, fmt.Errorf("of %d customers, %d are in training, %d in test and %d in inference data: the file does not hold what its manifest says",
			set.manifest.Rows, training, test, inference)
	}
	return pipeline.Prepared{
		Split: query.Split, Schema: schema.Fingerprint(&schema.Customers),
		Preparation: pipeline.Preparation{
			Status: "success", Dataset: set.prefix, DataHash: set.hash,
			TrainingRecords: training, TestRecords: test, InferenceRecords: inference,
			Locations: map[string]string{
				"training": h.Store.URI(resource.Training), "test": h.Store.URI(resource.Test), "inference": h.Store.URI(resource.Inference),
			},
		},
	}, nil
}

// record notes what the tables were made of, beside them.
func (h Handler) record(ctx context.Context, p pipeline.Prepared) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("note what was prepared: %w", err)
	}
	return h.Store.Put(ctx, resource.Data, resource.PreparedKey, text, "application/json")
}

// formatOf is the better of the formats that a data set has.
func formatOf(m dataset.Manifest) schema.Format {
	if slices.Contains(m.Formats, dataset.Parquet) {
		return schema.Parquet
	}
	return schema.CSV
}
