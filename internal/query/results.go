package query

import (
	"slices"
	"time"

	"engage/internal/resource"
	"engage/internal/schema"
)

// The bounds of the requirements' categories.
const (
	accurateError   = 0.1
	acceptableError = 0.2
	highScore       = 0.7
	mediumScore     = 0.4
	lowScore        = 0.3
	highRisk        = 0.5
)

// PartitionLimit is how many partitions one statement of Athena may write.
// https://docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html
const PartitionLimit = 100

// partitionKeys are the columns that partition the results.
var partitionKeys = Columns{schema.Location, schema.AccountType}

// Model is what the results say of the model.
type Model struct {
	Algorithm string
	R2, RMSE  float64
}

// ResultsOf says what the table of results is made of.
type ResultsOf struct {
	Location    string
	Predictions []Column // of the predictions' table
	Model       Model
	Run         resource.RunID
	Created     time.Time
}

type results struct {
	Insert, Filtered                    bool
	Table, Customers, Predictions, Test Relation
	Location, ModelType, Run            Text
	CustomerColumns, PredictionColumns  Fragment
	Accurate, Acceptable, High, Medium  Double
	R2, RMSE                            Double
	Created                             Instant
	Where                               Fragment
}

// Results returns the statements that make the table of results: one that
// creates it, and one more for each further PartitionLimit of partitions.
// REQUIRES: partitions lists all that there are.
func Results(of ResultsOf, partitions []Partition) []Statement {
	in := results{
		Table: TableOf(resource.ResultsTable), Customers: TableOf(resource.CustomersTable), Predictions: TableOf(resource.PredictionsTable), Test: TableOf(resource.TestTable),
		Location: Text(of.Location), ModelType: Text(of.Model.Algorithm), Run: Text(of.Run),
		CustomerColumns: qualified("c", resultColumns()), PredictionColumns: qualified("p", predictionColumns(of.Predictions)),
		Accurate: accurateError, Acceptable: acceptableError, High: highScore, Medium: mediumScore,
		R2: Double(of.Model.R2), RMSE: Double(of.Model.RMSE), Created: Instant(of.Created),
	}
	if len(partitions) <= PartitionLimit {
		return []Statement{named("create final_results", render("results", in))}
	}
	var out []Statement
	for batch := range slices.Chunk(partitions, PartitionLimit) {
		in.Insert, in.Filtered, in.Where = len(out) > 0, true, within(batch)
		out = append(out, named(map[bool]string{false: "create final_results", true: "add to final_results"}[in.Insert], render("results", in)))
	}
	return out
}

func named(name string, s Statement) Statement {
	s.Name = name
	return s
}

// resultColumns are the customers' columns in the results, but for the partition
// keys, which come last, and the actual score, which has another name there.
func resultColumns() Columns {
	return slices.DeleteFunc(open(), func(n schema.Name) bool { return slices.Contains(partitionKeys, n) || n == schema.EngagementScore })
}

func predictionColumns(list []Column) Columns {
	var out Columns
	for _, c := range list {
		if schema.Name(c.Name) != schema.CustomerID {
			out = append(out, schema.Name(c.Name))
		}
	}
	return out
}

// Partition is a location and an account type of the results; nil is NULL.
type Partition struct{ Location, AccountType *string }

// within is the condition that a customer lies in one of the partitions.
func within(list []Partition) Fragment {
	var out Fragment
	for i, p := range list {
		if i > 0 {
			out += " OR "
		}
		out += frag("(%s AND %s)", equals(`c."location"`, p.Location), equals(`c."account_type"`, p.AccountType))
	}
	return out
}

func equals(column Fragment, value *string) Fragment {
	if value == nil {
		return column + " IS NULL"
	}
	return frag("%s = %s", column, Text(*value))
}

// Partitions returns the statement that lists the partitions of the results:
// columns location and account_type.
func Partitions() Statement {
	return render("partitions", struct{ Customers, Predictions Relation }{TableOf(resource.CustomersTable), TableOf(resource.PredictionsTable)})
}

// PartitionsOf reads the rows of Partitions.
func PartitionsOf(rows []Row) []Partition {
	out := make([]Partition, len(rows))
	for i, r := range rows {
		if v, ok := r[string(schema.Location)]; ok {
			out[i].Location = &v
		}
		if v, ok := r[string(schema.AccountType)]; ok {
			out[i].AccountType = &v
		}
	}
	return out
}

// ResultsSummary returns the statement that sums the results up, in one row.
func ResultsSummary() Statement {
	return render("results_summary", struct{ Table Relation }{TableOf(resource.ResultsTable)})
}

// AnalyticsViews returns the statements that make the views over the results.
func AnalyticsViews() []Statement {
	t := TableOf(resource.ResultsTable)
	return []Statement{
		render("high_value_customers", struct {
			View, Table Relation
			High        Double
		}{ViewOf(resource.HighValueCustomers), t, highScore}),
		render("at_risk_customers", struct {
			View, Table             Relation
			LowPrediction, HighRisk Double
		}{ViewOf(resource.AtRiskCustomers), t, lowScore, highRisk}),
		render("model_performance", struct{ View, Table Relation }{ViewOf(resource.ModelPerformance), t}),
	}
}
