package datagen

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"engage/internal/schema"
)

// changes alters what one feature tells, and nothing else. Tier and time of day
// follow other features and cannot be altered alone.
var changes = map[schema.Name]func(o *customer){
	schema.AccountType:                   func(o *customer) { o.Premium = !o.Premium },
	schema.AvgDailyLogins:                func(o *customer) { o.Logins += 3 },
	schema.AvgSessionDurationMin:         func(o *customer) { o.Session += 9 },
	schema.NumMessagesSentPerDay:         func(o *customer) { o.Messages += 9 },
	schema.NumEventsJoinedMonth:          func(o *customer) { o.Events += 3 },
	schema.NumNewConnectionsMonth:        func(o *customer) { o.NewTies += 30 },
	schema.InfluencerFollowScore:         func(o *customer) { o.Influencers = 1 - o.Influencers },
	schema.DaysSinceLastLogin:            func(o *customer) { o.Recency += 20 },
	schema.ChurnRiskScore:                func(o *customer) { o.Risk = 1 - o.Risk },
	schema.AvgReactionsPerPost:           func(o *customer) { o.Reactions += 20 },
	schema.AvgCommentsPerPost:            func(o *customer) { o.Comments += 20 },
	schema.ContentPostsPerWeek:           func(o *customer) { o.Posts += 9 },
	schema.AvgScrollDepthPct:             func(o *customer) { o.Scroll /= 2 },
	schema.NotificationClickRate:         func(o *customer) { o.Clicks = 1 - o.Clicks },
	schema.DeviceType:                    func(o *customer) { o.Device = (o.Device + 1) % 3 },
	schema.PeakActivityHour:              func(o *customer) { o.PeakHour = (o.PeakHour + 12) % 24 },
	schema.FriendGroupParticipationScore: func(o *customer) { o.Groups /= 2 },
	schema.PremiumFeatureUsageRate:       func(o *customer) { o.PremiumUse = 1 - o.PremiumUse },
	schema.AvgAdsEngagementRate:          func(o *customer) { o.Ads = 1 - o.Ads },
	schema.SocialInfluenceScore:          func(o *customer) { o.Influence /= 2 },
	schema.MatchSuccessRate:              func(o *customer) { o.Match /= 2; o.Dates = true },
	schema.ProfileViewsReceivedWeek:      func(o *customer) { o.Views += 100 },
	schema.GigApplicationsSentMonth:      func(o *customer) { o.Applications += 9 },
	schema.GigListingsActive:             func(o *customer) { o.Listings += 9 },
	schema.TransactionRevenueMonth:       func(o *customer) { o.Revenue += 900 },
	schema.ContentViralityScore:          func(o *customer) { o.Virality += 0.1 },
	schema.SwipeLikeRatio:                func(o *customer) { o.Likes = 1 - o.Likes },
	schema.AvgJobCompletionRating:        func(o *customer) { o.Rating -= 2 },
	schema.TotalConnections:              func(o *customer) { o.Ties += 40 },
	schema.AvgSentimentScore:             func(o *customer) { o.Mood -= 0.5 },
	schema.ContentCategoryPrimary:        func(o *customer) { o.Category = (o.Category + 9) % 12 },
	schema.NetworkCentrality:             func(o *customer) { o.Centrality = 0.5 - o.Centrality },
	schema.TimeSinceFirstTransactionDays: func(o *customer) { o.FirstDeal += 500 },
	schema.ResponseTimeAvgHours:          func(o *customer) { o.Response += 9 },
	schema.ContentDiversityScore:         func(o *customer) { o.Diversity /= 2 },
	schema.ReferralCount:                 func(o *customer) { o.Referrals += 9 },
	schema.SessionConsistencyScore:       func(o *customer) { o.Consistency /= 2 },
	schema.PremiumFeaturesUsedCount:      func(o *customer) { o.PremiumCount += 9 },
	schema.Last7DayEngagementTrend:       func(o *customer) { o.Trend += 0.05 },
	schema.TrustScore:                    func(o *customer) { o.Trust -= 0.5 },
}

// moved lists the targets whose distribution differs.
func moved(a, b outcome) map[schema.Name]bool {
	return map[schema.Name]bool{
		schema.EngagementScore:  a.engagement != b.engagement,
		schema.Churn30Day:       a.churn != b.churn,
		schema.LifetimeValueUSD: a.logValue != b.logValue || a.spread != b.spread,
		schema.NextAction:       a.actions != b.actions,
	}
}

// Signal is true: a target moves with the features that it lists and with no others.
func TestSignalListsExactlyWhatTargetsRead(t *testing.T) {
	p := theSample(t).population
	for _, feature := range schema.Customers.WithRole(schema.Feature) {
		change, ok := changes[feature]
		if !ok {
			if feature != schema.SocialInfluenceTier && feature != schema.TimeOfDayActive {
				t.Errorf("the test does not know how to change %s", feature)
			}
			continue
		}
		seen := map[schema.Name]bool{}
		for row := range 300 {
			r, truth := p.record(row, "")
			change(&r.customer)
			for target, is := range moved(truth.outcome, outcomeOf(&r.customer)) {
				seen[target] = seen[target] || is
			}
		}
		for target, names := range Signal {
			if want := slices.Contains(names, feature); seen[target] != want {
				t.Errorf("%s moves with %s: %t, Signal says %t", target, feature, seen[target], want)
			}
		}
	}
}

// Protected columns have no effect of their own.
func TestProtectedColumnsHaveNoEffect(t *testing.T) {
	p := theSample(t).population
	for row := range 200 {
		r, truth := p.record(row, "")
		r.Age, r.Gender, r.Home = 66-r.Age, 2-r.Gender, 49-r.Home
		if outcomeOf(&r.customer) != truth.outcome {
			t.Fatalf("row %d: age, gender or location moves a target", row)
		}
	}
}

func TestShareOfFeaturesWithoutSignal(t *testing.T) {
	features := float64(len(schema.Customers.WithRole(schema.Feature)))
	for what, silent := range map[string][]schema.Name{"engagement": Silent(schema.EngagementScore), "any target": SilentForAll()} {
		if share := float64(len(silent)) / features; share < 0.20 || share > 0.40 {
			t.Errorf("%.2f of the features carry no signal for %s, want 0.20 to 0.40", share, what)
		}
	}
}

// No feature knows the noise of a target: it cannot have been made from it. The
// bound is five standard errors of a correlation of sampleRows.
func TestFeaturesDoNotLeakTargets(t *testing.T) {
	s := theSample(t)
	churn := numbers(s.customers, schema.Churn30Day)
	for i, p := range numbers(s.truth, ChurnProbability) {
		churn[i] -= p
	}
	browse := make([]float64, sampleRows)
	for i, p := range numbers(s.truth, actionColumn("browse_feed")) {
		browse[i] = -p
		if s.customers.Column(schema.NextAction).Strings[i] == "browse_feed" {
			browse[i]++
		}
	}
	noises := map[string][]float64{
		"engagement": numbers(s.truth, EngagementNoise), "lifetime value": numbers(s.truth, ValueNoise),
		"churn": churn, "next action": browse,
	}
	for _, c := range schema.Customers.Columns {
		if c.Role == schema.ID || c.Role == schema.Target {
			continue
		}
		x := numbers(s.customers, c.Name)
		_, _, missing := moments(x)
		bound := 5 / math.Sqrt(sampleRows*(1-missing))
		for target, noise := range noises {
			near(t, "correlation of "+string(c.Name)+" with the noise of "+target, correlation(x, noise), 0, bound)
		}
	}
}

// Premium raises engagement and value and lowers churn for nearly everyone, and
// the truth agrees with the customer's twin.
func TestEffectOfPremium(t *testing.T) {
	s := theSample(t)
	share := func(x []float64, holds func(float64) bool) float64 {
		n := 0.0
		for _, v := range x {
			if holds(v) {
				n++
			}
		}
		return n / float64(len(x))
	}
	raises, lowers := func(v float64) bool { return v > 0 }, func(v float64) bool { return v < 0 }
	for what, got := range map[string]float64{
		"raises engagement": share(numbers(s.truth, EngagementEffect), raises),
		"raises value":      share(numbers(s.truth, ValueEffect), raises),
		"lowers churn":      share(numbers(s.truth, ChurnEffect), lowers),
	} {
		if got < 0.90 {
			t.Errorf("premium %s for %.3f of the customers, want at least 0.90", what, got)
		}
	}
	// Confounding: the naive difference overstates the mean effect.
	effect, _, _ := moments(numbers(s.truth, EngagementEffect))
	engagement, plan := numbers(s.customers, schema.EngagementScore), numbers(s.customers, schema.AccountType)
	naive := conditional(engagement, plan, 1) - conditional(engagement, plan, 0)
	if naive < 1.1*effect {
		t.Errorf("difference between plans %.3f, mean effect %.3f: want confounding", naive, effect)
	}
}

func conditional(x, group []float64, value float64) float64 {
	var n, sum float64
	for i := range x {
		if group[i] == value {
			n++
			sum += x[i]
		}
	}
	return sum / n
}

// The ceilings can be found again from truth.parquet and the targets that
// happened, to three standard errors, by direct formulas.
func TestCeilingsReproduceFromTheTruth(t *testing.T) {
	s := theSample(t)
	y, expected := numbers(s.customers, schema.EngagementScore), numbers(s.truth, ExpectedEngagement)
	v, value := numbers(s.customers, schema.LifetimeValueUSD), numbers(s.truth, ExpectedValue)
	churned, p := numbers(s.customers, schema.Churn30Day), numbers(s.truth, ChurnProbability)
	actionLoss, accuracy := actionScores(s)
	want := map[[2]string]float64{
		{"engagement_score", "r2"}:            r2(y, expected),
		{"engagement_score", "rmse"}:          rmse(y, expected),
		{"lifetime_value_usd", "r2"}:          r2(v, value),
		{"lifetime_value_usd", "rmse"}:        rmse(v, value),
		{"lifetime_value_usd", "pinball_q10"}: meanPinball(v, numbers(s.truth, ValueQ10), 0.1),
		{"lifetime_value_usd", "pinball_q50"}: meanPinball(v, numbers(s.truth, ValueQ50), 0.5),
		{"lifetime_value_usd", "pinball_q90"}: meanPinball(v, numbers(s.truth, ValueQ90), 0.9),
		{"churn_30_day", "auc"}:               auc(churned, p),
		{"churn_30_day", "log_loss"}:          logLoss(churned, p),
		{"next_action", "log_loss"}:           actionLoss,
		{"next_action", "accuracy"}:           accuracy,
	}
	ceilings := s.tally.Ceilings()
	if len(ceilings) != len(want) {
		t.Fatalf("%d ceilings, want %d", len(ceilings), len(want))
	}
	for _, c := range ceilings {
		key := [2]string{string(c.Target), c.Metric}
		if !(c.StandardError > 0 && c.StandardError < 0.05*c.Value) {
			t.Errorf("%v: standard error %g of %g", key, c.StandardError, c.Value)
		}
		near(t, key[0]+" "+key[1], want[key], c.Value, 3*c.StandardError)
		if c.Target == schema.EngagementScore && c.Metric == "r2" && (c.Value < 0.80 || c.Value > 0.90) {
			t.Errorf("best R2 of engagement %.4f, want 0.80 to 0.90", c.Value)
		}
	}
}

func actionScores(s *sample) (loss, accuracy float64) {
	var p [actions][]float64
	for k, name := range schema.NextActions {
		p[k] = numbers(s.truth, actionColumn(name))
	}
	for i, k := range numbers(s.customers, schema.NextAction) {
		best := 0
		for other := range p {
			if p[other][i] > p[best][i] {
				best = other
			}
		}
		loss -= math.Log(p[int(k)][i]) / sampleRows
		if best == int(k) {
			accuracy += 1.0 / sampleRows
		}
	}
	return loss, accuracy
}

func rmse(y, prediction []float64) float64 {
	sum := 0.0
	for i := range y {
		sum += (y[i] - prediction[i]) * (y[i] - prediction[i])
	}
	return math.Sqrt(sum / float64(len(y)))
}

func r2(y, prediction []float64) float64 {
	_, sd, _ := moments(y)
	return 1 - math.Pow(rmse(y, prediction)/sd, 2)
}

func meanPinball(y, q []float64, level float64) float64 {
	sum := 0.0
	for i := range y {
		sum += pinball(level, y[i]-q[i])
	}
	return sum / float64(len(y))
}

func logLoss(happened, p []float64) float64 {
	sum := 0.0
	for i := range p {
		sum -= happened[i]*math.Log(p[i]) + (1-happened[i])*math.Log(1-p[i])
	}
	return sum / float64(len(p))
}

// auc by the rank sum of Mann and Whitney.
func auc(happened, p []float64) float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return p[order[a]] < p[order[b]] })
	var ranks, positives float64
	for rank, i := range order {
		if happened[i] == 1 {
			ranks += float64(rank + 1)
			positives++
		}
	}
	return (ranks - positives*(positives+1)/2) / (positives * (float64(len(p)) - positives))
}

func TestTallyOfPartsIsTallyOfTheWhole(t *testing.T) {
	s := theSample(t)
	merged := &Tally{}
	for lo := 0; lo < sampleRows; lo += 10_000 {
		_, _, part := s.population.Customers(lo, lo+10_000)
		merged.Merge(part)
	}
	whole := s.tally.Ceilings()
	for i, c := range merged.Ceilings() {
		near(t, c.Metric, c.Value, whole[i].Value, 1e-9*math.Abs(whole[i].Value))
		near(t, c.Metric+" standard error", c.StandardError, whole[i].StandardError, 1e-6*whole[i].StandardError)
	}
	_, _, few := s.population.Customers(0, MinCeilingRows-1)
	if got := few.Ceilings(); got != nil {
		t.Errorf("ceilings of %d customers: %v, want none", MinCeilingRows-1, got)
	}
}

// expectation integrates f over N(0, 1) with many points.
func expectation(f func(z float64) float64) float64 {
	return quad.Fixed(func(z float64) float64 { return f(z) * distuv.UnitNormal.Prob(z) }, -9, 9, 2000, quad.Legendre{}, 0)
}

func TestMomentsAgreeWithQuadrature(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for range 50 {
		x := 6*r.Float64() - 3
		mean, variance := engagementMoments(x)
		y := func(z float64) float64 { return logistic(x + engagementNoise*z) }
		wantMean := expectation(y)
		near(t, "mean engagement", mean, wantMean, 1e-9)
		near(t, "variance of engagement", variance, expectation(func(z float64) float64 { return math.Pow(y(z)-wantMean, 2) }), 1e-9)
	}
}

func TestValueDistribution(t *testing.T) {
	for _, logMedian := range []float64{2, 5, 7, 8.5, 9.3, 12} {
		for _, spread := range []float64{0.3, 0.5} {
			value := func(z float64) float64 { return min(math.Exp(logMedian+spread*z), valueLimit) }
			mean, variance := valueMoments(logMedian, spread)
			wantMean := expectation(value)
			wantVariance := expectation(func(z float64) float64 { return math.Pow(value(z)-wantMean, 2) })
			near(t, "mean value", mean, wantMean, 1e-4*wantMean)
			near(t, "variance of value", variance, wantVariance, 1e-3*wantVariance+1e-3)
			for i, level := range quantileLevels {
				q := valueQuantile(logMedian, spread, quantileScores[i])
				want := expectation(func(z float64) float64 { return pinball(level, value(z)-q) })
				near(t, "pinball loss", valuePinball(logMedian, spread, level, quantileScores[i], mean), want, 2e-3*want+1e-3)
			}
		}
	}
}
