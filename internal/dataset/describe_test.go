package dataset_test

import (
	"math"
	"slices"
	"testing"

	"engage/internal/dataset"
	"engage/internal/schema"
)

func TestDescribeSummarisesTheCustomers(t *testing.T) {
	const n = 1000
	w := newWorld(n)
	d, err := dataset.Describe(t.Context(), w.store(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Columns) != len(schema.Customers.Columns) || d.Manifest.Rows != n {
		t.Fatalf("%d columns", len(d.Columns))
	}
	for i, s := range d.Columns {
		c, col := schema.Customers.Columns[i], w.customers.Columns[i]
		var values []float64
		for row := range n {
			switch {
			case !col.Present(row):
			case col.Floats != nil:
				values = append(values, col.Floats[row])
			case col.Ints != nil:
				values = append(values, float64(col.Ints[row]))
			}
		}
		if s.Column != c.Name || s.Count+s.Missing != n {
			t.Fatalf("column %d is %+v", i, s)
		}
		if c.Numeric() {
			checkNumbers(t, c.Name, s.Numbers, values)
		}
		if (c.Type == schema.Boolean) != (s.Share != nil) || c.Type == schema.Boolean && s.Numbers != nil {
			t.Errorf("%s: share %v, numbers %v", c.Name, s.Share, s.Numbers)
		}
		if s.Share != nil && *s.Share != shareTrue(col.Bools) {
			t.Errorf("%s: share %v, want %v", c.Name, *s.Share, shareTrue(col.Bools))
		}
		if c.Categorical() != (len(s.Categories) > 0) || !slices.IsSortedFunc(s.Categories, func(a, b dataset.Category) int { return int(b.Count - a.Count) }) {
			t.Errorf("%s: categories %v", c.Name, s.Categories)
		}
	}
}

func shareTrue(flags []bool) float64 {
	n := 0
	for _, f := range flags {
		if f {
			n++
		}
	}
	return float64(n) / float64(len(flags))
}

// checkNumbers compares with the definitions; quartiles may be off by 1/256.
func checkNumbers(t *testing.T, name schema.Name, got *dataset.Numbers, values []float64) {
	t.Helper()
	slices.Sort(values)
	n, mean, ss := float64(len(values)), 0.0, 0.0
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		ss += (v - mean) * (v - mean)
	}
	near := func(what string, got, want, tolerance float64) {
		if math.Abs(got-want) > tolerance*math.Max(math.Abs(want), 1e-6) {
			t.Errorf("%s: %s is %v, want %v", name, what, got, want)
		}
	}
	near("mean", got.Mean, mean, 1e-9)
	near("sd", got.SD, math.Sqrt(ss/(n-1)), 1e-9)
	near("min", got.Min, values[0], 0)
	near("max", got.Max, values[len(values)-1], 0)
	for q, v := range map[float64]float64{0.25: got.LowerQuarter, 0.5: got.Median, 0.75: got.UpperQuarter} {
		near("quartile", v, values[int(math.Ceil(q*n))-1], 1.0/256)
	}
}

func TestDescribeReadsCSVWhereThereIsNoParquet(t *testing.T) {
	w := newWorld(20)
	full, dir := w.store(t), w.storeIn(t, "csv")
	a, err := dataset.Describe(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := dataset.Describe(t.Context(), full)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Columns {
		if a.Columns[i].Count != b.Columns[i].Count || a.Columns[i].Missing != b.Columns[i].Missing {
			t.Errorf("%s: %+v and %+v", a.Columns[i].Column, a.Columns[i], b.Columns[i])
		}
	}
}
