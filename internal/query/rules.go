package query

import "engage/internal/schema"

// RowRule is a rule that ties columns of one customer to each other.
type RowRule struct {
	Name    string // as the validation of files calls it
	Column  schema.Name
	Broken  Fragment // true of a row that breaks it
	Message string
}

// CountBroken counts the rows that break the rule.
func (r RowRule) CountBroken() Fragment { return frag("count_if(%s)", r.Broken) }

// RowRules lists the rules: those that the generator keeps and that files are
// checked against, in SQL.
func RowRules() []RowRule {
	free := frag("%s = %s", Ident(schema.AccountType), Text(schema.AccountTypes[0]))
	return append([]RowRule{
		{"free-plan", schema.PremiumFeatureUsageRate, frag("%s AND (%s <> 0 OR %s <> 0)", free, Ident(schema.PremiumFeatureUsageRate), Ident(schema.PremiumFeaturesUsedCount)),
			"a free account uses premium features"},
		{"premium-use", schema.PremiumFeaturesUsedCount, frag("NOT (%s) AND (%s > 0) <> (%s > 0)", free, Ident(schema.PremiumFeatureUsageRate), Ident(schema.PremiumFeaturesUsedCount)),
			"premium features are counted but not used, or used but not counted"},
		{"trend", schema.Last7DayEngagementTrend, frag("%s >= %s AND %s <> 0", Ident(schema.DaysSinceLastLogin), Int(schema.TrendWindowDays), Ident(schema.Last7DayEngagementTrend)),
			"a trend without a login in its window"},
		{"day", schema.AvgSessionDurationMin, frag("%s * %s > %s", Ident(schema.AvgDailyLogins), Ident(schema.AvgSessionDurationMin), Double(schema.MaxDailyMinutes+schema.DailyMinutesTolerance)),
			"more minutes online than a day may have"},
		{"ties", schema.NumNewConnectionsMonth, frag("%s > %s", Ident(schema.NumNewConnectionsMonth), Ident(schema.TotalConnections)),
			"more new connections than connections"},
		{"response", schema.ResponseTimeAvgHours, frag("(%s IS NULL) <> (%s = 0)", Ident(schema.ResponseTimeAvgHours), Ident(schema.NumMessagesSentPerDay)),
			"a response time without messages, or messages without one"},
		{"sentiment", schema.AvgSentimentScore, frag("(%s IS NULL) <> (%s = 0 AND %s = 0)", Ident(schema.AvgSentimentScore), Ident(schema.ContentPostsPerWeek), Ident(schema.NumMessagesSentPerDay)),
			"a sentiment without anything written, or none with"},
		{"dating", schema.MatchSuccessRate, frag("(%s IS NULL) <> (%s IS NULL)", Ident(schema.MatchSuccessRate), Ident(schema.SwipeLikeRatio)),
			"one of the two dating ratios without the other"},
		{"rating", schema.AvgJobCompletionRating, frag("(%s IS NULL) <> (%s IS NULL)", Ident(schema.AvgJobCompletionRating), Ident(schema.TimeSinceFirstTransactionDays)),
			"a rating without a first transaction, or one without a rating"},
		{"revenue", schema.TransactionRevenueMonth, frag("%s IS NULL AND %s > 0", Ident(schema.TimeSinceFirstTransactionDays), Ident(schema.TransactionRevenueMonth)),
			"revenue without a first transaction"},
		{"first-deal", schema.TimeSinceFirstTransactionDays, frag("%s > (%s - %s) * %s", Ident(schema.TimeSinceFirstTransactionDays), Ident(schema.Age), Int(schema.WorkingAge), Int(schema.DaysPerYear)),
			"a first transaction before the working age"},
		{"tier", schema.SocialInfluenceTier, frag("%s <> %s", Ident(schema.SocialInfluenceTier), tierCase()),
			"a tier that is not that of the score"},
		{"time-of-day", schema.TimeOfDayActive, frag("%s <> %s", Ident(schema.TimeOfDayActive), timeCase()),
			"a part of the day that is not that of the peak hour"},
	}, listRules()...)
}

// listRules are those that hold for each of several columns.
func listRules() []RowRule {
	var out []RowRule
	for _, c := range schema.WindowActivity {
		out = append(out, RowRule{"window", c, frag("%s >= %s AND %s <> 0", Ident(schema.DaysSinceLastLogin), Int(schema.ActivityWindowDays), Ident(c)),
			"activity without a login in its window"})
	}
	for _, c := range []schema.Name{schema.AvgReactionsPerPost, schema.AvgCommentsPerPost, schema.ContentViralityScore} {
		out = append(out, RowRule{"posts", c, frag("(%s IS NULL) <> (%s = 0)", Ident(c), Ident(schema.ContentPostsPerWeek)),
			"an average over posts without posts, or posts without one"})
	}
	return out
}

// tierCase is schema.InfluenceTier in SQL.
func tierCase() Fragment {
	out := Fragment("CASE")
	for i, bound := range schema.InfluenceTierBounds {
		out += frag(" WHEN %s < %s THEN %s", Ident(schema.SocialInfluenceScore), Double(bound), Text(schema.InfluenceTiers[i]))
	}
	return out + frag(" ELSE %s END", Text(schema.InfluenceTiers[len(schema.InfluenceTierBounds)]))
}

// timeCase is schema.TimeOfDay in SQL.
func timeCase() Fragment {
	out := frag("CASE %s", Ident(schema.PeakActivityHour))
	for hour := range 24 {
		out += frag(" WHEN %s THEN %s", Int(hour), Text(schema.TimeOfDay(hour)))
	}
	return out + " END"
}
