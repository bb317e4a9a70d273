package states

import (
	"context"
	"errors"
	"strings"

	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type describeExecutionInput struct {
	ARN  string `json:"executionArn" required:"true"`
	Data string `json:"includedData" enum:"ALL_DATA,METADATA_ONLY"`
}

func (i *describeExecutionInput) target() string { return i.ARN }

type included struct {
	Included bool `json:"included"`
}

type executionDescription struct {
	ARN           string        `json:"executionArn"`
	MachineARN    string        `json:"stateMachineArn"`
	Name          string        `json:"name"`
	Status        interp.Status `json:"status"`
	Start         wire.Time     `json:"startDate"`
	Stop          *wire.Time    `json:"stopDate,omitempty"`
	Input         *string       `json:"input,omitempty"`
	InputDetails  *included     `json:"inputDetails,omitempty"`
	Output        *string       `json:"output,omitempty"`
	OutputDetails *included     `json:"outputDetails,omitempty"`
	TraceHeader   string        `json:"traceHeader,omitempty"`
	MapRun        string        `json:"mapRunArn,omitempty"`
	Version       string        `json:"stateMachineVersionArn,omitempty"`
	Alias         string        `json:"stateMachineAliasArn,omitempty"`
	Error         string        `json:"error,omitempty"`
	Cause         string        `json:"cause,omitempty"`
	RedriveCount  int           `json:"redriveCount"`
	RedriveDate   *wire.Time    `json:"redriveDate,omitempty"`
	RedriveStatus string        `json:"redriveStatus"`
	RedriveReason string        `json:"redriveStatusReason,omitempty"`
}

func (s *Service) describeExecution(_ context.Context, _ *wire.Call, in *describeExecutionInput) (*executionDescription, error) {
	e, err := s.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	d := &executionDescription{ARN: e.arn(), MachineARN: e.machineARN(), Name: e.Name, Status: e.Status, Start: wire.TimeOf(e.Start), TraceHeader: e.TraceHeader, MapRun: e.MapRun,
		Version: e.Version, Alias: e.Alias, Error: e.Error, Cause: e.Cause, RedriveCount: e.Redrives, RedriveDate: redriveDate(e)}
	d.RedriveStatus, d.RedriveReason = e.redrivable()
	if e.Status != runningStatus {
		stop := wire.TimeOf(e.Stop)
		d.Stop = &stop
	}
	if in.Data == "METADATA_ONLY" {
		return d, nil
	}
	d.Input, d.InputDetails = &e.Input, &included{true}
	if e.Status == interp.Succeeded {
		d.Output, d.OutputDetails = &e.Output, &included{true}
	}
	return d, nil
}

func redriveDate(e execution) *wire.Time {
	if e.Redrives == 0 {
		return nil
	}
	t := wire.TimeOf(e.Redriven)
	return &t
}

func (s *Service) execution(arn string) (e execution, err error) {
	key, err := executionKey(arn)
	if err != nil {
		return e, err
	}
	if strings.Contains(key, "/") { // a child's record is the journal's to write
		if err := s.journal.flush(); err != nil {
			return e, err
		}
	}
	err = s.store.View(func(tx state.Tx) error {
		e, err = executions.Get(tx, key)
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		err = noExecution(arn)
	}
	return e, err
}

type listExecutionsInput struct {
	ARN     string `json:"stateMachineArn"`
	Status  string `json:"statusFilter" enum:"SUCCEEDED,TIMED_OUT,PENDING_REDRIVE,ABORTED,FAILED,RUNNING"`
	MapRun  string `json:"mapRunArn"`
	Redrive string `json:"redriveFilter" enum:"REDRIVEN,NOT_REDRIVEN"`
	Max     int    `json:"maxResults" min:"0" max:"1000"`
	Token   string `json:"nextToken" max:"3096"`
}

func (i *listExecutionsInput) target() string { return i.ARN + i.MapRun }

type executionItem struct {
	ARN          string        `json:"executionArn"`
	MachineARN   string        `json:"stateMachineArn"`
	MapRun       string        `json:"mapRunArn,omitempty"`
	Name         string        `json:"name"`
	Status       interp.Status `json:"status"`
	Start        wire.Time     `json:"startDate"`
	Stop         *wire.Time    `json:"stopDate,omitempty"`
	Version      string        `json:"stateMachineVersionArn,omitempty"`
	Alias        string        `json:"stateMachineAliasArn,omitempty"`
	RedriveCount int           `json:"redriveCount"`
	RedriveDate  *wire.Time    `json:"redriveDate,omitempty"`
}

type listExecutionsOutput struct {
	Executions []executionItem `json:"executions"`
	Token      string          `json:"nextToken,omitempty"`
}

// listExecutions lists the last started first.
func (s *Service) listExecutions(ctx context.Context, _ *wire.Call, in *listExecutionsInput) (*listExecutionsOutput, error) {
	switch {
	case in.MapRun != "" && in.ARN != "":
		return nil, wire.ValidationException("Only one of stateMachineArn and mapRunArn can be given")
	case in.MapRun != "":
		return s.listChildren(ctx, in)
	}
	after, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	out := &listExecutionsOutput{Executions: []executionItem{}}
	return out, s.store.View(func(tx state.Tx) error {
		r, err := s.resolve(tx, in.ARN, first)
		if err != nil {
			return err
		}
		return pageOfExecutions(tx, state.Prefix(r.machine.key()), in, after, out)
	})
}

// covers tells whether a list shows an execution.
func (i *listExecutionsInput) covers(e execution) bool {
	_, qualifier, _ := qualifiedKey(i.ARN)
	return (i.Status == "" || string(e.Status) == i.Status) && (i.MapRun == "" || e.MapRun == i.MapRun) &&
		(i.Redrive == "" || (i.Redrive == "REDRIVEN") == (e.Redrives > 0)) && (qualifier == "" || e.Version == i.ARN || e.Alias == i.ARN)
}

func pageOfExecutions(tx state.Tx, prefix string, in *listExecutionsInput, after string, out *listExecutionsOutput) error {
	last := ""
	for raw := range order.Scan(tx, prefix, after) {
		key, err := raw.Value()
		if err != nil {
			return err
		}
		e, err := executions.Get(tx, key)
		if err != nil {
			return err
		}
		if !in.covers(e) {
			continue
		}
		if len(out.Executions) == pageSize(in.Max) {
			out.Token = pageToken(last)
			return nil
		}
		last = raw.Key()
		item := executionItem{ARN: e.arn(), MachineARN: e.machineARN(), MapRun: e.MapRun, Name: e.Name, Status: e.Status, Start: wire.TimeOf(e.Start),
			Version: e.Version, Alias: e.Alias, RedriveCount: e.Redrives, RedriveDate: redriveDate(e)}
		if e.Status != runningStatus {
			stop := wire.TimeOf(e.Stop)
			item.Stop = &stop
		}
		out.Executions = append(out.Executions, item)
	}
	return nil
}

type stopInput struct {
	ARN   string `json:"executionArn" required:"true"`
	Error string `json:"error" max:"256"`
	Cause string `json:"cause" max:"32768"`
}

func (i *stopInput) target() string { return i.ARN }

type stopOutput struct {
	Stop wire.Time `json:"stopDate"`
}

// stopExecution stops an execution and everything that it started, and returns once it has ended. One that
// has ended already keeps its end.
func (s *Service) stopExecution(ctx context.Context, _ *wire.Call, in *stopInput) (*stopOutput, error) {
	before, err := s.execution(in.ARN)
	if err == nil {
		err = stopChild(before)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	r := s.running[in.ARN]
	s.mu.Unlock()
	if r != nil {
		r.cancel(&interp.Stopped{Name: in.Error, Cause: in.Cause})
		select {
		case <-r.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	e, err := s.execution(in.ARN)
	return &stopOutput{wire.TimeOf(e.Stop)}, err
}

type forExecutionInput struct {
	ARN  string `json:"executionArn" required:"true"`
	Data string `json:"includedData" enum:"ALL_DATA,METADATA_ONLY"`
}

func (i *forExecutionInput) target() string { return i.ARN }

func (s *Service) describeForExecution(_ context.Context, _ *wire.Call, in *forExecutionInput) (*machineDescription, error) {
	e, err := s.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	var r revision
	err = s.store.View(func(tx state.Tx) error {
		r, err = revisions.Get(tx, state.Key(e.Account, e.Region, e.parentMachine(), e.Revision))
		return err
	})
	d := describe(machine{Account: e.Account, Region: e.Region, Name: e.Machine}, r)
	updated := wire.TimeOf(r.Updated)
	d.Updated, d.MapRun = &updated, e.MapRun
	if _, label, ok := strings.Cut(e.Machine, "/"); ok {
		d.Label = label
	}
	return d, err
}
