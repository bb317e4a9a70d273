package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// ErrNoConvergence says that an iteration did not settle within its limit.
var ErrNoConvergence = errors.New("no convergence")

// Eigenvector returns the eigenvector centrality of each node, of Euclidean
// length 1 and non-negative, and the leading eigenvalue of the adjacency matrix
// (Bonacich, "Power and centrality", 1987). It is found by power iteration on
// A + I, whose shift keeps bipartite graphs from oscillating, until a step
// moves the vector by less than tolerance. Where a graph falls into components,
// those with a smaller leading eigenvalue have centrality 0. A graph without
// edges has centrality 0 everywhere. Cost: O(nodes + edges) a step.
//
// The error is ErrNoConvergence after limit steps, or the context's.
func (g *CSR) Eigenvector(ctx context.Context, workers int, tolerance float64, limit int) ([]float64, float64, error) {
	n := g.Nodes()
	x, y := make([]float64, n), make([]float64, n)
	if g.Edges() == 0 {
		return x, 0, nil
	}
	for i := range x {
		x[i] = 1 / math.Sqrt(float64(n))
	}
	for range limit {
		length, err := g.step(ctx, workers, x, y)
		if err != nil {
			return nil, 0, fmt.Errorf("power iteration: %w", err)
		}
		moved, err := rescale(ctx, workers, x, y, length)
		if err != nil {
			return nil, 0, fmt.Errorf("power iteration: %w", err)
		}
		x, y = y, x
		if moved < tolerance {
			return x, length - 1, nil
		}
	}
	return nil, 0, fmt.Errorf("eigenvector centrality after %d steps: %w", limit, ErrNoConvergence)
}

// step sets y = (A + I) x and returns the length of y.
func (g *CSR) step(ctx context.Context, workers int, x, y []float64) (float64, error) {
	squares := make([]float64, (len(x)+blockNodes-1)/blockNodes)
	err := blocks(ctx, len(x), workers, func(lo, hi int) {
		sum := 0.0
		for i := lo; i < hi; i++ {
			v := x[i]
			for _, j := range g.Neighbors(i) {
				v += x[j]
			}
			y[i] = v
			sum += v * v
		}
		squares[lo/blockNodes] = sum
	})
	return math.Sqrt(total(squares)), err
}

// rescale divides y by length and returns how far it then is from x.
func rescale(ctx context.Context, workers int, x, y []float64, length float64) (float64, error) {
	squares := make([]float64, (len(x)+blockNodes-1)/blockNodes)
	err := blocks(ctx, len(x), workers, func(lo, hi int) {
		sum := 0.0
		for i := lo; i < hi; i++ {
			y[i] /= length
			d := y[i] - x[i]
			sum += d * d
		}
		squares[lo/blockNodes] = sum
	})
	return math.Sqrt(total(squares)), err
}

func total(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}
