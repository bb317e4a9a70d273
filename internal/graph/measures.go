package graph

import (
	"math"
	"slices"
)

// Clustering returns the local clustering coefficient of a node: the share of
// pairs of its neighbours that are neighbours themselves (Watts and Strogatz,
// 1998). It is 0 for a node with fewer than two neighbours.
func (g *CSR) Clustering(node int) float64 {
	neighbors := g.Neighbors(node)
	if len(neighbors) < 2 {
		return 0
	}
	closed := 0
	for i, a := range neighbors {
		closed += common(neighbors[i+1:], g.Neighbors(int(a)))
	}
	return 2 * float64(closed) / float64(len(neighbors)*(len(neighbors)-1))
}

// common counts the values that are in both sorted lists.
func common(short, long []uint32) int {
	if len(short) > len(long) {
		short, long = long, short
	}
	count := 0
	for _, v := range short {
		at, found := slices.BinarySearch(long, v)
		if found {
			count++
		}
		long = long[at:]
	}
	return count
}

// Modularity returns Newman's modularity Q of a partition, given the group of
// each node, numbered from 0 without large gaps (Newman, "Modularity and
// community structure in networks", 2006). It is 0 for a graph without edges.
func (g *CSR) Modularity(group []uint32) float64 {
	if g.Edges() == 0 {
		return 0
	}
	groups := slices.Max(group) + 1
	inside, ends := make([]int, groups), make([]int, groups)
	for i, own := range group {
		ends[own] += g.Degree(i)
		for _, j := range g.Neighbors(i) {
			if group[j] == own {
				inside[own]++
			}
		}
	}
	all, q := float64(len(g.adjacency)), 0.0
	for c := range ends {
		share := float64(ends[c]) / all
		q += float64(inside[c])/all - share*share
	}
	return q
}

// Tail is a power law fitted to the upper end of a distribution of counts.
type Tail struct {
	Exponent float64 // p(k) is proportional to k^-Exponent
	From     int     // smallest count of the tail
	Size     int     // number of values in the tail
	Distance float64 // Kolmogorov-Smirnov distance of the fit
}

// minTail is the least number of values that a tail is fitted to.
const minTail = 50

// DegreeTail fits a power law to the degrees by the method of Clauset, Shalizi
// and Newman ("Power-law distributions in empirical data", 2009, section 3):
// maximum likelihood for each possible start of the tail, then the start with
// the least Kolmogorov-Smirnov distance. The result is zero if fewer than 50
// nodes have a neighbour.
func (g *CSR) DegreeTail() Tail {
	counts := map[int]int{}
	for i := range g.Nodes() {
		if d := g.Degree(i); d > 0 {
			counts[d]++
		}
	}
	degrees := make([]int, 0, len(counts))
	for d := range counts {
		degrees = append(degrees, d)
	}
	slices.Sort(degrees)

	best := Tail{Distance: math.Inf(1)}
	size, logs := 0, 0.0
	for start := len(degrees) - 1; start >= 0; start-- {
		c := counts[degrees[start]]
		size += c
		logs += float64(c) * math.Log(float64(degrees[start]))
		if size < minTail {
			continue
		}
		if tail := fitTail(degrees[start:], counts, size, logs); tail.Distance < best.Distance {
			best = tail
		}
	}
	if best.Size == 0 {
		return Tail{}
	}
	return best
}

// fitTail fits the discrete power law on degrees, ascending, by the
// approximation of Clauset et al., equation 3.7.
func fitTail(degrees []int, counts map[int]int, size int, logs float64) Tail {
	from := float64(degrees[0]) - 0.5
	exponent := 1 + float64(size)/(logs-float64(size)*math.Log(from))
	tail := Tail{Exponent: exponent, From: degrees[0], Size: size}
	seen := 0
	for _, d := range degrees {
		seen += counts[d]
		model := 1 - math.Pow((float64(d)+0.5)/from, 1-exponent)
		tail.Distance = max(tail.Distance, math.Abs(float64(seen)/float64(size)-model))
	}
	return tail
}
