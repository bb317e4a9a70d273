package resource

// Location is a key prefix in a bucket. The prefix is empty, which means the
// whole bucket, or ends in a slash.
type Location struct {
	Bucket Bucket
	Prefix string
}

// Key returns the key of name under the location.
func (l Location) Key(name string) string { return l.Prefix + name }

// Where things lie.
var (
	Landing = Location{Data, "landing/"} // data sets as they arrive; no run ever deletes from here

	Raw       = Location{Data, "raw/"}
	Processed = Location{Data, "processed/"}
	Training  = Location{Data, "processed/training/"}
	Test      = Location{Data, "processed/test/"}
	Inference = Location{Data, "processed/inference/"}
	Connected = Location{Data, "processed/connections/"}

	Registry    = Location{Models, ""}
	Scored      = Location{Predictions, ""}
	ReviewQueue = Location{QA, "review_queue/"}
	Final       = Location{Results, "final/"}

	QueryResults = Location{Results, "athena/"} // output of the Athena workgroup
	Runs         = Location{Results, "runs/"}   // what each run records about itself

	KnowledgeModels  = Location{Knowledge, "models/"}  // importance and metrics of the models in use
	KnowledgeAnswers = Location{Knowledge, "answers/"} // cached query results

	AccessLogs = Location{Logs, "s3-access/"}
	FlowLogs   = Location{Logs, "vpc-flow/"}

	Trail           = Location{Audit, "cloudtrail/"}
	PredictionAudit = Location{Audit, "predictions/"}
)

// Keys of single objects.
const (
	CustomersKey      = "raw/customers.csv"       // in Data
	PreparedKey       = "processed/prepared.json" // in Data: what the tables beside it were made of
	DataDictionaryKey = "data_dictionary.md"      // in Knowledge
)

// Locations lists every location.
func Locations() []Location {
	return []Location{
		Landing, Raw, Processed, Training, Test, Inference, Connected,
		Registry, Scored, ReviewQueue, Final, QueryResults,
		KnowledgeModels, KnowledgeAnswers, AccessLogs, FlowLogs,
		Trail, PredictionAudit, Runs,
	}
}

// RunOutputs lists what a pipeline run that trains version v writes, and the
// clean-up before it deletes. What must outlive a run lies outside of it: what
// arrived, models of other versions, the records of runs, logs and audit.
func RunOutputs(v Version) []Location {
	list := []Location{Raw, Processed, Scored, ReviewQueue, Final, QueryResults}
	for _, m := range RegistryModels() {
		list = append(list, m.Location(v))
	}
	return list
}
