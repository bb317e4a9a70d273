package baseline

import (
	"slices"

	"engage/internal/model/gbdt"
)

// coder makes ranks of numbers. golearn looks at all rows again for every distinct
// value, so there must be few of them.
type coder struct {
	bounds [][]float32 // of a number: where the next bin begins; nil for a category
}

// newCoder puts bounds at quantiles.
func newCoder(x gbdt.Matrix, categories []bool, bins int) coder {
	c := coder{bounds: make([][]float32, x.Cols)}
	for k := range x.Cols {
		if categories[k] {
			continue
		}
		var values []float32
		for i := range x.Rows {
			if v := x.Row(i)[k]; v == v {
				values = append(values, v)
			}
		}
		slices.Sort(values)
		c.bounds[k] = []float32{}
		for b := 1; b < bins && len(values) > 0; b++ {
			c.bounds[k] = append(c.bounds[k], values[b*len(values)/bins])
		}
		c.bounds[k] = slices.Compact(c.bounds[k])
	}
	return c
}

// code makes rows: 0 is missing, numbers and categories count from 1.
func (c coder) code(x gbdt.Matrix) [][]float64 {
	out := make([][]float64, x.Rows)
	for i := range out {
		out[i] = make([]float64, x.Cols)
		for k, v := range x.Row(i) {
			switch {
			case v != v:
			case c.bounds[k] == nil:
				out[i][k] = 1 + float64(v)
			default:
				at, found := slices.BinarySearch(c.bounds[k], v)
				if found {
					at++
				}
				out[i][k] = 1 + float64(at)
			}
		}
	}
	return out
}
