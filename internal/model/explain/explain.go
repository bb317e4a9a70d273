// Package explain holds what its ways of explaining a model share: lime explains
// one prediction by a line through its neighbourhood, dependence shows what a
// feature does on average and row by row, and counterfactual looks for the
// smallest change of a customer that changes the prediction. None of them needs
// to know what the model is; package shap is for trees alone.
//
// They ask the model for thousands of rows at a time and draw random numbers
// only from the source that they are given.
package explain

import (
	"fmt"
	"math"

	"engage/internal/model/gbdt"
)

// A Predictor gives one number a row, as a gbdt.Model of one output does. NaN in
// a row is a missing value. Threads is how many goroutines it may use, or one
// for each processor if 0.
type Predictor interface {
	Predict(rows gbdt.Matrix, out []float32, threads int) error
}

// PredictorFunc makes a Predictor of a function of one row.
type PredictorFunc func(row []float32) float32

// Predict calls the function for each row.
func (f PredictorFunc) Predict(rows gbdt.Matrix, out []float32, _ int) error {
	for i := range out {
		out[i] = f(rows.Row(i))
	}
	return nil
}

// An InputError tells of rows or settings that nothing can be explained with.
type InputError struct {
	What   string // such as "background"
	Reason string // what is wrong and what to do
}

// Error is one line.
func (e *InputError) Error() string { return fmt.Sprintf("explain: %s %s", e.What, e.Reason) }

// Wrong makes an *InputError.
func Wrong(what, format string, args ...any) error {
	return &InputError{What: what, Reason: fmt.Sprintf(format, args...)}
}

// CheckRows refuses rows that are none, of another width than cols, or hold an
// infinity.
func CheckRows(what string, x gbdt.Matrix, cols int) error {
	switch {
	case x.Rows <= 0:
		return Wrong(what, "has no rows: give at least one")
	case x.Cols != cols || cols <= 0:
		return Wrong(what, "has %d features: want %d", x.Cols, cols)
	case len(x.Data) != x.Rows*x.Cols:
		return Wrong(what, "has %d values: want %d rows of %d", len(x.Data), x.Rows, x.Cols)
	}
	for i, v := range x.Data {
		if math.IsInf(float64(v), 0) {
			return Wrong(what, "is infinite in row %d, feature %d: leave the value missing (NaN) or correct it", i/cols+1, i%cols)
		}
	}
	return nil
}

// CheckFeature refuses a feature that is none of cols.
func CheckFeature(feature, cols int) error {
	if feature < 0 || feature >= cols {
		return Wrong("feature", "%d is out of range: want 0 to %d", feature, cols-1)
	}
	return nil
}

// Predict asks the model for rows and refuses what is no number.
func Predict(p Predictor, rows gbdt.Matrix, threads int) ([]float32, error) {
	out := make([]float32, rows.Rows)
	if err := p.Predict(rows, out, threads); err != nil {
		return nil, fmt.Errorf("predict %d rows to explain: %w", rows.Rows, err)
	}
	for i, v := range out {
		if v != v || math.IsInf(float64(v), 0) {
			return nil, Wrong("prediction", "of row %d is %g: a model must give numbers", i+1, v)
		}
	}
	return out, nil
}
