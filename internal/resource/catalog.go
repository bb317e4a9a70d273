package resource

import "strings"

// Database is a database of the Glue catalog.
type Database string

// The databases.
const (
	RawDatabase         Database = "engagement_raw"
	PredictionsDatabase Database = "engagement_predictions"
	QADatabase          Database = "engagement_qa"
	AnalyticsDatabase   Database = "engagement_analytics"
)

// Databases lists every database.
func Databases() []Database {
	return []Database{RawDatabase, PredictionsDatabase, QADatabase, AnalyticsDatabase}
}

// Tables lists the tables of d.
func (d Database) Tables() []Table {
	var tables []Table
	for _, t := range Tables() {
		if t.Database() == d {
			tables = append(tables, t)
		}
	}
	return tables
}

// Views lists the views of d.
func (d Database) Views() []View {
	var views []View
	for _, v := range Views() {
		if v.Database() == d {
			views = append(views, v)
		}
	}
	return views
}

// Table is the qualified name of a table, "engagement_raw.customers", as SQL writes it.
type Table string

// The tables.
const (
	CustomersTable   = Table(RawDatabase + ".customers")
	TrainingTable    = Table(RawDatabase + ".training_data")
	TestTable        = Table(RawDatabase + ".test_data")
	InferenceTable   = Table(RawDatabase + ".inference_input")
	ConnectionsTable = Table(RawDatabase + ".connections")
	PredictionsTable = Table(PredictionsDatabase + ".predictions")
	ReviewTable      = Table(QADatabase + ".human_review")
	ResultsTable     = Table(AnalyticsDatabase + ".final_results")
)

// Tables lists every table.
func Tables() []Table {
	return []Table{
		CustomersTable, TrainingTable, TestTable, InferenceTable, ConnectionsTable,
		PredictionsTable, ReviewTable, ResultsTable,
	}
}

// Database returns the database that holds t.
func (t Table) Database() Database { d, _ := split(string(t)); return d }

// Name returns the name of t within its database.
func (t Table) Name() string { _, n := split(string(t)); return n }

// Location returns where the files of t lie.
func (t Table) Location() Location {
	switch t {
	case CustomersTable:
		return Raw
	case TrainingTable:
		return Training
	case TestTable:
		return Test
	case InferenceTable:
		return Inference
	case ConnectionsTable:
		return Connected
	case PredictionsTable:
		return Scored
	case ReviewTable:
		return ReviewQueue
	case ResultsTable:
		return Final
	}
	panic("resource: unknown table " + string(t))
}

// View is the qualified name of a view, as SQL writes it.
type View string

// The views.
const (
	HighValueCustomers = View(AnalyticsDatabase + ".high_value_customers")
	AtRiskCustomers    = View(AnalyticsDatabase + ".at_risk_customers")
	ModelPerformance   = View(AnalyticsDatabase + ".model_performance")
)

// Masked returns the view of t that shows no confidential value.
func (t Table) Masked() View { return View(t + "_masked") }

// MaskedTables lists the tables that have confidential columns, and so a masked view.
func MaskedTables() []Table {
	return []Table{CustomersTable, TrainingTable, TestTable, InferenceTable, ReviewTable, ResultsTable}
}

// Views lists every view.
func Views() []View {
	views := []View{HighValueCustomers, AtRiskCustomers, ModelPerformance}
	for _, t := range MaskedTables() {
		views = append(views, t.Masked())
	}
	return views
}

// Database returns the database that holds v.
func (v View) Database() Database { d, _ := split(string(v)); return d }

// Name returns the name of v within its database.
func (v View) Name() string { _, n := split(string(v)); return n }

// Workgroup is an Athena workgroup.
type Workgroup string

// AnalyticsWorkgroup runs every query of the pipeline and of the agent.
const AnalyticsWorkgroup Workgroup = "engagement-analytics"

// Workgroups lists every workgroup.
func Workgroups() []Workgroup { return []Workgroup{AnalyticsWorkgroup} }

func split(qualified string) (Database, string) {
	database, name, _ := strings.Cut(qualified, ".")
	return Database(database), name
}
