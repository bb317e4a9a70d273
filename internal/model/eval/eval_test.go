package eval_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"engage/internal/model/eval"
	"engage/internal/model/gbdt"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(1, math.Abs(b)) }

// Worked by hand: errors 1, -1, 0, 2 of truths 0, 2, 4, -2.
func TestRegress(t *testing.T) {
	got, err := eval.Regress([]float64{0, 2, 4, -2}, []float64{1, 1, 4, 0})
	if err != nil {
		t.Fatal(err)
	}
	if !near(got.RMSE, math.Sqrt(1.5)) || !near(got.MAE, 1) || !near(got.Bias, 0.5) || !near(*got.R2, 1-6.0/20) {
		t.Errorf("%+v, R2 %v", got, *got.R2)
	}
	if got.MAPERows != 3 || !near(*got.MAPE, 0.5) { // the truth of 0 is left out
		t.Errorf("MAPE %v of %d rows", *got.MAPE, got.MAPERows)
	}
}

func TestRegressWithoutSpread(t *testing.T) {
	got, err := eval.Regress([]float64{0, 0}, []float64{1, 1})
	if err != nil || got.R2 != nil || got.MAPE != nil || got.RMSE != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPerfectAndMeanPredictions(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	y, mean := make([]float64, 100), make([]float64, 100)
	sum := 0.0
	for i := range y {
		y[i] = random.NormFloat64()
		sum += y[i] / 100
	}
	for i := range mean {
		mean[i] = sum
	}
	perfect, _ := eval.Regress(y, y)
	flat, _ := eval.Regress(y, mean)
	if *perfect.R2 != 1 || perfect.RMSE != 0 || math.Abs(*flat.R2) > 1e-12 {
		t.Errorf("R2 %v and %v, want 1 and 0", *perfect.R2, *flat.R2)
	}
}

func TestBadNumbersAreRefused(t *testing.T) {
	for _, c := range [][2][]float64{{{}, {}}, {{1}, {1, 2}}, {{math.NaN()}, {1}}, {{1}, {math.Inf(1)}}} {
		var bad *eval.DataError
		if _, err := eval.Regress(c[0], c[1]); !errors.As(err, &bad) {
			t.Errorf("%v: %v", c, err)
		}
		if _, err := eval.Calibrate(c[0], c[1], 2); !errors.As(err, &bad) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := eval.Classify([]float64{2}, []float64{0.5}); err == nil {
		t.Error("a flag of 2 was taken")
	}
}

// Of the four pairs of the first case three are in order and one is tied.
func TestClassify(t *testing.T) {
	for _, c := range []struct {
		y, p []float64
		auc  float64
	}{
		{[]float64{0, 0, 1, 1}, []float64{0.1, 0.5, 0.5, 0.9}, 3.5 / 4},
		{[]float64{0, 1}, []float64{0.9, 0.1}, 0},
		{[]float64{0, 1, 0, 1}, []float64{0.5, 0.5, 0.5, 0.5}, 0.5},
	} {
		got, err := eval.Classify(c.y, c.p)
		if err != nil || !near(*got.AUC, c.auc) {
			t.Errorf("%v: AUC %v, want %v", c, *got.AUC, c.auc)
		}
	}
	got, _ := eval.Classify([]float64{1, 0}, []float64{0.8, 0.4})
	if !near(got.LogLoss, -(math.Log(0.8)+math.Log(0.6))/2) || !near(got.Brier, 0.1) || got.Accuracy != 1 || got.Prevalence != 0.5 {
		t.Errorf("%+v", got)
	}
	if got, _ := eval.Classify([]float64{1, 1}, []float64{1, 0}); got.AUC != nil || math.IsInf(got.LogLoss, 0) {
		t.Errorf("one class: %+v", got)
	}
}

func TestCalibrate(t *testing.T) {
	y, p := []float64{1, 2, 3, 4}, []float64{0, 0, 2, 2} // y of 1.5 at 0, 3.5 at 2
	got, err := eval.Calibrate(y, p, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Bins) != 2 || got.Bins[0].Actual != 1.5 || got.Bins[1].Predicted != 2 {
		t.Errorf("bins %+v", got.Bins)
	}
	if got.Error != 1.5 || got.Largest != 1.5 || !near(*got.Slope, 1) || !near(*got.Intercept, 1.5) {
		t.Errorf("%+v", got)
	}
	if flat, _ := eval.Calibrate(y, []float64{1, 1, 1, 1}, 3); len(flat.Bins) != 1 || flat.Slope != nil {
		t.Errorf("%+v", flat)
	}
}

// The bins hold every row once, in order, whatever their number.
func TestBinsCoverTheRows(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		n := 1 + random.IntN(50)
		y, p := make([]float64, n), make([]float64, n)
		for i := range y {
			y[i], p[i] = random.Float64(), math.Floor(10*random.Float64())/10
		}
		got, err := eval.Calibrate(y, p, 1+random.IntN(20))
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for i, b := range got.Bins {
			rows += b.Rows
			if i > 0 && b.From <= got.Bins[i-1].To {
				t.Errorf("bin %d begins at %g, the one before ends at %g", i, b.From, got.Bins[i-1].To)
			}
		}
		if rows != n {
			t.Errorf("%d rows of %d", rows, n)
		}
	}
}

func TestSegmentsAndParity(t *testing.T) {
	got, err := eval.Segments("plan", []string{"b", "a", "b"}, []float64{1, 2, 3}, []float64{1, 2, 5})
	if err != nil || len(got) != 2 || got[0].Value != "a" || got[1].Rows != 2 || got[1].MAE != 1 || got[1].MeanPredicted != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if p := eval.Parity(got, 1); p == nil || !near(*p, 2.0/3) {
		t.Errorf("parity %v", p)
	}
	if p := eval.Parity(got, 2); p != nil {
		t.Errorf("parity of one segment %v", *p)
	}
	if _, err := eval.Segments("plan", nil, []float64{1}, []float64{1}); err == nil {
		t.Error("rows without values were taken")
	}
}

func TestCurve(t *testing.T) {
	fit := func(_ context.Context, n int) (float64, float64, error) { return float64(n), -float64(n), nil }
	got, err := eval.Curve(t.Context(), 10, []float64{0.5, 1}, fit)
	if err != nil || len(got) != 2 || got[0] != (eval.Point{Rows: 5, Train: 5, Test: -5}) || got[1].Rows != 10 {
		t.Errorf("%v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := eval.Curve(ctx, 10, []float64{1}, fit); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := eval.Curve(t.Context(), 1, []float64{0.5}, fit); err == nil {
		t.Error("no rows were taken")
	}
}

// Two trees: the first splits on feature 1 and then 0, the second is a leaf.
func TestGains(t *testing.T) {
	model := []byte(`{"learner":{"gradient_booster":{"model":{"trees":[
		{"loss_changes":[5,2,0,NaN,-Infinity],"split_indices":[1,0,0,0,0],"left_children":[1,3,-1,-1,-1]},
		{"loss_changes":[7],"split_indices":[0],"left_children":[-1]},
		{"loss_changes":[1,0,0],"split_indices":[1,0,0],"left_children":[1,-1,-1]}]}}}}`)
	for trees, want := range map[int][2]float64{2: {2, 5}, 3: {2, 6}, 9: {2, 6}} {
		got, err := eval.Gains(model, 2, trees)
		if err != nil || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%d trees: %v, %v", trees, got, err)
		}
	}
	if _, err := eval.Gains(model, 1, 3); err == nil {
		t.Error("a split on a feature that is not there was taken")
	}
	if _, err := eval.Gains([]byte("{"), 1, 3); err == nil {
		t.Error("half a document was taken")
	}
}

// Shuffling independent values with mean 0 and variance v doubles the part that
// they have: the error of 3a + b, known without noise, grows by 2*9*v and 2*v.
func TestPermute(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	const n = 20000
	x := gbdt.Matrix{Rows: n, Cols: 3}
	var y []float64
	for range n {
		a, b, c := random.NormFloat64(), random.NormFloat64(), random.NormFloat64()
		x.Data = append(x.Data, float32(a), float32(b), float32(c))
		y = append(y, 3*a+b)
	}
	before := append([]float32(nil), x.Data...)
	score := func(x gbdt.Matrix) ([]float64, error) {
		out := make([]float64, x.Rows)
		for i := range out {
			out[i] = 3*float64(x.Row(i)[0]) + float64(x.Row(i)[1])
		}
		return out, nil
	}
	got, err := eval.Permute(t.Context(), x, y, random, score)
	if err != nil || math.Abs(got[0]-18) > 0.6 || math.Abs(got[1]-2) > 0.1 || got[2] != 0 {
		t.Errorf("%v, %v: want about 18, 2, 0", got, err)
	}
	for i := range before {
		if before[i] != x.Data[i] {
			t.Fatal("the rows were changed")
		}
	}
}
