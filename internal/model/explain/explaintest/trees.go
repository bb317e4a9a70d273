// Package explaintest grows random boosted trees for tests and benchmarks: models
// of any size whose answers are known by walking them.
package explaintest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"engage/internal/model/gbdt"
)

// Forest says how large a model is and what its thresholds are like.
type Forest struct {
	Trees, Depth, Features int
	// Threshold draws where a feature is split. The default is a standard normal.
	Threshold func(random *rand.Rand, feature int) float64
}

// Grow makes a regression model of full trees, in each of which the cover of a
// node is divided at random. It panics if it cannot.
func (f Forest) Grow(random *rand.Rand) *gbdt.Model {
	if f.Threshold == nil {
		f.Threshold = func(random *rand.Rand, _ int) float64 { return random.NormFloat64() }
	}
	trees := make([]string, f.Trees)
	for i := range trees {
		trees[i] = f.tree(random)
	}
	zeros := list(make([]int, f.Trees))
	m, err := gbdt.Parse(fmt.Appendf(nil, `{"learner":{"objective":{"name":"reg:squarederror"},"learner_model_param":{"num_feature":"%d","num_class":"0","base_score":"5E-1"},
"gradient_booster":{"name":"gbtree","model":{"tree_info":%s,"trees":[%s]}}},"version":[2,1,0]}`, f.Features, zeros, strings.Join(trees, ",")))
	if err != nil {
		panic("explaintest: " + err.Error())
	}
	return m
}

// tree writes a full tree level by level: the children of node i are 2i+1 and
// 2i+2.
func (f Forest) tree(random *rand.Rand) string {
	n, inner := 1<<(f.Depth+1)-1, 1<<f.Depth-1
	left, right, index, missing := make([]int, n), make([]int, n), make([]int, n), make([]int, n)
	condition, cover := make([]float64, n), make([]float64, n)
	cover[0] = 1e6
	for i := range n {
		left[i], right[i] = -1, -1
		// The variance of the sum of all trees does not depend on their number.
		condition[i] = random.NormFloat64() / math.Sqrt(float64(f.Trees))
		if i < inner {
			left[i], right[i], index[i], missing[i] = 2*i+1, 2*i+2, random.IntN(f.Features), random.IntN(2)
			condition[i] = f.Threshold(random, index[i])
			cover[2*i+1] = math.Floor(cover[i] * (0.2 + 0.6*random.Float64()))
			cover[2*i+2] = cover[i] - cover[2*i+1]
		}
	}
	return fmt.Sprintf(`{"left_children":%s,"right_children":%s,"split_indices":%s,"split_conditions":%s,"sum_hessian":%s,
"default_left":%s,"split_type":%s,"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[]}`,
		list(left), list(right), list(index), list(condition), list(cover), list(missing), list(make([]int, n)))
}

func list[T any](a []T) string { return strings.Join(strings.Fields(fmt.Sprint(a)), ",") }
