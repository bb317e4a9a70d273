package engine_test

import (
	"context"
	"errors"
	"testing"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/athena/engine"
)

// faulty is a catalog that does not take new tables or partitions.
type faulty struct {
	*catalog.Memory
	noTables, noPartitions bool
}

var errFull = errors.New("the catalog is full")

func (f faulty) CreateTable(ctx context.Context, t catalog.Table) error {
	if f.noTables {
		return errFull
	}
	return f.Memory.CreateTable(ctx, t)
}

func (f faulty) AddPartitions(ctx context.Context, db, table string, ps []catalog.Partition) error {
	if f.noPartitions {
		return errFull
	}
	return f.Memory.AddPartitions(ctx, db, table, ps)
}

func TestFailedWritesLeaveNothing(t *testing.T) {
	b := newBench(t, false)
	b.must("CREATE TABLE old WITH (external_location = 's3://d/old/', partitioned_by = ARRAY['k']) AS SELECT 1 AS a, 'x' AS k")
	before, err := b.objects.List(t.Context(), "s3://d/")
	if err != nil {
		t.Fatal(err)
	}
	for statement, c := range map[string]catalog.Catalog{
		"CREATE TABLE new WITH (external_location = 's3://d/new/') AS SELECT 1 AS a":                                        faulty{b.catalog, true, false},
		"CREATE TABLE new WITH (external_location = 's3://d/new/', partitioned_by = ARRAY['k']) AS SELECT 1 AS a, 'x' AS k": faulty{b.catalog, false, true},
		"INSERT INTO old VALUES (2, 'y')": faulty{b.catalog, false, true},
	} {
		if _, err := b.engine.Run(t.Context(), engine.Request{ID: "f", Statement: statement, Output: "s3://failed/", Catalog: c}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", statement, err)
		}
		if after, err := b.objects.List(t.Context(), "s3://d/"); err != nil || len(after) != len(before) {
			t.Errorf("%s left %v, %v", statement, after, err)
		}
		if results, err := b.objects.List(t.Context(), "s3://failed/"); err != nil || len(results) > 0 {
			t.Errorf("%s left results %v, %v", statement, results, err)
		}
		if _, err := b.catalog.Table(t.Context(), "default", "new"); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("%s left its table: %v", statement, err)
		}
	}
}
