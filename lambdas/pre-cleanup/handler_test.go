package precleanup_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
	"engage/internal/store/mem"
	precleanup "engage/lambdas/pre-cleanup"
)

// catalog has some tables.
type catalog struct {
	mu     sync.Mutex
	tables map[query.Relation]bool
	err    error
}

func (c *catalog) Drop(_ context.Context, r query.Relation) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	had := c.tables[r]
	delete(c.tables, r)
	return had, c.err
}

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// filled is a store with two versions of an object in every location there is.
func filled(t *testing.T) *mem.Store {
	t.Helper()
	s := mem.New(now)
	for _, l := range append(resource.Locations(), resource.RunOutputs(resource.FirstVersion)...) {
		if err := s.Put(t.Context(), l.Bucket, l.Key("x"), []byte("1"), ""); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func left(t *testing.T, s *mem.Store) string {
	t.Helper()
	var keys []string
	for _, b := range resource.Buckets() {
		for o, err := range s.List(t.Context(), resource.Location{Bucket: b}) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, fmt.Sprintf("%s/%s", b, o.Key))
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

func TestWhatIsLeft(t *testing.T) {
	const always = "audit/cloudtrail/x audit/predictions/x data/landing/x"
	const rest = "knowledge/answers/x knowledge/models/x logs/s3-access/x logs/vpc-flow/x"
	for mode, want := range map[pipeline.Mode]string{
		// models/x lies in the registry and in no version of a model.
		pipeline.TrainAndScore: always + " " + rest + " models/x results/runs/x",
		pipeline.ScoreOnly: always + " data/processed/connections/x data/processed/inference/x data/processed/test/x data/processed/training/x data/processed/x data/raw/x " + rest +
			" models/anomaly/v1.0/x models/churn/v1.0/x models/engagement/v1.0/x models/ensemble/v1.0/x models/ltv/v1.0/x models/recommendation/v1.0/x models/x results/runs/x",
	} {
		s := filled(t)
		tables := &catalog{tables: map[query.Relation]bool{query.TableOf(resource.ResultsTable): true, query.TableOf(resource.CustomersTable): true}}
		h := precleanup.Handler{Store: s, Catalog: tables, Now: now}
		out, err := h.Handle(t.Context(), pipeline.Run{RunID: "r", Mode: mode, ModelVersion: "v1"})
		if err != nil {
			t.Fatal(err)
		}
		if got := left(t, s); got != want {
			t.Errorf("%s leaves\n%s\nwant\n%s", mode, got, want)
		}
		if kept := len(tables.tables); out.TablesDropped != 2-kept || (mode == pipeline.ScoreOnly) != (kept == 1) {
			t.Errorf("%s: %+v, %d tables are left", mode, out, kept)
		}
	}
}

func TestDenied(t *testing.T) {
	run := pipeline.Run{RunID: "r", Mode: pipeline.TrainAndScore, ModelVersion: "v1"}
	s := filled(t)
	s.Deny(resource.QA)
	if _, err := (precleanup.Handler{Store: s, Catalog: &catalog{}, Now: now}).Handle(t.Context(), run); !errors.Is(err, store.ErrDenied) {
		t.Errorf("a bucket that may not be emptied: %v", err)
	}
	s = filled(t)
	before := left(t, s)
	if _, err := (precleanup.Handler{Store: s, Catalog: &catalog{err: store.ErrDenied}, Now: now}).Handle(t.Context(), run); !errors.Is(err, store.ErrDenied) {
		t.Errorf("a table that may not be dropped: %v", err)
	}
	if left(t, s) != before {
		t.Error("objects were deleted though their tables could not be dropped")
	}
}

func TestBadInput(t *testing.T) {
	for _, run := range []pipeline.Run{{}, {RunID: "r", Mode: "x", ModelVersion: "v1"}, {RunID: "r", Mode: pipeline.ScoreOnly, ModelVersion: "1"}, {RunID: "a/b", Mode: pipeline.ScoreOnly, ModelVersion: "v1"}} {
		s := filled(t)
		before := left(t, s)
		_, err := precleanup.Handler{Store: s, Catalog: &catalog{}, Now: now}.Handle(t.Context(), run)
		var bad *pipeline.InputError
		if !errors.As(err, &bad) || left(t, s) != before {
			t.Errorf("%+v: %v", run, err)
		}
	}
}
