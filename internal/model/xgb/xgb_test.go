package xgb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"engage/internal/model/gbdt"
)

// library opens the installed library, or that in the file ENGAGE_LIBXGBOOST.
// Without one there is nothing to test but the message that says so.
func library(t testing.TB) *Library {
	t.Helper()
	l, err := Open(os.Getenv("ENGAGE_LIBXGBOOST"))
	if err != nil {
		t.Skip(err)
	}
	return l
}

// data makes rows whose labels are a function of them and some noise. The last
// column has six categories.
func data(seed uint64, rows, cols int) Batch {
	random := rand.New(rand.NewPCG(seed, 1))
	b := Batch{Rows: rows, Cols: cols}
	for range rows {
		sum := 0.1 * random.NormFloat64()
		for c := range cols {
			v := random.NormFloat64()
			if c == cols-1 {
				v = float64(random.IntN(6))
			}
			sum += v * float64(c%3)
			if random.IntN(20) == 0 && c < cols-1 {
				v = math.NaN()
			}
			b.Data = append(b.Data, float32(v))
		}
		b.Labels = append(b.Labels, float32(math.Tanh(sum/5)))
	}
	return b
}

func features(cols int) Features {
	var f Features
	for c := range cols {
		f.Names, f.Kinds = append(f.Names, fmt.Sprintf("f%d", c)), append(f.Kinds, Quantity)
	}
	f.Kinds[cols-1] = Category
	return f
}

func matrix(t testing.TB, l *Library, b Batch, f Features) *Matrix {
	t.Helper()
	m, err := l.NewMatrix(b, f, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func params() Params {
	p := DefaultParams()
	p.Threads, p.Seed, p.MaxDepth, p.LearningRate = 1, 42, 4, 0.2
	return p
}

func train(t testing.TB, l *Library, o Training) *Trained {
	t.Helper()
	r, err := l.Train(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Booster.Close)
	return r
}

// TestTrainedModelInGo scores what was trained with package gbdt: margins are
// equal to the bit, whatever the encoding.
func TestTrainedModelInGo(t *testing.T) {
	l := library(t)
	b := data(1, 600, 6)
	m := matrix(t, l, b, features(6))
	r := train(t, l, Training{Params: params(), Data: m, Rounds: 12})
	want, err := r.Booster.Predict(m, Margins, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []Format{JSON, UBJSON} {
		saved, err := r.Booster.Save(format)
		if err != nil {
			t.Fatal(err)
		}
		model, err := gbdt.Parse(saved)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, b.Rows)
		if err := model.Margins(gbdt.Matrix{Data: b.Data, Rows: b.Rows, Cols: b.Cols}, got, 1); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] != want.Values[i] {
				t.Fatalf("%s: row %d: %v, XGBoost has %v", format, i, got[i], want.Values[i])
			}
		}
		if names := model.FeatureNames(); len(names) != 6 || names[5] != "f5" {
			t.Errorf("%s: names %q", format, names)
		}
	}
}

// TestColumnMajor trains on the same data column by column: the model is the same.
func TestColumnMajor(t *testing.T) {
	l := library(t)
	b := data(2, 300, 5)
	turned := b
	turned.ColumnMajor, turned.Data = true, make([]float32, len(b.Data))
	for i, v := range b.Data {
		turned.Data[i%5*300+i/5] = v
	}
	var models [2]string
	for i, b := range []Batch{b, turned} {
		r := train(t, l, Training{Params: params(), Data: matrix(t, l, b, features(5)), Rounds: 5})
		saved, err := r.Booster.Save(JSON)
		if err != nil {
			t.Fatal(err)
		}
		models[i] = string(saved)
	}
	if models[0] != models[1] {
		t.Error("the models differ")
	}
}

// cut is a Source of a batch in parts.
type cut struct {
	b        Batch
	size, at int
	resets   int
	fail     error
}

func (c *cut) Reset() error { c.at = 0; c.resets++; return nil }

func (c *cut) Next() (Batch, error) {
	if c.at >= c.b.Rows {
		if c.fail != nil {
			return Batch{}, c.fail
		}
		return Batch{}, io.EOF
	}
	end := min(c.at+c.size, c.b.Rows)
	// A fresh copy, so that the library would be seen to read an earlier one.
	part := Batch{Rows: end - c.at, Cols: c.b.Cols}
	part.Data = append(part.Data, c.b.Data[c.at*c.b.Cols:end*c.b.Cols]...)
	part.Labels = append(part.Labels, c.b.Labels[c.at:end]...)
	c.at = end
	return part, nil
}

// TestStream trains on batches: as long as no feature has more values than there
// are bins, the model is that of all rows at once.
func TestStream(t *testing.T) {
	l := library(t)
	b := data(3, 200, 5)
	whole := train(t, l, Training{Params: params(), Data: matrix(t, l, b, features(5)), Rounds: 5})
	m, err := l.StreamMatrix(&cut{b: b, size: 37}, features(5), StreamOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Rows() != 200 || m.Cols() != 5 || len(m.Labels()) != 200 {
		t.Fatalf("%d rows, %d columns, %d labels", m.Rows(), m.Cols(), len(m.Labels()))
	}
	streamed := train(t, l, Training{Params: params(), Data: m, Rounds: 5})
	var values [2][]float32
	for i, r := range []*Trained{whole, streamed} {
		p, err := r.Booster.Predict(matrix(t, l, b, features(5)), Margins, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = p.Values
	}
	for i := range values[0] {
		if math.Abs(float64(values[0][i]-values[1][i])) > 1e-6 {
			t.Fatalf("row %d: %v of all rows, %v of batches", i, values[0][i], values[1][i])
		}
	}
}

// TestStreamEvaluates evaluates on a second stream that has the bins of the first.
func TestStreamEvaluates(t *testing.T) {
	l := library(t)
	m, err := l.StreamMatrix(&cut{b: data(4, 400, 5), size: 100}, features(5), StreamOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	test, err := l.StreamMatrix(&cut{b: data(5, 100, 5), size: 60}, features(5), StreamOptions{Threads: 1, Reference: m})
	if err != nil {
		t.Fatal(err)
	}
	defer test.Close()
	r := train(t, l, Training{Params: params(), Data: m, Rounds: 10, Evals: []Eval{{"test", test}}})
	if first, last := r.History[0].Scores[0].Value, r.History[9].Scores[0].Value; !(last < first) {
		t.Errorf("the error went from %v to %v", first, last)
	}
}

func TestStreamFails(t *testing.T) {
	l := library(t)
	broken := errors.New("disk on fire")
	_, err := l.StreamMatrix(&cut{b: data(6, 50, 4), size: 20, fail: broken}, Features{}, StreamOptions{Threads: 1})
	if !errors.Is(err, broken) {
		t.Errorf("a failing source: %v", err)
	}
	var bad *DataError
	if _, err := l.StreamMatrix(&cut{b: Batch{Cols: 4}}, Features{}, StreamOptions{Threads: 1}); !errors.As(err, &bad) {
		t.Errorf("an empty source: %v", err)
	}
}

// TestEarlyStopping stops when the last score gets no better and keeps which was best.
func TestEarlyStopping(t *testing.T) {
	l := library(t)
	m, test := matrix(t, l, data(7, 200, 5), features(5)), matrix(t, l, data(8, 200, 5), features(5))
	p := params()
	p.LearningRate, p.MaxDepth, p.Metrics = 1, 8, []string{"mae", "rmse"}
	r := train(t, l, Training{Params: p, Data: m, Rounds: 200, EarlyStopping: 5, Evals: []Eval{{"train", m}, {"test", test}}})
	if len(r.History) != r.Best+6 {
		t.Errorf("%d rounds, the best was %d", len(r.History), r.Best)
	}
	scores := r.History[0].Scores
	if len(scores) != 4 || scores[3].Eval != "test" || scores[3].Metric != "rmse" {
		t.Errorf("scores %v", scores)
	}
	for _, h := range r.History {
		if h.Scores[3].Value < r.History[r.Best].Scores[3].Value {
			t.Errorf("round %d is better than round %d", h.Number, r.Best)
		}
	}
	saved, err := r.Booster.Save(UBJSON)
	if err != nil {
		t.Fatal(err)
	}
	model, err := gbdt.Parse(saved)
	if err != nil {
		t.Fatal(err)
	}
	if best, ok := model.BestRound(); !ok || best != r.Best {
		t.Errorf("the model says %d, %v", best, ok)
	}
}

// TestLoss hands in the derivatives of squared error: the model is that of the
// objective reg:squarederror.
func TestLoss(t *testing.T) {
	l := library(t)
	b := data(9, 300, 5)
	squared := func(margins, labels []float32) (gradient, hessian []float32) {
		for i, m := range margins {
			gradient, hessian = append(gradient, m-labels[i]), append(hessian, 1)
		}
		return gradient, hessian
	}
	var models [2]string
	for i, loss := range []Loss{nil, squared} {
		r := train(t, l, Training{Params: params(), Data: matrix(t, l, b, features(5)), Rounds: 5, Loss: loss})
		saved, err := r.Booster.Save(JSON)
		if err != nil {
			t.Fatal(err)
		}
		models[i] = string(saved)
	}
	if models[0] != models[1] {
		t.Error("the models differ")
	}
}

func TestCancelAndProgress(t *testing.T) {
	l := library(t)
	m := matrix(t, l, data(10, 200, 5), features(5))
	ctx, cancel := context.WithCancel(t.Context())
	rounds := 0
	_, err := l.Train(ctx, Training{Params: params(), Data: m, Rounds: 1000, Progress: func(r Round) error {
		if rounds++; r.Number == 3 {
			cancel()
		}
		return nil
	}})
	if !errors.Is(err, context.Canceled) || rounds != 4 {
		t.Errorf("%d rounds, %v", rounds, err)
	}
	stop := errors.New("enough")
	if _, err := l.Train(t.Context(), Training{Params: params(), Data: m, Rounds: 9, Progress: func(Round) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("a progress that fails: %v", err)
	}
}

// TestRefusals are mistakes that must not reach the trees.
func TestRefusals(t *testing.T) {
	l := library(t)
	good := data(11, 20, 3)
	batch := func(change func(*Batch)) func() error {
		return func() error {
			b := good
			b.Data, b.Labels = append([]float32(nil), good.Data...), append([]float32(nil), good.Labels...)
			change(&b)
			_, err := l.NewMatrix(b, Features{}, 1)
			return err
		}
	}
	m := matrix(t, l, good, Features{})
	training := func(change func(*Training)) func() error {
		return func() error {
			o := Training{Params: params(), Data: m, Rounds: 2}
			change(&o)
			_, err := l.Train(t.Context(), o)
			return err
		}
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"no rows":              {batch(func(b *Batch) { b.Rows, b.Data = 0, nil }), "data: 0 rows of 3 columns"},
		"short data":           {batch(func(b *Batch) { b.Data = b.Data[1:] }), "59 values for 20 rows of 3 columns"},
		"infinite value":       {batch(func(b *Batch) { b.Data[7] = inf }), "row 2, column 1 has +Inf"},
		"NaN label":            {batch(func(b *Batch) { b.Labels[4] = nan }), "labels: row 4 has NaN"},
		"few labels":           {batch(func(b *Batch) { b.Labels = b.Labels[:3] }), "labels: 3 for 20 rows"},
		"negative weight":      {batch(func(b *Batch) { b.Weights = make([]float32, 20); b.Weights[2] = -1 }), "weights: row 2 has -1"},
		"no data":              {training(func(o *Training) { o.Data = nil }), "data: there is none"},
		"no rounds":            {training(func(o *Training) { o.Rounds = 0 }), "rounds"},
		"unknown objective":    {training(func(o *Training) { o.Params.Objective = "reg:magic" }), "reg:magic"},
		"zero parameters":      {training(func(o *Training) { o.Params = Params{} }), "start from DefaultParams"},
		"subsample above 1":    {training(func(o *Training) { o.Params.Subsample = 2 }), "subsample"},
		"parameter twice":      {training(func(o *Training) { o.Params.Extra = map[string]string{"learning_rate": "1"} }), "Params has a field"},
		"early without eval":   {training(func(o *Training) { o.EarlyStopping = 3 }), "early stopping"},
		"eval with a colon":    {training(func(o *Training) { o.Evals = []Eval{{"a:b", m}} }), "evals"},
		"derivatives too few":  {training(func(o *Training) { o.Loss = func(m, l []float32) (g, h []float32) { return m[1:], l } }), "19 first and 20 second"},
		"derivative NaN":       {training(func(o *Training) { o.Loss = func(m, l []float32) (g, h []float32) { m[3] = nan; return m, l } }), "row 3 is NaN"},
		"classes out of range": {training(func(o *Training) { o.Params.Objective, o.Params.Classes = "multi:softprob", 2 }), "label"},
		"no model":             {func() error { _, err := l.Load(nil); return err }, "empty"},
		"foreign model":        {func() error { _, err := l.Load([]byte(`{"a":`)); return err }, "load model"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.do()
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
		})
	}
}

func TestClosed(t *testing.T) {
	l := library(t)
	m := matrix(t, l, data(12, 50, 4), Features{})
	r := train(t, l, Training{Params: params(), Data: m, Rounds: 2})
	m.Close()
	m.Close()
	if _, err := r.Booster.Predict(m, Margins, 0, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed matrix: %v", err)
	}
	r.Booster.Close()
	if _, err := r.Booster.Save(JSON); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed booster: %v", err)
	}
}

// TestForgotten leaves boosters without closing them: their threads end with them.
func TestForgotten(t *testing.T) {
	l := library(t)
	m := matrix(t, l, data(16, 50, 4), Features{})
	before := runtime.NumGoroutine()
	for range 5 {
		if _, err := l.Train(t.Context(), Training{Params: params(), Data: m, Rounds: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// TestManyGoroutines shares matrices between boosters that are trained, scored,
// saved and left to the garbage collector at the same time. Evals are in another
// order in every other one, which would deadlock if locks were taken in that order.
func TestManyGoroutines(t *testing.T) {
	l := library(t)
	a, b := matrix(t, l, data(13, 200, 5), features(5)), matrix(t, l, data(14, 200, 5), features(5))
	models := make([]string, 8)
	var wg sync.WaitGroup
	for i := range models {
		wg.Go(func() {
			o := Training{Params: params(), Data: a, Rounds: 4, Evals: []Eval{{"a", a}, {"b", b}}}
			if i%2 == 1 {
				o.Evals[0], o.Evals[1] = o.Evals[1], o.Evals[0]
			}
			r, err := l.Train(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := r.Booster.Predict(b, Contributions, 0, 0); err != nil {
				t.Error(err)
			}
			saved, err := r.Booster.Save(JSON)
			if err != nil {
				t.Error(err)
			}
			models[i] = string(saved)
			runtime.GC()
		})
	}
	wg.Wait()
	for i, m := range models {
		if m != models[0] {
			t.Errorf("model %d differs", i)
		}
	}
}

// TestShapes are those of strict_shape.
func TestShapes(t *testing.T) {
	l := library(t)
	b := data(15, 60, 4)
	for i := range b.Labels {
		b.Labels[i] = float32(i % 3)
	}
	m := matrix(t, l, b, Features{})
	p := params()
	p.Objective, p.Classes = "multi:softprob", 3
	r := train(t, l, Training{Params: p, Data: m, Rounds: 2})
	for o, want := range map[Output]string{
		Answers: "[60 3]", Margins: "[60 3]", Contributions: "[60 3 5]", Interactions: "[60 3 5 5]", Leaves: "[60 2 3 1]",
	} {
		got, err := r.Booster.Predict(m, o, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got.Shape) != want {
			t.Errorf("output %d: shape %v, want %s", o, got.Shape, want)
		}
	}
	if n, err := r.Booster.Rounds(); n != 2 || err != nil {
		t.Errorf("%d rounds, %v", n, err)
	}
	if _, ok, err := r.Booster.Attribute("best_iteration"); ok || err != nil {
		t.Errorf("an attribute that was not set: %v, %v", ok, err)
	}
}

// TestNoLibrary says in one line what to install.
func TestNoLibrary(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none.so"))
	var missing *LibraryError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v", err)
	}
	if s := err.Error(); !strings.Contains(s, "apt-get install libxgboost-dev") || strings.Contains(s, "\n") {
		t.Errorf("%q", s)
	}
	if _, err := Open("libc.so.6"); runtime.GOOS == "linux" && !errors.As(err, &missing) {
		t.Errorf("another library: %v", err)
	}
}
