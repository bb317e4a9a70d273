package datagen

import (
	"math"
	"math/rand/v2"
	"testing"

	"engage/internal/schema"
)

func TestSocialGraph(t *testing.T) {
	s := theSample(t)
	g := s.population.Graph()
	t.Logf("%+v", g)
	if g.TailExponent < 2 || g.TailExponent > 3 {
		t.Errorf("tail exponent %.3f, want 2 to 3", g.TailExponent)
	}
	near(t, "mean degree", g.MeanDegree, 13, 2)
	if g.MaxDegree < 20*int64(g.MeanDegree) {
		t.Errorf("largest degree %d, want super-connectors", g.MaxDegree)
	}
	// In a random graph of this density the coefficient would be 13/40000 = 0.0003.
	if g.Clustering < 0.10 {
		t.Errorf("clustering %.3f, want at least 0.10", g.Clustering)
	}
	if g.Modularity < 0.40 {
		t.Errorf("modularity of the planted communities %.3f, want at least 0.40", g.Modularity)
	}
	if share := float64(g.Isolated) / float64(g.Nodes); share > 0.02 {
		t.Errorf("%.3f of the customers have no connection, want at most 0.02", share)
	}
}

// Friends resemble each other in their traits, and strangers do not.
func TestHomophily(t *testing.T) {
	p := theSample(t).population
	r := rand.New(rand.NewPCG(1, 2))
	for k, name := range []string{"activity", "sociability", "romance", "creation", "commerce", "affluence"} {
		var own, friend, stranger []float64
		for range 20_000 {
			node := r.IntN(p.rows)
			friends := p.graph.Neighbors(node)
			if len(friends) == 0 {
				continue
			}
			trait := func(node int) float64 { t := p.traitsOf(node, p.communities.of(node)); return t[k] }
			own = append(own, trait(node))
			friend = append(friend, trait(int(friends[r.IntN(len(friends))])))
			stranger = append(stranger, trait(r.IntN(p.rows)))
		}
		if c := correlation(own, friend); c < 0.12 || c > homophily+0.1 {
			t.Errorf("%s of friends correlates %.3f, want 0.12 to %.2f", name, c, homophily+0.1)
		}
		near(t, name+" of strangers", correlation(own, stranger), 0, 0.03)
	}
}

func TestTraitsAreStandardNormal(t *testing.T) {
	p := theSample(t).population
	values := make([][]float64, traitCount)
	for node := range p.rows {
		for k, v := range p.traitsOf(node, p.communities.of(node)) {
			values[k] = append(values[k], v)
		}
	}
	for k := range values {
		mean, sd, _ := moments(values[k])
		near(t, "mean of a trait", mean, 0, 0.025)
		near(t, "sd of a trait", sd, 1, 0.03)
	}
}

// The degree column is the degree in the connections table, in which each pair
// occurs once with the smaller id first.
func TestConnectionsAreTheGraph(t *testing.T) {
	s := theSample(t)
	degree := map[string]int64{}
	source, target := s.connections.Column(schema.SourceCustomerID).Strings, s.connections.Column(schema.TargetCustomerID).Strings
	seen := map[[2]string]bool{}
	for i := range source {
		if source[i] >= target[i] || seen[[2]string{source[i], target[i]}] {
			t.Fatalf("edge %d from %s to %s is out of order or repeated", i, source[i], target[i])
		}
		seen[[2]string{source[i], target[i]}] = true
		degree[source[i]]++
		degree[target[i]]++
	}
	total := s.customers.Column(schema.TotalConnections).Ints
	for i, id := range s.customers.Column(schema.CustomerID).Strings {
		if total[i] != degree[id] {
			t.Fatalf("%s has %d connections and says %d", id, degree[id], total[i])
		}
	}
	if highest := s.customers.Column(schema.NetworkCentrality).Floats; maximumOf(highest) != 1 {
		t.Errorf("largest centrality = %g, want 1", maximumOf(highest))
	}
}

func maximumOf(x []float64) float64 {
	highest := math.Inf(-1)
	for _, v := range x {
		highest = max(highest, v)
	}
	return highest
}

func TestPermutationIsABijection(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := 1; n < 3000; n += 1 + n/7 {
		p := newPermutation(n, r)
		seen := make([]bool, n)
		for i := range n {
			j := p.at(i)
			if j < 0 || j >= n || seen[j] {
				t.Fatalf("of %d: %d goes to %d, which is out of range or taken", n, i, j)
			}
			seen[j] = true
			if back := p.from(j); back != i {
				t.Fatalf("of %d: %d goes to %d and comes back as %d", n, i, j, back)
			}
		}
	}
}

// Row order tells nothing of the community.
func TestOrderHidesCommunities(t *testing.T) {
	s := theSample(t)
	community := s.truth.Column(CommunityID).Ints
	previous, row := make([]float64, len(community)-1), make([]float64, len(community)-1)
	for i := range row {
		previous[i], row[i] = float64(community[i]), float64(community[i+1])
	}
	near(t, "correlation of neighbouring rows' communities", correlation(previous, row), 0, 0.025)
}

func TestLocateInvertsBefore(t *testing.T) {
	p := theSample(t).population
	s, err := p.newSociety(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for node := 0; node < p.rows; node += 37 {
		at := s.before(node) + float64(s.weights[node])/2
		if got := s.locate(at); got != node {
			t.Fatalf("node %d lies at %g, where %d is found", node, at, got)
		}
	}
	if got := s.locate(math.Inf(1)); got != p.rows-1 {
		t.Errorf("beyond the end lies node %d, want the last", got)
	}
}
