package shap

import (
	"context"
	"math"
	"slices"
	"sync"

	"engage/internal/model/gbdt"
)

// An Impact is what one feature adds to a row's margin.
type Impact struct {
	Feature int32 // -1 where the model has fewer features than asked for
	Value   float32
}

// Top finds the k features that add most to each row, or take most away, largest
// first and the first feature of equals first. Out has k places for each group of
// each row. No more than a block's contributions are in memory at a time.
func (e *Explainer) Top(ctx context.Context, x gbdt.Matrix, k int, out []Impact, threads int) error {
	groups := len(e.groups)
	if k < 1 {
		return &gbdt.ShapeError{What: "features to find", Got: k, Want: 1}
	}
	if want := x.Rows * groups * k; len(out) != want {
		return &gbdt.ShapeError{What: "room for impacts", Got: len(out), Want: want}
	}
	n := e.model.NumFeatures() + 1
	return e.Each(ctx, x, threads, func() func(int, []float32) {
		return func(first int, part []float32) {
			to := out[first*groups*k:]
			for i := 0; i*n < len(part); i++ {
				Strongest(part[i*n:(i+1)*n-1], to[i*k:(i+1)*k])
			}
		}
	})
}

// Strongest fills out with the contributions of largest size, largest first and
// the first of equals first.
func Strongest(contributions []float32, out []Impact) {
	found := 0
	for f, v := range contributions {
		size := abs(v)
		if found == len(out) && size <= abs(out[found-1].Value) {
			continue
		}
		if found < len(out) {
			found++
		}
		at := found - 1
		for ; at > 0 && abs(out[at-1].Value) < size; at-- {
			out[at] = out[at-1]
		}
		out[at] = Impact{int32(f), v}
	}
	for i := found; i < len(out); i++ {
		out[i] = Impact{Feature: -1}
	}
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// A Summary says how a model uses its features over many rows. Each slice has the
// features of the first group, then those of the next.
type Summary struct {
	Rows    int
	MeanAbs []float64 // the mean size of the contributions: the importance
	Mean    []float64
}

// Ranking returns the features of a group, the most important first.
func (s *Summary) Ranking(group, groups int) []int {
	n := len(s.MeanAbs) / groups
	ranking := make([]int, n)
	for i := range ranking {
		ranking[i] = i
	}
	size := s.MeanAbs[group*n : (group+1)*n]
	slices.SortStableFunc(ranking, func(a, b int) int {
		switch {
		case size[a] > size[b]:
			return -1
		case size[a] < size[b]:
			return 1
		}
		return 0
	})
	return ranking
}

// sums of one block.
type blockSums struct {
	first     int
	abs, mean []float64
}

// Summary explains all rows and keeps the means alone. The sums of blocks are
// added in the order of the rows, so that threads that finish in another order do
// not change the result; another number of threads may, in the last digits.
func (e *Explainer) Summary(ctx context.Context, x gbdt.Matrix, threads int) (*Summary, error) {
	n, groups := e.model.NumFeatures(), len(e.groups)
	var mu sync.Mutex
	var all []blockSums
	err := e.Each(ctx, x, threads, func() func(int, []float32) {
		return func(first int, part []float32) {
			s := blockSums{first, make([]float64, n*groups), make([]float64, n*groups)}
			s.add(part, n, groups)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, s)
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b blockSums) int { return a.first - b.first })
	out := &Summary{Rows: x.Rows, MeanAbs: make([]float64, n*groups), Mean: make([]float64, n*groups)}
	for _, s := range all {
		for i := range s.abs {
			out.MeanAbs[i] += s.abs[i] / float64(x.Rows)
			out.Mean[i] += s.mean[i] / float64(x.Rows)
		}
	}
	return out, nil
}

// add adds the contributions of some rows, without the biases.
func (s *blockSums) add(part []float32, n, groups int) {
	for i := 0; i*(n+1) < len(part); i++ {
		at := i % groups * n
		for f, v := range part[i*(n+1):][:n] {
			s.abs[at+f] += math.Abs(float64(v))
			s.mean[at+f] += float64(v)
		}
	}
}
