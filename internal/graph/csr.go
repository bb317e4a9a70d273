// Package graph holds undirected graphs in compressed sparse row form and the
// measures of them that engage needs. Results do not depend on the number of
// workers: sums are taken over fixed blocks of nodes, in order.
package graph

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// blockNodes is the number of nodes that one step of parallel work takes.
const blockNodes = 8192

// CSR is a simple undirected graph on the nodes 0 to n-1.
// Invariant: each node's neighbours are sorted and distinct, none is the node
// itself, and b is a neighbour of a exactly when a is one of b.
type CSR struct {
	offsets   []int    // neighbours of node i are adjacency[offsets[i]:offsets[i+1]]
	adjacency []uint32 // two entries an edge
}

// Nodes returns the number of nodes.
func (g *CSR) Nodes() int { return len(g.offsets) - 1 }

// Edges returns the number of edges.
func (g *CSR) Edges() int { return len(g.adjacency) / 2 }

// Degree returns the number of neighbours of a node.
func (g *CSR) Degree(node int) int { return g.offsets[node+1] - g.offsets[node] }

// Neighbors returns the neighbours of a node in ascending order. The caller must not change them.
func (g *CSR) Neighbors(node int) []uint32 {
	return g.adjacency[g.offsets[node]:g.offsets[node+1]]
}

// EdgesOf yields candidate edges that belong to the nodes lo to hi-1. A call
// must yield the same edges each time, for it is called twice: once to count
// and once to fill, so that no list of edges is ever held.
type EdgesOf func(lo, hi int, yield func(a, b uint32))

// Build makes the graph of n nodes from candidate edges; loops and repeated
// edges are dropped. Peak memory is 4 bytes for each end of a candidate edge
// and 16 bytes a node.
func Build(ctx context.Context, n, workers int, edges EdgesOf) (*CSR, error) {
	if n < 0 || int64(n) > 1<<32 {
		return nil, fmt.Errorf("graph of %d nodes: want 0 to 2^32", n)
	}
	ends := make([]uint32, n)
	err := blocks(ctx, n, workers, func(lo, hi int) {
		edges(lo, hi, func(a, b uint32) {
			if a != b {
				atomic.AddUint32(&ends[a], 1)
				atomic.AddUint32(&ends[b], 1)
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("count edges: %w", err)
	}
	g := &CSR{offsets: make([]int, n+1)}
	for i, e := range ends {
		g.offsets[i+1] = g.offsets[i] + int(e)
	}
	g.adjacency = make([]uint32, g.offsets[n])
	err = blocks(ctx, n, workers, func(lo, hi int) {
		edges(lo, hi, func(a, b uint32) {
			if a != b {
				g.adjacency[g.offsets[a]+int(atomic.AddUint32(&ends[a], ^uint32(0)))] = b
				g.adjacency[g.offsets[b]+int(atomic.AddUint32(&ends[b], ^uint32(0)))] = a
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("fill edges: %w", err)
	}
	return g, g.simplify(ctx, workers, ends)
}

// simplify sorts each node's neighbours, drops repeated ones and closes the
// gaps. kept is scratch space of one number a node.
func (g *CSR) simplify(ctx context.Context, workers int, kept []uint32) error {
	n := g.Nodes()
	err := blocks(ctx, n, workers, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			neighbors := g.adjacency[g.offsets[i]:g.offsets[i+1]]
			slices.Sort(neighbors)
			kept[i] = uint32(len(slices.Compact(neighbors)))
		}
	})
	if err != nil {
		return fmt.Errorf("sort neighbours: %w", err)
	}
	end := 0
	for i := range n {
		start := g.offsets[i]
		g.offsets[i] = end
		end += copy(g.adjacency[end:], g.adjacency[start:start+int(kept[i])])
	}
	g.offsets[n] = end
	g.adjacency = g.adjacency[:end]
	return nil
}

// blocks calls f on consecutive ranges that cover [0, n), on several goroutines.
func blocks(ctx context.Context, n, workers int, f func(lo, hi int)) error {
	var group errgroup.Group
	group.SetLimit(max(workers, 1))
	for lo := 0; lo < n && ctx.Err() == nil; lo += blockNodes {
		group.Go(func() error {
			f(lo, min(lo+blockNodes, n))
			return nil
		})
	}
	_ = group.Wait() // f cannot fail
	return ctx.Err()
}
