package eval

import (
	"cmp"
	"math"
	"slices"
)

// Calibration says whether predictions can be taken at their word: the rows of a
// bin, which have about the same prediction, should have that truth on average.
type Calibration struct {
	Bins []Bin `json:"bins"`
	// Error is the mean over the rows of the size of the difference between the
	// means of their bin; Largest is the largest such difference.
	Error   float64 `json:"error"`
	Largest float64 `json:"largest"`
	// Slope and Intercept are those of the least-squares line of the truth over the
	// prediction: 1 and 0 are perfect. The slope is nil if all predictions are one
	// number.
	Slope     *float64 `json:"slope"`
	Intercept *float64 `json:"intercept"`
}

// Bin is rows of neighbouring predictions.
type Bin struct {
	Rows      int     `json:"rows"`
	From      float64 `json:"from"` // smallest prediction
	To        float64 `json:"to"`   // largest prediction
	Predicted float64 `json:"predicted"`
	Actual    float64 `json:"actual"`
}

// Calibrate divides the rows, in the order of their predictions, into bins of
// about equal numbers. Equal predictions share a bin, so there may be fewer. It
// panics unless bins is positive. Errors: *DataError.
func Calibrate(truth, predicted []float64, bins int) (Calibration, error) {
	if bins < 1 {
		panic("eval: calibration without bins")
	}
	if err := check(truth, predicted); err != nil {
		return Calibration{}, err
	}
	order := make([]int, len(truth))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(predicted[a], predicted[b]) })
	var out Calibration
	for from, k := 0, 1; from < len(order); k++ {
		to := max(from+1, len(order)*k/bins)
		for to < len(order) && predicted[order[to]] == predicted[order[to-1]] {
			to++
		}
		out.Bins = append(out.Bins, binOf(order[from:to], truth, predicted))
		from = to
	}
	for _, b := range out.Bins {
		gap := math.Abs(b.Predicted - b.Actual)
		out.Error += gap * float64(b.Rows) / float64(len(truth))
		out.Largest = max(out.Largest, gap)
	}
	out.fitLine(truth, predicted)
	return out, nil
}

func binOf(rows []int, truth, predicted []float64) Bin {
	b := Bin{Rows: len(rows), From: predicted[rows[0]], To: predicted[rows[len(rows)-1]]}
	for _, i := range rows {
		b.Predicted += predicted[i] / float64(len(rows))
		b.Actual += truth[i] / float64(len(rows))
	}
	return b
}

func (c *Calibration) fitLine(truth, predicted []float64) {
	total := spread(predicted)
	if total == 0 {
		return
	}
	meanX, meanY, products := average(predicted), average(truth), 0.0
	for i, x := range predicted {
		products += (x - meanX) * (truth[i] - meanY)
	}
	slope := products / total
	intercept := meanY - slope*meanX
	c.Slope, c.Intercept = &slope, &intercept
}
