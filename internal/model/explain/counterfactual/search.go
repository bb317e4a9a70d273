package counterfactual

import (
	"cmp"
	"context"
	"math"
	"slices"

	"engage/internal/feature"
	"engage/internal/model/explain"
	"engage/internal/model/gbdt"
	"engage/internal/schema"
)

// blockRows is how many customers are made and asked for at once.
const blockRows = 2048

// move gives a variable another value.
type move struct {
	variable int
	to       float64
}

// state is a set of moves, by variable ascending, and what comes of it.
type state struct {
	moves     []move
	predicted float64
	gap       float64 // from the target
	cost      float64
	plausible bool
}

func (x state) hit() bool { return x.gap == 0 && x.plausible }

// changes reports whether x changes every variable that y does.
func (x state) changes(y []move) bool {
	return !slices.ContainsFunc(y, func(m move) bool {
		return !slices.ContainsFunc(x.moves, func(n move) bool { return n.variable == m.variable })
	})
}

// search is the one for a customer.
type search struct {
	*Finder
	ctx      context.Context
	customer []feature.Values
	own      []float64 // the customer's cells
	target   Target
	start    state
	nearest  state
}

// cheaper orders by the number of changes and their cost.
func cheaper(a, b state) int {
	return cmp.Or(cmp.Compare(len(a.moves), len(b.moves)), cmp.Compare(a.cost, b.cost))
}

// run returns the cheapest hit for each set of variables that was found, none of
// which contains another. A state that is not plausible is none, but may become
// one: who pays for premium and uses it changes two columns.
func (s *search) run() ([]state, error) {
	s.nearest = s.start
	beam, hits := []state{s.start}, []state(nil)
	for range s.options.MaxChanges {
		states, err := s.evaluate(s.expand(beam, hits))
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(states, cheaper)
		for _, x := range states {
			if x.plausible && x.gap < s.nearest.gap {
				s.nearest = x
			}
			if x.hit() && !slices.ContainsFunc(hits, func(h state) bool { return x.changes(h.moves) }) {
				hits = append(hits, x)
			}
		}
		if len(hits) >= s.options.Count {
			break
		}
		beam = s.promising(states)
	}
	return hits, nil
}

// expand adds a move of each variable that a state leaves alone, but never comes
// to the variables of a hit again.
func (s *search) expand(beam, hits []state) [][]move {
	var all [][]move
	seen := map[string]bool{}
	for i := range s.variables {
		values := thin(s.variables[i].from(s.own[s.variables[i].at]), s.options.Values)
		for _, x := range beam {
			if x.changes([]move{{variable: i}}) {
				continue
			}
			for _, to := range values {
				moves := append(slices.Clone(x.moves), move{i, to})
				slices.SortFunc(moves, func(a, b move) int { return a.variable - b.variable })
				next := state{moves: moves}
				if slices.ContainsFunc(hits, func(h state) bool { return next.changes(h.moves) }) {
					break
				}
				if key := keyOf(moves); !seen[key] {
					seen[key] = true
					all = append(all, moves)
				}
			}
		}
	}
	return all
}

// thin leaves n values that are spread over all, the nearest and the farthest
// among them.
func thin(values []float64, n int) []float64 {
	if len(values) <= n {
		return values
	}
	if n == 1 {
		return values[len(values)-1:]
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = values[i*(len(values)-1)/(n-1)]
	}
	return out
}

func keyOf(moves []move) string {
	var key []byte
	for _, m := range moves {
		key = append(key, byte(m.variable))
		bits := math.Float64bits(m.to)
		for shift := 0; shift < 64; shift += 8 {
			key = append(key, byte(bits>>shift))
		}
	}
	return string(key)
}

// promising keeps the states that are nearest to the target, at most two of the
// same variables: many values of one good column would crowd out the others.
func (s *search) promising(states []state) []state {
	slices.SortStableFunc(states, func(a, b state) int {
		return cmp.Or(cmp.Compare(a.gap, b.gap), cmp.Compare(a.cost, b.cost))
	})
	var beam []state
	for _, x := range states {
		same := 0
		for _, y := range beam {
			if len(x.moves) == len(y.moves) && x.changes(y.moves) {
				same++
			}
		}
		if same < 2 && !x.hit() {
			beam = append(beam, x)
		}
		if len(beam) == s.options.Beam {
			break
		}
	}
	return beam
}

func (s *search) cost(m move) float64 {
	v := &s.variables[m.variable]
	return v.cost(s.own[v.at], m.to)
}

// evaluate asks the model what comes of moves.
func (s *search) evaluate(all [][]move) ([]state, error) {
	states := make([]state, 0, len(all))
	for part := range slices.Chunk(all, blockRows) {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		predicted, err := s.predict(part)
		if err != nil {
			return nil, err
		}
		for i, moves := range part {
			p := float64(predicted[i])
			x := state{moves: moves, predicted: p, gap: s.target.gap(p), plausible: s.plausible(moves)}
			for _, m := range moves {
				x.cost += s.cost(m)
			}
			states = append(states, x)
		}
	}
	return states, nil
}

// predict makes a customer of each set of moves and asks the model.
func (s *search) predict(all [][]move) ([]float32, error) {
	columns := make([]feature.Values, len(s.customer))
	for k, v := range s.customer {
		columns[k] = repeat(v, len(all))
	}
	for i, moves := range all {
		for _, m := range moves {
			v := &s.variables[m.variable]
			put(v.column, &columns[v.at], i, m.to)
		}
	}
	x := gbdt.Matrix{Data: make([]float32, len(all)*s.encoder.Width()), Rows: len(all), Cols: s.encoder.Width()}
	if err := s.encoder.Encode(columns, len(all), x.Data); err != nil {
		return nil, err
	}
	return explain.Predict(s.model, x, s.options.Threads)
}

// plausible asks the rules about the columns that moves change.
func (s *search) plausible(moves []move) bool {
	before := func(name schema.Name) float64 {
		if at := slices.IndexFunc(s.columns, func(c schema.Column) bool { return c.Name == name }); at >= 0 {
			return s.own[at]
		}
		return math.NaN()
	}
	after := func(name schema.Name) float64 {
		for _, m := range moves {
			if s.variables[m.variable].Column == name {
				return m.to
			}
		}
		return before(name)
	}
	for _, r := range rules {
		touched := slices.ContainsFunc(moves, func(m move) bool { return slices.Contains(r.columns, s.variables[m.variable].Column) })
		if touched && !r.holds(before, after) {
			return false
		}
	}
	return true
}
