package states_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/states"
	"engage/internal/localaws/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"
)

const role = "arn:aws:iam::000000000000:role/machine"

// endpoint is a served Step Functions over a state directory.
type endpoint struct {
	t      *testing.T
	sfn    *sfn.Client
	states *states.Service
	server *server.Server
	store  *state.Store
	once   sync.Once
}

func boot(t *testing.T, dir string, change func(*states.Config)) *endpoint {
	t.Helper()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	cfg := states.Config{Store: store, Meter: srv.Meter(), Invoker: srv}
	if change != nil {
		change(&cfg)
	}
	svc, err := states.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv.Register(svc.Service())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := &endpoint{t: t, states: svc, server: srv, store: store}
	e.sfn = sfn.New(sfn.Options{Region: "us-east-1", BaseEndpoint: aws.String(srv.URL()), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), RetryMaxAttempts: 1})
	t.Cleanup(e.close)
	return e
}

func (e *endpoint) close() {
	e.once.Do(func() {
		for _, err := range []error{e.states.Close(), e.server.Shutdown(context.Background()), e.store.Close()} {
			if err != nil {
				e.t.Error(err)
			}
		}
	})
}

func (e *endpoint) create(name, definition string) *string {
	e.t.Helper()
	out, err := e.sfn.CreateStateMachine(e.t.Context(), &sfn.CreateStateMachineInput{Name: &name, Definition: &definition, RoleArn: aws.String(role)})
	if err != nil {
		e.t.Fatal(err)
	}
	return out.StateMachineArn
}

func (e *endpoint) start(machine *string, name, input string) *string {
	e.t.Helper()
	out, err := e.sfn.StartExecution(e.t.Context(), &sfn.StartExecutionInput{StateMachineArn: machine, Name: &name, Input: &input})
	if err != nil {
		e.t.Fatal(err)
	}
	return out.ExecutionArn
}

// end waits until an execution is not running.
func (e *endpoint) end(execution *string) *sfn.DescribeExecutionOutput {
	e.t.Helper()
	for {
		out, err := e.sfn.DescribeExecution(e.t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: execution})
		if err != nil {
			e.t.Fatal(err)
		}
		if out.Status != types.ExecutionStatusRunning {
			return out
		}
	}
}

func wantCode(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %s with %q", err, code, message)
	}
}

func single(st string) string { return `{"StartAt":"X","States":{"X":` + st + `}}` }

const (
	pass   = `{"StartAt":"X","States":{"X":{"Type":"Pass","End":true}}}`
	waits  = `{"StartAt":"X","States":{"X":{"Type":"Wait","Seconds":100000,"End":true}}}`
	called = `{"StartAt":"X","States":{"X":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"t.$":"$$.Task.Token"},"End":true}}}`
)

func TestMachineLifecycle(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	ctx := t.Context()
	arn := e.create("m", pass)
	if *arn != "arn:aws:states:us-east-1:000000000000:stateMachine:m" {
		t.Error(*arn)
	}
	if again := e.create("m", pass); *again != *arn {
		t.Error(*again)
	}
	_, err := e.sfn.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: aws.String(waits), RoleArn: aws.String(role)})
	wantCode(t, err, "StateMachineAlreadyExists", "m")
	if _, err := e.sfn.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: arn, Definition: aws.String(waits)}); err != nil {
		t.Fatal(err)
	}
	d, err := e.sfn.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: arn})
	if err != nil || *d.Definition != waits || d.Status != types.StateMachineStatusActive || d.Type != types.StateMachineTypeStandard || *d.RoleArn != role || d.CreationDate == nil || d.LoggingConfiguration.Level != types.LogLevelOff {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := e.sfn.TagResource(ctx, &sfn.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.sfn.UntagResource(ctx, &sfn.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := e.sfn.ListTagsForResource(ctx, &sfn.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "b" {
		t.Errorf("%+v %v", tags, err)
	}
	for i := range 5 {
		e.create(fmt.Sprintf("n%d", i), pass)
	}
	var names []string
	pages := sfn.NewListStateMachinesPaginator(e.sfn, &sfn.ListStateMachinesInput{MaxResults: 2})
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range p.StateMachines {
			names = append(names, *m.Name)
		}
	}
	if strings.Join(names, " ") != "m n0 n1 n2 n3 n4" {
		t.Error(names)
	}
	running := e.start(arn, "r", "{}")
	for range 2 {
		if _, err := e.sfn.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: arn}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = e.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: arn})
	wantCode(t, err, "StateMachineDeleting", "")
	if _, err := e.sfn.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: running}); err != nil && !strings.Contains(err.Error(), "ExecutionDoesNotExist") {
		t.Fatal(err)
	}
	_, err = e.sfn.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: arn})
	wantCode(t, err, "StateMachineDoesNotExist", "State Machine Does Not Exist")
}

func TestRefusals(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	create := func(in sfn.CreateStateMachineInput) error {
		in.RoleArn = aws.String(role)
		if in.Name == nil {
			in.Name = aws.String("m")
		}
		if in.Definition == nil {
			in.Definition = aws.String(pass)
		}
		_, err := e.sfn.CreateStateMachine(t.Context(), &in)
		return err
	}
	wantCode(t, create(sfn.CreateStateMachineInput{Type: types.StateMachineTypeExpress}), "NotImplemented", "type EXPRESS")
	wantCode(t, create(sfn.CreateStateMachineInput{VersionDescription: aws.String("v")}), "ValidationException", "Version description can only be set when publish is true")
	wantCode(t, create(sfn.CreateStateMachineInput{TracingConfiguration: &types.TracingConfiguration{Enabled: true}}), "NotImplemented", "tracingConfiguration")
	wantCode(t, create(sfn.CreateStateMachineInput{LoggingConfiguration: &types.LoggingConfiguration{Level: types.LogLevelAll}}), "NotImplemented", "loggingConfiguration with the level ALL")
	wantCode(t, create(sfn.CreateStateMachineInput{Name: aws.String("a b")}), "InvalidName", "a b")
	wantCode(t, create(sfn.CreateStateMachineInput{Definition: aws.String(`{"StartAt":"Y","States":{"X":{"Type":"Pass","Next":"Z"}}}`)}), "InvalidDefinition", "Missing 'Next' target: Z at /States/X/Next")
	wantCode(t, create(sfn.CreateStateMachineInput{Definition: aws.String(`{"QueryLanguage":"JSONata","StartAt":"X","States":{"X":{"Type":"Succeed"}}}`)}), "InvalidDefinition", "JSONata is not implemented")
	wantCode(t, create(sfn.CreateStateMachineInput{Definition: aws.String(single(`{"Type":"Task","Resource":"arn:aws:states:::glue:startJobRun.sync","Parameters":{},"End":true}`))}), "InvalidDefinition", "the integration 'glue:startJobRun.sync' is not implemented")
	_, err := e.sfn.UpdateMapRun(t.Context(), &sfn.UpdateMapRunInput{MapRunArn: aws.String("arn:aws:states:us-east-1:000000000000:mapRun:m/x:y")})
	wantCode(t, err, "NotImplemented", "UpdateMapRun")
	v, err := e.sfn.ValidateStateMachineDefinition(t.Context(), &sfn.ValidateStateMachineDefinitionInput{Definition: aws.String(single(`{"Type":"Pass","Bad":1}`))})
	if err != nil || v.Result != types.ValidateStateMachineDefinitionResultCodeFail || len(v.Diagnostics) != 2 || *v.Diagnostics[0].Location != "/States/X" {
		t.Errorf("%+v %v", v, err)
	}
	v, err = e.sfn.ValidateStateMachineDefinition(t.Context(), &sfn.ValidateStateMachineDefinitionInput{Definition: aws.String(pass)})
	if err != nil || v.Result != types.ValidateStateMachineDefinitionResultCodeOk {
		t.Errorf("%+v %v", v, err)
	}
}

func TestExecutions(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	ctx := t.Context()
	arn := e.create("m", pass)
	x := e.start(arn, "one", `{"z":1,"a":[1.0]}`)
	if *x != "arn:aws:states:us-east-1:000000000000:execution:m:one" {
		t.Error(*x)
	}
	d := e.end(x)
	if d.Status != types.ExecutionStatusSucceeded || *d.Output != `{"z":1,"a":[1.0]}` || *d.Input != `{"z":1,"a":[1.0]}` || d.StopDate == nil || !d.OutputDetails.Included {
		t.Errorf("%+v", d)
	}
	_, err := e.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: arn, Name: aws.String("one"), Input: aws.String(`{"z":1,"a":[1.0]}`)})
	wantCode(t, err, "ExecutionAlreadyExists", "one")
	_, err = e.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: arn, Input: aws.String(`{`)})
	wantCode(t, err, "InvalidExecutionInput", "")
	_, err = e.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(*arn + "x")})
	wantCode(t, err, "StateMachineDoesNotExist", "")
	_, err = e.sfn.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: x})
	wantCode(t, err, "InvalidArn", "")
	_, err = e.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(*x + "x")})
	wantCode(t, err, "ExecutionDoesNotExist", "")
	for i := range 6 {
		e.end(e.start(arn, fmt.Sprintf("x%d", i), `{}`))
	}
	var names []string
	pages := sfn.NewListExecutionsPaginator(e.sfn, &sfn.ListExecutionsInput{StateMachineArn: arn, MaxResults: 4, StatusFilter: types.ExecutionStatusSucceeded})
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range p.Executions {
			names = append(names, *x.Name)
		}
	}
	if strings.Join(names, " ") != "x5 x4 x3 x2 x1 x0 one" {
		t.Error(names)
	}
	if l, err := e.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: arn, StatusFilter: types.ExecutionStatusFailed}); err != nil || len(l.Executions) != 0 {
		t.Errorf("%+v %v", l, err)
	}
	m, err := e.sfn.DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: x})
	if err != nil || *m.Definition != pass || *m.Name != "m" {
		t.Errorf("%+v %v", m, err)
	}
	total := 0.0
	for _, q := range e.server.Usage().Read(server.Query{}) {
		if q.Usage == "StateTransitions" {
			total += q.Amount
		}
	}
	if total != 7 {
		t.Errorf("%v transitions were metered, want 7", total)
	}
}

func TestHistory(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	ctx := t.Context()
	x := e.start(e.create("m", pass), "one", `{"a":1}`)
	e.end(x)
	read := func(reverse bool, size int32) string {
		var out []string
		pages := sfn.NewGetExecutionHistoryPaginator(e.sfn, &sfn.GetExecutionHistoryInput{ExecutionArn: x, ReverseOrder: reverse, MaxResults: size})
		for pages.HasMorePages() {
			p, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range p.Events {
				if ev.Timestamp == nil || time.Since(*ev.Timestamp) > time.Hour {
					t.Errorf("timestamp %v", ev.Timestamp)
				}
				out = append(out, fmt.Sprintf("%d<%d %s", ev.Id, ev.PreviousEventId, ev.Type))
			}
		}
		return strings.Join(out, " ")
	}
	const want = "1<0 ExecutionStarted 2<0 PassStateEntered 3<2 PassStateExited 4<3 ExecutionSucceeded"
	if got := read(false, 3); got != want {
		t.Error(got)
	}
	if got := read(true, 1); got != "4<3 ExecutionSucceeded 3<2 PassStateExited 2<0 PassStateEntered 1<0 ExecutionStarted" {
		t.Error(got)
	}
	h, err := e.sfn.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: x})
	if err != nil || *h.Events[0].ExecutionStartedEventDetails.RoleArn != role || *h.Events[1].StateEnteredEventDetails.Input != `{"a":1}` || *h.Events[2].StateExitedEventDetails.Name != "X" || *h.Events[3].ExecutionSucceededEventDetails.Output != `{"a":1}` {
		t.Errorf("%+v %v", h, err)
	}
}

func TestStopExecution(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	child := e.create("child", waits)
	parent := e.create("parent", single(`{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"`+*child+`","Name":"c"},"End":true}`))
	x := e.start(parent, "p", "{}")
	if again := e.start(parent, "p", "{}"); *again != *x {
		t.Error("a repeated start began another execution")
	}
	kid := aws.String("arn:aws:states:us-east-1:000000000000:execution:child:c")
	for {
		if _, err := e.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: kid}); err == nil {
			break
		}
	}
	if _, err := e.sfn.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: x, Error: aws.String("Mine"), Cause: aws.String("enough")}); err != nil {
		t.Fatal(err)
	}
	if d := e.end(x); d.Status != types.ExecutionStatusAborted || *d.Error != "Mine" || *d.Cause != "enough" {
		t.Errorf("%+v", d)
	}
	if d := e.end(kid); d.Status != types.ExecutionStatusAborted {
		t.Errorf("%+v", d)
	}
}

func TestNestedExecutions(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	child := e.create("child", `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.bad","IsPresent":true,"Next":"F"}],"Default":"S"},"F":{"Type":"Fail","Error":"E","Cause":"C"},"S":{"Type":"Succeed"}}}`)
	run := func(pattern, input string) *sfn.DescribeExecutionOutput {
		name := strings.NewReplacer(":", "-", ".", "-").Replace("p" + pattern)
		m := e.create(name, single(`{"Type":"Task","Resource":"arn:aws:states:::states:startExecution`+pattern+`","Parameters":{"StateMachineArn":"`+*child+`","Input.$":"$"},"End":true}`))
		return e.end(e.start(m, "x"+fmt.Sprint(len(input)), input))
	}
	var out map[string]any
	if d := run(".sync:2", `{"v":1}`); json.Unmarshal([]byte(*d.Output), &out) != nil || out["Output"].(map[string]any)["v"] != 1.0 || out["Status"] != "SUCCEEDED" {
		t.Errorf("%+v", d)
	}
	out = nil
	if d := run(".sync", `{"v":1}`); json.Unmarshal([]byte(*d.Output), &out) != nil || out["Output"] != `{"v":1}` {
		t.Errorf("%+v", d)
	}
	out = nil
	if d := run("", `{"v":1}`); json.Unmarshal([]byte(*d.Output), &out) != nil || !strings.Contains(out["ExecutionArn"].(string), ":child:") {
		t.Errorf("%+v", d)
	}
	if d := run(".sync:2", `{"bad":1}`); d.Status != types.ExecutionStatusFailed || *d.Error != "States.TaskFailed" || !strings.Contains(*d.Cause, `"Error":"E"`) {
		t.Errorf("%+v", d)
	}
}

func TestTaskTokens(t *testing.T) {
	tokens := make(chan string, 2)
	e := boot(t, t.TempDir(), func(c *states.Config) {
		c.Integrations = map[string]states.Executor{"sqs:sendMessage.waitForTaskToken": states.ExecutorFunc(func(_ context.Context, task states.Task) (any, error) {
			if task.Caller.RoleARN != role {
				t.Errorf("the task acts as %+v", task.Caller)
			}
			tokens <- task.Token
			return value.Of("MessageId", "1"), nil
		})}
	})
	ctx := t.Context()
	m := e.create("m", called)
	x := e.start(m, "a", "{}")
	token := <-tokens
	_, err := e.sfn.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: aws.String("nope"), Output: aws.String("{}")})
	wantCode(t, err, "InvalidToken", "")
	_, err = e.sfn.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String("{")})
	wantCode(t, err, "InvalidOutput", "")
	if _, err := e.sfn.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: &token}); err != nil {
		t.Error(err)
	}
	if _, err := e.sfn.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String(`{"ok":1}`)}); err != nil {
		t.Error(err)
	}
	if d := e.end(x); *d.Output != `{"ok":1}` {
		t.Errorf("%+v", d)
	}
	_, err = e.sfn.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: &token})
	wantCode(t, err, "TaskTimedOut", "")
	x = e.start(m, "b", "{}")
	token = <-tokens
	if _, err := e.sfn.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{TaskToken: &token, Error: aws.String("E"), Cause: aws.String("C")}); err != nil {
		t.Error(err)
	}
	if d := e.end(x); d.Status != types.ExecutionStatusFailed || *d.Error != "E" || *d.Cause != "C" {
		t.Errorf("%+v", d)
	}
}

// What was running when the process ended has failed, with a cause that says so; what had ended is as it was.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	e := boot(t, dir, nil)
	m, done := e.create("m", waits), e.create("d", pass)
	finished := e.start(done, "done", `{"k":1}`)
	e.end(finished)
	x := e.start(m, "x", `{"k":2}`)
	e.close()
	e = boot(t, dir, nil)
	if d := e.end(finished); d.Status != types.ExecutionStatusSucceeded || *d.Output != `{"k":1}` {
		t.Errorf("%+v", d)
	}
	d := e.end(x)
	if d.Status != types.ExecutionStatusFailed || *d.Error != "States.Runtime" || !strings.Contains(*d.Cause, "restarted while the execution was running") || *d.Input != `{"k":2}` {
		t.Errorf("%+v", d)
	}
	h, err := e.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: x, ReverseOrder: true, MaxResults: 1})
	if err != nil || h.Events[0].Type != types.HistoryEventTypeExecutionFailed {
		t.Errorf("%+v %v", h, err)
	}
}

// A machine that was deleted while a distributed Map ran is gone after a restart, children and all.
func TestRestartOfADeletedMachine(t *testing.T) {
	dir := t.TempDir()
	e := boot(t, dir, nil)
	ctx := t.Context()
	m := e.create("m", single(`{"Type":"Map","Label":"L","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":9999,"End":true}}}}`))
	x := e.start(m, "x", "[1,2]")
	for {
		l, err := e.sfn.ListMapRuns(ctx, &sfn.ListMapRunsInput{ExecutionArn: x})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.MapRuns) == 0 {
			continue
		}
		c, err := e.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{MapRunArn: l.MapRuns[0].MapRunArn, StatusFilter: types.ExecutionStatusRunning})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Executions) == 2 {
			_, err := e.sfn.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: c.Executions[0].ExecutionArn})
			wantCode(t, err, "NotImplemented", "child execution")
			break
		}
	}
	if _, err := e.sfn.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: m}); err != nil {
		t.Fatal(err)
	}
	e.close()
	e = boot(t, dir, nil)
	_, err := e.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: x})
	wantCode(t, err, "ExecutionDoesNotExist", "")
	_, err = e.sfn.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: m})
	wantCode(t, err, "StateMachineDoesNotExist", "")
}

func TestMapRuns(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	ctx := t.Context()
	x := e.start(e.create("m", single(`{"Type":"Map","Label":"L","End":true,"ToleratedFailureCount":1,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"C","States":{
		"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"F"}],"Default":"S"},"F":{"Type":"Fail"},"S":{"Type":"Succeed"}}}}`)), "x", "[1,2,3]")
	if d := e.end(x); *d.Output != "[1,3]" {
		t.Errorf("%+v", d)
	}
	l, err := e.sfn.ListMapRuns(ctx, &sfn.ListMapRunsInput{ExecutionArn: x})
	if err != nil || len(l.MapRuns) != 1 {
		t.Fatalf("%+v %v", l, err)
	}
	r, err := e.sfn.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: l.MapRuns[0].MapRunArn})
	if err != nil || r.Status != types.MapRunStatusSucceeded || r.ItemCounts.Total != 3 || r.ItemCounts.Succeeded != 2 || r.ItemCounts.Failed != 1 || *r.ExecutionArn != *x {
		t.Errorf("%+v %v", r, err)
	}
	children, err := e.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{MapRunArn: r.MapRunArn})
	if err != nil || len(children.Executions) != 3 || *children.Executions[0].StateMachineArn != "arn:aws:states:us-east-1:000000000000:stateMachine:m/L" {
		t.Fatalf("%+v %v", children, err)
	}
	bad, err := e.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{MapRunArn: r.MapRunArn, StatusFilter: types.ExecutionStatusFailed})
	if err != nil || len(bad.Executions) != 1 {
		t.Fatalf("%+v %v", bad, err)
	}
	if d := e.end(bad.Executions[0].ExecutionArn); *d.Input != "2" || *d.MapRunArn != *r.MapRunArn {
		t.Errorf("%+v", d)
	}
	h, err := e.sfn.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: bad.Executions[0].ExecutionArn})
	if err != nil || len(h.Events) != 5 || h.Events[4].Type != types.HistoryEventTypeExecutionFailed {
		t.Errorf("%+v %v", h, err)
	}
	_, err = e.sfn.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: aws.String(*l.MapRuns[0].MapRunArn + "x")})
	wantCode(t, err, "ResourceNotFound", "")
}

func TestRoleThatCannotBeAssumed(t *testing.T) {
	e := boot(t, t.TempDir(), func(c *states.Config) {
		c.AssumeRole = func(context.Context, string, string, wire.Caller) (wire.Caller, error) {
			return wire.Caller{}, errors.New("no such role")
		}
	})
	d := e.end(e.start(e.create("m", pass), "x", "{}"))
	if d.Status != types.ExecutionStatusFailed || !strings.Contains(*d.Cause, "no such role") {
		t.Errorf("%+v", d)
	}
}
