package baseline

import (
	"fmt"
	"math"
	"strconv"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/evaluation"
	"github.com/sjwhitworth/golearn/metrics/pairwise"
	"github.com/sjwhitworth/golearn/trees"
	"gonum.org/v1/gonum/mat"

	"engage/internal/model/eval"
)

// Tolerance is by how much golearn's metrics may differ from ours, by the larger
// of both and 1: rounding of sums in another order.
const Tolerance = 1e-9

// A GolearnError tells what golearn refused or panicked with.
type GolearnError struct {
	Step   string
	Reason any
}

// Error is one line.
func (e *GolearnError) Error() string {
	return fmt.Sprintf("baseline: golearn %s: %v", e.Step, e.Reason)
}

// A DisagreementError tells of a metric that golearn computes otherwise.
type DisagreementError struct {
	Metric        string
	Ours, Golearn float64
}

// Error is one line with both numbers.
func (e *DisagreementError) Error() string {
	return fmt.Sprintf("baseline: %s is %g by package eval and %g by golearn: one of them is wrong", e.Metric, e.Ours, e.Golearn)
}

// contain makes an error of a panic: golearn panics on what it does not expect.
func contain(step string, err *error) {
	if r := recover(); r != nil {
		*err = &GolearnError{Step: step, Reason: r}
	}
}

// grid makes golearn's form of the chosen rows and features, with the truths as the
// class. Nil truths are zeros.
func grid(x [][]float64, rows, features []int, truth []float64) *base.DenseInstances {
	g := base.NewDenseInstances()
	specs := make([]base.AttributeSpec, len(features))
	for i, k := range features {
		specs[i] = g.AddAttribute(base.NewFloatAttribute(strconv.Itoa(k)))
	}
	class := base.NewFloatAttribute("truth")
	of := g.AddAttribute(class)
	must(g.AddClassAttribute(class))
	must(g.Extend(len(rows)))
	for i, r := range rows {
		for j, k := range features {
			g.Set(specs[j], i, base.PackFloatToBytes(x[r][k]))
		}
		if truth != nil {
			g.Set(of, i, base.PackFloatToBytes(truth[i]))
		}
	}
	return g
}

// must panics on what only a mistake in this package can cause.
func must(err error) {
	if err != nil {
		panic("baseline: " + err.Error())
	}
}

// regress fits a tree and asks it. A tree that found no split answers 0 for some
// rows in golearn; here it answers the mean. It is known by its threshold, which is
// 0 and otherwise between two codes, at least a half.
func regress(train *base.DenseInstances, truth []float64, test *base.DenseInstances, rows, depth int) (answers []float64, err error) {
	defer contain("grow a tree", &err)
	tree := trees.NewDecisionTreeRegressor(trees.MSE, int64(depth))
	if err := tree.Fit(train); err != nil {
		return nil, &GolearnError{Step: "fit a tree", Reason: err}
	}
	if tree.RootNode.Threshold > 0 {
		return tree.Predict(test), nil
	}
	mean := 0.0
	for _, y := range truth {
		mean += y / float64(len(truth))
	}
	answers = make([]float64, rows)
	for i := range answers {
		answers[i] = mean
	}
	return answers, nil
}

// evaluate computes the metrics twice and holds them to each other.
func (r *Report) evaluate(truth, predicted []float64, flag bool) error {
	ours := map[string]float64{}
	var err error
	if flag {
		c, err := eval.Classify(truth, predicted)
		if err != nil {
			return fmt.Errorf("evaluate the baseline: %w", err)
		}
		r.Classification, ours["accuracy"] = &c, c.Accuracy
	} else {
		g, err := eval.Regress(truth, predicted)
		if err != nil {
			return fmt.Errorf("evaluate the baseline: %w", err)
		}
		r.Regression, ours["rmse"] = &g, g.RMSE
		if g.R2 != nil {
			ours["r2"] = *g.R2
		}
	}
	if r.Golearn, err = golearnMetrics(truth, predicted, flag); err != nil {
		return err
	}
	return agree(ours, r.Golearn)
}

// agree compares all metrics that we have.
func agree(ours, golearn map[string]float64) error {
	for metric, a := range ours {
		if b := golearn[metric]; !(math.Abs(a-b) <= Tolerance*max(1, math.Abs(a), math.Abs(b))) {
			return &DisagreementError{Metric: metric, Ours: a, Golearn: b}
		}
	}
	return nil
}

// golearnMetrics are those that golearn's distance and confusion matrix give.
func golearnMetrics(truth, predicted []float64, flag bool) (m map[string]float64, err error) {
	defer contain("evaluate", &err)
	if flag {
		matrix, err := evaluation.GetConfusionMatrix(classes(truth), classes(predicted))
		if err != nil {
			return nil, &GolearnError{Step: "count classes", Reason: err}
		}
		return map[string]float64{"accuracy": evaluation.GetAccuracy(matrix)}, nil
	}
	mean := 0.0
	for _, y := range truth {
		mean += y / float64(len(truth))
	}
	means := make([]float64, len(truth))
	for i := range means {
		means[i] = mean
	}
	distance := func(a, b []float64) float64 {
		return pairwise.NewEuclidean().Distance(mat.NewDense(len(a), 1, a), mat.NewDense(len(b), 1, b))
	}
	off, spread := distance(truth, predicted), distance(truth, means)
	m = map[string]float64{"rmse": off / math.Sqrt(float64(len(truth)))}
	if spread > 0 {
		m["r2"] = 1 - off*off/(spread*spread)
	}
	return m, nil
}

// classes are golearn's form of flags: those of at least a half are set.
func classes(share []float64) *base.DenseInstances {
	g := base.NewDenseInstances()
	a := base.NewCategoricalAttribute()
	a.SetName("class")
	spec := g.AddAttribute(a)
	must(g.AddClassAttribute(a))
	must(g.Extend(len(share)))
	for i, p := range share {
		class := "no"
		if p >= 0.5 {
			class = "yes"
		}
		g.Set(spec, i, a.GetSysValFromString(class))
	}
	return g
}
