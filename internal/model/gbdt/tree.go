package gbdt

import (
	"fmt"
	"math"
)

// flattener turns one saved tree into arrays in which siblings are neighbours.
type flattener struct {
	number  int
	from    *savedTree
	columns *columns
	sets    map[int32][]int32 // categories by node
	tree    Tree
	depths  []int
	origin  []int32 // the saved node of each node
}

// flatten checks a tree and lays it out breadth first. Nodes that were pruned
// stay in a saved tree, unreachable; they are left out.
func flatten(number int, from *savedTree, columns *columns) (Tree, error) {
	f := &flattener{number: number, from: from, columns: columns}
	if err := f.check(); err != nil {
		return Tree{}, err
	}
	if err := f.readSets(); err != nil {
		return Tree{}, err
	}
	seen := make([]bool, len(from.left))
	f.add(0, 0)
	seen[0] = true
	for i := 0; i < len(f.origin); i++ {
		if err := f.expand(i, seen); err != nil {
			return Tree{}, err
		}
	}
	return f.tree, nil
}

func (f *flattener) fail(node int32, format string, args ...any) error {
	where := fmt.Sprintf("tree %d", f.number)
	if node >= 0 {
		where += fmt.Sprintf(", node %d", node)
	}
	return &ModelError{Where: where, Reason: fmt.Sprintf(format, args...)}
}

// check compares the lengths of the arrays.
func (f *flattener) check() error {
	t := f.from
	n, err := number(t.params, fmt.Sprintf("tree %d", f.number), "num_nodes", len(t.left), math.MaxInt32)
	if err != nil {
		return err
	}
	if n == 0 {
		return f.fail(-1, "it has no node")
	}
	size, err := number(t.params, fmt.Sprintf("tree %d", f.number), "size_leaf_vector", 1, math.MaxInt32)
	if err != nil {
		return err
	}
	if size > 1 {
		return &UnsupportedError{What: "multi_strategy", Name: "multi_output_tree", Hint: "train with multi_strategy=one_output_per_tree"}
	}
	for name, got := range map[string]int{
		"left_children": len(t.left), "right_children": len(t.right), "split_indices": len(t.index),
		"split_conditions": len(t.condition), "default_left": len(t.defaultLeft),
	} {
		if got != n {
			return f.fail(-1, "%s has %d of %d nodes", name, got, n)
		}
	}
	for name, got := range map[string]int{"sum_hessian": len(t.cover), "split_type": len(t.splitType)} {
		if got != n && got != 0 {
			return f.fail(-1, "%s has %d of %d nodes", name, got, n)
		}
	}
	return nil
}

// readSets cuts the categories into one set a node.
func (f *flattener) readSets() error {
	t := f.from
	if len(t.catSegments) != len(t.catNodes) || len(t.catSizes) != len(t.catNodes) {
		return f.fail(-1, "%d nodes with categories, %d segments and %d sizes", len(t.catNodes), len(t.catSegments), len(t.catSizes))
	}
	f.sets = map[int32][]int32{}
	for i, node := range t.catNodes {
		begin, size := int(t.catSegments[i]), int(t.catSizes[i])
		if begin < 0 || size < 0 || begin > len(t.categories) || size > len(t.categories)-begin {
			return f.fail(node, "its categories are %d from %d of %d", size, begin, len(t.categories))
		}
		f.sets[node] = t.categories[begin : begin+size]
	}
	return nil
}

// add appends a saved node, at first as a leaf.
func (f *flattener) add(node int32, depth int) {
	t := &f.tree
	t.Nodes = append(t.Nodes, Node{Threshold: 1, Column: constant, Left: uint32(len(t.Nodes))})
	t.Value = append(t.Value, 0)
	cover := float32(0)
	if len(f.from.cover) > 0 {
		cover = f.from.cover[node]
	}
	t.Cover = append(t.Cover, cover)
	f.depths = append(f.depths, depth)
	f.origin = append(f.origin, node)
	t.Depth = max(t.Depth, depth)
}

// expand fills node i in and appends its children.
func (f *flattener) expand(i int, seen []bool) error {
	node := f.origin[i]
	left, right, condition := f.from.left[node], f.from.right[node], f.from.condition[node]
	if left == -1 && right == -1 {
		if !finite(condition) {
			return f.fail(node, "its leaf value is %v", condition)
		}
		f.tree.Value[i] = condition
		return nil
	}
	for _, child := range []int32{left, right} {
		if child < 0 || int(child) >= len(seen) {
			return f.fail(node, "its child %d is none of %d nodes", child, len(seen))
		}
		if seen[child] {
			return f.fail(node, "its child %d has another parent, or is above it", child)
		}
		seen[child] = true
	}
	column, threshold, err := f.test(node)
	if err != nil {
		return err
	}
	f.tree.Nodes[i] = Node{Threshold: threshold, Column: column, Left: uint32(len(f.tree.Nodes))}
	f.add(left, f.depths[i]+1)
	f.add(right, f.depths[i]+1)
	return nil
}

// test returns the column that an inner node compares, and with what.
func (f *flattener) test(node int32) (column uint32, threshold float32, err error) {
	t := f.from
	feature, missingLeft := t.index[node], t.defaultLeft[node] != 0
	if feature < 0 || int(feature) >= f.columns.features {
		return 0, 0, f.fail(node, "it splits feature %d of %d", feature, f.columns.features)
	}
	if len(t.splitType) == 0 || t.splitType[node] == 0 {
		threshold = t.condition[node]
		if math.IsNaN(float64(threshold)) {
			return 0, 0, f.fail(node, "its threshold is NaN")
		}
		// Nothing is less than -Inf but a missing value that goes left.
		return f.columns.numeric(feature, missingLeft), max(threshold, -math.MaxFloat32), nil
	}
	if t.splitType[node] != 1 {
		return 0, 0, f.fail(node, "its split is of type %d", t.splitType[node])
	}
	set, ok := f.sets[node]
	if !ok {
		return 0, 0, f.fail(node, "it splits by category and has no categories")
	}
	for _, c := range set {
		if c < 0 || c >= maxCategory {
			return 0, 0, f.fail(node, "category %d is none", c)
		}
	}
	return f.columns.categorical(feature, missingLeft, set), 0.5, nil
}
