package counterfactual

import (
	"cmp"
	"slices"
)

// answers picks hits that differ, makes each as small as it gets and describes
// them.
func (s *search) answers(hits []state) ([]Counterfactual, error) {
	if len(hits) == 0 {
		none := &NoneError{Target: s.target, Predicted: s.start.predicted, MaxChanges: s.options.MaxChanges, Best: s.nearest.predicted}
		none.Nearest = s.describe(s.nearest).Changes
		return nil, none
	}
	var small []state
	for _, x := range diverse(hits, s.options.Count) {
		x, err := s.shrink(x)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(small, func(y state) bool { return x.changes(y.moves) || y.changes(x.moves) }) {
			small = append(small, x)
		}
	}
	slices.SortStableFunc(small, cheaper)
	out := make([]Counterfactual, len(small))
	for i, x := range small {
		out[i] = s.describe(x)
	}
	return out, nil
}

// diverse picks the cheapest hit and then, again and again, the one that shares the
// least of its variables with those picked, the cheapest of equals.
func diverse(hits []state, count int) []state {
	slices.SortStableFunc(hits, cheaper)
	picked := hits[:1:1]
	for rest := slices.Clone(hits[1:]); len(picked) < count && len(rest) > 0; {
		best := 0
		for i := range rest {
			if overlap(rest[i], picked) < overlap(rest[best], picked) {
				best = i
			}
		}
		picked = append(picked, rest[best])
		rest = slices.Delete(rest, best, best+1)
	}
	return picked
}

// overlap is the largest share of variables in common with one of others: P.
// Jaccard's index.
func overlap(x state, others []state) float64 {
	most := 0.0
	for _, y := range others {
		common := 0
		for _, m := range x.moves {
			if y.changes([]move{m}) {
				common++
			}
		}
		most = max(most, float64(common)/float64(len(x.moves)+len(y.moves)-common))
	}
	return most
}

// shrink takes each change back, or as far back as the target allows, the costliest
// first, until nothing gets cheaper.
func (s *search) shrink(x state) (state, error) {
	for {
		before := x
		order := slices.Clone(x.moves)
		slices.SortStableFunc(order, func(a, b move) int { return cmp.Compare(s.cost(b), s.cost(a)) })
		for _, m := range order {
			nearer, err := s.evaluate(s.nearer(x, m))
			if err != nil {
				return state{}, err
			}
			nearer = slices.DeleteFunc(nearer, func(y state) bool { return !y.hit() })
			if len(nearer) == 0 {
				continue
			}
			if y := slices.MinFunc(nearer, cheaper); cheaper(y, x) < 0 {
				x = y
			}
		}
		if cheaper(x, before) == 0 {
			return x, nil
		}
	}
}

// nearer lists the moves without m and with all values of its variable that are
// nearer to the customer's own.
func (s *search) nearer(x state, m move) [][]move {
	without := slices.DeleteFunc(slices.Clone(x.moves), func(n move) bool { return n.variable == m.variable })
	all := [][]move{without}
	v := &s.variables[m.variable]
	for _, to := range v.from(s.own[v.at]) {
		if v.cost(s.own[v.at], to) < s.cost(m) {
			moves := append(slices.Clone(without), move{m.variable, to})
			slices.SortFunc(moves, func(a, b move) int { return a.variable - b.variable })
			all = append(all, moves)
		}
	}
	return all
}
