package query

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"engage/internal/store"
)

// scripted is Athena that answers as told.
type scripted struct {
	states  []types.QueryExecutionState // one a look; the last stays
	reason  string
	pages   [][]types.Row
	started []string
	stopped int
	looks   int
}

func (s *scripted) StartQueryExecution(_ context.Context, in *athena.StartQueryExecutionInput, _ ...func(*athena.Options)) (*athena.StartQueryExecutionOutput, error) {
	s.started = append(s.started, *in.WorkGroup+": "+*in.QueryString)
	return &athena.StartQueryExecutionOutput{QueryExecutionId: aws.String("q")}, nil
}

func (s *scripted) GetQueryExecution(ctx context.Context, _ *athena.GetQueryExecutionInput, _ ...func(*athena.Options)) (*athena.GetQueryExecutionOutput, error) {
	state := s.states[min(s.looks, len(s.states)-1)]
	s.looks++
	return &athena.GetQueryExecutionOutput{QueryExecution: &types.QueryExecution{QueryExecutionId: aws.String("q"),
		Status:     &types.QueryExecutionStatus{State: state, StateChangeReason: &s.reason},
		Statistics: &types.QueryExecutionStatistics{DataScannedInBytes: aws.Int64(10), TotalExecutionTimeInMillis: aws.Int64(20)}}}, ctx.Err()
}

func (s *scripted) StopQueryExecution(ctx context.Context, _ *athena.StopQueryExecutionInput, _ ...func(*athena.Options)) (*athena.StopQueryExecutionOutput, error) {
	s.stopped++
	return &athena.StopQueryExecutionOutput{}, ctx.Err()
}

func (s *scripted) GetQueryResults(_ context.Context, in *athena.GetQueryResultsInput, _ ...func(*athena.Options)) (*athena.GetQueryResultsOutput, error) {
	page := len(aws.ToString(in.NextToken))
	out := &athena.GetQueryResultsOutput{ResultSet: &types.ResultSet{Rows: s.pages[page]}}
	if page+1 < len(s.pages) {
		out.NextToken = aws.String(strings.Repeat("x", page+1))
	}
	return out, nil
}

func cells(values ...string) types.Row {
	var r types.Row
	for _, v := range values {
		d := types.Datum{VarCharValue: aws.String(v)}
		if v == "NULL" {
			d.VarCharValue = nil
		}
		r.Data = append(r.Data, d)
	}
	return r
}

const (
	queued    = types.QueryExecutionStateQueued
	running   = types.QueryExecutionStateRunning
	succeeded = types.QueryExecutionStateSucceeded
	failed    = types.QueryExecutionStateFailed
)

// The pauses grow to their bound and no further.
func TestRunnerBacksOff(t *testing.T) {
	api := &scripted{states: append([]types.QueryExecutionState{queued}, append(slices.Repeat([]types.QueryExecutionState{running}, 20), succeeded)...)}
	var pauses []time.Duration
	var ended []Done
	r := &Runner{Athena: api, Workgroup: "wg", Sleep: func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil },
		Done: func(d Done) { ended = append(ended, d) }}
	done, err := r.Exec(t.Context(), Statement{"s", "SELECT 1"})
	if err != nil || done.Scanned != 10 || done.Took != 20*time.Millisecond || len(ended) != 1 || api.started[0] != "wg: SELECT 1" {
		t.Errorf("%+v, %v, %v", done, err, api.started)
	}
	if len(pauses) != 21 || pauses[0] != firstPause || pauses[20] != longestWait || !slices.IsSorted(pauses) {
		t.Errorf("%v", pauses)
	}
}

// A statement that nobody waits for is stopped, though the context has ended.
func TestRunnerStopsWhatIsGivenUp(t *testing.T) {
	api := &scripted{states: []types.QueryExecutionState{running}}
	ctx, cancel := context.WithCancel(t.Context())
	r := &Runner{Athena: api, Sleep: func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }}
	_, err := r.Exec(ctx, Statement{"s", "SELECT 1"})
	if !errors.Is(err, context.Canceled) || api.stopped != 1 || !strings.Contains(err.Error(), "statement s") || strings.Contains(err.Error(), "stop it") {
		t.Errorf("%v, %d stopped", err, api.stopped)
	}
}

func TestRunnerTellsRefusalFromFailure(t *testing.T) {
	for reason, isDenied := range map[string]bool{
		"User: x is not authorized to perform: glue:GetTable": true, "Access Denied (Service: Amazon S3; Status Code: 403)": true,
		"COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved": false, "HIVE_BAD_DATA: ...": false,
	} {
		_, err := (&Runner{Athena: &scripted{states: []types.QueryExecutionState{failed}, reason: reason}}).Exec(t.Context(), Statement{"s", "x"})
		var own *Error
		if !errors.As(err, &own) || own.Reason != reason || errors.Is(err, store.ErrDenied) != isDenied {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

func TestRowsOfPages(t *testing.T) {
	api := &scripted{states: []types.QueryExecutionState{succeeded}, pages: [][]types.Row{{cells("a", "b"), cells("1", "NULL")}, {cells("a", "x")}}}
	rows, err := (&Runner{Athena: api}).Rows(t.Context(), Statement{"s", "x"})
	if err != nil || len(rows) != 2 || rows[0]["a"] != "1" || rows[1]["b"] != "x" {
		t.Fatalf("%v, %v", rows, err)
	}
	if _, null := rows[0]["b"]; null {
		t.Error("NULL is in the row")
	}
	if _, err := (&Runner{Athena: api}).One(t.Context(), Statement{"s", "x"}); err == nil {
		t.Error("two rows are one")
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := Sleep(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

// one answers each statement with a value for each measure.
type one struct{}

func (one) One(_ context.Context, s Statement) (Row, error) {
	r := Row{}
	for part := range strings.SplitSeq(s.SQL, " AS ") {
		if name, _, ok := strings.Cut(strings.TrimPrefix(part, `"`), `"`); ok && strings.HasPrefix(part, `"m`) {
			r[name] = "1"
		}
	}
	return r, nil
}

func TestMeasuresAreTakenInBatches(t *testing.T) {
	var list []Measure
	for i := range measuresAtOnce*2 + 1 {
		list = append(list, Measure{"m" + Int(i).String(), CountRows()})
	}
	row, err := Measures(t.Context(), one{}, "m", Relation{"d", "t"}, list)
	if err != nil || len(row) != len(list) {
		t.Errorf("%d of %d values, %v", len(row), len(list), err)
	}
	if row, err := Measures(t.Context(), one{}, "m", Relation{"d", "t"}, nil); err != nil || len(row) != 0 {
		t.Error(row, err)
	}
}
