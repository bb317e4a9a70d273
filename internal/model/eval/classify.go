package eval

import (
	"cmp"
	"math"
	"slices"
)

// Classification is how good predicted probabilities of a flag are.
type Classification struct {
	Rows       int     `json:"rows"`
	Prevalence float64 `json:"prevalence"` // share of rows where the flag is set
	// AUC is the chance that a row with the flag has a higher probability than one
	// without it, ties counted half: nil if there is one class only.
	AUC      *float64 `json:"auc"`
	LogLoss  float64  `json:"log_loss"` // of probabilities held within 1e-15 of 0 and 1
	Brier    float64  `json:"brier"`    // mean squared error of the probabilities
	Accuracy float64  `json:"accuracy"` // at a probability of a half
}

// probabilityMargin keeps the logarithm of a probability finite.
const probabilityMargin = 1e-15

// Classify compares probabilities with flags, which are 0 or 1. Errors: *DataError.
func Classify(truth, probability []float64) (Classification, error) {
	if err := check(truth, probability); err != nil {
		return Classification{}, err
	}
	n := float64(len(truth))
	out := Classification{Rows: len(truth)}
	for i, y := range truth {
		p := probability[i]
		if y != 0 && y != 1 || p < 0 || p > 1 {
			return Classification{}, wrong("row %d has flag %g and probability %g", i+1, y, p)
		}
		out.Prevalence += y / n
		out.Brier += (p - y) * (p - y) / n
		if (p >= 0.5) == (y == 1) {
			out.Accuracy += 1 / n
		}
		p = min(max(p, probabilityMargin), 1-probabilityMargin)
		out.LogLoss -= (y*math.Log(p) + (1-y)*math.Log(1-p)) / n
	}
	out.AUC = auc(truth, probability)
	return out, nil
}

// auc is the Mann-Whitney statistic with mid-ranks for ties.
func auc(truth, p []float64) *float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	var positives, ranks float64
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && p[order[to]] == p[order[from]] {
			to++
		}
		rank := float64(from+to+1) / 2
		for _, i := range order[from:to] {
			positives += truth[i]
			ranks += truth[i] * rank
		}
		from = to
	}
	negatives := float64(len(p)) - positives
	if positives == 0 || negatives == 0 {
		return nil
	}
	area := (ranks - positives*(positives+1)/2) / (positives * negatives)
	return &area
}
