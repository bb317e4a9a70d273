package baseline

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"

	"engage/internal/model/gbdt"
)

// task has six features, of which the first three matter and the last is a
// category that matters; a tenth of the values is missing.
func task(train, test int, flag bool) Task {
	random := rand.New(rand.NewPCG(1, 2))
	make := func(rows int) Rows {
		r := Rows{X: gbdt.Matrix{Rows: rows, Cols: 6}}
		for range rows {
			x := []float64{random.NormFloat64(), random.NormFloat64(), random.NormFloat64(), random.NormFloat64(), random.NormFloat64(), float64(random.IntN(3))}
			y := 2*x[0] + x[1] + 0.5*x[2]
			if x[5] == 2 {
				y += 1.5
			}
			for _, v := range x {
				if random.IntN(10) == 0 {
					v = math.NaN()
				}
				r.X.Data = append(r.X.Data, float32(v))
			}
			if flag && y > 0.5 {
				y = 1
			} else if flag {
				y = 0
			}
			r.Truth = append(r.Truth, y)
		}
		return r
	}
	return Task{Train: make(train), Test: make(test), Categories: []bool{false, false, false, false, false, true}, Flag: flag}
}

// TestRegression: the forest explains most of a linear function from 500 rows of
// 800, and golearn's metrics are ours.
func TestRegression(t *testing.T) {
	r, err := Run(context.Background(), task(800, 500, false), 7, Options{Rows: 500, Trees: 12})
	if err != nil {
		t.Fatal(err)
	}
	if r.TrainRows != 500 || r.TestRows != 500 || r.Classification != nil || *r.Regression.R2 < 0.6 || *r.Regression.R2 > 0.95 {
		t.Errorf("%+v, R2 %v", r, *r.Regression.R2)
	}
	if math.Abs(r.Golearn["rmse"]-r.Regression.RMSE) > Tolerance || math.Abs(r.Golearn["r2"]-*r.Regression.R2) > Tolerance {
		t.Errorf("golearn has %v, eval %+v", r.Golearn, r.Regression)
	}
}

func TestFlag(t *testing.T) {
	r, err := Run(context.Background(), task(600, 400, true), 7, Options{Trees: 8})
	if err != nil {
		t.Fatal(err)
	}
	if r.TrainRows != 600 || r.Regression != nil || *r.Classification.AUC < 0.85 || math.Abs(r.Golearn["accuracy"]-r.Classification.Accuracy) > Tolerance {
		t.Errorf("%+v, AUC %v", r, *r.Classification.AUC)
	}
}

// TestRepeatable: the seed decides, and not which processor is first.
func TestRepeatable(t *testing.T) {
	data := task(200, 100, false)
	run := func(seed uint64) Report {
		r, err := Run(context.Background(), data, seed, Options{Trees: 6, Depth: 4})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if a, b := run(1), run(1); !reflect.DeepEqual(a, b) {
		t.Errorf("%+v, then %+v", a.Regression, b.Regression)
	}
	if a, b := run(1), run(2); a.Regression.RMSE == b.Regression.RMSE {
		t.Error("another seed gives the same forest")
	}
}

// TestSilent: golearn writes nothing to the standard output on the way.
func TestSilent(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	_, err = Run(context.Background(), task(100, 50, true), 1, Options{Trees: 2})
	if err := errors.Join(err, write.Close()); err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(read); err != nil || len(said) > 0 {
		t.Errorf("%q, %v", said, err)
	}
}

// TestNoSplit: where no feature tells anything, the mean is predicted; golearn alone
// would answer 0.
func TestNoSplit(t *testing.T) {
	data := Task{
		Train:      Rows{X: gbdt.Matrix{Data: make([]float32, 40), Rows: 40, Cols: 1}, Truth: make([]float64, 40)},
		Test:       Rows{X: gbdt.Matrix{Data: []float32{-3, 5}, Rows: 2, Cols: 1}, Truth: []float64{10, 11}},
		Categories: []bool{false},
	}
	for i := range data.Train.Truth {
		data.Train.Truth[i] = 10 + float64(i%2)
	}
	r, err := Run(context.Background(), data, 3, Options{})
	if err != nil || math.Abs(r.Regression.RMSE-0.5) > 0.02 {
		t.Errorf("%+v, %v", r.Regression, err)
	}
}

// TestOneTree compares a tree of golearn with the split that is best by hand.
func TestOneTree(t *testing.T) {
	x := [][]float64{{1, 5}, {2, 1}, {3, 4}, {4, 2}, {5, 3}, {6, 0}}
	y := []float64{1, 1, 1, 7, 7, 7}
	all, features := []int{0, 1, 2, 3, 4, 5}, []int{0, 1}
	answers, err := regress(grid(x, all, features, y), y, grid([][]float64{{3, 0}, {4, 9}}, []int{0, 1}, features, nil), 2, 3)
	if err != nil || !reflect.DeepEqual(answers, []float64{1, 7}) {
		t.Errorf("%v, %v", answers, err)
	}
}

func TestAgree(t *testing.T) {
	var d *DisagreementError
	if err := agree(map[string]float64{"rmse": 1}, map[string]float64{"rmse": 1 + 1e-6}); !errors.As(err, &d) || d.Metric != "rmse" {
		t.Errorf("another number: %v", err)
	}
	if err := agree(map[string]float64{"r2": 1}, nil); !errors.As(err, &d) {
		t.Errorf("a missing number: %v", err)
	}
	if err := agree(map[string]float64{"rmse": 1e6}, map[string]float64{"rmse": 1e6 + 1e-5}); err != nil {
		t.Error(err)
	}
}

func TestContain(t *testing.T) {
	fails := func() (err error) {
		defer contain("break", &err)
		panic("no such attribute")
	}
	var g *GolearnError
	if err := fails(); !errors.As(err, &g) || err.Error() != "baseline: golearn break: no such attribute" {
		t.Error(err)
	}
}

func TestBadInput(t *testing.T) {
	for name, spoil := range map[string]func(*Task, *Options){
		"no rows":          func(x *Task, _ *Options) { x.Train = Rows{X: gbdt.Matrix{Cols: 6}} },
		"no test rows":     func(x *Task, _ *Options) { x.Test = Rows{X: gbdt.Matrix{Cols: 6}} },
		"short truth":      func(x *Task, _ *Options) { x.Test.Truth = x.Test.Truth[1:] },
		"features":         func(x *Task, _ *Options) { x.Categories = x.Categories[1:] },
		"infinite feature": func(x *Task, _ *Options) { x.Test.X.Data[8] = float32(math.Inf(1)) },
		"NaN truth":        func(x *Task, _ *Options) { x.Train.Truth[3] = math.NaN() },
		"no flag":          func(x *Task, _ *Options) { x.Flag = true },
		"constant":         func(x *Task, _ *Options) { x.Train.Truth = make([]float64, 20) },
		"trees":            func(_ *Task, o *Options) { o.Trees = -1 },
	} {
		data, o := task(20, 10, false), Options{}
		spoil(&data, &o)
		if _, err := Run(context.Background(), data, 1, o); !errors.As(err, new(*DataError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, task(20, 10, false), 1, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}

// BenchmarkRun is the default forest over 2,000 rows of 50 features.
func BenchmarkRun(b *testing.B) {
	random := rand.New(rand.NewPCG(3, 4))
	rows := func(n int) Rows {
		r := Rows{X: gbdt.Matrix{Data: make([]float32, n*50), Rows: n, Cols: 50}, Truth: make([]float64, n)}
		for i := range r.X.Data {
			r.X.Data[i] = float32(random.NormFloat64())
			r.Truth[i/50] += float64(r.X.Data[i])
		}
		return r
	}
	data := Task{Train: rows(2000), Test: rows(5000), Categories: make([]bool, 50)}
	for b.Loop() {
		if _, err := Run(context.Background(), data, 1, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
