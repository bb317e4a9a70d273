package dataset

import (
	"fmt"

	"engage/internal/frame"
	"engage/internal/schema"
)

// planRules are those of the subscription plan.
var planRules = []rowRule{
	{RuleFreePlan, []schema.Name{schema.AccountType, schema.PremiumFeatureUsageRate, schema.PremiumFeaturesUsedCount},
		func(c []*frame.Column, i int) (string, int) {
			const message = "a free account uses no premium features, so the value must be 0"
			free := c[0].Present(i) && c[0].Strings[i] == schema.AccountTypes[0]
			switch {
			case free && c[1].Present(i) && c[1].Floats[i] != 0:
				return message, 1
			case free && c[2].Present(i) && c[2].Ints[i] != 0:
				return message, 2
			}
			return "", 0
		}},
	{RulePremiumUse, []schema.Name{schema.AccountType, schema.PremiumFeatureUsageRate, schema.PremiumFeaturesUsedCount},
		func(c []*frame.Column, i int) (string, int) {
			free := c[0].Present(i) && c[0].Strings[i] == schema.AccountTypes[0] // both are 0 by the rule above
			if free || !c[1].Present(i) || !c[2].Present(i) || (number(c[1], i) > 0) == (number(c[2], i) > 0) {
				return "", 0
			}
			return "the value must be above 0 exactly when premium_feature_usage_rate is", 2
		}},
}

// activityRules are those of what a customer did lately.
var activityRules = []rowRule{
	{RuleWindow, append([]schema.Name{schema.DaysSinceLastLogin}, schema.WindowActivity...),
		func(c []*frame.Column, i int) (string, int) {
			if number(c[0], i) < schema.ActivityWindowDays {
				return "", 0
			}
			for blame := 1; blame < len(c); blame++ {
				if number(c[blame], i) != 0 {
					return fmt.Sprintf("the last login was %d days ago, so the value over the last %d days must be 0", c[0].Ints[i], schema.ActivityWindowDays), blame
				}
			}
			return "", 0
		}},
	{RuleTrend, []schema.Name{schema.DaysSinceLastLogin, schema.Last7DayEngagementTrend},
		func(c []*frame.Column, i int) (string, int) {
			if number(c[0], i) < schema.TrendWindowDays || number(c[1], i) == 0 {
				return "", 0
			}
			return fmt.Sprintf("the last login was %d days ago, so the trend over the last %d days must be 0", c[0].Ints[i], schema.TrendWindowDays), 1
		}},
	{RuleDay, []schema.Name{schema.AvgDailyLogins, schema.AvgSessionDurationMin},
		func(c []*frame.Column, i int) (string, int) {
			minutes := number(c[0], i) * number(c[1], i)
			if !(minutes > schema.MaxDailyMinutes+schema.DailyMinutesTolerance) {
				return "", 0
			}
			return fmt.Sprintf("with %v logins a day that is %.1f minutes a day, at most %d are possible", c[0].Floats[i], minutes, schema.MaxDailyMinutes), 1
		}},
	{RuleTies, []schema.Name{schema.TotalConnections, schema.NumNewConnectionsMonth},
		func(c []*frame.Column, i int) (string, int) {
			if !c[0].Present(i) || number(c[1], i) <= number(c[0], i) {
				return "", 0
			}
			return fmt.Sprintf("the value must not be above total_connections, %d", c[0].Ints[i]), 1
		}},
	{RulePosts, []schema.Name{schema.ContentPostsPerWeek, schema.AvgReactionsPerPost, schema.AvgCommentsPerPost, schema.ContentViralityScore},
		func(c []*frame.Column, i int) (string, int) {
			if !c[0].Present(i) {
				return "", 0
			}
			posts := c[0].Ints[i] > 0
			for blame := 1; blame < len(c); blame++ {
				if c[blame].Present(i) != posts {
					return "the value must be missing exactly when content_posts_per_week is 0", blame
				}
			}
			return "", 0
		}},
	{RuleResponse, []schema.Name{schema.NumMessagesSentPerDay, schema.ResponseTimeAvgHours},
		func(c []*frame.Column, i int) (string, int) {
			if !c[0].Present(i) || c[1].Present(i) == (number(c[0], i) != 0) {
				return "", 0
			}
			return "the value must be missing exactly when num_messages_sent_per_day is 0", 1
		}},
	{RuleSentiment, []schema.Name{schema.ContentPostsPerWeek, schema.NumMessagesSentPerDay, schema.AvgSentimentScore},
		func(c []*frame.Column, i int) (string, int) {
			wrote := number(c[0], i) != 0 || number(c[1], i) != 0
			if !c[0].Present(i) || !c[1].Present(i) || c[2].Present(i) == wrote {
				return "", 0
			}
			return "the value must be missing exactly when content_posts_per_week and num_messages_sent_per_day are 0", 2
		}},
}

// gigRules are those of the gigs that a customer did.
var gigRules = []rowRule{
	{RuleRating, []schema.Name{schema.TimeSinceFirstTransactionDays, schema.AvgJobCompletionRating},
		func(c []*frame.Column, i int) (string, int) {
			if c[0].Present(i) == c[1].Present(i) {
				return "", 0
			}
			return "the value must be missing exactly when time_since_first_transaction_days is", 1
		}},
	{RuleRevenue, []schema.Name{schema.TimeSinceFirstTransactionDays, schema.TransactionRevenueMonth},
		func(c []*frame.Column, i int) (string, int) {
			if c[0].Present(i) || !(number(c[1], i) > 0) {
				return "", 0
			}
			return "revenue needs a transaction, but time_since_first_transaction_days is missing", 1
		}},
	{RuleFirstDeal, []schema.Name{schema.Age, schema.TimeSinceFirstTransactionDays},
		func(c []*frame.Column, i int) (string, int) {
			most := (number(c[0], i) - schema.WorkingAge) * schema.DaysPerYear
			if !c[0].Present(i) || !c[1].Present(i) || number(c[1], i) <= most {
				return "", 0
			}
			return fmt.Sprintf("at age %d it can be at most %.0f days", c[0].Ints[i], most), 1
		}},
}
