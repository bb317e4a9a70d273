package lime

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

// background has numbers of different scales, a category last, and, if asked for,
// gaps.
func background(random *rand.Rand, rows, cols int, gaps bool) gbdt.Matrix {
	x := gbdt.Matrix{Rows: rows, Cols: cols}
	for range rows {
		for k := range cols {
			v := float32(random.NormFloat64() * math.Pow(10, float64(k%3-1)))
			if k == cols-1 {
				v = float32(random.IntN(4))
			}
			if gaps && random.IntN(10) == 0 {
				v = float32(math.NaN())
			}
			x.Data = append(x.Data, v)
		}
	}
	return x
}

func categories(cols int) []bool {
	c := make([]bool, cols)
	c[cols-1] = true
	return c
}

func explained(t *testing.T, p explain.Predictor, x gbdt.Matrix, row []float32, o Options, seed uint64) Explanation {
	t.Helper()
	e, err := New(p, x, categories(x.Cols), o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Explain(context.Background(), row, rand.New(rand.NewPCG(seed, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestLinear recovers the slopes of a linear function with an effect of a category,
// to 1e-3 of each: the penalty is a 5000th of the variance.
func TestLinear(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	slopes := []float64{3, -2, 0.25, 0, 1.5}
	model := explain.PredictorFunc(func(r []float32) float32 {
		y := 7.0
		for k, s := range slopes {
			y += s * float64(r[k])
		}
		if r[5] == 2 {
			y += 4
		}
		return float32(y)
	})
	x := background(random, 1000, 6, false)
	row := []float32{0.1, 2, -7, 0.05, 1, 2}
	for _, o := range []Options{{Ridge: 0.01}, {Ridge: 0.01, Redraw: 1}, {Ridge: 0.01, Features: 5}, {Ridge: 0.01, Features: 5, Selection: Highest}, {Ridge: 0.01, Width: 1}} {
		out := explained(t, model, x, row, o, 9)
		if *out.R2 < 0.9999 || math.Abs(out.Local-out.Predicted) > 0.01 {
			t.Errorf("%+v: R2 %g, %g for %g", o, *out.R2, out.Local, out.Predicted)
		}
		found := map[int]float64{}
		for _, f := range out.Effects {
			found[f.Feature] = f.Slope
		}
		for k, s := range append(slices.Clone(slopes), 4) {
			if math.Abs(found[k]-s) > 1e-3*math.Abs(s)+1e-3 {
				t.Errorf("%+v: feature %d has slope %g, want %g", o, k, found[k], s)
			}
		}
	}
}

// TestSparse finds the two features that matter among 30, by either selection.
func TestSparse(t *testing.T) {
	x := background(rand.New(rand.NewPCG(3, 4)), 1000, 30, true)
	model := explain.PredictorFunc(func(r []float32) float32 {
		y := float32(0)
		if r[3] == r[3] {
			y += 20 * r[3]
		}
		if r[29] == 1 {
			y--
		}
		return y
	})
	row := slices.Clone(x.Row(0))
	row[3], row[29] = 0.2, 1
	for _, s := range []Selection{Forward, Highest} {
		out := explained(t, model, x, row, Options{Features: 2, Selection: s}, 5)
		if len(out.Effects) != 2 || out.Effects[0].Feature+out.Effects[1].Feature != 32 || *out.R2 < 0.999 {
			t.Errorf("selection %d: %+v, R2 %g", s, out.Effects, *out.R2)
		}
	}
}

// TestAdditive holds the mean and the impacts to the local prediction, and the
// impacts to their order, within 1e-9, for rows with gaps and models of trees.
func TestAdditive(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	model := explaintest.Forest{Trees: 20, Depth: 4, Features: 8}.Grow(random)
	x := background(random, 300, 8, true)
	for i := range 20 {
		out := explained(t, model, x, x.Row(i), Options{Samples: 500, Features: 1 + i%8}, uint64(i))
		sum, last := out.Mean, math.Inf(1)
		for _, f := range out.Effects {
			sum += f.Impact
			if math.Abs(f.Impact) > last {
				t.Errorf("row %d: impacts are not in order: %+v", i, out.Effects)
			}
			last = math.Abs(f.Impact)
		}
		if math.Abs(sum-out.Local) > 1e-9 || *out.R2 > 1 || *out.R2 < -1e-9 || out.Effective < 1 || out.Effective > 500 {
			t.Errorf("row %d: %g in all, local %g, R2 %g, effective %g", i, sum, out.Local, *out.R2, out.Effective)
		}
	}
}

// TestLocal: near 0 a step at 0 matters; far from it, and with a narrow kernel, it
// does not.
func TestLocal(t *testing.T) {
	x := background(rand.New(rand.NewPCG(7, 8)), 2000, 3, false)
	step := explain.PredictorFunc(func(r []float32) float32 {
		if r[1] > 0 {
			return 1
		}
		return 0
	})
	near := explained(t, step, x, []float32{0, 0.05, 0}, Options{Width: 0.5, Features: 1}, 1)
	far := explained(t, step, x, []float32{0, 3, 0}, Options{Width: 0.5, Features: 1}, 1)
	if near.Effects[0].Feature != 1 || near.Effects[0].Slope < 0.5 {
		t.Errorf("near the step: %+v", near.Effects)
	}
	if math.Abs(far.Effects[0].Slope) > 0.02 {
		t.Errorf("far from the step: %+v", far.Effects)
	}
}

// TestStable: on 200 random trees, the roughest of models, the same seed gives the
// same explanation, and over twelve seeds the weights stay within four of their
// standard errors of the first seed's, which are honest: the weights differ by 0.6
// to 1.6 of them in the mean square. On a smooth function weights stay within 3% of the
// largest.
func TestStable(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	x := background(random, 1000, 12, false)
	o := Options{Features: 12}
	model := explaintest.Forest{Trees: 200, Depth: 5, Features: 12}.Grow(random)
	first := explained(t, model, x, x.Row(1), o, 0)
	if again := explained(t, model, x, x.Row(1), o, 0); !slices.Equal(again.Effects, first.Effects) {
		t.Error("one seed gives two explanations")
	}
	smooth := explain.PredictorFunc(func(r []float32) float32 {
		return float32(1/(1+math.Exp(-float64(r[1]-r[4])-float64(r[7])/2)) + 0.2*math.Tanh(float64(r[10])))
	})
	squares, count := 0.0, 0.0
	firstSmooth := explained(t, smooth, x, x.Row(1), o, 0)
	for seed := uint64(1); seed <= 12; seed++ {
		again := weights(explained(t, model, x, x.Row(1), o, seed))
		for _, f := range first.Effects {
			d := (again[f.Feature] - f.Weight) / (f.Error * math.Sqrt2)
			squares, count = squares+d*d, count+1
			if math.Abs(d) > 4 {
				t.Errorf("seed %d: feature %d moves by %g standard errors", seed, f.Feature, d)
			}
		}
		again = weights(explained(t, smooth, x, x.Row(1), o, seed))
		for _, f := range firstSmooth.Effects {
			if d := again[f.Feature] - f.Weight; math.Abs(d) > 0.03*largest(firstSmooth) {
				t.Errorf("seed %d: feature %d of the smooth function moves by %g of %g", seed, f.Feature, d, largest(firstSmooth))
			}
		}
	}
	if rms := math.Sqrt(squares / count); rms < 0.6 || rms > 1.6 {
		t.Errorf("weights differ by %g of their standard errors", rms)
	}
}

func weights(x Explanation) map[int]float64 {
	w := map[int]float64{}
	for _, f := range x.Effects {
		w[f.Feature] = f.Weight
	}
	return w
}

func largest(x Explanation) float64 {
	out := 0.0
	for _, f := range x.Effects {
		out = max(out, math.Abs(f.Weight))
	}
	return out
}

func TestConstant(t *testing.T) {
	x := background(rand.New(rand.NewPCG(11, 12)), 50, 4, true)
	model := explain.PredictorFunc(func([]float32) float32 { return 0.1 })
	out := explained(t, model, x, x.Row(0), Options{}, 3)
	if out.R2 != nil || out.Local != out.Predicted {
		t.Errorf("a constant: %+v", out)
	}
}

func TestBadInput(t *testing.T) {
	x := background(rand.New(rand.NewPCG(13, 14)), 20, 3, false)
	zero := explain.PredictorFunc(func([]float32) float32 { return 0 })
	infinite := gbdt.Matrix{Data: []float32{1, float32(math.Inf(1)), 2}, Rows: 1, Cols: 3}
	for name, c := range map[string]struct {
		model      explain.Predictor
		background gbdt.Matrix
		row        []float32
		options    Options
	}{
		"empty background":    {zero, gbdt.Matrix{Cols: 3}, x.Row(0), Options{}},
		"infinite background": {zero, infinite, x.Row(0), Options{}},
		"short background":    {zero, gbdt.Matrix{Data: x.Data[:5], Rows: 2, Cols: 3}, x.Row(0), Options{}},
		"short row":           {zero, x, x.Row(0)[:2], Options{}},
		"infinite row":        {zero, x, infinite.Data, Options{}},
		"few samples":         {zero, x, x.Row(0), Options{Samples: 3}},
		"redraw":              {zero, x, x.Row(0), Options{Redraw: 1.5}},
		"NaN width":           {zero, x, x.Row(0), Options{Width: math.NaN()}},
		"negative ridge":      {zero, x, x.Row(0), Options{Ridge: -1}},
		"no features":         {zero, x, x.Row(0), Options{Features: -1}},
		"selection":           {zero, x, x.Row(0), Options{Selection: 9}},
		"NaN prediction":      {explain.PredictorFunc(func([]float32) float32 { return float32(math.NaN()) }), x, x.Row(0), Options{}},
	} {
		e, err := New(c.model, c.background, categories(3), c.options)
		if err == nil {
			_, err = e.Explain(context.Background(), c.row, rand.New(rand.NewPCG(1, 1)))
		}
		if wrong := (*explain.InputError)(nil); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e, err := New(zero, x, categories(3), Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Explain(ctx, x.Row(0), rand.New(rand.NewPCG(1, 1))); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}

// BenchmarkExplain is one customer: 500 trees of depth 8 over 50 features.
func BenchmarkExplain(b *testing.B) {
	random := rand.New(rand.NewPCG(15, 16))
	model := explaintest.Forest{Trees: 500, Depth: 8, Features: 50}.Grow(random)
	x := background(random, 2000, 50, true)
	e, err := New(model, x, categories(50), Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := e.Explain(context.Background(), x.Row(i%x.Rows), random); err != nil {
			b.Fatal(err)
		}
	}
}
