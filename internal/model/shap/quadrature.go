package shap

import "math"

// maxDistinct is the most distinct features on a path.
const maxDistinct = 64

// four holds a number for each of four points of a quadrature. More points are
// dealt with four at a time.
type four [4]float64

// short rounds to 32 bits.
func (x four) short() quad {
	return quad{float32(x[0]), float32(x[1]), float32(x[2]), float32(x[3])}
}

// quadrature is a rule of fours: where its points are, and their weights. The
// last points may be there to fill up, with the weight 0.
type quadrature struct{ at, weight []four }

// quadratures[n] is exact for paths of 2n distinct features.
var quadratures = func() (all [maxDistinct/2 + 1]quadrature) {
	for n := range all {
		at, weight := gaussLegendre(n)
		for i := 0; i < n; i += 4 {
			a, w := four{0.5, 0.5, 0.5, 0.5}, four{}
			copy(a[:], at[i:])
			copy(w[:], weight[i:])
			all[n].at, all[n].weight = append(all[n].at, a), append(all[n].weight, w)
		}
	}
	return all
}()

// gaussLegendre returns the n points in [0, 1], and the weights, that integrate
// polynomials of degree less than 2n exactly. The points are the roots of a
// Legendre polynomial, found by Newton's method from the usual first guess;
// W. Press and others, Numerical Recipes, 3rd edition, section 4.6.
func gaussLegendre(n int) (at, weight []float64) {
	for i := range n {
		x, slope := math.Cos(math.Pi*(float64(i)+0.75)/(float64(n)+0.5)), 0.0
		for range 100 {
			value := 0.0
			value, slope = legendre(n, x)
			step := value / slope
			if x -= step; math.Abs(step) < 1e-15 {
				break
			}
		}
		at = append(at, (1-x)/2)
		weight = append(weight, 1/((1-x*x)*slope*slope))
	}
	return at, weight
}

// legendre returns the Legendre polynomial of degree n at x and its derivative.
func legendre(n int, x float64) (value, slope float64) {
	value, previous := 1.0, 0.0
	for i := range n {
		k := float64(i)
		value, previous = ((2*k+1)*x*value-k*previous)/(k+1), value
	}
	return value, float64(n) * (x*value - previous) / (x*x - 1)
}

// effect is what a node does where the earlier conditions on its feature hold:
// the factor of its left edge and what it adds, both by whether the row goes
// left. Package documentation, "Repeated features".
type effect struct{ goes, stays, gain, loss four }

// newEffect computes the effect at the points t of a node that sends the share
// ratio left, after conditions on the same feature that the share before met.
func newEffect(t four, before, ratio float64) (e effect) {
	for q, t := range t {
		f := t + (1-t)*before
		rest := (1 - t) * before * ratio / f
		e.goes[q], e.stays[q] = t/f+rest, rest
		e.gain[q] = ((1 - before*ratio) - e.goes[q]*(1-before)) / f
		e.loss[q] = (-before*ratio - rest*(1-before)) / f
	}
	return e
}
