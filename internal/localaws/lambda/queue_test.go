package lambda_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"engage/internal/localaws/asl/clock"
	"engage/internal/localaws/lambda"
)

func fake(c **clock.Fake) func(*lambda.Config) {
	*c = clock.NewFake(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	// Idle instances are ended so late that the queue's timers come first.
	return func(cfg *lambda.Config) { cfg.Clock, cfg.Idle = *c, 100*time.Hour }
}

func (e *endpoint) send(t *testing.T, name, payload string) {
	t.Helper()
	out, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeEvent, Payload: []byte(payload)})
	if err != nil || out.StatusCode != 202 || len(out.Payload) != 0 {
		t.Fatalf("%v %v", out, err)
	}
}

// TestRetries follows an event that fails: after a minute, after two more,
// then to the dead-letter queue and to the destination.
func TestRetries(t *testing.T) {
	var now *clock.Fake
	e := boot(t, t.TempDir(), fake(&now))
	in := function("f", "h", good)
	in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:eu-west-1:000000000000:dead")}
	e.create(t, in)
	if _, err := e.PutFunctionEventInvokeConfig(t.Context(), &awslambda.PutFunctionEventInvokeConfigInput{
		FunctionName:      aws.String("f"),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sns:eu-west-1:000000000000:failed")}},
	}); err != nil {
		t.Fatal(err)
	}
	e.send(t, "f", `{"Op":"error","Value":"no luck"}`)
	now.AwaitTimers(2) // the queue's and the idle instances'
	first := now.Next()
	now.AwaitTimers(2)
	second := now.Next()
	<-e.calls.next
	<-e.calls.next
	if first != time.Minute || second != 2*time.Minute {
		t.Errorf("retried after %v and %v", first, second)
	}
	if got := e.calls.all[0]; !strings.HasPrefix(got, "sqs SendMessage") || !strings.Contains(got, `no luck`) || !strings.Contains(got, e.server.URL()+"/000000000000/dead") {
		t.Errorf("dead letter: %s", got)
	}
	if got := e.calls.last(); !strings.HasPrefix(got, "sns Publish") || !strings.Contains(got, `"condition":"RetriesExhausted"`) || !strings.Contains(got, `"approximateInvokeCount":3`) {
		t.Errorf("destination: %s", got)
	}
	if log := e.printed(t, "/aws/lambda/f"); strings.Count(log, "START") != 4 { // with INIT_START
		t.Errorf("log: %s", log)
	}
}

func TestSuccessDestination(t *testing.T) {
	var now *clock.Fake
	e := boot(t, t.TempDir(), fake(&now))
	e.create(t, function("f", "h", good))
	if _, err := e.PutFunctionEventInvokeConfig(t.Context(), &awslambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("f"), MaximumRetryAttempts: aws.Int32(0),
		DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: aws.String("arn:aws:lambda:eu-west-1:000000000000:function:g")}},
	}); err != nil {
		t.Fatal(err)
	}
	e.send(t, "f", `{"Value":"x"}`)
	<-e.calls.next
	if got := e.calls.last(); !strings.HasPrefix(got, "lambda Invoke") {
		t.Errorf("destination: %s", got)
	}
	got, err := e.GetFunctionEventInvokeConfig(t.Context(), &awslambda.GetFunctionEventInvokeConfigInput{FunctionName: aws.String("f")})
	if err != nil || *got.MaximumRetryAttempts != 0 {
		t.Errorf("%v %v", got, err)
	}
	if _, err := e.DeleteFunctionEventInvokeConfig(t.Context(), &awslambda.DeleteFunctionEventInvokeConfigInput{FunctionName: aws.String("f")}); err != nil {
		t.Error(err)
	}
	_, err = e.GetFunctionEventInvokeConfig(t.Context(), &awslambda.GetFunctionEventInvokeConfigInput{FunctionName: aws.String("f")})
	wantCode(t, err, "ResourceNotFoundException")
}

// TestQueueSurvives throttles an event, and lets the next process work on it.
func TestQueueSurvives(t *testing.T) {
	dir := t.TempDir()
	var now *clock.Fake
	t.Run("before", func(t *testing.T) {
		e := boot(t, dir, fake(&now))
		e.create(t, function("f", "h", good))
		none := int32(0)
		if _, err := e.PutFunctionConcurrency(t.Context(), &awslambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: &none}); err != nil {
			t.Fatal(err)
		}
		e.send(t, "f", `{"Op":"print","Value":"late but here"}`)
		now.AwaitTimers(2)
		if _, err := e.DeleteFunctionConcurrency(t.Context(), &awslambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String("f")}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.PutFunctionEventInvokeConfig(t.Context(), &awslambda.PutFunctionEventInvokeConfigInput{
			FunctionName:      aws.String("f"),
			DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: aws.String("arn:aws:sqs:eu-west-1:000000000000:done")}},
		}); err != nil {
			t.Fatal(err)
		}
	})
	e := boot(t, dir, func(c *lambda.Config) { c.Clock = now; c.Idle = 100 * time.Hour })
	now.AwaitTimers(1)
	now.Advance(time.Second)
	<-e.calls.next
	if !strings.HasPrefix(e.calls.last(), "sqs SendMessage") {
		t.Error(e.calls.last())
	}
	if log := e.printed(t, "/aws/lambda/f"); !strings.Contains(log, "late but here") {
		t.Errorf("log: %s", log)
	}
}

func TestIdleInstancesEnd(t *testing.T) {
	var now *clock.Fake
	e := boot(t, t.TempDir(), func(c *lambda.Config) {
		now = clock.NewFake(time.Now())
		c.Clock, c.Idle = now, time.Minute
	})
	e.create(t, function("f", "h", good))
	var before, after struct{ Pid int }
	json.Unmarshal(e.invoke(t, "f", `{}`).Payload, &before)
	for range 4 { // a tick sees what was idle at the one before
		now.AwaitTimers(1)
		now.Advance(31 * time.Second)
	}
	now.AwaitTimers(1)
	json.Unmarshal(e.invoke(t, "f", `{}`).Payload, &after)
	if before.Pid == after.Pid || after.Pid == 0 {
		t.Errorf("process %d is still used", before.Pid)
	}
}
