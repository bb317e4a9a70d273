package xgb_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"engage/internal/model/gbdt"
	"engage/internal/model/shap"
	"engage/internal/model/xgb"
)

// The sizes of the comparison: 500 trees of depth 8 over 50 features.
const (
	benchFeatures = 50
	benchRounds   = 500
	benchDepth    = 8
)

// setting reads a number from the environment.
func setting(b *testing.B, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s is %q, not a number", name, text)
	}
	return n
}

// population makes rows with interactions, smooth effects, counts and gaps.
func population(rows int) xgb.Batch {
	random := rand.New(rand.NewPCG(1, 2))
	batch := xgb.Batch{Rows: rows, Cols: benchFeatures}
	row := make([]float64, benchFeatures)
	for range rows {
		for i := range row {
			if row[i] = random.NormFloat64(); i >= 40 {
				row[i] = math.Round(3 * math.Abs(row[i]))
			}
		}
		y := 10*math.Sin(math.Pi*row[0]*row[1]) + 20*(row[2]-0.5)*(row[2]-0.5) + 10*row[3] + 5*row[4] + row[5]*row[6] + row[40]*row[41]
		for _, v := range row[7:30] {
			y += 0.3 * v
		}
		for _, v := range row {
			if random.IntN(33) == 0 {
				v = math.NaN()
			}
			batch.Data = append(batch.Data, float32(v))
		}
		batch.Labels = append(batch.Labels, float32(1/(1+math.Exp(-(y-30)/30+0.1*random.NormFloat64()))))
	}
	return batch
}

// bench is a trained model beside its peer.
type bench struct {
	library *xgb.Library
	booster *xgb.Booster
	model   *gbdt.Model
	batch   xgb.Batch
	matrix  gbdt.Matrix
	params  xgb.Params
	threads int
	took    time.Duration // the training
}

func newBench(b *testing.B) *bench {
	library, err := xgb.Open(os.Getenv("ENGAGE_LIBXGBOOST"))
	if err != nil {
		b.Skip(err)
	}
	s := &bench{library: library, threads: setting(b, "ENGAGE_BENCH_THREADS", runtime.GOMAXPROCS(0))}
	s.batch = population(setting(b, "ENGAGE_BENCH_ROWS", 100_000))
	s.matrix = gbdt.Matrix{Data: s.batch.Data, Rows: s.batch.Rows, Cols: s.batch.Cols}
	p := xgb.DefaultParams()
	p.MaxDepth, p.LearningRate, p.Subsample, p.ColsampleByTree, p.Seed, p.Threads = benchDepth, 0.05, 0.8, 0.8, 42, s.threads
	s.params = p
	s.booster, s.took = s.fit(b)
	saved, err := s.booster.Save(xgb.UBJSON)
	if err != nil {
		b.Fatal(err)
	}
	if s.model, err = gbdt.Parse(saved); err != nil {
		b.Fatal(err)
	}
	return s
}

// fit copies the training rows and trains, and says how long both took.
func (s *bench) fit(b *testing.B) (*xgb.Booster, time.Duration) {
	began := time.Now()
	m, err := s.library.NewMatrix(s.part(min(80_000, s.batch.Rows)), xgb.Features{}, s.threads)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	trained, err := s.library.Train(b.Context(), xgb.Training{Params: s.params, Data: m, Rounds: setting(b, "ENGAGE_BENCH_ROUNDS", benchRounds)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(trained.Booster.Close)
	return trained.Booster, time.Since(began)
}

// part is the first rows.
func (s *bench) part(rows int) xgb.Batch {
	return xgb.Batch{Data: s.batch.Data[:rows*s.batch.Cols], Labels: s.batch.Labels[:rows], Rows: rows, Cols: s.batch.Cols}
}

func (s *bench) copy(b *testing.B, batch xgb.Batch) *xgb.Matrix {
	m, err := s.library.NewMatrix(batch, xgb.Features{}, s.threads)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// peer returns the rows a second of XGBoost's own prediction of the first rows,
// without making the matrix, and what it answers.
func (s *bench) peer(b *testing.B, rows int, o xgb.Output) (float64, []float32) {
	m := s.copy(b, s.part(rows))
	defer m.Close()
	began := time.Now()
	p, err := s.booster.Predict(m, o, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	return float64(rows) / time.Since(began).Seconds(), p.Values
}

// report prints ours beside the peer's, in rows a second.
func report(b *testing.B, ours, peer float64) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours, "rows/s")
	b.ReportMetric(peer, "xgboost-rows/s")
	b.ReportMetric(ours/peer, "ratio")
}

func largest(got, want []float32) float64 {
	worst := 0.0
	for i, w := range want {
		worst = max(worst, math.Abs(float64(got[i]-w)))
	}
	return worst
}

// BenchmarkModel compares scoring and explaining in Go with XGBoost's own
// functions, in one process, on the same model, rows and number of threads:
//
//	go test -run '^$' -bench '^BenchmarkModel$' -benchtime 1x ./internal/model/xgb
//
// The environment may set ENGAGE_BENCH_ROWS (100000), ENGAGE_BENCH_ROUNDS (500),
// ENGAGE_BENCH_THREADS (all processors), ENGAGE_BENCH_PEER_ROWS (300, what XGBoost
// has to explain), ENGAGE_LIBXGBOOST and ENGAGE_PYTHON, an interpreter with xgboost
// with which the training is compared.
func BenchmarkModel(b *testing.B) {
	s := newBench(b)
	b.Logf("xgboost %v, %d rows, %d trees, %d threads", s.library.Version(), s.batch.Rows, len(s.model.Trees()), s.threads)
	b.Run("predict", s.predict)
	b.Run("explain", s.explain)
	b.Run("one row", s.oneRow)
	b.Run("against a background", s.background)
	b.Run("train", s.train)
}

func (s *bench) predict(b *testing.B) {
	out := make([]float32, s.matrix.Rows)
	var ours, peer float64
	var want []float32
	for b.Loop() {
		for range 3 { // the best of three of both
			rate, margins := s.peer(b, s.matrix.Rows, xgb.Margins)
			peer, want = max(peer, rate), margins
			began := time.Now()
			if err := s.model.Margins(s.matrix, out, s.threads); err != nil {
				b.Fatal(err)
			}
			ours = max(ours, float64(len(out))/time.Since(began).Seconds())
		}
	}
	report(b, ours, peer)
	b.ReportMetric(largest(out, want), "difference")
}

func (s *bench) explain(b *testing.B) {
	e, err := shap.New(s.model)
	if err != nil {
		b.Fatal(err)
	}
	out := make([]float32, s.matrix.Rows*e.Width())
	rows := min(setting(b, "ENGAGE_BENCH_PEER_ROWS", 300), s.matrix.Rows)
	for b.Loop() {
		peer, want := s.peer(b, rows, xgb.Contributions)
		began := time.Now()
		if err := e.Contributions(b.Context(), s.matrix, out, s.threads); err != nil {
			b.Fatal(err)
		}
		took := time.Since(began).Seconds()
		report(b, float64(s.matrix.Rows)/took, peer)
		b.ReportMetric(took, "s/all-rows")
		b.ReportMetric(largest(out, want), "difference")
	}
}

// oneRow scores and explains one row after the other.
func (s *bench) oneRow(b *testing.B) {
	e, err := shap.New(s.model)
	if err != nil {
		b.Fatal(err)
	}
	row, scorer := e.NewRow(s.threads), s.model.NewScorer()
	const rows = 200
	for b.Loop() {
		began := time.Now()
		for i := range rows {
			x := s.matrix.Row(i % s.matrix.Rows)
			if _, err := scorer.Predict(x); err != nil {
				b.Fatal(err)
			}
			if _, err := row.Explain(x); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(time.Since(began).Seconds()*1000/rows, "ms/row")
	}
}

func (s *bench) background(b *testing.B) {
	const sample, rows = 100, 50
	part := func(first, n int) gbdt.Matrix {
		return gbdt.Matrix{Data: s.matrix.Data[first*benchFeatures : (first+n)*benchFeatures], Rows: n, Cols: benchFeatures}
	}
	e, err := shap.NewInterventional(s.model, part(0, sample))
	if err != nil {
		b.Fatal(err)
	}
	out := make([]float32, rows*e.Width())
	for b.Loop() {
		began := time.Now()
		if err := e.Contributions(b.Context(), part(sample, rows), out, s.threads); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(rows/time.Since(began).Seconds(), "rows/s")
	}
}

// train compares the time of the training, data copied included, with Python's:
// the better of two of both, one after the other.
func (s *bench) train(b *testing.B) {
	python := os.Getenv("ENGAGE_PYTHON")
	for b.Loop() {
		ours, peer := s.took.Seconds(), math.Inf(1)
		for i := 0; i < 2 && python != ""; i++ {
			peer = min(peer, s.python(b, python))
			_, took := s.fit(b)
			ours = min(ours, took.Seconds())
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(ours, "s")
		if python != "" {
			b.ReportMetric(peer, "python-s")
			b.ReportMetric(ours/peer, "ratio")
		}
	}
}

// python runs test/oracles/xgboost_speed.py on the same data and parameters.
func (s *bench) python(b *testing.B, interpreter string) float64 {
	train := s.part(min(80_000, s.batch.Rows))
	dir := b.TempDir()
	for name, data := range map[string][]float32{"data": train.Data, "labels": train.Labels} {
		raw, err := binary.Append(nil, binary.LittleEndian, data)
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	script, err := filepath.Abs("../../../test/oracles/xgboost_speed.py")
	if err != nil {
		b.Fatal(err)
	}
	p := s.params
	out, err := exec.CommandContext(b.Context(), interpreter, script, dir, fmt.Sprint(train.Cols), fmt.Sprint(len(s.model.Trees())),
		fmt.Sprint(p.MaxDepth), fmt.Sprint(p.LearningRate), fmt.Sprint(p.Subsample), fmt.Sprint(p.ColsampleByTree), fmt.Sprint(p.Seed), fmt.Sprint(p.Threads)).Output()
	if err != nil {
		b.Fatalf("%s: %v", script, err)
	}
	var answer struct{ Train float64 }
	if err := json.Unmarshal(out, &answer); err != nil {
		b.Fatal(err)
	}
	return answer.Train
}
