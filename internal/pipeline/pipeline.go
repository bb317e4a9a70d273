// Package pipeline is what the states of the machine engagement-ml-pipeline say
// to each other: the input of an execution, and what each handler and worker
// takes and gives. The machine is built from the JSON names of these types, so a
// state cannot ask for what another does not write.
package pipeline

import (
	"fmt"
	"strings"

	"engage/internal/resource"
)

// Mode says how much of the pipeline a run does.
type Mode string

// The modes.
const (
	TrainAndScore Mode = "train-and-score" // everything
	ScoreOnly     Mode = "score-only"      // with the model that is there
)

// Input starts an execution. Its name is the run's id.
type Input struct {
	Mode         Mode   `json:"mode"`
	Dataset      string `json:"dataset"`       // prefix under resource.Landing, ends in a slash; "" for the newest
	ModelVersion string `json:"model_version"` // to write, or to score with: v1, v1.2
	Seed         uint64 `json:"seed"`
}

// Run is what every handler and worker is told.
type Run struct {
	RunID        string `json:"run_id"`
	Mode         Mode   `json:"mode"`
	Dataset      string `json:"dataset"`
	ModelVersion string `json:"model_version"`
	Seed         uint64 `json:"seed"`
}

// InputError says everything that is wrong with a run's input.
type InputError struct{ Problems []string }

// Error lists the problems on one line.
func (e *InputError) Error() string {
	return "the run's input cannot be used: " + strings.Join(e.Problems, "; ")
}

// ErrorName is the name by which the machine knows the error.
func (e *InputError) ErrorName() string { return InvalidInput }

// The names of errors that another try does not mend.
const (
	AccessDenied     = "AccessDenied"         // a call was not allowed; the message says which
	InvalidInput     = "InvalidInput"         // the run's input, or what it names, cannot be used
	ValidationFailed = "DataValidationFailed" // the data's findings stop the run
)

// Check returns the version that the run writes or reads. Errors: *InputError.
func (r Run) Check() (resource.Version, error) {
	var problems []string
	if _, err := resource.ParseRunID(r.RunID); err != nil {
		problems = append(problems, err.Error())
	}
	if r.Mode != TrainAndScore && r.Mode != ScoreOnly {
		problems = append(problems, fmt.Sprintf("mode %q: want %s or %s", r.Mode, TrainAndScore, ScoreOnly))
	}
	if d := r.Dataset; d != "" && (!strings.HasSuffix(d, "/") || strings.Contains(d, "..") || strings.HasPrefix(d, "/")) {
		problems = append(problems, fmt.Sprintf("data set %q: want a prefix under %s that ends in a slash", d, resource.Landing.Prefix))
	}
	v, err := resource.ParseVersion(r.ModelVersion)
	if err != nil {
		problems = append(problems, err.Error())
	}
	if len(problems) > 0 {
		return resource.Version{}, &InputError{Problems: problems}
	}
	return v, nil
}

// Cleanup is what pre-cleanup-lambda answers.
type Cleanup struct {
	Status         string `json:"cleanup_status"` // "success"
	TablesDropped  int    `json:"tables_dropped"`
	ObjectsDeleted int    `json:"s3_objects_deleted"` // versions and delete markers
	Timestamp      string `json:"timestamp"`          // RFC 3339
}

// Preparation is what data-prep-lambda answers.
type Preparation struct {
	Status           string            `json:"data_prep_status"` // "success"
	Dataset          string            `json:"dataset"`          // the prefix that was taken, complete
	DataHash         string            `json:"data_hash"`        // SHA-256 of the data set's manifest, hex
	TrainingRecords  int64             `json:"training_records"`
	TestRecords      int64             `json:"test_records"`
	InferenceRecords int64             `json:"inference_records"`
	Locations        map[string]string `json:"s3_locations"` // "training", "test" and "inference" to S3 URIs
}

// Validation is what data-validation-lambda answers.
type Validation struct {
	Status   string         `json:"validation_status"` // "success", or "warning" with findings that do not stop a run
	Findings map[string]int `json:"findings"`          // severity to number of findings
	Report   string         `json:"report"`            // S3 URI
}

// Review is what create-qa-table-lambda answers.
type Review struct {
	Status    string         `json:"qa_table_status"` // "success"
	Records   int            `json:"records_for_review"`
	Breakdown map[string]int `json:"qa_breakdown"` // reason to number of records
	Location  string         `json:"qa_table_location"`
}

// Results is what create-results-table-lambda answers.
type Results struct {
	Status      string         `json:"results_table_status"` // "success"
	Records     int64          `json:"total_records"`
	Partitions  map[string]int `json:"partitions_created"` // "locations" and "account_types"
	Views       []string       `json:"views_created"`
	Performance Performance    `json:"model_performance_summary"`
	Location    string         `json:"results_s3_location"`
	Manifest    string         `json:"manifest"` // S3 URI
}

// Performance is how good predictions are on rows that the model did not train
// on. Errors are absolute, in units of the score.
type Performance struct {
	Rows        int64   `json:"rows"`
	MeanError   float64 `json:"avg_error"`
	MedianError float64 `json:"median_error"`
	Accurate    int64   `json:"accurate_predictions"`   // off by 0.1 at most
	Acceptable  int64   `json:"acceptable_predictions"` // off by 0.2 at most
	Poor        int64   `json:"poor_predictions"`
}
