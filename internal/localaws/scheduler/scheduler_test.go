package scheduler_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/scheduler"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/target"
	"engage/internal/localaws/wire"
)

// world is a Scheduler whose clock stands still, and the target of all it sends.
type world struct {
	*sdk.Client
	service *scheduler.Service
	store   *state.Store
	mu      sync.Mutex
	now     time.Time
	seen    []target.Message
	refuse  map[string]error // by ARN
}

func (w *world) Deliver(_ context.Context, m target.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refuse[m.ARN]; err != nil {
		return err
	}
	w.seen = append(w.seen, m)
	return nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) config() scheduler.Config {
	return scheduler.Config{Store: w.store, Targets: w, Clock: w.clock, Random: half{},
		Assume: func(_ context.Context, service, role string) (wire.Caller, error) {
			if strings.HasSuffix(role, "/untrusting") {
				return wire.Caller{}, wire.AccessDenied("no")
			}
			return wire.Caller{Account: "000000000000", Region: "us-east-1", RoleARN: role, SessionName: service}, nil
		}}
}

// half is a source of bits that are all of one kind, then of the other.
type half struct{}

func (half) Read(b []byte) (int, error) { return copy(b, bytes.Repeat([]byte{0x55}, len(b))), nil }

// pass lets time pass to a moment, in steps of at most a minute.
func (w *world) pass(t *testing.T, until time.Time) {
	t.Helper()
	for w.now.Before(until) {
		w.mu.Lock()
		w.now = w.now.Add(min(time.Minute, until.Sub(w.now)))
		w.mu.Unlock()
		if err := w.service.Tick(t.Context(), w.now); err != nil {
			t.Fatal(err)
		}
	}
}

func boot(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: store, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), refuse: map[string]error{}}
	w.service = scheduler.New(w.config())
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
	w.Client = sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: aws.String(srv.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	return w
}

const (
	queue    = "arn:aws:sqs:us-east-1:000000000000:q"
	dead     = "arn:aws:sqs:us-east-1:000000000000:dead"
	function = "arn:aws:lambda:us-east-1:000000000000:function:f"
	role     = "arn:aws:iam::000000000000:role/r"
)

// schedule makes a schedule that sends to the queue, changed by what is given.
func (w *world) schedule(t *testing.T, expression string, change ...func(*sdk.CreateScheduleInput)) error {
	t.Helper()
	in := &sdk.CreateScheduleInput{Name: aws.String("s"), ScheduleExpression: &expression,
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target:             &types.Target{Arn: aws.String(queue), RoleArn: aws.String(role), Input: aws.String(`{"n":1}`)}}
	for _, f := range change {
		f(in)
	}
	_, err := w.CreateSchedule(t.Context(), in)
	return err
}

func (w *world) times(t *testing.T, expression string, until time.Time, change ...func(*sdk.CreateScheduleInput)) int {
	t.Helper()
	if err := w.schedule(t, expression, change...); err != nil {
		t.Fatal(err)
	}
	w.pass(t, until)
	return len(w.seen)
}

// Each case starts on Sunday, 2026-03-01 at 12:00 UTC, a week before New
// York's clocks change.
func TestSchedulesFireWhenTheySay(t *testing.T) {
	day := func(d, h, m int) time.Time { return time.Date(2026, 3, d, h, m, 0, 0, time.UTC) }
	at := func(p **time.Time, v time.Time) { *p = &v }
	for _, tc := range []struct {
		name, expression string
		until            time.Time
		change           func(*sdk.CreateScheduleInput)
		want             int
	}{
		{"a rate counts from its making", "rate(5 minutes)", day(1, 12, 16), nil, 3},
		{"a unit may be singular", "rate(5 minute)", day(1, 12, 16), nil, 3},
		{"a rate with a start begins there", "rate(5 minutes)", day(1, 12, 16), func(in *sdk.CreateScheduleInput) { at(&in.StartDate, day(1, 12, 4)) }, 3},
		{"an end ends it", "rate(5 minutes)", day(1, 13, 0), func(in *sdk.CreateScheduleInput) { at(&in.EndDate, day(1, 12, 11)) }, 2},
		{"cron goes by the clock on the wall", "cron(0 8 * * ? *)", day(1, 13, 1), func(in *sdk.CreateScheduleInput) { in.ScheduleExpressionTimezone = aws.String("America/New_York") }, 1},
		{"at fires once", "at(2026-03-01T12:30:00)", day(1, 14, 0), nil, 1},
		{"at of a time zone", "at(2026-03-01T08:30:00)", day(1, 13, 29), func(in *sdk.CreateScheduleInput) { in.ScheduleExpressionTimezone = aws.String("America/New_York") }, 0},
		{"at in the past does not", "at(2026-02-01T12:30:00)", day(1, 14, 0), nil, 0},
		{"a disabled one does not", "rate(1 minute)", day(1, 12, 9), func(in *sdk.CreateScheduleInput) { in.State = types.ScheduleStateDisabled }, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := boot(t)
			if tc.change == nil {
				tc.change = func(*sdk.CreateScheduleInput) {}
			}
			if tc.name == "cron goes by the clock on the wall" { // 8 o'clock there is 13 o'clock UTC
				if got := w.times(t, tc.expression, day(1, 12, 59), tc.change); got != 0 {
					t.Errorf("it fired at 8 o'clock UTC")
				}
				w.pass(t, tc.until)
				if len(w.seen) != tc.want {
					t.Errorf("got %d invocations, want %d", len(w.seen), tc.want)
				}
				return
			}
			if got := w.times(t, tc.expression, tc.until, tc.change); got != tc.want {
				t.Errorf("got %d invocations, want %d", got, tc.want)
			}
		})
	}
}

func TestFlexibleWindowSpreads(t *testing.T) {
	w := boot(t)
	flexible := func(in *sdk.CreateScheduleInput) {
		in.FlexibleTimeWindow = &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(30)}
	}
	base := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	if got := w.times(t, "at(2026-03-01T12:30:00)", base, flexible); got != 0 {
		t.Fatal("it fired at the beginning of its window: the source of chance asks for later")
	}
	w.pass(t, base.Add(30*time.Minute))
	if len(w.seen) != 1 {
		t.Fatalf("got %d invocations within the window, want 1", len(w.seen))
	}
}

func TestScheduleIsGoneWhenDone(t *testing.T) {
	w := boot(t)
	w.times(t, "at(2026-03-01T12:30:00)", time.Date(2026, 3, 1, 12, 31, 0, 0, time.UTC), func(in *sdk.CreateScheduleInput) {
		in.ActionAfterCompletion = types.ActionAfterCompletionDelete
	})
	_, err := w.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: aws.String("s")})
	if !refused(err, "ResourceNotFoundException", "Schedule s does not exist.") {
		t.Errorf("got %v", err)
	}
}

func refused(err error, code, message string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code && strings.Contains(api.ErrorMessage(), message)
}

func TestTargetGetsItsInput(t *testing.T) {
	w := boot(t)
	w.times(t, "rate(1 minute)", w.now.Add(time.Minute), func(in *sdk.CreateScheduleInput) {
		in.Target.Input = aws.String(`{"at":"<aws.scheduler.scheduled-time>","by":"<aws.scheduler.schedule-arn>"}`)
	})
	want := `{"at":"2026-03-01T12:01:00Z","by":"arn:aws:scheduler:us-east-1:000000000000:schedule/default/s"}`
	if m := w.seen[0]; m.Body != want || m.Caller.RoleARN != role || m.Caller.SessionName != "scheduler.amazonaws.com" {
		t.Errorf("the target got %+v, want %s by %s", m, want, role)
	}
	w.seen = nil
	w.times(t, "rate(1 minute)", w.now.Add(time.Minute), func(in *sdk.CreateScheduleInput) {
		in.Name, in.Target.Input, in.Target.Arn = aws.String("bare"), nil, aws.String(function)
	})
	i := slices.IndexFunc(w.seen, func(m target.Message) bool { return m.ARN == function })
	if i < 0 || !strings.Contains(w.seen[i].Body, `"source":"aws.scheduler"`) {
		t.Errorf("the targets got %+v", w.seen)
	}
}

func attribute(m target.Message, name string) string {
	if a := m.Attributes[name]; a.StringValue != nil {
		return *a.StringValue
	}
	return ""
}

func TestFailedTargetsAreTriedAgainAndBuried(t *testing.T) {
	busy := wire.StatusErrorf(503, "ServiceUnavailable", "later")
	for _, tc := range []struct {
		name                     string
		fails                    error
		attempts, age            int32
		tries, condition, errors string
	}{
		{"it may pass", busy, 2, 3600, "2", "MaximumRetryAttempts", "ServiceUnavailable"},
		{"it takes too long", busy, 185, 60, "", "MaximumEventAgeInSeconds", "ServiceUnavailable"},
		{"it does not pass", wire.Errorf("QueueDoesNotExist", "no"), 9, 3600, "0", "", "QueueDoesNotExist"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := boot(t)
			w.refuse[queue] = tc.fails
			w.times(t, "at(2026-03-01T12:01:00)", w.now.Add(10*time.Minute), func(in *sdk.CreateScheduleInput) {
				in.Target.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: &tc.attempts, MaximumEventAgeInSeconds: &tc.age}
				in.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: aws.String(dead)}
			})
			if len(w.seen) != 1 || w.seen[0].ARN != dead || w.seen[0].Body != `{"n":1}` {
				t.Fatalf("the queue of the dead got %+v", w.seen)
			}
			m := w.seen[0]
			if got := attribute(m, "RETRY_ATTEMPTS"); tc.tries != "" && got != tc.tries {
				t.Errorf("it was tried again %s times, want %s", got, tc.tries)
			}
			for name, want := range map[string]string{"EXHAUSTED_RETRY_CONDITION": tc.condition, "ERROR_CODE": tc.errors, "TARGET_ARN": queue,
				"SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s", "SCHEDULED_TIME": "2026-03-01T12:01:00Z", "IS_PAYLOAD_TRUNCATED": "false"} {
				if got := attribute(m, name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

// A delivery that waits for its next attempt outlives the process, and so does
// an at() whose time came while nothing ran.
func TestStateOutlivesTheProcess(t *testing.T) {
	w := boot(t)
	w.refuse[queue] = wire.StatusErrorf(503, "ServiceUnavailable", "later")
	w.times(t, "at(2026-03-01T12:01:00)", w.now.Add(time.Minute))
	if err := w.schedule(t, "at(2026-03-01T13:00:00)", func(in *sdk.CreateScheduleInput) { in.Name = aws.String("late") }); err != nil {
		t.Fatal(err)
	}
	delete(w.refuse, queue)
	w.now = w.now.Add(2 * time.Hour)
	w.service = scheduler.New(w.config())
	if err := w.service.Tick(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	if len(w.seen) != 2 {
		t.Errorf("%d of 2 deliveries were made after the restart", len(w.seen))
	}
}

func TestRunMovesOnWhatWasMissed(t *testing.T) {
	w := boot(t)
	if err := w.schedule(t, "rate(1 hour)"); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(150 * time.Minute)
	asleep := make(chan time.Duration, 1)
	c := w.config()
	c.After = func(d time.Duration) (<-chan time.Time, func()) { asleep <- d; return nil, func() {} }
	w.service = scheduler.New(c)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.service.Run(ctx, func(err error) { t.Error(err) }); close(done) }()
	<-asleep
	stop()
	<-done
	w.pass(t, w.now.Add(29*time.Minute))
	if len(w.seen) != 0 {
		t.Error("what was missed was made up for")
	}
	w.pass(t, w.now.Add(2*time.Minute))
	if len(w.seen) != 1 {
		t.Errorf("got %d invocations at the next hour, want 1", len(w.seen))
	}
}

func TestBadSchedulesAreRefused(t *testing.T) {
	w := boot(t)
	for name, tc := range map[string]struct {
		expression, code, message string
		change                    func(*sdk.CreateScheduleInput)
	}{
		"expression": {"rate( 10 minutes )", "ValidationException", "Invalid Schedule Expression rate( 10 minutes ).", nil},
		"seconds":    {"rate(10 seconds)", "ValidationException", "Invalid Schedule Expression rate(10 seconds).", nil},
		"cron":       {"cron(0 1 * * * *)", "ValidationException", "Invalid Schedule Expression cron(0 1 * * * *).", nil},
		"zoned at":   {"at(2021-12-31T23:59:59Z)", "ValidationException", "Invalid Schedule Expression at(2021-12-31T23:59:59Z).", nil},
		"group":      {"rate(1 minute)", "ResourceNotFoundException", "Schedule group g does not exist.", func(in *sdk.CreateScheduleInput) { in.GroupName = aws.String("g") }},
		"zone":       {"rate(1 minute)", "ValidationException", "Timezone", func(in *sdk.CreateScheduleInput) { in.ScheduleExpressionTimezone = aws.String("Mars/North") }},
		"service": {"rate(1 minute)", "NotImplemented", "aws-sdk:s3:putObject", func(in *sdk.CreateScheduleInput) {
			in.Target.Arn = aws.String("arn:aws:scheduler:::aws-sdk:s3:putObject")
		}},
		"role": {"rate(1 minute)", "ValidationException", "must allow AWS EventBridge Scheduler to assume the role", func(in *sdk.CreateScheduleInput) { in.Target.RoleArn = aws.String(role + "/untrusting") }},
		"task": {"rate(1 minute)", "ValidationException", "EcsParameters are required", func(in *sdk.CreateScheduleInput) {
			in.Target.Arn = aws.String("arn:aws:ecs:us-east-1:000000000000:cluster/c")
		}},
		"no JSON": {"rate(1 minute)", "ValidationException", "Invalid Input", func(in *sdk.CreateScheduleInput) {
			in.Target.Arn, in.Target.Input = aws.String(function), aws.String("{")
		}},
		"window": {"rate(1 minute)", "ValidationException", "MaximumWindowInMinutes", func(in *sdk.CreateScheduleInput) { in.FlexibleTimeWindow.Mode = types.FlexibleTimeWindowModeFlexible }},
		"dead": {"rate(1 minute)", "ValidationException", "dead-letter", func(in *sdk.CreateScheduleInput) {
			in.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: aws.String(queue + ".fifo")}
		}},
	} {
		change := tc.change
		if change == nil {
			change = func(*sdk.CreateScheduleInput) {}
		}
		if err := w.schedule(t, tc.expression, change); !refused(err, tc.code, tc.message) {
			t.Errorf("%s: got %v, want %s: %s", name, err, tc.code, tc.message)
		}
	}
}

func TestTaskOfASchedule(t *testing.T) {
	w := boot(t)
	w.times(t, "rate(1 minute)", w.now.Add(time.Minute), func(in *sdk.CreateScheduleInput) {
		in.Target.Arn, in.Target.Input = aws.String("arn:aws:ecs:us-east-1:000000000000:cluster/c"), aws.String(`{"containerOverrides":[]}`)
		in.Target.EcsParameters = &types.EcsParameters{TaskDefinitionArn: aws.String("d:1"), LaunchType: types.LaunchTypeFargate,
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}}
	})
	m := w.seen[0]
	if m.Task["taskDefinition"] != "d:1" || m.Task["launchType"] != "FARGATE" || m.Body != `{"containerOverrides":[]}` {
		t.Errorf("ECS is asked for %+v with %s", m.Task, m.Body)
	}
}

func TestGroupsHoldSchedules(t *testing.T) {
	w := boot(t)
	ctx, g := t.Context(), aws.String("g")
	out, err := w.CreateScheduleGroup(ctx, &sdk.CreateScheduleGroupInput{Name: g, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateScheduleGroup(ctx, &sdk.CreateScheduleGroupInput{Name: g}); !refused(err, "ConflictException", "already exists") {
		t.Errorf("a second group: %v", err)
	}
	for _, name := range []string{"a", "b", "c"} {
		if err := w.schedule(t, "rate(1 day)", func(in *sdk.CreateScheduleInput) { in.Name, in.GroupName = &name, g }); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	pages := sdk.NewListSchedulesPaginator(w.Client, &sdk.ListSchedulesInput{GroupName: g, MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Schedules {
			names = append(names, *s.Name)
		}
	}
	if strings.Join(names, "") != "abc" {
		t.Errorf("listed %v", names)
	}
	if _, err := w.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: out.ScheduleGroupArn, TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := w.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: out.ScheduleGroupArn})
	if err != nil || len(tags.Tags) != 0 {
		t.Errorf("tags %v, %v", tags, err)
	}
	if _, err := w.DeleteScheduleGroup(ctx, &sdk.DeleteScheduleGroupInput{Name: g}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.GetSchedule(ctx, &sdk.GetScheduleInput{Name: aws.String("a"), GroupName: g}); !refused(err, "ResourceNotFoundException", "") {
		t.Errorf("a schedule outlived its group: %v", err)
	}
}

func TestScheduleIsToldAsItWasMade(t *testing.T) {
	w := boot(t)
	if err := w.schedule(t, "rate(2 minute)"); err != nil {
		t.Fatal(err)
	}
	got, err := w.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: aws.String("s")})
	if err != nil {
		t.Fatal(err)
	}
	if *got.ScheduleExpression != "rate(2 minute)" || *got.ScheduleExpressionTimezone != "UTC" || got.ActionAfterCompletion != types.ActionAfterCompletionNone ||
		*got.Target.RetryPolicy.MaximumEventAgeInSeconds != 86400 || *got.Target.RetryPolicy.MaximumRetryAttempts != 185 {
		t.Errorf("got %+v with %+v", got, got.Target.RetryPolicy)
	}
	if err := w.schedule(t, "rate(1 day)"); !refused(err, "ConflictException", "Schedule s already exists.") {
		t.Errorf("a second schedule of the name: %v", err)
	}
}
