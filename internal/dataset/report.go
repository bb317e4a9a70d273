package dataset

import (
	"cmp"
	"slices"

	"engage/internal/schema"
)

// Rule names what a violation breaks.
type Rule string

// The rules, in the order of a report.
const (
	RuleFile       Rule = "file"        // a file of the data set has the size and SHA-256 of the manifest
	RuleColumns    Rule = "columns"     // a file has exactly the columns of its table, in order
	RuleRowCount   Rule = "row-count"   // a file has the rows that the manifest says
	RuleFormats    Rule = "formats"     // a table holds the same in each format
	RuleRecord     Rule = "record"      // a CSV row has one field a column, and no blank lines before it
	RuleType       Rule = "type"        // a cell holds a value of the column's type
	RuleEncoding   Rule = "encoding"    // a text is UTF-8
	RuleRequired   Rule = "required"    // a column that is never missing has a value
	RuleFinite     Rule = "finite"      // a number is neither NaN nor infinite
	RuleRange      Rule = "range"       // a number lies in the column's range
	RuleDecimals   Rule = "decimals"    // a number has no more decimals than the column keeps
	RuleEnum       Rule = "enum"        // a category is one of the column's
	RulePattern    Rule = "pattern"     // a text matches the column's pattern
	RuleUnique     Rule = "unique"      // customer_id occurs once in a file
	RuleReference  Rule = "reference"   // an id is that of a customer
	RuleEdgeOrder  Rule = "edge-order"  // the source of an edge is smaller than its target
	RuleEdgeUnique Rule = "edge-unique" // an edge occurs once
	RuleDegree     Rule = "degree"      // total_connections is the number of edges of the customer
	RuleFreePlan   Rule = "free-plan"   // a free account uses no premium features
	RulePosts      Rule = "posts"       // averages over posts are missing exactly when there are no posts
	RuleDating     Rule = "dating"      // both dating ratios are there or neither
	RuleRating     Rule = "rating"      // a rating is missing exactly when there is no first transaction
	RuleRevenue    Rule = "revenue"     // revenue needs a first transaction
	RuleFirstDeal  Rule = "first-deal"  // the first transaction comes after the 17th birthday
	RuleWindow     Rule = "window"      // without a login in the last 30 days there is no activity in them
	RuleTrend      Rule = "trend"       // without a login in the last 7 days there is no trend
	RulePremiumUse Rule = "premium-use" // premium features are counted exactly when they are used
	RuleResponse   Rule = "response"    // a response time is missing exactly when no messages are sent
	RuleSentiment  Rule = "sentiment"   // a sentiment is missing exactly when nothing is written
	RuleTies       Rule = "ties"        // new connections are among all connections
	RuleDay        Rule = "day"         // logins times session duration fit into a day
	RuleTier       Rule = "tier"        // social_influence_tier follows social_influence_score
	RuleTimeOfDay  Rule = "time-of-day" // time_of_day_active follows peak_activity_hour
)

// Rules lists every rule, in the order of a report.
var Rules = []Rule{
	RuleFile, RuleColumns, RuleRowCount, RuleFormats, RuleRecord, RuleType, RuleEncoding, RuleRequired, RuleFinite, RuleRange, RuleDecimals,
	RuleEnum, RulePattern, RuleUnique, RuleReference, RuleEdgeOrder, RuleEdgeUnique, RuleDegree, RuleFreePlan, RulePosts, RuleDating,
	RuleRating, RuleRevenue, RuleFirstDeal, RuleWindow, RuleTrend, RulePremiumUse, RuleResponse, RuleSentiment, RuleTies, RuleDay,
	RuleTier, RuleTimeOfDay,
}

// DefaultMaxSamples is the number of violations of each rule that a report lists.
const DefaultMaxSamples = 100

// masked stands for the value of a restricted column.
const masked = "***"

// Violation is one place where the data breaks a rule.
type Violation struct {
	File    string      `json:"file"`
	Row     int64       `json:"row,omitempty"`  // 1 for the first data row; 0: the file as a whole
	Line    int64       `json:"line,omitempty"` // where the row begins in a CSV file, 1 for the header; 0: not CSV, or found after reading
	Column  schema.Name `json:"column,omitempty"`
	Value   string      `json:"value,omitempty"` // "***" for a restricted column
	Rule    Rule        `json:"rule"`
	Message string      `json:"message"`
}

// RuleReport holds the violations of one rule.
type RuleReport struct {
	Rule    Rule        `json:"rule"`
	Count   int64       `json:"count"`   // all of them
	Samples []Violation `json:"samples"` // the first ones, by file, row and column
}

// FileReport says how much of a file was checked.
type FileReport struct {
	Name  string `json:"name"`
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// Report is the outcome of a validation. The same data gives the same report.
type Report struct {
	Path       string       `json:"path"`
	Files      []FileReport `json:"files"`
	Rows       int64        `json:"rows"`       // checked, over all files
	Violations int64        `json:"violations"` // over all rules
	Rules      []RuleReport `json:"rules"`      // the broken ones only
}

// OK reports whether no rule is broken.
func (r *Report) OK() bool { return r.Violations == 0 }

// recorder counts violations and keeps the first of each rule.
type recorder struct {
	limit  int
	counts map[Rule]*RuleReport
	line   func(row int64) int64 // the line of a row in a CSV file, 0 for unknown; nil: no lines
}

func newRecorder(limit int) *recorder {
	if limit <= 0 {
		limit = DefaultMaxSamples
	}
	return &recorder{limit: limit, counts: map[Rule]*RuleReport{}}
}

// hit counts a violation and reports whether its sample is wanted, so that
// millions of them cost no formatting.
func (r *recorder) hit(rule Rule) bool {
	c := r.counts[rule]
	if c == nil {
		c = &RuleReport{Rule: rule, Samples: []Violation{}}
		r.counts[rule] = c
	}
	c.Count++
	return len(c.Samples) < r.limit
}

// sample keeps a violation that hit asked for. c is its column, nil for none.
func (r *recorder) sample(v Violation, c *schema.Column) {
	if c != nil {
		v.Column = c.Name
		if c.Classification == schema.Restricted && v.Value != "" {
			v.Value = masked
		}
	}
	if v.Line == 0 && v.Row > 0 && r.line != nil {
		v.Line = r.line(v.Row)
	}
	r.counts[v.Rule].Samples = append(r.counts[v.Rule].Samples, v)
}

// add is hit and sample for violations of whole files.
func (r *recorder) add(v Violation) {
	if r.hit(v.Rule) {
		r.sample(v, nil)
	}
}

// merge adds what another recorder holds, its samples after those held.
func (r *recorder) merge(other *recorder) {
	for rule, from := range other.counts {
		to := r.counts[rule]
		if to == nil {
			to = &RuleReport{Rule: rule, Samples: []Violation{}}
			r.counts[rule] = to
		}
		to.Count += from.Count
		to.Samples = append(to.Samples, from.Samples[:min(len(from.Samples), r.limit-len(to.Samples))]...)
	}
}

// finish writes the broken rules, in order, into the report.
func (r *recorder) finish(report *Report) {
	report.Rules = []RuleReport{}
	for _, rule := range Rules {
		c := r.counts[rule]
		if c == nil {
			continue
		}
		slices.SortStableFunc(c.Samples, func(a, b Violation) int {
			return cmp.Or(cmp.Compare(slices.Index(DataFiles, a.File), slices.Index(DataFiles, b.File)),
				cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
		})
		report.Violations += c.Count
		report.Rules = append(report.Rules, *c)
	}
}
