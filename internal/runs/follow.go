package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"engage/internal/resource"
)

// Stage is one state of a run as it went so far.
type Stage struct {
	Name    string     `json:"name"`
	Entered time.Time  `json:"entered"`
	Left    *time.Time `json:"left,omitempty"`
	Retries int        `json:"retries,omitempty"` // tries that failed
	Problem string     `json:"problem,omitempty"` // why the latest try failed, one line
}

// Took returns how long the stage took, or has taken until now.
func (s Stage) Took(now time.Time) time.Duration {
	if s.Left != nil {
		now = *s.Left
	}
	return now.Sub(s.Entered)
}

// Status is how a run stands.
type Status struct {
	Summary
	Input  json.RawMessage `json:"input,omitempty"`
	Output json.RawMessage `json:"output,omitempty"`
	Error  string          `json:"error,omitempty"`
	Cause  string          `json:"cause,omitempty"`
	Stages []Stage         `json:"stages"`
}

// Ended tells whether the run has ended.
func (s Status) Ended() bool { return s.Status != string(types.ExecutionStatusRunning) }

// Succeeded tells whether the run has ended well.
func (s Status) Succeeded() bool { return s.Status == string(types.ExecutionStatusSucceeded) }

// Status returns how a run stands. Errors: *NotFoundError.
func (c Client) Status(ctx context.Context, run resource.RunID) (Status, error) {
	res, err := c.Machine.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: c.execution(run)})
	if err := c.found(run, err); err != nil {
		return Status{}, fmt.Errorf("describe run: %w", err)
	}
	stages, err := c.stages(ctx, run)
	return Status{
		Summary: Summary{Run: run, Status: string(res.Status), Started: aws.ToTime(res.StartDate), Stopped: res.StopDate},
		Input:   raw(res.Input), Output: raw(res.Output), Error: aws.ToString(res.Error), Cause: aws.ToString(res.Cause), Stages: stages,
	}, err
}

func raw(text *string) json.RawMessage {
	if text == nil || !json.Valid([]byte(*text)) {
		return nil
	}
	return json.RawMessage(*text)
}

// Follow calls tell with each change of how a run stands, until it has ended.
func (c Client) Follow(ctx context.Context, run resource.RunID, tell func(Status)) (Status, error) {
	events := -1
	for {
		status, err := c.Status(ctx, run)
		if err != nil {
			return status, err
		}
		if n := weight(status); n != events {
			events = n
			tell(status)
		}
		if status.Ended() {
			return status, nil
		}
		if err := c.Wait(ctx); err != nil {
			return status, err
		}
	}
}

// weight changes whenever something happened: stages are entered, left and
// tried again, never taken back.
func weight(s Status) int {
	n := len(s.Stages)
	for _, stage := range s.Stages {
		n += stage.Retries
		if stage.Left != nil {
			n++
		}
	}
	if s.Ended() {
		n++
	}
	return n
}

// stages reads the history of a run.
func (c Client) stages(ctx context.Context, run resource.RunID) ([]Stage, error) {
	reader := history{stage: map[int64]int{}}
	in := &sfn.GetExecutionHistoryInput{ExecutionArn: c.execution(run), MaxResults: 1000}
	for {
		page, err := c.Machine.GetExecutionHistory(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		for _, e := range page.Events {
			reader.read(e)
		}
		if page.NextToken == nil {
			return reader.stages, nil
		}
		in.NextToken = page.NextToken
	}
}

// history sorts events into stages: an event belongs to the stage of the one
// before it.
type history struct {
	stages []Stage
	stage  map[int64]int // event to index in stages
}

func (h *history) read(e types.HistoryEvent) {
	i, inside := h.stage[e.PreviousEventId]
	at := aws.ToTime(e.Timestamp)
	if d := e.StateEnteredEventDetails; d != nil {
		h.stages = append(h.stages, Stage{Name: aws.ToString(d.Name), Entered: at})
		h.stage[e.Id] = len(h.stages) - 1
		return
	}
	if d := e.StateExitedEventDetails; d != nil {
		h.leave(aws.ToString(d.Name), at)
		return
	}
	if !inside {
		return
	}
	h.stage[e.Id] = i
	if name, cause, failed := failure(e); failed {
		h.stages[i].Retries++
		h.stages[i].Problem = oneLine(name, cause)
	}
}

// leave closes the latest stage of a name that is open. What it tried before
// counts as tries that failed.
func (h *history) leave(name string, at time.Time) {
	for i, s := range slices.Backward(h.stages) {
		if s.Name == name && s.Left == nil {
			h.stages[i].Left = &at
			return
		}
	}
}

// failure tells what a try failed of.
func failure(e types.HistoryEvent) (name, cause string, failed bool) {
	switch {
	case e.TaskFailedEventDetails != nil:
		return aws.ToString(e.TaskFailedEventDetails.Error), aws.ToString(e.TaskFailedEventDetails.Cause), true
	case e.TaskTimedOutEventDetails != nil:
		return aws.ToString(e.TaskTimedOutEventDetails.Error), aws.ToString(e.TaskTimedOutEventDetails.Cause), true
	case e.LambdaFunctionFailedEventDetails != nil:
		return aws.ToString(e.LambdaFunctionFailedEventDetails.Error), aws.ToString(e.LambdaFunctionFailedEventDetails.Cause), true
	case e.LambdaFunctionTimedOutEventDetails != nil:
		return aws.ToString(e.LambdaFunctionTimedOutEventDetails.Error), aws.ToString(e.LambdaFunctionTimedOutEventDetails.Cause), true
	}
	return "", "", false
}

// causeLimit bounds what is told of a cause, in characters: that of a task is a
// page of JSON.
const causeLimit = 300

// oneLine makes a line of an error and its cause, which for a function is JSON
// with the message in it and for a task is the task with its stopped reason.
func oneLine(name, cause string) string {
	var told struct {
		ErrorMessage  string `json:"errorMessage"`
		StoppedReason string
		Containers    []struct {
			ExitCode *int
			Reason   string
		}
	}
	if json.Unmarshal([]byte(cause), &told) == nil {
		switch {
		case told.ErrorMessage != "":
			cause = told.ErrorMessage
		case len(told.Containers) > 0 && told.Containers[0].ExitCode != nil:
			cause = fmt.Sprintf("%s, exit code %d", told.StoppedReason, *told.Containers[0].ExitCode)
		case told.StoppedReason != "":
			cause = told.StoppedReason
		}
	}
	if len(cause) > causeLimit {
		cause = cause[:causeLimit] + "..."
	}
	if cause == "" {
		return name
	}
	return name + ": " + cause
}
