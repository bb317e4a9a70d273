// Package baseline trains a second, independent model on a sample, to be shown
// beside the real one: a forest of golearn's regression trees
// (https://github.com/sjwhitworth/golearn). A model that is not clearly better
// than it has learned little. Its metrics are also computed by golearn's own
// distance and confusion matrix, which checks package eval.
//
// The forest is L. Breiman's (Machine Learning 45, 2001) with the random subspaces of T.
// Ho (IEEE TPAMI 20, 1998): each tree gets rows drawn with replacement and half of
// the features. Numbers go in as ranks of quantiles, categories as their codes,
// what is missing as a value below all; a flag is predicted as the share of it.
// Everything random comes from the seed. What golearn is not used for, and why,
// is in docs/adr/0012-golearn-baseline.md.
package baseline

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"engage/internal/model/eval"
	"engage/internal/model/gbdt"
)

// Rows are customers and what is true of them.
type Rows struct {
	X     gbdt.Matrix // NaN is a missing value
	Truth []float64   // 0 or 1 of a flag
}

// Task is what there is to learn.
type Task struct {
	Train, Test Rows
	Categories  []bool // which features are codes without order
	Flag        bool   // the target is one
}

// Options of the forest. The zero value has the defaults.
type Options struct {
	// Rows of the training rows are drawn as the sample. golearn's time grows with
	// rows times features. The default is 1500.
	Rows int
	// Trees of the forest. The default is 20.
	Trees int
	// Depth of a tree. The default is 7.
	Depth int
	// Bins that the values of a number are ranked into. The default is 32.
	Bins int
}

func (o Options) filled() (Options, error) {
	o.Rows, o.Trees, o.Depth, o.Bins = cmp.Or(o.Rows, 1500), cmp.Or(o.Trees, 20), cmp.Or(o.Depth, 7), cmp.Or(o.Bins, 32)
	for name, n := range map[string]int{"rows": o.Rows, "trees": o.Trees, "depth": o.Depth, "bins": o.Bins} {
		if n < 1 {
			return o, wrong("%s are %d: want at least 1", name, n)
		}
	}
	return o, nil
}

// Report says how good the baseline is on the test rows.
type Report struct {
	Name      string `json:"name"`
	TrainRows int    `json:"train_rows"` // of the sample
	TestRows  int    `json:"test_rows"`
	Trees     int    `json:"trees"`
	Depth     int    `json:"depth"`
	// Regression is of a quantity, Classification of a flag.
	Regression     *eval.Regression     `json:"regression,omitempty"`
	Classification *eval.Classification `json:"classification,omitempty"`
	// Golearn are the metrics of the same predictions by golearn: rmse and r2, or
	// accuracy. They are equal to those above within Tolerance.
	Golearn map[string]float64 `json:"golearn"`
}

// A DataError tells of rows or options that no baseline can be made of.
type DataError struct{ Reason string }

// Error is one line.
func (e *DataError) Error() string { return "baseline: " + e.Reason }

func wrong(format string, args ...any) error { return &DataError{fmt.Sprintf(format, args...)} }

// Run trains on a sample of the training rows and predicts all test rows. The same
// seed gives the same report. Errors: *DataError, *DisagreementError, *GolearnError,
// *eval.DataError and the context's, which is asked between trees.
func Run(ctx context.Context, t Task, seed uint64, o Options) (Report, error) {
	o, err := o.filled()
	if err != nil {
		return Report{}, err
	}
	if err := t.check(); err != nil {
		return Report{}, err
	}
	random := rand.New(rand.NewPCG(seed, 0))
	chosen := random.Perm(t.Train.X.Rows)[:min(o.Rows, t.Train.X.Rows)]
	sample := t.Train.pick(chosen)
	if slices.Min(sample.Truth) == slices.Max(sample.Truth) {
		return Report{}, wrong("the target is %g in all %d rows of the sample: there is nothing to learn", sample.Truth[0], len(chosen))
	}
	coder := newCoder(sample.X, t.Categories, o.Bins)
	predicted, err := forest(ctx, coder.code(sample.X), sample.Truth, coder.code(t.Test.X), o, seed)
	if err != nil {
		return Report{}, err
	}
	r := Report{Name: "golearn random forest", TrainRows: len(chosen), TestRows: t.Test.X.Rows, Trees: o.Trees, Depth: o.Depth}
	return r, r.evaluate(t.Test.Truth, predicted, t.Flag)
}

func (t *Task) check() error {
	for name, r := range map[string]Rows{"training": t.Train, "test": t.Test} {
		switch {
		case r.X.Rows < 1 || r.X.Cols < 1:
			return wrong("there are no %s rows or features", name)
		case r.X.Cols != len(t.Categories) || len(r.X.Data) != r.X.Rows*r.X.Cols || len(r.Truth) != r.X.Rows:
			return wrong("the %s rows have %d values and %d truths: want %d rows of %d features", name, len(r.X.Data), len(r.Truth), r.X.Rows, len(t.Categories))
		}
		for i, v := range r.X.Data {
			if math.IsInf(float64(v), 0) {
				return wrong("%s row %d has an infinity in feature %d", name, i/r.X.Cols+1, i%r.X.Cols)
			}
		}
		for i, y := range r.Truth {
			if math.IsNaN(y) || math.IsInf(y, 0) || t.Flag && y != 0 && y != 1 {
				return wrong("%s row %d has the truth %g", name, i+1, y)
			}
		}
	}
	return nil
}

// pick copies rows.
func (r Rows) pick(chosen []int) Rows {
	out := Rows{X: gbdt.Matrix{Rows: len(chosen), Cols: r.X.Cols}}
	for _, i := range chosen {
		out.X.Data = append(out.X.Data, r.X.Row(i)...)
		out.Truth = append(out.Truth, r.Truth[i])
	}
	return out
}

// forest is the mean of trees, grown by all processors.
func forest(ctx context.Context, x [][]float64, y []float64, test [][]float64, o Options, seed uint64) ([]float64, error) {
	answers, errs := make([][]float64, o.Trees), make([]error, o.Trees)
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i := range o.Trees {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				answers[i], errs[i] = grown(x, y, test, o.Depth, rand.New(rand.NewPCG(seed, uint64(i)+1)))
			}
		})
	}
	all.Wait()
	mean := make([]float64, len(test))
	for i, a := range answers {
		if errs[i] != nil {
			return nil, fmt.Errorf("grow tree %d: %w", i+1, errs[i])
		}
		for k, v := range a {
			mean[k] += v
		}
	}
	for k := range mean {
		mean[k] /= float64(o.Trees)
	}
	return mean, nil
}

// grown grows a tree of drawn rows and features and asks it about the test rows.
func grown(x [][]float64, y []float64, test [][]float64, depth int, random *rand.Rand) ([]float64, error) {
	cols := len(x[0])
	features := random.Perm(cols)[:(cols+1)/2]
	slices.Sort(features)
	drawn := make([]int, len(x))
	for i := range drawn {
		drawn[i] = random.IntN(len(x))
	}
	truth := make([]float64, len(drawn))
	for i, k := range drawn {
		truth[i] = y[k]
	}
	everything := make([]int, len(test))
	for i := range everything {
		everything[i] = i
	}
	return regress(grid(x, drawn, features, truth), truth, grid(test, everything, features, nil), len(test), depth)
}
