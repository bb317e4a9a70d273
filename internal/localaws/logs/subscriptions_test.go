package logs_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/wire"
)

// functions takes what is sent to them, from the regional principal alone.
type functions struct{ payloads [][]byte }

func (f *functions) Start(_ context.Context, caller wire.Caller, arn, kind string, payload []byte) error {
	if caller.Service != "logs.eu-west-1.amazonaws.com" || strings.HasSuffix(arn, ":absent") {
		return wire.AccessDenied("no")
	}
	if kind == "Event" {
		f.payloads = append(f.payloads, payload)
	}
	return nil
}

func refused(err error, code, message string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code && strings.Contains(api.ErrorMessage(), message)
}

func (e *endpoint) group(t *testing.T, name string) {
	t.Helper()
	if _, err := e.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &name, LogStreamName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
}

const function = "arn:aws:lambda:eu-west-1:000000000000:function:f"

func TestSubscribersGetWhatTheyAskFor(t *testing.T) {
	e := boot(t, t.TempDir())
	e.group(t, "g")
	ctx := t.Context()
	put := &cloudwatchlogs.PutSubscriptionFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("f"), FilterPattern: aws.String("ERROR"), DestinationArn: aws.String(function)}
	if _, err := e.PutSubscriptionFilter(ctx, put); err != nil {
		t.Fatal(err)
	}
	if _, err := e.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: []types.InputLogEvent{
		{Timestamp: aws.Int64(e.now.Load()), Message: aws.String("fine")}, {Timestamp: aws.Int64(e.now.Load()), Message: aws.String("ERROR x")}}}); err != nil {
		t.Fatal(err)
	}
	if err := e.service.Forward(ctx); err != nil {
		t.Fatal(err)
	}
	if len(e.functions.payloads) != 1 {
		t.Fatalf("%d invocations, want 1", len(e.functions.payloads))
	}
	var outer struct{ Awslogs struct{ Data []byte } }
	if err := json.Unmarshal(e.functions.payloads[0], &outer); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(outer.Awslogs.Data))
	if err != nil {
		t.Fatal(err)
	}
	var inner struct {
		MessageType, LogGroup, LogStream string
		LogEvents                        []struct{ Message string }
	}
	if err := json.NewDecoder(z).Decode(&inner); err != nil {
		t.Fatal(err)
	}
	if inner.MessageType != "DATA_MESSAGE" || inner.LogGroup != "g" || inner.LogStream != "s" || len(inner.LogEvents) != 1 || inner.LogEvents[0].Message != "ERROR x" {
		t.Errorf("the function got %+v", inner)
	}
}

func TestSubscriptionsAreRefused(t *testing.T) {
	e := boot(t, t.TempDir())
	e.group(t, "g")
	for name, tc := range map[string]struct{ group, destination, code, message string }{
		"no permission":   {"g", strings.TrimSuffix(function, "f") + "absent", "InvalidParameterException", "Make sure you have given CloudWatch Logs permission"},
		"another account": {"g", strings.Replace(function, "000000000000", "111111111111", 1), "AccessDeniedException", "Cross-account lambda invocation"},
		"a stream":        {"g", "arn:aws:kinesis:eu-west-1:000000000000:stream/s", "InvalidParameterException", "cannot be used without roleArn"},
		"no group":        {"x", function, "ResourceNotFoundException", "The specified log group does not exist."},
	} {
		_, err := e.PutSubscriptionFilter(t.Context(), &cloudwatchlogs.PutSubscriptionFilterInput{LogGroupName: &tc.group, FilterName: aws.String("f"), FilterPattern: aws.String(""), DestinationArn: &tc.destination})
		if !refused(err, tc.code, tc.message) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for i, want := range []bool{true, true, false} {
		_, err := e.PutSubscriptionFilter(t.Context(), &cloudwatchlogs.PutSubscriptionFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String(string(rune('a' + i))), FilterPattern: aws.String(""), DestinationArn: aws.String(function)})
		if (err == nil) != want || !want && !refused(err, "LimitExceededException", "Resource limit exceeded.") {
			t.Errorf("filter %d: %v", i, err)
		}
	}
}

func TestMetricFiltersAreKeptAndCounted(t *testing.T) {
	e := boot(t, t.TempDir())
	ctx := t.Context()
	for _, group := range []string{"g", "h"} {
		e.group(t, group)
		if _, err := e.PutMetricFilter(ctx, &cloudwatchlogs.PutMetricFilterInput{LogGroupName: &group, FilterName: aws.String("f-" + group), FilterPattern: aws.String(" "),
			MetricTransformations: []types.MetricTransformation{{MetricName: aws.String("m-" + group), MetricNamespace: aws.String("n"), MetricValue: aws.String("1"), DefaultValue: aws.Float64(0)}}}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := e.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{FilterNamePrefix: aws.String("f-")})
	if err != nil || len(all.MetricFilters) != 2 || *all.MetricFilters[0].FilterPattern != " " || *all.MetricFilters[0].MetricTransformations[0].DefaultValue != 0 {
		t.Errorf("described %+v, %v", all, err)
	}
	one, err := e.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{MetricName: aws.String("m-h"), MetricNamespace: aws.String("n")})
	if err != nil || len(one.MetricFilters) != 1 || *one.MetricFilters[0].LogGroupName != "h" {
		t.Errorf("by metric %+v, %v", one, err)
	}
	groups, err := e.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("g")})
	if err != nil || *groups.LogGroups[0].MetricFilterCount != 1 {
		t.Errorf("counted %+v, %v", groups, err)
	}
	matched, err := e.TestMetricFilter(ctx, &cloudwatchlogs.TestMetricFilterInput{FilterPattern: aws.String(`{ $.level = "ERROR" }`), LogEventMessages: []string{`{"level":"INFO"}`, `{"level":"ERROR"}`}})
	if err != nil || len(matched.Matches) != 1 || matched.Matches[0].EventNumber != 2 {
		t.Errorf("matched %+v, %v", matched, err)
	}
	matched, err = e.TestMetricFilter(ctx, &cloudwatchlogs.TestMetricFilterInput{FilterPattern: aws.String("[ip, status]"), LogEventMessages: []string{"127.0.0.1 200"}})
	if err != nil || len(matched.Matches) != 1 || matched.Matches[0].ExtractedValues["$status"] != "200" {
		t.Errorf("extracted %+v, %v", matched, err)
	}
	if _, err := e.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("f-g")}); err != nil {
		t.Error(err)
	}
	if _, err := e.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("f-g")}); !refused(err, "ResourceNotFoundException", "metric filter") {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestResourcePolicies(t *testing.T) {
	e := boot(t, t.TempDir())
	ctx := t.Context()
	document := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"route53.amazonaws.com"},"Action":"logs:PutLogEvents","Resource":"*"}]}`)
	for i := range 11 {
		_, err := e.PutResourcePolicy(ctx, &cloudwatchlogs.PutResourcePolicyInput{PolicyName: aws.String(string(rune('a' + i))), PolicyDocument: document})
		if (err == nil) != (i < 10) || i == 10 && !refused(err, "LimitExceededException", "Resource limit exceeded.") {
			t.Errorf("policy %d: %v", i, err)
		}
	}
	out, err := e.DescribeResourcePolicies(ctx, &cloudwatchlogs.DescribeResourcePoliciesInput{Limit: aws.Int32(4)})
	if err != nil || len(out.ResourcePolicies) != 4 || out.NextToken == nil {
		t.Errorf("described %+v, %v", out, err)
	}
	_, err = e.DeleteResourcePolicy(ctx, &cloudwatchlogs.DeleteResourcePolicyInput{PolicyName: aws.String("zz")})
	if !refused(err, "ResourceNotFoundException", "Policy with name [zz] does not exist.") {
		t.Errorf("deleted: %v", err)
	}
}

func TestGroupsAreListedByPattern(t *testing.T) {
	e := boot(t, t.TempDir())
	for _, name := range []string{"/aws/lambda/a", "/aws/lambda/b", "other"} {
		e.group(t, name)
	}
	out, err := e.ListLogGroups(t.Context(), &cloudwatchlogs.ListLogGroupsInput{LogGroupNamePattern: aws.String("^/aws/.*[ab]$")})
	if err != nil || len(out.LogGroups) != 2 {
		t.Errorf("listed %+v, %v", out, err)
	}
}
