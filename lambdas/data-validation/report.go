package datavalidation

import (
	"cmp"
	"fmt"
	"slices"

	"engage/internal/schema"
)

// Severity says what a finding means for the run.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // stops the run: a model would learn, or score, what is wrong
	SeverityWarning Severity = "warning" // the run goes on, and people look
	SeverityInfo    Severity = "info"    // worth knowing
)

var severities = []Severity{SeverityError, SeverityWarning, SeverityInfo}

// Finding is something about the data. It holds no value of a customer's.
type Finding struct {
	Severity Severity    `json:"severity"`
	Rule     string      `json:"rule"`
	Table    string      `json:"table,omitempty"`
	Column   schema.Name `json:"column,omitempty"`
	Count    int64       `json:"count,omitempty"` // rows that it is about
	Message  string      `json:"message"`
}

func (f Finding) String() string {
	where := f.Table
	if f.Column != "" {
		where = string(f.Column)
	}
	return fmt.Sprintf("%s: %s (%d rows: %s)", where, f.Rule, f.Count, f.Message)
}

// Drift is how far a column's distribution is from that of the accepted data.
type Drift struct {
	Column schema.Name `json:"column"`
	PSI    float64     `json:"psi"`   // population stability index
	Noise  float64     `json:"noise"` // what chance alone stays below, in 999 of 1,000 comparisons
}

// Reference is the data that drift is measured from.
type Reference struct {
	RunID    string `json:"run_id"`
	Dataset  string `json:"dataset"`
	DataHash string `json:"data_hash"`
	Profile  string `json:"profile"` // key, in resource.Runs' bucket
}

// Report is what is written of a validation.
type Report struct {
	RunID     string         `json:"run_id"`
	Dataset   string         `json:"dataset"`
	DataHash  string         `json:"data_hash"`
	Created   string         `json:"created"`
	Rows      int64          `json:"rows"`
	Status    string         `json:"status"`   // success, warning or failure
	Counts    map[string]int `json:"findings"` // by severity
	Findings  []Finding      `json:"details"`
	Reference *Reference     `json:"reference,omitempty"`
	Drift     []Drift        `json:"drift,omitempty"`
}

func (r *Report) add(list ...Finding) { r.Findings = append(r.Findings, list...) }

// of lists the findings of a severity.
func (r *Report) of(s Severity) []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Severity == s {
			out = append(out, f)
		}
	}
	return out
}

// finish orders the findings, the gravest first, and sums them up.
func (r *Report) finish() {
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			cmp.Compare(a.Table, b.Table), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Column, b.Column))
	})
	r.Counts = map[string]int{}
	for _, s := range severities {
		r.Counts[string(s)] = len(r.of(s))
	}
	switch {
	case r.Counts[string(SeverityError)] > 0:
		r.Status = "failure"
	case r.Counts[string(SeverityWarning)] > 0:
		r.Status = "warning"
	default:
		r.Status = "success"
	}
}
