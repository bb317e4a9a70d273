package datagen

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// A marginal turns a standard normal score into a value with a given
// distribution (Gaussian copula; Nelsen, "An Introduction to Copulas", 2006,
// section 2.3): the score carries the correlations, the marginal the shape.

// The scores that tables cover; beyond them a value stays at the last entry.
const (
	scoreLimit = 5.0
	scoreSteps = 1000
)

// continuous is a quantile function tabulated over normal scores.
type continuous []float64

// tabulate fills a table from a quantile function of the open interval (0, 1).
func tabulate(quantile func(u float64) float64) continuous {
	table := make(continuous, scoreSteps+1)
	for i := range table {
		z := -scoreLimit + 2*scoreLimit*float64(i)/scoreSteps
		table[i] = quantile(distuv.UnitNormal.CDF(z))
	}
	return table
}

// at interpolates linearly.
func (c continuous) at(z float64) float64 {
	place := (z + scoreLimit) * (scoreSteps / (2 * scoreLimit))
	if place <= 0 {
		return c[0]
	}
	if place >= scoreSteps {
		return c[scoreSteps]
	}
	i := int(place)
	return c[i] + (place-float64(i))*(c[i+1]-c[i])
}

func beta(a, b float64) continuous {
	return tabulate(distuv.Beta{Alpha: a, Beta: b}.Quantile)
}

// truncatedNormal is N(mean, sd) restricted to [low, high].
func truncatedNormal(mean, sd, low, high float64) continuous {
	n := distuv.Normal{Mu: mean, Sigma: sd}
	below, above := n.CDF(low), n.CDF(high)
	return tabulate(func(u float64) float64 { return n.Quantile(below + u*(above-below)) })
}

// logNormal is given by its median and the standard deviation of its logarithm.
type logNormal struct{ median, sigma float64 }

func (l logNormal) at(z float64) float64 { return l.median * math.Exp(l.sigma*z) }

// counts is a distribution over 0, 1, 2 ...: entry k is the score above which
// the count exceeds k.
type counts []float64

// negativeBinomial has the given mean and dispersion r: variance mean + mean²/r.
// zeros is added to the probability of a zero (zero inflation).
func negativeBinomial(mean, r, zeros float64) counts {
	var table counts
	mass := math.Pow(r/(r+mean), r)
	below := zeros + (1-zeros)*mass
	for k := 0.0; below < 1-1e-7; k++ {
		table = append(table, mathext.NormalQuantile(below))
		mass *= (k + r) / (k + 1) * mean / (r + mean)
		below += (1 - zeros) * mass
	}
	return append(table, math.Inf(1))
}

func (c counts) at(z float64) int64 { return int64(sort.SearchFloat64s(c, z)) }

// choice is a distribution over a short list of values, in order of the score.
type choice []float64 // cumulative probabilities

func (c choice) pick(u float64) uint8 {
	return uint8(min(sort.SearchFloat64s(c, u), len(c)-1))
}

// shares makes a choice from relative frequencies.
func shares(frequencies ...float64) choice {
	total := 0.0
	for _, f := range frequencies {
		total += f
	}
	c, sum := make(choice, len(frequencies)), 0.0
	for i, f := range frequencies {
		sum += f / total
		c[i] = sum
	}
	return c
}

// score returns the normal score that a share of the population lies below.
func score(share float64) float64 { return mathext.NormalQuantile(share) }

// logistic is the inverse of the logit.
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
