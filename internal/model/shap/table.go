package shap

// A table holds what a part of a tree adds to each feature, for every way in
// which a row can answer: a bit for each distinct feature of the path to the
// part, set if the row meets the conditions on it, then one for each node of the
// part, set if the row goes left.
type table struct {
	bits     int
	features []int // those of the path, then others of the part
	value    []float32
	path     []edge
	tree     *tree
	steps    []step
	leaf     float64 // of a part that is a leaf
	traces   []trace // of the path and of the nodes above the one being laid out
	sides    []side  // of the features of the path: not met, met
	shares   []four  // of the same, in what is below
	product  []four
	below    []four
}

// A step is a node of the part.
type step struct {
	feature    int    // as an index into the table's features
	bit        uint32 // set if the row goes left
	need, want uint32 // the row meets the earlier conditions on the feature if answers&need == want
	before     float64
	ratio      float64
	left       int // steps, or -1
	right      int
	leftValue  float64
	rightValue float64
	effect     effect
	ignored    four // the factor if the earlier conditions are not met
}

// A trace is a condition above a node: bits of the answers and the share of rows.
type trace struct {
	feature    int
	need, want uint32
	ratio      float64
}

// A side is a state of a feature of the path: its factor, and what the feature
// gets of the product of all factors.
type side struct{ factor, share four }

// values are what the part adds to a feature, by answers.
func (t *table) values(feature int) []float32 {
	return t.value[feature<<t.bits:][:1<<t.bits]
}

// build fills the table for the part from a slot down.
func (t *table) build(from *tree, slot int32, path []edge) {
	t.tree, t.path, t.bits = from, path, len(path)
	t.features, t.steps, t.traces = t.features[:0], t.steps[:0], t.traces[:0]
	for j, e := range path {
		t.features = append(t.features, e.feature)
		t.traces = append(t.traces, trace{e.feature, 1 << j, 1 << j, e.ratio})
	}
	if value, leaf := from.leaf(slot); leaf {
		t.leaf = float64(value)
	} else {
		t.lay(slot)
	}
	t.value = zeroed(t.value, len(t.features)<<t.bits)
	t.sides, t.shares = zeroed(t.sides, 2*len(path)), zeroed(t.shares, len(path))
	t.product, t.below = zeroed(t.product, len(t.steps)), zeroed(t.below, len(t.steps))
	for pass := range from.rule.at {
		t.pass(from.rule.at[pass], from.rule.weight[pass])
	}
}

// zeroed returns n zeros, in the memory of a if it is enough.
func zeroed[T any](a []T, n int) []T {
	if cap(a) < n {
		return make([]T, n)
	}
	clear(a[:n])
	return a[:n]
}

// lay appends the steps of node i and below, which are in the order of the nodes.
func (t *table) lay(i int32) int {
	n := &t.tree.nodes[i]
	at, ratio := len(t.steps), float64(n.ratio)
	s := step{feature: t.index(int(n.feature)), bit: 1 << t.bits, before: 1, ratio: ratio}
	for _, c := range t.traces {
		if c.feature == int(n.feature) {
			s.need, s.want, s.before = s.need|c.need, s.want|c.want, s.before*c.ratio
		}
	}
	s.ignored = four{ratio, ratio, ratio, ratio}
	t.steps = append(t.steps, s)
	t.bits++
	left, leftValue := t.side(n.left, trace{int(n.feature), s.bit, s.bit, ratio})
	right, rightValue := t.side(n.right, trace{int(n.feature), s.bit, 0, 1 - ratio})
	p := &t.steps[at]
	p.left, p.leftValue, p.right, p.rightValue = left, leftValue, right, rightValue
	return at
}

// side lays out what is on one side of a node: a step, or -1 and the value of a leaf.
func (t *table) side(slot int32, c trace) (at int, value float64) {
	if value, leaf := t.tree.leaf(slot); leaf {
		return -1, float64(value)
	}
	t.traces = append(t.traces, c)
	at = t.lay(slot)
	t.traces = t.traces[:len(t.traces)-1]
	return at, 0
}

// index finds the place of a feature, which it appends if it is new.
func (t *table) index(feature int) int {
	for i, f := range t.features {
		if f == feature {
			return i
		}
	}
	t.features = append(t.features, feature)
	return len(t.features) - 1
}

// pass adds four points of the quadrature to all values.
func (t *table) pass(at, weight four) {
	for i := range t.steps {
		s := &t.steps[i]
		s.effect = newEffect(at, s.before, s.ratio)
	}
	for i := range t.sides {
		t.sides[i] = newSide(at, t.path[i/2].ratio, float64(i%2))
	}
	for met := range uint32(1) << len(t.path) {
		product := t.above(weight, met)
		for answers := met; answers < 1<<t.bits; answers += 1 << len(t.path) {
			below := t.part(product, answers)
			for j := range t.shares {
				t.value[uint32(j)<<t.bits+answers] += float32(dot(&t.shares[j], &below))
			}
		}
	}
}

func dot(a, b *four) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] + a[3]*b[3] }

// newSide computes a side at the points t: s is 1 if the conditions are met, which
// the share ratio of the training rows did.
func newSide(t four, ratio, s float64) (side side) {
	for q, t := range t {
		side.factor[q] = t*s + (1-t)*ratio
		// Of conditions that no row met, this one neither, the share is 0.
		if side.factor[q] != 0 {
			side.share[q] = (s - ratio) / side.factor[q]
		}
	}
	return side
}

// above returns the product of the factors of the path, and sets what each of
// its features gets of the sum below.
func (t *table) above(weight four, met uint32) four {
	p := weight
	for j := range t.path {
		f := &t.sides[uint32(2*j)+met>>j&1].factor
		p = four{p[0] * f[0], p[1] * f[1], p[2] * f[2], p[3] * f[3]}
	}
	for j := range t.path {
		s := &t.sides[uint32(2*j)+met>>j&1].share
		t.shares[j] = four{p[0] * s[0], p[1] * s[1], p[2] * s[2], p[3] * s[3]}
	}
	return p
}

// part adds what the nodes of the part contribute to their features, and returns
// the sum of the values of its leaves times the factors in the part.
func (t *table) part(product four, answers uint32) four {
	if len(t.steps) == 0 {
		return four{t.leaf, t.leaf, t.leaf, t.leaf}
	}
	t.down(product, answers)
	for i := len(t.steps) - 1; i >= 0; i-- {
		s := &t.steps[i]
		f := s.factor(answers)
		l := four{s.leftValue, s.leftValue, s.leftValue, s.leftValue}
		if s.left >= 0 {
			l = t.below[s.left]
		}
		r := four{s.rightValue, s.rightValue, s.rightValue, s.rightValue}
		if s.right >= 0 {
			r = t.below[s.right]
		}
		d := four{l[0] - r[0], l[1] - r[1], l[2] - r[2], l[3] - r[3]}
		t.below[i] = four{r[0] + d[0]*f[0], r[1] + d[1]*f[1], r[2] + d[2]*f[2], r[3] + d[3]*f[3]}
		if answers&s.need == s.want {
			p, g := &t.product[i], s.gain(answers)
			t.value[uint32(s.feature)<<t.bits+answers] += float32(p[0]*d[0]*g[0] + p[1]*d[1]*g[1] + p[2]*d[2]*g[2] + p[3]*d[3]*g[3])
		}
	}
	return t.below[0]
}

// down computes the products of the factors above each node of the part.
func (t *table) down(product four, answers uint32) {
	t.product[0] = product
	for i := range t.steps {
		s := &t.steps[i]
		if s.left < 0 && s.right < 0 {
			continue
		}
		p, f := t.product[i], s.factor(answers)
		l := four{p[0] * f[0], p[1] * f[1], p[2] * f[2], p[3] * f[3]}
		if s.left >= 0 {
			t.product[s.left] = l
		}
		if s.right >= 0 {
			t.product[s.right] = four{p[0] - l[0], p[1] - l[1], p[2] - l[2], p[3] - l[3]}
		}
	}
}

// factor is that of the left edge.
func (s *step) factor(answers uint32) *four {
	switch {
	case answers&s.need != s.want:
		return &s.ignored
	case answers&s.bit != 0:
		return &s.effect.goes
	}
	return &s.effect.stays
}

// gain is what the step adds where the earlier conditions are met.
func (s *step) gain(answers uint32) *four {
	if answers&s.bit != 0 {
		return &s.effect.gain
	}
	return &s.effect.loss
}
