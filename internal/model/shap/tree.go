package shap

import (
	"fmt"
	"math"

	"engage/internal/model/gbdt"
)

// maxLevels bounds the recursion over a tree.
const maxLevels = 1 << 12

// A tree is the inner nodes of a tree, each before its descendants, left before
// right. What an edge leads to is a slot: an inner node, or their number plus the
// index of a leaf.
type tree struct {
	group  int
	rule   *quadrature
	most   int // distinct features on a path
	depth  int
	nodes  []node
	leaves []float32
	last   []int32 // the nodes with two leaves, about half of all
	others []int32 // the other nodes, in their order
	lone   []int32 // the slots of leaves under others
	mean   float64 // the expected value
}

// A node is an inner node. There may be a hundred thousand, all of which each row
// goes through, so they are small.
type node struct {
	threshold   float32
	column      uint32  // of the model's columns
	left, right int32   // slots
	ratio       float32 // the share of the node's training rows that went left
	before      float32 // the share that met the earlier conditions on the feature, 1 if there are none
	feature     int32
	size        int32 // inner nodes from here down
	// earlier is the last edge above from a node of the same feature: 1 plus twice
	// the node, plus 1 for the right edge; 0 if there is none.
	earlier int32
}

// leaf tells whether a slot is a leaf, and its value.
func (t *tree) leaf(slot int32) (value float32, ok bool) {
	if i := int(slot) - len(t.nodes); i >= 0 {
		return t.leaves[i], true
	}
	return 0, false
}

// edge is a step of the path from the root to a node.
type edge struct {
	feature int
	ratio   float64 // the share of rows that take it
	number  int32   // as in node.earlier
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
	_, c.out.mean = c.child(0)
	c.setSlots()
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

// child compiles node i and what is below. It returns the index of an inner node,
// or minus one minus the index of a leaf, and the expectation.
func (c *compiler) child(i int) (int32, float64) {
	if c.from.Leaf(i) {
		c.out.leaves = append(c.out.leaves, c.from.Value[i])
		return -int32(len(c.out.leaves)), float64(c.from.Value[i])
	}
	from, ratio, index := c.from.Nodes[i], share(c.from, i), int32(len(c.out.nodes))
	feature := c.model.Columns()[from.Column].Feature
	n := node{threshold: from.Threshold, column: from.Column, feature: int32(feature), ratio: float32(ratio)}
	n.earlier, n.before = c.earlier(feature)
	c.out.nodes = append(c.out.nodes, n)
	left, leftMean := c.follow(int(from.Left), edge{feature, ratio, 1 + 2*index})
	right, rightMean := c.follow(int(from.Left)+1, edge{feature, 1 - ratio, 2 + 2*index})
	at := &c.out.nodes[index]
	at.left, at.right, at.size = left, right, int32(len(c.out.nodes))-index
	return index, ratio*leftMean + (1-ratio)*rightMean
}

// follow compiles what an edge leads to.
func (c *compiler) follow(i int, e edge) (int32, float64) {
	c.path = append(c.path, e)
	index, mean := c.child(i)
	c.path = c.path[:len(c.path)-1]
	return index, mean
}

// setSlots makes slots of all edges and sorts the nodes by whether they have two leaves.
func (c *compiler) setSlots() {
	t := &c.out
	for i := range t.nodes {
		n := &t.nodes[i]
		n.left, n.right = c.slot(n.left), c.slot(n.right)
		_, left := t.leaf(n.left)
		_, right := t.leaf(n.right)
		switch {
		case left && right:
			t.last = append(t.last, int32(i))
			continue
		case left:
			t.lone = append(t.lone, n.left)
		case right:
			t.lone = append(t.lone, n.right)
		}
		t.others = append(t.others, int32(i))
	}
}

// slot makes a slot of what child returned.
func (c *compiler) slot(i int32) int32 {
	if i < 0 {
		return int32(len(c.out.nodes)) - 1 - i
	}
	return i
}

// earlier looks for the feature on the path.
func (c *compiler) earlier(feature int) (number int32, before float32) {
	share := 1.0
	for _, e := range c.path {
		if e.feature == feature {
			number, share = e.number, share*e.ratio
		}
	}
	return number, float32(share)
}
