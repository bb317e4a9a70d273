// Package datavalidation checks the data of a run beside training: whether it is
// what the schema says, and how far it has drifted from the data that was
// accepted last.
package datavalidation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

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
	store.Locator
}

// SQL runs statements.
type SQL interface {
	One(ctx context.Context, s query.Statement) (query.Row, error)
}

// Catalog tells of tables.
type Catalog interface {
	// Columns returns the columns of a table. Errors: store.ErrNotFound, store.ErrDenied.
	Columns(ctx context.Context, r query.Relation) ([]query.Column, error)
}

// Parameters keeps notes between runs.
type Parameters interface {
	Get(ctx context.Context, p resource.Parameter) (string, error) // errors: store.ErrNotFound, store.ErrDenied
	Set(ctx context.Context, p resource.Parameter, value string) error
}

// Handler checks data.
type Handler struct {
	Store      Store
	SQL        SQL
	Catalog    Catalog
	Parameters Parameters
	Now        func() time.Time
}

// Failed is data whose findings stop the run.
type Failed struct {
	Report string // URI
	Errors []Finding
}

// shown bounds the findings that the error names; the report has them all.
const shown = 5

func (e *Failed) Error() string {
	var names []string
	for _, f := range e.Errors[:min(shown, len(e.Errors))] {
		names = append(names, f.String())
	}
	if more := len(e.Errors) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("%d findings stop the run (%s); see %s", len(e.Errors), strings.Join(names, "; "), e.Report)
}

// ErrorName is the name by which the machine knows the error.
func (e *Failed) ErrorName() string { return pipeline.ValidationFailed }

// Handle checks the raw tables and writes a report under the run. Data without
// errors becomes the data that later runs are compared with. Errors:
// *pipeline.InputError, *Failed, store.ErrDenied, *query.Error.
func (h Handler) Handle(ctx context.Context, run pipeline.Run) (pipeline.Validation, error) {
	if _, err := run.Check(); err != nil {
		return pipeline.Validation{}, err
	}
	prepared, err := h.prepared(ctx)
	if err != nil {
		return pipeline.Validation{}, err
	}
	report := Report{RunID: run.RunID, Dataset: prepared.Dataset, DataHash: prepared.DataHash, Created: h.Now().UTC().Format(time.RFC3339), Findings: []Finding{}}
	profile, err := h.examine(ctx, &report)
	if err != nil {
		return pipeline.Validation{}, err
	}
	return h.conclude(ctx, run, &report, profile)
}

// prepared is what the tables were made of.
func (h Handler) prepared(ctx context.Context) (p pipeline.Prepared, err error) {
	text, err := store.ReadAll(ctx, h.Store, resource.Data, resource.PreparedKey)
	if err != nil {
		return p, fmt.Errorf("read what was prepared: %w", err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("read what was prepared: %w", err)
	}
	return p, nil
}

// examine fills in the report and returns the profile of the data, nil where the
// tables cannot be read as what they should be.
func (h Handler) examine(ctx context.Context, report *Report) (*Profile, error) {
	for table, of := range map[resource.Table]*schema.Table{resource.CustomersTable: &schema.Customers, resource.ConnectionsTable: &schema.Connections} {
		columns, err := h.Catalog.Columns(ctx, query.TableOf(table))
		if err != nil {
			return nil, err
		}
		report.add(compareColumns(table, of, columns)...)
	}
	if len(report.Findings) > 0 {
		return nil, nil
	}
	reference, err := h.accepted(ctx, report)
	if err != nil {
		return nil, err
	}
	var profile *Profile
	work, inner := errgroup.WithContext(ctx)
	work.Go(func() (err error) {
		profile, err = h.measure(inner, report, reference)
		return err
	})
	var references query.Row
	work.Go(func() (err error) {
		references, err = h.SQL.One(inner, query.References(query.TableOf(resource.CustomersTable), query.TableOf(resource.ConnectionsTable)))
		return err
	})
	if err := work.Wait(); err != nil {
		return nil, unreadable(err, report)
	}
	return profile, checkReferences(references, report)
}

// unreadable makes a finding of files that do not hold the types of their
// columns. Any other error stays one.
// https://docs.aws.amazon.com/athena/latest/ug/troubleshooting-athena.html
func unreadable(err error, report *Report) error {
	var failed *query.Error
	if !errors.As(err, &failed) {
		return err
	}
	for _, code := range []string{"HIVE_BAD_DATA", "HIVE_CURSOR_ERROR", "HIVE_PARTITION_SCHEMA_MISMATCH"} {
		if strings.HasPrefix(failed.Reason, code) {
			report.add(Finding{Severity: SeverityError, Rule: "type", Count: 1, Message: failed.Reason})
			return nil
		}
	}
	return err
}

// conclude writes the report and decides. What is accepted is noted last, when
// everything that the note names is there.
func (h Handler) conclude(ctx context.Context, run pipeline.Run, report *Report, profile *Profile) (pipeline.Validation, error) {
	report.finish()
	id := resource.RunID(run.RunID)
	if err := h.write(ctx, id.ValidationKey(), report); err != nil {
		return pipeline.Validation{}, err
	}
	uri := store.ObjectURI(h.Store, resource.Runs.Bucket, id.ValidationKey())
	if wrong := report.of(SeverityError); len(wrong) > 0 {
		return pipeline.Validation{}, &Failed{Report: uri, Errors: wrong}
	}
	profile.RunID, profile.Dataset, profile.DataHash = run.RunID, report.Dataset, report.DataHash
	if err := h.write(ctx, id.ProfileKey(), profile); err != nil {
		return pipeline.Validation{}, err
	}
	if err := h.accept(ctx, id, report); err != nil {
		return pipeline.Validation{}, err
	}
	return pipeline.Validation{Status: report.Status, Findings: report.Counts, Report: uri}, nil
}

func (h Handler) write(ctx context.Context, key string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return h.Store.Put(ctx, resource.Runs.Bucket, key, append(text, '\n'), "application/json")
}
