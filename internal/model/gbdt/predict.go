package gbdt

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// blockRows is how many rows go through one tree before the next: their columns
// stay in the nearest caches while the tree's nodes do too. More or fewer by a
// factor of two is slower by a few percent.
const blockRows = 128

// A Matrix is rows of features, one after the other; NaN is a missing value.
type Matrix struct {
	Data       []float32
	Rows, Cols int
}

// Row returns row i.
func (x Matrix) Row(i int) []float32 { return x.Data[i*x.Cols : (i+1)*x.Cols] }

// Check fails with a *ShapeError unless x has the model's features and all its values.
func (m *Model) Check(x Matrix) error {
	if x.Cols != m.features {
		return &ShapeError{What: "features of a row", Got: x.Cols, Want: m.features}
	}
	if len(x.Data) != x.Rows*x.Cols {
		return &ShapeError{What: "values of all rows", Got: len(x.Data), Want: x.Rows * x.Cols}
	}
	return nil
}

// Margins adds up the trees for every row into out, Groups() numbers a row. It
// uses as many threads, or all processors if threads is 0.
func (m *Model) Margins(x Matrix, out []float32, threads int) error {
	return m.run(x, out, threads, m.groups, (*Scorer).margins)
}

// Predict is Margins with the objective's link applied: Outputs() numbers a row.
func (m *Model) Predict(x Matrix, out []float32, threads int) error {
	return m.run(x, out, threads, m.Outputs(), (*Scorer).answers)
}

// Outputs is the number of answers for a row: one for a class, else Groups().
func (m *Model) Outputs() int {
	if m.objectiveName == "multi:softmax" {
		return 1
	}
	return m.groups
}

// run deals blocks of rows out to threads.
func (m *Model) run(x Matrix, out []float32, threads, width int, score func(*Scorer, Matrix, []float32)) error {
	if err := m.Check(x); err != nil {
		return err
	}
	if len(out) != x.Rows*width {
		return &ShapeError{What: "room for results", Got: len(out), Want: x.Rows * width}
	}
	Blocks(x.Rows, blockRows, threads, func() func(begin, end int) {
		s := m.NewScorer()
		return func(begin, end int) {
			part := Matrix{Data: x.Data[begin*x.Cols : end*x.Cols], Rows: end - begin, Cols: x.Cols}
			score(s, part, out[begin*width:end*width])
		}
	})
	return nil
}

// Blocks calls what worker returns for each block of at most size of n rows, from
// as many goroutines, or one for each processor if threads is 0; worker is called
// once in each. It returns when all are done.
func Blocks(n, size, threads int, worker func() func(begin, end int)) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	threads = min(threads, (n+size-1)/size)
	var next atomic.Int64
	work := func() {
		block := worker()
		for {
			end := int(next.Add(int64(size)))
			if end-size >= n {
				return
			}
			block(end-size, min(end, n))
		}
	}
	var others sync.WaitGroup
	for range threads - 1 {
		others.Go(work)
	}
	if threads > 0 {
		work()
	}
	others.Wait()
}

// A Scorer scores rows of one model without allocating. It must not be used by
// two goroutines at a time.
type Scorer struct {
	model   *Model
	columns []float32 // of a block, row by row
	margin  []float32 // of a block
}

// NewScorer makes a scorer.
func (m *Model) NewScorer() *Scorer {
	return &Scorer{model: m, columns: make([]float32, len(m.columns)*blockRows), margin: make([]float32, blockRows*m.groups)}
}

// Margin returns the margins of one row in memory that the next call reuses.
func (s *Scorer) Margin(row []float32) ([]float32, error) {
	if len(row) != s.model.features {
		return nil, &ShapeError{What: "features of a row", Got: len(row), Want: s.model.features}
	}
	out := s.margin[:s.model.groups]
	s.margins(Matrix{Data: row, Rows: 1, Cols: len(row)}, out)
	return out, nil
}

// Predict returns the answers for one row in memory that the next call reuses.
func (s *Scorer) Predict(row []float32) ([]float32, error) {
	m, err := s.Margin(row)
	if err != nil {
		return nil, err
	}
	return m[:s.model.objective.link(m)], nil
}

// answers computes the margins of a block and applies the link.
func (s *Scorer) answers(x Matrix, out []float32) {
	groups, width := s.model.groups, s.model.Outputs()
	margin := s.margin[:x.Rows*groups]
	s.margins(x, margin)
	for i := range x.Rows {
		row := margin[i*groups : (i+1)*groups]
		s.model.objective.link(row)
		copy(out[i*width:(i+1)*width], row)
	}
}

// margins fills out for a block: tree by tree, so that each row's sum is taken
// in the order of the trees.
func (s *Scorer) margins(x Matrix, out []float32) {
	m := s.model
	groups := m.groups
	for i := range x.Rows {
		copy(out[i*groups:(i+1)*groups], m.base)
		m.FillColumns(s.columns[i*len(m.columns):(i+1)*len(m.columns)], x.Row(i))
	}
	for i := range m.trees {
		t := &m.trees[i]
		if groups == 1 {
			t.addTo(out, s.columns, len(m.columns))
			continue
		}
		for r := range x.Rows {
			out[r*groups+t.Group] += t.Value[t.leaf(s.columns[r*len(m.columns):(r+1)*len(m.columns)])]
		}
	}
}

// FillColumns makes the columns of one row: to has len(Columns()) places.
func (m *Model) FillColumns(to, row []float32) {
	to[constant] = 0
	for i := 1; i < len(to); i++ {
		to[i] = m.columns[i].Value(row[m.columns[i].Feature])
	}
}

// leaf returns the leaf of one row of columns.
func (t *Tree) leaf(columns []float32) uint32 {
	i := uint32(0)
	for range t.Depth {
		i = next(t.Nodes, i, columns)
	}
	return i
}

// next goes one step down. No value of a column is NaN.
func next(nodes []Node, i uint32, columns []float32) uint32 {
	n := &nodes[i]
	right := uint32(0)
	if columns[n.Column] >= n.Threshold {
		right = 1
	}
	return n.Left + right
}

// addTo adds a tree's values to one margin a row. Eight rows go down together,
// because each step waits for memory and eight can wait at once; a row that has
// reached a leaf stays there.
func (t *Tree) addTo(out, columns []float32, width int) {
	nodes, value := t.Nodes, t.Value
	r := 0
	for ; r+8 <= len(out); r += 8 {
		x := columns[r*width : (r+8)*width]
		x0, x1, x2, x3 := x[:width], x[width:2*width], x[2*width:3*width], x[3*width:4*width]
		x4, x5, x6, x7 := x[4*width:5*width], x[5*width:6*width], x[6*width:7*width], x[7*width:8*width]
		var a, b, c, d, e, f, g, h uint32
		for range t.Depth {
			a, b, c, d = next(nodes, a, x0), next(nodes, b, x1), next(nodes, c, x2), next(nodes, d, x3)
			e, f, g, h = next(nodes, e, x4), next(nodes, f, x5), next(nodes, g, x6), next(nodes, h, x7)
		}
		o := out[r : r+8 : r+8]
		o[0] += value[a]
		o[1] += value[b]
		o[2] += value[c]
		o[3] += value[d]
		o[4] += value[e]
		o[5] += value[f]
		o[6] += value[g]
		o[7] += value[h]
	}
	for ; r < len(out); r++ {
		out[r] += value[t.leaf(columns[r*width:(r+1)*width])]
	}
}
