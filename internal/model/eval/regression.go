package eval

import "math"

// Regression is how far predictions of a quantity are off.
type Regression struct {
	Rows int     `json:"rows"`
	RMSE float64 `json:"rmse"`
	MAE  float64 `json:"mae"`
	// R2 is 1 less the squared errors by those of the mean of the truths: nil if
	// all truths are one number, since there is nothing to explain.
	R2 *float64 `json:"r2"`
	// MAPE is the mean of |error| / |truth| over the rows whose truth is not 0:
	// where it is 0 the ratio has no meaning. MAPERows is how many those are, and
	// MAPE nil if there is none.
	MAPE     *float64 `json:"mape"`
	MAPERows int      `json:"mape_rows"`
	Bias     float64  `json:"bias"` // mean of prediction less truth
}

// Regress compares predictions of a quantity with the truth. Errors: *DataError.
func Regress(truth, predicted []float64) (Regression, error) {
	if err := check(truth, predicted); err != nil {
		return Regression{}, err
	}
	n := float64(len(truth))
	out := Regression{Rows: len(truth)}
	var squares, ratios float64
	for i, y := range truth {
		e := predicted[i] - y
		squares += e * e
		out.MAE += math.Abs(e) / n
		out.Bias += e / n
		if y != 0 {
			ratios += math.Abs(e / y)
			out.MAPERows++
		}
	}
	out.RMSE = math.Sqrt(squares / n)
	if total := spread(truth); total > 0 {
		r2 := 1 - squares/total
		out.R2 = &r2
	}
	if out.MAPERows > 0 {
		mape := ratios / float64(out.MAPERows)
		out.MAPE = &mape
	}
	return out, nil
}

// spread is the sum of squared differences from the mean.
func spread(v []float64) float64 {
	mean := average(v)
	sum := 0.0
	for _, x := range v {
		sum += (x - mean) * (x - mean)
	}
	return sum
}

func average(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
