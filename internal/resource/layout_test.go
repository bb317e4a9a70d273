package resource_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"engage/internal/resource"
)

func TestLocations(t *testing.T) {
	seen := map[resource.Location]bool{}
	for _, l := range resource.Locations() {
		if l.Prefix != "" && (!strings.HasSuffix(l.Prefix, "/") || strings.HasPrefix(l.Prefix, "/")) {
			t.Errorf("prefix %q must end in a slash and not start with one", l.Prefix)
		}
		if seen[l] {
			t.Errorf("%v is listed twice", l)
		}
		seen[l] = true
		if !slices.Contains(resource.Buckets(), l.Bucket) {
			t.Errorf("%v is in no known bucket", l)
		}
	}
}

// The clean-up empties what a run writes: every table's files, and never what
// arrived, nor the record of earlier runs.
func TestRunOutputs(t *testing.T) {
	deleted := func(l resource.Location) bool {
		for _, o := range resource.RunOutputs(resource.FirstVersion) {
			if o.Bucket == l.Bucket && strings.HasPrefix(l.Prefix, o.Prefix) {
				return true
			}
		}
		return false
	}
	for _, table := range resource.Tables() {
		if !deleted(table.Location()) {
			t.Errorf("the files of %s outlive the clean-up", table)
		}
	}
	for _, l := range []resource.Location{
		resource.Landing, resource.Runs, resource.EngagementModel.Location(resource.Version{Major: 1, Minor: 1}), resource.Trail, resource.PredictionAudit,
		resource.AccessLogs, resource.FlowLogs, resource.KnowledgeModels, resource.KnowledgeAnswers,
	} {
		if deleted(l) {
			t.Errorf("the clean-up deletes %v", l)
		}
	}
}

// Athena reads every file below a table's location, so no two tables may overlap.
func TestTableLocationsDoNotOverlap(t *testing.T) {
	for _, a := range resource.Tables() {
		for _, b := range resource.Tables() {
			la, lb := a.Location(), b.Location()
			if a != b && la.Bucket == lb.Bucket && strings.HasPrefix(la.Prefix, lb.Prefix) {
				t.Errorf("%s (%v) lies within %s (%v)", a, la, b, lb)
			}
		}
	}
	if !strings.HasPrefix(resource.CustomersKey, resource.CustomersTable.Location().Prefix) {
		t.Errorf("%s does not read %s", resource.CustomersTable, resource.CustomersKey)
	}
}

func TestCatalogRelation(t *testing.T) {
	tables, views := 0, 0
	for _, d := range resource.Databases() {
		for _, table := range d.Tables() {
			if got := string(d) + "." + table.Name(); got != string(table) {
				t.Errorf("got %s, want %s", got, table)
			}
		}
		for _, view := range d.Views() {
			if got := string(d) + "." + view.Name(); got != string(view) {
				t.Errorf("got %s, want %s", got, view)
			}
		}
		tables += len(d.Tables())
		views += len(d.Views())
	}
	if tables != len(resource.Tables()) || views != len(resource.Views()) {
		t.Errorf("databases hold %d tables and %d views, want all of %d and %d",
			tables, views, len(resource.Tables()), len(resource.Views()))
	}
	if n := len(resource.RawDatabase.Tables()); n != 5 {
		t.Errorf("%s holds %d tables, want 5", resource.RawDatabase, n)
	}
}

func TestLimits(t *testing.T) {
	want := map[resource.Function]resource.Limits{
		resource.PreCleanup:         {Timeout: 5 * time.Minute, MemoryMB: 512},
		resource.DataPrep:           {Timeout: 10 * time.Minute, MemoryMB: 1024},
		resource.DataValidation:     {Timeout: 3 * time.Minute, MemoryMB: 512},
		resource.CreateQATable:      {Timeout: 5 * time.Minute, MemoryMB: 512},
		resource.CreateResultsTable: {Timeout: 5 * time.Minute, MemoryMB: 1024},
	}
	for f, limits := range want {
		if got := f.Limits(); got != limits {
			t.Errorf("%s: got %v, want %v", f, got, limits)
		}
	}
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	for _, f := range resource.Functions() {
		l := f.Limits()
		if l.Timeout < time.Second || l.Timeout > 15*time.Minute || l.Timeout%time.Second != 0 || l.MemoryMB < 128 || l.MemoryMB > 10240 {
			t.Errorf("%s: Lambda does not allow %v", f, l)
		}
	}
}

func TestTaskDefinitions(t *testing.T) {
	for _, d := range resource.TaskDefinitions() {
		if !slices.Contains(resource.Containers(), d.Container()) {
			t.Errorf("%s runs unlisted container %s", d, d.Container())
		}
		if d.Size() != (resource.Size{CPU: 16384, MemoryMB: 65536}) {
			t.Errorf("%s has size %v", d, d.Size())
		}
	}
}

func TestRegistryKeys(t *testing.T) {
	v := resource.Version{Major: 1, Minor: 2}
	for _, tc := range []struct{ got, want string }{
		{resource.EngagementModel.Key(resource.FirstVersion, resource.ModelFile), "engagement/v1.0/model.json"},
		{resource.EnsembleModel.Key(v, resource.MetadataFile), "ensemble/v1.2/metadata.json"},
		{resource.PredictionsKey(resource.FirstVersion, 0, 1), "predictions_v1.parquet"},
		{resource.PredictionsKey(v, 3, 16), "predictions_v1.2/part-00003-of-00016.parquet"},
		{resource.RunID("2026-11-23_a").ManifestKey(), "runs/2026-11-23_a/manifest.json"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestPredictionsKeyPanicsOutOfRange(t *testing.T) {
	for _, part := range []int{-1, 4} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("part %d of 4: no panic", part)
				}
			}()
			resource.PredictionsKey(resource.FirstVersion, part, 4)
		}()
	}
}

func TestParseModel(t *testing.T) {
	if m, err := resource.ParseModel("churn"); err != nil || m != resource.ChurnModel {
		t.Errorf("got %q, %v", m, err)
	}
	if _, err := resource.ParseModel("Churn"); err == nil || !strings.Contains(err.Error(), "anomaly") {
		t.Errorf("got %v, want an error that lists the models", err)
	}
}

func TestParseRunID(t *testing.T) {
	for s, ok := range map[string]bool{
		"run-1": true, strings.Repeat("a", 80): true,
		"": false, "../x": false, "a/b": false, "-a": false, "a b": false, strings.Repeat("a", 81): false,
	} {
		if _, err := resource.ParseRunID(s); (err == nil) != ok {
			t.Errorf("%q: got %v", s, err)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"v1", "v1.0", "v1.2", "v0", "1.0", "v1.", "v01", "v1.2.3", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := resource.ParseVersion(s)
		if err != nil {
			return
		}
		if s != v.String() && s != v.Short() {
			t.Errorf("%q was read as %v", s, v)
		}
		for _, form := range []string{v.String(), v.Short()} {
			if again, err := resource.ParseVersion(form); err != nil || again != v {
				t.Errorf("%q: got %v, %v, want %v", form, again, err, v)
			}
		}
	})
}
