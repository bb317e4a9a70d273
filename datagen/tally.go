package datagen

import "math"

// Tally collects, over any part of a population, what its ceilings are
// estimated from. Tallies of parts are merged into that of the whole; the order
// of merging matters to the last bits of the sums, so merge in row order.
type Tally struct {
	expected oracleSums              // expectations over the targets given what is observed
	realised [tallyGroups]oracleSums // the same statistics of the targets that happened
}

// tallyGroups is the number of groups of rows that the jackknife leaves out in turn.
const tallyGroups = 20

// probabilityBins divides probabilities for the area under the ROC curve.
// Two rows in the same bin count as tied, which moves the area by less than 1e-5.
const probabilityBins = 4096

// oracleSums are sums over rows of how the best possible prediction does.
type oracleSums struct {
	rows               float64
	engagement, value  errorSums
	pinball            [len(quantileLevels)]float64
	churnLoss          float64
	churned, stayed    [probabilityBins]float64
	actionLoss, action float64 // log-loss; hits
}

// errorSums are the moments that R² is made of.
type errorSums struct{ y, square, residual float64 }

func (e *errorSums) add(y, square, residual float64) {
	e.y += y
	e.square += square
	e.residual += residual
}

// add counts one customer.
func (t *Tally) add(row int, truth *truthRow, happened *targets) {
	t.expected.addExpected(truth)
	t.realised[row%tallyGroups].addRealised(truth, happened)
}

func (s *oracleSums) addExpected(r *truthRow) {
	s.rows++
	s.engagement.add(r.engagementMean, r.engagementVariance+r.engagementMean*r.engagementMean, r.engagementVariance)
	s.value.add(r.valueMean, r.valueVariance+r.valueMean*r.valueMean, r.valueVariance)
	for i, level := range quantileLevels {
		s.pinball[i] += valuePinball(r.logValue, r.spread, level, quantileScores[i], r.valueMean)
	}
	s.churnLoss -= r.churn*math.Log(r.churn) + (1-r.churn)*math.Log1p(-r.churn)
	bin := binOf(r.churn)
	s.churned[bin] += r.churn
	s.stayed[bin] += 1 - r.churn
	likeliest := 0.0
	for _, p := range r.actions {
		s.actionLoss -= p * math.Log(p)
		likeliest = max(likeliest, p)
	}
	s.action += likeliest
}

func (s *oracleSums) addRealised(r *truthRow, happened *targets) {
	s.rows++
	noise := happened.engagement - r.engagementMean
	s.engagement.add(happened.engagement, happened.engagement*happened.engagement, noise*noise)
	noise = happened.value - r.valueMean
	s.value.add(happened.value, happened.value*happened.value, noise*noise)
	for i, level := range quantileLevels {
		s.pinball[i] += pinball(level, happened.value-valueQuantile(r.logValue, r.spread, quantileScores[i]))
	}
	if bin := binOf(r.churn); happened.churned {
		s.churned[bin]++
		s.churnLoss -= math.Log(r.churn)
	} else {
		s.stayed[bin]++
		s.churnLoss -= math.Log1p(-r.churn)
	}
	s.actionLoss -= math.Log(r.actions[happened.action])
	if r.actions[happened.action] >= maximum(r.actions) {
		s.action++
	}
}

func maximum(p [actions]float64) float64 {
	highest := p[0]
	for _, v := range p[1:] {
		highest = max(highest, v)
	}
	return highest
}

// pinball is the loss of a quantile prediction that is too low by error.
func pinball(level, error float64) float64 { return max(level*error, (level-1)*error) }

func binOf(p float64) int { return min(int(p*probabilityBins), probabilityBins-1) }

// Merge adds the tally of other rows.
func (t *Tally) Merge(other *Tally) {
	t.expected.merge(&other.expected)
	for g := range t.realised {
		t.realised[g].merge(&other.realised[g])
	}
}

func (s *oracleSums) merge(o *oracleSums) { s.combine(o, 1) }

// combine adds sign times the other sums.
func (s *oracleSums) combine(o *oracleSums, sign float64) {
	s.rows += sign * o.rows
	s.engagement.add(sign*o.engagement.y, sign*o.engagement.square, sign*o.engagement.residual)
	s.value.add(sign*o.value.y, sign*o.value.square, sign*o.value.residual)
	for i := range s.pinball {
		s.pinball[i] += sign * o.pinball[i]
	}
	s.churnLoss += sign * o.churnLoss
	for i := range s.churned {
		s.churned[i] += sign * o.churned[i]
		s.stayed[i] += sign * o.stayed[i]
	}
	s.actionLoss += sign * o.actionLoss
	s.action += sign * o.action
}
