package counterfactual

import (
	"math"
	"slices"

	"engage/internal/feature"
	"engage/internal/model/explain"
	"engage/internal/model/gbdt"
	"engage/internal/schema"
)

// variable is a column that may be changed.
type variable struct {
	Action
	column schema.Column
	at     int       // its position among the columns that the encoder wants
	known  []float64 // the background's values, ascending
	values []float64 // that it may take, ascending, in the column's form
}

// newVariable learns plausible values from a column of the background: those
// between two quantiles and in the schema's range. It has none if the column is
// always missing.
func newVariable(a Action, c schema.Column, at int, background feature.Values, rows int, tail float64) variable {
	v := variable{Action: a, column: c, at: at}
	for i := range rows {
		if x := number(c, background, i); x == x {
			v.known = append(v.known, x)
		}
	}
	slices.Sort(v.known)
	if len(v.known) == 0 {
		return v
	}
	if c.Categorical() {
		v.values = slices.Compact(slices.Clone(v.known))
		return v
	}
	const points = 32
	for i := range points + 1 {
		v.add(v.quantile(tail+(1-2*tail)*float64(i)/points), tail)
	}
	return v
}

// quantile is the background's value at a share of the ranks.
func (v *variable) quantile(share float64) float64 {
	return v.known[int(math.Round(share*float64(len(v.known)-1)))]
}

// split adds the values next to a threshold, on the sides that the direction can
// reach it from.
func (v *variable) split(threshold float32, tail float64) {
	if len(v.known) == 0 || v.column.Categorical() {
		return
	}
	above := math.Ceil(float64(threshold)*v.steps()) / v.steps()
	if float32(above) < threshold {
		above += 1 / v.steps()
	}
	if v.Direction != Down {
		v.add(above, tail)
	}
	if v.Direction != Up {
		below := above - 1/v.steps()
		if float32(below) >= threshold {
			below -= 1 / v.steps()
		}
		v.add(below, tail)
	}
}

// steps is how many values of the column's form there are to a unit.
func (v *variable) steps() float64 {
	if v.column.Type == schema.Double {
		return math.Pow10(v.column.Decimals)
	}
	return 1
}

// add adds a value in the column's form if it is plausible.
func (v *variable) add(x, tail float64) {
	x = math.Round(x*v.steps()) / v.steps()
	if x < v.quantile(tail) || x > v.quantile(1-tail) || v.column.Range != nil && !v.column.Range.Contains(x) {
		return
	}
	if i, found := slices.BinarySearch(v.values, x); !found {
		v.values = slices.Insert(v.values, i, x)
	}
}

// from lists the values that the direction allows from the customer's own, the
// nearest first. What is missing does not apply to the customer and stays so.
func (v *variable) from(own float64) []float64 {
	var out []float64
	for _, x := range v.values {
		if x > own && v.Direction != Down || x < own && v.Direction != Up {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b float64) int {
		switch x, y := math.Abs(a-own), math.Abs(b-own); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return out
}

// cost is the share of the background that a change passes: B. Ustun, A. Spangher
// and Y. Liu, "Actionable recourse in linear classification", FAT* 2019. Every
// change of a category costs 1.
func (v *variable) cost(from, to float64) float64 {
	if v.column.Categorical() {
		return 1
	}
	return math.Abs(v.rank(to) - v.rank(from))
}

// rank is the share of the background below a value, those equal counted half.
func (v *variable) rank(x float64) float64 {
	below, _ := slices.BinarySearch(v.known, x)
	upTo, _ := slices.BinarySearch(v.known, math.Nextafter(x, math.Inf(1)))
	return float64(below+upTo) / 2 / float64(len(v.known))
}

// trees is a model whose thresholds are known.
type trees interface {
	Trees() []gbdt.Tree
	Columns() []gbdt.Column
}

// learnSplits adds the values next to the model's thresholds on the columns
// themselves; thresholds on what is made of columns are left to the quantiles.
func learnSplits(variables []variable, model trees, set feature.Set, tail float64) error {
	features, columns := set.Features(), model.Columns()
	byColumn := map[schema.Name]*variable{}
	for i := range variables {
		byColumn[variables[i].Column] = &variables[i]
	}
	split := map[[2]float32]bool{}
	for _, t := range model.Trees() {
		for i, n := range t.Nodes {
			if t.Leaf(i) {
				continue
			}
			f := columns[n.Column].Feature
			if f < 0 || f >= len(features) {
				return explain.Wrong("model", "splits by feature %d of %d: give the set that it was trained on", f, len(features))
			}
			v, key := byColumn[features[f].Columns[0]], [2]float32{float32(f), n.Threshold}
			if v == nil || split[key] || features[f].Encoding != feature.Numeric {
				continue
			}
			split[key] = true
			v.split(n.Threshold, tail)
		}
	}
	return nil
}
