package logs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/logs"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
)

// endpoint is a service behind a real listener, with a clock that tests move.
type endpoint struct {
	*cloudwatchlogs.Client
	service   *logs.Service
	functions functions
	now       atomic.Int64
	dir       string
}

func boot(t *testing.T, dir string) *endpoint {
	t.Helper()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{dir: dir}
	e.now.Store(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).UnixMilli())
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	e.service, err = logs.New(logs.Config{
		Store: store, Functions: &e.functions, SegmentSize: 200, Meter: srv.Meter(), Clock: func() time.Time { return time.UnixMilli(e.now.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Register(e.service.Wire())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(srv.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	e.Client = cloudwatchlogs.New(cloudwatchlogs.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	return e
}

func (e *endpoint) create(t *testing.T, group string, streams ...string) {
	t.Helper()
	if _, err := e.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}); err != nil {
		t.Fatal(err)
	}
	for _, s := range streams {
		if _, err := e.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &s}); err != nil {
			t.Fatal(err)
		}
	}
}

// put keeps messages a second apart, beginning seconds from now.
func (e *endpoint) put(t *testing.T, group, stream string, seconds int64, messages ...string) *cloudwatchlogs.PutLogEventsOutput {
	t.Helper()
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream}
	for i, m := range messages {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Message: &m, Timestamp: aws.Int64(e.now.Load() + 1000*(seconds+int64(i)))})
	}
	out, err := e.PutLogEvents(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func texts(events []types.OutputLogEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, *e.Message)
	}
	return strings.Join(all, " ")
}

func TestGetLogEventsPages(t *testing.T) {
	e := boot(t, t.TempDir())
	e.create(t, "g", "s")
	e.put(t, "g", "s", 10, "5", "6")
	e.put(t, "g", "s", 0, "1", "2", "3", "4")
	get := func(in cloudwatchlogs.GetLogEventsInput) *cloudwatchlogs.GetLogEventsOutput {
		t.Helper()
		in.LogGroupName, in.LogStreamName, in.Limit = aws.String("g"), aws.String("s"), aws.Int32(4)
		out, err := e.GetLogEvents(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	head := get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true)})
	next := get(cloudwatchlogs.GetLogEventsInput{NextToken: head.NextForwardToken})
	end := get(cloudwatchlogs.GetLogEventsInput{NextToken: next.NextForwardToken})
	if texts(head.Events) != "1 2 3 4" || texts(next.Events) != "5 6" || len(end.Events) != 0 || *end.NextForwardToken != *next.NextForwardToken {
		t.Errorf("forward: %s | %s | %s", texts(head.Events), texts(next.Events), texts(end.Events))
	}
	tail := get(cloudwatchlogs.GetLogEventsInput{})
	before := get(cloudwatchlogs.GetLogEventsInput{NextToken: tail.NextBackwardToken})
	if texts(tail.Events) != "3 4 5 6" || texts(before.Events) != "1 2" {
		t.Errorf("backward: %s | %s", texts(tail.Events), texts(before.Events))
	}
	window := get(cloudwatchlogs.GetLogEventsInput{StartTime: aws.Int64(e.now.Load() + 1000), EndTime: aws.Int64(e.now.Load() + 3000)})
	if texts(window.Events) != "2 3" {
		t.Errorf("window: %s", texts(window.Events))
	}
	e.put(t, "g", "s", 20, "7")
	if more := get(cloudwatchlogs.GetLogEventsInput{NextToken: end.NextForwardToken}); texts(more.Events) != "7" {
		t.Errorf("after the end: %s", texts(more.Events))
	}
	_, err := e.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), NextToken: aws.String("x")})
	wantCode(t, err, "InvalidParameterException")
}

func TestFilterLogEvents(t *testing.T) {
	e := boot(t, t.TempDir())
	e.create(t, "g", "a", "b")
	e.put(t, "g", "a", 0, `{"level":"ERROR","n":4}`, `{"level":"INFO","n":9}`)
	e.put(t, "g", "b", 0, `{"level":"ERROR","n":5}`, `{"level":"ERROR","n":1}`)
	pager := cloudwatchlogs.NewFilterLogEventsPaginator(e.Client, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("g"), FilterPattern: aws.String(`{ $.level = "ERROR" && $.n > 3 }`), Limit: aws.Int32(1),
	})
	var got []string
	for pager.HasMorePages() {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range page.Events {
			got = append(got, *ev.LogStreamName+*ev.Message)
		}
	}
	if want := `[a{"level":"ERROR","n":4} b{"level":"ERROR","n":5}]`; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	filter := func(in cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
		in.LogGroupName = aws.String("g")
		return e.FilterLogEvents(t.Context(), &in)
	}
	if out, err := filter(cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{"b"}}); err != nil || len(out.Events) != 2 {
		t.Errorf("of one stream: %v %v", out, err)
	}
	_, err := filter(cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{"none"}})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = filter(cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("{ $.a = }")})
	wantCode(t, err, "InvalidParameterException")
	_, err = filter(cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("%x+%")})
	wantCode(t, err, "NotImplemented")
}

func TestGroups(t *testing.T) {
	e := boot(t, t.TempDir())
	ctx := t.Context()
	e.create(t, "/aws/lambda/f", "s1", "s2")
	e.create(t, "other")
	_, err := e.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("other")})
	wantCode(t, err, "ResourceAlreadyExistsException")
	_, err = e.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("a b")})
	wantCode(t, err, "InvalidParameterException")
	if _, err := e.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: aws.String("other"), KmsKeyId: aws.String("arn:aws:kms:k")}); err != nil {
		t.Fatal(err)
	}
	arn := aws.String("arn:aws:logs:eu-west-1:000000000000:log-group:other")
	if _, err := e.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"k": "v", "l": "w"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.UntagResource(ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"l"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := e.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 1 || tags.Tags["k"] != "v" {
		t.Errorf("tags %v %v", tags, err)
	}
	first, err := e.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{Limit: aws.Int32(1)})
	if err != nil || len(first.LogGroups) != 1 || first.NextToken == nil {
		t.Fatalf("first page %v %v", first, err)
	}
	second, err := e.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{Limit: aws.Int32(1), NextToken: first.NextToken})
	if err != nil || len(second.LogGroups) != 1 || *second.LogGroups[0].KmsKeyId != "arn:aws:kms:k" || *second.LogGroups[0].Arn != *arn+":*" {
		t.Errorf("second page %v %v", second, err)
	}
	if _, err := e.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("/aws/lambda/f")}); err != nil {
		t.Fatal(err)
	}
	_, err = e.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/aws/lambda/f")})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestStreamsByTime(t *testing.T) {
	e := boot(t, t.TempDir())
	e.create(t, "g", "a", "b", "c")
	e.put(t, "g", "b", 2, "x")
	e.put(t, "g", "a", 1, "x")
	out, err := e.DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{
		LogGroupName: aws.String("g"), OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true), Limit: aws.Int32(2),
	})
	if err != nil || *out.LogStreams[0].LogStreamName != "b" || *out.LogStreams[1].LogStreamName != "a" || out.NextToken == nil {
		t.Errorf("%v %v", out, err)
	}
	if _, err := e.DeleteLogStream(t.Context(), &cloudwatchlogs.DeleteLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("b")}); err != nil {
		t.Fatal(err)
	}
	e2, _ := os.ReadDir(e.dir + "/logs")
	if len(e2) != 1 {
		t.Errorf("%d streams have files, want 1", len(e2))
	}
}

func TestRetention(t *testing.T) {
	e := boot(t, t.TempDir())
	e.create(t, "g", "s")
	long := strings.Repeat("x", 300) // a file for each batch
	e.put(t, "g", "s", 0, "old"+long)
	if _, err := e.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(3)}); err != nil {
		t.Fatal(err)
	}
	e.now.Add((3*24*time.Hour + time.Second).Milliseconds())
	out, err := e.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g")})
	if err != nil || len(out.Events) != 0 {
		t.Errorf("expired events are visible: %v %v", out, err)
	}
	e.put(t, "g", "s", 0, "new")
	if rejected := e.put(t, "g", "s", -4*24*3600, "expired").RejectedLogEventsInfo; rejected == nil || *rejected.ExpiredLogEventEndIndex != 1 {
		t.Errorf("rejected %v", rejected)
	}
	if rejected := e.put(t, "g", "s", 3*3600, "future").RejectedLogEventsInfo; rejected == nil || *rejected.TooNewLogEventStartIndex != 0 {
		t.Errorf("rejected %v", rejected)
	}
	if _, err := e.DeleteRetentionPolicy(t.Context(), &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: aws.String("g")}); err != nil {
		t.Fatal(err)
	}
	out, err = e.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g")})
	if err != nil || len(out.Events) != 1 || *out.Events[0].Message != "new" {
		t.Errorf("expired events came back: %v %v", out, err)
	}
	_, err = e.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(4)})
	wantCode(t, err, "InvalidParameterException")
}

func TestPutLimits(t *testing.T) {
	e := boot(t, t.TempDir())
	e.create(t, "g", "s")
	put := func(events ...types.InputLogEvent) error {
		_, err := e.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: events})
		return err
	}
	event := func(at int64, size int) types.InputLogEvent {
		return types.InputLogEvent{Message: aws.String(strings.Repeat("m", size)), Timestamp: aws.Int64(e.now.Load() + at)}
	}
	wantCode(t, put(event(0, 256<<10)), "InvalidParameterException")
	big := event(0, 250<<10)
	wantCode(t, put(big, big, big, big, big), "InvalidParameterException")
	wantCode(t, put(event(1, 1), event(0, 1)), "InvalidParameterException")
	if err := e.service.Append(t.Context(), "000000000000", "eu-west-1", "g", "s", []logs.Event{{Time: e.now.Load(), Message: strings.Repeat("m", 3<<20)}}); err != nil {
		t.Fatal(err)
	}
	total := 0
	pager := cloudwatchlogs.NewFilterLogEventsPaginator(e.Client, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g")})
	for pager.HasMorePages() {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range page.Events {
			total += len(*ev.Message)
		}
	}
	if total != 3<<20 {
		t.Errorf("%d bytes came back of 3 MiB", total)
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	t.Run("before", func(t *testing.T) {
		e := boot(t, dir)
		if err := e.service.Create(t.Context(), "000000000000", "eu-west-1", "g", "s"); err != nil {
			t.Fatal(err)
		}
		e.put(t, "g", "s", 0, "kept", "also")
	})
	e := boot(t, dir)
	if err := e.service.Create(t.Context(), "000000000000", "eu-west-1", "g", "s"); err != nil {
		t.Fatal(err)
	}
	out, err := e.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")})
	if err != nil || texts(out.Events) != "kept also" {
		t.Errorf("%v %v", out, err)
	}
}
