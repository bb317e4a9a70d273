package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/internal/runs"
)

// machine is a state machine whose executions are what a test says.
type machine struct {
	running []types.ExecutionListItem
	started *sfn.StartExecutionInput
	status  types.ExecutionStatus
	events  [][]types.HistoryEvent // a page each
	missing bool
}

func (m *machine) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	m.started = in
	return &sfn.StartExecutionOutput{}, nil
}

func (m *machine) ListExecutions(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	if m.missing {
		return nil, &types.StateMachineDoesNotExist{}
	}
	return &sfn.ListExecutionsOutput{Executions: m.running}, nil
}

func (m *machine) DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	if m.missing {
		return nil, &types.ExecutionDoesNotExist{}
	}
	return &sfn.DescribeExecutionOutput{Status: m.status, StartDate: aws.Time(second(0)), StopDate: aws.Time(second(9)), Output: aws.String(`{"ok":true}`)}, nil
}

func (m *machine) GetExecutionHistory(_ context.Context, in *sfn.GetExecutionHistoryInput, _ ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	page := 0
	if in.NextToken != nil {
		page = len(*in.NextToken)
	}
	out := &sfn.GetExecutionHistoryOutput{Events: m.events[page]}
	if page+1 < len(m.events) {
		out.NextToken = aws.String(strings.Repeat("x", page+1))
	}
	return out, nil
}

func (m *machine) StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	if m.missing {
		return nil, &types.ExecutionDoesNotExist{}
	}
	return &sfn.StopExecutionOutput{}, nil
}

func second(n int) time.Time { return time.Unix(int64(n), 0).UTC() }

func client(m runs.Machine) runs.Client {
	return runs.Client{Machine: m, Environment: resource.LocalEnvironment(), Wait: func(context.Context) error { return nil }}
}

var input = pipeline.Input{Mode: pipeline.TrainAndScore, Dataset: "set-1/", ModelVersion: "v1", Seed: 7}

func TestStart(t *testing.T) {
	m := &machine{}
	if err := client(m).Start(t.Context(), "run-1", input); err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(m.started.StateMachineArn), string(resource.LocalEnvironment().StateMachineARN(resource.MLPipeline)); got != want {
		t.Errorf("started %s, want %s", got, want)
	}
	var told pipeline.Input
	if err := json.Unmarshal([]byte(*m.started.Input), &told); err != nil || told != input {
		t.Errorf("told %+v (%v), want %+v", told, err, input)
	}
}

func TestStartRefuses(t *testing.T) {
	busy := &machine{running: []types.ExecutionListItem{{Name: aws.String("other")}}}
	var isBusy *runs.BusyError
	if err := client(busy).Start(t.Context(), "run-1", input); !errors.As(err, &isBusy) || isBusy.Run != "other" {
		t.Errorf("beside another run: %v", err)
	}
	var isInput *pipeline.InputError
	bad := pipeline.Input{Mode: "half", Dataset: "../x", ModelVersion: "one"}
	if err := client(&machine{}).Start(t.Context(), "a/b", bad); !errors.As(err, &isInput) || len(isInput.Problems) != 4 {
		t.Errorf("bad input: %v", err)
	}
	if err := client(&machine{missing: true}).Start(t.Context(), "run-1", input); err == nil || !strings.Contains(err.Error(), "task up") {
		t.Errorf("without a stack: %v", err)
	}
}

func entered(id, before int64, at int, name string) types.HistoryEvent {
	return types.HistoryEvent{
		Id: id, PreviousEventId: before, Timestamp: aws.Time(second(at)), StateEnteredEventDetails: &types.StateEnteredEventDetails{Name: &name},
	}
}

func exited(id, before int64, at int, name string) types.HistoryEvent {
	return types.HistoryEvent{
		Id: id, PreviousEventId: before, Timestamp: aws.Time(second(at)), StateExitedEventDetails: &types.StateExitedEventDetails{Name: &name},
	}
}

func failed(id, before int64, cause string) types.HistoryEvent {
	return types.HistoryEvent{
		Id: id, PreviousEventId: before, Timestamp: aws.Time(second(0)),
		TaskFailedEventDetails: &types.TaskFailedEventDetails{Error: aws.String("States.TaskFailed"), Cause: &cause},
	}
}

// Two states side by side: an event belongs to the state of the one before it,
// and a try that failed is told of the state that tried.
func TestStages(t *testing.T) {
	m := &machine{status: types.ExecutionStatusSucceeded, events: [][]types.HistoryEvent{
		{
			{Id: 1}, entered(2, 1, 1, "Both"), entered(3, 2, 1, "A"), entered(4, 2, 2, "B"),
			failed(5, 3, `{"StoppedReason":"Essential container in task exited","Containers":[{"ExitCode":137}]}`),
		},
		{exited(6, 4, 4, "B"), failed(7, 5, `{"errorMessage":"no such table"}`), exited(8, 7, 6, "A"), exited(9, 8, 7, "Both")},
	}}
	status, err := client(m).Status(t.Context(), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	at := func(n int) *time.Time { s := second(n); return &s }
	want := []runs.Stage{
		{Name: "Both", Entered: second(1), Left: at(7)},
		{Name: "A", Entered: second(1), Left: at(6), Retries: 2, Problem: "States.TaskFailed: no such table"},
		{Name: "B", Entered: second(2), Left: at(4)},
	}
	if !reflect.DeepEqual(status.Stages, want) {
		t.Errorf("stages %+v\nwant %+v", status.Stages, want)
	}
	if !status.Ended() || !status.Succeeded() || status.Stages[1].Took(second(99)) != 5*time.Second {
		t.Errorf("status %+v", status)
	}
}

func TestFollowTellsEachChangeOnce(t *testing.T) {
	m := &machine{status: types.ExecutionStatusRunning, events: [][]types.HistoryEvent{{entered(1, 0, 1, "A")}}}
	c := client(m)
	looks := 0
	c.Wait = func(context.Context) error {
		if looks++; looks == 3 {
			m.status, m.events = types.ExecutionStatusSucceeded, [][]types.HistoryEvent{{entered(1, 0, 1, "A"), exited(2, 1, 3, "A")}}
		}
		return nil
	}
	var told []int
	if _, err := c.Follow(t.Context(), "run-1", func(s runs.Status) { told = append(told, len(s.Stages)) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []int{1, 1}) {
		t.Errorf("told %d times: %v, want twice", len(told), told)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	c := client(&machine{status: types.ExecutionStatusRunning, events: [][]types.HistoryEvent{{}}})
	ctx, cancel := context.WithCancel(t.Context())
	c.Wait = func(ctx context.Context) error { cancel(); return ctx.Err() }
	if _, err := c.Follow(ctx, "run-1", func(runs.Status) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestNoSuchRun(t *testing.T) {
	c := client(&machine{missing: true})
	var missing *runs.NotFoundError
	if _, err := c.Status(t.Context(), "run-9"); !errors.As(err, &missing) {
		t.Errorf("status: %v", err)
	}
	if err := c.Stop(t.Context(), "run-9", "why"); !errors.As(err, &missing) {
		t.Errorf("stop: %v", err)
	}
}

// bucket remembers the keys that were put, in order.
type bucket struct{ keys []string }

func (b *bucket) UploadObject(_ context.Context, in *transfermanager.UploadObjectInput, _ ...func(*transfermanager.Options)) (*transfermanager.UploadObjectOutput, error) {
	b.keys = append(b.keys, *in.Bucket+"/"+*in.Key)
	return &transfermanager.UploadObjectOutput{}, nil
}

func TestUploadPutsTheManifestLast(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"customers.parquet", "dataset.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := &bucket{}
	prefix, err := client(nil).Upload(t.Context(), b, dir, "set-1", []string{"customers.parquet"}, func(string) {})
	if err != nil || prefix != "set-1/" {
		t.Fatalf("prefix %q, %v", prefix, err)
	}
	if want := []string{"engagement-data/landing/set-1/customers.parquet", "engagement-data/landing/set-1/dataset.json"}; !slices.Equal(b.keys, want) {
		t.Errorf("put %v, want %v", b.keys, want)
	}
	if _, err := client(nil).Upload(t.Context(), b, dir, "set-1", []string{"gone.parquet"}, func(string) {}); err == nil {
		t.Error("a file that is not there was uploaded")
	}
}
