package resource

import "time"

// Function is the name of a Lambda function.
type Function string

// The functions.
const (
	PreCleanup         Function = "pre-cleanup-lambda"          // deletes the outputs of the run before
	DataPrep           Function = "data-prep-lambda"            // makes the training, test and inference tables
	DataValidation     Function = "data-validation-lambda"      // checks the data beside training
	CreateQATable      Function = "create-qa-table-lambda"      // picks predictions for review
	CreateResultsTable Function = "create-results-table-lambda" // joins data and predictions

	EnsemblePredictions Function = "ensemble-predictions-lambda" // joins the predictions of the five models
	Predict             Function = "predict-lambda"              // answers POST /predict
	AgentTools          Function = "agent-tools-lambda"          // runs the agent's tools
	FairnessAudit       Function = "fairness-audit-lambda"       // weekly fairness check
	RotateSecret        Function = "rotate-secret-lambda"        // gives a secret a new value
)

// Functions lists every function.
func Functions() []Function {
	return []Function{
		PreCleanup, DataPrep, DataValidation, CreateQATable, CreateResultsTable,
		EnsemblePredictions, Predict, AgentTools, FairnessAudit, RotateSecret,
	}
}

// Limits are what a function may use.
type Limits struct {
	Timeout  time.Duration // whole seconds
	MemoryMB int
}

// Limits returns the limits of f.
func (f Function) Limits() Limits {
	switch f {
	case PreCleanup:
		return Limits{5 * time.Minute, 512}
	case DataPrep:
		return Limits{10 * time.Minute, 1024}
	case DataValidation:
		return Limits{3 * time.Minute, 512}
	case CreateQATable:
		return Limits{5 * time.Minute, 512}
	case CreateResultsTable, EnsemblePredictions:
		return Limits{5 * time.Minute, 1024}
	case Predict: // API Gateway gives up after 29 s, and a caller long before
		return Limits{10 * time.Second, 512}
	case AgentTools:
		return Limits{time.Minute, 512}
	case RotateSecret:
		return Limits{30 * time.Second, 128}
	case FairnessAudit:
		return Limits{5 * time.Minute, 512}
	}
	panic("resource: unknown function " + string(f))
}

// Role returns the role of f: each function has its own, with no more than it needs.
func (f Function) Role() Role { return Role(f + "-role") }

// LogGroup returns the log group that Lambda writes f's output to.
func (f Function) LogGroup() LogGroup { return LogGroup("/aws/lambda/" + f) }

// StateMachine is the name of a Step Functions state machine.
type StateMachine string

// The state machines.
const (
	MLPipeline         StateMachine = "engagement-ml-pipeline" // one model, clean-up to results
	MultiModelTraining StateMachine = "multi-model-training"   // five models in parallel
)

// StateMachines lists every state machine.
func StateMachines() []StateMachine { return []StateMachine{MLPipeline, MultiModelTraining} }

// LogGroup returns the log group of m. The prefix keeps its resource policy
// from growing with every machine.
// https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
func (m StateMachine) LogGroup() LogGroup { return LogGroup("/aws/vendedlogs/states/" + m) }

// Cluster is the name of an ECS cluster.
type Cluster string

// MLCluster runs every task.
const MLCluster Cluster = "engagement-ml-cluster"

// Clusters lists every cluster.
func Clusters() []Cluster { return []Cluster{MLCluster} }

// Repository is the name of an ECR repository.
type Repository string

// MLRepository holds the image of the training and inference tasks.
const MLRepository Repository = "engagement-ml"

// Repositories lists every repository.
func Repositories() []Repository { return []Repository{MLRepository} }

// TaskDefinition is the family of an ECS task definition.
type TaskDefinition string

// The task definitions.
const (
	TrainingTask  TaskDefinition = "training-task"  // trains the model that MODEL_NAME names
	InferenceTask TaskDefinition = "inference-task" // scores customers
)

// TaskDefinitions lists every task definition.
func TaskDefinitions() []TaskDefinition { return []TaskDefinition{TrainingTask, InferenceTask} }

// Container is the name of a container within a task.
type Container string

// The containers, one a task.
const (
	TrainingContainer  Container = "training-container"
	InferenceContainer Container = "inference-container"
)

// Containers lists every container.
func Containers() []Container { return []Container{TrainingContainer, InferenceContainer} }

// Container returns the container of t.
func (t TaskDefinition) Container() Container {
	switch t {
	case TrainingTask:
		return TrainingContainer
	case InferenceTask:
		return InferenceContainer
	}
	panic("resource: unknown task definition " + string(t))
}

// Role returns the role of what runs in t: each task has its own, with no more
// than it needs.
func (t TaskDefinition) Role() Role { return Role(t + "-role") }

// LogGroup returns the log group that the containers of t write to.
func (t TaskDefinition) LogGroup() LogGroup { return LogGroup("/ecs/" + t) }

// Size is what Fargate gives a task.
type Size struct {
	CPU      int // CPU units, 1024 to a vCPU
	MemoryMB int
}

// Size returns the size of t: 16 vCPU and 64 GB for both.
func (t TaskDefinition) Size() Size { return Size{CPU: 16384, MemoryMB: 65536} }
