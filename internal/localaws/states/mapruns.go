package states

import (
	"context"
	"strings"

	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type listMapRunsInput struct {
	ARN string `json:"executionArn" required:"true"`
	listInput
}

func (i *listMapRunsInput) target() string { return i.ARN }

type mapRunItem struct {
	ExecutionARN string     `json:"executionArn"`
	ARN          string     `json:"mapRunArn"`
	MachineARN   string     `json:"stateMachineArn"`
	Start        wire.Time  `json:"startDate"`
	Stop         *wire.Time `json:"stopDate,omitempty"`
}

type listMapRunsOutput struct {
	MapRuns []mapRunItem `json:"mapRuns"`
	Token   string       `json:"nextToken,omitempty"`
}

func stopTime(r interp.MapRun) *wire.Time {
	if r.Stop.IsZero() {
		return nil
	}
	t := wire.TimeOf(r.Stop)
	return &t
}

func (s *Service) listMapRuns(_ context.Context, _ *wire.Call, in *listMapRunsInput) (*listMapRunsOutput, error) {
	e, err := s.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	after, err := pageStart(in.Token)
	if err != nil {
		return nil, err
	}
	if err := s.journal.flush(); err != nil {
		return nil, err
	}
	out := &listMapRunsOutput{MapRuns: []mapRunItem{}}
	return out, s.store.View(func(tx state.Tx) error {
		size := pageSize(in.Max)
		found, err := mapRuns.List(tx, state.Prefix(e.key()), after, size+1)
		for i, r := range found {
			if i == size {
				out.Token = pageToken(found[i-1].Key)
				break
			}
			out.MapRuns = append(out.MapRuns, mapRunItem{r.Value.ExecutionARN, r.Value.ARN, mapRunMachine(e, r.Value.ARN), wire.TimeOf(r.Value.Start), stopTime(r.Value)})
		}
		return err
	})
}

// mapRunMachine is the ARN of the machine that a map run's children run: the parent's with the label that the run's own ARN has.
func mapRunMachine(e execution, run string) string {
	parts := strings.Split(run, ":")
	return machine{Account: e.Account, Region: e.Region, Name: parts[len(parts)-2]}.arn()
}

type mapRunRef struct {
	ARN string `json:"mapRunArn" required:"true"`
}

func (i *mapRunRef) target() string { return i.ARN }

type counts struct {
	Total               int64 `json:"total"`
	Pending             int64 `json:"pending"`
	Running             int64 `json:"running"`
	Succeeded           int64 `json:"succeeded"`
	Failed              int64 `json:"failed"`
	TimedOut            int64 `json:"timedOut"`
	Aborted             int64 `json:"aborted"`
	ResultsWritten      int64 `json:"resultsWritten"`
	FailuresNotRedrives int64 `json:"failuresNotRedrivable"`
	PendingRedrive      int64 `json:"pendingRedrive"`
}

func countsOf(c interp.Counts) counts {
	return counts{Total: c.Total, Pending: c.Pending, Running: c.Running, Succeeded: c.Succeeded, Failed: c.Failed, Aborted: c.Aborted, ResultsWritten: c.Written, FailuresNotRedrives: c.Failed}
}

type mapRunDescription struct {
	ARN          string     `json:"mapRunArn"`
	ExecutionARN string     `json:"executionArn"`
	Status       string     `json:"status"`
	Start        wire.Time  `json:"startDate"`
	Stop         *wire.Time `json:"stopDate,omitempty"`
	Concurrency  int64      `json:"maxConcurrency"`
	Share        float64    `json:"toleratedFailurePercentage"`
	Count        int64      `json:"toleratedFailureCount"`
	Items        counts     `json:"itemCounts"`
	Executions   counts     `json:"executionCounts"`
	RedriveCount int        `json:"redriveCount"`
}

func (s *Service) describeMapRun(_ context.Context, _ *wire.Call, in *mapRunRef) (*mapRunDescription, error) {
	account, region, rest, err := splitARN(in.ARN, "mapRun", 2)
	if err != nil {
		return nil, err
	}
	if err := s.journal.flush(); err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(rest[0], "/")
	r, err := s.mapRun(state.Prefix(account, region, name), in.ARN)
	if err != nil {
		return nil, err
	}
	return &mapRunDescription{ARN: r.ARN, ExecutionARN: r.ExecutionARN, Status: r.Status, Start: wire.TimeOf(r.Start), Stop: stopTime(r),
		Concurrency: r.Concurrency, Share: r.Share, Count: int64(r.Count), Items: countsOf(r.Items), Executions: countsOf(r.Executions)}, nil
}

// mapRun finds a run among those of a machine, by the end of its key.
func (s *Service) mapRun(prefix, arn string) (r interp.MapRun, err error) {
	err = s.store.View(func(tx state.Tx) error {
		for raw := range mapRuns.Scan(tx, prefix, "") {
			if strings.HasSuffix(raw.Key(), "\x00"+arn) {
				r, err = raw.Value()
				return err
			}
		}
		return wire.Errorf("ResourceNotFound", "Resource not found: '%s'", arn)
	})
	return r, err
}
