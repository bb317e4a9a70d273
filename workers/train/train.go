// Package train trains the model that predicts one target of the customers, says
// how good it is, and puts it on a shelf of the registry.
package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"engage/internal/feature"
	"engage/internal/model/gbdt"
	"engage/internal/model/xgb"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/workers/registry"
	"engage/workers/source"
)

// Config says what to train.
type Config struct {
	Model   resource.Model
	Version resource.Version
	RunID   string // of the pipeline; may be empty
	Seed    uint64 // of all random choices
	// Threads is how many to use. The default is 0, all processors.
	Threads int
	Params  Params
	// Curve are shares of the training rows to train on once more each, for a
	// learning curve. The default is none.
	Curve []float64
}

// Deps are what a training needs of the world.
type Deps struct {
	Library  func() (*xgb.Library, error)
	Training source.Files
	Test     source.Files // without files, Training is divided
	Origin   source.Origin
	Shelf    registry.Shelf
	Now      func() time.Time
	Log      *slog.Logger
	Progress func(stage string, done, total int) // may be nil
}

// Result is what a training task says of its model.
type Result struct {
	Status      string             `json:"training_status"` // "success"
	Model       string             `json:"model"`
	Version     string             `json:"model_version"`
	TestRMSE    *float64           `json:"test_rmse,omitempty"`
	TestR2      *float64           `json:"test_r2,omitempty"`
	TestAUC     *float64           `json:"test_auc,omitempty"`
	Share       map[string]float64 `json:"share_of_ceiling,omitempty"`
	TopFeatures []string           `json:"top_features"`
	Place       string             `json:"model_s3_path"`
	Rounds      int                `json:"rounds"`
	Training    int                `json:"training_rows"`
	Test        int                `json:"test_rows"`
	Seconds     float64            `json:"training_seconds"` // growing the trees, without reading and evaluating
}

// goals are the models that can be trained.
var goals = map[resource.Model]goal{
	resource.EngagementModel: quantity, resource.LTVModel: quantity, resource.ChurnModel: probability,
}

// UnknownModelError refuses a model that is not trained here.
type UnknownModelError struct{ Model resource.Model }

// Error is one line with the models that are.
func (e *UnknownModelError) Error() string {
	return fmt.Sprintf("model %q is not trained on customers: want %s, %s or %s", e.Model, resource.EngagementModel, resource.LTVModel, resource.ChurnModel)
}

// job is one training on its way.
type job struct {
	Config
	Deps
	goal
	set     feature.Set
	library *xgb.Library
	data    *data
}

// trained is a model and how it came to be.
type trained struct {
	model   []byte      // JSON
	trees   *gbdt.Model // the rounds that count
	rounds  int
	scores  []float64 // of the validation rows, by round
	seconds float64
	version xgb.Version
}

// Run trains. Nothing is written before the model is evaluated. Errors:
// *UnknownModelError, *ParamsError, *xgb.LibraryError, *RowsError,
// *source.EmptyError, *feature.CellError, those of the files and of the shelf,
// and the end of the context.
func Run(ctx context.Context, c Config, d Deps) (Result, error) {
	j, err := prepare(c, d)
	if err != nil {
		return Result{}, err
	}
	if err := j.read(ctx); err != nil {
		return Result{}, err
	}
	t, err := j.train(ctx, j.data.train, j.data.validate, j.Params)
	if err != nil {
		return Result{}, fmt.Errorf("grow the trees: %w", err)
	}
	j.Log.Info("trained", "rounds", t.rounds, "seconds", t.seconds, "library", t.version.String())
	r, err := j.report(ctx, t)
	if err != nil {
		return Result{}, fmt.Errorf("evaluate: %w", err)
	}
	docs, err := j.documents(t, r)
	if err != nil {
		return Result{}, err
	}
	if err := j.Shelf.Write(ctx, docs); err != nil {
		return Result{}, fmt.Errorf("save the model: %w", err)
	}
	result := j.result(t, r)
	j.Log.Info("saved the model", "place", j.Shelf.Place(), "metrics", r.metrics())
	return result, nil
}

// prepare checks all that can be checked before reading data.
func prepare(c Config, d Deps) (*job, error) {
	j := &job{Config: c, Deps: d}
	var ok bool
	if j.goal, ok = goals[c.Model]; !ok {
		return nil, &UnknownModelError{c.Model}
	}
	if j.set, ok = feature.ByModel(string(c.Model)); !ok {
		return nil, &UnknownModelError{c.Model}
	}
	if err := c.Params.Check(); err != nil {
		return nil, err
	}
	if err := d.Shelf.Free(); err != nil {
		return nil, err
	}
	if j.Progress == nil {
		j.Progress = func(string, int, int) {}
	}
	var err error
	j.library, err = d.Library()
	return j, err
}

func (j *job) read(ctx context.Context) error {
	total := int(j.Training.Rows + j.Test.Rows)
	d, err := read(ctx, j.set, j.Training, j.Test, j.Params.Validation, func(n int64) { j.Progress("read customers", int(n), total) })
	if err != nil {
		return err
	}
	if err := d.check(j.Training.Place, j.goal, j.Params.Validation > 0); err != nil {
		return err
	}
	j.data = d
	j.Log.Info("read customers", "training", d.train.len(), "validation", d.validate.len(), "test", d.test.len(), "features", j.set.Len())
	return nil
}

// features tells the library what the columns are.
func (j *job) features() xgb.Features {
	f := xgb.Features{Names: j.set.Names()}
	for _, x := range j.set.Features() {
		kind := xgb.Quantity
		if x.IsCategory() {
			kind = xgb.Category
		}
		f.Kinds = append(f.Kinds, kind)
	}
	return f
}

// train grows trees on rows; without validation rows, all rounds count.
func (j *job) train(ctx context.Context, on, validate *rows, p Params) (*trained, error) {
	began := j.Now()
	m, err := j.library.StreamMatrix(&stream{rows: on}, j.features(), xgb.StreamOptions{Bins: p.Bins, Threads: j.Threads})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	training := xgb.Training{
		Params: p.library(j.goal, mean(on.labels), j.Seed, j.Threads), Data: m, Rounds: p.Rounds,
		Progress: func(r xgb.Round) error { j.Progress("train", r.Number+1, p.Rounds); return nil },
	}
	if validate.len() > 0 && p.EarlyStopping > 0 {
		v, err := j.library.StreamMatrix(&stream{rows: validate}, j.features(), xgb.StreamOptions{Bins: p.Bins, Reference: m, Threads: j.Threads})
		if err != nil {
			return nil, err
		}
		defer v.Close()
		training.Evals, training.EarlyStopping = []xgb.Eval{{Name: "validation", Data: v}}, p.EarlyStopping
	}
	out, err := j.library.Train(ctx, training)
	if err != nil {
		return nil, err
	}
	defer out.Booster.Close()
	return j.keep(out, j.Now().Sub(began))
}

// keep takes the model out of the library.
func (j *job) keep(out *xgb.Trained, took time.Duration) (*trained, error) {
	t := &trained{rounds: out.Best + 1, seconds: took.Seconds(), version: j.library.Version()}
	for _, r := range out.History {
		if len(r.Scores) > 0 {
			t.scores = append(t.scores, r.Scores[len(r.Scores)-1].Value)
		}
	}
	var err error
	if t.model, err = out.Booster.Save(xgb.JSON); err != nil {
		return nil, err
	}
	whole, err := gbdt.Parse(t.model)
	if err != nil {
		return nil, err
	}
	t.trees, err = whole.Slice(0, t.rounds)
	return t, err
}

// mean is where the trees begin: the best answer without any.
func mean(labels []float32) float64 {
	sum := 0.0
	for _, y := range labels {
		sum += float64(y)
	}
	return sum / float64(len(labels))
}

// documents are the artifacts, the metadata with the hashes of the others.
func (j *job) documents(t *trained, r *report) (registry.Documents, error) {
	docs := registry.Documents{resource.ModelFile: t.model, resource.FeaturesFile: j.data.fitted.Encode()}
	var errs [3]error
	docs[resource.EvaluationFile], errs[0] = document(r.evaluation)
	docs[resource.ImportanceFile], errs[1] = document(r.importance)
	meta := j.metadata(t, r)
	meta.Hashes = map[resource.Artifact]string{}
	for a, text := range docs {
		meta.Hashes[a] = registry.Hash(text)
	}
	docs[resource.MetadataFile], errs[2] = document(meta)
	return docs, errors.Join(errs[:]...)
}

func document(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write a document of the model: %w", err)
	}
	return append(text, '\n'), nil
}

func (j *job) metadata(t *trained, r *report) registry.Metadata {
	return registry.Metadata{
		FormatVersion: registry.FormatVersion, ModelName: string(j.Model) + "_predictor", Model: string(j.Model),
		Version:   fmt.Sprintf("%d.%d", j.Version.Major, j.Version.Minor),
		Algorithm: "XGBoost", Library: "XGBoost " + t.version.String(), TrainingDate: j.Now().UTC().Format(time.DateOnly),
		RunID: j.RunID, Seed: j.Seed, Parameters: j.Params, Rounds: t.rounds,
		Metrics: r.metrics(), Ceilings: r.evaluation.Ceilings, Share: r.evaluation.Share, Fairness: r.fairness,
		Data: registry.Data{
			Origin: j.Origin, Split: query.Split,
			Training: int64(j.data.train.len()), Validation: int64(j.data.validate.len()), Test: int64(j.data.test.len()),
		},
		Features: j.set.Names(), Target: string(j.set.Target()), Set: j.set.Hash(),
	}
}

// topFeatures is how many features a result names.
const topFeatures = 5

func (j *job) result(t *trained, r *report) Result {
	out := Result{
		Status: "success", Model: string(j.Model), Version: j.Version.Short(), Share: r.evaluation.Share, Place: j.Shelf.Place(),
		Rounds: t.rounds, Training: j.data.train.len() + j.data.validate.len(), Test: j.data.test.len(), Seconds: math.Round(t.seconds*1000) / 1000,
	}
	if c := r.evaluation.Classification; c != nil {
		out.TestAUC = c.AUC
	} else {
		out.TestRMSE, out.TestR2 = &r.evaluation.Regression.RMSE, r.evaluation.Regression.R2
	}
	for _, f := range r.importance.Features[:min(topFeatures, len(r.importance.Features))] {
		out.TopFeatures = append(out.TopFeatures, f.Feature)
	}
	return out
}
