package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"engage/internal/store"
	"engage/internal/store/awserr"
)

// AthenaAPI is what a Runner calls.
type AthenaAPI interface {
	StartQueryExecution(context.Context, *athena.StartQueryExecutionInput, ...func(*athena.Options)) (*athena.StartQueryExecutionOutput, error)
	GetQueryExecution(context.Context, *athena.GetQueryExecutionInput, ...func(*athena.Options)) (*athena.GetQueryExecutionOutput, error)
	StopQueryExecution(context.Context, *athena.StopQueryExecutionInput, ...func(*athena.Options)) (*athena.StopQueryExecutionOutput, error)
	athena.GetQueryResultsAPIClient
}

// Runner runs statements in a workgroup.
type Runner struct {
	Athena    AthenaAPI
	Workgroup string
	Sleep     func(ctx context.Context, d time.Duration) error // returns early with the context's error. The default is [Sleep]
	Done      func(Done)                                       // hears of each statement that ended. The default hears nothing
}

// Done is a statement that ended.
type Done struct {
	Statement string // its name
	ID        string
	State     string
	Scanned   int64 // bytes
	Took      time.Duration
}

// Error is a statement that Athena did not finish.
type Error struct {
	Statement, ID, State, Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("statement %s %s (query %s): %s", e.Statement, strings.ToLower(e.State), e.ID, e.Reason)
}

// Is reports a refusal, of which Athena tells in words only.
func (e *Error) Is(target error) bool {
	return target == store.ErrDenied && denied(e.Reason)
}

// denials are the words with which S3, Glue and KMS refuse, within the reason of a failed query.
var denials = []string{"access denied", "accessdenied", "is not authorized to", "insufficient permissions", "permission denied"}

func denied(reason string) bool {
	lower := strings.ToLower(reason)
	for _, words := range denials {
		if strings.Contains(lower, words) {
			return true
		}
	}
	return false
}

// The pauses between two looks at a running statement.
const (
	firstPause  = 20 * time.Millisecond
	longestWait = 2 * time.Second
)

// stopPatience bounds the call that stops a statement nobody waits for any more.
const stopPatience = 5 * time.Second

// Sleep waits for d or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Exec runs a statement to its end. When ctx ends first, the statement is stopped.
// Errors: *Error, store.ErrDenied, the context's.
func (r *Runner) Exec(ctx context.Context, s Statement) (Done, error) {
	out, err := r.Athena.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{QueryString: &s.SQL, WorkGroup: &r.Workgroup})
	if err != nil {
		return Done{}, fmt.Errorf("start statement %s: %w", s.Name, awserr.Of(err))
	}
	x, err := r.wait(ctx, aws.ToString(out.QueryExecutionId))
	if err != nil {
		return Done{}, fmt.Errorf("wait for statement %s: %w", s.Name, err)
	}
	done := doneOf(s, x)
	if r.Done != nil {
		r.Done(done)
	}
	if x.Status.State != types.QueryExecutionStateSucceeded {
		return done, &Error{Statement: s.Name, ID: done.ID, State: done.State, Reason: strings.Join(strings.Fields(aws.ToString(x.Status.StateChangeReason)), " ")}
	}
	return done, nil
}

func doneOf(s Statement, x *types.QueryExecution) Done {
	d := Done{Statement: s.Name, ID: aws.ToString(x.QueryExecutionId), State: string(x.Status.State)}
	if x.Statistics != nil {
		d.Scanned = aws.ToInt64(x.Statistics.DataScannedInBytes)
		d.Took = time.Duration(aws.ToInt64(x.Statistics.TotalExecutionTimeInMillis)) * time.Millisecond
	}
	return d
}

// wait looks at a statement, ever less often, until it has ended.
func (r *Runner) wait(ctx context.Context, id string) (*types.QueryExecution, error) {
	sleep := r.Sleep
	if sleep == nil {
		sleep = Sleep
	}
	for pause := firstPause; ; pause = min(pause*3/2, longestWait) {
		out, err := r.Athena.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: &id})
		if err == nil {
			switch out.QueryExecution.Status.State {
			case types.QueryExecutionStateSucceeded, types.QueryExecutionStateFailed, types.QueryExecutionStateCancelled:
				return out.QueryExecution, nil
			}
			err = sleep(ctx, pause)
		}
		if err != nil {
			return nil, errors.Join(awserr.Of(err), r.stop(ctx, id))
		}
	}
}

// stop ends a statement that nobody waits for any more.
func (r *Runner) stop(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if _, err := r.Athena.StopQueryExecution(ctx, &athena.StopQueryExecutionInput{QueryExecutionId: &id}); err != nil {
		return fmt.Errorf("stop it: %w", awserr.Of(err))
	}
	return nil
}

// Rows runs a SELECT and returns its rows.
func (r *Runner) Rows(ctx context.Context, s Statement) ([]Row, error) {
	done, err := r.Exec(ctx, s)
	if err != nil {
		return nil, err
	}
	var names []string
	var rows []Row
	pages := athena.NewGetQueryResultsPaginator(r.Athena, &athena.GetQueryResultsInput{QueryExecutionId: &done.ID, MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the result of statement %s: %w", s.Name, awserr.Of(err))
		}
		for _, cells := range page.ResultSet.Rows {
			if names == nil { // the first row of a SELECT's result names the columns
				names = header(cells)
				continue
			}
			rows = append(rows, rowOf(names, cells))
		}
	}
	return rows, nil
}

// One runs a SELECT that has exactly one row.
func (r *Runner) One(ctx context.Context, s Statement) (Row, error) {
	rows, err := r.Rows(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("statement %s has %d rows, want 1", s.Name, len(rows))
	}
	return rows[0], nil
}

func header(r types.Row) []string {
	names := make([]string, len(r.Data))
	for i, d := range r.Data {
		names[i] = aws.ToString(d.VarCharValue)
	}
	return names
}

func rowOf(names []string, r types.Row) Row {
	row := make(Row, len(names))
	for i, d := range r.Data {
		if d.VarCharValue != nil {
			row[names[i]] = *d.VarCharValue
		}
	}
	return row
}
