package schema

import "fmt"

// The columns of the predictions that do not depend on what is predicted.
const (
	PredictionTimestamp Name = "prediction_timestamp"
	ModelVersion        Name = "model_version"
)

// TopFeatures is how many features of a prediction its row names.
const TopFeatures = 5

// PredictedOf names the column of what a model predicts of a target.
func PredictedOf(target Name) Name { return "predicted_" + target }

// TopFeature names the column of the feature of that rank, from 1, and
// TopFeatureImpact that of what the feature adds to the model's margin.
func TopFeature(rank int) Name       { return Name(fmt.Sprintf("top_feature_%d", rank)) }
func TopFeatureImpact(rank int) Name { return TopFeature(rank) + "_impact" }

// Predictions holds a row for each customer that the engagement model scored.
var Predictions = PredictionsOf(EngagementScore)

// PredictionsOf describes the table of what a model predicts of a target of the
// customers. It panics if the target is no number and no flag.
func PredictionsOf(target Name) *Table {
	of := Customers.Columns[Customers.MustIndex(target)]
	if !of.Numeric() && of.Type != Boolean {
		panic(fmt.Sprintf("schema: %s has no table of predictions: its type is %s", target, of.Type))
	}
	t := &Table{
		Name:        "predictions",
		Description: "One row for each customer that a model scored: the score, what it came of, and by which model.",
		Columns:     append(scoreColumns(of), topColumns()...),
	}
	return t
}

func scoreColumns(of Column) []Column {
	id, _ := Customers.Column(CustomerID)
	score := Column{
		Name: PredictedOf(of.Name), Type: Double, Unit: of.Unit, Range: of.Range, Role: Derived, Classification: of.Classification,
		Display: "Predicted " + lowerFirst(of.Display), Description: "What the model predicts, within the range of what it predicts.",
		Synonyms: []string{"prediction", "predicted score"},
	}
	if of.Type == Boolean {
		score.Unit, score.Range, score.Description = "probability", unit01, "The probability that the model predicts."
	}
	return []Column{id, score,
		{Name: PredictionTimestamp, Type: Timestamp, Role: Derived, Classification: Internal,
			Display: "Predicted at", Description: "When the scoring began.", Synonyms: []string{"prediction time", "scored at"}},
		{Name: ModelVersion, Type: String, Role: Derived, Classification: Internal,
			Display: "Model version", Description: "Version of the model, such as v1 or v1.2.", Synonyms: []string{"version of the model"}},
	}
}

// topColumns are the features that add most to a row's margin, or take most
// away, the strongest first.
func topColumns() []Column {
	var columns []Column
	for rank := 1; rank <= TopFeatures; rank++ {
		columns = append(columns,
			Column{Name: TopFeature(rank), Type: String, Nullable: true, NullWhen: "the model has fewer features", Role: Derived, Classification: Internal,
				Display: fmt.Sprintf("Driver %d", rank), Description: fmt.Sprintf("Name of the feature of rank %d by the size of its impact.", rank),
				Synonyms: []string{fmt.Sprintf("driver %d", rank)}},
			Column{Name: TopFeatureImpact(rank), Type: Double, Unit: "margin", Nullable: true, NullWhen: "the model has fewer features", Role: Derived, Classification: Internal,
				Display: fmt.Sprintf("Impact of driver %d", rank), Description: fmt.Sprintf("SHAP value of top_feature_%d: what it adds to the model's margin.", rank),
				Synonyms: []string{fmt.Sprintf("impact %d", rank)}})
	}
	return columns
}

func lowerFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}
