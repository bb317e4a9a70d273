package datagen

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
)

// The quantiles of each numeric target that the truth holds.
var quantileLevels = [...]float64{0.10, 0.50, 0.90}

var quantileScores = func() (z [len(quantileLevels)]float64) {
	for i, level := range quantileLevels {
		z[i] = mathext.NormalQuantile(level)
	}
	return z
}()

// hermite holds the nodes and weights of Gauss-Hermite quadrature for an
// expectation over N(0, 1). Eleven nodes give the mean of a logit-normal with
// this noise to about 1e-10.
const hermiteNodes = 11

var hermite = func() (h struct{ at, weight [hermiteNodes]float64 }) {
	quad.Hermite{}.FixedLocations(h.at[:], h.weight[:], math.Inf(-1), math.Inf(1))
	for i := range h.at { // from the weight exp(-x²) to the standard normal density
		h.weight[i] /= math.SqrtPi
		h.at[i] *= math.Sqrt2
	}
	return h
}()

// engagementMoments returns mean and variance of engagement given its predictor.
func engagementMoments(predictor float64) (mean, variance float64) {
	square := 0.0
	for i, z := range hermite.at {
		y := logistic(predictor + engagementNoise*z)
		mean += hermite.weight[i] * y
		square += hermite.weight[i] * y * y
	}
	return mean, max(0, square-mean*mean)
}

func engagementQuantile(predictor, z float64) float64 {
	return logistic(predictor + engagementNoise*z)
}

// limitScore returns the normal score at which the lifetime value reaches its limit.
func limitScore(logMedian, spread float64) float64 {
	return (math.Log(valueLimit) - logMedian) / spread
}

// partial returns E[V^power; V < limit], V being log-normal and z the score of the limit.
func partial(logMedian, spread, z, power float64) float64 {
	return math.Exp(power*logMedian+power*power*spread*spread/2) * normalCDF(z-power*spread)
}

// valueMoments returns mean and variance of the lifetime value, which is cut off at valueLimit.
func valueMoments(logMedian, spread float64) (mean, variance float64) {
	z := limitScore(logMedian, spread)
	above := normalCDF(-z)
	mean = partial(logMedian, spread, z, 1) + above*valueLimit
	square := partial(logMedian, spread, z, 2) + above*valueLimit*valueLimit
	return mean, max(0, square-mean*mean)
}

func valueQuantile(logMedian, spread, z float64) float64 {
	return min(math.Exp(logMedian+spread*z), valueLimit)
}

// valuePinball returns the expected pinball loss of the true quantile at a level
// whose normal score is z: level·E[V] - E[V; V < q] - q·(level - P(V < q)).
func valuePinball(logMedian, spread, level, z, mean float64) float64 {
	limit := limitScore(logMedian, spread)
	q := valueQuantile(logMedian, spread, z)
	z = min(z, limit)
	return level*mean - partial(logMedian, spread, z, 1) - q*(level-normalCDF(z))
}
