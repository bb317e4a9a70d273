package counterfactual

import (
	"math"
	"slices"

	"engage/internal/feature"
	"engage/internal/model/explain"
	"engage/internal/schema"
)

// number is a cell as a number: a category's position in its list. NaN is missing.
func number(c schema.Column, v feature.Values, i int) float64 {
	switch {
	case v.Valid != nil && !v.Valid[i]:
		return math.NaN()
	case v.Strings != nil:
		if k := slices.Index(c.Enum, v.Strings[i]); k >= 0 {
			return float64(k)
		}
		return math.NaN()
	case v.Floats != nil:
		return v.Floats[i]
	case v.Ints != nil:
		return float64(v.Ints[i])
	case v.Bools[i]:
		return 1
	}
	return 0
}

// put writes a number into a cell.
func put(c schema.Column, v *feature.Values, i int, x float64) {
	switch {
	case v.Strings != nil:
		v.Strings[i] = c.Enum[int(x)]
	case v.Floats != nil:
		v.Floats[i] = x
	case v.Ints != nil:
		v.Ints[i] = int64(x)
	default:
		v.Bools[i] = x != 0
	}
}

// repeat makes n rows of one.
func repeat(v feature.Values, n int) feature.Values {
	return feature.Values{Strings: times(v.Strings, n), Ints: times(v.Ints, n), Floats: times(v.Floats, n),
		Bools: times(v.Bools, n), Valid: times(v.Valid, n)}
}

// times keeps nil, which says that cells are of another type.
func times[T any](a []T, n int) []T {
	if a == nil {
		return nil
	}
	return slices.Repeat(a, n)
}

// length is how many cells there are, -1 if the values contradict themselves.
func length(v feature.Values, c schema.Column) int {
	n := len(v.Ints)
	switch c.Type {
	case schema.String:
		n = len(v.Strings)
	case schema.Double:
		n = len(v.Floats)
	case schema.Boolean:
		n = len(v.Bools)
	}
	if v.Valid != nil && len(v.Valid) != n {
		return -1
	}
	return n
}

// checkCells refuses columns that are not n rows of what the encoder wants, or hold
// what is no number.
func checkCells(what string, columns []schema.Column, values []feature.Values, n int) error {
	if len(values) != len(columns) {
		return explain.Wrong(what, "has %d columns: want %d", len(values), len(columns))
	}
	if n < 1 {
		return explain.Wrong(what, "has no rows: give at least one")
	}
	for k, c := range columns {
		if length(values[k], c) != n {
			return explain.Wrong(what, "has in column %s no %d values of type %s", c.Name, n, c.Type)
		}
		for i, x := range values[k].Floats {
			if (values[k].Valid == nil || values[k].Valid[i]) && (math.IsNaN(x) || math.IsInf(x, 0)) {
				return explain.Wrong(what, "has %g in row %d, column %s: mark the cell as missing or correct it", x, i+1, c.Name)
			}
		}
	}
	return nil
}
