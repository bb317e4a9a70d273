package datagen

import (
	"slices"

	"engage/internal/frame"
	"engage/internal/schema"
)

// Customers makes the customers of rows lo to hi-1, counted from 0, with their
// truth, and the tally of these rows.
func (p *Population) Customers(lo, hi int) (customers, truth *frame.Batch, tally *Tally) {
	customers, truth, tally = frame.New(&schema.Customers, hi-lo), frame.New(&Truth, hi-lo), &Tally{}
	columns := make([]*frame.Column, len(fillers))
	for k, f := range fillers {
		columns[k] = customers.Column(f.name)
	}
	write := truthWriter(truth)
	ids := customerIDs(hi-lo, rowsFrom(lo))
	for row := lo; row < hi; row++ {
		r, t := p.record(row, ids[row-lo])
		for k := range fillers {
			fillers[k].put(columns[k], row-lo, &r)
		}
		write(row-lo, &r, &t)
		tally.add(row, &t, &r.targets)
	}
	p.damageCustomers(customers, lo)
	return customers, truth, tally
}

// truthRow is what one customer's targets were drawn from.
type truthRow struct {
	outcome
	engagementMean, engagementVariance         float64
	valueMean, valueVariance                   float64
	engagementEffect, churnEffect, valueEffect float64 // of the premium plan
	community                                  int
}

// record makes one customer, and the customer's counterfactual twin on the other plan.
func (p *Population) record(row int, id string) (record, truthRow) {
	q, c := p.personOf(row), p.chanceOf(row)
	premium := q.choosesPremium(&c)
	r := record{customer: q.observe(&c, premium), id: id}
	t := newTruth(&r.customer)
	twin := q.observe(&c, !premium)
	other := newTruth(&twin)
	sign := 1.0
	if !premium {
		sign = -1
	}
	t.engagementEffect = sign * (t.engagementMean - other.engagementMean)
	t.churnEffect = sign * (t.churn - other.churn)
	t.valueEffect = sign * (t.valueMean - other.valueMean)
	t.community = q.community.number
	r.targets = p.draw(row, &t.outcome)
	return r, t
}

func newTruth(o *customer) truthRow {
	t := truthRow{outcome: outcomeOf(o)}
	t.engagementMean, t.engagementVariance = engagementMoments(t.engagement)
	t.valueMean, t.valueVariance = valueMoments(t.logValue, t.spread)
	return t
}

// truthWriter returns a function that writes row i of the truth.
func truthWriter(b *frame.Batch) func(i int, r *record, t *truthRow) {
	at := make(map[schema.Name]*frame.Column, len(b.Columns))
	for _, name := range b.Table.Names() {
		at[name] = b.Column(name)
	}
	id, community := at[schema.CustomerID].Strings, at[CommunityID].Ints
	column := func(name schema.Name) []float64 { return at[name].Floats }
	mean, noise, effect := column(ExpectedEngagement), column(EngagementNoise), column(EngagementEffect)
	churn, churnEffect := column(ChurnProbability), column(ChurnEffect)
	value, valueNoise, valueEffect := column(ExpectedValue), column(ValueNoise), column(ValueEffect)
	engagementAt := [...][]float64{column(EngagementQ10), column(EngagementQ50), column(EngagementQ90)}
	valueAt := [...][]float64{column(ValueQ10), column(ValueQ50), column(ValueQ90)}
	var action [actions][]float64
	for k, name := range schema.NextActions {
		action[k] = column(actionColumn(name))
	}
	return func(i int, r *record, t *truthRow) {
		id[i], community[i] = r.id, int64(t.community)
		mean[i], effect[i] = score6(t.engagementMean), score6(t.engagementEffect)
		noise[i] = score6(r.targets.engagement - t.engagementMean)
		churn[i], churnEffect[i] = score6(t.churn), score6(t.churnEffect)
		value[i], valueEffect[i] = dollars(t.valueMean), dollars(t.valueEffect)
		valueNoise[i] = dollars(r.value - t.valueMean)
		for k, z := range quantileScores {
			engagementAt[k][i] = score6(engagementQuantile(t.engagement, z))
			valueAt[k][i] = dollars(valueQuantile(t.logValue, t.spread, z))
		}
		for k, p := range t.actions {
			action[k][i] = score6(p)
		}
	}
}

// The truth is written with a fixed number of decimals, so that the last bit of
// a logarithm, in which processors differ, does not show.
func score6(x float64) float64  { return round(x, 1e6) }
func dollars(x float64) float64 { return round(x, 1e4) }

// Connections makes the edges whose smaller id belongs to rows lo to hi-1, in
// order of their ends.
func (p *Population) Connections(lo, hi int) *frame.Batch {
	var sources, targets []int
	for row := lo; row < hi; row++ {
		first := len(targets)
		for _, node := range p.graph.Neighbors(p.order.at(row)) {
			if other := p.order.from(int(node)); other > row {
				sources, targets = append(sources, row), append(targets, other)
			}
		}
		slices.Sort(targets[first:])
		if p.orphanEdge(row) {
			sources, targets = append(sources, row), append(targets, p.damage.nobody(row))
		}
	}
	b := frame.New(&schema.Connections, len(sources))
	b.Column(schema.SourceCustomerID).Strings = customerIDs(len(sources), func(i int) int { return sources[i] })
	b.Column(schema.TargetCustomerID).Strings = customerIDs(len(targets), func(i int) int { return targets[i] })
	return b
}

// clusteringSample is the number of customers that the mean clustering is estimated from.
const clusteringSample = 2000

// GraphSummary describes the social graph.
type GraphSummary struct {
	Nodes        int64
	Edges        int64
	Isolated     int64 // customers without a connection
	MeanDegree   float64
	MaxDegree    int64
	TailExponent float64 // of the degrees; see graph.Tail
	Clustering   float64 // mean local coefficient over a fixed sample
	Communities  int64   // planted
	Modularity   float64 // of the planted communities
}

// Graph summarises the social graph.
func (p *Population) Graph() GraphSummary {
	g := GraphSummary{
		Nodes:        int64(p.rows),
		Edges:        int64(p.graph.Edges()),
		MeanDegree:   2 * float64(p.graph.Edges()) / float64(p.rows),
		TailExponent: p.graph.DegreeTail().Exponent,
		Communities:  int64(len(p.communities)),
		Modularity:   p.graph.Modularity(p.communities.numbers(p.rows)),
	}
	for node := range p.rows {
		degree := p.graph.Degree(node)
		g.MaxDegree = max(g.MaxDegree, int64(degree))
		if degree == 0 {
			g.Isolated++
		}
	}
	sample := min(p.rows, clusteringSample)
	for row := range sample {
		g.Clustering += p.graph.Clustering(p.order.at(row)) / float64(sample)
	}
	return g
}
