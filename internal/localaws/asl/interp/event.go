package interp

import (
	"errors"
	"sync"
	"time"
)

// MaxEvents is the most events that AWS keeps of one execution; an execution that needs more fails.
const MaxEvents = 25_000

// Event is one entry of an execution's history, in the shape of AWS's API but for the time, which the
// service renders. Exactly the details that the type has are set.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
type Event struct {
	ID         int64     `json:"id"`
	PreviousID int64     `json:"previousEventId"`
	Type       string    `json:"type"`
	Time       time.Time `json:"-"`

	ExecutionStarted   *StartedDetails `json:"executionStartedEventDetails,omitempty"`
	ExecutionSucceeded *OutputDetails  `json:"executionSucceededEventDetails,omitempty"`
	ExecutionFailed    *ErrorDetails   `json:"executionFailedEventDetails,omitempty"`
	ExecutionTimedOut  *ErrorDetails   `json:"executionTimedOutEventDetails,omitempty"`
	ExecutionAborted   *ErrorDetails   `json:"executionAbortedEventDetails,omitempty"`

	StateEntered *EnteredDetails `json:"stateEnteredEventDetails,omitempty"`
	StateExited  *ExitedDetails  `json:"stateExitedEventDetails,omitempty"`

	TaskScheduled *ScheduledDetails  `json:"taskScheduledEventDetails,omitempty"`
	TaskStarted   *TaskDetails       `json:"taskStartedEventDetails,omitempty"`
	TaskSubmitted *TaskOutputDetails `json:"taskSubmittedEventDetails,omitempty"`
	TaskSucceeded *TaskOutputDetails `json:"taskSucceededEventDetails,omitempty"`
	TaskFailed    *TaskErrorDetails  `json:"taskFailedEventDetails,omitempty"`
	TaskTimedOut  *TaskErrorDetails  `json:"taskTimedOutEventDetails,omitempty"`

	LambdaScheduled *LambdaDetails `json:"lambdaFunctionScheduledEventDetails,omitempty"`
	LambdaSucceeded *OutputDetails `json:"lambdaFunctionSucceededEventDetails,omitempty"`
	LambdaFailed    *ErrorDetails  `json:"lambdaFunctionFailedEventDetails,omitempty"`
	LambdaTimedOut  *ErrorDetails  `json:"lambdaFunctionTimedOutEventDetails,omitempty"`

	ActivityScheduled *ActivityDetails `json:"activityScheduledEventDetails,omitempty"`
	ActivityStarted   *WorkerDetails   `json:"activityStartedEventDetails,omitempty"`
	ActivitySucceeded *OutputDetails   `json:"activitySucceededEventDetails,omitempty"`
	ActivityFailed    *ErrorDetails    `json:"activityFailedEventDetails,omitempty"`
	ActivityTimedOut  *ErrorDetails    `json:"activityTimedOutEventDetails,omitempty"`
	ExecutionRedriven *RedrivenDetails `json:"executionRedrivenEventDetails,omitempty"`

	MapStarted         *MapStartedDetails `json:"mapStateStartedEventDetails,omitempty"`
	IterationStarted   *IterationDetails  `json:"mapIterationStartedEventDetails,omitempty"`
	IterationSucceeded *IterationDetails  `json:"mapIterationSucceededEventDetails,omitempty"`
	IterationFailed    *IterationDetails  `json:"mapIterationFailedEventDetails,omitempty"`
	IterationAborted   *IterationDetails  `json:"mapIterationAbortedEventDetails,omitempty"`
	MapRunStarted      *MapRunDetails     `json:"mapRunStartedEventDetails,omitempty"`
	MapRunFailed       *ErrorDetails      `json:"mapRunFailedEventDetails,omitempty"`
}

// Truncation says whether a payload was cut; this interpreter never cuts one.
type Truncation struct {
	Truncated bool `json:"truncated"`
}

// StartedDetails of ExecutionStarted.
type StartedDetails struct {
	Input   string     `json:"input"`
	Cut     Truncation `json:"inputDetails"`
	RoleARN string     `json:"roleArn"`
}

// OutputDetails of what succeeded.
type OutputDetails struct {
	Output string     `json:"output"`
	Cut    Truncation `json:"outputDetails"`
}

// ErrorDetails of what failed.
type ErrorDetails struct {
	Error string `json:"error,omitempty"`
	Cause string `json:"cause,omitempty"`
}

// EnteredDetails of a state's start.
type EnteredDetails struct {
	Name  string     `json:"name"`
	Input string     `json:"input"`
	Cut   Truncation `json:"inputDetails"`
}

// ExitedDetails of a state's end.
type ExitedDetails struct {
	Name     string            `json:"name"`
	Output   string            `json:"output"`
	Cut      Truncation        `json:"outputDetails"`
	Assigned map[string]string `json:"assignedVariables,omitempty"`
	Vars     *Truncation       `json:"assignedVariablesDetails,omitempty"`
}

// TaskDetails name an integration.
type TaskDetails struct {
	ResourceType string `json:"resourceType"`
	Resource     string `json:"resource"`
}

// ScheduledDetails of TaskScheduled.
type ScheduledDetails struct {
	TaskDetails
	Region     string `json:"region"`
	Parameters string `json:"parameters"`
	Timeout    int64  `json:"timeoutInSeconds,omitempty"`
	Heartbeat  int64  `json:"heartbeatInSeconds,omitempty"`

	Credentials *CredentialDetails `json:"taskCredentials,omitempty"`
}

// CredentialDetails name the role that a task takes on instead of the execution's.
type CredentialDetails struct {
	RoleARN string `json:"roleArn"`
}

// ActivityDetails of ActivityScheduled.
type ActivityDetails struct {
	Resource  string     `json:"resource"`
	Input     string     `json:"input"`
	Cut       Truncation `json:"inputDetails"`
	Timeout   int64      `json:"timeoutInSeconds,omitempty"`
	Heartbeat int64      `json:"heartbeatInSeconds,omitempty"`
}

// WorkerDetails of ActivityStarted.
type WorkerDetails struct {
	Worker string `json:"workerName,omitempty"`
}

// RedrivenDetails of ExecutionRedriven.
type RedrivenDetails struct {
	Count int `json:"redriveCount"`
}

// TaskOutputDetails of TaskSubmitted and TaskSucceeded.
type TaskOutputDetails struct {
	TaskDetails
	Output string     `json:"output"`
	Cut    Truncation `json:"outputDetails"`
}

// TaskErrorDetails of TaskFailed and TaskTimedOut.
type TaskErrorDetails struct {
	TaskDetails
	ErrorDetails
}

// LambdaDetails of LambdaFunctionScheduled.
type LambdaDetails struct {
	Resource string     `json:"resource"`
	Input    string     `json:"input"`
	Cut      Truncation `json:"inputDetails"`
	Timeout  int64      `json:"timeoutInSeconds,omitempty"`

	Credentials *CredentialDetails `json:"taskCredentials,omitempty"`
}

// MapStartedDetails of MapStateStarted.
type MapStartedDetails struct {
	Length int64 `json:"length"`
}

// IterationDetails name an iteration of a Map.
type IterationDetails struct {
	Name  string `json:"name"`
	Index int64  `json:"index"`
}

// MapRunDetails of MapRunStarted.
type MapRunDetails struct {
	ARN string `json:"mapRunArn"`
}

// errHistoryFull stops an execution whose history has no room left.
var errHistoryFull = errors.New("the execution reached the maximum number of history events")

// recorder numbers events and hands them on. It keeps one place free for the event that ends the execution.
type recorder struct {
	mu   sync.Mutex
	last int64
	now  func() time.Time
	emit func(Event)
	full func()
}

// add records an event and returns its id; 0 when the history is full.
func (r *recorder) add(previous int64, kind string, e Event) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last >= MaxEvents-1 {
		r.full()
		return 0
	}
	return r.put(previous, kind, e)
}

// end records the event that ends the execution.
func (r *recorder) end(previous int64, kind string, e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(previous, kind, e)
}

func (r *recorder) put(previous int64, kind string, e Event) int64 {
	r.last++
	e.ID, e.PreviousID, e.Type, e.Time = r.last, previous, kind, r.now()
	if r.emit != nil {
		r.emit(e)
	}
	return r.last
}
