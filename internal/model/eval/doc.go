// Package eval says how good predictions are: errors, ranks, calibration,
// segments, learning curves, and which features a model lives on.
//
// Everything is a pure function of numbers. A *DataError tells of numbers that
// nothing can be said of.
package eval

import (
	"fmt"
	"math"
)

// DataError tells of truths and predictions that cannot be compared.
type DataError struct{ Reason string }

// Error is one line.
func (e *DataError) Error() string { return "evaluate: " + e.Reason }

func wrong(format string, args ...any) error { return &DataError{fmt.Sprintf(format, args...)} }

// check refuses numbers that do not pair, are none at all, or are not finite.
func check(truth, predicted []float64) error {
	if len(truth) != len(predicted) {
		return wrong("%d truths for %d predictions", len(truth), len(predicted))
	}
	if len(truth) == 0 {
		return wrong("there are no rows")
	}
	for i := range truth {
		if math.IsNaN(truth[i]-predicted[i]) || math.IsInf(truth[i]-predicted[i], 0) {
			return wrong("row %d has truth %g and prediction %g", i+1, truth[i], predicted[i])
		}
	}
	return nil
}
