package schema_test

import (
	"strings"
	"testing"

	"engage/internal/schema"
)

func TestPredictionTables(t *testing.T) {
	for target, unit := range map[schema.Name]string{
		schema.EngagementScore: "score", schema.Churn30Day: "probability", schema.LifetimeValueUSD: "USD",
	} {
		table := schema.PredictionsOf(target)
		if err := table.Validate(); err != nil {
			t.Error(err)
		}
		score, ok := table.Column("predicted_" + target)
		if !ok || score.Unit != unit || score.Range == nil || score.Role != schema.Derived {
			t.Errorf("the score of %s is %+v", target, score)
		}
	}
	if n := len(schema.Predictions.Columns); n != 4+2*schema.TopFeatures {
		t.Errorf("%d columns", n)
	}
	for _, c := range schema.Predictions.Columns {
		if c.Classification == schema.Restricted || c.Classification == schema.Confidential {
			t.Errorf("%s is %s", c.Name, c.Classification)
		}
	}
}

func TestNoPredictionsOfCategories(t *testing.T) {
	defer func() {
		if r, _ := recover().(string); !strings.Contains(r, "next_action") {
			t.Errorf("panicked with %q", r)
		}
	}()
	schema.PredictionsOf(schema.NextAction)
}
