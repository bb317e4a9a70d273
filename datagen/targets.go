package datagen

import (
	"math"
	"math/rand/v2"

	"engage/datagen/philox"
)

// The targets are functions of what is observed, and of nothing else, plus
// noise of known size. No protected column has an effect of its own. The terms
// below are the whole truth; docs/population.md tells them in words.

// standard brings a value to about mean 0 and standard deviation 1.
func standard(x, mean, sd float64) float64 { return (x - mean) / sd }

// scaled holds the values that several targets use, on a common scale.
type scaled struct {
	premium                              float64
	logins, session, messages            float64 // of logarithms
	views, ties, posts, events           float64
	match, influence, groups, regularity float64 // centred rates
	mood                                 float64 // 0 where nothing was written
}

func scale(o *customer) scaled {
	s := scaled{
		logins:     standard(math.Log1p(o.Logins), 1.36, 0.60),
		session:    standard(math.Log1p(o.Session), 2.70, 0.56),
		messages:   standard(math.Log1p(o.Messages), 2.00, 0.97),
		views:      standard(math.Log1p(float64(o.Views)), 3.05, 1.25),
		ties:       standard(math.Log1p(float64(o.Ties)), typicalTies, tiesSpread),
		posts:      standard(math.Log1p(float64(o.Posts)), 1.11, 0.85),
		events:     standard(math.Log1p(float64(o.Events)), 0.76, 0.70),
		influence:  standard(o.Influence, 0.30, 0.18),
		groups:     standard(o.Groups, 0.45, 0.195),
		regularity: standard(o.Consistency, 0.545, 0.195),
	}
	if o.Premium {
		s.premium = 1
	}
	if o.Dates {
		s.match = standard(o.Match, 0.29, 0.16)
	}
	if o.Writes {
		s.mood = standard(o.Mood, 0.19, 0.27)
	}
	return s
}

func when(condition bool, effect float64) float64 {
	if condition {
		return effect
	}
	return 0
}

// Engagement is logistic(predictor + noise), noise being N(0, engagementNoise²):
// main effects, thresholds, then interactions.
const engagementNoise = 0.42

func engagementPredictor(o *customer, s *scaled) float64 {
	x := -0.05 + 0.36*s.logins + 0.26*s.session + 0.10*s.messages + 0.20*s.premium +
		0.70*o.PremiumUse + 0.20*s.influence + 0.14*s.groups + 0.12*s.regularity +
		8.0*o.Trend + 0.08*s.mood + 0.05*s.ties + 0.30*(o.Scroll/100-0.57) + 0.15*(o.Trust-0.75) +
		0.01*float64(o.PremiumCount)
	x += when(!o.Dates, -0.15) + 0.14*s.match
	x += when(o.Posts > 0, 0.04*(math.Log1p(o.Reactions)-2.5)+0.4*(o.Virality-0.12))
	x += when(o.Earner, 0.05*(o.Rating-4.2)) + 0.015*math.Log1p(o.Revenue)

	x += when(o.Recency > 7, -0.45) + when(o.Recency > 30, -0.45)
	x += when(o.Clicks > 0.30, 0.25) + when(o.Posts >= 7, 0.20) + when(o.Listings > 0, 0.12)
	x += when(o.Influence >= 0.50, 0.15)

	x += 0.12 * s.logins * s.session
	x += 0.08 * s.match * s.views
	x += 0.12 * s.premium * s.regularity
	x += 0.07 * s.influence * s.posts
	x += when(o.Recency > 3, 0.90*o.Clicks)
	x += 0.05 * s.mood * s.messages
	x += 0.05 * s.groups * s.events
	return x
}

// Churn happens with probability logistic(predictor).
func churnPredictor(o *customer, s *scaled) float64 {
	x := -1.75 + 0.035*float64(min(o.Recency, 60)) - 0.40*s.logins - 14*o.Trend - 0.25*s.mood -
		0.20*s.regularity - 0.15*s.ties - 0.45*s.premium
	x += when(!o.Messaged, 0.30) + when(o.Messaged, 0.15*(math.Log1p(o.Response)-1.5))
	x += when(o.Recency > 14, 0.60) + when(o.Clicks < 0.05, 0.20)
	x += 0.25*s.premium*s.regularity + when(o.Recency > 14, -0.30*s.premium)
	x += when(o.Messaged, -0.10*s.mood*(math.Log1p(o.Response)-1.5))
	return x
}

// Lifetime value is a log-normal with this median (as its logarithm) and spread,
// cut off at valueLimit; what is less certain is spread wider.
const (
	valueLimit         = 10000
	lowestSpread       = 0.30 // standard deviation of the logarithm
	spreadWithoutDeals = 0.12
	spreadOfFree       = 0.08
)

func valueDistribution(o *customer, s *scaled) (logMedian, spread float64) {
	logMedian = 5.1 + 0.70*s.premium + 0.11*math.Log1p(o.Revenue) + 0.04*float64(o.PremiumCount) +
		0.18*math.Log1p(float64(o.Referrals)) + 0.10*s.ties + 0.14*s.logins
	logMedian += when(o.Earner, 0.10*(math.Log1p(float64(o.FirstDeal))-5.5)+0.10*(o.Rating-4.2))
	logMedian += when(o.Centrality > 0.05, 0.15) + 0.03*s.premium*math.Log1p(o.Revenue)
	return logMedian, lowestSpread + when(!o.Earner, spreadWithoutDeals) + when(!o.Premium, spreadOfFree)
}

// The next action follows a multinomial logit; utilities are in the order of schema.NextActions.
const actions = 6

func actionUtilities(o *customer, s *scaled) [actions]float64 {
	return [actions]float64{
		-0.6 + 0.85*s.posts + when(o.Posts > 0, 2.0*o.Virality),
		0.9 + 0.9*(o.Scroll/100-0.57) - 0.25*s.messages,
		0.2 + 0.75*s.messages + when(o.Messaged && o.Response < 2, 0.40),
		-0.9 + 0.80*math.Log1p(float64(o.Applications)) + when(o.Listings > 0, 0.60) + when(o.Category == 0 || o.Category == 9, 0.40),
		-1.0 + when(o.Dates, 0.40) + 0.25*s.views + when(o.Trust < 0.6, 0.40),
		-1.6 + 0.80*math.Log1p(float64(o.Referrals)) + 0.25*s.ties,
	}
}

// outcome is the distribution of the targets given what is observed.
type outcome struct {
	engagement float64 // predictor, on the logit scale
	churn      float64 // probability
	logValue   float64 // logarithm of the median
	spread     float64
	actions    [actions]float64 // probabilities
}

func outcomeOf(o *customer) outcome {
	s := scale(o)
	out := outcome{engagement: engagementPredictor(o, &s), churn: logistic(churnPredictor(o, &s))}
	out.logValue, out.spread = valueDistribution(o, &s)
	out.actions = softmax(actionUtilities(o, &s))
	return out
}

func softmax(u [actions]float64) [actions]float64 {
	sum := 0.0
	for k := range u {
		u[k] = math.Exp(u[k])
		sum += u[k]
	}
	for k := range u {
		u[k] /= sum
	}
	return u
}

// targets is what happened to one customer.
type targets struct {
	engagement float64
	churned    bool
	value      float64
	action     uint8
}

// draw lets the outcome happen.
func (p *Population) draw(row int, out *outcome) targets {
	source := philox.New(p.seed, forTargets, uint64(row))
	normal := rand.New(&source)
	t := targets{
		engagement: round(logistic(out.engagement+engagementNoise*normal.NormFloat64()), 1e4),
		value:      round(min(math.Exp(out.logValue+out.spread*normal.NormFloat64()), valueLimit), 100),
		churned:    source.Uniform() < out.churn,
	}
	t.action = pickProbability(out.actions[:], source.Uniform())
	return t
}

func pickProbability(probabilities []float64, u float64) uint8 {
	for k, p := range probabilities {
		if u -= p; u < 0 {
			return uint8(k)
		}
	}
	return uint8(len(probabilities) - 1)
}
