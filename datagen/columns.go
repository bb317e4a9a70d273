package datagen

import (
	"engage/internal/frame"
	"engage/internal/schema"
)

// record is one customer with what happened to them.
type record struct {
	customer
	targets
	id string
}

// filler writes one column of a record into row i.
type filler struct {
	name schema.Name
	put  func(c *frame.Column, i int, r *record)
}

func ints(name schema.Name, get func(r *record) int64) filler {
	return filler{name, func(c *frame.Column, i int, r *record) { c.Ints[i] = get(r) }}
}

func floats(name schema.Name, get func(r *record) float64) filler {
	return filler{name, func(c *frame.Column, i int, r *record) { c.Floats[i] = get(r) }}
}

func enum(name schema.Name, values []string, get func(r *record) uint8) filler {
	return filler{name, func(c *frame.Column, i int, r *record) { c.Strings[i] = values[get(r)] }}
}

// optional writes a missing value where there is none.
func (f filler) optional(present func(r *record) bool) filler {
	put := f.put
	f.put = func(c *frame.Column, i int, r *record) {
		if present(r) {
			put(c, i, r)
		} else {
			c.SetNull(i, len(c.Floats)+len(c.Ints)) // one of the two is in use
		}
	}
	return f
}

func dates(r *record) bool     { return r.Dates }
func earns(r *record) bool     { return r.Earner }
func publishes(r *record) bool { return r.Posts > 0 }

// fillers has one entry a column of the customers table.
var fillers = []filler{
	{schema.CustomerID, func(c *frame.Column, i int, r *record) { c.Strings[i] = r.id }},
	ints(schema.Age, func(r *record) int64 { return r.Age }),
	enum(schema.Gender, schema.Genders, func(r *record) uint8 { return r.Gender }),
	enum(schema.Location, schema.States, func(r *record) uint8 { return r.Home }),
	enum(schema.AccountType, schema.AccountTypes, func(r *record) uint8 {
		if r.Premium {
			return 1
		}
		return 0
	}),
	floats(schema.AvgDailyLogins, func(r *record) float64 { return r.Logins }),
	floats(schema.AvgSessionDurationMin, func(r *record) float64 { return r.Session }),
	floats(schema.NumMessagesSentPerDay, func(r *record) float64 { return r.Messages }),
	ints(schema.NumEventsJoinedMonth, func(r *record) int64 { return r.Events }),
	ints(schema.NumNewConnectionsMonth, func(r *record) int64 { return r.NewTies }),
	floats(schema.InfluencerFollowScore, func(r *record) float64 { return r.Influencers }),
	ints(schema.DaysSinceLastLogin, func(r *record) int64 { return r.Recency }),
	floats(schema.ChurnRiskScore, func(r *record) float64 { return r.Risk }),
	floats(schema.AvgReactionsPerPost, func(r *record) float64 { return r.Reactions }).optional(publishes),
	floats(schema.AvgCommentsPerPost, func(r *record) float64 { return r.Comments }).optional(publishes),
	ints(schema.ContentPostsPerWeek, func(r *record) int64 { return r.Posts }),
	floats(schema.AvgScrollDepthPct, func(r *record) float64 { return r.Scroll }),
	floats(schema.NotificationClickRate, func(r *record) float64 { return r.Clicks }),
	enum(schema.DeviceType, schema.DeviceTypes, func(r *record) uint8 { return r.Device }),
	{schema.TimeOfDayActive, func(c *frame.Column, i int, r *record) { c.Strings[i] = schema.TimeOfDay(int(r.PeakHour)) }},
	floats(schema.FriendGroupParticipationScore, func(r *record) float64 { return r.Groups }),
	floats(schema.PremiumFeatureUsageRate, func(r *record) float64 { return r.PremiumUse }),
	floats(schema.AvgAdsEngagementRate, func(r *record) float64 { return r.Ads }),
	floats(schema.SocialInfluenceScore, func(r *record) float64 { return r.Influence }),
	floats(schema.MatchSuccessRate, func(r *record) float64 { return r.Match }).optional(dates),
	ints(schema.ProfileViewsReceivedWeek, func(r *record) int64 { return r.Views }),
	ints(schema.GigApplicationsSentMonth, func(r *record) int64 { return r.Applications }),
	ints(schema.GigListingsActive, func(r *record) int64 { return r.Listings }),
	floats(schema.TransactionRevenueMonth, func(r *record) float64 { return r.Revenue }),
	floats(schema.ContentViralityScore, func(r *record) float64 { return r.Virality }).optional(publishes),
	floats(schema.SwipeLikeRatio, func(r *record) float64 { return r.Likes }).optional(dates),
	floats(schema.AvgJobCompletionRating, func(r *record) float64 { return r.Rating }).optional(earns),
	ints(schema.TotalConnections, func(r *record) int64 { return r.Ties }),
	floats(schema.EngagementScore, func(r *record) float64 { return r.engagement }),
	{schema.Churn30Day, func(c *frame.Column, i int, r *record) { c.Bools[i] = r.churned }},
	floats(schema.LifetimeValueUSD, func(r *record) float64 { return r.value }),
	floats(schema.AvgSentimentScore, func(r *record) float64 { return r.Mood }).optional(func(r *record) bool { return r.Writes }),
	enum(schema.ContentCategoryPrimary, schema.Categories, func(r *record) uint8 { return r.Category }),
	floats(schema.NetworkCentrality, func(r *record) float64 { return r.Centrality }),
	ints(schema.TimeSinceFirstTransactionDays, func(r *record) int64 { return r.FirstDeal }).optional(earns),
	floats(schema.ResponseTimeAvgHours, func(r *record) float64 { return r.Response }).optional(func(r *record) bool { return r.Messaged }),
	ints(schema.PeakActivityHour, func(r *record) int64 { return r.PeakHour }),
	floats(schema.ContentDiversityScore, func(r *record) float64 { return r.Diversity }),
	ints(schema.ReferralCount, func(r *record) int64 { return r.Referrals }),
	floats(schema.SessionConsistencyScore, func(r *record) float64 { return r.Consistency }),
	ints(schema.PremiumFeaturesUsedCount, func(r *record) int64 { return r.PremiumCount }),
	floats(schema.Last7DayEngagementTrend, func(r *record) float64 { return r.Trend }),
	{schema.SocialInfluenceTier, func(c *frame.Column, i int, r *record) { c.Strings[i] = schema.InfluenceTier(r.Influence) }},
	floats(schema.TrustScore, func(r *record) float64 { return r.Trust }),
	enum(schema.NextAction, schema.NextActions, func(r *record) uint8 { return r.action }),
}

// The form of a customer id: prefix and digits, the number counted from 1.
const (
	idPrefix = "CUST_"
	idDigits = 8
)

// customerIDs returns the ids of n customers, given their rows. They share one
// allocation.
func customerIDs(n int, row func(i int) int) []string {
	const width = len(idPrefix) + idDigits
	buffer := make([]byte, n*width)
	for i := range n {
		id := buffer[i*width : (i+1)*width]
		copy(id, idPrefix)
		for number, at := row(i)+1, width-1; at >= len(idPrefix); at-- {
			id[at] = byte('0' + number%10)
			number /= 10
		}
	}
	all, ids := string(buffer), make([]string, n)
	for i := range ids {
		ids[i] = all[i*width : (i+1)*width]
	}
	return ids
}

// rowsFrom numbers rows upwards from lo.
func rowsFrom(lo int) func(i int) int { return func(i int) int { return lo + i } }
