// Package counterfactual says what a customer would have to change for another
// prediction: few columns, each of them one that somebody can change, in the
// direction that is asked for, to a value that customers have.
//
// It follows S. Wachter, B. Mittelstadt and C. Russell, "Counterfactual
// explanations without opening the black box", Harvard Journal of Law & Technology
// 31, 2018, https://arxiv.org/abs/1711.00399, with the limits to what can be acted
// on of Ustun et al. (2019). A prediction of trees changes only where a value
// passes a threshold, so the values next to thresholds are tried: all single
// changes, then, from the most promising ones, a further change at a time (beam
// search). What is found is made as small as it can be one column at a time, and
// the model itself has confirmed each answer.
//
// Changes are made in the columns and not in the features, so that what is made of
// several columns, such as a product, follows, and values keep the column's form:
// whole numbers, decimals, categories. What the schema says of columns together
// (see its rules) holds after the changes as well. The search is complete for
// one change, but for the thinning of Options.Values; for more it may miss
// an answer.
package counterfactual

import (
	"cmp"
	"context"
	"math"
	"slices"

	"engage/internal/feature"
	"engage/internal/model/explain"
	"engage/internal/schema"
)

// Options of a search. The zero value has the defaults.
type Options struct {
	// Count is how many answers are wanted, differing in the columns that they
	// change. The default is 3.
	Count int
	// MaxChanges is how many columns an answer changes at most. The default is 3.
	MaxChanges int
	// Tail is the share of the background's smallest and of its largest values of
	// a column that are not plausible. The default is 0.01; less than 0.5.
	Tail float64
	// Values is how many values of a column are tried while searching, spread over
	// all. Fewer are faster and may miss an answer. The default is 24.
	Values int
	// Beam is how many unfinished answers get a further change. The default is 12.
	Beam int
	// Frozen are columns that shall not change, of those in Actions.
	Frozen []schema.Name
	// Threads that the model may use. The default is one for each processor.
	Threads int
}

func (o Options) filled() (Options, error) {
	o.Count, o.MaxChanges, o.Tail = cmp.Or(o.Count, 3), cmp.Or(o.MaxChanges, 3), cmp.Or(o.Tail, 0.01)
	o.Values, o.Beam = cmp.Or(o.Values, 24), cmp.Or(o.Beam, 12)
	for name, n := range map[string]int{"count": o.Count, "changes": o.MaxChanges, "values": o.Values, "beam": o.Beam} {
		if n < 1 {
			return o, explain.Wrong(name, "are %d: want at least 1", n)
		}
	}
	if !(o.Tail >= 0 && o.Tail < 0.5) {
		return o, explain.Wrong("tail", "is %g: want 0 to less than 0.5", o.Tail)
	}
	return o, nil
}

// Change is what happens to a column.
type Change struct {
	Column   schema.Name
	From, To float64 // of a category, the positions in its list
	// FromLevel and ToLevel are the categories, empty for a number.
	FromLevel, ToLevel string
	Lever              string // see Action
}

// Counterfactual is an answer.
type Counterfactual struct {
	Changes   []Change // the costliest first
	Predicted float64
	// Cost is the sum over the changes of the share of customers that each passes; a
	// category costs 1.
	Cost float64
}

// Finder finds answers. It may be used by one goroutine at a time, as its encoder,
// whose tally counts the customers that were tried.
type Finder struct {
	model     explain.Predictor
	encoder   *feature.Encoder
	columns   []schema.Column
	variables []variable
	options   Options
}

// New makes a finder for a model of a set's features, which the encoder makes.
// The background is rows of the encoder's columns, a sample of customers. If the
// model is a *gbdt.Model, its thresholds guide the search. Errors:
// *explain.InputError.
func New(model explain.Predictor, set feature.Set, encoder *feature.Encoder, background []feature.Values, rows int, o Options) (*Finder, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	f := &Finder{model: model, encoder: encoder, options: o}
	if !slices.Equal(set.Columns(), encoder.Columns()) || set.Len() != encoder.Width() {
		return nil, explain.Wrong("encoder", "makes other features than those of %s: make it of that set", set.Model())
	}
	for _, name := range encoder.Columns() {
		c, _ := schema.Customers.Column(name)
		f.columns = append(f.columns, c)
	}
	if err := checkCells("background", f.columns, background, rows); err != nil {
		return nil, err
	}
	for _, a := range Actions {
		at := slices.Index(encoder.Columns(), a.Column)
		if at < 0 || slices.Contains(o.Frozen, a.Column) {
			continue
		}
		f.variables = append(f.variables, newVariable(a, f.columns[at], at, background[at], rows, o.Tail))
	}
	if t, ok := model.(trees); ok {
		if err := learnSplits(f.variables, t, set, o.Tail); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Find looks for changes of a customer, one row of the encoder's columns, that take
// the prediction into the target: the fewest and cheapest changes first. Errors:
// *MetError, *NoneError, *explain.InputError, the encoder's, the model's and the
// context's.
func (f *Finder) Find(ctx context.Context, customer []feature.Values, target Target) ([]Counterfactual, error) {
	if math.IsNaN(target.Low) || math.IsNaN(target.High) || !(target.Low <= target.High) || math.IsInf(target.Low, 1) || math.IsInf(target.High, -1) {
		return nil, explain.Wrong("target", "%g to %g is no range: give the lower bound first", target.Low, target.High)
	}
	if err := checkCells("customer", f.columns, customer, 1); err != nil {
		return nil, err
	}
	s := &search{Finder: f, ctx: ctx, customer: customer, target: target}
	s.own = make([]float64, len(f.columns))
	for k, c := range f.columns {
		s.own[k] = number(c, customer[k], 0)
	}
	start, err := s.evaluate([][]move{nil})
	if err != nil {
		return nil, err
	}
	s.start = start[0]
	if s.start.gap == 0 {
		return nil, &MetError{Target: target, Predicted: s.start.predicted}
	}
	hits, err := s.run()
	if err != nil {
		return nil, err
	}
	return s.answers(hits)
}

// describe makes an answer of a state.
func (s *search) describe(x state) Counterfactual {
	out := Counterfactual{Predicted: x.predicted, Cost: x.cost}
	slices.SortStableFunc(x.moves, func(a, b move) int { return cmp.Compare(s.cost(b), s.cost(a)) })
	for _, m := range x.moves {
		v := &s.variables[m.variable]
		c := Change{Column: v.Column, From: s.own[v.at], To: m.to, Lever: v.Lever}
		if v.column.Categorical() {
			c.FromLevel, c.ToLevel = v.column.Enum[int(c.From)], v.column.Enum[int(c.To)]
		}
		out.Changes = append(out.Changes, c)
	}
	return out
}
