package states_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"engage/internal/localaws/states"
	"engage/internal/localaws/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// fake answers calls by "service operation" and keeps them.
type fake struct {
	mu      sync.Mutex
	calls   []string
	answers map[string][]string // the last one repeats
	called  chan string
}

func (f *fake) Invoke(_ context.Context, caller wire.Caller, service, operation string, input any) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := service + " " + operation
	text, err := json.Marshal(input)
	if err != nil || caller.RoleARN != role {
		return nil, fmt.Errorf("%s by %s: %v", name, caller.RoleARN, err)
	}
	f.calls = append(f.calls, name+" "+string(text))
	if f.called != nil {
		select {
		case f.called <- name:
		default:
		}
	}
	list := f.answers[name]
	if len(list) == 1 && list[0] == "denied" {
		return nil, wire.AccessDenied("User: u is not authorized")
	}
	if len(list) == 1 && list[0] == "invalid" {
		return nil, wire.ValidationException("no item")
	}
	if len(list) == 0 {
		return nil, wire.Errorf("ThingNotFoundException", "no %s", operation)
	}
	if len(list) > 1 {
		f.answers[name] = list[1:]
	}
	return json.RawMessage(list[0]), nil
}

func TestIntegrations(t *testing.T) {
	stopped := func(code int) string {
		return fmt.Sprintf(`{"tasks":[{"taskArn":"t","clusterArn":"c","lastStatus":"STOPPED","stoppedAt":1700000000.25,"containers":[{"name":"w","exitCode":%d}]}]}`, code)
	}
	const running = `{"tasks":[{"taskArn":"t","clusterArn":"c","lastStatus":"RUNNING","containers":[{"name":"w"}]}],"failures":[]}`
	query := func(state string) string {
		return `{"QueryExecution":{"QueryExecutionId":"q","Status":{"State":"` + state + `"}}}`
	}
	for _, c := range []struct {
		name, resource, parameters string
		answers                    map[string][]string
		want, call                 string
	}{
		{"dynamodb", "dynamodb:putItem", `{"TableName":"t","Item":{"id":{"S":"1"}}}`, map[string][]string{"dynamodb PutItem": {`{}`}}, `{}`, `dynamodb PutItem {"TableName":"t","Item":{"id":{"S":"1"}}}`},
		{"sqs body as JSON", "sqs:sendMessage", `{"QueueUrl":"u","MessageBody":{"a":1}}`, map[string][]string{"sqs SendMessage": {`{"MessageId":"1"}`}}, `{"MessageId":"1"}`, `sqs SendMessage {"QueueUrl":"u","MessageBody":"{\"a\":1}"}`},
		{"events", "events:putEvents", `{"Entries":[{"Detail":{"a":1},"Source":"s"}]}`, map[string][]string{"events PutEvents": {`{"FailedEntryCount":0}`}}, `{"FailedEntryCount":0}`, `events PutEvents {"Entries":[{"Detail":"{\"a\":1}","Source":"s","Resources":["arn:aws:states:us-east-1:000000000000:stateMachine:m","arn:aws:states:us-east-1:000000000000:execution:m:x"]}]}`},
		{"refused", "sns:publish", `{"TopicArn":"t","Message":"m"}`, nil, `FAILED SNS.ThingNotFoundException no Publish (Service: AmazonSNS; Status Code: 400; Error Code: ThingNotFoundException; Request ID: ; Proxy: null)`, `sns Publish {"TopicArn":"t","Message":"m"}`},
		{"invalid", "dynamodb:putItem", `{}`, map[string][]string{"dynamodb PutItem": {"invalid"}},
			`FAILED DynamoDB.AmazonDynamoDBException no item (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException; Request ID: ; Proxy: null)`, ``},
		{"denied", "sns:publish", `{}`, map[string][]string{"sns Publish": {"denied"}}, `FAILED SNS.AuthorizationErrorException User: u is not authorized (Service: AmazonSNS; Status Code: 403; Error Code: AuthorizationError; Request ID: ; Proxy: null)`, ``},
		{"ecs", "ecs:runTask.sync", `{"TaskDefinition":"d"}`, map[string][]string{"ecs RunTask": {running}, "ecs DescribeTasks": {running, stopped(0)}},
			`{"ClusterArn":"c","Containers":[{"ExitCode":0,"Name":"w"}],"LastStatus":"STOPPED","StoppedAt":1700000000250,"TaskArn":"t"}`, `ecs DescribeTasks {"cluster":"c","tasks":["t"]}`},
		{"events not taken", "events:putEvents", `{"Entries":[{"Source":"s"}]}`, map[string][]string{"events PutEvents": {`{"Entries":[{"ErrorCode":"InvalidArgument"}],"FailedEntryCount":1}`}},
			`FAILED EventBridge.FailedEntry {"Entries":[{"ErrorCode":"InvalidArgument"}],"FailedEntryCount":1}`, ``},
		{"a queue that is only a host", "sqs:sendMessage", `{"QueueUrl":"https://nowhere","MessageBody":"m"}`, nil, `FAILED SQS.SdkClientException Unable to execute HTTP request: nowhere: Name or service not known`, ``},
		{"ecs without room", "ecs:runTask.sync", `{"TaskDefinition":"d"}`, map[string][]string{"ecs RunTask": {`{"tasks":[],"failures":[{"reason":"RESOURCE:MEMORY"}]}`}},
			`FAILED AmazonECS.Unknown {"Failures":[{"Reason":"RESOURCE:MEMORY"}],"Tasks":[]}`, `ecs RunTask {"TaskDefinition":"d","StartedBy":"AWS Step Functions"}`},
		{"ecs failure", "ecs:runTask.sync", `{}`, map[string][]string{"ecs RunTask": {running}, "ecs DescribeTasks": {stopped(3)}},
			`FAILED States.TaskFailed {"ClusterArn":"c","Containers":[{"ExitCode":3,"Name":"w"}],"LastStatus":"STOPPED","StoppedAt":1700000000250,"TaskArn":"t"}`, ``},
		{"athena", "athena:startQueryExecution.sync", `{"QueryString":"select 1"}`, map[string][]string{"athena StartQueryExecution": {`{"QueryExecutionId":"q"}`}, "athena GetQueryExecution": {query("QUEUED"), query("RUNNING"), query("SUCCEEDED")}},
			query("SUCCEEDED"), `athena GetQueryExecution {"QueryExecutionId":"q"}`},
		{"athena times", "athena:getQueryExecution", `{}`, map[string][]string{"athena GetQueryExecution": {`{"QueryExecution":{"Status":{"SubmissionDateTime":1700000000.5}}}`}},
			`{"QueryExecution":{"Status":{"SubmissionDateTime":1700000000500}}}`, ``},
		{"athena failure", "athena:startQueryExecution.sync", `{}`, map[string][]string{"athena StartQueryExecution": {`{"QueryExecutionId":"q"}`}, "athena GetQueryExecution": {query("FAILED")}},
			`FAILED States.TaskFailed {"QueryExecutionId":"q","Status":{"State":"FAILED"}}`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{answers: c.answers}
			e := boot(t, t.TempDir(), func(cfg *states.Config) {
				cfg.Integrations = states.Integrations(f, "dynamodb", "sqs", "sns", "events", "ecs", "athena")
			})
			d := e.end(e.start(e.create("m", single(`{"Type":"Task","Resource":"arn:aws:states:::`+c.resource+`","Parameters":`+c.parameters+`,"End":true}`)), "x", "{}"))
			if got := ending(d); got != c.want {
				t.Errorf(" got %s\nwant %s", got, c.want)
			}
			if !strings.Contains(strings.Join(f.calls, "\n"), c.call) {
				t.Errorf("calls %q miss %s", f.calls, c.call)
			}
		})
	}
}

func ending(d *sfn.DescribeExecutionOutput) string {
	text := fmt.Sprintf("%s %s %s", d.Status, aws.ToString(d.Error), aws.ToString(d.Cause))
	if d.Output != nil {
		text = *d.Output
	}
	return told.ReplaceAllString(text, "${1}${2}")
}

// told is what the SDK tells of an answer: its ids and times differ from run to run.
var told = regexp.MustCompile(`,?"SdkHttpMetadata":\{.*?"HttpStatusCode":\d+\},"SdkResponseMetadata":\{.*?\}|(Request ID: )[-0-9A-Va-v]+(; )`)

func TestStopStopsTheJob(t *testing.T) {
	const running = `{"tasks":[{"taskArn":"t","clusterArn":"c","lastStatus":"RUNNING"}]}`
	f := &fake{answers: map[string][]string{"ecs RunTask": {running}, "ecs DescribeTasks": {running}, "ecs StopTask": {`{}`}}, called: make(chan string, 1)}
	e := boot(t, t.TempDir(), func(cfg *states.Config) { cfg.Integrations = states.Integrations(f, "ecs") })
	x := e.start(e.create("m", single(`{"Type":"Task","Resource":"arn:aws:states:::ecs:runTask.sync","Parameters":{},"End":true}`)), "x", "{}")
	for <-f.called != "ecs DescribeTasks" {
	}
	if _, err := e.sfn.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: x}); err != nil {
		t.Fatal(err)
	}
	if got := f.calls[len(f.calls)-1]; !strings.HasPrefix(got, "ecs StopTask ") {
		t.Error(got)
	}
}

func TestLambda(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
	invoke := func(_ context.Context, c states.FunctionCall) (states.FunctionResult, error) {
		switch {
		case strings.Contains(string(c.Payload), "boom"):
			return states.FunctionResult{Status: 200, FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Boom","errorMessage":"m"}`)}, nil
		case strings.Contains(string(c.Payload), "spaced"):
			return states.FunctionResult{Status: 200, FunctionError: "Unhandled", Payload: []byte(`{"errorType": "Spaced"}`)}, nil
		case c.LogType == "Tail":
			return states.FunctionResult{Status: 200, Payload: []byte(`{}`), LogResult: "the end"}, nil
		case c.Function == "none":
			return states.FunctionResult{}, wire.StatusErrorf(404, "ResourceNotFoundException", "Function not found")
		}
		return states.FunctionResult{Status: 200, Version: "$LATEST", Payload: []byte(`{"got":` + string(c.Payload) + `,"by":"` + c.Function + `"}`), RequestID: "r"}, nil
	}
	e := boot(t, t.TempDir(), func(cfg *states.Config) { cfg.Integrations = states.LambdaIntegrations(invoke) })
	for i, c := range []struct{ fields, want string }{
		{`"Resource":"` + arn + `"`, `{"got":{"i":1},"by":"` + arn + `"}`},
		{`"Resource":"` + arn + `","Parameters":"boom"`, `FAILED Boom {"errorType":"Boom","errorMessage":"m"}`},
		{`"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"},"ResultSelector":{"p.$":"$.Payload","s.$":"$.StatusCode"}`, `{"p":{"got":{"i":1},"by":"f"},"s":200}`},
		{`"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload":null},"OutputPath":"$.Payload.got"`, `{}`},
		{`"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload":"[1]"},"OutputPath":"$.Payload.got"`, `[1]`},
		{`"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload":"a word"},"OutputPath":"$.Payload.got"`, `"a word"`},
		{`"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"none"}`, `FAILED Lambda.ResourceNotFoundException Function not found (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: ; Proxy: null)`},
		{`"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","DryRun":true}`, `FAILED States.Runtime The field "DryRun" of lambda:invoke is not implemented by this endpoint`},
		{`"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","LogType":"Tail"},"OutputPath":"$.LogResult"`, `"the end"`},
		{`"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload":"spaced"}`, `FAILED Spaced {"errorType":"Spaced"}`},
		{`"Resource":"` + arn + `","Parameters":"spaced"`, `FAILED Spaced {"errorType": "Spaced"}`},
	} {
		d := e.end(e.start(e.create(fmt.Sprint("m", i), single(`{"Type":"Task",`+c.fields+`,"End":true}`)), "x", `{"i":1}`))
		if got := ending(d); got != c.want {
			t.Errorf(" got %s\nwant %s", got, c.want)
		}
	}
}

func TestLogging(t *testing.T) {
	var lines []states.LogLine
	e := boot(t, t.TempDir(), func(cfg *states.Config) {
		cfg.Logs = func(_ context.Context, l states.LogLine) error { lines = append(lines, l); return nil }
	})
	run := func(name, definition string, level types.LogLevel, data bool) []string {
		lines = nil
		out, err := e.sfn.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: &name, Definition: &definition, RoleArn: aws.String(role), LoggingConfiguration: &types.LoggingConfiguration{Level: level, IncludeExecutionData: data,
			Destinations: []types.LogDestination{{CloudWatchLogsLogGroup: &types.CloudWatchLogsLogGroup{LogGroupArn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:g:*")}}}}})
		if err != nil {
			t.Fatal(err)
		}
		e.end(e.start(out.StateMachineArn, "x", `{"secret":1}`))
		var messages []string
		for _, l := range lines {
			if l.Group != "arn:aws:logs:us-east-1:000000000000:log-group:g" || !strings.HasPrefix(l.Stream, "states/"+name+"/") {
				t.Errorf("%+v", l)
			}
			messages = append(messages, string(l.Message))
		}
		return messages
	}
	if got := run("all", pass, types.LogLevelAll, true); len(got) != 4 || !strings.Contains(got[1], `"input":"{\"secret\":1}"`) || !strings.Contains(got[3], `"type":"ExecutionSucceeded"`) {
		t.Errorf("%q", got)
	}
	if got := run("private", pass, types.LogLevelAll, false); len(got) != 4 || strings.Contains(strings.Join(got, ""), "secret") {
		t.Errorf("%q", got)
	}
	if got := run("error", single(`{"Type":"Fail","Error":"E"}`), types.LogLevelError, true); len(got) != 2 || !strings.Contains(got[0], `"type":"FailStateEntered"`) {
		t.Errorf("%q", got)
	}
	if got := run("fatal", single(`{"Type":"Fail","Error":"E"}`), types.LogLevelFatal, true); len(got) != 1 || !strings.Contains(got[0], `"error":"E"`) {
		t.Errorf("%q", got)
	}
	_, err := e.sfn.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{Name: aws.String("n"), Definition: aws.String(pass), RoleArn: aws.String(role), LoggingConfiguration: &types.LoggingConfiguration{Level: types.LogLevelAll}})
	wantCode(t, err, "InvalidLoggingConfiguration", "Must specify exactly one Log Destination.")
}
