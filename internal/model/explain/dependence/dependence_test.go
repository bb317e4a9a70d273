package dependence

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"engage/internal/model/explain"
	"engage/internal/model/explain/explaintest"
	"engage/internal/model/gbdt"
)

var ctx = context.Background()

func normal(random *rand.Rand, rows, cols int) gbdt.Matrix {
	x := gbdt.Matrix{Data: make([]float32, rows*cols), Rows: rows, Cols: cols}
	for i := range x.Data {
		x.Data[i] = float32(random.NormFloat64())
	}
	return x
}

// linspace is an even grid.
func linspace(from, to float32, points int) []float32 {
	g := make([]float32, points)
	for i := range g {
		g[i] = from + (to-from)*float32(i)/float32(points-1)
	}
	return g
}

// TestAdditive: the partial dependence of an additive function is its part, but for
// a constant, and the centred lines are one line (within 1e-5).
func TestAdditive(t *testing.T) {
	model := explain.PredictorFunc(func(r []float32) float32 {
		return float32(math.Sin(float64(r[0]))) + r[1]*r[1] - 3*r[2]
	})
	rows, grid := normal(rand.New(rand.NewPCG(1, 2)), 5000, 3), linspace(-2, 2, 9)
	for feature, part := range []func(float64) float64{math.Sin, func(v float64) float64 { return v * v }, func(v float64) float64 { return -3 * v }} {
		mean, err := Partial(ctx, model, rows, feature, grid, 0)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := Individual(ctx, model, rows, feature, grid, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range grid {
			want := part(float64(v)) - part(float64(grid[0]))
			if d := math.Abs(mean[i] - mean[0] - want); d > 1e-5 {
				t.Errorf("feature %d at %g: %g off", feature, v, d)
			}
			if d := math.Abs(lines.Mean()[i] - mean[i]); d > 1e-9 {
				t.Errorf("feature %d at %g: the mean of the lines is %g off", feature, v, d)
			}
			if s := lines.Centred(4).Spread()[i]; s > 1e-5 {
				t.Errorf("feature %d at %g: centred lines spread by %g", feature, v, s)
			}
		}
	}
}

// TestInteraction: the mean of x0*x1 over centred rows is flat, its centred lines
// are not, and the dependence on both is the product.
func TestInteraction(t *testing.T) {
	model := explain.PredictorFunc(func(r []float32) float32 { return r[0] * r[1] })
	rows := normal(rand.New(rand.NewPCG(3, 4)), 500, 2)
	for i := range 250 { // each row has its mirror
		copy(rows.Row(250+i), []float32{-rows.Row(i)[0], -rows.Row(i)[1]})
	}
	lines, err := Individual(ctx, model, rows, 0, []float32{-1, 0, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if mean, spread := lines.Mean(), lines.Centred(1).Spread(); math.Abs(mean[2]-mean[0]) > 1e-6 || spread[0] < 0.5 || spread[1] != 0 {
		t.Errorf("mean %v, spread %v", mean, spread)
	}
	grids := [2][]float32{{-1, 2}, {0, 3, 5}}
	both, err := Partial2(ctx, model, rows, [2]int{0, 1}, grids, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range grids[0] {
		for k, b := range grids[1] {
			if both[i][k] != float64(a*b) {
				t.Errorf("at %g and %g: %g", a, b, both[i][k])
			}
		}
	}
}

// TestStep: a step shows where it is, and what a row without the value gets.
func TestStep(t *testing.T) {
	model := explain.PredictorFunc(func(r []float32) float32 {
		switch {
		case r[0] != r[0]:
			return 7
		case r[0] >= 0.5:
			return 1
		}
		return 0
	})
	mean, err := Partial(ctx, model, normal(rand.New(rand.NewPCG(5, 6)), 10, 2), 0, []float32{0.4, 0.5, float32(math.NaN())}, 0)
	if err != nil || !slices.Equal(mean, []float64{0, 1, 7}) {
		t.Errorf("%v, %v", mean, err)
	}
}

// TestTreeOfOneFeature: weighted walks of a tree on one feature are the tree.
func TestTreeOfOneFeature(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	model := explaintest.Forest{Trees: 7, Depth: 5, Features: 1}.Grow(random)
	grid := append(linspace(-3, 3, 50), float32(math.NaN()))
	walked, err := Tree(model, 0, grid)
	if err != nil {
		t.Fatal(err)
	}
	brute, err := Partial(ctx, model, normal(random, 3, 1), 0, grid, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range grid {
		if math.Abs(walked[i]-brute[i]) > 1e-5 {
			t.Errorf("at %g: %g, by brute force %g", grid[i], walked[i], brute[i])
		}
	}
}

// TestTreeIndependent: where the rows that went each way do not depend on
// the feature, weighted walks are brute force over the training rows (1e-6).
func TestTreeIndependent(t *testing.T) {
	// x0 < 0 ? (x1 < 0 ? 1 : 2) : (x1 < 0 ? 4 : 8), from rows of which a quarter has x1 < 0.
	const tree = `{"left_children":[1,3,5,-1,-1,-1,-1],"right_children":[2,4,6,-1,-1,-1,-1],"split_indices":[0,1,1,0,0,0,0],
"split_conditions":[0,0,0,1,2,4,8],"sum_hessian":[8,4,4,1,3,1,3],"default_left":[0,0,0,0,0,0,0],"split_type":[0,0,0,0,0,0,0],
"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[]}`
	model, err := gbdt.Parse([]byte(`{"learner":{"objective":{"name":"reg:squarederror"},"learner_model_param":{"num_feature":"2","num_class":"0","base_score":"0"},
"gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[` + tree + `]}}},"version":[2,1,0]}`))
	if err != nil {
		t.Fatal(err)
	}
	rows := gbdt.Matrix{Data: []float32{-1, -1, -1, 1, -1, 1, -1, 1, 1, -1, 1, 1, 1, 1, 1, 1}, Rows: 8, Cols: 2}
	for feature, want := range [][]float64{{1.75, 7}, {2.5, 5}} {
		walked, err := Tree(model, feature, []float32{-1, 1})
		if err != nil {
			t.Fatal(err)
		}
		brute, err := Partial(ctx, model, rows, feature, []float32{-1, 1}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if math.Abs(walked[i]-want[i]) > 1e-6 || math.Abs(brute[i]-want[i]) > 1e-6 {
				t.Errorf("feature %d: %v, by brute force %v, want %v", feature, walked, brute, want)
			}
		}
	}
}

// TestBlocks asks for more than a block at a time and compares with one by one.
func TestBlocks(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	model := explaintest.Forest{Trees: 5, Depth: 4, Features: 3}.Grow(random)
	rows, grid := normal(random, 700, 3), linspace(-2, 2, 13)
	lines, err := Individual(ctx, model, rows, 1, grid, 2)
	if err != nil {
		t.Fatal(err)
	}
	scorer := model.NewScorer()
	for i := range rows.Rows {
		for k, v := range grid {
			row := slices.Clone(rows.Row(i))
			row[1] = v
			if one, err := scorer.Predict(row); err != nil || one[0] != lines.Predicted[i][k] {
				t.Fatalf("row %d at %g: %g, %v, in a block %g", i, v, one, err, lines.Predicted[i][k])
			}
		}
	}
}

func TestGrid(t *testing.T) {
	nan := float32(math.NaN())
	x := gbdt.Matrix{Data: []float32{5, nan, 1, nan, 3, nan, nan, nan, 1, nan, 2, nan, 9, nan}, Rows: 7, Cols: 2}
	for _, c := range []struct {
		points int
		want   []float32
	}{{10, []float32{1, 2, 3, 5, 9}}, {2, []float32{1, 9}}, {3, []float32{1, 2, 9}}} {
		if grid, err := Grid(x, 0, c.points); err != nil || !slices.Equal(grid, c.want) {
			t.Errorf("%d points: %v, %v", c.points, grid, err)
		}
	}
}

func TestBadInput(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	zero := explain.PredictorFunc(func([]float32) float32 { return 0 })
	rows, grid := normal(random, 4, 2), []float32{0, 1}
	missing := gbdt.Matrix{Data: []float32{float32(math.NaN())}, Rows: 1, Cols: 1}
	infinity := float32(math.Inf(1))
	model := explaintest.Forest{Trees: 1, Depth: 1, Features: 2}.Grow(random)
	partial := func(p explain.Predictor, rows gbdt.Matrix, feature int, grid []float32) error {
		_, err := Partial(ctx, p, rows, feature, grid, 0)
		return err
	}
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"no rows":         partial(zero, gbdt.Matrix{Cols: 2}, 0, grid),
		"feature":         partial(zero, rows, 2, grid),
		"negative":        partial(zero, rows, -1, grid),
		"no grid":         partial(zero, rows, 0, nil),
		"infinite grid":   partial(zero, rows, 0, []float32{infinity}),
		"infinite rows":   partial(zero, gbdt.Matrix{Data: []float32{infinity}, Rows: 1, Cols: 1}, 0, grid),
		"NaN predictions": partial(explain.PredictorFunc(func(r []float32) float32 { return float32(math.NaN()) }), rows, 0, grid),
		"one feature":     second(Partial2(ctx, zero, rows, [2]int{1, 1}, [2][]float32{grid, grid}, 0)),
		"grid of nothing": second(Grid(missing, 0, 5)),
		"one point":       second(Grid(rows, 0, 1)),
		"walk feature":    second(Tree(model, 2, grid)),
		"walk grid":       second(Tree(model, 0, nil)),
	} {
		if wrong := (*explain.InputError)(nil); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Partial(ended, zero, rows, 0, grid, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	var shape *gbdt.ShapeError
	if err := partial(model, normal(random, 2, 5), 0, grid); !errors.As(err, &shape) {
		t.Errorf("rows of another model: %v", err)
	}
}

// BenchmarkPartial compares brute force over 500 rows with walks, for 20 values.
func BenchmarkPartial(b *testing.B) {
	random := rand.New(rand.NewPCG(13, 14))
	model := explaintest.Forest{Trees: 500, Depth: 8, Features: 50}.Grow(random)
	rows, grid := normal(random, 500, 50), linspace(-2, 2, 20)
	b.Run("rows", func(b *testing.B) {
		for b.Loop() {
			if _, err := Partial(ctx, model, rows, 3, grid, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("walks", func(b *testing.B) {
		for b.Loop() {
			if _, err := Tree(model, 3, grid); err != nil {
				b.Fatal(err)
			}
		}
	})
}
