package events_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/events"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

type world struct {
	*sdk.Client
	service *events.Service
	mu      sync.Mutex
	seen    []target.Message
	refuse  string
	busy    int // how often everything is throttled
	now     time.Time
	after   chan time.Duration
	fire    chan time.Time
	got     chan string
}

func (w *world) Deliver(_ context.Context, m target.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, m)
	select {
	case w.got <- m.Body:
	default:
	}
	if w.busy > 0 {
		w.busy--
		return wire.Throttling("later")
	}
	if m.ARN == w.refuse {
		return wire.AccessDenied("no")
	}
	return nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func boot(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{now: time.Date(2026, 1, 1, 0, 0, 30, 0, time.UTC), after: make(chan time.Duration, 99), fire: make(chan time.Time), got: make(chan string, 9)}
	w.service = events.New(events.Config{Store: store, Targets: w, Clock: w.clock,
		After: func(d time.Duration) (<-chan time.Time, func()) { w.after <- d; return w.fire, func() {} },
		Assume: func(_ context.Context, service, role string) (wire.Caller, error) {
			return wire.Caller{Account: "000000000000", Region: "eu-west-1", RoleARN: role, SessionName: service}, nil
		}})
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir, Services: []*wire.Service{w.service.API()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(srv.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	w.Client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	return w
}

const (
	queue    = "arn:aws:sqs:eu-west-1:000000000000:q"
	function = "arn:aws:lambda:eu-west-1:000000000000:function:f"
	machine  = "arn:aws:states:eu-west-1:000000000000:stateMachine:m"
	role     = "arn:aws:iam::000000000000:role/r"
)

func (w *world) rule(t *testing.T, name, pattern, schedule string, targets ...types.Target) {
	t.Helper()
	in := &sdk.PutRuleInput{Name: &name}
	if pattern != "" {
		in.EventPattern = &pattern
	}
	if schedule != "" {
		in.ScheduleExpression = &schedule
	}
	if _, err := w.PutRule(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: &name, Targets: targets}); err != nil {
		t.Fatal(err)
	}
}

func TestPutEventsReachesTargets(t *testing.T) {
	w := boot(t)
	w.rule(t, "r", `{"source":["app"],"detail":{"n":[{"numeric":[">",1]}]}}`, "",
		types.Target{Id: aws.String("whole"), Arn: aws.String(queue)},
		types.Target{Id: aws.String("path"), Arn: aws.String(function), InputPath: aws.String("$.detail.list[1]")},
		types.Target{Id: aws.String("shaped"), Arn: aws.String(machine), RoleArn: aws.String(role), InputTransformer: &types.InputTransformer{
			InputPathsMap: map[string]string{"n": "$.detail.n", "l": "$.detail.list", "s": "$.detail.s"},
			InputTemplate: aws.String(`{"n":<n>,"text":"n is <n>, s is <s>","list":<l>,"rule":"<aws.events.rule-name>"}`)}})
	out, err := w.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		{Source: aws.String("app"), DetailType: aws.String("t"), Detail: aws.String(`{"n":2,"s":"a\"b","list":[1,{"x":"y"}]}`)},
		{Source: aws.String("app"), DetailType: aws.String("t"), Detail: aws.String(`{"n":1}`)},
		{Source: aws.String("app"), DetailType: aws.String("t"), Detail: aws.String(`[]`)}}})
	if err != nil || out.FailedEntryCount != 1 || *out.Entries[2].ErrorCode != "MalformedDetail" {
		t.Fatalf("got %+v %v", out, err)
	}
	if len(w.seen) != 3 {
		t.Fatalf("delivered %d messages", len(w.seen))
	}
	if m := w.seen[0]; !strings.Contains(m.Body, `"detail-type":"t"`) || m.Caller.Service != "events.amazonaws.com" || !strings.HasSuffix(m.Caller.ARN, ":rule/r") {
		t.Errorf("got %+v", m)
	}
	if m := w.seen[1]; m.Body != `{"x":"y"}` {
		t.Errorf("got %s", m.Body)
	}
	if m := w.seen[2]; m.Body != `{"n":2,"text":"n is 2, s is a\"b","list":[1,{"x":"y"}],"rule":"r"}` || m.Caller.RoleARN != role {
		t.Errorf("got %+v", m)
	}
}

// A service's own event goes to the rules of the default bus, as PutEvents' do.
func TestServicesTell(t *testing.T) {
	w := boot(t)
	w.rule(t, "r", `{"source":["aws.states"],"detail":{"status":["FAILED"]}}`, "", types.Target{Id: aws.String("1"), Arn: aws.String(queue)})
	for _, status := range []string{"RUNNING", "FAILED"} {
		err := w.service.Tell(t.Context(), events.ServiceEvent{Account: "000000000000", Region: "eu-west-1", Source: "aws.states", DetailType: "Change", Time: w.clock(),
			Resources: []string{"arn:x"}, Detail: []byte(`{"status":"` + status + `"}`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(w.seen) != 1 || !strings.HasSuffix(w.seen[0].Body, `"time":"2026-01-01T00:00:30Z","region":"eu-west-1","resources":["arn:x"],"detail":{"status":"FAILED"}}`) {
		t.Errorf("got %+v", w.seen)
	}
}

func TestRefusedDeliveryGoesToTheDeadLetters(t *testing.T) {
	w := boot(t)
	w.refuse = function
	w.rule(t, "r", `{"source":["app"]}`, "", types.Target{Id: aws.String("f"), Arn: aws.String(function), DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(queue)}})
	if _, err := w.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: []types.PutEventsRequestEntry{{Source: aws.String("app"), DetailType: aws.String("t"), Detail: aws.String(`{}`)}}}); err != nil {
		t.Fatal(err)
	}
	if len(w.seen) != 2 || w.seen[1].ARN != queue || *w.seen[1].Attributes["TARGET_ARN"].StringValue != function {
		t.Errorf("got %+v", w.seen)
	}
}

func TestSchedulesFire(t *testing.T) {
	w := boot(t)
	w.rule(t, "r", "", "cron(1 0 * * ? *)", types.Target{Id: aws.String("f"), Arn: aws.String(function), Input: aws.String(`{"go":1}`)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.service.Run(ctx, func(err error) { t.Error(err) })
	}()
	if d := <-w.after; d != 30*time.Second {
		t.Errorf("waits %v", d)
	}
	w.mu.Lock()
	w.now = w.now.Add(30 * time.Second)
	w.mu.Unlock()
	w.fire <- w.now
	if body := <-w.got; body != `{"go":1}` {
		t.Errorf("got %s", body)
	}
	<-w.after
	cancel()
	<-done
	if len(w.seen) != 1 {
		t.Errorf("fired %d times", len(w.seen))
	}
}

func TestManagementAndRefusals(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	w.rule(t, "r", `{"source":["app"]}`, "", types.Target{Id: aws.String("q"), Arn: aws.String(queue)})
	if _, err := w.DisableRule(ctx, &sdk.DisableRuleInput{Name: aws.String("r")}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.DescribeRule(ctx, &sdk.DescribeRuleInput{Name: aws.String("r")}); err != nil || got.State != types.RuleStateDisabled {
		t.Errorf("got %+v %v", got, err)
	}
	for name, c := range map[string]struct {
		code string
		call func() error
	}{
		"targets left": {"ValidationException", func() error { _, err := w.DeleteRule(ctx, &sdk.DeleteRuleInput{Name: aws.String("r")}); return err }},
		"bad pattern": {"InvalidEventPatternException", func() error {
			_, err := w.PutRule(ctx, &sdk.PutRuleInput{Name: aws.String("x"), EventPattern: aws.String(`{"a":[{"like":1}]}`)})
			return err
		}},
		"bad schedule": {"ValidationException", func() error {
			_, err := w.PutRule(ctx, &sdk.PutRuleInput{Name: aws.String("x"), ScheduleExpression: aws.String("rate(5 minute)")})
			return err
		}},
		"no rule": {"ResourceNotFoundException", func() error {
			_, err := w.DescribeRule(ctx, &sdk.DescribeRuleInput{Name: aws.String("none")})
			return err
		}},
		"archive": {"NotImplemented", func() error {
			_, err := w.CreateArchive(ctx, &sdk.CreateArchiveInput{ArchiveName: aws.String("a"), EventSourceArn: aws.String(queue)})
			return err
		}},
		"other target": {"NotImplemented", func() error {
			_, err := w.PutTargets(ctx, &sdk.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{{Id: aws.String("k"), Arn: aws.String("arn:aws:kinesis:eu-west-1:0:stream/s")}}})
			return err
		}},
	} {
		var api smithy.APIError
		if err := c.call(); !errors.As(err, &api) || api.ErrorCode() != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
	if _, err := w.RemoveTargets(ctx, &sdk.RemoveTargetsInput{Rule: aws.String("r"), Ids: []string{"q"}}); err != nil {
		t.Error(err)
	}
	if _, err := w.DeleteRule(ctx, &sdk.DeleteRuleInput{Name: aws.String("r")}); err != nil {
		t.Error(err)
	}
	if got, err := w.ListRules(ctx, &sdk.ListRulesInput{}); err != nil || len(got.Rules) != 0 {
		t.Errorf("got %+v %v", got, err)
	}
}

func TestBusesHavePolicies(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	put := &sdk.PutPermissionInput{StatementId: aws.String("a"), Action: aws.String("events:PutEvents"), Principal: aws.String("111111111111")}
	if _, err := w.PutPermission(ctx, put); err != nil {
		t.Fatal(err)
	}
	policy := func() string {
		out, err := w.DescribeEventBus(ctx, &sdk.DescribeEventBusInput{})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.Policy)
	}
	if got := policy(); !strings.Contains(got, `"AWS":"arn:aws:iam::111111111111:root"`) || !strings.Contains(got, `"Sid":"a"`) {
		t.Errorf("the policy is %s", got)
	}
	if _, err := w.RemovePermission(ctx, &sdk.RemovePermissionInput{StatementId: aws.String("b")}); err == nil {
		t.Error("a statement that is not there was removed")
	}
	if _, err := w.RemovePermission(ctx, &sdk.RemovePermissionInput{StatementId: aws.String("a")}); err != nil || policy() != "" {
		t.Errorf("removed: %v, the policy is %q", err, policy())
	}
}

func TestRulesOfATarget(t *testing.T) {
	w := boot(t)
	for _, name := range []string{"a", "b", "c"} {
		arn := queue
		if name == "b" {
			arn = function
		}
		w.rule(t, name, `{"source":["x"]}`, "", types.Target{Id: aws.String("1"), Arn: &arn})
	}
	out, err := w.ListRuleNamesByTarget(t.Context(), &sdk.ListRuleNamesByTargetInput{TargetArn: aws.String(queue)})
	if err != nil || strings.Join(out.RuleNames, "") != "ac" {
		t.Errorf("listed %v, %v", out, err)
	}
}

// What a target throttles is tried again as the clock goes on.
func TestTargetsAreTriedAgain(t *testing.T) {
	w := boot(t)
	w.rule(t, "r", `{"source":["x"]}`, "", types.Target{Id: aws.String("1"), Arn: aws.String(function), RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(2)}})
	w.busy = 1
	if _, err := w.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: []types.PutEventsRequestEntry{{Source: aws.String("x"), DetailType: aws.String("t"), Detail: aws.String("{}")}}}); err != nil {
		t.Fatal(err)
	}
	if len(w.seen) != 1 {
		t.Fatalf("%d attempts at once, want 1", len(w.seen))
	}
	from := w.now
	w.now = w.now.Add(10 * time.Second)
	for range 2 {
		if err := w.service.Tick(t.Context(), from, w.now); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.seen) != 2 || w.seen[0].Body != w.seen[1].Body {
		t.Errorf("the target saw %+v", w.seen)
	}
}
