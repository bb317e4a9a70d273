// Package dependence shows what features do to a model's predictions: partial
// dependence, the mean prediction if every row had a given value of the feature
// (J. Friedman, "Greedy function approximation: a gradient boosting machine",
// Annals of Statistics 29, 2001, section 8.2), and the same for each row alone
// (individual conditional expectation: A. Goldstein et al., "Peeking inside the
// black box", Journal of Computational and Graphical Statistics 24, 2015), also
// centred, which makes interactions visible that the mean hides.
//
// Brute force asks the model for every pair of a row and a value: it is right
// for any model and any rows. Tree walks a model's trees instead, needs no rows and
// takes a small part of the time; see there for what it assumes.
package dependence

import (
	"context"
	"math"
	"slices"

	"engage/internal/model/explain"
	"engage/internal/model/gbdt"
)

// blockRows is how many rows are asked for at once: memory is bounded by them,
// and a context that has ended is seen between blocks.
const blockRows = 4096

// Grid returns at most points values of a feature that are spread over the rows:
// those at evenly spaced ranks among the values that are there, each once,
// ascending, the smallest and the largest among them. All values are returned
// if there are no more than points. Errors: *explain.InputError, of a
// feature that is missing in every row among them.
func Grid(rows gbdt.Matrix, feature, points int) ([]float32, error) {
	if err := explain.CheckRows("background", rows, rows.Cols); err != nil {
		return nil, err
	}
	if err := explain.CheckFeature(feature, rows.Cols); err != nil {
		return nil, err
	}
	if points < 2 {
		return nil, explain.Wrong("grid", "of %d points shows nothing: want at least 2", points)
	}
	var values []float32
	for i := range rows.Rows {
		if v := rows.Row(i)[feature]; v == v {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil, explain.Wrong("grid", "has no values: feature %d is missing in every row", feature)
	}
	slices.Sort(values)
	if distinct := slices.Compact(slices.Clone(values)); len(distinct) <= points {
		return distinct, nil
	}
	grid := make([]float32, points)
	for i := range grid {
		grid[i] = values[i*(len(values)-1)/(points-1)]
	}
	return slices.Compact(grid), nil
}

// Lines are the predictions for each row with each value of a grid in place of
// its own.
type Lines struct {
	Grid []float32
	// Predicted has one line a row and one number a value of the grid.
	Predicted [][]float32
}

// Individual computes the lines of the rows. NaN in the grid asks for the
// prediction without the value. Errors: *explain.InputError, the model's, and the
// context's.
func Individual(ctx context.Context, p explain.Predictor, rows gbdt.Matrix, feature int, grid []float32, threads int) (Lines, error) {
	l := Lines{Grid: slices.Clone(grid), Predicted: make([][]float32, rows.Rows)}
	for i := range l.Predicted {
		l.Predicted[i] = make([]float32, len(grid))
	}
	err := sweep(ctx, p, rows, []axis{{feature, grid}}, threads, func(row, point int, predicted float32) {
		l.Predicted[row][point] = predicted
	})
	if err != nil {
		return Lines{}, err
	}
	return l, nil
}

// Mean is the partial dependence: the mean of the lines.
func (l Lines) Mean() []float64 {
	mean := make([]float64, len(l.Grid))
	for _, line := range l.Predicted {
		for i, v := range line {
			mean[i] += float64(v) / float64(len(l.Predicted))
		}
	}
	return mean
}

// Centred returns the lines less what each has at the point of the grid. It
// panics if there is no such point.
func (l Lines) Centred(point int) Lines {
	c := Lines{Grid: slices.Clone(l.Grid), Predicted: make([][]float32, len(l.Predicted))}
	for i, line := range l.Predicted {
		c.Predicted[i] = make([]float32, len(line))
		for k, v := range line {
			c.Predicted[i][k] = v - line[point]
		}
	}
	return c
}

// Spread is the standard deviation of the lines at each point of the grid. Of
// centred lines it is 0 everywhere if the feature interacts with no other.
func (l Lines) Spread() []float64 {
	mean, spread := l.Mean(), make([]float64, len(l.Grid))
	for i := range spread {
		for _, line := range l.Predicted {
			d := float64(line[i]) - mean[i]
			spread[i] += d * d / float64(len(l.Predicted))
		}
		spread[i] = math.Sqrt(spread[i])
	}
	return spread
}

// Partial is the partial dependence on one feature: one number a value of the
// grid. It keeps no lines. Errors are those of Individual.
func Partial(ctx context.Context, p explain.Predictor, rows gbdt.Matrix, feature int, grid []float32, threads int) ([]float64, error) {
	return mean(ctx, p, rows, []axis{{feature, grid}}, threads)
}

// Partial2 is the partial dependence on two features: one row of numbers a value
// of the first grid, one number in it a value of the second. Errors are those
// of Individual.
func Partial2(ctx context.Context, p explain.Predictor, rows gbdt.Matrix, features [2]int, grids [2][]float32, threads int) ([][]float64, error) {
	if features[0] == features[1] {
		return nil, explain.Wrong("features", "%d and %d are the same: want two", features[0], features[1])
	}
	flat, err := mean(ctx, p, rows, []axis{{features[0], grids[0]}, {features[1], grids[1]}}, threads)
	if err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(flat, len(grids[1]))), nil
}

func mean(ctx context.Context, p explain.Predictor, rows gbdt.Matrix, axes []axis, threads int) ([]float64, error) {
	points := 1
	for _, a := range axes {
		points *= len(a.grid)
	}
	sums := make([]float64, points)
	err := sweep(ctx, p, rows, axes, threads, func(_, point int, predicted float32) { sums[point] += float64(predicted) })
	if err != nil {
		return nil, err
	}
	for i := range sums {
		sums[i] /= float64(rows.Rows)
	}
	return sums, nil
}
