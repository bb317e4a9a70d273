package counterfactual

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"engage/internal/feature"
	"engage/internal/model/explain"
	"engage/internal/schema"
)

// TestActions: each action and each column of a rule is a feature of the schema,
// and no column has two actions.
func TestActions(t *testing.T) {
	seen := map[schema.Name]bool{}
	for _, a := range Actions {
		c, ok := schema.Customers.Column(a.Column)
		if !ok || c.Role != schema.Feature || !(c.Numeric() || c.Categorical()) || a.Lever == "" || seen[a.Column] {
			t.Errorf("action on %s", a.Column)
		}
		seen[a.Column] = true
	}
	for _, r := range rules {
		for _, name := range r.columns {
			if schema.Customers.Index(name) < 0 {
				t.Errorf("a rule is about %s", name)
			}
		}
	}
	for driver, dependents := range opened {
		for _, name := range dependents {
			if c, ok := schema.Customers.Column(name); !ok || !c.Nullable || !seen[driver] {
				t.Errorf("%s opens %s", driver, name)
			}
		}
	}
}

// TestProperties: whatever is found for random customers of random trees crosses
// the target, by another encoder and the model itself, changes only what Actions
// names, in its direction, to plausible values in the column's form, keeps the
// rules, needs each of its changes, and differs from the others.
func TestProperties(t *testing.T) {
	found := 0
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, feature.Engagement, forest(random, feature.Engagement, 30, 5), random, Options{})
		people := population(random, w.set.Columns(), 12)
		for i := range 12 {
			person := rowOf(people, i)
			was := w.predict(t, person)
			target := AtLeast(was + 0.25)
			if i%3 == 0 {
				target = AtMost(was - 0.25)
			}
			answers, err := w.finder.Find(ctx, person, target)
			if none := (*NoneError)(nil); errors.As(err, &none) {
				if none.Predicted != was || target.gap(none.Best) == 0 || target.gap(none.Best) > target.gap(was) ||
					w.predict(t, w.changed(person, none.Nearest, -1)) != none.Best {
					t.Errorf("seed %d, customer %d: %v", seed, i, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			found += len(answers)
			for k, a := range answers {
				w.checkAnswer(t, person, target, a)
				for _, b := range answers[:k] {
					if slices.EqualFunc(a.Changes, b.Changes, func(x, y Change) bool { return x.Column == y.Column }) {
						t.Errorf("two answers change %+v", a.Changes)
					}
				}
			}
		}
	}
	if found < 80 {
		t.Errorf("only %d answers to 72 questions", found)
	}
}

func (w *world) checkAnswer(t *testing.T, person []feature.Values, target Target, a Counterfactual) {
	t.Helper()
	if p := w.predict(t, w.changed(person, a.Changes, -1)); p != a.Predicted || target.gap(p) != 0 {
		t.Errorf("%+v predicts %g, said %g for %s", a.Changes, p, a.Predicted, target)
	}
	if len(a.Changes) < 1 || len(a.Changes) > 3 {
		t.Errorf("%d changes", len(a.Changes))
	}
	own := func(name schema.Name) float64 {
		if k := slices.Index(w.set.Columns(), name); k >= 0 {
			return number(column(name), person[k], 0)
		}
		return math.NaN()
	}
	for i, c := range a.Changes {
		at := slices.IndexFunc(Actions, func(a Action) bool { return a.Column == c.Column })
		if at < 0 || c.From != own(c.Column) || c.To == c.From ||
			Actions[at].Direction == Up && c.To < c.From || Actions[at].Direction == Down && c.To > c.From {
			t.Errorf("change %+v from %g", c, own(c.Column))
		}
		w.checkValue(t, c)
		rest := w.changed(person, a.Changes, i)
		cells := slices.Delete(slices.Clone(a.Changes), i, i+1)
		if target.gap(w.predict(t, rest)) == 0 && keepsRules(own, cells) {
			t.Errorf("change %d of %+v is not needed", i, a.Changes)
		}
	}
	if !keepsRules(own, a.Changes) {
		t.Errorf("%+v breaks a rule", a.Changes)
	}
}

func (w *world) checkValue(t *testing.T, c Change) {
	t.Helper()
	col := column(c.Column)
	if col.Categorical() {
		if c.ToLevel != col.Enum[int(c.To)] || c.FromLevel != col.Enum[int(c.From)] {
			t.Errorf("levels of %+v", c)
		}
		return
	}
	var known []float64
	k := slices.Index(w.set.Columns(), c.Column)
	for i := range w.rows {
		if x := number(col, w.background[k], i); x == x {
			known = append(known, x)
		}
	}
	slices.Sort(known)
	low, high := known[len(known)/100-1], known[len(known)-len(known)/100]
	if c.To != inForm(col, c.To) || !col.Range.Contains(c.To) || c.To < low || c.To > high {
		t.Errorf("%s to %v: range %g to %g", c.Column, c.To, low, high)
	}
}

// keepsRules tells the schema's rules again, in other words.
func keepsRules(own func(schema.Name) float64, changes []Change) bool {
	x := func(name schema.Name) float64 {
		for _, c := range changes {
			if c.Column == name {
				return c.To
			}
		}
		return own(name)
	}
	idle := x(schema.DaysSinceLastLogin) >= 30
	for _, name := range schema.WindowActivity {
		if idle && x(name) > 0 {
			return false
		}
	}
	used := x(schema.PremiumFeatureUsageRate) > 0
	begins := func(driver, dependent schema.Name) bool {
		return own(driver) == 0 && x(driver) > 0 && math.IsNaN(own(dependent))
	}
	return !(x(schema.AvgDailyLogins)*x(schema.AvgSessionDurationMin) > 961) &&
		!(x(schema.NumNewConnectionsMonth) > x(schema.TotalConnections)) &&
		used == (x(schema.PremiumFeaturesUsedCount) > 0) && !(used && x(schema.AccountType) == 0) &&
		!begins(schema.ContentPostsPerWeek, schema.ContentViralityScore) && !begins(schema.NumMessagesSentPerDay, schema.ResponseTimeAvgHours)
}

// TestLinear: one change is enough, and it is the smallest that is in the column's
// form: 5 events more at 0.1 each. The other column has to go 40 of its range.
func TestLinear(t *testing.T) {
	set := numberSet(t, feature.Number(schema.NumEventsJoinedMonth), feature.Number(schema.AvgScrollDepthPct), feature.Number(schema.ChurnRiskScore))
	model := explain.PredictorFunc(func(r []float32) float32 { return 0.1*r[0] + 0.0125*r[1] - 5*r[2] })
	w := newWorld(t, set, model, rand.New(rand.NewPCG(1, 2)), Options{})
	// The background has every whole number.
	w.background[0].Ints = slices.Repeat([]int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, 50)
	finder, err := New(model, set, set.Encoder(feature.RefuseUnknown), w.background, 1000, Options{})
	if err != nil {
		t.Fatal(err)
	}
	person := []feature.Values{{Ints: []int64{2}}, {Floats: []float64{0}}, {Floats: []float64{0}}}
	answers, err := finder.Find(ctx, person, AtLeast(0.6999))
	if err != nil {
		t.Fatal(err)
	}
	columns := map[schema.Name]float64{}
	for _, a := range answers {
		if len(a.Changes) != 1 {
			t.Errorf("%+v", a)
		}
		columns[a.Changes[0].Column] = a.Changes[0].To
	}
	if len(columns) != 2 || columns[schema.NumEventsJoinedMonth] != 7 || columns[schema.AvgScrollDepthPct] < 40 {
		t.Errorf("%v", columns)
	}
}

// TestBruteForce: on small trees over two columns of few values, there is an answer
// exactly if trying every pair of values finds one, with as few changes and, of one
// change, as cheap.
func TestBruteForce(t *testing.T) {
	set := numberSet(t, feature.Number(schema.NumEventsJoinedMonth), feature.Number(schema.GigListingsActive), feature.Number(schema.TrustScore))
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 3))
		w := newWorld(t, set, forest(random, set, 4, 3), random, Options{Tail: 1e-9, Values: 1000, Beam: 1000})
		person := rowOf(population(random, set.Columns(), 1), 0)
		target := AtLeast(w.predict(t, person) + 0.3)
		fewest, cheapest := w.brute(t, person, target)
		answers, err := w.finder.Find(ctx, person, target)
		var none *NoneError
		switch {
		case fewest == 0 && !errors.As(err, &none):
			t.Errorf("seed %d: found %+v, %v", seed, answers, err)
		case fewest > 0 && (err != nil || len(answers[0].Changes) != fewest):
			t.Errorf("seed %d: found %+v, %v, by brute force %d changes", seed, answers, err, fewest)
		case fewest == 1 && math.Abs(answers[0].Cost-cheapest) > 0.02:
			t.Errorf("seed %d: cost %g, by brute force %g", seed, answers[0].Cost, cheapest)
		}
	}
}

// brute tries every pair of values that the background has, up from the person's.
func (w *world) brute(t *testing.T, person []feature.Values, target Target) (fewest int, cheapest float64) {
	fewest, cheapest = 0, math.Inf(1)
	values := [2][]int64{}
	for k := range values {
		values[k] = slices.Sorted(slices.Values(w.background[k].Ints))
		values[k] = slices.DeleteFunc(slices.Compact(values[k]), func(x int64) bool { return x < person[k].Ints[0] })
		values[k] = slices.Compact(append([]int64{person[k].Ints[0]}, values[k]...))
	}
	for _, a := range values[0] {
		for _, b := range values[1] {
			x := []feature.Values{{Ints: []int64{a}}, {Ints: []int64{b}}, person[2]}
			if target.gap(w.predict(t, x)) > 0 {
				continue
			}
			changes, cost := 0, 0.0
			for k, to := range []int64{a, b} {
				if from := person[k].Ints[0]; to != from {
					changes++
					cost += w.finder.variables[k].cost(float64(from), float64(to))
				}
			}
			if fewest == 0 || changes < fewest || changes == fewest && cost < cheapest {
				fewest, cheapest = changes, cost
			}
		}
	}
	return fewest, cheapest
}

// TestInteraction: what is made of two columns follows a change of one.
func TestInteraction(t *testing.T) {
	set := numberSet(t, feature.Number(schema.AvgDailyLogins), feature.Number(schema.AvgSessionDurationMin),
		feature.Product(schema.AvgDailyLogins, schema.AvgSessionDurationMin))
	model := explain.PredictorFunc(func(r []float32) float32 { return r[2] })
	w := newWorld(t, set, model, rand.New(rand.NewPCG(5, 6)), Options{})
	person := []feature.Values{{Floats: []float64{2}}, {Floats: []float64{10}}}
	answers, err := w.finder.Find(ctx, person, AtLeast(40))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		w.checkAnswer(t, person, AtLeast(40), a)
	}
	// 960 minutes a day are the most.
	if _, err := w.finder.Find(ctx, person, AtLeast(970)); !errors.As(err, new(*NoneError)) {
		t.Errorf("more than a day: %v", err)
	}
}

// TestTogether: using premium takes an account, a rate and a count at once.
func TestTogether(t *testing.T) {
	set := numberSet(t, feature.Levels(schema.AccountType), feature.Number(schema.PremiumFeatureUsageRate), feature.Number(schema.PremiumFeaturesUsedCount))
	model := explain.PredictorFunc(func(r []float32) float32 { return r[1] })
	w := newWorld(t, set, model, rand.New(rand.NewPCG(7, 8)), Options{})
	free := []feature.Values{{Strings: []string{"free"}}, {Floats: []float64{0}}, {Ints: []int64{0}}}
	answers, err := w.finder.Find(ctx, free, AtLeast(0.1))
	if err != nil || len(answers) != 1 || len(answers[0].Changes) != 3 {
		t.Fatalf("%+v, %v", answers, err)
	}
	for _, c := range answers[0].Changes {
		if c.Column == schema.AccountType && (c.FromLevel != "free" || c.ToLevel != "premium") {
			t.Errorf("%+v", c)
		}
	}
	frozen := newWorld(t, set, model, rand.New(rand.NewPCG(7, 8)), Options{Frozen: []schema.Name{schema.AccountType}})
	var none *NoneError
	if _, err := frozen.finder.Find(ctx, free, AtLeast(0.1)); !errors.As(err, &none) || len(none.Nearest) != 0 || none.Best != 0 {
		t.Errorf("without an account: %v", err)
	}
}

func TestBadInput(t *testing.T) {
	set := numberSet(t, feature.Number(schema.NumEventsJoinedMonth), feature.Number(schema.AvgScrollDepthPct))
	model := explain.PredictorFunc(func(r []float32) float32 { return r[0] })
	w := newWorld(t, set, model, rand.New(rand.NewPCG(9, 10)), Options{})
	person := []feature.Values{{Ints: []int64{2}}, {Floats: []float64{10}}}
	find := func(person []feature.Values, target Target) error {
		_, err := w.finder.Find(ctx, person, target)
		return err
	}
	create := func(background []feature.Values, rows int, o Options) error {
		_, err := New(model, set, set.Encoder(feature.RefuseUnknown), background, rows, o)
		return err
	}
	_, foreign := New(model, set, feature.Engagement.Encoder(feature.RefuseUnknown), w.background, w.rows, Options{})
	_, trained := New(forest(rand.New(rand.NewPCG(1, 1)), feature.Engagement, 5, 5), set, set.Encoder(feature.RefuseUnknown), w.background, w.rows, Options{})
	for name, err := range map[string]error{
		"empty background":  create(w.background, 0, Options{}),
		"short background":  create(w.background, 3, Options{}),
		"missing column":    create(w.background[:1], w.rows, Options{}),
		"NaN background":    create([]feature.Values{{Ints: []int64{1}}, {Floats: []float64{math.NaN()}}}, 1, Options{}),
		"count":             create(w.background, w.rows, Options{Count: -1}),
		"tail":              create(w.background, w.rows, Options{Tail: 0.5}),
		"NaN tail":          create(w.background, w.rows, Options{Tail: math.NaN()}),
		"foreign encoder":   foreign,
		"foreign model":     trained,
		"NaN target":        find(person, AtLeast(math.NaN())),
		"inverted target":   find(person, Target{2, 1}),
		"unreachable":       find(person, AtLeast(math.Inf(1))),
		"two customers":     find(w.background, AtLeast(9)),
		"NaN customer":      find([]feature.Values{{Ints: []int64{2}}, {Floats: []float64{math.NaN()}}}, AtLeast(9)),
		"customer's column": find([]feature.Values{{Floats: []float64{2}}, {Floats: []float64{1}}}, AtLeast(9)),
	} {
		if wrong := (*explain.InputError)(nil); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var met *MetError
	if err := find(person, AtLeast(2)); !errors.As(err, &met) || met.Predicted != 2 {
		t.Errorf("a target that is met: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.finder.Find(ended, person, AtLeast(3)); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}

// BenchmarkFind is one customer: 500 trees of depth 8 over the engagement model's
// features, for three answers, and for a target that nothing reaches, which takes
// the whole search.
func BenchmarkFind(b *testing.B) {
	random := rand.New(rand.NewPCG(11, 12))
	w := newWorld(b, feature.Engagement, forest(random, feature.Engagement, 500, 8), random, Options{})
	people := population(random, w.set.Columns(), 20)
	for name, more := range map[string]float64{"found": 0.2, "none": 100} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				person := rowOf(people, i%20)
				_, err := w.finder.Find(ctx, person, AtLeast(w.predict(b, person)+more))
				if none := (*NoneError)(nil); err != nil && !errors.As(err, &none) {
					b.Fatal(err)
				}
			}
		})
	}
}
