package datagen

import (
	"context"
	"fmt"
	"math"
	"sort"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"

	"engage/datagen/philox"
	"engage/internal/graph"
)

// The social graph is a degree-corrected planted partition (Karrer and Newman,
// Phys. Rev. E 83, 016107, 2011) in the form of Norros and Reittu (2006): a node
// of weight w proposes about w/2 ties and receives as many, so that its expected
// degree is w. Weights follow a truncated power law and grow with sociability
// and popularity. Most ties stay inside the community; the others prefer
// communities near by, with probability inverse to the distance (Kleinberg,
// Nature 406, 2000). Some ties are closed to triangles: a friend of a friend
// becomes a friend.
//
// Every proposal is a pure function of the seed, the node and its number, so
// that edges are made twice rather than held in memory.
const (
	degreeExponent = 2.5  // of the weights; the degrees follow
	minWeight      = 4.0  // expected degree of the least connected
	outsideShare   = 0.30 // share of a node's ties that leave its community
	insideLimit    = 0.25 // at most this share of the community is proposed to
	closureShare   = 0.30 // share of proposals that are closed to a triangle
)

// weightMix says how the weight of a node follows from its traits; the squares sum to 1.
var weightMix = traits{sociability: 0.55, creation: 0.25, popularity: math.Sqrt(1 - 0.55*0.55 - 0.25*0.25)}

// blockWeights is the number of nodes that one entry of the index over weights covers.
const blockWeights = 64

// society knows whom each node proposes ties to.
type society struct {
	seed        uint64
	communities communities
	weights     []float32
	starts      []float64 // sum of the weights before each block of nodes; one more entry: the sum of all
}

func (p *Population) newSociety(ctx context.Context) (*society, error) {
	s := &society{seed: p.seed, communities: p.communities, weights: make([]float32, p.rows)}
	highest := max(minWeight, math.Sqrt(meanWeight*float64(p.rows))) // structural cut-off: keeps expected degrees attainable
	err := p.eachCommunity(ctx, func(c *community) {
		for i := c.first; i < c.first+c.size; i++ {
			t := p.traitsOf(i, c)
			u := distuv.UnitNormal.CDF(dot(weightMix, t))
			s.weights[i] = float32(paretoQuantile(u, minWeight, highest, degreeExponent))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("weigh nodes: %w", err)
	}
	s.starts = make([]float64, (p.rows+blockWeights-1)/blockWeights+1)
	for b := range len(s.starts) - 1 {
		sum := s.starts[b]
		for _, w := range s.weights[b*blockWeights : min((b+1)*blockWeights, p.rows)] {
			sum += float64(w)
		}
		s.starts[b+1] = sum
	}
	return s, nil
}

// meanWeight is the mean of the power law of weights without its cut-off.
const meanWeight = minWeight * (degreeExponent - 1) / (degreeExponent - 2)

func dot(a, b traits) float64 {
	sum := 0.0
	for k := range a {
		sum += a[k] * b[k]
	}
	return sum
}

// before returns the sum of the weights of the nodes below node.
func (s *society) before(node int) float64 {
	block := node / blockWeights
	sum := s.starts[block]
	for _, w := range s.weights[block*blockWeights : node] {
		sum += float64(w)
	}
	return sum
}

// locate returns the node at x on the line on which every node takes a length of its weight.
func (s *society) locate(x float64) int {
	block := sort.Search(len(s.starts)-1, func(b int) bool { return s.starts[b+1] > x })
	block = min(block, len(s.starts)-2)
	node, sum := block*blockWeights, s.starts[block]
	last := min(node+blockWeights, len(s.weights)) - 1
	for ; node < last; node++ {
		if sum += float64(s.weights[node]); sum > x {
			break
		}
	}
	return node
}

// proposer is a node with what its proposals depend on.
type proposer struct {
	node            int
	inside, all     int     // proposals inside the community; all
	at              float64 // its place on the line of weights
	lowest, highest float64 // its community's part of that line
}

func (s *society) proposerOf(node int, c *community) proposer {
	source := philox.New(s.seed, forEdges, uint64(node)<<32)
	half := float64(s.weights[node]) / 2
	inside := min(half*(1-outsideShare), float64(c.size)*insideLimit)
	if len(s.communities) == 1 {
		inside = half
	}
	p := proposer{node: node, inside: int(inside + source.Uniform()), at: s.before(node)}
	p.all = p.inside + int(half-inside+source.Uniform())
	p.lowest, p.highest = s.before(c.first), s.starts[len(s.starts)-1]
	if end := c.first + c.size; end < len(s.weights) {
		p.highest = s.before(end)
	}
	return p
}

// proposal is one tie that a node proposes, and whether it is closed.
type proposal struct {
	to     int
	closed bool
	pick   float64 // which of the other's proposals closes the triangle, as a share of them
}

// propose returns proposal number t of a node.
func (s *society) propose(p *proposer, t int) proposal {
	source := philox.New(s.seed, forEdges, uint64(p.node)<<32|uint64(t+1))
	first, second := source.Uint64(), source.Uint64()
	u := philox.Unit(first)
	out := proposal{closed: philox.Unit(second<<32) < closureShare, pick: philox.Unit(second >> 32 << 32)}
	if t < p.inside {
		out.to = s.locate(p.lowest + u*(p.highest-p.lowest))
		return out
	}
	all := s.starts[len(s.starts)-1]
	near, far := p.highest-p.lowest, all/2
	if far < near {
		out.to = s.locate(u * all)
		return out
	}
	distance := near * math.Pow(far/near, math.Abs(2*u-1))
	if u < 0.5 {
		distance = -distance
	}
	out.to = s.locate(math.Mod(p.at+distance+all, all))
	return out
}

// edges yields the ties that the nodes lo to hi-1 propose.
func (s *society) edges(lo, hi int, yield func(a, b uint32)) {
	c := s.communities.of(lo)
	for node := lo; node < hi; node++ {
		if node >= c.first+c.size {
			c = s.communities.of(node)
		}
		p := s.proposerOf(node, c)
		for t := range p.all {
			tie := s.propose(&p, t)
			yield(uint32(node), uint32(tie.to))
			if !tie.closed {
				continue
			}
			friend := s.proposerOf(tie.to, s.communities.of(tie.to))
			if friend.all > 0 {
				third := s.propose(&friend, int(tie.pick*float64(friend.all)))
				yield(uint32(node), uint32(third.to))
			}
		}
	}
}

// counted tells the progress of an enumeration of edges, which is run twice.
func (p *Population) counted(edges graph.EdgesOf) graph.EdgesOf {
	var mu sync.Mutex
	done := 0
	return func(lo, hi int, yield func(a, b uint32)) {
		edges(lo, hi, yield)
		mu.Lock()
		defer mu.Unlock()
		done += hi - lo
		p.progress(Connecting, done, 2*p.rows)
	}
}

// The power iteration stops when a step moves the unit vector by less than
// this: far below the six decimals that centrality is written with.
const (
	centralityTolerance = 1e-9
	centralityLimit     = 5000
)

// connect makes the graph and its centrality, scaled so that the largest is 1.
func (p *Population) connect(ctx context.Context) error {
	s, err := p.newSociety(ctx)
	if err != nil {
		return err
	}
	if p.graph, err = graph.Build(ctx, p.rows, p.workers, p.counted(s.edges)); err != nil {
		return fmt.Errorf("build social graph: %w", err)
	}
	p.progress(Ranking, 0, 0)
	centrality, _, err := p.graph.Eigenvector(ctx, p.workers, centralityTolerance, centralityLimit)
	if err != nil {
		return fmt.Errorf("centrality: %w", err)
	}
	highest := 0.0
	for _, x := range centrality {
		highest = max(highest, x)
	}
	p.centrality = make([]float32, p.rows)
	for i, x := range centrality {
		if highest > 0 {
			p.centrality[i] = float32(x / highest)
		}
	}
	return nil
}
