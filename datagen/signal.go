package datagen

import (
	"encoding/json"
	"slices"

	"engage/internal/schema"
)

// Signal lists, for each target, the features that its function reads. All
// others carry no signal of their own: they tell something only as far as they
// go along with these.
var Signal = map[schema.Name][]schema.Name{
	schema.EngagementScore: {
		schema.AccountType, schema.AvgDailyLogins, schema.AvgSessionDurationMin, schema.NumMessagesSentPerDay,
		schema.NumEventsJoinedMonth, schema.DaysSinceLastLogin, schema.AvgReactionsPerPost, schema.ContentPostsPerWeek,
		schema.AvgScrollDepthPct, schema.NotificationClickRate, schema.FriendGroupParticipationScore,
		schema.PremiumFeatureUsageRate, schema.SocialInfluenceScore, schema.MatchSuccessRate,
		schema.ProfileViewsReceivedWeek, schema.GigListingsActive, schema.TransactionRevenueMonth,
		schema.ContentViralityScore, schema.AvgJobCompletionRating, schema.TotalConnections, schema.AvgSentimentScore,
		schema.SessionConsistencyScore, schema.PremiumFeaturesUsedCount, schema.Last7DayEngagementTrend,
		schema.SocialInfluenceTier, schema.TrustScore,
	},
	schema.Churn30Day: {
		schema.AccountType, schema.AvgDailyLogins, schema.DaysSinceLastLogin, schema.NotificationClickRate,
		schema.TotalConnections, schema.AvgSentimentScore, schema.ResponseTimeAvgHours, schema.SessionConsistencyScore,
		schema.Last7DayEngagementTrend,
	},
	schema.LifetimeValueUSD: {
		schema.AccountType, schema.AvgDailyLogins, schema.TransactionRevenueMonth, schema.AvgJobCompletionRating,
		schema.TotalConnections, schema.NetworkCentrality, schema.TimeSinceFirstTransactionDays, schema.ReferralCount,
		schema.PremiumFeaturesUsedCount,
	},
	schema.NextAction: {
		schema.NumMessagesSentPerDay, schema.ContentPostsPerWeek, schema.AvgScrollDepthPct, schema.MatchSuccessRate,
		schema.ProfileViewsReceivedWeek, schema.GigApplicationsSentMonth, schema.GigListingsActive,
		schema.ContentViralityScore, schema.TotalConnections, schema.ContentCategoryPrimary,
		schema.ResponseTimeAvgHours, schema.ReferralCount, schema.TrustScore,
	},
}

// Silent lists the features without signal for a target.
func Silent(target schema.Name) []schema.Name {
	return slices.DeleteFunc(schema.Customers.WithRole(schema.Feature), func(name schema.Name) bool {
		return slices.Contains(Signal[target], name)
	})
}

// SilentForAll lists the features without signal for any target.
func SilentForAll() []schema.Name {
	return slices.DeleteFunc(schema.Customers.WithRole(schema.Feature), func(name schema.Name) bool {
		for _, names := range Signal {
			if slices.Contains(names, name) {
				return true
			}
		}
		return false
	})
}

// Parameters tells the constants of the model, as a JSON object.
func Parameters() json.RawMessage {
	silent := map[schema.Name][]schema.Name{"all_targets": SilentForAll()}
	for target := range Signal {
		silent[target] = Silent(target)
	}
	text, err := json.Marshal(struct {
		EngagementNoise float64                       `json:"engagement_noise_sd_on_logit"`
		ValueSpread     [2]float64                    `json:"lifetime_value_log_sd_range"`
		PremiumShare    float64                       `json:"premium_share"`
		Homophily       float64                       `json:"homophily_intraclass_correlation"`
		DegreeExponent  float64                       `json:"expected_degree_exponent"`
		OutsideShare    float64                       `json:"ties_outside_community"`
		ClosureShare    float64                       `json:"ties_closed_to_triangles"`
		NoSignal        map[schema.Name][]schema.Name `json:"features_without_signal"`
	}{
		engagementNoise, [2]float64{lowestSpread, lowestSpread + spreadWithoutDeals + spreadOfFree}, premiumShare,
		homophily, degreeExponent, outsideShare, closureShare, silent,
	})
	if err != nil {
		panic("datagen: " + err.Error()) // plain numbers and names always encode
	}
	return text
}
