package shap

import "engage/internal/model/gbdt"

// A Row explains one row at a time without allocating. It must not be used by
// two goroutines at a time.
type Row struct {
	e       *Explainer
	columns []float32
	holds   []bool    // at each depth: the row meets the conditions on the feature so far
	sums    []float64 // of one group
	out     []float32

	// of the tree and the points that are being dealt with
	tree   *tree
	pass   int32
	t      [4]float32
	rest   [4]float32 // 1-t
	weight [4]float32
}

// NewRow makes an explainer of single rows.
func (e *Explainer) NewRow() *Row {
	return &Row{
		e:       e,
		columns: make([]float32, len(e.model.Columns())),
		holds:   make([]bool, e.depth+1),
		sums:    make([]float64, e.model.NumFeatures()),
		out:     make([]float32, e.Width()),
	}
}

// Explain returns the contributions of one row, laid out as by Contributions, in
// memory that the next call reuses.
func (r *Row) Explain(row []float32) ([]float32, error) {
	if len(row) != r.e.model.NumFeatures() {
		return nil, &gbdt.ShapeError{What: "features of a row", Got: len(row), Want: r.e.model.NumFeatures()}
	}
	r.explain(row, r.out)
	return r.out, nil
}

func (r *Row) explain(row, out []float32) {
	e := r.e
	e.model.FillColumns(r.columns, row)
	n := len(r.sums)
	for g := range e.groups {
		clear(r.sums)
		for _, i := range e.groups[g] {
			r.run(&e.trees[i])
		}
		for f, v := range r.sums {
			out[g*(n+1)+f] = float32(v)
		}
		out[g*(n+1)+n] = e.bias[g]
	}
}

// run adds the contributions of one tree.
func (r *Row) run(t *tree) {
	if len(t.nodes) == 0 {
		return
	}
	r.tree = t
	for i := range t.rule.at {
		r.pass = int32(i)
		for q, at := range t.rule.at[i] {
			r.t[q], r.rest[q], r.weight[q] = float32(at), float32(1-at), float32(t.rule.weight[i][q])
		}
		r.visit(0, 0, r.weight[0], r.weight[1], r.weight[2], r.weight[3])
	}
}

// visit adds the contributions of node i and below, given the product of the
// factors above at four points; it returns the sum of the values of the leaves
// times the factors below. Eight numbers that would be an array are names, which
// the compiler keeps in registers.
func (r *Row) visit(i int32, depth int, p0, p1, p2, p3 float32) (u0, u1, u2, u3 float32) {
	n := &r.tree.nodes[i]
	left := r.columns[n.column] < n.threshold
	f0, f1, f2, f3, before := r.factor(n, left)
	l0, l1, l2, l3 := n.leftValue, n.leftValue, n.leftValue, n.leftValue
	if n.left >= 0 {
		r.holds[depth] = before && left
		l0, l1, l2, l3 = r.visit(n.left, depth+1, p0*f0, p1*f1, p2*f2, p3*f3)
	}
	u0, u1, u2, u3 = n.rightValue, n.rightValue, n.rightValue, n.rightValue
	if n.right >= 0 {
		r.holds[depth] = before && !left
		u0, u1, u2, u3 = r.visit(n.right, depth+1, p0-p0*f0, p1-p1*f1, p2-p2*f2, p3-p3*f3)
	}
	l0, l1, l2, l3 = l0-u0, l1-u1, l2-u2, l3-u3
	if before {
		r.sums[n.feature] += float64(r.gain(n, left, p0*l0, p1*l1, p2*l2, p3*l3))
	}
	return u0 + f0*l0, u1 + f1*l1, u2 + f2*l2, u3 + f3*l3
}

// factor returns the factors of a node's left edge and whether the row meets the
// conditions above on the same feature.
func (r *Row) factor(n *node, left bool) (f0, f1, f2, f3 float32, before bool) {
	ratio := float32(n.ratio)
	if n.above < 0 {
		s := float32(0)
		if left {
			s = 1
		}
		return r.rest[0]*ratio + r.t[0]*s, r.rest[1]*ratio + r.t[1]*s, r.rest[2]*ratio + r.t[2]*s, r.rest[3]*ratio + r.t[3]*s, true
	}
	if !r.holds[n.above] {
		return ratio, ratio, ratio, ratio, false
	}
	f := r.effect(n, left)
	return f[0], f[1], f[2], f[3], true
}

// gain weighs the difference between the sides of a node at the four points.
func (r *Row) gain(n *node, left bool, d0, d1, d2, d3 float32) float32 {
	if n.above < 0 {
		s := float32(-n.ratio)
		if left {
			s++
		}
		return s * (d0 + d1 + d2 + d3)
	}
	f := r.effect(n, left)
	return f[8]*d0 + f[9]*d1 + f[10]*d2 + f[11]*d3
}

// effect returns the factors of a repeated feature and, eight places on, what it adds.
func (r *Row) effect(n *node, left bool) []float32 {
	at := n.effect + 16*r.pass
	if !left {
		at += 4
	}
	return r.tree.effects[at:][:12]
}
