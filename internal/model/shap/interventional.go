package shap

import (
	"context"

	"engage/internal/model/gbdt"
)

// Interventional explains rows against a background: the contributions of a row
// are the means, over the rows of the background, of the Shapley values of the
// game in which a feature that is not known has the background row's value. They
// add up to the row's margin less the mean margin of the background.
//
// The cost is that of the rows times the background times the nodes that either
// row or any mixture of the two can reach; a hundred background rows do.
type Interventional struct {
	model      *gbdt.Model
	background []float32 // columns, row by row
	rows       int
	bias       []float32
	depth      int
	weights    [][]float64
}

// NewInterventional prepares a model and a background of at least one row.
func NewInterventional(m *gbdt.Model, background gbdt.Matrix) (*Interventional, error) {
	if err := m.Check(background); err != nil {
		return nil, err
	}
	if background.Rows == 0 {
		return nil, &gbdt.ShapeError{What: "rows of the background", Got: 0, Want: 1}
	}
	e := &Interventional{model: m, rows: background.Rows}
	for i := range m.Trees() {
		most, err := checkDepth(m, i)
		if err != nil {
			return nil, err
		}
		e.depth = max(e.depth, most)
	}
	n := len(m.Columns())
	e.background = make([]float32, n*e.rows)
	for i := range e.rows {
		m.FillColumns(e.background[i*n:(i+1)*n], background.Row(i))
	}
	e.weights = shapleyWeights(e.depth)
	return e, e.setBias(background)
}

// setBias computes the mean margin of the background.
func (e *Interventional) setBias(background gbdt.Matrix) error {
	groups := e.model.Groups()
	margins := make([]float32, e.rows*groups)
	if err := e.model.Margins(background, margins, 0); err != nil {
		return err
	}
	for g := range groups {
		sum := 0.0
		for i := g; i < len(margins); i += groups {
			sum += float64(margins[i])
		}
		e.bias = append(e.bias, float32(sum/float64(e.rows)))
	}
	return nil
}

// shapleyWeights has (a-1)! b! / (a+b)! at [a][b], for a from 1 and a+b at most n:
// the weight of one of a players whom a leaf needs, with b that it must not have.
func shapleyWeights(n int) [][]float64 {
	w := make([][]float64, n+2)
	for a := range w {
		w[a] = make([]float64, n+2)
		for b := 0; a > 0 && a+b <= n; b++ {
			// 1 / (a * binomial(a+b, b))
			w[a][b] = 1 / float64(a)
			for i := 1; i <= b; i++ {
				w[a][b] *= float64(i) / float64(a+i)
			}
		}
	}
	return w
}

// Width is the length of one row's contributions: for each group every feature
// and the bias.
func (e *Interventional) Width() int { return len(e.bias) * (e.model.NumFeatures() + 1) }

// Contributions fills out with Width() numbers a row: for each group the features
// in their order, then the bias, which is the background's mean margin. It uses as
// many threads, or all processors if threads is 0, and stops early, with the
// context's error, when the context ends.
func (e *Interventional) Contributions(ctx context.Context, x gbdt.Matrix, out []float32, threads int) error {
	if err := e.model.Check(x); err != nil {
		return err
	}
	width := e.Width()
	if want := x.Rows * width; len(out) != want {
		return &gbdt.ShapeError{What: "room for contributions", Got: len(out), Want: want}
	}
	gbdt.Blocks(x.Rows, 1, threads, func() func(begin, end int) {
		d := e.newDuel()
		return func(row, _ int) {
			if ctx.Err() == nil {
				d.explain(x.Row(row), out[row*width:(row+1)*width])
			}
		}
	})
	return ctx.Err()
}

// whose says whose value of a feature a path needs.
type whose byte

const (
	either whose = iota
	ours         // the row's that is explained
	theirs       // the background row's
)

// duel compares a row with rows of the background.
type duel struct {
	e       *Interventional
	columns []float32
	theirs  []float32
	needs   []whose // by feature
	sums    []float64
	tree    *gbdt.Tree
}

func (e *Interventional) newDuel() *duel {
	n := e.model.NumFeatures()
	return &duel{e: e, columns: make([]float32, len(e.model.Columns())), needs: make([]whose, n), sums: make([]float64, e.Width())}
}

func (d *duel) explain(row, out []float32) {
	e, n := d.e, len(d.columns)
	e.model.FillColumns(d.columns, row)
	clear(d.sums)
	all, trees := d.sums, e.model.Trees()
	features := e.model.NumFeatures()
	for i := range trees {
		d.tree = &trees[i]
		d.sums = all[d.tree.Group*(features+1):]
		for z := range e.rows {
			d.theirs = e.background[z*n : (z+1)*n]
			d.visit(0, 0, 0)
		}
	}
	d.sums = all
	for i, v := range all {
		out[i] = float32(v / float64(e.rows))
	}
	for g, bias := range e.bias {
		out[(g+1)*(features+1)-1] = bias
	}
}

// visit goes on from node i, where a features must be ours and b theirs. It
// returns, for the leaves below, the sum of the values times the weights of one of
// ours, and of one of theirs.
func (d *duel) visit(i uint32, a, b int) (plus, minus float64) {
	n := d.tree.Nodes[i]
	if n.Left == i {
		v := float64(d.tree.Value[i])
		return v * d.e.weights[a][b], v * d.e.weights[b][a]
	}
	mine, other := n.Left, n.Left
	if d.columns[n.Column] >= n.Threshold {
		mine++
	}
	if d.theirs[n.Column] >= n.Threshold {
		other++
	}
	f := d.e.model.Columns()[n.Column].Feature
	switch {
	case mine == other || d.needs[f] == ours:
		return d.visit(mine, a, b)
	case d.needs[f] == theirs:
		return d.visit(other, a, b)
	}
	d.needs[f] = ours
	plus, minus = d.visit(mine, a+1, b)
	d.needs[f] = theirs
	morePlus, moreMinus := d.visit(other, a, b+1)
	d.needs[f] = either
	d.sums[f] += plus - moreMinus
	return plus + morePlus, minus + moreMinus
}
