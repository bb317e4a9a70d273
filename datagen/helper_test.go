package datagen

import (
	"context"
	"math"
	"sync"
	"testing"

	"engage/internal/frame"
	"engage/internal/schema"
)

// sampleRows is enough for standard errors of about half a percent.
const sampleRows = 40_000

// sample is a population that many tests look at; none changes it.
type sample struct {
	population       *Population
	customers, truth *frame.Batch
	connections      *frame.Batch
	tally            *Tally
}

var shared = sync.OnceValues(func() (*sample, error) {
	p, err := New(context.Background(), Config{Rows: sampleRows, Seed: 20261123, Workers: 2})
	if err != nil {
		return nil, err
	}
	s := &sample{population: p, connections: p.Connections(0, sampleRows)}
	s.customers, s.truth, s.tally = p.Customers(0, sampleRows)
	return s, nil
})

func theSample(t testing.TB) *sample {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbers returns a column as numbers: flags as 0 and 1, categories by their
// place in the list, missing values as NaN.
func numbers(b *frame.Batch, name schema.Name) []float64 {
	description, _ := b.Table.Column(name)
	column, out := b.Column(name), make([]float64, b.Rows)
	place := map[string]float64{}
	for i, v := range description.Enum {
		place[v] = float64(i)
	}
	for i := range out {
		switch {
		case !column.Present(i):
			out[i] = math.NaN()
		case column.Floats != nil:
			out[i] = column.Floats[i]
		case column.Ints != nil:
			out[i] = float64(column.Ints[i])
		case column.Bools != nil && column.Bools[i]:
			out[i] = 1
		case column.Strings != nil:
			out[i] = place[column.Strings[i]]
		}
	}
	return out
}

// moments returns mean and standard deviation of the values that are there, and
// the share of those that are not.
func moments(x []float64) (mean, sd, missing float64) {
	var n, sum, squares float64
	for _, v := range x {
		if !math.IsNaN(v) {
			n++
			sum += v
			squares += v * v
		}
	}
	mean = sum / n
	return mean, math.Sqrt(max(0, squares/n-mean*mean)), 1 - n/float64(len(x))
}

// correlation is Pearson's, over the rows where both values are there.
func correlation(x, y []float64) float64 {
	var n, sx, sy, sxx, syy, sxy float64
	for i := range x {
		if math.IsNaN(x[i]) || math.IsNaN(y[i]) {
			continue
		}
		n++
		sx, sy = sx+x[i], sy+y[i]
		sxx, syy, sxy = sxx+x[i]*x[i], syy+y[i]*y[i], sxy+x[i]*y[i]
	}
	return (n*sxy - sx*sy) / math.Sqrt((n*sxx-sx*sx)*(n*syy-sy*sy))
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %.6g, want %.6g within %.3g", what, got, want, tolerance)
	}
}
