package schema

import "sort"

// InfluenceTierBounds are the scores at which a tier ends: InfluenceTiers[i]
// holds scores below InfluenceTierBounds[i] and the last tier the rest.
var InfluenceTierBounds = []float64{0.25, 0.5, 0.75}

// InfluenceTier is the tier of a social influence score. A score on a bound
// belongs to the tier above it.
func InfluenceTier(score float64) string {
	return InfluenceTiers[sort.Search(len(InfluenceTierBounds), func(i int) bool { return score < InfluenceTierBounds[i] })]
}

// TimeOfDay is the part of the day that an hour, 0 to 23, belongs to: morning
// 5-11, afternoon 12-16, evening 17-21, night 22-4.
func TimeOfDay(hour int) string {
	switch {
	case hour >= 5 && hour <= 11:
		return TimesOfDay[0]
	case hour >= 12 && hour <= 16:
		return TimesOfDay[1]
	case hour >= 17 && hour <= 21:
		return TimesOfDay[2]
	}
	return TimesOfDay[3]
}
