package dataset

import (
	"fmt"
	"slices"
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
// could not be read is left out, and so is one where a number of the rule is
// outside its range: that is told by itself.
var customerRules = slices.Concat(planRules, activityRules, gigRules, []rowRule{
	{RuleDating, []schema.Name{schema.MatchSuccessRate, schema.SwipeLikeRatio},
		func(c []*frame.Column, i int) (string, int) {
			if c[0].Present(i) == c[1].Present(i) {
				return "", 0
			}
			return "match_success_rate and swipe_like_ratio must both be there or both be missing", 1
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
})

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
		if c.badRows[row] || c.outOfRange(r, columns, i) || !c.rec.hit(r.rule) {
			continue
		}
		check := &c.columns[b.Table.MustIndex(r.columns[blame])]
		c.report(r.rule, check, row, text(columns[blame], i), message)
	}
}

// outOfRange reports whether a number that the rule reads is not one that its
// column may hold.
func (c *cellChecker) outOfRange(r *rowRule, columns []*frame.Column, i int) bool {
	for k, name := range r.columns {
		limits := c.columns[c.table.MustIndex(name)].limits
		if limits == nil || !columns[k].Present(i) {
			continue
		}
		if v := number(columns[k], i); !limits.Contains(v) {
			return true
		}
	}
	return false
}

// number is a value of a numeric column, 0 where it is missing.
func number(c *frame.Column, i int) float64 {
	switch {
	case !c.Present(i):
		return 0
	case c.Ints != nil:
		return float64(c.Ints[i])
	}
	return c.Floats[i]
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
