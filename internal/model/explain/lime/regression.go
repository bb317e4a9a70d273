package lime

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"engage/internal/model/explain"
)

// moments are the weighted means, and sums of products of deviations from them.
type moments struct {
	mean    []float64
	answer  float64 // mean
	with    []float64
	between *mat.SymDense
	total   float64    // of the squared answers
	rows    *mat.Dense // deviations times the roots of the weights
	answers []float64  // the same of the answers
}

func (n *neighbourhood) moments(answers []float32) moments {
	rows, cols := n.rows.Rows, n.rows.Cols
	m := moments{mean: make([]float64, cols), with: make([]float64, cols)}
	// Deviations from the first answer are exactly 0 if all answers are one.
	m.answer = float64(answers[0])
	for i, w := range n.weights {
		m.answer += w * (float64(answers[i]) - float64(answers[0])) / float64(rows)
		for k, z := range n.coded[i*cols : (i+1)*cols] {
			m.mean[k] += w * z / float64(rows)
		}
	}
	m.rows, m.answers = mat.NewDense(rows, cols, nil), make([]float64, rows)
	for i, w := range n.weights {
		root, y := math.Sqrt(w), float64(answers[i])-m.answer
		m.total += w * y * y
		m.answers[i] = root * y
		to := m.rows.RawRowView(i)
		for k, z := range n.coded[i*cols : (i+1)*cols] {
			to[k] = root * (z - m.mean[k])
			m.with[k] += to[k] * m.answers[i]
		}
	}
	m.between = mat.NewSymDense(cols, nil)
	m.between.SymOuterK(1, m.rows.T())
	return m
}

// choose picks the features of the line.
func (m *moments) choose(o Options) ([]int, error) {
	if o.Selection == Forward {
		return m.forward(o.Features, o.Ridge)
	}
	all := make([]int, len(m.mean))
	for k := range all {
		all[k] = k
	}
	weights, err := m.ridge(all, o.Ridge)
	if err != nil {
		return nil, err
	}
	size := func(k int) float64 { return weights[k] * weights[k] * m.between.At(k, k) }
	slices.SortStableFunc(all, func(a, b int) int {
		switch x, y := size(a), size(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return all[:o.Features], nil
}

// forward adds the feature that leaves the least squared error, one at a time.
func (m *moments) forward(features int, penalty float64) ([]int, error) {
	var chosen []int
	for len(chosen) < features {
		best, least := -1, math.Inf(1)
		for k := range m.mean {
			if slices.Contains(chosen, k) {
				continue
			}
			with := append(slices.Clone(chosen), k)
			weights, err := m.ridge(with, penalty)
			if err != nil {
				return nil, err
			}
			if left := m.residual(with, weights); left < least {
				best, least = k, left
			}
		}
		chosen = append(chosen, best)
	}
	return chosen, nil
}

// ridge solves for the weights of the chosen features; the intercept, which the
// means stand for, is not penalised.
func (m *moments) ridge(chosen []int, penalty float64) ([]float64, error) {
	c, err := m.factor(chosen, penalty)
	if err != nil {
		return nil, err
	}
	b := mat.NewVecDense(len(chosen), nil)
	for i, k := range chosen {
		b.SetVec(i, m.with[k])
	}
	weights := mat.NewVecDense(len(chosen), nil)
	return weights.RawVector().Data, tolerate(c.SolveVecTo(weights, b))
}

// factor is the Cholesky factor of the normal equations.
func (m *moments) factor(chosen []int, penalty float64) (*mat.Cholesky, error) {
	a := mat.NewSymDense(len(chosen), nil)
	for i, k := range chosen {
		for j, l := range chosen[:i+1] {
			a.SetSym(i, j, m.between.At(k, l))
		}
		a.SetSym(i, i, a.At(i, i)+penalty)
	}
	var c mat.Cholesky
	if !c.Factorize(a) {
		return nil, explain.Wrong("ridge", "of %g is too small to tell the features apart: give a larger one", penalty)
	}
	return &c, nil
}

// tolerate lets a bad condition pass: it is what the penalty is there for.
func tolerate(err error) error {
	if bad := mat.Condition(0); errors.As(err, &bad) {
		return nil
	}
	return err
}

// deviations are the standard errors of the weights that are due to the draws:
// A^-1 B A^-1 with A of the normal equations and B the sum of the products of the
// rows, each times its squared error (H. White, "A heteroskedasticity-consistent
// covariance matrix estimator", Econometrica 48, 1980).
func (m *moments) deviations(chosen []int, weights []float64, penalty float64) ([]float64, error) {
	c, err := m.factor(chosen, penalty)
	if err != nil {
		return nil, err
	}
	rows, _ := m.rows.Dims()
	scores := mat.NewDense(rows, len(chosen), nil)
	for i := range rows {
		left, row, to := m.answers[i], m.rows.RawRowView(i), scores.RawRowView(i)
		for j, k := range chosen {
			left -= weights[j] * row[k]
		}
		for j, k := range chosen {
			to[j] = left * row[k]
		}
	}
	half := mat.NewDense(len(chosen), rows, nil)
	if err := tolerate(c.SolveTo(half, scores.T())); err != nil {
		return nil, err
	}
	out := make([]float64, len(chosen))
	for j := range out {
		out[j] = mat.Norm(half.RowView(j), 2)
	}
	return out, nil
}

// residual is the weighted squared error of a line.
func (m *moments) residual(chosen []int, weights []float64) float64 {
	left := m.total
	for i, k := range chosen {
		left -= 2 * weights[i] * m.with[k]
		for j, l := range chosen {
			left += weights[i] * weights[j] * m.between.At(k, l)
		}
	}
	return left
}

func (m *moments) r2(chosen []int, weights []float64) *float64 {
	if m.total <= 0 {
		return nil
	}
	r2 := 1 - m.residual(chosen, weights)/m.total
	return &r2
}
