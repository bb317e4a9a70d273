package pipeline

// Prepared is kept beside the tables that data-prep-lambda makes and says what
// they were made of, so that a run that only scores need not make them again.
type Prepared struct {
	Preparation
	Split  string `json:"split"`  // the rule by which customers are trained or tested on
	Schema string `json:"schema"` // fingerprint of the customers' table
}

// Manifest is what a run records about itself, at resource.RunID.ManifestKey.
// create-results-table-lambda writes it; who watches the run adds what only the
// end knows.
type Manifest struct {
	RunID        string             `json:"run_id"`
	Mode         Mode               `json:"mode"`
	Seed         uint64             `json:"seed"`
	Dataset      string             `json:"dataset"`
	DataHash     string             `json:"data_hash"`
	DataSchema   string             `json:"data_schema"`
	Split        string             `json:"split"`
	ModelVersion string             `json:"model_version"`
	Algorithm    string             `json:"algorithm"`
	Metrics      map[string]float64 `json:"metrics"` // of the model, on the test rows, by its own metadata
	Rows         map[string]int64   `json:"rows"`    // by table
	Performance  Performance        `json:"performance"`
	Created      string             `json:"created"` // RFC 3339

	Images    map[string]string  `json:"images,omitempty"`    // digest by task
	Durations map[string]float64 `json:"durations,omitempty"` // seconds by state
	Bill      map[string]float64 `json:"bill,omitempty"`      // US dollars by service
}
