package datavalidation

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"engage/internal/query"
	"engage/internal/schema"
)

// The customary bounds of the population stability index: below the first a
// distribution is the same, above the second another (Siddiqi, Credit Risk
// Scorecards, 2006, p. 137). Drift stops no run: whether changed behaviour is
// wrong, people decide.
const (
	drifting = 0.1
	drifted  = 0.25
)

// sure is the probability with which chance alone stays below the noise.
const sure = 0.999

// compare adds the drift of each column to the report.
func compare(p, reference *Profile, bins query.Row, report *Report) error {
	if reference == nil {
		return nil
	}
	for _, c := range profiled() {
		before := reference.Columns[c.Name]
		if before == nil {
			continue
		}
		after, err := rebinned(c, p, before, bins)
		if err != nil {
			return err
		}
		d := driftOf(c.Name, counts(c, before), after)
		report.Drift = append(report.Drift, d)
		if f, found := d.finding(); found {
			report.add(f)
		}
	}
	return nil
}

// counts are a distribution's bins in order, the missing first.
func counts(c schema.Column, d *Distribution) []int64 {
	out := []int64{d.Missing}
	if c.Numeric() {
		return append(out, d.Counts...)
	}
	for _, v := range values(c) {
		out = append(out, d.Values[v])
	}
	return out
}

// rebinned are the counts of the new data in the bins of the reference.
func rebinned(c schema.Column, p *Profile, before *Distribution, bins query.Row) ([]int64, error) {
	now := p.Columns[c.Name]
	if !c.Numeric() {
		return counts(c, now), nil
	}
	list, err := binned(c.Name, before.Edges, p.Rows-now.Missing, bins)
	return append([]int64{now.Missing}, list...), err
}

// driftOf is the population stability index of counts against earlier counts,
//
//	PSI = sum over bins of (a - b) ln(a / b),
//
// with a and b the shares of a bin, half a row added to each bin so that an
// empty one has a logarithm. Of samples of one population, of n and m rows, the
// index is about (1/n + 1/m) times a chi-square of bins - 1 degrees of freedom
// (Yurdakul and Naranjo, Statistical properties of the population stability
// index, Journal of Risk Model Validation 14(4), 2020), which bounds its noise.
func driftOf(c schema.Name, before, after []int64) Drift {
	const half = 0.5
	n, m, used := float64(0), float64(0), 0
	for i := range before {
		if before[i]+after[i] > 0 {
			n, m, used = n+float64(before[i])+half, m+float64(after[i])+half, used+1
		}
	}
	d := Drift{Column: c}
	if used < 2 {
		return d
	}
	for i := range before {
		if before[i]+after[i] > 0 {
			b, a := (float64(before[i])+half)/n, (float64(after[i])+half)/m
			d.PSI += (a - b) * math.Log(a/b)
		}
	}
	d.Noise = (1/n + 1/m) * distuv.ChiSquared{K: float64(used - 1)}.Quantile(sure)
	return d
}

// finding is what a drift means, if anything: it is above a bound, and not what
// chance does.
func (d Drift) finding() (Finding, bool) {
	f := Finding{Severity: SeverityInfo, Rule: "drift", Table: "customers", Column: d.Column,
		Message: fmt.Sprintf("the distribution moved from that of the accepted data: population stability index %.3f, chance stays below %.3f", d.PSI, d.Noise)}
	if d.PSI >= drifted {
		f.Severity = SeverityWarning
	}
	return f, d.PSI >= drifting && d.PSI > d.Noise
}
