package counterfactual

import (
	"fmt"
	"math"
)

// Target is where the prediction is wanted: from Low to High, both included. An
// infinity leaves a side open.
type Target struct{ Low, High float64 }

// AtLeast wants predictions from a bound up, AtMost down.
func AtLeast(bound float64) Target { return Target{bound, math.Inf(1)} }

// AtMost wants predictions up to a bound.
func AtMost(bound float64) Target { return Target{math.Inf(-1), bound} }

// gap is how far a prediction is off, 0 if it is in the target.
func (t Target) gap(predicted float64) float64 { return max(t.Low-predicted, predicted-t.High, 0) }

func (t Target) String() string {
	switch {
	case math.IsInf(t.High, 1):
		return fmt.Sprintf("at least %g", t.Low)
	case math.IsInf(t.Low, -1):
		return fmt.Sprintf("at most %g", t.High)
	}
	return fmt.Sprintf("%g to %g", t.Low, t.High)
}

// A MetError tells that the prediction is in the target as it is.
type MetError struct {
	Target    Target
	Predicted float64
}

// Error is one line with both.
func (e *MetError) Error() string {
	return fmt.Sprintf("explain: the prediction %g is %s already: nothing has to change", e.Predicted, e.Target)
}

// A NoneError tells that nothing was found within the limits.
type NoneError struct {
	Target     Target
	Predicted  float64 // as it is
	MaxChanges int
	// Best is the prediction that came nearest, of Nearest, which is empty if
	// nothing came nearer than what is.
	Best    float64
	Nearest []Change
}

// Error is one line that says how near it came.
func (e *NoneError) Error() string {
	return fmt.Sprintf("explain: no change of up to %d columns within their ranges takes the prediction from %g to %s; the nearest is %g: allow more changes or a nearer target",
		e.MaxChanges, e.Predicted, e.Target, e.Best)
}
