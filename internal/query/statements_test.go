package query

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"engage/internal/dataset"
	"engage/internal/golden"
	"engage/internal/localaws/athena/sql"
	"engage/internal/resource"
	"engage/internal/schema"
)

// statements are all that the pipeline runs, but for those of the schema.
func statements() []Statement {
	predictions := []Column{{"customer_id", "string"}, {"predicted_engagement_score", "double"}, {"prediction_timestamp", "timestamp"}, {"model_version", "string"}, {"top_feature_1", "string"}}
	var many []Partition
	for i := range PartitionLimit + 1 {
		place, plan := fmt.Sprint("L", i), "free"
		many = append(many, Partition{&place, &plan})
	}
	many[PartitionLimit].Location = nil
	of := ResultsOf{Location: "s3://engagement-results/final/", Predictions: predictions, Model: Model{"xgboost", 0.5, 0.125}, Run: "run-1",
		Created: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	out := []Statement{
		TrainingTable("s3://b/training/"), TestTable("s3://b/test/"), InferenceTable("s3://b/inference/"),
		Counts(resource.TrainingTable, resource.TestTable), References(TableOf(resource.CustomersTable), TableOf(resource.ConnectionsTable)),
		Review("s3://b/review/", 7), ReviewBreakdown(), Partitions(), ResultsSummary(),
		MaskedView(resource.CustomersTable, catalogColumns()),
	}
	out = append(out, Results(of, many[:2])...)
	out = append(out, Results(of, many)...)
	return append(out, AnalyticsViews()...)
}

func catalogColumns() []Column {
	var out []Column
	for _, c := range schema.GlueColumns(&schema.Customers) {
		out = append(out, Column{c.Name, c.Type})
	}
	return out
}

func TestStatements(t *testing.T) {
	var text bytes.Buffer
	for _, s := range statements() {
		if _, err := sql.Parse(s.SQL); err != nil {
			t.Errorf("%s is no Trino SQL: %v\n%s", s.Name, err, s.SQL)
		}
		fmt.Fprintf(&text, "-- %s\n%s\n\n", s.Name, s.SQL)
	}
	golden.Check(t, "testdata/statements.sql", text.Bytes())
}

// Athena takes 262,144 bytes.
func TestManyPartitionsGoInBatches(t *testing.T) {
	all := statements()
	var made []Statement
	for _, s := range all {
		if s.Name == "create final_results" || s.Name == "add to final_results" {
			made = append(made, s)
		}
		if len(s.SQL) > 262144 {
			t.Errorf("%s has %d bytes", s.Name, len(s.SQL))
		}
	}
	if len(made) != 3 || made[2].Name != "add to final_results" {
		t.Errorf("%d statements for 2 and for %d partitions, want 1 and 2", len(made), PartitionLimit+1)
	}
}

func TestSplitIsFourFifths(t *testing.T) {
	training := 0
	const n = 100_000
	for i := range n {
		if InTraining(fmt.Sprintf("CUST_%08d", i)) {
			training++
		}
	}
	// A binomial's standard deviation is 126; five of them are 632.
	if training < n*8/10-632 || training > n*8/10+632 {
		t.Errorf("%d of %d are in training", training, n)
	}
}

func TestInferenceHasNoTargets(t *testing.T) {
	text := InferenceTable("s3://b/i/").SQL
	for _, c := range schema.Customers.Columns {
		has := bytes.Contains([]byte(text), []byte(Ident(c.Name).String()))
		if want := c.Role != schema.Target; has != want {
			t.Errorf("%s: in the table %v, want %v", c.Name, has, want)
		}
	}
}

// The list of masked tables is of those that show a confidential column: all
// that are made of customers.
func TestMaskedTables(t *testing.T) {
	confidential := func(columns Columns) bool {
		return slices.ContainsFunc(columns, func(n schema.Name) bool {
			c, _ := schema.Customers.Column(n)
			return c.Classification >= schema.Confidential
		})
	}
	if !confidential(open()) || !confidential(reviewed) || !confidential(append(resultColumns(), partitionKeys...)) {
		t.Error("a table that is masked has nothing to mask")
	}
	for _, table := range []resource.Table{resource.ConnectionsTable, resource.PredictionsTable} {
		if slices.Contains(resource.MaskedTables(), table) {
			t.Errorf("%s is masked", table)
		}
	}
	for _, of := range []*schema.Table{&schema.Connections, schema.Predictions} {
		for _, c := range of.Columns {
			if c.Classification >= schema.Confidential {
				t.Errorf("%s of %s is confidential, and has no masked view", c.Name, of.Name)
			}
		}
	}
}

// SQL checks the rules of one row that the validation of files checks.
func TestRowRulesAreThoseOfFiles(t *testing.T) {
	var names []dataset.Rule
	for _, r := range RowRules() {
		names = append(names, dataset.Rule(r.Name))
		if _, ok := schema.Customers.Column(r.Column); !ok {
			t.Errorf("%s is about %s, which there is not", r.Name, r.Column)
		}
	}
	from := slices.Index(dataset.Rules, dataset.RuleFreePlan)
	for _, want := range dataset.Rules[from:] {
		if !slices.Contains(names, want) {
			t.Errorf("rule %s is not checked", want)
		}
	}
	for _, got := range names {
		if !slices.Contains(dataset.Rules[from:], got) {
			t.Errorf("rule %s is not one of files", got)
		}
	}
}
