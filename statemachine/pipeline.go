package statemachine

import (
	"engage/internal/pipeline"
	"engage/internal/resource"
)

// Placement is where a machine's tasks run.
type Placement struct {
	Environment   resource.Environment
	Subnets       []string // ids of private subnets
	SecurityGroup string   // id of the tasks' security group
}

// The states of the pipeline, by the names that a history shows.
const (
	preCleanup       = "PreCleanup"
	dataPreparation  = "DataPreparation"
	chooseMode       = "TrainOrScore"
	trainAndValidate = "ParallelTrainingAndValidation"
	training         = "TrainingTask"
	validation       = "DataValidation"
	validateOnly     = "ValidationBeforeScoring"
	inference        = "InferenceTask"
	makeTables       = "ParallelTableCreation"
	qaTable          = "CreateQATable"
	resultsTable     = "CreateFinalResults"
	tellSuccess      = "NotifySuccess"
	tellFailure      = "NotifyFailure"
	succeeded        = "PipelineSuccess"
	failed           = "PipelineFailure"
)

// limitSeconds bounds a run: no stage takes longer than its own limit, and all of
// them together stay below an hour.
const limitSeconds = 3600

// failurePath is where the error that ends a run lies, as Step Functions writes
// it: {"Error": ..., "Cause": ...}.
const failurePath = "$.failure"

// Pipeline returns the machine engagement-ml-pipeline: clean-up, preparation,
// training beside validation, inference, the two tables side by side, and news of
// how it ended.
func Pipeline(p Placement) Machine {
	return Machine{
		Comment: "Trains the engagement model, scores every customer and makes the tables that people read",
		StartAt: preCleanup, TimeoutSeconds: limitSeconds,
		States: map[string]State{
			preCleanup:      p.call(resource.PreCleanup, retries(10, 2, 2), at("$.cleanup"), dataPreparation),
			dataPreparation: p.call(resource.DataPrep, retries(15, 3, 2), at("$.data_prep"), chooseMode),
			chooseMode: &Choice{
				Choices: []Rule{{Variable: "$.mode", StringEquals: string(pipeline.ScoreOnly), Next: validateOnly}},
				Default: trainAndValidate,
			},
			trainAndValidate: &Parallel{
				Comment: "Trains on Fargate while a function checks the data",
				Branches: []Machine{
					single(training, p.run(resource.TrainingTask, retries(30, 2, 1.5))),
					single(validation, p.validate()),
				},
				ResultSelector: Values{"validation.$": "$[1]"}, ResultPath: at("$.parallel_training"),
				Catch: toFailure(), Next: inference,
			},
			validateOnly: p.validateThen(inference),
			inference:    p.runThen(resource.InferenceTask, retries(20, 2, 1.5), makeTables),
			makeTables: &Parallel{
				Comment: "Makes the table for reviewers and the table of results",
				Branches: []Machine{
					single(qaTable, p.last(resource.CreateQATable)),
					single(resultsTable, p.last(resource.CreateResultsTable)),
				},
				ResultSelector: Values{"qa.$": "$[0]", "results.$": "$[1]"}, ResultPath: at("$.parallel_tables"),
				Catch: toFailure(), Next: tellSuccess,
			},
			tellSuccess: p.tell("Pipeline run succeeded", "$.parallel_tables", succeeded, nil),
			tellFailure: p.tell("Pipeline run failed", failurePath, failed, []Catch{{ErrorEquals: []string{"States.ALL"}, ResultPath: at("$.unsent"), Next: failed}}),
			succeeded:   &Succeed{},
			failed:      &Fail{ErrorPath: failurePath + ".Error", CausePath: failurePath + ".Cause"},
		},
	}
}

// single is a machine of one state.
func single(name string, s State) Machine {
	return Machine{StartAt: name, States: map[string]State{name: s}}
}

// run is what every handler is told: pipeline.Run.
func run() Values {
	return Values{
		"run_id.$": "$$.Execution.Name", "mode.$": "$.mode", "dataset.$": "$.dataset",
		"model_version.$": "$.model_version", "seed.$": "$.seed",
	}
}

// retries are the requirements' own: a task that failed or took too long is tried
// again. What a later try cannot mend is not: a denied call, bad data, bad input.
func retries(interval, attempts int, backoff float64) []Retry {
	return []Retry{
		{ErrorEquals: []string{pipeline.ValidationFailed, pipeline.AccessDenied, pipeline.InvalidInput}, MaxAttempts: 0},
		{
			ErrorEquals:     []string{"States.TaskFailed", "States.Timeout"},
			IntervalSeconds: interval, MaxAttempts: attempts, BackoffRate: backoff,
		},
	}
}

// toFailure leads every error to the message about it.
func toFailure() []Catch {
	return []Catch{{ErrorEquals: []string{"States.ALL"}, ResultPath: at(failurePath), Next: tellFailure}}
}

// function is a call of a function that ends a branch.
func (p Placement) function(f resource.Function, retry []Retry) *Task {
	return &Task{
		Resource: string(p.Environment.FunctionARN(f)), Parameters: run(),
		TimeoutSeconds: int(f.Limits().Timeout.Seconds()) + 30, Retry: retry,
	}
}

// call is a call of a function with more to come.
func (p Placement) call(f resource.Function, retry []Retry, result *string, next string) *Task {
	t := p.function(f, retry)
	t.ResultPath, t.Catch, t.Next = result, toFailure(), next
	return t
}

// last is a call of a function that ends a branch.
func (p Placement) last(f resource.Function) *Task {
	t := p.function(f, retries(10, 2, 2))
	t.End = true
	return t
}

func (p Placement) validate() *Task { return p.last(resource.DataValidation) }

// validateThen is validation before scoring: there is no training beside it.
func (p Placement) validateThen(next string) *Task {
	return p.call(resource.DataValidation, retries(10, 2, 2), at("$.parallel_training.validation"), next)
}

// taskLimits bound the two tasks, in seconds.
var taskLimits = map[resource.TaskDefinition]int{resource.TrainingTask: 1800, resource.InferenceTask: 900}

// run is a Fargate task that ends a branch. What it was told is in its
// environment; what it made is in S3.
func (p Placement) run(t resource.TaskDefinition, retry []Retry) *Task {
	return &Task{
		Resource: "arn:" + p.Environment.Partition() + ":states:::ecs:runTask.sync",
		Parameters: Values{
			"LaunchType": "FARGATE", "PlatformVersion": "LATEST", "Cluster": string(p.Environment.ClusterARN(resource.MLCluster)), "TaskDefinition": string(t),
			"NetworkConfiguration": Values{"AwsvpcConfiguration": Values{
				"Subnets": p.Subnets, "SecurityGroups": []string{p.SecurityGroup}, "AssignPublicIp": "DISABLED",
			}},
			"Overrides": Values{"ContainerOverrides": []Values{{
				"Name": string(t.Container()), "Cpu": t.Size().CPU, "Memory": t.Size().MemoryMB, "Environment": environment(),
			}}},
		},
		TimeoutSeconds: taskLimits[t], Retry: retry, ResultPath: at("$.task"), End: true,
	}
}

func (p Placement) runThen(t resource.TaskDefinition, retry []Retry, next string) *Task {
	task := p.run(t, retry)
	task.ResultSelector = Values{"task_arn.$": "$.TaskArn", "stopped_reason.$": "$.StoppedReason"}
	task.ResultPath, task.Catch, task.Next, task.End = at("$.inference"), toFailure(), next, false
	return task
}

// environment tells a task of its run. All values of an environment are text.
func environment() []Values {
	variable := func(name resource.EnvVar, path string) Values { return Values{"Name": string(name), "Value.$": path} }
	return []Values{
		variable(resource.RunIDVar, "$$.Execution.Name"),
		variable(resource.DatasetVar, "$.data_prep.dataset"),
		variable(resource.ModelVersionVar, "$.model_version"),
		variable(resource.SeedVar, "States.Format('{}', $.seed)"),
	}
}

// tell publishes how a run ended, and what about.
func (p Placement) tell(subject, about, next string, catch []Catch) *Task {
	return &Task{
		Resource: "arn:" + p.Environment.Partition() + ":states:::sns:publish",
		Parameters: Values{
			"TopicArn": string(p.Environment.TopicARN(resource.Alerts)), "Subject": subject,
			"Message": Values{"run_id.$": "$$.Execution.Name", "started.$": "$$.Execution.StartTime", "result.$": about},
		},
		ResultPath: at("$.notice"), Retry: []Retry{{ErrorEquals: []string{"States.TaskFailed"}, IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2}},
		Catch: catch, Next: next,
	}
}
