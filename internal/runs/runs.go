// Package runs starts, follows and stops runs of the pipeline: executions of the
// state machine engagement-ml-pipeline, wherever it is deployed.
package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"engage/internal/pipeline"
	"engage/internal/resource"
)

// Machine is what of Step Functions a client needs.
type Machine interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
	ListExecutions(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error)
	StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
}

// Client runs the pipeline of one environment.
type Client struct {
	Machine     Machine
	Environment resource.Environment
	// Wait blocks until it is time to look again, or the context ends.
	Wait func(context.Context) error
}

// BusyError says that a run is going on already: runs write to the same places,
// so there is one at a time.
type BusyError struct{ Run resource.RunID }

func (e *BusyError) Error() string {
	return fmt.Sprintf("run %s is going on, and runs write to the same tables; wait for it, or stop it with \"engage pipeline stop %s\"", e.Run, e.Run)
}

// NotFoundError says that there is no such run.
type NotFoundError struct{ Run resource.RunID }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no run %s; \"engage pipeline history\" lists them", e.Run)
}

func (c Client) machine() *string {
	return aws.String(string(c.Environment.StateMachineARN(resource.MLPipeline)))
}

func (c Client) execution(run resource.RunID) *string {
	e := c.Environment
	return aws.String(fmt.Sprintf("arn:%s:states:%s:%s:execution:%s:%s", e.Partition(), e.Region, e.Account, resource.MLPipeline, run))
}

// Start starts a run. The machine's own first state holds the lock that keeps
// runs apart; looking first only spares a run that would fail there. Errors:
// *BusyError, *pipeline.InputError.
func (c Client) Start(ctx context.Context, run resource.RunID, in pipeline.Input) error {
	told := pipeline.Run{RunID: string(run), Mode: in.Mode, Dataset: in.Dataset, ModelVersion: in.ModelVersion, Seed: in.Seed}
	if _, err := told.Check(); err != nil {
		return err
	}
	going, err := c.List(ctx, types.ExecutionStatusRunning, 1)
	if err != nil {
		return err
	}
	if len(going) > 0 {
		return &BusyError{Run: going[0].Run}
	}
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	_, err = c.Machine.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: c.machine(), Name: aws.String(string(run)), Input: aws.String(string(text))})
	var missing *types.StateMachineDoesNotExist
	if errors.As(err, &missing) {
		return fmt.Errorf("the stack has no state machine %s; make it with \"task up\"", resource.MLPipeline)
	}
	if err != nil {
		return fmt.Errorf("start run %s: %w", run, err)
	}
	return nil
}

// Summary is a run in a list.
type Summary struct {
	Run     resource.RunID `json:"run"`
	Status  string         `json:"status"`
	Started time.Time      `json:"started"`
	Stopped *time.Time     `json:"stopped,omitempty"`
}

// List returns the latest runs first, those of a status if one is given, most
// of limit.
func (c Client) List(ctx context.Context, status types.ExecutionStatus, limit int32) ([]Summary, error) {
	out, err := c.Machine.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: c.machine(), StatusFilter: status, MaxResults: limit})
	var missing *types.StateMachineDoesNotExist
	if errors.As(err, &missing) {
		return nil, fmt.Errorf("the stack has no state machine %s; make it with \"task up\"", resource.MLPipeline)
	}
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	list := make([]Summary, len(out.Executions))
	for i, e := range out.Executions {
		list[i] = Summary{Run: resource.RunID(aws.ToString(e.Name)), Status: string(e.Status), Started: aws.ToTime(e.StartDate), Stopped: e.StopDate}
	}
	return list, nil
}

// Stop ends a run and what it started, and waits until it has ended. Errors:
// *NotFoundError.
func (c Client) Stop(ctx context.Context, run resource.RunID, why string) error {
	_, err := c.Machine.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: c.execution(run), Error: aws.String("Stopped"), Cause: &why})
	if err := c.found(run, err); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// found turns AWS's answer that there is no such execution into ours.
func (c Client) found(run resource.RunID, err error) error {
	var missing *types.ExecutionDoesNotExist
	if errors.As(err, &missing) {
		return &NotFoundError{Run: run}
	}
	return err
}
