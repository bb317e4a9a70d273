package states_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/states"
	"engage/internal/localaws/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// crashDir makes this test binary the process that is killed: it starts executions in that
// directory and prints each once it is acknowledged.
const crashDir = "STATES_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := work(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// work starts executions for ever: every second one ends at once, the others wait.
func work(dir string) error {
	store, err := state.Open(dir)
	if err != nil {
		return err
	}
	svc, err := states.New(states.Config{Store: store})
	if err != nil {
		return err
	}
	call := func(operation string, members map[string]any) error {
		op := svc.Service().Operation(operation)
		in, err := op.Adopt(members)
		if err != nil {
			return err
		}
		_, err = op.Handle(context.Background(), &wire.Call{Service: svc.Service(), Operation: operation, Caller: wire.Root(wire.DefaultAccount, wire.DefaultRegion)}, in)
		return err
	}
	for name, definition := range map[string]string{"pass": pass, "wait": waits} {
		if err := call("CreateStateMachine", map[string]any{"name": name, "definition": definition, "roleArn": role}); err != nil {
			return err
		}
	}
	for i := 0; ; i++ {
		name := []string{"pass", "wait"}[i%2]
		if err := call("StartExecution", map[string]any{"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:" + name, "name": fmt.Sprint("x", i), "input": fmt.Sprintf(`{"i":%d}`, i)}); err != nil {
			return err
		}
		fmt.Printf("%s:x%d\n", name, i)
	}
}

// After a kill at any moment every acknowledged execution is there, and none is left running.
func TestKill(t *testing.T) {
	rounds := 5
	if testing.Short() {
		rounds = 1
	}
	random := rand.New(rand.NewPCG(7, 7))
	for range rounds {
		dir := t.TempDir()
		acknowledged := killed(t, dir, 20+random.IntN(200))
		e := boot(t, dir, nil)
		for _, name := range acknowledged {
			verify(t, e, name)
		}
		running, err := e.sfn.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String("arn:aws:states:us-east-1:000000000000:stateMachine:wait"), StatusFilter: types.ExecutionStatusRunning})
		if err != nil || len(running.Executions) != 0 {
			t.Errorf("%+v %v", running, err)
		}
		e.close()
	}
}

// killed runs the worker until it has acknowledged n executions, kills it, and returns what it acknowledged.
func killed(t *testing.T, dir string, n int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var names []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		names = append(names, lines.Text())
		if len(names) == n {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait() // killed: its status is what was asked for
	if len(names) < n {
		t.Fatalf("the worker acknowledged %d executions, want %d", len(names), n)
	}
	return names
}

func verify(t *testing.T, e *endpoint, name string) {
	t.Helper()
	arn := "arn:aws:states:us-east-1:000000000000:execution:" + name
	d, err := e.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		t.Errorf("%s is lost: %v", name, err)
		return
	}
	interrupted := d.Status == types.ExecutionStatusFailed && strings.Contains(*d.Cause, "restarted")
	if !interrupted && (strings.HasPrefix(name, "wait") || d.Status != types.ExecutionStatusSucceeded) {
		t.Errorf("%s is %s", name, d.Status)
	}
	h, err := e.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &arn})
	if err != nil || len(h.Events) < 2 || h.Events[0].Type != types.HistoryEventTypeExecutionStarted {
		t.Errorf("%s: %+v %v", name, h, err)
		return
	}
	for i, ev := range h.Events {
		if ev.Id != int64(i+1) {
			t.Errorf("%s: event %d has id %d", name, i+1, ev.Id)
		}
	}
	last := h.Events[len(h.Events)-1].Type
	if want := map[bool]types.HistoryEventType{true: types.HistoryEventTypeExecutionFailed, false: types.HistoryEventTypeExecutionSucceeded}[interrupted]; last != want {
		t.Errorf("%s ends with %s, want %s", name, last, want)
	}
}

// BenchmarkDurable counts transitions of executions whose history is written to disk.
func BenchmarkDurable(b *testing.B) {
	store, err := state.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	svc, err := states.New(states.Config{Store: store})
	if err != nil {
		b.Fatal(err)
	}
	defer svc.Close()
	handle := func(operation string, members map[string]any) any {
		op := svc.Service().Operation(operation)
		in, err := op.Adopt(members)
		if err != nil {
			b.Fatal(err)
		}
		out, err := op.Handle(b.Context(), &wire.Call{Service: svc.Service(), Caller: wire.Root(wire.DefaultAccount, wire.DefaultRegion)}, in)
		if err != nil {
			b.Fatal(err)
		}
		return out
	}
	const length = 100
	handle("CreateStateMachine", map[string]any{"name": "m", "roleArn": role, "definition": `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n,1)"},"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":50,"Next":"A"}],"Default":"Z"},"Z":{"Type":"Succeed"}}}`})
	machine, n := "arn:aws:states:us-east-1:000000000000:stateMachine:m", 0
	for b.Loop() {
		handle("StartExecution", map[string]any{"stateMachineArn": machine, "name": fmt.Sprint(n), "input": `{"n":0}`})
		n++
	}
	for i := range n { // until the last one is durable
		for status := ""; status != "SUCCEEDED"; {
			d := handle("DescribeExecution", map[string]any{"executionArn": fmt.Sprintf("arn:aws:states:us-east-1:000000000000:execution:m:%d", i)})
			status = fmt.Sprint(states.StatusOf(d))
		}
	}
	b.ReportMetric(float64(n*(length+1))/b.Elapsed().Seconds(), "transitions/s")
}
