package shap

import (
	"fmt"
	"math"

	"engage/internal/model/gbdt"
)

// maxLevels bounds the recursion over a tree.
const maxLevels = 1 << 12

// A tree is the inner nodes of a tree, each before its descendants, left before right.
type tree struct {
	group int
	rule  *quadrature
	most  int // distinct features on a path
	depth int
	nodes []node
	// parts of the effects of nodes with a repeated feature: goes, stays, gain and
	// loss at four points, for each four of the rule.
	effects []float32
	mean    float64 // the expected value
}

// A node is an inner node.
type node struct {
	threshold   float32
	column      uint32 // of the model's columns
	feature     int32
	above       int32 // the depth of the nearest ancestor of the same feature, or -1
	size        int32 // inner nodes from here down
	effect      int32 // where its parts begin, if above is not -1
	left, right int32 // inner nodes, or -1
	leftValue   float32
	rightValue  float32
	ratio       float64 // the share of the node's training rows that went left
}

// edge is a step of the path from the root to a node.
type edge struct {
	feature int
	ratio   float64 // the share of rows that take it
}

// compiler makes a tree.
type compiler struct {
	model *gbdt.Model
	from  *gbdt.Tree
	path  []edge
	out   tree
}

func compile(m *gbdt.Model, number int) (tree, error) {
	from := &m.Trees()[number]
	c := &compiler{model: m, from: from, out: tree{group: from.Group, depth: from.Depth}}
	if err := checkCovers(from, number); err != nil {
		return tree{}, err
	}
	most, err := checkDepth(m, number)
	if err != nil {
		return tree{}, err
	}
	c.out.most = most
	c.out.rule = &quadratures[(c.out.most+1)/2]
	_, _, c.out.mean = c.child(0, edge{})
	return c.out, nil
}

// checkDepth returns the most distinct features on a path of a tree.
func checkDepth(m *gbdt.Model, number int) (int, error) {
	t := &m.Trees()[number]
	if t.Depth > maxLevels {
		return 0, &DepthError{Tree: number, What: "levels", Got: t.Depth, Most: maxLevels}
	}
	n := distinct(m, t, 0, map[int]int{})
	if n > maxDistinct {
		return 0, &DepthError{Tree: number, What: "distinct features on a path", Got: n, Most: maxDistinct}
	}
	return n, nil
}

// checkCovers refuses covers that are no counts of training rows.
func checkCovers(t *gbdt.Tree, number int) error {
	for i, cover := range t.Cover {
		if !(cover >= 0) || math.IsInf(float64(cover), 0) {
			return &CoverError{Tree: number, Reason: fmt.Sprintf("a cover is %v", cover)}
		}
		if t.Leaf(i) {
			continue
		}
		sum := float64(t.Cover[t.Nodes[i].Left]) + float64(t.Cover[t.Nodes[i].Left+1])
		// Sums of 32-bit numbers may be off by their rounding.
		if math.Abs(sum-float64(cover)) > 1e-3*float64(cover)+1e-5*float64(t.Cover[0]) {
			return &CoverError{Tree: number, Reason: fmt.Sprintf("a node has the cover %v, its children %v", cover, sum)}
		}
	}
	if t.Cover[0] == 0 && !t.Leaf(0) {
		return &CoverError{Tree: number, Reason: "it has no covers"}
	}
	return nil
}

// distinct returns the most distinct features on a path; on counts those above node i.
func distinct(m *gbdt.Model, t *gbdt.Tree, i int, on map[int]int) int {
	if t.Leaf(i) {
		return len(on)
	}
	n := t.Nodes[i]
	f := m.Columns()[n.Column].Feature
	on[f]++
	most := max(distinct(m, t, int(n.Left), on), distinct(m, t, int(n.Left)+1, on))
	if on[f]--; on[f] == 0 {
		delete(on, f)
	}
	return most
}

// share is the part of the training rows at a node that went left, by the covers
// of the children. Where no row came by, both ways are taken to be equally likely.
func share(t *gbdt.Tree, i int) float64 {
	left := t.Nodes[i].Left
	l, r := float64(t.Cover[left]), float64(t.Cover[left+1])
	if l+r == 0 {
		return 0.5
	}
	return l / (l + r)
}

// child compiles what an edge leads to; the root has none above.
func (c *compiler) child(i int, e edge) (index int32, value float32, mean float64) {
	if c.from.Leaf(i) {
		return -1, c.from.Value[i], float64(c.from.Value[i])
	}
	c.path = append(c.path, e)
	index, mean = c.inner(i)
	c.path = c.path[:len(c.path)-1]
	return index, 0, mean
}

// inner compiles node i and what is below; it returns its index and expectation.
func (c *compiler) inner(i int) (int32, float64) {
	from, ratio, index := c.from.Nodes[i], share(c.from, i), len(c.out.nodes)
	feature := c.model.Columns()[from.Column].Feature
	n := node{threshold: from.Threshold, column: from.Column, feature: int32(feature), ratio: ratio}
	n.above, n.effect = c.repeated(feature, ratio)
	c.out.nodes = append(c.out.nodes, n)
	left, leftValue, leftMean := c.child(int(from.Left), edge{feature, ratio})
	right, rightValue, rightMean := c.child(int(from.Left)+1, edge{feature, 1 - ratio})
	at := &c.out.nodes[index]
	at.left, at.leftValue, at.right, at.rightValue = left, leftValue, right, rightValue
	at.size = int32(len(c.out.nodes) - index)
	return int32(index), ratio*leftMean + (1-ratio)*rightMean
}

// repeated looks for the feature on the path and keeps the effect of a node whose
// feature is there already.
func (c *compiler) repeated(feature int, ratio float64) (above, at int32) {
	above, before := int32(-1), 1.0
	for d, e := range c.path[1:] {
		if e.feature == feature {
			above, before = int32(d), before*e.ratio
		}
	}
	if above < 0 {
		return above, 0
	}
	at = int32(len(c.out.effects))
	for _, t := range c.out.rule.at {
		e := newEffect(t, before, ratio)
		for _, part := range []four{e.goes, e.stays, e.gain, e.loss} {
			for _, v := range part {
				c.out.effects = append(c.out.effects, float32(v))
			}
		}
	}
	return above, at
}
