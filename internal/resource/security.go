package resource

// Key is the alias of a KMS key, without "alias/": one a purpose, so that who
// may read one kind of thing may not read another.
type Key string

// The keys.
const (
	DataKey    Key = "engagement-data"    // objects, the catalog, query results, tables
	LogsKey    Key = "engagement-logs"    // log groups, the API trail
	MessageKey Key = "engagement-message" // topics and queues
	SecretKey  Key = "engagement-secret"  // secrets and parameters
	ComputeKey Key = "engagement-compute" // images, environments of functions
)

// Keys lists every key.
func Keys() []Key { return []Key{DataKey, LogsKey, MessageKey, SecretKey, ComputeKey} }

// Alias returns the alias of k as KMS knows it.
func (k Key) Alias() string { return "alias/" + string(k) }

// Secret is the name of a secret.
type Secret string

// APIKey is what callers of PredictionAPI sign their requests with.
const APIKey Secret = "engagement/api-key"

// Secrets lists every secret.
func Secrets() []Secret { return []Secret{APIKey} }

// Queue is the name of an SQS queue.
type Queue string

// DeadLetters holds the events that a function could not handle.
const DeadLetters Queue = "engagement-dead-letters"

// Queues lists every queue.
func Queues() []Queue { return []Queue{DeadLetters} }

// QueueARN returns the ARN of q.
func (e Environment) QueueARN(q Queue) ARN { return e.arn("sqs", string(q)) }

// SecretARN returns the ARN pattern of s: Secrets Manager adds six characters.
func (e Environment) SecretARN(s Secret) ARN {
	return e.arn("secretsmanager", "secret:"+string(s)+"-??????")
}

// ParameterARN returns the ARN of a parameter.
func (e Environment) ParameterARN(p Parameter) ARN { return e.arn("ssm", "parameter"+string(p)) }

// Parameter is the name of a parameter of Systems Manager.
type Parameter string

// The parameters.
const (
	CurrentModel Parameter = "/engagement/model/current" // version that serves predictions
	AcceptedData Parameter = "/engagement/data/accepted" // data set that the last good run took
)

// Parameters lists every parameter.
func Parameters() []Parameter { return []Parameter{CurrentModel, AcceptedData} }
