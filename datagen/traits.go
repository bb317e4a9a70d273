package datagen

import (
	"math"
	"math/rand/v2"
	"sort"

	"engage/datagen/philox"
)

// The latent traits of a customer. Each is N(0, 1) over the population. What
// customers do is a linear mix of them plus noise of its own, so that the
// covariance of behaviour has low rank plus a diagonal.
const (
	activity    = iota // how much the app is used at all
	sociability        // talks, joins, connects
	romance            // dates
	creation           // publishes
	commerce           // works and earns
	affluence          // has money to spend
	popularity         // is sought out; not shared with the community
	traitCount
)

// sharedTraits are those that friends have in common; popularity is not.
const sharedTraits = popularity

// homophily is the share of a shared trait's variance that lies between
// communities: the intraclass correlation of community members.
const homophily = 0.30

// neighbourliness is the correlation of the mean traits of adjacent
// communities. Ties between communities favour near ones, so that friends
// resemble each other beyond their own community too.
const neighbourliness = 0.5

type traits [traitCount]float64

// community is a contiguous range of nodes that know each other well.
type community struct {
	number      int
	first, size int
	mean        traits // zero for traits that are not shared
	home        uint8  // index into schema.States of the state where most members live
}

// The sizes of communities follow a power law, as in the benchmark graphs of
// Lancichinetti, Fortunato and Radicchi (Phys. Rev. E 78, 046110, 2008).
const (
	minCommunity      = 30
	maxCommunity      = 400
	communityExponent = 2.0
)

// communities is in order of their nodes.
type communities []community

// of returns the community of a node.
func (list communities) of(node int) *community {
	i := sort.Search(len(list), func(i int) bool { return list[i].first > node })
	return &list[i-1]
}

// numbers returns the number of the community of each of n nodes.
func (list communities) numbers(n int) []uint32 {
	all := make([]uint32, 0, n)
	for _, c := range list {
		for range c.size {
			all = append(all, uint32(c.number))
		}
	}
	return all
}

// plantCommunities divides n nodes into communities and gives each its mean
// traits and home state.
func plantCommunities(n int, seed uint64) communities {
	source := philox.New(seed, forCommunities, 0)
	var list communities
	for first := 0; first < n; {
		size := int(paretoQuantile(source.Uniform(), minCommunity, maxCommunity, communityExponent))
		if rest := n - first - size; rest < minCommunity {
			size = n - first // the last one takes what is left
		}
		list = append(list, community{number: len(list), first: first, size: size, home: states.pick(source.Uniform())})
		first += size
	}
	drawMeans(list, seed)
	standardiseMeans(list, n)
	return list
}

// drawMeans lets the mean traits wander from community to community as a
// first-order autoregression with unit variance.
func drawMeans(list communities, seed uint64) {
	fresh := math.Sqrt(1 - neighbourliness*neighbourliness)
	for i := range list {
		source := philox.New(seed, forCommunityTraits, uint64(i))
		normal := rand.New(&source)
		for k := range sharedTraits {
			own := normal.NormFloat64()
			if i > 0 {
				own = neighbourliness*list[i-1].mean[k] + fresh*own
			}
			list[i].mean[k] = own
		}
	}
}

// standardiseMeans makes the mean traits have mean 0 and variance 1 over the n
// nodes, exactly: else a small population would drift off its marginals,
// because members of a community do not count as independent.
func standardiseMeans(list communities, n int) {
	if len(list) < 3 {
		for i := range list {
			list[i].mean = traits{}
		}
		return
	}
	for k := range sharedTraits {
		var sum, squares float64
		for _, c := range list {
			sum += float64(c.size) * c.mean[k]
			squares += float64(c.size) * c.mean[k] * c.mean[k]
		}
		mean := sum / float64(n)
		sd := math.Sqrt(squares/float64(n) - mean*mean)
		for i := range list {
			list[i].mean[k] = (list[i].mean[k] - mean) / sd
		}
	}
}

// paretoQuantile returns the u-quantile of the power law with density
// proportional to x^-exponent between low and high.
func paretoQuantile(u, low, high, exponent float64) float64 {
	power := 1 - exponent
	a, b := math.Pow(low, power), math.Pow(high, power)
	return math.Pow(a+u*(b-a), 1/power)
}

// traitsOf returns the traits of a node, which is in community c.
func (p *Population) traitsOf(node int, c *community) traits {
	source := philox.New(p.seed, forTraits, uint64(node))
	normal := rand.New(&source)
	between, within := math.Sqrt(homophily), math.Sqrt(1-homophily)
	if len(p.communities) < 3 {
		between, within = 0, 1 // too few to have means of their own
	}
	var t traits
	for k := range t {
		own := normal.NormFloat64()
		if k < sharedTraits {
			own = between*c.mean[k] + within*own
		}
		t[k] = own
	}
	return t
}
