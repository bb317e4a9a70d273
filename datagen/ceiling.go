package datagen

import (
	"math"

	"engage/internal/schema"
)

// Ceiling is the best value of a metric that any model can reach on average,
// given every column that a model may see.
type Ceiling struct {
	Target         schema.Name
	Metric         string
	HigherIsBetter bool
	Value          float64 // Monte Carlo mean over the customers, of expectations that are exact for each
	StandardError  float64 // of the metric when the true distribution predicts as many customers: what a test against it may differ by
}

// MinCeilingRows is the least number of customers that ceilings are estimated from.
const MinCeilingRows = 1000

// metrics lists the ceilings and how they follow from the sums.
var metrics = []struct {
	target schema.Name
	metric string
	higher bool // is better
	of     func(s *oracleSums) float64
}{
	{schema.EngagementScore, "r2", true, func(s *oracleSums) float64 { return s.engagement.r2(s.rows) }},
	{schema.EngagementScore, "rmse", false, func(s *oracleSums) float64 { return math.Sqrt(s.engagement.residual / s.rows) }},
	{schema.Churn30Day, "auc", true, (*oracleSums).area},
	{schema.Churn30Day, "log_loss", false, func(s *oracleSums) float64 { return s.churnLoss / s.rows }},
	{schema.LifetimeValueUSD, "r2", true, func(s *oracleSums) float64 { return s.value.r2(s.rows) }},
	{schema.LifetimeValueUSD, "rmse", false, func(s *oracleSums) float64 { return math.Sqrt(s.value.residual / s.rows) }},
	{schema.LifetimeValueUSD, "pinball_q10", false, func(s *oracleSums) float64 { return s.pinball[0] / s.rows }},
	{schema.LifetimeValueUSD, "pinball_q50", false, func(s *oracleSums) float64 { return s.pinball[1] / s.rows }},
	{schema.LifetimeValueUSD, "pinball_q90", false, func(s *oracleSums) float64 { return s.pinball[2] / s.rows }},
	{schema.NextAction, "log_loss", false, func(s *oracleSums) float64 { return s.actionLoss / s.rows }},
	{schema.NextAction, "accuracy", true, func(s *oracleSums) float64 { return s.action / s.rows }},
}

// Ceilings estimates the ceiling of each target. It returns nil for fewer than
// MinCeilingRows customers. The standard error is the delete-a-group jackknife's
// (Kott, "The delete-a-group jackknife", J. Official Statistics 17, 2001) of the
// metric that the true distribution scores on the targets that happened.
func (t *Tally) Ceilings() []Ceiling {
	if t.expected.rows < MinCeilingRows {
		return nil
	}
	all := &oracleSums{}
	for g := range t.realised {
		all.merge(&t.realised[g])
	}
	without := make([]oracleSums, tallyGroups)
	for g := range without {
		without[g] = *all
		without[g].combine(&t.realised[g], -1)
	}
	list := make([]Ceiling, len(metrics))
	for i, m := range metrics {
		list[i] = Ceiling{m.target, m.metric, m.higher, m.of(&t.expected), jackknife(without, m.of)}
	}
	return list
}

func jackknife(without []oracleSums, metric func(s *oracleSums) float64) float64 {
	var sum, squares float64
	for g := range without {
		v := metric(&without[g])
		sum += v
		squares += v * v
	}
	n := float64(len(without))
	return math.Sqrt(max(0, (n-1)*(squares/n-sum/n*sum/n)))
}

// r2 is one minus the share of the variance that stays unexplained.
func (e *errorSums) r2(rows float64) float64 {
	mean := e.y / rows
	return 1 - e.residual/(e.square-rows*mean*mean)
}

// area is that under the ROC curve: how often a customer who churned had the
// higher probability than one who stayed.
func (s *oracleSums) area() float64 {
	var below, wins, churned float64
	for i := range s.stayed {
		wins += s.churned[i] * (below + s.stayed[i]/2)
		below += s.stayed[i]
		churned += s.churned[i]
	}
	return wins / (churned * below)
}
