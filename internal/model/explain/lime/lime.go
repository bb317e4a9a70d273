// Package lime explains a prediction by a line that is close to the model near
// one row: M. Ribeiro, S. Singh and C. Guestrin, "Why should I trust you?",
// KDD 2016, https://arxiv.org/abs/1602.04938, in the form for tables.
//
// Neighbours of the row are made by drawing some of its values anew from the
// background, feature by feature. Each weighs exp(-d^2/w^2), where d is its
// distance. A ridge regression of the model's answers on the few features that
// matter most is the explanation, and R2 says how much of the answers' variance
// it holds: a low one means that no line of these features tells what the
// model does there.
//
// A number is measured in standard deviations of the background. A category, and a
// number that the row lacks, is 1 where a neighbour is like the row, otherwise 0.
// Where the row has a number, only numbers are drawn.
package lime

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"engage/internal/model/explain"
	"engage/internal/model/gbdt"
)

// Selection says how the features of an explanation are chosen.
type Selection int

// The selections.
const (
	// Automatic is Forward up to 6 features and Highest beyond.
	Automatic Selection = iota
	// Forward takes, again and again, the feature that raises R2 most.
	Forward
	// Highest takes those of the largest weights of the regression on all
	// features, each times its standard deviation among the neighbours.
	Highest
)

// forwardLimit is up to how many features Automatic goes forward.
const forwardLimit = 6

// Options of an explanation. The zero value has the defaults.
type Options struct {
	// Samples is how many neighbours are made, the row itself among them: the
	// weights' error falls with the root of it. The default is 5000.
	Samples int
	// Features is how many features the explanation has at most. The default is 10.
	Features int
	// Redraw is the chance of a value to be drawn anew, above 0 and up to 1: less
	// is nearer. The default is 0.5.
	Redraw float64
	// Width of the kernel, w above. Too small a width leaves few neighbours that
	// count: see Explanation.Effective. The default is 0.75 times the root of the
	// number of features.
	Width float64
	// Ridge is the penalty on the sum of the squared weights, for neighbours of
	// weight 1 on average. The default is 1; it cannot be 0.
	Ridge float64
	// Selection is how the features are chosen. The default is Automatic.
	Selection Selection
	// Threads that the model may use. The default is one for each processor.
	Threads int
}

func (o Options) filled(features int) (Options, error) {
	if o.Samples == 0 {
		o.Samples = 5000
	}
	if o.Features == 0 {
		o.Features = 10
	}
	if o.Redraw == 0 {
		o.Redraw = 0.5
	}
	if o.Width == 0 {
		o.Width = 0.75 * math.Sqrt(float64(features))
	}
	if o.Ridge == 0 {
		o.Ridge = 1
	}
	o.Features = min(o.Features, features)
	if o.Selection == Automatic {
		o.Selection = Highest
		if o.Features <= forwardLimit {
			o.Selection = Forward
		}
	}
	return o, o.check()
}

func (o Options) check() error {
	switch {
	case o.Samples < 10:
		return explain.Wrong("samples", "are %d: want at least 10", o.Samples)
	case o.Features < 1:
		return explain.Wrong("features", "of an explanation are %d: want at least 1", o.Features)
	case !(o.Redraw > 0 && o.Redraw <= 1):
		return explain.Wrong("redraw", "is %g: want more than 0 and at most 1", o.Redraw)
	case !(o.Width > 0) || math.IsInf(o.Width, 0):
		return explain.Wrong("kernel width", "is %g: want a positive number", o.Width)
	case !(o.Ridge > 0) || math.IsInf(o.Ridge, 0):
		return explain.Wrong("ridge", "is %g: want a positive number", o.Ridge)
	case o.Selection != Forward && o.Selection != Highest:
		return explain.Wrong("selection", "%d is unknown", o.Selection)
	}
	return nil
}

// Explanation is a line near a row.
type Explanation struct {
	Effects []Effect // the largest impact first
	// Mean is the weighted mean of the model's answers for the neighbours, Local
	// what the line gives for the row, Predicted what the model does. Local is
	// Mean plus all impacts.
	Mean, Local, Predicted float64
	// R2 is the share of the weighted variance of the answers that the line holds;
	// nil if all neighbours have one answer.
	R2 *float64
	// Effective is how many neighbours of equal weight the weighted ones are worth
	// (L. Kish, Survey Sampling, 1965): the squared sum of the weights by the sum of
	// their squares.
	Effective float64
}

// Effect is a feature's part of the line.
type Effect struct {
	Feature int
	// Weight is how much the answer grows with one standard deviation of a number, or
	// with being like the row.
	Weight float64
	// Slope is the weight for one unit of the number; of what is no number, Weight.
	Slope float64
	// Error is the standard error of Weight: how far another seed may move it. It
	// falls with the root of Options.Samples.
	Error float64
	// Impact is the weight times how far the row is from its neighbours' mean.
	Impact float64
}

// Explainer explains rows against a background. It does not change; any number
// of goroutines may use it if they may use the model.
type Explainer struct {
	model      explain.Predictor
	options    Options
	categories []bool
	columns    []column
}

// New makes an explainer. The background is a sample of the rows that the model
// was trained on; categories says which features are codes without order.
// Errors: *explain.InputError.
func New(p explain.Predictor, background gbdt.Matrix, categories []bool, o Options) (*Explainer, error) {
	if err := explain.CheckRows("background", background, len(categories)); err != nil {
		return nil, err
	}
	o, err := o.filled(len(categories))
	if err != nil {
		return nil, err
	}
	e := &Explainer{model: p, options: o, categories: slices.Clone(categories)}
	for k := range categories {
		e.columns = append(e.columns, newColumn(background, k))
	}
	return e, nil
}

// Explain explains one row. The same source of random numbers gives the same
// explanation. Errors: *explain.InputError, the model's and the context's.
func (e *Explainer) Explain(ctx context.Context, row []float32, random *rand.Rand) (Explanation, error) {
	if err := explain.CheckRows("row", gbdt.Matrix{Data: row, Rows: 1, Cols: len(row)}, len(e.columns)); err != nil {
		return Explanation{}, err
	}
	n := e.neighbours(row, random)
	if err := ctx.Err(); err != nil {
		return Explanation{}, err
	}
	answers, err := explain.Predict(e.model, n.rows, e.options.Threads)
	if err != nil {
		return Explanation{}, err
	}
	m := n.moments(answers)
	chosen, err := m.choose(e.options)
	if err != nil {
		return Explanation{}, fmt.Errorf("choose features: %w", err)
	}
	weights, err := m.ridge(chosen, e.options.Ridge)
	if err != nil {
		return Explanation{}, fmt.Errorf("fit the line: %w", err)
	}
	deviations, err := m.deviations(chosen, weights, e.options.Ridge)
	if err != nil {
		return Explanation{}, fmt.Errorf("bound the error of the line: %w", err)
	}
	x := Explanation{Mean: m.answer, Local: m.answer, Predicted: float64(answers[0]), R2: m.r2(chosen, weights), Effective: n.effective()}
	x.fill(e.columns, n, m, chosen, weights, deviations)
	return x, nil
}

// fill lists the effects of the chosen features.
func (x *Explanation) fill(columns []column, n neighbourhood, m moments, chosen []int, weights, deviations []float64) {
	for i, k := range chosen {
		f := Effect{Feature: k, Weight: weights[i], Slope: weights[i], Error: deviations[i], Impact: weights[i] * (n.z[k] - m.mean[k])}
		if n.numeric[k] {
			f.Slope = weights[i] / columns[k].scale
		}
		x.Local += f.Impact
		x.Effects = append(x.Effects, f)
	}
	slices.SortStableFunc(x.Effects, func(a, b Effect) int {
		if d := math.Abs(b.Impact) - math.Abs(a.Impact); d != 0 {
			return int(math.Copysign(1, d))
		}
		return a.Feature - b.Feature
	})
}
