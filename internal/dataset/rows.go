package dataset

import (
	"fmt"
	"strconv"

	"engage/internal/frame"
	"engage/internal/schema"
)

// rowRule relates columns of one row.
type rowRule struct {
	rule    Rule
	columns []schema.Name
	// broken says what is wrong in row i, or nothing, and which of the columns,
	// by position, is to blame. The columns are those named above, in order.
	broken func(c []*frame.Column, i int) (message string, blame int)
}

// customerRules relate columns of the customers table. A row with a cell that
// could not be read is left out.
var customerRules = []rowRule{
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
	{RuleDating, []schema.Name{schema.MatchSuccessRate, schema.SwipeLikeRatio},
		func(c []*frame.Column, i int) (string, int) {
			if c[0].Present(i) == c[1].Present(i) {
				return "", 0
			}
			return "match_success_rate and swipe_like_ratio must both be there or both be missing", 1
		}},
	{RuleRating, []schema.Name{schema.TimeSinceFirstTransactionDays, schema.AvgJobCompletionRating},
		func(c []*frame.Column, i int) (string, int) {
			if c[0].Present(i) || !c[1].Present(i) {
				return "", 0
			}
			return "a rating needs a completed gig, but time_since_first_transaction_days is missing", 1
		}},
	{RuleTier, []schema.Name{schema.SocialInfluenceScore, schema.SocialInfluenceTier},
		func(c []*frame.Column, i int) (string, int) {
			if !c[0].Present(i) || !c[1].Present(i) {
				return "", 0
			}
			if want := schema.InfluenceTier(c[0].Floats[i]); want != c[1].Strings[i] {
				return fmt.Sprintf("social_influence_score %v makes the tier %s", c[0].Floats[i], want), 1
			}
			return "", 0
		}},
	{RuleTimeOfDay, []schema.Name{schema.PeakActivityHour, schema.TimeOfDayActive},
		func(c []*frame.Column, i int) (string, int) {
			if !c[0].Present(i) || !c[1].Present(i) {
				return "", 0
			}
			if want := schema.TimeOfDay(int(c[0].Ints[i])); want != c[1].Strings[i] {
				return fmt.Sprintf("peak_activity_hour %d makes the time of day %s", c[0].Ints[i], want), 1
			}
			return "", 0
		}},
}

func (c *cellChecker) rowRule(r *rowRule, b *frame.Batch, before int64) {
	columns := make([]*frame.Column, len(r.columns))
	for i, name := range r.columns {
		columns[i] = b.Column(name)
	}
	for i := range b.Rows {
		message, blame := r.broken(columns, i)
		if message == "" {
			continue
		}
		row := before + int64(i) + 1
		if len(c.badRows) > 0 && c.badRows[row] || !c.rec.hit(r.rule) {
			continue
		}
		check := &c.columns[b.Table.MustIndex(r.columns[blame])]
		c.report(r.rule, check, row, text(columns[blame], i), message)
	}
}

// text is a value for people, empty where it is missing.
func text(c *frame.Column, i int) string {
	switch {
	case !c.Present(i):
		return ""
	case c.Strings != nil:
		return c.Strings[i]
	case c.Ints != nil:
		return strconv.FormatInt(c.Ints[i], 10)
	case c.Floats != nil:
		return formatDouble(c.Floats[i])
	}
	return strconv.FormatBool(c.Bools[i])
}
