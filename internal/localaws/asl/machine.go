// Package asl parses and validates state machines written in the Amazon States Language with the JSONPath
// query language, and compiles every path, template and condition in them once, for the interpreter
// (package interp) to run.
//
// Language: https://states-language.net/spec.html
// AWS's limits and extensions: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
package asl

import "engage/internal/localaws/asl/jsonpath"

// StateType is the Type of a state.
type StateType string

// The state types of the language.
const (
	Pass     StateType = "Pass"
	Task     StateType = "Task"
	Choice   StateType = "Choice"
	Wait     StateType = "Wait"
	Succeed  StateType = "Succeed"
	Fail     StateType = "Fail"
	Parallel StateType = "Parallel"
	Map      StateType = "Map"
)

// Machine is a compiled state machine, branch or item processor. It is immutable.
type Machine struct {
	Comment        string
	StartAt        string
	TimeoutSeconds int64 // 0: none
	States         map[string]*State
	Order          []string // the states' names as written
}

// State is one compiled state. Fields that its type does not have are zero.
type State struct {
	Name string
	Type StateType
	Next string
	End  bool

	InputPath  PathField
	OutputPath PathField
	ResultPath PathField

	Parameters     *Template
	ResultSelector *Template
	Assign         *Template
	Retry          []Retrier
	Catch          []Catcher

	Result    any // Pass
	HasResult bool

	Task     *TaskSpec
	Choices  []*Rule
	Default  string
	Wait     *WaitSpec
	Fail     *FailSpec
	Branches []*Machine
	Map      *MapSpec
}

// PathField is a field that holds a path or null. Without the field, Path is nil and Null false: "$".
type PathField struct {
	Path *jsonpath.Path
	Null bool
}

// TaskSpec is what a Task state has of its own.
type TaskSpec struct {
	Resource    Resource
	Timeout     Seconds
	Heartbeat   Seconds
	Credentials *Template
}

// Seconds is a number that is written out or read from a path; the zero value means that it is absent.
type Seconds struct {
	Value int64
	Path  *jsonpath.Path
}

// WaitSpec has exactly one of its fields set.
type WaitSpec struct {
	Seconds       *int64
	SecondsPath   *jsonpath.Path
	Timestamp     string
	TimestampPath *jsonpath.Path
}

// FailSpec holds Error and Cause as literals or expressions.
type FailSpec struct {
	Error, Cause         string
	ErrorPath, CausePath *Expression
}

// Retrier is one element of Retry with its defaults filled in.
type Retrier struct {
	ErrorEquals     []string
	IntervalSeconds int64
	MaxAttempts     int64
	BackoffRate     float64
	MaxDelaySeconds int64 // 0: none
	FullJitter      bool
}

// Catcher is one element of Catch.
type Catcher struct {
	ErrorEquals []string
	Next        string
	ResultPath  PathField
	Assign      *Template
}

// MapSpec is what a Map state has of its own.
type MapSpec struct {
	Processor      *Machine
	Distributed    bool
	Express        bool // child executions are of type EXPRESS
	Label          string
	ItemsPath      *jsonpath.Path
	ItemSelector   *Template
	Concurrency    Seconds // a count, 0: no limit
	ToleratedCount Limit
	ToleratedShare Limit // percent
	Reader         *ReaderSpec
	Batcher        *BatcherSpec
	Writer         *WriterSpec
}

// Limit is a number, or a path to one.
type Limit struct {
	Value float64
	Path  *jsonpath.Path
	Set   bool
}

// ReaderSpec says where a distributed Map reads its items.
type ReaderSpec struct {
	Resource   Resource
	Parameters *Template
	InputType  string // CSV, JSON, JSONL or MANIFEST; empty for listObjectsV2
	MaxItems   Seconds
	CSVHeaders []string // nil: the first row has them
	Delimiter  rune
}

// BatcherSpec groups items into batches.
type BatcherSpec struct {
	MaxItems Seconds
	MaxBytes Seconds
	Input    *Template
}

// WriterSpec says where a distributed Map writes its results.
type WriterSpec struct {
	Resource   Resource
	Parameters *Template
}

// Error names that the language and AWS define.
const (
	ErrAll                = "States.ALL"
	ErrTimeout            = "States.Timeout"
	ErrHeartbeatTimeout   = "States.HeartbeatTimeout"
	ErrTaskFailed         = "States.TaskFailed"
	ErrPermissions        = "States.Permissions"
	ErrResultPath         = "States.ResultPathMatchFailure"
	ErrParameterPath      = "States.ParameterPathFailure"
	ErrBranchFailed       = "States.BranchFailed"
	ErrNoChoiceMatched    = "States.NoChoiceMatched"
	ErrIntrinsic          = "States.IntrinsicFailure"
	ErrRuntime            = "States.Runtime"
	ErrDataLimit          = "States.DataLimitExceeded"
	ErrItemReader         = "States.ItemReaderFailed"
	ErrResultWriter       = "States.ResultWriterFailed"
	ErrToleratedThreshold = "States.ExceedToleratedFailureThreshold"
)
