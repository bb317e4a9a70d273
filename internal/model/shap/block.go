package shap

import (
	"context"
	"runtime"

	"engage/internal/model/gbdt"
)

const (
	// partBits is how many bits tell how a row answers a part of a tree. A bit more
	// makes fewer and larger parts, whose tables take longer to fill.
	partBits = 8
	// maxBits is the most distinct features on a path for which tables are used:
	// a leaf takes a bit of each.
	maxBits = 12
	// maxTableDepth bounds the memory of a block, two bytes a row and level.
	maxTableDepth = 32
	// blockRows is the rows that use one filling of the tables. More pays less and
	// less, and takes memory.
	blockRows = 16384
	// fewRows is how many rows a table must be good for to be worth its filling.
	fewRows = 512
	// flushTrees is after how many trees the 32-bit sums go into 64-bit ones.
	flushTrees = 16
)

// blockSize returns how many rows to explain at a time, and whether by tables.
func (e *Explainer) blockSize(rows, threads int) (size int, tables bool) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	each := (rows + threads - 1) / threads
	if !e.tables || each < fewRows {
		return 16, false
	}
	blocks := (each + blockRows - 1) / blockRows
	return (each + blocks - 1) / blocks, true
}

// A block explains many rows together. Its arrays have a row of the block for
// each place, column after column.
type block struct {
	e       *Explainer
	size    int
	rows    int
	columns []float32
	sums    []float32 // feature after feature
	totals  []float64
	masks   [][]uint16 // two a level: what the conditions above say
	index   []uint16
	path    []edge // the distinct features above, with the shares that met them
	tree    *tree
	table   table
}

func newBlock(e *Explainer, size int) *block {
	b := &block{
		e:       e,
		size:    size,
		columns: make([]float32, size*len(e.model.Columns())),
		sums:    make([]float32, size*e.model.NumFeatures()),
		totals:  make([]float64, size*e.model.NumFeatures()),
		index:   make([]uint16, size),
	}
	for range 2*e.depth + 2 {
		b.masks = append(b.masks, make([]uint16, size))
	}
	return b
}

// explain fills out for the rows of x, which are at most the block's size. It
// leaves out undefined if the context ends.
func (b *block) explain(ctx context.Context, x gbdt.Matrix, out []float32) {
	b.fill(x)
	for g, trees := range b.e.groups {
		clear(b.totals)
		for i, t := range trees {
			if ctx.Err() != nil {
				return
			}
			if b.tree = &b.e.trees[t]; len(b.tree.nodes) > 0 {
				b.visit(0, 0, b.masks[2*b.e.depth][:b.rows])
			}
			if i%flushTrees == flushTrees-1 || i == len(trees)-1 {
				b.flush()
			}
		}
		b.write(g, out)
	}
}

// fill lays the rows out by column.
func (b *block) fill(x gbdt.Matrix) {
	b.rows = x.Rows
	columns := b.e.model.Columns()
	for i := range columns {
		if columns[i].Feature < 0 {
			continue
		}
		to := b.columns[i*b.size:][:x.Rows]
		for r := range to {
			to[r] = columns[i].Value(x.Data[r*x.Cols+columns[i].Feature])
		}
	}
}

func (b *block) flush() {
	for i, v := range b.sums {
		b.totals[i] += float64(v)
	}
	clear(b.sums)
}

// write puts a group's totals in their places.
func (b *block) write(group int, out []float32) {
	n, width := b.e.model.NumFeatures(), b.e.Width()
	for r := range b.rows {
		to := out[r*width+group*(n+1):][:n+1]
		for f := range n {
			to[f] = float32(b.totals[f*b.size+r])
		}
		to[n] = b.e.bias[group]
	}
}

// visit goes down to the parts of the tree that are small enough for a table.
// The mask of a row has a bit for each feature of the path: the row meets all
// conditions on it.
func (b *block) visit(i int32, level int, mask []uint16) {
	n := &b.tree.nodes[i]
	if len(b.path)+int(n.size) <= partBits {
		b.part(i, mask)
		return
	}
	depth := len(b.path)
	bit, before := b.enter(int(n.feature))
	left, right := b.masks[2*level][:len(mask)], b.masks[2*level+1][:len(mask)]
	if bit == depth {
		splitNew(b.column(n), n.threshold, mask, bit, left, right)
	} else {
		splitAgain(b.column(n), n.threshold, mask, bit, left, right)
	}
	b.path[bit].ratio = before * float64(n.ratio)
	b.follow(n.left, level+1, left)
	b.path[bit].ratio = before * (1 - float64(n.ratio))
	b.follow(n.right, level+1, right)
	b.path[bit].ratio = before
	b.path = b.path[:depth]
}

// follow goes down an edge.
func (b *block) follow(slot int32, level int, mask []uint16) {
	if _, leaf := b.tree.leaf(slot); leaf {
		b.part(slot, mask)
		return
	}
	b.visit(slot, level, mask)
}

// enter finds the bit of a feature on the path, which it appends if it is new,
// and the share that met the conditions on it.
func (b *block) enter(feature int) (bit int, before float64) {
	for i, e := range b.path {
		if e.feature == feature {
			return i, e.ratio
		}
	}
	b.path = append(b.path, edge{feature: feature, ratio: 1})
	return len(b.path) - 1, 1
}

// column is what a node compares, for all rows.
func (b *block) column(n *node) []float32 {
	return b.columns[int(n.column)*b.size:][:b.rows]
}

// sum is what a feature has got, for all rows.
func (b *block) sum(feature int) []float32 { return b.sums[feature*b.size:][:b.rows] }

// part adds what the part of the tree from a slot down contributes.
func (b *block) part(slot int32, mask []uint16) {
	t := &b.table
	t.build(b.tree, slot, b.path)
	index := mask
	if _, leaf := b.tree.leaf(slot); !leaf {
		index = b.index[:len(mask)]
		b.answers(b.tree.nodes[slot:][:b.tree.nodes[slot].size], mask, index)
	}
	f := 0
	for ; f+2 <= len(t.features); f += 2 {
		addTwo(b.sum(t.features[f]), b.sum(t.features[f+1]), index, t.values(f), t.values(f+1))
	}
	if f < len(t.features) {
		add(b.sum(t.features[f]), index, t.values(f))
	}
}

// answers appends a bit to the mask for each node of a part, in their order,
// where a row goes left.
func (b *block) answers(nodes []node, mask, index []uint16) {
	bit := len(b.path)
	for ; len(nodes) >= 3; nodes, mask, bit = nodes[3:], index, bit+3 {
		appendThree([3][]float32{b.column(&nodes[0]), b.column(&nodes[1]), b.column(&nodes[2])},
			[3]float32{nodes[0].threshold, nodes[1].threshold, nodes[2].threshold}, mask, bit, index)
	}
	for ; len(nodes) > 0; nodes, mask, bit = nodes[1:], index, bit+1 {
		appendOne(b.column(&nodes[0]), nodes[0].threshold, mask, bit, index)
	}
}
