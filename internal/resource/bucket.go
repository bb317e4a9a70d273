// Package resource holds the names of everything that engage keeps in AWS:
// buckets and key layouts, databases and tables, functions, state machines,
// tasks, roles, log groups and environment variables. Infrastructure and code
// both take a name from here, so the two cannot drift apart.
//
// Names are logical. An [Environment] turns them into physical names and ARNs;
// only bucket names differ between environments, because they are the only ones
// that must be unique beyond an account and a region.
package resource

// Bucket is the logical name of an S3 bucket; [Environment.Bucket] gives the physical one.
type Bucket string

// The buckets.
const (
	Data        Bucket = "data"        // data sets: as they arrived, raw and processed
	Models      Bucket = "models"      // model registry
	Predictions Bucket = "predictions" // scored customers
	QA          Bucket = "qa"          // predictions that a person reviews
	Results     Bucket = "results"     // joined results, query results, records of runs
	Knowledge   Bucket = "knowledge"   // documents that the question-answering agent reads
	Logs        Bucket = "logs"        // access and flow logs
	Audit       Bucket = "audit"       // append-only: API trail, prediction audit
)

// Buckets lists every bucket.
func Buckets() []Bucket {
	return []Bucket{Data, Models, Predictions, QA, Results, Knowledge, Logs, Audit}
}

// EnvVar returns the environment variable that tells code the physical name of b.
func (b Bucket) EnvVar() EnvVar {
	switch b {
	case Data:
		return BucketDataVar
	case Models:
		return BucketModelsVar
	case Predictions:
		return BucketPredictionsVar
	case QA:
		return BucketQAVar
	case Results:
		return BucketResultsVar
	case Knowledge:
		return BucketKnowledgeVar
	case Logs:
		return BucketLogsVar
	case Audit:
		return BucketAuditVar
	}
	panic("resource: unknown bucket " + string(b))
}
