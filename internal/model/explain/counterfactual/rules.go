package counterfactual

import (
	"math"
	"slices"

	"engage/internal/schema"
)

// cells are what a customer's columns hold, numbers and positions of categories;
// NaN is missing, and so is a column that the model does not read.
type cells func(schema.Name) float64

// rule is what holds between columns of one customer. It is asked only if one
// of its columns was changed, and says nothing of what is missing.
type rule struct {
	columns []schema.Name
	holds   func(before, after cells) bool
}

// opened are the columns that have a value only of who does what the key counts:
// who begins would have values there that nobody knows.
var opened = map[schema.Name][]schema.Name{
	schema.ContentPostsPerWeek:   {schema.AvgReactionsPerPost, schema.AvgCommentsPerPost, schema.ContentViralityScore, schema.AvgSentimentScore},
	schema.NumMessagesSentPerDay: {schema.ResponseTimeAvgHours, schema.AvgSentimentScore},
}

var rules = append([]rule{
	{[]schema.Name{schema.AvgDailyLogins, schema.AvgSessionDurationMin}, func(_, x cells) bool {
		return !(x(schema.AvgDailyLogins)*x(schema.AvgSessionDurationMin) > schema.MaxDailyMinutes)
	}},
	{append([]schema.Name{schema.DaysSinceLastLogin}, schema.WindowActivity...), func(_, x cells) bool {
		return !(x(schema.DaysSinceLastLogin) >= schema.ActivityWindowDays) ||
			!slices.ContainsFunc(schema.WindowActivity, func(c schema.Name) bool { return x(c) > 0 })
	}},
	{[]schema.Name{schema.NumNewConnectionsMonth, schema.TotalConnections}, func(_, x cells) bool {
		return !(x(schema.NumNewConnectionsMonth) > x(schema.TotalConnections))
	}},
	{[]schema.Name{schema.AccountType, schema.PremiumFeatureUsageRate, schema.PremiumFeaturesUsedCount}, premium},
}, openings()...)

// premium: free accounts use no premium feature; who uses some has both a rate and
// a count of them.
func premium(_, x cells) bool {
	account, rate, count := x(schema.AccountType), x(schema.PremiumFeatureUsageRate), x(schema.PremiumFeaturesUsedCount)
	if account == 0 && (rate > 0 || count > 0) {
		return false
	}
	return math.IsNaN(rate) || math.IsNaN(count) || rate > 0 == (count > 0)
}

// openings forbid to begin what would open columns without values.
func openings() []rule {
	var all []rule
	for driver, dependents := range opened {
		all = append(all, rule{[]schema.Name{driver}, func(before, after cells) bool {
			began := before(driver) == 0 && after(driver) > 0
			return !began || !slices.ContainsFunc(dependents, func(c schema.Name) bool { return math.IsNaN(before(c)) })
		}})
	}
	return all
}
