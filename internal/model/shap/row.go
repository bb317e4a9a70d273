package shap

import "engage/internal/model/gbdt"

// A Row explains one row at a time without allocating. It must not be used by
// two goroutines at a time.
type Row struct {
	e       *Explainer
	columns []float32
	sums    []float64 // of one group
	out     []float32

	// of the tree and the four points that are being dealt with, by slot
	product []four32
	below   []four32
	factor  []four32 // of the left edge
	gain    []four32 // of a repeated feature
	// by edge, as in node.earlier: 1 if the row meets the conditions on the feature
	// down to here; the first is always 1
	holds []uint32
	t     four32
	rest  four32 // 1-t
}

// four32 is half as large as four: a model of a hundred thousand nodes is as fast
// as memory is.
type four32 [4]float32

// NewRow makes an explainer of single rows.
func (e *Explainer) NewRow() *Row {
	most := 0
	for i := range e.trees {
		most = max(most, len(e.trees[i].nodes))
	}
	return &Row{
		e:       e,
		columns: make([]float32, len(e.model.Columns())),
		sums:    make([]float64, e.model.NumFeatures()),
		out:     make([]float32, e.Width()),
		product: make([]four32, 2*most+1),
		below:   make([]four32, 2*most+1),
		factor:  make([]four32, most),
		gain:    make([]four32, most),
		holds:   make([]uint32, 2*most+1),
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

// run adds the contributions of one tree: down it for the products of the
// factors, through the nodes that have leaves alone, and up again for the sums of
// what is below. There is no branch that depends on the row.
func (r *Row) run(t *tree) {
	r.holds[0] = 1
	for _, slot := range t.lone {
		v := t.leaves[int(slot)-len(t.nodes)]
		r.below[slot] = four32{v, v, v, v}
	}
	for pass := range t.rule.at {
		for q, at := range t.rule.at[pass] {
			r.t[q], r.rest[q] = float32(at), float32(1-at)
			r.product[0][q] = float32(t.rule.weight[pass][q])
		}
		r.down(t)
		r.across(t)
		r.up(t)
	}
}

// down computes the factors and products of all edges to other nodes.
func (r *Row) down(t *tree) {
	for _, i := range t.others {
		n := &t.nodes[i]
		left, before := uint32(less(r.columns[n.column], n.threshold)), r.holds[n.earlier]
		r.holds[2*i+1], r.holds[2*i+2] = before&left, before&^left
		f := &r.factor[i]
		if n.earlier == 0 {
			r.first(f, n, left)
		} else {
			r.again(f, &r.gain[i], n, left, before)
		}
		p, l, u := &r.product[i], &r.product[n.left], &r.product[n.right]
		l[0], l[1], l[2], l[3] = p[0]*f[0], p[1]*f[1], p[2]*f[2], p[3]*f[3]
		u[0], u[1], u[2], u[3] = p[0]-l[0], p[1]-l[1], p[2]-l[2], p[3]-l[3]
	}
}

// first computes the factor of the left edge of a feature that is new on the path.
func (r *Row) first(f *four32, n *node, left uint32) {
	s, ratio := float32(int32(left)), n.ratio
	f[0], f[1] = r.rest[0]*ratio+r.t[0]*s, r.rest[1]*ratio+r.t[1]*s
	f[2], f[3] = r.rest[2]*ratio+r.t[2]*s, r.rest[3]*ratio+r.t[3]*s
}

// again computes the factor of the left edge, and what the node adds, of a feature
// that is on the path already: package documentation, "Repeated features". What is
// added to the divisor matters only where it is 0: there the products are too.
func (r *Row) again(f, gain *four32, n *node, left, before uint32) {
	held, s := float32(int32(before)), float32(int32(before&left))
	met := n.before * n.ratio
	for q := range f {
		divisor := 1 / (r.t[q]*held + r.rest[q]*n.before + 1e-30)
		v := (r.t[q]*s + r.rest[q]*met) * divisor
		f[q], gain[q] = v, ((s-met)-v*(held-n.before))*divisor
	}
}

// across does down and up for the nodes that have leaves alone.
func (r *Row) across(t *tree) {
	leaves := t.leaves
	for _, i := range t.last {
		n := &t.nodes[i]
		left := uint32(less(r.columns[n.column], n.threshold))
		u := leaves[int(n.right)-len(t.nodes)]
		d := leaves[int(n.left)-len(t.nodes)] - u
		p, b := &r.product[i], &r.below[i]
		if n.earlier == 0 {
			r.first(b, n, left)
			r.sums[n.feature] += float64((float32(int32(left)) - n.ratio) * d * (p[0] + p[1] + p[2] + p[3]))
		} else {
			g := &r.gain[i]
			r.again(b, g, n, left, r.holds[n.earlier])
			r.sums[n.feature] += float64(d * (p[0]*g[0] + p[1]*g[1] + p[2]*g[2] + p[3]*g[3]))
		}
		b[0], b[1], b[2], b[3] = u+d*b[0], u+d*b[1], u+d*b[2], u+d*b[3]
	}
}

// up computes the sums below the other nodes and adds what each gives its feature.
func (r *Row) up(t *tree) {
	for k := len(t.others) - 1; k >= 0; k-- {
		i := t.others[k]
		n := &t.nodes[i]
		f, p, l, u, b := &r.factor[i], &r.product[i], &r.below[n.left], &r.below[n.right], &r.below[i]
		d0, d1, d2, d3 := l[0]-u[0], l[1]-u[1], l[2]-u[2], l[3]-u[3]
		b[0], b[1], b[2], b[3] = u[0]+f[0]*d0, u[1]+f[1]*d1, u[2]+f[2]*d2, u[3]+f[3]*d3
		d0, d1, d2, d3 = d0*p[0], d1*p[1], d2*p[2], d3*p[3]
		if n.earlier == 0 {
			s := float32(int32(r.holds[2*i+1])) - n.ratio
			r.sums[n.feature] += float64(s * (d0 + d1 + d2 + d3))
			continue
		}
		g := &r.gain[i]
		r.sums[n.feature] += float64(g[0]*d0 + g[1]*d1 + g[2]*d2 + g[3]*d3)
	}
}
