package schema

import "sort"

// The bounds that tie columns of one customer to each other. The generator
// keeps them and validation checks them.
const (
	// ActivityWindowDays is the window of the recent activity, in days: who last
	// logged in that long ago, or longer, has none.
	ActivityWindowDays = 30
	// TrendWindowDays is the window of the engagement trend, in days: who last
	// logged in that long ago, or longer, has a trend of 0.
	TrendWindowDays = 7
	// MaxDailyMinutes is the most time online a day, in minutes: the product of
	// daily logins and session duration.
	MaxDailyMinutes = 960
	// DailyMinutesTolerance is what the rounding of both factors may add to that
	// product, in minutes.
	DailyMinutesTolerance = 1
	// WorkingAge is the age in years from which gigs are open: the first
	// transaction lies at most (age - WorkingAge) x DaysPerYear days back.
	WorkingAge = 17
	// DaysPerYear counts a year in days, leap days left out.
	DaysPerYear = 365
)

// WindowActivity lists the columns that count activity in the last
// ActivityWindowDays: all are 0 for who did not log in within them.
var WindowActivity = []Name{AvgDailyLogins, NumMessagesSentPerDay, ContentPostsPerWeek, NumEventsJoinedMonth, NumNewConnectionsMonth}

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
