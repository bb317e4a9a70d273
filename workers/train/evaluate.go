package train

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"engage/internal/model/eval"
	"engage/internal/model/gbdt"
	"engage/internal/model/shap"
	"engage/internal/schema"
	"engage/workers/registry"
)

// Evaluation is how good a model is on the test rows: evaluation_metrics.json.
type Evaluation struct {
	Target         string               `json:"target"`
	Regression     *eval.Regression     `json:"regression,omitempty"`     // of a quantity
	Classification *eval.Classification `json:"classification,omitempty"` // of a flag
	// Ceilings are the best values that any model can reach, by metric; Share is
	// the model's value by the ceiling, of the metrics that are better if larger.
	Ceilings    map[string]float64 `json:"ceilings,omitempty"`
	Share       map[string]float64 `json:"share_of_ceiling,omitempty"`
	Calibration eval.Calibration   `json:"calibration"`
	Segments    []eval.Segment     `json:"segments"`
	// Rounds is the metric that stopped the training on the validation rows, after
	// each round; Curve is the same metric for shares of the training rows.
	Metric string       `json:"metric"`
	Rounds []float64    `json:"rounds,omitempty"`
	Curve  []eval.Point `json:"learning_curve,omitempty"`
	// Missing counts the values that were not there, by feature, in all rows read.
	Missing map[string]int64 `json:"missing"`
}

// Importance is what a model lives on: feature_importance.json.
type Importance struct {
	SHAPRows        int       `json:"shap_rows"`        // test rows that the SHAP values are means of
	PermutationRows int       `json:"permutation_rows"` // test rows that were shuffled
	Features        []Feature `json:"features"`         // by mean size of the SHAP value, the largest first
}

// Feature is one feature's importance.
type Feature struct {
	Feature     string   `json:"feature"`
	Columns     []string `json:"columns"` // that it is made of
	MeanAbsSHAP float64  `json:"mean_abs_shap"`
	MeanSHAP    float64  `json:"mean_shap"`
	Gain        float64  `json:"gain"`        // total, over all splits
	GainShare   float64  `json:"gain_share"`  // of all features' gain
	Permutation float64  `json:"permutation"` // what shuffling adds to the mean squared error
}

// report is all that is said of a model.
type report struct {
	evaluation Evaluation
	importance Importance
	fairness   map[string]float64
}

// Rows that importances are computed on. A few thousand settle the order of the
// features, and shuffling scores them once for each feature.
const (
	shapRows        = 10_000
	permutationRows = 4_000
	calibrationBins = 10
	parityRows      = 50 // that a group must have to be compared
)

func (j *job) report(ctx context.Context, t *trained) (*report, error) {
	r := &report{fairness: map[string]float64{}}
	truth := wide(j.data.test.labels)
	predicted, err := j.predict(t.trees, j.data.test)
	if err != nil {
		return nil, err
	}
	j.Progress("evaluate", 1, 3)
	if r.evaluation, err = j.evaluate(truth, predicted); err != nil {
		return nil, err
	}
	r.evaluation.Rounds = t.scores
	for name, column := range map[string]schema.Name{"gender_parity": schema.Gender, "age_parity": schema.Age, "location_parity": schema.Location} {
		segments := slices.DeleteFunc(slices.Clone(r.evaluation.Segments), func(s eval.Segment) bool { return s.Column != string(column) })
		if p := eval.Parity(segments, parityRows); p != nil {
			r.fairness[name] = *p
		}
	}
	j.Progress("evaluate", 2, 3)
	if r.importance, err = j.importance(ctx, t); err != nil {
		return nil, err
	}
	j.Progress("evaluate", 3, 3)
	r.evaluation.Curve, err = eval.Curve(ctx, j.data.train.len(), j.Curve, func(ctx context.Context, n int) (float64, float64, error) { return j.point(ctx, t, n) })
	return r, err
}

// predict scores rows, in runs.
func (j *job) predict(trees *gbdt.Model, r *rows) ([]float64, error) {
	out := make([]float64, 0, r.len())
	for i := range r.runs {
		scores, err := j.answers(trees, r.matrix(i))
		if err != nil {
			return nil, err
		}
		out = append(out, scores...)
	}
	return out, nil
}

func (j *job) answers(trees *gbdt.Model, x gbdt.Matrix) ([]float64, error) {
	answers := make([]float32, x.Rows)
	if err := trees.Predict(x, answers, j.Threads); err != nil {
		return nil, err
	}
	out := wide(answers)
	for i, v := range out {
		out[i] = registry.Clamp(j.set.Target(), v)
	}
	return out, nil
}

func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

func (j *job) evaluate(truth, predicted []float64) (Evaluation, error) {
	out := Evaluation{Target: string(j.set.Target()), Metric: j.metric, Missing: map[string]int64{}}
	if j.flag {
		c, err := eval.Classify(truth, predicted)
		if err != nil {
			return out, err
		}
		out.Classification = &c
	} else {
		r, err := eval.Regress(truth, predicted)
		if err != nil {
			return out, err
		}
		out.Regression = &r
	}
	for i, name := range j.set.Names() {
		if n := j.data.tally.Missing[i]; n > 0 {
			out.Missing[name] = n
		}
	}
	j.compare(&out)
	var err error
	if out.Calibration, err = eval.Calibrate(truth, predicted, calibrationBins); err != nil {
		return out, err
	}
	for _, name := range segmentColumns {
		s, err := eval.Segments(string(name), j.data.segments[name], truth, predicted)
		if err != nil {
			return out, err
		}
		out.Segments = append(out.Segments, s...)
	}
	return out, nil
}

// compare puts the metrics beside what is the best possible.
func (j *job) compare(e *Evaluation) {
	metrics := e.metrics()
	for _, c := range j.Origin.Ceilings[e.Target] {
		value, ok := metrics[c.Metric]
		if !ok {
			continue
		}
		if e.Ceilings == nil {
			e.Ceilings, e.Share = map[string]float64{}, map[string]float64{}
		}
		e.Ceilings[c.Metric] = c.Value
		if c.HigherIsBetter && c.Value != 0 {
			e.Share[c.Metric] = value / c.Value
		}
	}
}

func (r *report) metrics() map[string]float64 { return r.evaluation.metrics() }

// metrics are the numbers on the test rows, by the names that ceilings have.
func (e *Evaluation) metrics() map[string]float64 {
	out := map[string]float64{}
	some := func(name string, v *float64) {
		if v != nil {
			out[name] = *v
		}
	}
	if r := e.Regression; r != nil {
		out["rmse"], out["mae"] = r.RMSE, r.MAE
		some("r2", r.R2)
		some("mape", r.MAPE)
	}
	if c := e.Classification; c != nil {
		out["log_loss"], out["brier"], out["accuracy"] = c.LogLoss, c.Brier, c.Accuracy
		some("auc", c.AUC)
	}
	return out
}

// importance asks the trees, the contributions and shuffled rows.
func (j *job) importance(ctx context.Context, t *trained) (Importance, error) {
	out := Importance{SHAPRows: min(shapRows, j.data.test.len()), PermutationRows: min(permutationRows, j.data.test.len())}
	gains, err := eval.Gains(t.model, j.set.Len(), t.rounds)
	if err != nil {
		return out, err
	}
	explainer, err := shap.New(t.trees)
	if err != nil {
		return out, err
	}
	summary, err := explainer.Summary(ctx, j.data.test.head(out.SHAPRows), j.Threads)
	if err != nil {
		return out, err
	}
	permuted, err := eval.Permute(ctx, j.data.test.head(out.PermutationRows), wide(j.data.test.labels[:out.PermutationRows]), rand.New(rand.NewPCG(j.Seed, 1)),
		func(x gbdt.Matrix) ([]float64, error) { return j.answers(t.trees, x) })
	if err != nil {
		return out, err
	}
	total := 0.0
	for _, g := range gains {
		total += g
	}
	for i, f := range j.set.Features() {
		entry := Feature{Feature: f.Name, MeanAbsSHAP: summary.MeanAbs[i], MeanSHAP: summary.Mean[i], Gain: gains[i], Permutation: permuted[i]}
		if total > 0 {
			entry.GainShare = gains[i] / total
		}
		for _, c := range f.Columns {
			entry.Columns = append(entry.Columns, string(c))
		}
		out.Features = append(out.Features, entry)
	}
	slices.SortStableFunc(out.Features, func(a, b Feature) int { return cmp.Compare(b.MeanAbsSHAP, a.MeanAbsSHAP) })
	return out, nil
}

// point trains on the first n rows, for as many rounds as the model has.
func (j *job) point(ctx context.Context, t *trained, n int) (train, test float64, err error) {
	p := j.Params
	p.Rounds, p.EarlyStopping, p.Validation = t.rounds, 0, 0
	on := j.data.train.first(n)
	part, err := j.train(ctx, on, &rows{}, p)
	if err != nil {
		return 0, 0, err
	}
	if train, err = j.loss(part.trees, on); err != nil {
		return 0, 0, fmt.Errorf("score the training rows: %w", err)
	}
	test, err = j.loss(part.trees, j.data.test)
	return train, test, err
}

// loss is the metric of the goal.
func (j *job) loss(trees *gbdt.Model, r *rows) (float64, error) {
	predicted, err := j.predict(trees, r)
	if err != nil {
		return 0, err
	}
	if j.flag {
		c, err := eval.Classify(wide(r.labels), predicted)
		return c.LogLoss, err
	}
	e, err := eval.Regress(wide(r.labels), predicted)
	return e.RMSE, err
}
