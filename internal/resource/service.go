package resource

// KeyValueTable is the name of a DynamoDB table.
type KeyValueTable string

// The DynamoDB tables.
const (
	PredictionCache KeyValueTable = "engagement-prediction-cache" // latest predictions by customer
	AnswerCache     KeyValueTable = "engagement-answer-cache"     // the agent's answers by question
)

// KeyValueTables lists every DynamoDB table.
func KeyValueTables() []KeyValueTable { return []KeyValueTable{PredictionCache, AnswerCache} }

// API is the name of an API Gateway API.
type API string

// PredictionAPI serves predictions.
const PredictionAPI API = "engagement-api"

// PredictPath is the path of PredictionAPI that answers POST with a customer's predictions.
const PredictPath = "/predict"

// APIs lists every API.
func APIs() []API { return []API{PredictionAPI} }

// LogGroup returns the log group of a's access log.
func (a API) LogGroup() LogGroup { return LogGroup("/aws/apigateway/" + a) }

// Agent is the name of a Bedrock agent.
type Agent string

// EngagementAgent answers questions about engagement.
const EngagementAgent Agent = "engagement-agent"

// Agents lists every agent.
func Agents() []Agent { return []Agent{EngagementAgent} }

// KnowledgeBase is the name of a Bedrock knowledge base.
type KnowledgeBase string

// EngagementKnowledge is what EngagementAgent reads, over the Knowledge bucket.
const EngagementKnowledge KnowledgeBase = "engagement-knowledge"

// KnowledgeBases lists every knowledge base.
func KnowledgeBases() []KnowledgeBase { return []KnowledgeBase{EngagementKnowledge} }

// Tool is a function that the agent may call.
type Tool string

// The tools.
const (
	QueryAthena       Tool = "query_athena"       // sql -> rows
	GetFeatureStats   Tool = "get_feature_stats"  // feature name -> summary statistics
	ExplainPrediction Tool = "explain_prediction" // customer id -> contributions of the features
)

// Tools lists every tool.
func Tools() []Tool { return []Tool{QueryAthena, GetFeatureStats, ExplainPrediction} }

// Topic is the name of an SNS topic.
type Topic string

// Alerts tells people of failed runs, unfair predictions and security findings.
const Alerts Topic = "engagement-alerts"

// Topics lists every topic.
func Topics() []Topic { return []Topic{Alerts} }

// Schedule is the name of an EventBridge rule that fires on a schedule.
type Schedule string

// The schedules.
const (
	DailyScoring        Schedule = "daily-scoring"         // every day at 02:00 UTC
	WeeklyPipeline      Schedule = "weekly-pipeline"       // the whole pipeline, once a week
	WeeklyFairness      Schedule = "weekly-fairness-audit" // once a week
	QuarterlyRetraining Schedule = "quarterly-retraining"  // once a quarter
)

// Schedules lists every schedule.
func Schedules() []Schedule {
	return []Schedule{DailyScoring, WeeklyPipeline, WeeklyFairness, QuarterlyRetraining}
}

// Subnet is the Name tag of a subnet.
type Subnet string

// The private subnets; there are no public ones.
const (
	PrivateSubnet1 Subnet = "private-1"
	PrivateSubnet2 Subnet = "private-2"
	PrivateSubnet3 Subnet = "private-3"
)

// Subnets lists every subnet.
func Subnets() []Subnet { return []Subnet{PrivateSubnet1, PrivateSubnet2, PrivateSubnet3} }

// SecurityGroup is the name of a security group. It must not start with "sg-",
// which EC2 keeps for identifiers.
type SecurityGroup string

// The security groups, one a purpose.
const (
	MLTasks     SecurityGroup = "ml-tasks"      // the Fargate tasks
	MLFunctions SecurityGroup = "ml-functions"  // the Lambda functions
	Endpoints   SecurityGroup = "vpc-endpoints" // the interface endpoints
)

// SecurityGroups lists every security group.
func SecurityGroups() []SecurityGroup { return []SecurityGroup{MLTasks, MLFunctions, Endpoints} }
