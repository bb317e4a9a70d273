package resource

// EnvVar is the name of an environment variable that infrastructure sets and code reads.
type EnvVar string

// Where things are.
const (
	BucketDataVar        EnvVar = "S3_BUCKET_DATA"
	BucketModelsVar      EnvVar = "S3_BUCKET_MODELS"
	BucketPredictionsVar EnvVar = "S3_BUCKET_PREDICTIONS"
	BucketQAVar          EnvVar = "S3_BUCKET_QA"
	BucketResultsVar     EnvVar = "S3_BUCKET_RESULTS"
	BucketKnowledgeVar   EnvVar = "S3_BUCKET_KNOWLEDGE"
	BucketLogsVar        EnvVar = "S3_BUCKET_LOGS"
	BucketAuditVar       EnvVar = "S3_BUCKET_AUDIT"

	WorkgroupVar       EnvVar = "ATHENA_WORKGROUP"       // name of the Athena workgroup
	PredictionCacheVar EnvVar = "PREDICTION_CACHE_TABLE" // name of a DynamoDB table
	AnswerCacheVar     EnvVar = "ANSWER_CACHE_TABLE"     // name of a DynamoDB table
	AlertTopicVar      EnvVar = "ALERT_TOPIC_ARN"        // ARN of an SNS topic
)

// What to do.
const (
	EnvironmentVar  EnvVar = "ENGAGE_ENVIRONMENT" // kind of the environment: local or aws
	RunIDVar        EnvVar = "RUN_ID"             // id of the pipeline run
	DatasetVar      EnvVar = "DATASET"            // prefix of the run's data set, Landing included
	ModelNameVar    EnvVar = "MODEL_NAME"         // model that a training task trains
	ModelVersionVar EnvVar = "MODEL_VERSION"      // version to write or read: v1, v1.2
	BatchSizeVar    EnvVar = "BATCH_SIZE"         // rows scored at a time
	SeedVar         EnvVar = "SEED"               // seed of everything random in a run
	LogLevelVar     EnvVar = "LOG_LEVEL"          // debug, info, warn or error
)

// Variables that AWS's own SDK reads.
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
const (
	RegionVar        EnvVar = "AWS_REGION"
	DefaultRegionVar EnvVar = "AWS_DEFAULT_REGION"
	EndpointVar      EnvVar = "AWS_ENDPOINT_URL" // the embedded endpoint; unset on AWS
)

// EnvVars lists every environment variable.
func EnvVars() []EnvVar {
	return []EnvVar{
		BucketDataVar, BucketModelsVar, BucketPredictionsVar, BucketQAVar,
		BucketResultsVar, BucketKnowledgeVar, BucketLogsVar, BucketAuditVar,
		WorkgroupVar, PredictionCacheVar, AnswerCacheVar, AlertTopicVar,
		EnvironmentVar, RunIDVar, DatasetVar, ModelNameVar, ModelVersionVar, BatchSizeVar, SeedVar, LogLevelVar,
		RegionVar, DefaultRegionVar, EndpointVar,
	}
}
