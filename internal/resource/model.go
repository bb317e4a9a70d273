package resource

import (
	"fmt"
	"regexp"
	"strconv"
)

// Model is the name of a model in the registry.
type Model string

// The models.
const (
	EngagementModel     Model = "engagement"
	ChurnModel          Model = "churn"
	LTVModel            Model = "ltv"
	RecommendationModel Model = "recommendation"
	AnomalyModel        Model = "anomaly"
	EnsembleModel       Model = "ensemble"
)

// RegistryModels lists every model.
func RegistryModels() []Model {
	return []Model{EngagementModel, ChurnModel, LTVModel, RecommendationModel, AnomalyModel, EnsembleModel}
}

// ParseModel returns the model called s.
func ParseModel(s string) (Model, error) {
	for _, m := range RegistryModels() {
		if string(m) == s {
			return m, nil
		}
	}
	return "", fmt.Errorf("model %q is unknown: want one of %v", s, RegistryModels())
}

// Artifact is a file of a model in the registry.
type Artifact string

// The artifacts of a model.
const (
	ModelFile      Artifact = "model.json"              // the model itself
	FeaturesFile   Artifact = "features.json"           // feature list and fitted encodings
	MetadataFile   Artifact = "metadata.json"           // algorithm, date, metrics, fairness, target
	ImportanceFile Artifact = "feature_importance.json" // gain and mean absolute SHAP value
	EvaluationFile Artifact = "evaluation_metrics.json" // test-set metrics
)

// Artifacts lists every artifact.
func Artifacts() []Artifact {
	return []Artifact{ModelFile, FeaturesFile, MetadataFile, ImportanceFile, EvaluationFile}
}

// Version is the version of a model.
type Version struct{ Major, Minor int }

// FirstVersion is the version of a model that has no predecessor.
var FirstVersion = Version{Major: 1}

var versionPattern = regexp.MustCompile(`^v([1-9][0-9]{0,5})(?:\.(0|[1-9][0-9]{0,5}))?$`)

// ParseVersion reads "v1.2", or "v1" for v1.0.
func ParseVersion(s string) (Version, error) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("model version %q: want v and a number, like v1 or v1.2", s)
	}
	major, _ := strconv.Atoi(m[1]) // the pattern admits nothing that Atoi refuses
	minor, _ := strconv.Atoi(m[2]) // empty: 0
	return Version{major, minor}, nil
}

// String returns the form that the registry uses, "v1.0".
func (v Version) String() string { return fmt.Sprintf("v%d.%d", v.Major, v.Minor) }

// Short returns the form that predictions carry: "v1" for v1.0, "v1.2" otherwise.
func (v Version) Short() string {
	if v.Minor == 0 {
		return fmt.Sprintf("v%d", v.Major)
	}
	return v.String()
}

// Location returns where the artifacts of a version of m lie.
func (m Model) Location(v Version) Location {
	return Location{Registry.Bucket, Registry.Key(fmt.Sprintf("%s/%s/", m, v))}
}

// Key returns the key, in Models, of an artifact of a version of m.
func (m Model) Key(v Version, a Artifact) string { return m.Location(v).Key(string(a)) }

// PredictionsKey returns the key, in Predictions, of one part of the predictions
// of a model version. The parts are numbered from 0; a single part keeps the
// plain name. It panics unless 0 <= part < parts.
func PredictionsKey(v Version, part, parts int) string {
	switch {
	case part < 0 || part >= parts:
		panic(fmt.Sprintf("resource: predictions part %d of %d", part, parts))
	case parts == 1:
		return Scored.Key("predictions_" + v.Short() + ".parquet")
	}
	return Scored.Key(fmt.Sprintf("predictions_%s/part-%05d-of-%05d.parquet", v.Short(), part, parts))
}
