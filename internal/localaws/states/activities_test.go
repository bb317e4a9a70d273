package states_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/asl/clock"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/states"
	"engage/internal/localaws/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// kinds are the types of an execution's events with the ids of their predecessors.
func (e *endpoint) kinds(execution *string) string {
	e.t.Helper()
	out, err := e.sfn.GetExecutionHistory(e.t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: execution})
	if err != nil {
		e.t.Fatal(err)
	}
	var names []string
	for _, ev := range out.Events {
		names = append(names, string(ev.Type))
	}
	return strings.Join(names, " ")
}

func TestActivities(t *testing.T) {
	e, ctx := boot(t, t.TempDir(), nil), t.Context()
	_, err := e.sfn.CreateActivity(ctx, &sfn.CreateActivityInput{Name: aws.String("Not A Name$")})
	wantCode(t, err, "InvalidName", "Invalid Name: 'Not A Name$'")
	a, err := e.sfn.CreateActivity(ctx, &sfn.CreateActivityInput{Name: aws.String("a"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := e.sfn.CreateActivity(ctx, &sfn.CreateActivityInput{Name: aws.String("a")})
	if err != nil || *again.ActivityArn != *a.ActivityArn || !again.CreationDate.Equal(*a.CreationDate) {
		t.Errorf("%+v %v", again, err)
	}
	tags, err := e.sfn.ListTagsForResource(ctx, &sfn.ListTagsForResourceInput{ResourceArn: a.ActivityArn})
	if err != nil || len(tags.Tags) != 1 {
		t.Errorf("%+v %v", tags, err)
	}
	list, err := e.sfn.ListActivities(ctx, &sfn.ListActivitiesInput{})
	if err != nil || len(list.Activities) != 1 || *list.Activities[0].Name != "a" {
		t.Errorf("%+v %v", list, err)
	}
	m := e.create("m", single(`{"Type":"Task","Resource":"`+*a.ActivityArn+`","TimeoutSeconds":60,"HeartbeatSeconds":50,"End":true}`))
	take := func() *sfn.GetActivityTaskOutput {
		t.Helper()
		out, err := e.sfn.GetActivityTask(ctx, &sfn.GetActivityTaskInput{ActivityArn: a.ActivityArn, WorkerName: aws.String("w")})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	good := e.start(m, "good", `{"n":1}`)
	task := take()
	if *task.Input != `{"n":1}` {
		t.Errorf("input %s", *task.Input)
	}
	if _, err := e.sfn.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: task.TaskToken}); err != nil {
		t.Error(err)
	}
	if _, err := e.sfn.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: task.TaskToken, Output: aws.String(`{"m":2}`)}); err != nil {
		t.Error(err)
	}
	if d := e.end(good); *d.Output != `{"m":2}` {
		t.Errorf("%+v", d)
	}
	if got := e.kinds(good); got != "ExecutionStarted TaskStateEntered ActivityScheduled ActivityStarted ActivitySucceeded TaskStateExited ExecutionSucceeded" {
		t.Error(got)
	}
	bad := e.start(m, "bad", `{}`)
	if _, err := e.sfn.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{TaskToken: take().TaskToken, Error: aws.String("E"), Cause: aws.String("c")}); err != nil {
		t.Error(err)
	}
	if d := e.end(bad); ending(d) != "FAILED E c" {
		t.Error(ending(d))
	}
	for range 2 { // the second finds nothing
		if _, err := e.sfn.DeleteActivity(ctx, &sfn.DeleteActivityInput{ActivityArn: a.ActivityArn}); err != nil {
			t.Error(err)
		}
	}
	_, err = e.sfn.GetActivityTask(ctx, &sfn.GetActivityTaskInput{ActivityArn: a.ActivityArn})
	wantCode(t, err, "ActivityDoesNotExist", "Activity Does Not Exist: '"+*a.ActivityArn+"'")
	gone := e.start(m, "gone", `{}`)
	if d := e.end(gone); ending(d) != "FAILED States.Runtime An error occurred while executing the state 'X' (entered at the event id #2). The activity "+*a.ActivityArn+" does not exist." {
		t.Error(ending(d))
	}
	if got := e.kinds(gone); got != "ExecutionStarted TaskStateEntered ExecutionFailed" {
		t.Error(got)
	}
}

// TestActivityTimes covers what happens when nobody comes: no task within a minute, no worker within the timeout.
func TestActivityTimes(t *testing.T) {
	fake := clock.NewFake(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	e, ctx := boot(t, t.TempDir(), func(cfg *states.Config) { cfg.Clock = fake }), t.Context()
	a, err := e.sfn.CreateActivity(ctx, &sfn.CreateActivityInput{Name: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan *sfn.GetActivityTaskOutput)
	go func() {
		out, _ := e.sfn.GetActivityTask(ctx, &sfn.GetActivityTaskInput{ActivityArn: a.ActivityArn})
		answer <- out
	}()
	fake.AwaitTimers(1)
	fake.Advance(time.Minute)
	if out := <-answer; out == nil || out.TaskToken != nil {
		t.Errorf("%+v", out)
	}
	x := e.start(e.create("m", single(`{"Type":"Task","Resource":"`+*a.ActivityArn+`","TimeoutSeconds":9,"End":true}`)), "x", "{}")
	fake.AwaitTimers(1)
	fake.Advance(9 * time.Second)
	if d := e.end(x); ending(d) != "FAILED States.Timeout " {
		t.Error(ending(d))
	}
	if got := e.kinds(x); got != "ExecutionStarted TaskStateEntered ActivityScheduled ActivityTimedOut ExecutionFailed" {
		t.Error(got)
	}
}

func TestCredentials(t *testing.T) {
	const other = "arn:aws:iam::111111111111:role/other"
	task := func(credentials string) string {
		return single(`{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"MessageBody":"m"},"Credentials":` + credentials + `,"End":true}`)
	}
	refused := boot(t, t.TempDir(), func(cfg *states.Config) { cfg.Integrations = states.Integrations(&fake{}, "sqs") })
	_, err := refused.sfn.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: aws.String(task(`{"RoleArn":"` + other + `"}`)), RoleArn: aws.String(role)})
	wantCode(t, err, "InvalidDefinition", "the field Credentials is not implemented by this endpoint at /States/X/Credentials")

	for _, credentials := range []string{`{}`, `{"Role":"r"}`, `{"RoleArn":"r","More":1}`} {
		nested := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":` + task(credentials) + `,"End":true}}}`
		e := boot(t, t.TempDir(), func(cfg *states.Config) {
			cfg.Integrations = states.Integrations(&fake{}, "sqs")
			cfg.TaskRole = func(context.Context, string, string, wire.Caller) (wire.Caller, error) { return wire.Caller{}, nil }
		})
		_, err := e.sfn.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: aws.String("m"), Definition: &nested, RoleArn: aws.String(role)})
		wantCode(t, err, "InvalidDefinition", "These fields are required: [RoleArn] at /States/M/ItemProcessor/States/X/Credentials")
	}
	callers := make(chan wire.Caller, 1)
	e := boot(t, t.TempDir(), func(cfg *states.Config) {
		cfg.Integrations = map[string]states.Executor{"sqs:sendMessage": states.ExecutorFunc(func(_ context.Context, t states.Task) (any, error) {
			callers <- t.Caller
			return "sent", nil
		})}
		cfg.TaskRole = func(_ context.Context, roleARN, session string, by wire.Caller) (wire.Caller, error) {
			if roleARN != other || by.RoleARN != role {
				return wire.Caller{}, errors.New("denied")
			}
			return wire.Caller{RoleARN: roleARN, SessionName: session}, nil
		}
	})
	x := e.start(e.create("m", task(`{"RoleArn.$":"$.r"}`)), "x", `{"r":"`+other+`"}`)
	if d := e.end(x); ending(d) != `"sent"` {
		t.Error(ending(d))
	}
	if c := <-callers; c.RoleARN != other || c.SessionName != "x_" {
		t.Errorf("the task ran as %+v", c)
	}
	h, err := e.sfn.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: x})
	if err != nil || aws.ToString(h.Events[2].TaskScheduledEventDetails.TaskCredentials.RoleArn) != other {
		t.Errorf("%+v %v", h.Events[2], err)
	}
	y := e.start(e.create("n", task(`{"RoleArn":"arn:aws:iam::111111111111:role/none"}`)), "y", `{}`)
	if d := e.end(y); ending(d) != "FAILED States.TaskFailed The role "+role+" is not authorized to assume the task state's role, arn:aws:iam::111111111111:role/none." {
		t.Error(ending(d))
	}
}

func TestRedrive(t *testing.T) {
	broken := true
	e, ctx := boot(t, t.TempDir(), func(cfg *states.Config) {
		cfg.Integrations = map[string]states.Executor{"sqs:sendMessage": states.ExecutorFunc(func(_ context.Context, t states.Task) (any, error) {
			if broken {
				return nil, &interp.TaskError{Name: "Broken", Cause: "on purpose"}
			}
			return t.Parameters, nil
		})}
	}), t.Context()
	m := e.create("m", `{"StartAt":"A","States":{
		"A":{"Type":"Pass","Assign":{"v.$":"$.n"},"Next":"B"},
		"B":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"got.$":"States.Array($v,$$.Execution.RedriveCount)"},"End":true}}}`)
	x := e.start(m, "x", `{"n":7}`)
	d := e.end(x)
	if ending(d) != "FAILED Broken on purpose" || d.RedriveStatus != types.ExecutionRedriveStatusRedrivable || d.RedriveStatusReason != nil || aws.ToInt32(d.RedriveCount) != 0 {
		t.Errorf("%+v", d)
	}
	redrive := func() error {
		_, err := e.sfn.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: x})
		return err
	}
	if err := redrive(); err != nil {
		t.Fatal(err)
	}
	if d := e.end(x); ending(d) != "FAILED Broken on purpose" || aws.ToInt32(d.RedriveCount) != 1 || d.RedriveDate == nil {
		t.Errorf("%+v", d)
	}
	broken = false
	e.update(m, says("another definition"), false)
	if err := redrive(); err != nil {
		t.Fatal(err)
	}
	if d := e.end(x); ending(d) != `{"got":[7,2]}` || aws.ToInt32(d.RedriveCount) != 2 || d.Error != nil {
		t.Errorf("%+v", d)
	}
	once := " TaskScheduled TaskStarted TaskFailed ExecutionFailed ExecutionRedriven"
	if got, want := e.kinds(x), "ExecutionStarted PassStateEntered PassStateExited TaskStateEntered"+once+once+" TaskScheduled TaskStarted TaskSucceeded TaskStateExited ExecutionSucceeded"; got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	wantCode(t, redrive(), "ExecutionNotRedrivable", "Execution is SUCCEEDED and cannot be redriven")
	list, err := e.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: m, RedriveFilter: types.ExecutionRedriveFilterNotRedriven})
	if err != nil || len(list.Executions) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	p := e.start(e.create("p", single(`{"Type":"Parallel","Branches":[{"StartAt":"Y","States":{"Y":{"Type":"Fail"}}}],"End":true}`)), "p", "{}")
	e.end(p)
	_, err = e.sfn.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: p})
	wantCode(t, err, "NotImplemented", "the Parallel state 'X'")
	f := e.start(e.create("f", `{"StartAt":"P","States":{"P":{"Type":"Pass","Next":"F"},"F":{"Type":"Fail","Error":"E"}}}`), "f", "{}")
	e.end(f)
	if _, err := e.sfn.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: f}); err != nil {
		t.Fatal(err)
	}
	if d := e.end(f); ending(d) != "FAILED E " {
		t.Error(ending(d))
	}
	if got := e.kinds(f); got != "ExecutionStarted PassStateEntered PassStateExited FailStateEntered ExecutionFailed ExecutionRedriven ExecutionFailed" {
		t.Error(got)
	}
}
