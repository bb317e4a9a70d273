package lambda_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"engage/internal/localaws/lambda"
	"engage/internal/localaws/wire"
)

func TestLifecycle(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	ctx := t.Context()
	in := function("f", "h", good)
	in.Code = &types.FunctionCode{ZipFile: good}
	in.Tags = map[string]string{"a": "b"}
	if out := e.create(t, in); out.State != types.StatePending {
		t.Errorf("created %v", out.State)
	}
	_, err := e.CreateFunction(ctx, in)
	wantCode(t, err, "ResourceConflictException")
	name := &awslambda.GetFunctionInput{FunctionName: aws.String("f")}
	if err := awslambda.NewFunctionActiveV2Waiter(e.Client).Wait(ctx, name, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	got, err := e.GetFunction(ctx, name)
	if err != nil || got.Tags["a"] != "b" || *got.Configuration.Timeout != 3 || *got.Configuration.MemorySize != 128 {
		t.Fatalf("%+v %v", got, err)
	}
	r, err := http.Get(*got.Code.Location)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if zip, _ := io.ReadAll(r.Body); !bytes.Equal(zip, good) {
		t.Error("the location gives another zip")
	}
	updated, err := e.UpdateFunctionConfiguration(ctx, &awslambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), Handler: aws.String("exit1"), MemorySize: aws.Int32(256), RevisionId: got.Configuration.RevisionId,
	})
	if err != nil || updated.LastUpdateStatus != types.LastUpdateStatusInProgress {
		t.Fatalf("%v %v", updated, err)
	}
	_, err = e.UpdateFunctionConfiguration(ctx, &awslambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), RevisionId: got.Configuration.RevisionId})
	wantCode(t, err, "PreconditionFailedException")
	if out := e.invoke(t, "f", `{}`); out.FunctionError != nil {
		t.Errorf("%s", out.Payload)
	}
	if _, err := e.UpdateFunctionCode(ctx, &awslambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: bad}); err != nil {
		t.Fatal(err)
	}
	if out := e.invoke(t, "f", `{}`); out.FunctionError == nil {
		t.Error("the old code ran")
	}
	e.create(t, function("g", "h", good))
	list := awslambda.NewListFunctionsPaginator(e.Client, &awslambda.ListFunctionsInput{MaxItems: aws.Int32(1)})
	var names []string
	for list.HasMorePages() {
		page, err := list.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	if strings.Join(names, " ") != "f g" {
		t.Errorf("listed %v", names)
	}
	if _, err := e.DeleteFunction(ctx, &awslambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
		t.Fatal(err)
	}
	_, err = e.GetFunction(ctx, name)
	wantCode(t, err, "ResourceNotFoundException")
}

func TestPermissionsAndTags(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	ctx := t.Context()
	arn := e.create(t, function("f", "h", good)).FunctionArn
	add := &awslambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("sns.amazonaws.com"), SourceArn: aws.String("arn:aws:sns:eu-west-1:000000000000:t"),
	}
	out, err := e.AddPermission(ctx, add)
	const want = `{"Sid":"s","Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:eu-west-1:000000000000:function:f","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:sns:eu-west-1:000000000000:t"}}}`
	if err != nil || *out.Statement != want {
		t.Fatalf("%v %v", out, err)
	}
	_, err = e.AddPermission(ctx, add)
	wantCode(t, err, "ResourceConflictException")
	if policy, err := e.service.Policy(*arn); err != nil || policy != `{"Version":"2012-10-17","Id":"default","Statement":[`+want+`]}` {
		t.Errorf("%s %v", policy, err)
	}
	if _, err := e.RemovePermission(ctx, &awslambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("s")}); err != nil {
		t.Error(err)
	}
	_, err = e.GetPolicy(ctx, &awslambda.GetPolicyInput{FunctionName: aws.String("f")})
	wantCode(t, err, "ResourceNotFoundException")
	if _, err := e.TagResource(ctx, &awslambda.TagResourceInput{Resource: arn, Tags: map[string]string{"a": "1", "b": "2"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.UntagResource(ctx, &awslambda.UntagResourceInput{Resource: arn, TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := e.ListTags(ctx, &awslambda.ListTagsInput{Resource: arn})
	if err != nil || len(tags.Tags) != 1 || tags.Tags["b"] != "2" {
		t.Errorf("%v %v", tags, err)
	}
}

func TestRefusedFunctions(t *testing.T) {
	e := boot(t, t.TempDir(), func(c *lambda.Config) { c.Objects = nil })
	small, err := pack("bootstrap", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for code, changes := range map[string][]func(*awslambda.CreateFunctionInput){
		"ValidationException": {
			func(in *awslambda.CreateFunctionInput) { in.FunctionName = aws.String("a b") },
			func(in *awslambda.CreateFunctionInput) { in.FunctionName = aws.String(strings.Repeat("x", 65)) },
			func(in *awslambda.CreateFunctionInput) { in.MemorySize = aws.Int32(64) },
			func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(901) },
			func(in *awslambda.CreateFunctionInput) { in.Role = aws.String("role") },
			func(in *awslambda.CreateFunctionInput) { in.Handler = aws.String("a b") },
		},
		"InvalidParameterValueException": {
			func(in *awslambda.CreateFunctionInput) { in.Handler = nil },
			func(in *awslambda.CreateFunctionInput) { in.Runtime = types.RuntimePython312 },
			func(in *awslambda.CreateFunctionInput) { in.Code = &types.FunctionCode{} },
			func(in *awslambda.CreateFunctionInput) { in.Code.ZipFile = []byte("no zip") },
			func(in *awslambda.CreateFunctionInput) {
				in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}
			},
			func(in *awslambda.CreateFunctionInput) {
				in.Environment = &types.Environment{Variables: map[string]string{"BIG": strings.Repeat("x", 5000)}}
			},
			func(in *awslambda.CreateFunctionInput) {
				in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:s3:::b")}
			},
		},
		"NotImplemented": {
			func(in *awslambda.CreateFunctionInput) { in.PackageType = types.PackageTypeImage },
			func(in *awslambda.CreateFunctionInput) { in.Layers = []string{"l"} },
			func(in *awslambda.CreateFunctionInput) {
				in.Architectures = []types.Architecture{"riscv"}
			},
			func(in *awslambda.CreateFunctionInput) {
				in.Code = &types.FunctionCode{S3Bucket: aws.String("b"), S3Key: aws.String("k")}
			},
		},
	} {
		for _, change := range changes {
			in := function("f", "h", small)
			change(in)
			_, err := e.CreateFunction(t.Context(), in)
			wantCode(t, err, code)
		}
	}
}

// bucket stands for S3.
type bucket map[string][]byte

func (b bucket) Open(_ context.Context, _ wire.Caller, name, key, _ string) (io.ReadCloser, error) {
	data, ok := b[name+"/"+key]
	if !ok {
		return nil, wire.StatusErrorf(404, "NoSuchKey", "The specified key does not exist.")
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// distrustful is a credentials source whose roles trust nobody.
type distrustful struct{}

func (distrustful) Assume(context.Context, string, string, wire.Caller) (lambda.Session, error) {
	return lambda.Session{}, wire.AccessDenied("no")
}

func TestCodeFromS3(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	in := function("f", "h", nil)
	in.Code = &types.FunctionCode{S3Bucket: aws.String("code"), S3Key: aws.String("good")}
	e.create(t, in)
	if out := e.invoke(t, "f", `{"Value":"x"}`); out.FunctionError != nil {
		t.Errorf("%s", out.Payload)
	}
	in.FunctionName, in.Code.S3Key = aws.String("g"), aws.String("none")
	_, err := e.CreateFunction(t.Context(), in)
	wantCode(t, err, "InvalidParameterValueException")
}

func TestRoleThatCannotBeAssumed(t *testing.T) {
	e := boot(t, t.TempDir(), func(c *lambda.Config) { c.Credentials = distrustful{} })
	_, err := e.CreateFunction(t.Context(), function("f", "h", good))
	wantCode(t, err, "InvalidParameterValueException")
}

// noLogs denies logs alone.
type noLogs struct{}

func (noLogs) Authorize(_ context.Context, call *wire.Call, accesses []wire.Access) error {
	if strings.HasPrefix(accesses[0].Action, "logs:") {
		return wire.Denied(call.Caller, accesses[0], "no identity-based policy allows it")
	}
	return nil
}

func TestRoleThatMayNotLog(t *testing.T) {
	e := boot(t, t.TempDir(), func(c *lambda.Config) { c.Authorizer = noLogs{} })
	e.create(t, function("f", "h", good))
	if out := e.invoke(t, "f", `{"Op":"print","Value":"lost"}`); out.FunctionError != nil {
		t.Errorf("%s", out.Payload)
	}
	if err := e.service.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if groups, err := e.logs.DescribeLogGroups(t.Context(), nil); err != nil || len(groups.LogGroups) != 0 {
		t.Errorf("%v %v", groups, err)
	}
}

func TestPending(t *testing.T) {
	e := boot(t, t.TempDir(), func(c *lambda.Config) { c.Pending = time.Hour })
	e.create(t, function("f", "h", good))
	_, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f")})
	wantCode(t, err, "ResourceConflictException")
	got, err := e.GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil || got.State != types.StatePending || got.StateReasonCode != types.StateReasonCodeCreating {
		t.Errorf("%v %v", got, err)
	}
}

func TestJSONLogs(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	in := function("f", "h", good)
	in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, LogGroup: aws.String("mine")}
	e.create(t, in)
	e.invoke(t, "f", `{}`)
	if log := e.printed(t, "mine"); !strings.Contains(log, `"type":"platform.start"`) || !strings.Contains(log, `"initDurationMs"`) {
		t.Errorf("log: %s", log)
	}
}
