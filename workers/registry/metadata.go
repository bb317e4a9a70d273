package registry

import (
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/workers/source"
)

// FormatVersion is the version of the form of Metadata.
const FormatVersion = 1

// Metadata describes a trained model.
type Metadata struct {
	FormatVersion int    `json:"format_version"`
	ModelName     string `json:"model_name"` // such as "engagement_predictor"
	Model         string `json:"model"`      // as the registry has it
	Version       string `json:"version"`    // such as "1.0"
	Algorithm     string `json:"algorithm"`
	Library       string `json:"library"` // and its version
	TrainingDate  string `json:"training_date"`
	RunID         string `json:"run_id,omitempty"`
	Seed          uint64 `json:"seed"`
	Parameters    any    `json:"parameters"`
	// Rounds is how many rounds of the model count: early stopping keeps some more,
	// as XGBoost's best_iteration, counted from 0, says too.
	Rounds   int                `json:"rounds"`
	Metrics  map[string]float64 `json:"metrics"`                    // on the test rows
	Ceilings map[string]float64 `json:"ceilings,omitempty"`         // the best possible, by metric
	Share    map[string]float64 `json:"share_of_ceiling,omitempty"` // of metrics that are better if larger
	Fairness map[string]float64 `json:"fairness_metrics"`

	Data     Data                         `json:"data"`
	Features []string                     `json:"features"`
	Target   string                       `json:"target"`
	Set      string                       `json:"feature_set"` // hash of the features' definition
	Hashes   map[resource.Artifact]string `json:"sha256"`      // of the other documents
}

// Data says what a model was trained and tested on.
type Data struct {
	source.Origin
	Split      string `json:"split"`
	Training   int64  `json:"training_rows"`
	Validation int64  `json:"validation_rows"` // of the training rows, those that stopped the training
	Test       int64  `json:"test_rows"`
}

// Clamp brings an answer into the range of what is predicted: a sum of trees
// can leave it, and is never nearer to the truth outside.
func Clamp(target schema.Name, answer float64) float64 {
	c, ok := schema.Customers.Column(target)
	if !ok || c.Range == nil {
		return answer
	}
	return min(max(answer, c.Range.Min), c.Range.Max)
}
