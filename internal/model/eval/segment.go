package eval

import (
	"maps"
	"slices"
)

// Segment is how far off the predictions are of rows that share a value.
type Segment struct {
	Column        string  `json:"column"`
	Value         string  `json:"value"`
	MeanActual    float64 `json:"mean_actual"`
	MeanPredicted float64 `json:"mean_predicted"`
	Regression
}

// Segments compares predictions with the truth for each value of a column, in
// the order of the values. Errors: *DataError.
func Segments(column string, values []string, truth, predicted []float64) ([]Segment, error) {
	if err := check(truth, predicted); err != nil {
		return nil, err
	}
	if len(values) != len(truth) {
		return nil, wrong("%d values of %s for %d rows", len(values), column, len(truth))
	}
	rows := map[string][]int{}
	for i, v := range values {
		rows[v] = append(rows[v], i)
	}
	var out []Segment
	for _, v := range slices.Sorted(maps.Keys(rows)) {
		y, p := pick(truth, rows[v]), pick(predicted, rows[v])
		r, err := Regress(y, p)
		if err != nil {
			return nil, err
		}
		out = append(out, Segment{column, v, average(y), average(p), r})
	}
	return out, nil
}

func pick(v []float64, rows []int) []float64 {
	out := make([]float64, len(rows))
	for k, i := range rows {
		out[k] = v[i]
	}
	return out
}

// Parity is the smallest mean prediction of a segment by the largest, among
// those with at least so many rows: 1 is equal. It is nil if fewer than two
// segments have as many, or the largest mean is not positive.
func Parity(segments []Segment, leastRows int) *float64 {
	var means []float64
	for _, s := range segments {
		if s.Rows >= leastRows {
			means = append(means, s.MeanPredicted)
		}
	}
	if len(means) < 2 || slices.Max(means) <= 0 {
		return nil
	}
	ratio := slices.Min(means) / slices.Max(means)
	return &ratio
}
