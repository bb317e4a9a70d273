package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"engage/internal/graph"
)

// build makes a graph from a list of edges, each belonging to its first end.
func build(t testing.TB, n, workers int, edges [][2]uint32) *graph.CSR {
	t.Helper()
	g, err := graph.Build(t.Context(), n, workers, func(lo, hi int, yield func(a, b uint32)) {
		for _, e := range edges {
			if int(e[0]) >= lo && int(e[0]) < hi {
				yield(e[0], e[1])
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// karate is Zachary's karate club with the numbers that test/oracles/karate.py found.
type karate struct {
	Edges       [][2]uint32
	Eigenvector []float64
	Eigenvalue  float64
	Clustering  []float64
	Clubs       []uint32
	OfClubs     float64 `json:"modularity_of_clubs"`
	csr         *graph.CSR
}

func loadKarate(t testing.TB) karate {
	t.Helper()
	data, err := os.ReadFile("testdata/karate.json")
	if err != nil {
		t.Fatal(err)
	}
	var k karate
	if err := json.Unmarshal(data, &k); err != nil {
		t.Fatal(err)
	}
	k.csr = build(t, len(k.Eigenvector), 2, k.Edges)
	return k
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %.9f, want %.9f within %g", what, got, want, tolerance)
	}
}

func TestKarateAgreesWithNetworkx(t *testing.T) {
	k := loadKarate(t)
	x, eigenvalue, err := k.csr.Eigenvector(t.Context(), 2, 1e-12, 1000)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "eigenvalue", eigenvalue, k.Eigenvalue, 1e-9)
	for i := range x {
		near(t, "eigenvector", x[i], k.Eigenvector[i], 1e-9)
		near(t, "clustering", k.csr.Clustering(i), k.Clustering[i], 1e-12)
	}
	near(t, "modularity", k.csr.Modularity(k.Clubs), k.OfClubs, 1e-12)
}

// Published values: networkx and gonum agree on them to six digits.
func TestKaratePublishedValues(t *testing.T) {
	x, eigenvalue, err := loadKarate(t).csr.Eigenvector(t.Context(), 1, 1e-12, 1000)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "node 33", x[33], 0.373363, 5e-7)
	near(t, "node 0", x[0], 0.355491, 5e-7)
	near(t, "eigenvalue", eigenvalue, 6.725698, 5e-7)
}

func TestBuildDropsLoopsAndRepeats(t *testing.T) {
	g := build(t, 4, 2, [][2]uint32{{0, 1}, {1, 0}, {0, 1}, {2, 2}, {1, 3}})
	if g.Nodes() != 4 || g.Edges() != 2 {
		t.Fatalf("graph of %d nodes and %d edges, want 4 and 2", g.Nodes(), g.Edges())
	}
	for i, want := range [][]uint32{{1}, {0, 3}, {}, {1}} {
		if got := g.Neighbors(i); !slices.Equal(got, want) {
			t.Errorf("neighbours of %d = %v, want %v", i, got, want)
		}
		if g.Degree(i) != len(want) {
			t.Errorf("degree of %d = %d, want %d", i, g.Degree(i), len(want))
		}
	}
}

func randomEdges(r *rand.Rand, n, m int) [][2]uint32 {
	edges := make([][2]uint32, m)
	for i := range edges {
		edges[i] = [2]uint32{uint32(r.IntN(n)), uint32(r.IntN(n))}
	}
	return edges
}

// The graph keeps its invariant, and neither it nor its centrality depends on the number of workers.
func TestRandomGraphs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		n := 1 + r.IntN(12000)
		edges := randomEdges(r, n, 3*n)
		one, many := build(t, n, 1, edges), build(t, n, 8, edges)
		ends := 0
		for i := range n {
			neighbors := one.Neighbors(i)
			ends += len(neighbors)
			if !slices.Equal(neighbors, many.Neighbors(i)) {
				t.Fatalf("neighbours of %d of %d depend on the number of workers", i, n)
			}
			for at, j := range neighbors {
				if int(j) == i || at > 0 && neighbors[at-1] >= j {
					t.Fatalf("neighbours of %d are %v", i, neighbors)
				}
				if _, found := slices.BinarySearch(one.Neighbors(int(j)), uint32(i)); !found {
					t.Fatalf("%d has neighbour %d but not the reverse", i, j)
				}
			}
		}
		if ends != 2*one.Edges() {
			t.Fatalf("%d ends for %d edges", ends, one.Edges())
		}
		x, _, err := one.Eigenvector(t.Context(), 1, 1e-6, 5000)
		if err != nil {
			t.Fatal(err)
		}
		y, _, err := many.Eigenvector(t.Context(), 8, 1e-6, 5000)
		if err != nil || !slices.Equal(x, y) {
			t.Fatalf("centrality of %d nodes depends on the number of workers (%v)", n, err)
		}
	}
}

func TestEigenvectorOfKnownGraphs(t *testing.T) {
	star := build(t, 5, 1, [][2]uint32{{0, 1}, {0, 2}, {0, 3}, {0, 4}}) // bipartite: A alone would oscillate
	x, eigenvalue, err := star.Eigenvector(t.Context(), 1, 1e-12, 1000)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "eigenvalue of a star", eigenvalue, 2, 1e-9)
	near(t, "centre of a star", x[0], math.Sqrt(0.5), 1e-9)

	empty := build(t, 3, 1, nil)
	if x, eigenvalue, err := empty.Eigenvector(t.Context(), 1, 1e-12, 10); err != nil || eigenvalue != 0 || slices.Max(x) != 0 {
		t.Errorf("a graph without edges has centrality %v, eigenvalue %g, error %v", x, eigenvalue, err)
	}
}

func TestEigenvectorSaysWhenItDoesNotSettle(t *testing.T) {
	_, _, err := loadKarate(t).csr.Eigenvector(t.Context(), 1, 1e-12, 3)
	if !errors.Is(err, graph.ErrNoConvergence) {
		t.Errorf("after 3 steps: error %v, want ErrNoConvergence", err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := graph.Build(ctx, 10, 2, func(lo, hi int, yield func(a, b uint32)) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("Build on a cancelled context: %v", err)
	}
	if _, _, err := loadKarate(t).csr.Eigenvector(ctx, 2, 1e-9, 100); !errors.Is(err, context.Canceled) {
		t.Errorf("Eigenvector on a cancelled context: %v", err)
	}
}

// A star forest with Pareto sizes has a known degree exponent.
func TestDegreeTailFindsThePlantedExponent(t *testing.T) {
	const exponent, leaves = 2.5, 400_000
	r := rand.New(rand.NewPCG(3, 4))
	var edges [][2]uint32
	hub := uint32(0)
	for next := uint32(leaves); len(edges) < leaves; hub++ {
		size := int(20 * math.Pow(1-r.Float64(), -1/(exponent-1)))
		for range min(size, leaves-len(edges)) {
			edges = append(edges, [2]uint32{hub, next})
			next++
		}
	}
	if tail := build(t, 9, 1, nil).DegreeTail(); tail != (graph.Tail{}) {
		t.Errorf("tail of a graph without edges = %+v, want zero", tail)
	}
	g, err := graph.Build(t.Context(), 2*leaves, 2, func(lo, hi int, yield func(a, b uint32)) {
		first, _ := slices.BinarySearchFunc(edges, uint32(lo), func(e [2]uint32, v uint32) int { return int(e[0]) - int(v) })
		for _, e := range edges[first:] {
			if int(e[0]) >= hi {
				return
			}
			yield(e[0], e[1])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "tail exponent", g.DegreeTail().Exponent, exponent, 0.05)
}

func BenchmarkEigenvectorStep(b *testing.B) {
	const n = 200_000
	edges := randomEdges(rand.New(rand.NewPCG(1, 2)), n, 8*n)
	g, err := graph.Build(b.Context(), n, 2, func(lo, hi int, yield func(a, b uint32)) {
		for _, e := range edges[8*lo : 8*hi] {
			yield(e[0], e[1])
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := g.Eigenvector(b.Context(), 2, 2, 1); err != nil {
			b.Fatal(err)
		}
	}
}
