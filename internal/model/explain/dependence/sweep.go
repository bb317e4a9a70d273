package dependence

import (
	"context"
	"math"

	"engage/internal/model/explain"
	"engage/internal/model/gbdt"
)

// axis is a feature and the values that it is given.
type axis struct {
	feature int
	grid    []float32
}

func (a axis) check(cols int) error {
	if err := explain.CheckFeature(a.feature, cols); err != nil {
		return err
	}
	if len(a.grid) == 0 {
		return explain.Wrong("grid", "of feature %d is empty: give at least one value", a.feature)
	}
	for _, v := range a.grid {
		if math.IsInf(float64(v), 0) {
			return explain.Wrong("grid", "of feature %d has an infinity: give numbers", a.feature)
		}
	}
	return nil
}

// sweep asks the model for every row at every point, the last axis running
// fastest, and hands each answer on, points in order and rows in order within.
func sweep(ctx context.Context, p explain.Predictor, rows gbdt.Matrix, axes []axis, threads int, answer func(row, point int, predicted float32)) error {
	if err := explain.CheckRows("background", rows, rows.Cols); err != nil {
		return err
	}
	points := 1
	for _, a := range axes {
		if err := a.check(rows.Cols); err != nil {
			return err
		}
		points *= len(a.grid)
	}
	block := make([]float32, min(blockRows, points*rows.Rows)*rows.Cols)
	for begin := 0; begin < points*rows.Rows; begin += blockRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(blockRows, points*rows.Rows-begin)
		x := gbdt.Matrix{Data: block[:n*rows.Cols], Rows: n, Cols: rows.Cols}
		for i := range n {
			copy(x.Row(i), rows.Row((begin+i)%rows.Rows))
			place(x.Row(i), axes, (begin+i)/rows.Rows)
		}
		predicted, err := explain.Predict(p, x, threads)
		if err != nil {
			return err
		}
		for i, v := range predicted {
			answer((begin+i)%rows.Rows, (begin+i)/rows.Rows, v)
		}
	}
	return nil
}

// place gives a row the values of a point.
func place(row []float32, axes []axis, point int) {
	for i := len(axes) - 1; i >= 0; i-- {
		a := axes[i]
		row[a.feature] = a.grid[point%len(a.grid)]
		point /= len(a.grid)
	}
}
