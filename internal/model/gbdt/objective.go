package gbdt

import "math"

// An objective says how margins and the answers that a user sees belong together.
type objective struct {
	// margin turns the base score, which is saved as an answer, into a margin.
	margin func(float32) float32
	// link turns the margins of one row into answers, in place; it returns how many.
	link func([]float32) int
}

func same(x float32) float32 { return x }

func logit(p float32) float32 { return -log32(1/p - 1) }

func log32(x float32) float32 { return float32(math.Log(float64(x))) }

func exp32(x float32) float32 { return float32(math.Exp(float64(x))) }

func sigmoid(x float32) float32 { return 1 / (exp32(-x) + 1) }

func step(x float32) float32 {
	if x > 0 {
		return 1
	}
	return 0
}

// each makes a link of a function of one margin.
func each(f func(float32) float32) func([]float32) int {
	return func(m []float32) int {
		for i, x := range m {
			m[i] = f(x)
		}
		return len(m)
	}
}

func identity(m []float32) int { return len(m) }

// softmax is computed from the largest margin down, as XGBoost does.
func softmax(m []float32) int {
	largest, sum := m[argmax(m)], float32(0)
	for i, x := range m {
		m[i] = exp32(x - largest)
		sum += m[i]
	}
	for i := range m {
		m[i] /= sum
	}
	return len(m)
}

// argmax returns the first of the largest.
func argmax(m []float32) int {
	best := 0
	for i, x := range m {
		if x > m[best] {
			best = i
		}
	}
	return best
}

func class(m []float32) int {
	m[0] = float32(argmax(m))
	return 1
}

var (
	plain    = objective{same, identity}
	logistic = objective{logit, each(sigmoid)}
	positive = objective{log32, each(exp32)}
)

// objectives are XGBoost's, by name:
// https://xgboost.readthedocs.io/en/stable/parameter.html#learning-task-parameters
var objectives = map[string]objective{
	"reg:squarederror":     plain,
	"reg:linear":           plain, // its name until 0.90
	"reg:squaredlogerror":  plain,
	"reg:pseudohubererror": plain,
	"reg:absoluteerror":    plain,
	"reg:quantileerror":    plain,
	"rank:pairwise":        plain,
	"rank:ndcg":            plain,
	"rank:map":             plain,
	"reg:logistic":         logistic,
	"binary:logistic":      logistic,
	"binary:logitraw":      plain, // its base score is a margin
	"binary:hinge":         {same, each(step)},
	"count:poisson":        positive,
	"reg:gamma":            positive,
	"reg:tweedie":          positive,
	"survival:cox":         positive,
	"survival:aft":         positive,
	"multi:softprob":       {same, softmax},
	"multi:softmax":        {same, class},
}
