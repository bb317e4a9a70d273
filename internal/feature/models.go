package feature

import "engage/internal/schema"

// The sets of the models; see the package's comment for the choices.
var (
	Engagement = mustSet("engagement", schema.EngagementScore)
	Churn      = mustSet("churn", schema.Churn30Day)
	LTV        = mustSet("ltv", schema.LifetimeValueUSD)
	NextAction = mustSet("next_action", schema.NextAction)
)

// Sets lists the set of every model.
func Sets() []Set { return []Set{Engagement, Churn, LTV, NextAction} }

// ByModel is the set of the model of that name.
func ByModel(model string) (Set, bool) {
	for _, s := range Sets() {
		if s.Model() == model {
			return s, true
		}
	}
	return Set{}, false
}

// hoursOfDay is the period of an hour of the day.
const hoursOfDay = 24

// behaviour lists every feature column of the customers table in its usual
// encoding, then the interactions. A column that gets another role leaves all
// sets by itself.
func behaviour() []Input {
	var inputs []Input
	for _, c := range schema.Customers.Columns {
		if c.Role == schema.Feature {
			inputs = append(inputs, usual(c))
		}
	}
	return append(inputs,
		Product(schema.AvgDailyLogins, schema.AvgSessionDurationMin),
		Product(schema.MatchSuccessRate, schema.ProfileViewsReceivedWeek),
	)
}

// usual is the encoding that trees want.
func usual(c schema.Column) Input {
	switch {
	case c.Name == schema.PeakActivityHour:
		return Cycle(c.Name, hoursOfDay)
	case c.Categorical():
		return Category(c.Name)
	}
	return Number(c.Name)
}

// mustSet panics on a bad set: the program must not start with one.
func mustSet(model string, target schema.Name) Set {
	s, err := NewSet(model, target, behaviour()...)
	if err != nil {
		panic("feature: " + err.Error())
	}
	return s
}
