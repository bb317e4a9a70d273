package createresultstable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"engage/internal/pipeline"
	"engage/internal/query"
	"engage/internal/resource"
	"engage/internal/store"
)

// Metadata is what the results need of a model's own: the registry's
// metadata.json has more.
type Metadata struct {
	Algorithm string             `json:"algorithm"`
	Metrics   map[string]float64 `json:"metrics"` // on the test rows
}

// The metrics that each row of the results carries.
const (
	metricR2   = "r2"
	metricRMSE = "rmse"
)

// MetadataError is a model that does not say how good it is.
type MetadataError struct{ URI, Reason string }

func (e *MetadataError) Error() string {
	return fmt.Sprintf("model metadata %s: %s; train the model again", e.URI, e.Reason)
}

// ErrorName is the name by which the machine knows the error.
func (e *MetadataError) ErrorName() string { return pipeline.InvalidInput }

func (h Handler) metadata(ctx context.Context, v resource.Version) (Metadata, error) {
	key := resource.EngagementModel.Key(v, resource.MetadataFile)
	uri := store.ObjectURI(h.Store, resource.Registry.Bucket, key)
	text, err := store.ReadAll(ctx, h.Store, resource.Registry.Bucket, key)
	if errors.Is(err, store.ErrNotFound) {
		return Metadata{}, &MetadataError{uri, "is not there"}
	}
	if err != nil {
		return Metadata{}, err
	}
	var m Metadata
	if err := json.Unmarshal(text, &m); err != nil {
		return m, &MetadataError{uri, err.Error()}
	}
	if m.Algorithm == "" {
		return m, &MetadataError{uri, "names no algorithm"}
	}
	for _, name := range []string{metricR2, metricRMSE} {
		if x, ok := m.Metrics[name]; !ok || math.IsNaN(x) || math.IsInf(x, 0) {
			return m, &MetadataError{uri, "has no metric " + name}
		}
	}
	return m, nil
}

// needed are the columns that the results are made of; what else the predictions
// have, such as what explains them, goes into the results as it is.
var needed = []string{"customer_id", "predicted_engagement_score", "prediction_timestamp", "model_version"}

// PredictionsError is a table of predictions that lacks columns.
type PredictionsError struct{ Missing []string }

func (e *PredictionsError) Error() string {
	return fmt.Sprintf("table %s lacks %s; score again", resource.PredictionsTable, strings.Join(e.Missing, ", "))
}

// ErrorName is the name by which the machine knows the error.
func (e *PredictionsError) ErrorName() string { return pipeline.InvalidInput }

func checkPredictions(columns []query.Column) error {
	var missing []string
	for _, name := range needed {
		if !slices.ContainsFunc(columns, func(c query.Column) bool { return c.Name == name }) {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return &PredictionsError{missing}
	}
	return nil
}

// record writes the run's manifest and returns its URI.
func (h Handler) record(ctx context.Context, run pipeline.Run, v resource.Version, model Metadata, p pipeline.Prepared, out pipeline.Results) (string, error) {
	m := pipeline.Manifest{
		RunID: run.RunID, Mode: run.Mode, Seed: run.Seed,
		Dataset: p.Dataset, DataHash: p.DataHash, DataSchema: p.Schema, Split: p.Split,
		ModelVersion: v.String(), Algorithm: model.Algorithm, Metrics: model.Metrics,
		Rows: map[string]int64{
			resource.TrainingTable.Name(): p.TrainingRecords, resource.TestTable.Name(): p.TestRecords,
			resource.InferenceTable.Name(): p.InferenceRecords, resource.ResultsTable.Name(): out.Records,
		},
		Performance: out.Performance, Created: h.Now().UTC().Format(time.RFC3339),
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", fmt.Errorf("record the run: %w", err)
	}
	key := resource.RunID(run.RunID).ManifestKey()
	if err := h.Store.Put(ctx, resource.Runs.Bucket, key, append(text, '\n'), "application/json"); err != nil {
		return "", fmt.Errorf("record the run: %w", err)
	}
	return store.ObjectURI(h.Store, resource.Runs.Bucket, key), nil
}
