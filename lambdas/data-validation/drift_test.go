package datavalidation

import (
	"math"
	"math/rand/v2"
	"testing"

	"engage/internal/query"
	"engage/internal/schema"
)

// The index of two halves against a quarter and three quarters, by hand:
// 0.25 ln 1.5 + 0.25 ln 2 = 0.2747; half a row a bin changes it by less than 0.001.
func TestDriftByHand(t *testing.T) {
	d := driftOf("c", []int64{0, 5000, 5000}, []int64{0, 2500, 7500})
	if want := 0.25*math.Log(1.5) + 0.25*math.Log(2); math.Abs(d.PSI-want) > 1e-3 {
		t.Errorf("%v, want %v", d.PSI, want)
	}
	if f, found := d.finding(); !found || f.Severity != SeverityWarning {
		t.Errorf("%+v, %v", f, found)
	}
}

func TestDriftOfTheSameIsNone(t *testing.T) {
	for _, counts := range [][]int64{{1, 2, 3}, {0, 0, 10}, {}, {0}, {0, 0}} {
		if d := driftOf("c", counts, counts); d.PSI != 0 {
			t.Errorf("%v: %v", counts, d)
		}
	}
}

// Two samples of one population stay below the noise, but for about one in a thousand.
func TestDriftOfChance(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sample := func(n int) []int64 {
		counts := make([]int64, 11)
		for range n {
			counts[1+random.IntN(10)]++
		}
		return counts
	}
	const rounds = 2000
	above := 0
	for range rounds {
		if d := driftOf("c", sample(500), sample(300)); d.PSI > d.Noise {
			above++
		}
	}
	if above > 10 { // 2 are expected; 10 or more come once in 20,000 times
		t.Errorf("%d of %d are above the noise", above, rounds)
	}
}

// A customer more in the same bins is never a finding; a column that loses all
// its values is.
func TestMissingValuesDrift(t *testing.T) {
	if f, found := driftOf("c", []int64{0, 1000}, []int64{1000, 0}).finding(); !found || f.Severity != SeverityWarning {
		t.Errorf("%+v, %v", f, found)
	}
	if f, found := driftOf("c", []int64{10, 1000}, []int64{10, 1001}).finding(); found {
		t.Errorf("%+v", f)
	}
}

func TestBinned(t *testing.T) {
	row := query.Row{edgeName("c", 1): "3", edgeName("c", 2.5): "7"}
	got, err := binned("c", []float64{1, 2.5}, 10, row)
	if err != nil || got[0] != 3 || got[1] != 4 || got[2] != 3 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := binned("c", []float64{9}, 10, row); err == nil {
		t.Error("an edge that was not counted is no error")
	}
}

func TestEveryColumnIsChecked(t *testing.T) {
	seen := map[schema.Name]bool{}
	names := map[string]bool{}
	for _, c := range checks() {
		seen[c.finding.Column] = true
		if names[c.measure.Name] {
			t.Errorf("two measures are called %s", c.measure.Name)
		}
		names[c.measure.Name] = true
	}
	for _, c := range schema.Customers.Columns {
		if !seen[c.Name] && c.Type != schema.Boolean {
			t.Errorf("%s has no check", c.Name)
		}
	}
}

func TestCompareColumns(t *testing.T) {
	var columns []query.Column
	for _, c := range schema.GlueColumns(&schema.Connections) {
		columns = append(columns, query.Column{Name: c.Name, Type: c.Type})
	}
	if got := compareColumns("d.t", &schema.Connections, columns); got != nil {
		t.Errorf("%v", got)
	}
	columns[0].Type = "int"
	columns[1].Name = "other"
	if got := compareColumns("d.t", &schema.Connections, columns); len(got) != 3 {
		t.Errorf("%v, want a type, a column that is missing and one too many", got)
	}
}

func TestReportStatus(t *testing.T) {
	for want, list := range map[string][]Severity{
		"success": {SeverityInfo}, "warning": {SeverityInfo, SeverityWarning}, "failure": {SeverityWarning, SeverityError, SeverityInfo},
	} {
		var r Report
		for _, s := range list {
			r.add(Finding{Severity: s})
		}
		r.finish()
		if r.Status != want || r.Findings[0].Severity != map[string]Severity{"success": SeverityInfo, "warning": SeverityWarning, "failure": SeverityError}[want] {
			t.Errorf("%s: %+v", want, r)
		}
	}
}
