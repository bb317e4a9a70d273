package counterfactual

import (
	"math/rand/v2"
	"slices"
	"testing"

	"engage/internal/feature"
	"engage/internal/model/explain"
	"engage/internal/schema"
)

// hours are a background of 0, 0.1, ... 9.9.
func hours() feature.Values {
	var v feature.Values
	for i := range 100 {
		v.Floats = append(v.Floats, float64(i)/10)
	}
	return v
}

// TestVariable: values are between the quantiles and in the column's form, and
// those next to a threshold are on the side that the direction comes to.
func TestVariable(t *testing.T) {
	c := column(schema.ResponseTimeAvgHours)
	v := newVariable(Action{c.Name, Down, "-"}, c, 0, hours(), 100, 0.1)
	for _, threshold := range []float32{0.2, 3.14159, 7.77, 9.7, -4, 1e9} {
		v.split(threshold, 0.1)
	}
	for hundredths := float32(100); hundredths < 890; hundredths += 7 {
		v.split(hundredths/100+0.001, 0.1)
	}
	if low, high := v.values[0], v.values[len(v.values)-1]; low != 1 || high != 8.9 {
		t.Errorf("values from %g to %g, want 1 to 8.9", low, high)
	}
	for _, want := range []float64{3.14, 7.76} {
		if !slices.Contains(v.values, want) {
			t.Errorf("%g is missing of %v", want, v.values)
		}
	}
	for _, x := range v.values {
		if x != inForm(c, x) {
			t.Errorf("%v is not in the column's form", x)
		}
	}
	if from := v.from(1.3); len(from) == 0 || from[0] >= 1.3 || from[len(from)-1] != 1 || !slices.IsSortedFunc(from, func(a, b float64) int { return int(1000 * (b - a)) }) {
		t.Errorf("down from 1.3: %v", from)
	}
	if v.cost(5, 2.5) != 0.25 || v.cost(5, 5) != 0 {
		t.Errorf("a quarter of the customers costs %g", v.cost(5, 2.5))
	}
	up := newVariable(Action{c.Name, Up, "-"}, c, 0, hours(), 100, 0)
	up.split(3.14159, 0)
	if !slices.Contains(up.values, 3.15) || slices.Contains(up.values, 3.14) {
		t.Errorf("up past 3.14159: %v", up.values)
	}
}

// TestShrink: from a search over the nearest and the farthest value alone, the
// answer still comes back to the nearest value that is enough.
func TestShrink(t *testing.T) {
	set := numberSet(t, feature.Number(schema.ResponseTimeAvgHours))
	model := explain.PredictorFunc(func(r []float32) float32 { return -r[0] })
	background := []feature.Values{hours()}
	finder, err := New(model, set, set.Encoder(feature.RefuseUnknown), background, 100, Options{Values: 2})
	if err != nil {
		t.Fatal(err)
	}
	person := []feature.Values{{Floats: []float64{9}}}
	answers, err := finder.Find(ctx, person, AtLeast(-4.31))
	if err != nil || len(answers) != 1 {
		t.Fatalf("%+v, %v", answers, err)
	}
	own := finder.variables[0].from(9)
	to := answers[0].Changes[0].To
	if i := slices.Index(own, to); to > 4.31 || own[i-1] <= 4.31 {
		t.Errorf("changed to %g of %v", to, own)
	}
}

func moves(variables ...int) []move {
	var out []move
	for _, v := range variables {
		out = append(out, move{variable: v})
	}
	return out
}

// TestDiverse: after the cheapest, what shares least comes first.
func TestDiverse(t *testing.T) {
	hits := []state{{moves: moves(1, 2), cost: 1}, {moves: moves(1, 3), cost: 2}, {moves: moves(4, 5), cost: 9}, {moves: moves(2, 3), cost: 3}}
	var costs []float64
	for _, x := range diverse(hits, 3) {
		costs = append(costs, x.cost)
	}
	if !slices.Equal(costs, []float64{1, 9, 2}) {
		t.Errorf("costs %v", costs)
	}
}

// TestPromising: two states of the same variables stay, the third makes room.
func TestPromising(t *testing.T) {
	s := &search{Finder: &Finder{options: Options{Beam: 3}}}
	states := []state{{moves: moves(1), gap: 1}, {moves: moves(1), gap: 2}, {moves: moves(1), gap: 3}, {moves: moves(2), gap: 4}, {moves: moves(3), gap: 5}}
	var gaps []float64
	for _, x := range s.promising(states) {
		gaps = append(gaps, x.gap)
	}
	if !slices.Equal(gaps, []float64{1, 2, 4}) {
		t.Errorf("gaps %v", gaps)
	}
}

// TestRepeatable: nothing is left to chance.
func TestRepeatable(t *testing.T) {
	find := func() []Counterfactual {
		random := rand.New(rand.NewPCG(21, 22))
		w := newWorld(t, feature.Engagement, forest(random, feature.Engagement, 30, 5), random, Options{Count: 5})
		person := rowOf(population(random, w.set.Columns(), 1), 0)
		answers, err := w.finder.Find(ctx, person, AtLeast(w.predict(t, person)+0.2))
		if err != nil {
			t.Fatal(err)
		}
		return answers
	}
	same := func(a, b Counterfactual) bool {
		return slices.Equal(a.Changes, b.Changes) && a.Predicted == b.Predicted
	}
	if a, b := find(), find(); !slices.EqualFunc(a, b, same) {
		t.Errorf("%+v, then %+v", a, b)
	}
}
