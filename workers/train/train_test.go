package train_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"engage/internal/dataset"
	"engage/internal/feature"
	"engage/internal/frame"
	"engage/internal/generate"
	"engage/internal/model/xgb"
	"engage/internal/parquetfile"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/workers/registry"
	"engage/workers/source"
	"engage/workers/train"
)

func library() (*xgb.Library, error) { return xgb.Open(os.Getenv("ENGAGE_LIBXGBOOST")) }

// customers makes a data set of n customers.
func customers(t *testing.T, n int, formats ...string) string {
	t.Helper()
	if _, err := library(); err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := generate.Run(t.Context(), generate.Options{Rows: n, Seed: 5, Dir: dir, Formats: formats}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func config() train.Config {
	p := train.DefaultParams()
	p.MaxDepth, p.LearningRate, p.Rounds = 4, 0.2, 25
	return train.Config{Model: resource.EngagementModel, Version: resource.FirstVersion, Seed: 1, Params: p}
}

// shelf keeps documents in memory.
type shelf struct{ docs registry.Documents }

func (s *shelf) Place() string { return "memory" }
func (s *shelf) Free() error   { return nil }
func (s *shelf) Read(_ context.Context, a resource.Artifact) ([]byte, error) {
	return s.docs[a], nil
}
func (s *shelf) Write(_ context.Context, d registry.Documents) error { s.docs = d; return nil }

func deps(t *testing.T, dir string) (train.Deps, *shelf) {
	t.Helper()
	input, origin, err := source.Directory(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{}
	return train.Deps{Library: library, Training: input, Origin: origin, Shelf: s, Now: func() time.Time { return time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC) },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, s
}

// With enough customers for a ceiling, the documents say all that they should.
func TestDocuments(t *testing.T) {
	dir := customers(t, 20_000, dataset.Parquet)
	d, s := deps(t, dir)
	c := config()
	c.Curve = []float64{0.2, 1}
	stages := map[string]int{}
	d.Progress = func(stage string, _, _ int) { stages[stage]++ }
	r, err := train.Run(t.Context(), c, d)
	if err != nil {
		t.Fatal(err)
	}
	var meta registry.Metadata
	var e train.Evaluation
	var imp train.Importance
	for a, to := range map[resource.Artifact]any{resource.MetadataFile: &meta, resource.EvaluationFile: &e, resource.ImportanceFile: &imp} {
		if err := json.Unmarshal(s.docs[a], to); err != nil {
			t.Fatal(err)
		}
	}
	if meta.TrainingDate != "2026-11-23" || meta.ModelName != "engagement_predictor" || meta.Version != "1.0" || meta.Algorithm != "XGBoost" || len(meta.Features) != feature.Engagement.Len() {
		t.Errorf("metadata %+v", meta)
	}
	for a, text := range s.docs {
		if a != resource.MetadataFile && meta.Hashes[a] != registry.Hash(text) {
			t.Errorf("%s: hash %s", a, meta.Hashes[a])
		}
	}
	if n := meta.Data.Training + meta.Data.Validation + meta.Data.Test; n != 20_000 || meta.Data.Split != query.Split || meta.Data.Hash == "" {
		t.Errorf("data %+v", meta.Data)
	}
	for name, p := range meta.Fairness {
		if p <= 0 || p > 1 {
			t.Errorf("%s is %g", name, p)
		}
	}
	if len(meta.Fairness) != 3 || meta.Metrics["r2"] != *r.TestR2 || meta.Metrics["rmse"] != *r.TestRMSE {
		t.Errorf("metrics %v, fairness %v", meta.Metrics, meta.Fairness)
	}
	if share := meta.Share["r2"]; share < 0.85 || share > 1.02 || math.Abs(share-*r.TestR2/d.Origin.Ceilings["engagement_score"][0].Value) > 1e-12 {
		t.Errorf("share of the ceiling %g", share)
	}
	if len(e.Calibration.Bins) != 10 || *e.Calibration.Slope < 0.8 || *e.Calibration.Slope > 1.2 || len(e.Rounds) == 0 || e.Missing["match_success_rate"] == 0 {
		t.Errorf("evaluation %+v", e.Calibration)
	}
	rows := map[string]int{}
	for _, seg := range e.Segments {
		rows[seg.Column] += seg.Rows
	}
	for column, n := range rows {
		if int64(n) != meta.Data.Test {
			t.Errorf("the segments of %s have %d rows of %d", column, n, meta.Data.Test)
		}
	}
	if len(e.Curve) != 2 || e.Curve[1].Test >= e.Curve[0].Test || e.Curve[0].Train >= e.Curve[0].Test {
		t.Errorf("learning curve %+v: more rows should help", e.Curve)
	}
	if top := imp.Features[0]; top.Feature != r.TopFeatures[0] || top.MeanAbsSHAP <= 0 || top.Permutation <= 0 || top.GainShare <= 0 {
		t.Errorf("the most important feature is %+v", top)
	}
	for _, stage := range []string{"read customers", "train", "evaluate"} {
		if stages[stage] == 0 {
			t.Errorf("no progress of %s", stage)
		}
	}
}

// The same data, parameters, seed and threads give the same bytes, from CSV too;
// another seed does not.
func TestTrainingIsReproducible(t *testing.T) {
	dir := customers(t, 1500, dataset.Parquet)
	text := customers(t, 1500, dataset.CSV)
	model := func(dir string, seed uint64) string {
		d, s := deps(t, dir)
		c := config()
		c.Seed, c.Threads = seed, 1
		if _, err := train.Run(t.Context(), c, d); err != nil {
			t.Fatal(err)
		}
		return registry.Hash(s.docs[resource.ModelFile])
	}
	first := model(dir, 1)
	if model(dir, 1) != first {
		t.Error("two trainings differ")
	}
	if model(text, 1) != first {
		t.Error("CSV and Parquet give different models")
	}
	if model(dir, 2) == first {
		t.Error("the seed does not matter")
	}
}

// spoil is the data set's customers, changed.
func spoil(t *testing.T, dir string, change func(b *frame.Batch)) source.Files {
	t.Helper()
	path := filepath.Join(dir, dataset.CustomersParquet)
	return source.Files{Place: dir, List: []source.File{{Name: path, Open: func(_ context.Context, c []schema.Name) (frame.Reader, error) {
		r, err := parquetfile.Open(path, &schema.Customers, parquetfile.ReadOptions{Columns: c})
		return changed{r, change}, err
	}}}}
}

type changed struct {
	frame.Reader
	change func(b *frame.Batch)
}

func (c changed) Next() (*frame.Batch, error) {
	b, err := c.Reader.Next()
	if err == nil {
		c.change(b)
	}
	return b, err
}

func TestBadDataIsRefused(t *testing.T) {
	dir := customers(t, 1500, dataset.Parquet)
	cell := func(err error) string {
		var e *feature.CellError
		if !errors.As(err, &e) || e.Row != 1000 || !strings.HasSuffix(e.File, dataset.CustomersParquet) {
			return "no cell of row 1000"
		}
		return string(e.Column)
	}
	rows := func(err error) string {
		var e *train.RowsError
		if !errors.As(err, &e) {
			return "no rows error"
		}
		return string(e.Column)
	}
	for name, c := range map[string]struct {
		model  resource.Model
		change func(b *frame.Batch)
		class  func(error) string
		want   schema.Name
	}{
		"NaN":              {resource.EngagementModel, func(b *frame.Batch) { b.Column(schema.TrustScore).Floats[999] = math.NaN() }, cell, schema.TrustScore},
		"infinity":         {resource.EngagementModel, func(b *frame.Batch) { b.Column(schema.AvgScrollDepthPct).Floats[999] = math.Inf(-1) }, cell, schema.AvgScrollDepthPct},
		"unknown category": {resource.EngagementModel, func(b *frame.Batch) { b.Column(schema.DeviceType).Strings[999] = "watch" }, cell, schema.DeviceType},
		"NaN target":       {resource.EngagementModel, func(b *frame.Batch) { b.Column(schema.EngagementScore).Floats[999] = math.NaN() }, cell, schema.EngagementScore},
		"missing target":   {resource.LTVModel, func(b *frame.Batch) { b.Column(schema.LifetimeValueUSD).SetNull(999, b.Rows) }, cell, schema.LifetimeValueUSD},
		"missing id":       {resource.EngagementModel, func(b *frame.Batch) { b.Column(schema.CustomerID).SetNull(999, b.Rows) }, cell, schema.CustomerID},
		"constant target": {resource.EngagementModel, func(b *frame.Batch) {
			for i := range b.Rows {
				b.Column(schema.EngagementScore).Floats[i] = 0.5
			}
		}, rows, schema.EngagementScore},
		"one class": {resource.ChurnModel, func(b *frame.Batch) {
			for i := range b.Rows {
				b.Column(schema.Churn30Day).Bools[i] = false
			}
		}, rows, schema.Churn30Day},
		"no test rows": {resource.EngagementModel, func(b *frame.Batch) {
			ids := b.Column(schema.CustomerID).Strings
			for i := range ids {
				if !query.InTraining(ids[i]) {
					ids[i] = trainingID(ids)
				}
			}
		}, rows, ""},
	} {
		d, s := deps(t, dir)
		d.Training = spoil(t, dir, c.change)
		config := config()
		config.Model = c.model
		_, err := train.Run(t.Context(), config, d)
		if got := c.class(err); err == nil || got != string(c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %s: %v", name, got, err)
		}
		if s.docs != nil {
			t.Errorf("%s: a model was written", name)
		}
	}
}

func trainingID(ids []string) string {
	for _, id := range ids {
		if query.InTraining(id) {
			return id
		}
	}
	return ""
}

func TestBadConfigurationIsRefused(t *testing.T) {
	dir := customers(t, 1500, dataset.Parquet)
	d, _ := deps(t, dir)
	c := config()
	c.Model = resource.AnomalyModel
	var unknown *train.UnknownModelError
	if _, err := train.Run(t.Context(), c, d); !errors.As(err, &unknown) {
		t.Error(err)
	}
	d.Library = func() (*xgb.Library, error) { return xgb.Open("/nowhere/libxgboost.so") }
	var missing *xgb.LibraryError
	if _, err := train.Run(t.Context(), config(), d); !errors.As(err, &missing) {
		t.Error(err)
	}
}

func TestReadParams(t *testing.T) {
	p, err := train.ReadParams(strings.NewReader(`{"max_depth": 3, "early_stopping_rounds": 0, "validation_fraction": 0}`))
	if want := train.DefaultParams(); err != nil || p.MaxDepth != 3 || p.LearningRate != want.LearningRate || p.EarlyStopping != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, text := range []string{
		``, `[]`, `{"depth": 3}`, `{} {}`, `{"max_depth": 0}`, `{"max_depth": "8"}`, `{"learning_rate": 0}`, `{"n_estimators": 0}`, `{"subsample": 1.5}`,
		`{"early_stopping_rounds": 0}`, `{"validation_fraction": 0.9}`, `{"reg_lambda": -1}`, `{"max_bin": 1}`,
	} {
		var bad *train.ParamsError
		if _, err := train.ReadParams(strings.NewReader(text)); !errors.As(err, &bad) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTrainingStopsWithTheContext(t *testing.T) {
	dir := customers(t, 1500, dataset.Parquet)
	d, s := deps(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	d.Progress = func(stage string, done, _ int) {
		if stage == "train" && done == 3 {
			cancel()
		}
	}
	if _, err := train.Run(ctx, config(), d); !errors.Is(err, context.Canceled) || s.docs != nil {
		t.Errorf("%v, %d documents", err, len(s.docs))
	}
}
