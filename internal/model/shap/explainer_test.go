package shap

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"engage/internal/model/gbdt"
)

// reference is what test/oracles/xgboost_models.py wrote.
type reference struct {
	Origin   string
	Features int
	Rows     []*float32
	Cases    []struct {
		Name, Model   string
		Contributions []float32
		Margins       []float32
	}
}

func references(t testing.TB) []reference {
	t.Helper()
	paths, err := filepath.Glob("../gbdt/testdata/xgboost-*.json.gz")
	if err != nil || len(paths) != 3 {
		t.Fatalf("references %v, %v", paths, err)
	}
	var all []reference
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var r reference
		if err := json.NewDecoder(z).Decode(&r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// TestReferences holds contributions to XGBoost's pred_contribs, within 1e-5, and
// their sums to the margins.
func TestReferences(t *testing.T) {
	for _, r := range references(t) {
		x := gbdt.Matrix{Rows: len(r.Rows) / r.Features, Cols: r.Features}
		for _, v := range r.Rows {
			if v == nil {
				x.Data = append(x.Data, float32(math.NaN()))
			} else {
				x.Data = append(x.Data, *v)
			}
		}
		_, version, _ := strings.Cut(r.Origin, " with ")
		for _, c := range r.Cases {
			t.Run(version+"/"+c.Name, func(t *testing.T) {
				m, err := gbdt.Parse([]byte(c.Model))
				if err != nil {
					t.Fatal(err)
				}
				e, err := New(m)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]float32, x.Rows*e.Width())
				if err := e.Contributions(t.Context(), x, got, 2); err != nil {
					t.Fatal(err)
				}
				byTable := e.worker(x.Rows, true)(t.Context(), x)
				for i, want := range c.Contributions {
					if !near(got[i], want) || !near(byTable[i], want) {
						t.Fatalf("contribution %d: %v alone, %v by table, XGBoost has %v", i, got[i], byTable[i], want)
					}
				}
				additive(t, got, m.NumFeatures()+1, c.Margins)
			})
		}
	}
}

func near(got, want float32) bool {
	return math.Abs(float64(got-want)) <= 1e-5*max(1, math.Abs(float64(want)))
}

// additive checks that each group's contributions add up to its margin.
func additive(t *testing.T, contributions []float32, width int, margins []float32) {
	t.Helper()
	for i, margin := range margins {
		sum := 0.0
		for _, v := range contributions[i*width : (i+1)*width] {
			sum += float64(v)
		}
		if math.Abs(sum-float64(margin)) > 1e-5*max(1, math.Abs(sum)) {
			t.Fatalf("margin %d: contributions add up to %v, want %v", i, sum, margin)
		}
	}
}

// forest makes a model and rows enough for tables in several blocks.
func forest(t testing.TB, groups, rows int) (*gbdt.Model, *Explainer, gbdt.Matrix) {
	t.Helper()
	g := grower{random: rand.New(rand.NewPCG(1, 9)), features: 7, depth: 7, stop: 0.2, categories: true}
	m := g.model(t, 18, groups) // more trees than are summed in 32 bits
	e, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	return m, e, g.rows(rows)
}

// TestBatches explains many rows by tables, by any number of threads: the
// contributions are those of single rows.
func TestBatches(t *testing.T) {
	for groups := range 2 {
		m, e, x := forest(t, groups+1, 2*fewRows+5)
		margins := make([]float32, x.Rows*m.Groups())
		if err := m.Margins(x, margins, 0); err != nil {
			t.Fatal(err)
		}
		row := e.NewRow(1)
		for _, threads := range []int{0, 1, 3} {
			got := make([]float32, x.Rows*e.Width())
			if err := e.Contributions(t.Context(), x, got, threads); err != nil {
				t.Fatal(err)
			}
			additive(t, got, m.NumFeatures()+1, margins)
			for i := 0; i < x.Rows; i += 97 {
				want, err := row.Explain(x.Row(i))
				if err != nil {
					t.Fatal(err)
				}
				for f, w := range want {
					if v := got[i*e.Width()+f]; !near(v, w) {
						t.Fatalf("%d threads, row %d, value %d: %v, alone %v", threads, i, f, v, w)
					}
				}
			}
		}
	}
}

func TestBlockSize(t *testing.T) {
	_, e, _ := forest(t, 1, 1)
	for _, c := range []struct {
		rows, threads, size int
		tables              bool
	}{
		{1, 2, 16, false}, {fewRows - 1, 1, 16, false}, {fewRows, 1, fewRows, true}, {2 * fewRows, 2, fewRows, true},
		{100_000, 2, 12_500, true}, {blockRows + 1, 1, blockRows/2 + 1, true},
	} {
		if size, tables := e.blockSize(c.rows, c.threads); size != c.size || tables != c.tables {
			t.Errorf("%d rows, %d threads: blocks of %d, tables %v", c.rows, c.threads, size, tables)
		}
	}
}

// TestTop finds the strongest features of each group without the others.
func TestTop(t *testing.T) {
	m, e, x := forest(t, 2, 700)
	all := make([]float32, x.Rows*e.Width())
	if err := e.Contributions(t.Context(), x, all, 1); err != nil {
		t.Fatal(err)
	}
	const k = 3
	top := make([]Impact, x.Rows*2*k)
	if err := e.Top(t.Context(), x, k, top, 1); err != nil {
		t.Fatal(err)
	}
	n := m.NumFeatures() + 1
	for i := range x.Rows * 2 {
		row := all[i*n : (i+1)*n-1]
		order := make([]int32, len(row))
		for f := range order {
			order[f] = int32(f)
		}
		slices.SortStableFunc(order, func(a, b int32) int {
			return -int(math.Copysign(1, float64(abs(row[a])-abs(row[b]))))
		})
		for j, impact := range top[i*k : (i+1)*k] {
			if impact.Value != row[impact.Feature] || abs(impact.Value) != abs(row[order[j]]) {
				t.Fatalf("row %d: %v, want the features %v of %v", i, top[i*k:(i+1)*k], order[:k], row)
			}
		}
	}
}

func ExampleStrongest() {
	impacts := make([]Impact, 4)
	Strongest([]float32{0.1, -3, 3}, impacts)
	fmt.Println(impacts)
	// Output: [{1 -3} {2 3} {0 0.1} {-1 0}]
}

func TestSummary(t *testing.T) {
	m, e, x := forest(t, 2, 900)
	all := make([]float32, x.Rows*e.Width())
	if err := e.Contributions(t.Context(), x, all, 1); err != nil {
		t.Fatal(err)
	}
	got, err := e.Summary(t.Context(), x, 2)
	if err != nil {
		t.Fatal(err)
	}
	n := m.NumFeatures()
	for i := range 2 * n {
		var size, mean float64
		for r := range x.Rows {
			v := float64(all[r*e.Width()+i/n*(n+1)+i%n])
			size, mean = size+math.Abs(v)/float64(x.Rows), mean+v/float64(x.Rows)
		}
		if math.Abs(size-got.MeanAbs[i]) > 1e-6 || math.Abs(mean-got.Mean[i]) > 1e-6 {
			t.Errorf("feature %d: %v and %v, want %v and %v", i, got.MeanAbs[i], got.Mean[i], size, mean)
		}
	}
	for g := range 2 {
		ranking := got.Ranking(g, 2)
		for i, f := range ranking[1:] {
			if got.MeanAbs[g*n+f] > got.MeanAbs[g*n+ranking[i]] {
				t.Errorf("group %d: ranking %v of %v", g, ranking, got.MeanAbs)
			}
		}
	}
}

// TestCancel stops both kinds of batches, and what explains against a background.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, e, x := forest(t, 1, fewRows)
	if err := e.Contributions(ctx, x, make([]float32, x.Rows*e.Width()), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("by tables: %v", err)
	}
	if err := e.Contributions(ctx, x, make([]float32, x.Rows*e.Width()), 2); !errors.Is(err, context.Canceled) {
		t.Errorf("row by row: %v", err)
	}
	i, err := NewInterventional(m, gbdt.Matrix{Data: x.Row(0), Rows: 1, Cols: x.Cols})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Contributions(ctx, x, make([]float32, x.Rows*i.Width()), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("against a background: %v", err)
	}
}

func TestNoAllocation(t *testing.T) {
	_, e, x := forest(t, 1, 1)
	row := e.NewRow(1)
	if n := testing.AllocsPerRun(50, func() {
		if _, err := row.Explain(x.Row(0)); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

// covers is a model of one tree of three nodes with the covers given.
func covers(t *testing.T, list string) *gbdt.Model {
	t.Helper()
	m, err := gbdt.Parse(fmt.Appendf(nil, `{"learner":{"objective":{"name":"reg:squarederror"},"learner_model_param":{"num_feature":"1","base_score":"0"},
"gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{"left_children":[1,-1,-1],"right_children":[2,-1,-1],
"split_indices":[0,0,0],"split_conditions":[0,1,2],"default_left":[0,0,0]%s}]}}}}`, list))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRefusals(t *testing.T) {
	for list, want := range map[string]string{
		``:                          "tree 0: it has no covers",
		`,"sum_hessian":[3,1,NaN]`:  "a cover is NaN",
		`,"sum_hessian":[3,-1,4]`:   "a cover is -1",
		`,"sum_hessian":[30,1,2]`:   "a node has the cover 30, its children 3",
		`,"sum_hessian":[1e99,1,2]`: "a cover is +Inf",
	} {
		_, err := New(covers(t, list))
		var cover *CoverError
		if !errors.As(err, &cover) || !strings.Contains(err.Error(), want) {
			t.Errorf("covers %s: %v, want %q", list, err, want)
		}
	}
	m, e, x := forest(t, 1, 4)
	var shape *gbdt.ShapeError
	_, none := NewInterventional(m, gbdt.Matrix{Cols: m.NumFeatures()})
	_, short := e.NewRow(1).Explain(x.Data[:3])
	for name, err := range map[string]error{
		"room":        e.Contributions(t.Context(), x, make([]float32, 3), 1),
		"columns":     e.Contributions(t.Context(), gbdt.Matrix{Data: x.Data[:3], Rows: 1, Cols: 3}, make([]float32, e.Width()), 1),
		"impacts":     e.Top(t.Context(), x, 2, make([]Impact, 1), 1),
		"no impacts":  e.Top(t.Context(), x, 0, nil, 1),
		"one row":     short,
		"background":  none,
		"room beside": func() error { i, _ := NewInterventional(m, x); return i.Contributions(t.Context(), x, nil, 1) }(),
	} {
		if !errors.As(err, &shape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// chain is a tree whose inner nodes have a leaf to the left and the next inner
// node to the right, each of another feature of so many.
func chain(t *testing.T, levels, features int) *gbdt.Model {
	t.Helper()
	var left, right, index, missing []int
	var condition, cover []float64
	for i := range levels {
		left, right = append(left, 2*i+1, -1), append(right, 2*i+2, -1)
		index, missing = append(index, i%features, 0), append(missing, 0, 0)
		condition, cover = append(condition, 0, 1), append(cover, float64(levels-i+1), 1)
	}
	left, right, index = append(left, -1), append(right, -1), append(index, 0)
	missing, condition, cover = append(missing, 0), append(condition, 5), append(cover, 1)
	m, err := gbdt.Parse(fmt.Appendf(nil, `{"learner":{"objective":{"name":"reg:squarederror"},"learner_model_param":{"num_feature":"%d","base_score":"0"},
"gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{"left_children":%s,"right_children":%s,"split_indices":%s,
"split_conditions":%s,"default_left":%s,"sum_hessian":%s}]}}}}`, features, list(left), list(right), list(index), list(condition), list(missing), list(cover)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestDepth refuses a path of more features than the quadrature is for, and more
// levels than the recursion is for; a long path of few features is neither.
func TestDepth(t *testing.T) {
	for _, c := range []struct {
		levels, features int
		want             string
	}{
		{maxDistinct + 1, maxDistinct + 1, "65 distinct features on a path, more than 64"},
		{maxLevels + 1, 2, "4097 levels, more than 4096"},
	} {
		m := chain(t, c.levels, c.features)
		var depth *DepthError
		if _, err := New(m); !errors.As(err, &depth) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if _, err := NewInterventional(m, gbdt.Matrix{Data: make([]float32, c.features), Rows: 1, Cols: c.features}); !errors.As(err, &depth) {
			t.Errorf("against a background: %v", err)
		}
	}
	m := chain(t, 40, 3)
	e, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.NewRow(1).Explain([]float32{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range brute(m, []float32{1, 2, 3}) {
		if !near(got[f], float32(want)) {
			t.Errorf("value %d: %v, by definition %v", f, got[f], want)
		}
	}
}

// TestQuadrature integrates the powers that it must integrate exactly.
func TestQuadrature(t *testing.T) {
	for n := 1; n <= maxDistinct/2; n++ {
		at, weight := gaussLegendre(n)
		for power := range 2 * n {
			sum := 0.0
			for i := range at {
				sum += weight[i] * math.Pow(at[i], float64(power))
			}
			if want := 1 / float64(power+1); math.Abs(sum-want) > 1e-14 {
				t.Errorf("%d points, power %d: %v, want %v", n, power, sum, want)
			}
		}
	}
}
