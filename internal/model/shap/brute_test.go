package shap

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"engage/internal/model/gbdt"
)

// grower writes random trees in XGBoost's JSON.
type grower struct {
	random     *rand.Rand
	features   int
	depth      int
	stop       float64 // the chance that a node is a leaf
	zero       float64 // the chance that no row went one way
	categories bool    // the last feature is one
	left       []int
	right      []int
	index      []int
	condition  []float64
	cover      []float64
	missing    []int
	kind       []int
	cats       []int
	catNodes   []int
	catBegin   []int
	catSize    []int
}

func (g *grower) grow(depth int, cover float64) int {
	i := len(g.left)
	g.left, g.right, g.index = append(g.left, -1), append(g.right, -1), append(g.index, 0)
	g.condition, g.cover = append(g.condition, float64(float32(g.random.NormFloat64()))), append(g.cover, cover)
	g.missing, g.kind = append(g.missing, g.random.IntN(2)), append(g.kind, 0)
	if depth >= g.depth || g.random.Float64() < g.stop {
		return i
	}
	g.index[i] = g.random.IntN(g.features)
	if g.categories && g.index[i] == g.features-1 {
		g.kind[i] = 1
		g.catNodes, g.catBegin = append(g.catNodes, i), append(g.catBegin, len(g.cats))
		for c := range 6 {
			if g.random.IntN(2) == 0 {
				g.cats = append(g.cats, c)
			}
		}
		g.catSize = append(g.catSize, len(g.cats)-g.catBegin[len(g.catBegin)-1])
	}
	l := math.Round(cover * g.random.Float64())
	if g.random.Float64() < g.zero {
		l = cover * float64(g.random.IntN(2))
	}
	g.left[i] = g.grow(depth+1, l)
	g.right[i] = g.grow(depth+1, cover-l)
	return i
}

func list[T any](a []T) string { return strings.Join(strings.Fields(fmt.Sprint(a)), ",") }

func (g *grower) json() string {
	g.left, g.right, g.index, g.condition, g.cover = nil, nil, nil, nil, nil
	g.missing, g.kind, g.cats, g.catNodes, g.catBegin, g.catSize = nil, nil, nil, nil, nil, nil
	g.grow(0, 1000)
	return fmt.Sprintf(`{"left_children":%s,"right_children":%s,"split_indices":%s,"split_conditions":%s,"sum_hessian":%s,
"default_left":%s,"split_type":%s,"categories":%s,"categories_nodes":%s,"categories_segments":%s,"categories_sizes":%s}`,
		list(g.left), list(g.right), list(g.index), list(g.condition), list(g.cover), list(g.missing), list(g.kind),
		list(g.cats), list(g.catNodes), list(g.catBegin), list(g.catSize))
}

// model grows a model of so many trees a group.
func (g *grower) model(t testing.TB, trees, groups int) *gbdt.Model {
	t.Helper()
	var all []string
	var class []int
	for i := range trees * groups {
		all, class = append(all, g.json()), append(class, i%groups)
	}
	objective, classes := "reg:squarederror", 0
	if groups > 1 {
		objective, classes = "multi:softprob", groups
	}
	m, err := gbdt.Parse(fmt.Appendf(nil, `{"learner":{"objective":{"name":%q},"learner_model_param":{"num_feature":"%d","num_class":"%d","base_score":"2.5E-1"},
"gradient_booster":{"name":"gbtree","model":{"tree_info":%s,"trees":[%s]}}},"version":[2,1,0]}`,
		objective, g.features, classes, list(class), strings.Join(all, ",")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (g *grower) rows(n int) gbdt.Matrix {
	x := gbdt.Matrix{Rows: n, Cols: g.features}
	for i := range n * g.features {
		v := g.random.NormFloat64()
		if g.categories && i%g.features == g.features-1 {
			v = float64(g.random.IntN(7))
		}
		if g.random.IntN(8) == 0 {
			v = math.NaN()
		}
		x.Data = append(x.Data, float32(v))
	}
	return x
}

// expectation is what a tree answers if only the features of a set are known:
// the definition, for one node after the other.
func expectation(m *gbdt.Model, t *gbdt.Tree, i int, columns []float32, known uint) float64 {
	if t.Leaf(i) {
		return float64(t.Value[i])
	}
	n := t.Nodes[i]
	l, r := int(n.Left), int(n.Left)+1
	if known>>m.Columns()[n.Column].Feature&1 == 1 {
		if columns[n.Column] < n.Threshold {
			return expectation(m, t, l, columns, known)
		}
		return expectation(m, t, r, columns, known)
	}
	s := share(t, i)
	return s*expectation(m, t, l, columns, known) + (1-s)*expectation(m, t, r, columns, known)
}

// shapley applies the definition of the Shapley value: a sum over all subsets.
func shapley(features int, value func(known uint) float64) []float64 {
	factorial := func(n int) float64 { return math.Round(math.Gamma(float64(n) + 1)) }
	phi := make([]float64, features)
	for s := range uint(1) << features {
		v := value(s)
		n := bits.OnesCount(s)
		for f := range phi {
			if s>>f&1 == 1 {
				phi[f] += v * factorial(n-1) * factorial(features-n) / factorial(features)
			} else {
				phi[f] -= v * factorial(n) * factorial(features-n-1) / factorial(features)
			}
		}
	}
	return phi
}

// brute explains a row against the definition.
func brute(m *gbdt.Model, row []float32) []float64 {
	columns := make([]float32, len(m.Columns()))
	m.FillColumns(columns, row)
	var all []float64
	for g := range m.Groups() {
		value := func(known uint) float64 {
			sum := float64(m.Base(g))
			for i := range m.Trees() {
				if t := &m.Trees()[i]; t.Group == g {
					sum += expectation(m, t, 0, columns, known)
				}
			}
			return sum
		}
		all = append(append(all, shapley(m.NumFeatures(), value)...), value(0))
	}
	return all
}

// forests are shapes of trees: what is hard about each is its name.
var forests = map[string]grower{
	"stumps":                 {features: 3, depth: 1},
	"leaves alone":           {features: 2, depth: 0},
	"shallow":                {features: 6, depth: 3, stop: 0.1},
	"deep":                   {features: 9, depth: 8, stop: 0.15},
	"twelve and more levels": {features: 11, depth: 14, stop: 0.3},
	"one feature":            {features: 1, depth: 6, stop: 0.1},
	"repeated features":      {features: 2, depth: 9, stop: 0.2},
	"categories":             {features: 5, depth: 6, stop: 0.1, categories: true},
	"no rows one way":        {features: 5, depth: 6, stop: 0.1, zero: 0.5},
}

// TestBruteForce compares both ways of explaining, one row at a time and by
// tables, with the sum over all subsets. The tolerance is that of 32-bit results.
func TestBruteForce(t *testing.T) {
	for name, g := range forests {
		t.Run(name, func(t *testing.T) {
			g.random = rand.New(rand.NewPCG(7, 11))
			for round := range 6 {
				groups := 1 + round%2*2
				m, x := g.model(t, 4, groups), g.rows(5)
				e, err := New(m)
				if err != nil {
					t.Fatal(err)
				}
				if !e.tables {
					t.Error("tables are not used")
				}
				check(t, e, m, x)
			}
		})
	}
}

func check(t *testing.T, e *Explainer, m *gbdt.Model, x gbdt.Matrix) {
	t.Helper()
	row, shared, table := e.NewRow(1), e.NewRow(3), e.worker(x.Rows, true)
	byTable := table(context.Background(), x)
	for i := range x.Rows {
		want := brute(m, x.Row(i))
		got, err := row.Explain(x.Row(i))
		if err != nil {
			t.Fatal(err)
		}
		together, err := shared.Explain(x.Row(i))
		if err != nil {
			t.Fatal(err)
		}
		for f, w := range want {
			tolerance := 2e-6 * (1 + math.Abs(w))
			if math.Abs(float64(got[f])-w) > tolerance {
				t.Fatalf("row %d, value %d: alone %v, by definition %v", i, f, got[f], w)
			}
			if math.Abs(float64(together[f])-w) > tolerance {
				t.Fatalf("row %d, value %d: by three threads %v, by definition %v", i, f, together[f], w)
			}
			if v := byTable[i*e.Width()+f]; math.Abs(float64(v)-w) > tolerance {
				t.Fatalf("row %d, value %d: by table %v, by definition %v", i, f, v, w)
			}
		}
	}
}

// TestInterventionalBruteForce compares with the sum over all subsets, where the
// features that are not known come from each row of the background in turn.
func TestInterventionalBruteForce(t *testing.T) {
	for name, g := range forests {
		t.Run(name, func(t *testing.T) {
			g.random = rand.New(rand.NewPCG(3, 5))
			m, x, background := g.model(t, 4, 1), g.rows(3), g.rows(4)
			e, err := NewInterventional(m, background)
			if err != nil {
				t.Fatal(err)
			}
			out := make([]float32, x.Rows*e.Width())
			if err := e.Contributions(context.Background(), x, out, 2); err != nil {
				t.Fatal(err)
			}
			for i := range x.Rows {
				want := bruteAgainst(t, m, x.Row(i), background)
				for f, w := range want {
					if v := out[i*e.Width()+f]; math.Abs(float64(v)-w) > 2e-6*(1+math.Abs(w)) {
						t.Fatalf("row %d, value %d: %v, by definition %v", i, f, v, w)
					}
				}
			}
		})
	}
}

func bruteAgainst(t *testing.T, m *gbdt.Model, row []float32, background gbdt.Matrix) []float64 {
	t.Helper()
	scorer, mixed := m.NewScorer(), make([]float32, len(row))
	value := func(known uint) float64 {
		sum := 0.0
		for z := range background.Rows {
			copy(mixed, background.Row(z))
			for f := range mixed {
				if known>>f&1 == 1 {
					mixed[f] = row[f]
				}
			}
			margin, err := scorer.Margin(mixed)
			if err != nil {
				t.Fatal(err)
			}
			sum += float64(margin[0])
		}
		return sum / float64(background.Rows)
	}
	return append(shapley(m.NumFeatures(), value), value(0))
}
