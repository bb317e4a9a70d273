package datagen

import "engage/internal/schema"

// The columns of the truth that are not in the customers table.
const (
	ExpectedEngagement schema.Name = "expected_engagement_score"
	EngagementNoise    schema.Name = "engagement_noise"
	EngagementQ10      schema.Name = "engagement_q10"
	EngagementQ50      schema.Name = "engagement_q50"
	EngagementQ90      schema.Name = "engagement_q90"
	EngagementEffect   schema.Name = "premium_effect_on_engagement"
	ChurnProbability   schema.Name = "churn_probability"
	ChurnEffect        schema.Name = "premium_effect_on_churn"
	ExpectedValue      schema.Name = "expected_lifetime_value_usd"
	ValueNoise         schema.Name = "lifetime_value_noise_usd"
	ValueQ10           schema.Name = "lifetime_value_q10"
	ValueQ50           schema.Name = "lifetime_value_q50"
	ValueQ90           schema.Name = "lifetime_value_q90"
	ValueEffect        schema.Name = "premium_effect_on_lifetime_value"
	CommunityID        schema.Name = "community"
)

// actionColumn names the true probability of a next action.
func actionColumn(action string) schema.Name { return schema.Name("probability_" + action) }

// Truth describes what only an evaluation may read: the distribution that each
// customer's targets were drawn from. Nothing in it may reach a model.
var Truth = schema.Table{
	Name:        "truth",
	Description: "What the targets of each customer were drawn from; for evaluation alone.",
	Columns:     truthColumns(),
}

func truthColumns() []schema.Column {
	id, _ := schema.Customers.Column(schema.CustomerID)
	columns := []schema.Column{id}
	add := func(name schema.Name, unit, description string, decimals int) {
		columns = append(columns, schema.Column{
			Name: name, Type: schema.Double, Unit: unit, Decimals: decimals, Role: schema.Derived,
			Classification: schema.Internal, Display: string(name), Description: description,
		})
	}
	add(ExpectedEngagement, "score", "Expected engagement given what is observed.", 6)
	add(EngagementNoise, "score", "Engagement less its expected value.", 6)
	add(EngagementQ10, "score", "True 10 % quantile of engagement.", 6)
	add(EngagementQ50, "score", "True median of engagement.", 6)
	add(EngagementQ90, "score", "True 90 % quantile of engagement.", 6)
	add(EngagementEffect, "score", "Expected engagement with the premium plan less without it, all else that the plan does not cause being equal.", 6)
	add(ChurnProbability, "probability", "True probability of churn within 30 days.", 6)
	add(ChurnEffect, "probability", "Probability of churn with the premium plan less without it.", 6)
	columns[len(columns)-1].Range = &schema.Range{Min: -1, Max: 1} // a difference
	add(ExpectedValue, "USD", "Expected lifetime value.", 4)
	add(ValueNoise, "USD", "Lifetime value less its expected value.", 4)
	add(ValueQ10, "USD", "True 10 % quantile of lifetime value.", 4)
	add(ValueQ50, "USD", "True median of lifetime value.", 4)
	add(ValueQ90, "USD", "True 90 % quantile of lifetime value.", 4)
	add(ValueEffect, "USD", "Expected lifetime value with the premium plan less without it.", 4)
	for _, action := range schema.NextActions {
		add(actionColumn(action), "probability", "True probability that the next action is "+action+".", 6)
	}
	return append(columns, schema.Column{
		Name: CommunityID, Type: schema.Int, Unit: "number", Role: schema.Derived, Classification: schema.Internal,
		Display: "Community", Description: "Number of the planted community.",
	})
}
