package shap

import (
	"runtime"
	"sync"

	"engage/internal/model/gbdt"
)

// A Row explains one row at a time, with one thread without allocating. It must
// not be used by two goroutines at a time.
type Row struct {
	e       *Explainer
	columns []float32
	out     []float32
	walkers []*walker
}

// NewRow makes an explainer of single rows that deals the trees out to as many
// threads, or one for each processor if threads is 0.
func (e *Explainer) NewRow(threads int) *Row {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	r := &Row{e: e, columns: make([]float32, len(e.model.Columns())), out: make([]float32, e.Width())}
	for range max(1, min(threads, len(e.trees))) {
		r.walkers = append(r.walkers, newWalker(e, r.columns))
	}
	return r
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
	r.e.model.FillColumns(r.columns, row)
	if len(r.walkers) > 1 {
		var others sync.WaitGroup
		for i, w := range r.walkers[1:] {
			others.Go(func() { w.walk(i+1, len(r.walkers)) })
		}
		r.walkers[0].walk(0, len(r.walkers))
		others.Wait()
	} else {
		r.walkers[0].walk(0, 1)
	}
	r.write(out)
}

// write adds up what the walkers found.
func (r *Row) write(out []float32) {
	n := r.e.model.NumFeatures()
	for g, bias := range r.e.bias {
		for f := range n {
			sum := 0.0
			for _, w := range r.walkers {
				sum += w.all[g*n+f]
			}
			out[g*(n+1)+f] = float32(sum)
		}
		out[g*(n+1)+n] = bias
	}
}

// A walker goes through trees with one row.
type walker struct {
	e       *Explainer
	columns []float32
	all     []float64 // contributions of each group
	sums    []float64 // of the group of the tree that is being dealt with

	// by slot of the tree, at four points
	product []quad // of the factors above
	below   []quad // the sums of values times factors
	factor  []quad // of the left edge
	gain    []quad // of a repeated feature
	// by edge, as in node.earlier: 1 if the row meets the conditions on the feature
	// down to here; the first is always 1
	holds []uint32
	t     quad
	rest  quad // 1-t
}

func newWalker(e *Explainer, columns []float32) *walker {
	most := 0
	for i := range e.trees {
		most = max(most, len(e.trees[i].nodes))
	}
	return &walker{
		e:       e,
		columns: columns,
		all:     make([]float64, len(e.groups)*e.model.NumFeatures()),
		product: make([]quad, 2*most+1),
		below:   make([]quad, 2*most+1),
		factor:  make([]quad, most),
		gain:    make([]quad, most),
		holds:   make([]uint32, 2*most+1),
	}
}

// walk goes through every step-th tree from the first on.
func (r *walker) walk(first, step int) {
	clear(r.all)
	n := r.e.model.NumFeatures()
	for i := first; i < len(r.e.trees); i += step {
		t := &r.e.trees[i]
		r.sums = r.all[t.group*n:][:n]
		r.run(t)
	}
}

// run adds the contributions of one tree: down it for the products of the
// factors, through the nodes that have leaves alone, and up again for the sums of
// what is below. There is no branch that depends on the row.
func (r *walker) run(t *tree) {
	if len(t.nodes) == 0 {
		return
	}
	r.holds[0] = 1
	for _, slot := range t.lone {
		v := t.leaves[int(slot)-len(t.nodes)]
		r.below[slot] = quad{v, v, v, v}
	}
	for pass := range t.rule.at {
		r.t, r.product[0] = t.rule.at[pass].short(), t.rule.weight[pass].short()
		r.rest = quad{1, 1, 1, 1}.sub(r.t)
		r.down(t)
		r.across(t)
		r.up(t)
	}
}

// down computes the factors and products of all edges to other nodes.
func (r *walker) down(t *tree) {
	product, factor, gain, holds, columns, nodes := r.product, r.factor, r.gain, r.holds, r.columns, t.nodes
	for _, i := range t.others {
		n := &nodes[i]
		left, before := uint32(less(columns[n.column], n.threshold)), holds[n.earlier]
		holds[2*i+1], holds[2*i+2] = before&left, before&^left
		var f quad
		if n.earlier == 0 {
			f = r.rest.scale(n.ratio).plus(r.t, float32(int32(left)))
		} else {
			f, gain[i] = r.again(n, left, before)
		}
		factor[i] = f
		p := product[i]
		l := p.mul(f)
		product[n.left], product[n.right] = l, p.sub(l)
	}
}

// again computes the factor of the left edge, and what the node adds, of a feature
// that is on the path already: package documentation, "Repeated features". What is
// added to the divisor matters only where it is 0: there the products are too.
func (r *walker) again(n *node, left, before uint32) (f, gain quad) {
	held, s := float32(int32(before)), float32(int32(before&left))
	met := n.before * n.ratio
	divisor := quad{1e-30, 1e-30, 1e-30, 1e-30}.plus(r.t, held).plus(r.rest, n.before).inverse()
	f = r.rest.scale(met).plus(r.t, s).mul(divisor)
	g := s - met
	return f, quad{g, g, g, g}.plus(f, n.before-held).mul(divisor)
}

// across does down and up for the nodes that have leaves alone.
func (r *walker) across(t *tree) {
	product, below, columns, sums, nodes, leaves := r.product, r.below, r.columns, r.sums, t.nodes, t.leaves
	for _, i := range t.last {
		n := &nodes[i]
		left := uint32(less(columns[n.column], n.threshold))
		u := leaves[int(n.right)-len(nodes)]
		d := leaves[int(n.left)-len(nodes)] - u
		p := product[i]
		var f quad
		if n.earlier == 0 {
			s := float32(int32(left))
			f = r.rest.scale(n.ratio).plus(r.t, s)
			sums[n.feature] += float64((s - n.ratio) * d * p.sum())
		} else {
			var gain quad
			f, gain = r.again(n, left, r.holds[n.earlier])
			sums[n.feature] += float64(d * p.mul(gain).sum())
		}
		below[i] = quad{u, u, u, u}.plus(f, d)
	}
}

// up computes the sums below the other nodes and adds what each gives its feature.
func (r *walker) up(t *tree) {
	product, below, factor, sums, nodes := r.product, r.below, r.factor, r.sums, t.nodes
	for k := len(t.others) - 1; k >= 0; k-- {
		i := t.others[k]
		n := &nodes[i]
		u := below[n.right]
		d := below[n.left].sub(u)
		below[i] = u.add(d.mul(factor[i]))
		d = d.mul(product[i])
		if n.earlier == 0 {
			sums[n.feature] += float64((float32(int32(r.holds[2*i+1])) - n.ratio) * d.sum())
		} else {
			sums[n.feature] += float64(d.mul(r.gain[i]).sum())
		}
	}
}

// A quad holds a number for each of four points. It is a structure, because the
// compiler keeps those in registers and arrays in memory, and of 32 bits, because
// a model of a hundred thousand nodes is as fast as memory is.
type quad struct{ a, b, c, d float32 }

func (x quad) add(y quad) quad { return quad{x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d} }

func (x quad) sub(y quad) quad { return quad{x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d} }

func (x quad) mul(y quad) quad { return quad{x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d} }

func (x quad) scale(s float32) quad { return quad{x.a * s, x.b * s, x.c * s, x.d * s} }

// plus adds s times y.
func (x quad) plus(y quad, s float32) quad {
	return quad{x.a + y.a*s, x.b + y.b*s, x.c + y.c*s, x.d + y.d*s}
}

func (x quad) sum() float32 { return x.a + x.b + x.c + x.d }

func (x quad) inverse() quad { return quad{1 / x.a, 1 / x.b, 1 / x.c, 1 / x.d} }
