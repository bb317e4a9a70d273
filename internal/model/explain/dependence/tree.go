package dependence

import (
	"engage/internal/model/explain"
	"engage/internal/model/gbdt"
)

// Tree is the partial dependence of a model's margin on one feature by weighted
// walks of its trees (Friedman 2001, section 8.2): a split on the feature is
// followed, any other is followed both ways with the shares of the training
// rows that went there. It is equal to brute force over the training rows where
// the other splits of a path do not depend on the feature in the training
// rows, and to what path-dependent SHAP takes for the expectation. Its cost is one
// visit of each node, and for each value of the grid one of the nodes above a
// split on the feature.
//
// Errors: *explain.InputError, of a model of several outputs or without the covers
// of its training among them.
func Tree(m *gbdt.Model, feature int, grid []float32) ([]float64, error) {
	if m.Groups() != 1 {
		return nil, explain.Wrong("model", "has %d outputs: want one", m.Groups())
	}
	a := axis{feature, grid}
	if err := a.check(m.NumFeatures()); err != nil {
		return nil, err
	}
	trees, w := m.Trees(), walk{columns: m.Columns(), feature: feature}
	out := make([]float64, len(grid))
	for k := range out {
		out[k] = float64(m.Base(0))
	}
	for i := range trees {
		if len(trees[i].Nodes) > 1 && !(trees[i].Cover[0] > 0) {
			return nil, explain.Wrong("model", "tree %d has no covers: save the model with them, or use Partial", i)
		}
		w.enter(&trees[i])
		for k, v := range grid {
			out[k] += w.expect(0, v)
		}
	}
	return out, nil
}

// walk is that of one tree.
type walk struct {
	columns []gbdt.Column
	feature int
	tree    *gbdt.Tree
	mean    []float64 // below each node, of nodes that are not above a split on the feature
	above   []bool    // such a split, or one themselves
}

func (w *walk) enter(t *gbdt.Tree) {
	w.tree = t
	w.mean = append(w.mean[:0], make([]float64, len(t.Nodes))...)
	w.above = append(w.above[:0], make([]bool, len(t.Nodes))...)
	w.prepare(0)
}

// prepare fills in what no value changes.
func (w *walk) prepare(i uint32) {
	t := w.tree
	if t.Leaf(int(i)) {
		w.mean[i] = float64(t.Value[i])
		return
	}
	l := t.Nodes[i].Left
	w.prepare(l)
	w.prepare(l + 1)
	w.above[i] = w.above[l] || w.above[l+1] || w.columns[t.Nodes[i].Column].Feature == w.feature
	w.mean[i] = w.mix(l, w.mean[l], w.mean[l+1])
}

// mix weighs what is below two siblings.
func (w *walk) mix(l uint32, left, right float64) float64 {
	a, b := float64(w.tree.Cover[l]), float64(w.tree.Cover[l+1])
	if a+b == 0 { // no training row came here
		return (left + right) / 2
	}
	return (a*left + b*right) / (a + b)
}

// expect is the expectation below node i with the feature at a value.
func (w *walk) expect(i uint32, value float32) float64 {
	if !w.above[i] {
		return w.mean[i]
	}
	n := w.tree.Nodes[i]
	if c := &w.columns[n.Column]; c.Feature == w.feature {
		if c.Value(value) < n.Threshold {
			return w.expect(n.Left, value)
		}
		return w.expect(n.Left+1, value)
	}
	return w.mix(n.Left, w.expect(n.Left, value), w.expect(n.Left+1, value))
}
