package lambda_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"engage/internal/localaws/lambda"
	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

func TestInvoke(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	in := function("f", "h", good)
	in.Environment = &types.Environment{Variables: map[string]string{"MINE": "yes"}}
	in.Timeout = aws.Int32(10)
	e.create(t, in)
	var first, second struct{ N, Pid int }
	json.Unmarshal(e.invoke(t, "f", `{"Op":"echo","Value":"a"}`).Payload, &first)
	json.Unmarshal(e.invoke(t, "f", `{"Op":"echo","Value":"b"}`).Payload, &second)
	if first.N != 1 || second.N != 2 || first.Pid != second.Pid {
		t.Errorf("not warm: %v %v", first, second)
	}
	out := e.invoke(t, "f", `{"Op":"print","Value":"hello from within"}`)
	tail, _ := base64.StdEncoding.DecodeString(*out.LogResult)
	want := regexp.MustCompile(`(?s)^START RequestId: [-0-9a-f]{36} Version: \$LATEST\nhello from within\nEND RequestId: [-0-9a-f]{36}\nREPORT RequestId: [-0-9a-f]{36}\tDuration: [0-9.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\t\n$`)
	if !want.Match(tail) || *out.ExecutedVersion != "$LATEST" || out.StatusCode != 200 {
		t.Errorf("tail %q", tail)
	}
	out = e.invoke(t, "f", `{"Op":"error","Value":"no luck"}`)
	if string(out.Payload) != `{"errorMessage":"no luck","errorType":"errorString"}` || aws.ToString(out.FunctionError) != "Unhandled" {
		t.Errorf("error: %s %v", out.Payload, out.FunctionError)
	}
	out = e.invoke(t, "f", `{"Op":"panic","Value":"oh"}`)
	if !strings.Contains(string(out.Payload), `"errorMessage":"oh"`) || aws.ToString(out.FunctionError) != "Unhandled" {
		t.Errorf("panic: %s", out.Payload)
	}
	json.Unmarshal(e.invoke(t, "f", `{}`).Payload, &second)
	if second.N != 1 {
		t.Errorf("a process that panicked was used again: %v", second)
	}
	if log := e.printed(t, "/aws/lambda/f"); !strings.Contains(log, "hello from within\n") || strings.Count(log, "INIT_START") != 2 || !strings.Contains(log, "Init Duration") {
		t.Errorf("log:\n%s", log)
	}
	if usage := e.server.Usage().Read(server.Query{Service: "lambda", Resource: "f"}); len(usage) != 2 || usage[1].Amount != 6 {
		t.Errorf("usage %v", usage)
	}
}

func TestEnvironment(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	t.Setenv("OF_THE_PARENT", "1")
	in := function("f", "the.handler", good)
	in.Environment = &types.Environment{Variables: map[string]string{"MINE": "yes"}}
	in.Timeout = aws.Int32(7)
	e.create(t, in)
	var env []string
	if err := json.Unmarshal(e.invoke(t, "f", `{"Op":"env"}`).Payload, &env); err != nil {
		t.Fatal(err)
	}
	all := "\n" + strings.Join(env, "\n") + "\n"
	for _, want := range []string{
		"MINE=yes", "_HANDLER=the.handler", "AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_LAMBDA_FUNCTION_NAME=f",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f",
		"AWS_ENDPOINT_URL=" + e.server.URL(), "AWS_ACCESS_KEY_ID=test", "TZ=:UTC",
	} {
		if !strings.Contains(all, "\n"+want+"\n") {
			t.Errorf("%s is missing in %s", want, all)
		}
	}
	if strings.Contains(all, "OF_THE_PARENT") {
		t.Error("the parent's environment is visible")
	}
	var ctx struct {
		ARN, ID, Trace string
		Left           float64
	}
	json.Unmarshal(e.invoke(t, "f", `{"Op":"context"}`).Payload, &ctx)
	if ctx.ARN != "arn:aws:lambda:eu-west-1:000000000000:function:f" || ctx.Left < 5 || ctx.Left > 7 || !strings.HasPrefix(ctx.Trace, "Root=1-") {
		t.Errorf("context %+v", ctx)
	}
	var name string
	json.Unmarshal(e.invoke(t, "f", `{"Op":"temp"}`).Payload, &name)
	if _, err := os.Stat(name); err != nil {
		t.Error(err)
	}
	if err := e.service.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("the temporary file is still there")
	}
}

func TestMisbehaving(t *testing.T) {
	e := boot(t, t.TempDir(), func(c *lambda.Config) { c.InitTimeout = time.Second; c.LogLimit = 2 << 20 })
	for _, c := range []struct{ handler, wantError, wantMessage, wantLog string }{
		{"hang", "Sandbox.Timedout", `^RequestId: .{36} Error: Task timed out after 1\.00 seconds$`, `Task timed out after 1\.00 seconds`},
		{"exit1", "Runtime.ExitError", `^RequestId: .{36} Error: Runtime exited with error: exit status 1$`, `Error Type: Runtime\.ExitError`},
		{"exit0", "Runtime.ExitError", `Error: Runtime exited without providing a reason$`, `Runtime exited without`},
		{"panic", "Runtime.ExitError", `exit status 2$`, `panic: on purpose`},
		{"initexit", "Runtime.ExitError", `exit status 3$`, `(?s)about to exit.*INIT_REPORT`},
		{"initerror", "Extension.Oops", `^no database$`, `INIT_REPORT`},
		{"inithang", "Sandbox.Timedout", `timed out`, `Status: timeout`},
		{"big", "Function.ResponseSizeTooLarge", `^Response payload size exceeded maximum allowed payload size \(6291556 bytes\)\.$`, `ResponseSizeTooLarge`},
		{"memory", "Runtime.ExitError", `signal: killed$`, `Max Memory Used: 128 MB\tInit Duration: [0-9.]+ ms\tStatus: error\tError Type: Runtime\.OutOfMemory`},
		{"flood", "", "", `LOGS TRUNCATED\] 10\d+ bytes`},
		{"hangafter", "", "", `REPORT`},
	} {
		t.Run(c.handler, func(t *testing.T) {
			in := function(c.handler, c.handler, bad)
			in.Timeout = aws.Int32(1)
			if c.handler == "memory" || c.handler == "flood" {
				in.Timeout = aws.Int32(20)
			}
			e.create(t, in)
			out := e.invoke(t, c.handler, `{}`)
			var got struct{ ErrorType, ErrorMessage string }
			if c.wantError == "" && out.FunctionError != nil {
				t.Errorf("failed: %s", out.Payload)
			} else if c.wantError != "" {
				if err := json.Unmarshal(out.Payload, &got); err != nil || aws.ToString(out.FunctionError) != "Unhandled" {
					t.Errorf("%v %v %.200s", err, out.FunctionError, out.Payload)
				}
			}
			if got.ErrorType != c.wantError || !regexp.MustCompile(c.wantMessage).MatchString(got.ErrorMessage) {
				t.Errorf("got %+v", got)
			}
			if log := e.printed(t, "/aws/lambda/"+c.handler); !regexp.MustCompile(c.wantLog).MatchString(log) {
				t.Errorf("log: %.3000s", log)
			}
		})
	}
}

func TestNoProcessIsLeft(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	e.create(t, function("f", "fork", bad))
	child := string(e.invoke(t, "f", `{}`).Payload)
	if _, err := os.Stat("/proc/" + child + "/environ"); err != nil {
		t.Fatalf("the child %s does not run: %v", child, err)
	}
	if err := e.service.Close(); err != nil {
		t.Fatal(err)
	}
	// A killed child of a killed parent is gone as soon as init has reaped it.
	if environ, _ := os.ReadFile("/proc/" + child + "/environ"); len(environ) > 0 {
		t.Error("a forked child outlived its function")
	}
	_, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f")})
	wantCode(t, err, "ServiceUnavailableException")
}

func TestEntrypoint(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	for name, want := range map[string]string{"other": "Couldn't find valid bootstrap", "bootstrap": "exec format error"} {
		zip, err := pack(name, []byte("not a program"))
		if err != nil {
			t.Fatal(err)
		}
		e.create(t, function(name, "h", zip))
		out := e.invoke(t, name, `{}`)
		if p := string(out.Payload); !strings.Contains(p, "Runtime.InvalidEntrypoint") || !strings.Contains(p, want) {
			t.Errorf("%s: %s", name, p)
		}
	}
}

func TestConcurrency(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	e.create(t, function("f", "h", good))
	put := func(n int32) {
		t.Helper()
		if _, err := e.PutFunctionConcurrency(t.Context(), &awslambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: &n}); err != nil {
			t.Fatal(err)
		}
	}
	put(0)
	_, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f")})
	wantCode(t, err, "TooManyRequestsException")
	put(2)
	var mu sync.Mutex
	throttled, pids := 0, map[string]bool{}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			out, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{"Op":"sleep"}`)})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				wantCode(t, err, "TooManyRequestsException")
				throttled++
				return
			}
			pids[fmt.Sprint(string(out.Payload))] = true
		})
	}
	group.Wait()
	if throttled != 2 || len(pids) != 2 {
		t.Errorf("%d throttled, processes %v", throttled, pids)
	}
	got, err := e.GetFunctionConcurrency(t.Context(), &awslambda.GetFunctionConcurrencyInput{FunctionName: aws.String("f")})
	if err != nil || *got.ReservedConcurrentExecutions != 2 {
		t.Errorf("%v %v", got, err)
	}
	if _, err := e.DeleteFunctionConcurrency(t.Context(), &awslambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String("f")}); err != nil {
		t.Error(err)
	}
}

func TestInvokeErrors(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	e.create(t, function("f", "h", good))
	for _, c := range []struct {
		in   awslambda.InvokeInput
		code string
	}{
		{awslambda.InvokeInput{FunctionName: aws.String("none")}, "ResourceNotFoundException"},
		{awslambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("7")}, "ResourceNotFoundException"},
		{awslambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte("{")}, "InvalidRequestContentException"},
		{awslambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`"` + strings.Repeat("x", 6<<20) + `"`)}, "RequestTooLargeException"},
		{awslambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: "Event", Payload: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)}, "RequestTooLargeException"},
		{awslambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: "Later"}, "ValidationException"},
	} {
		_, err := e.Invoke(t.Context(), &c.in)
		wantCode(t, err, c.code)
	}
	out, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("arn:aws:lambda:eu-west-1:000000000000:function:f:$LATEST"), InvocationType: "DryRun"})
	if err != nil || out.StatusCode != 204 {
		t.Errorf("dry run: %v %v", out, err)
	}
}

// TestFreshCode creates and runs many packages at once: a bootstrap that one
// function's instance runs is written while others are forked.
func TestFreshCode(t *testing.T) {
	e := boot(t, t.TempDir(), func(c *lambda.Config) { c.Objects = fresh{} })
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			name := fmt.Sprint("f", i)
			in := function(name, "h", nil)
			in.Code = &types.FunctionCode{S3Bucket: aws.String("b"), S3Key: &name}
			if _, err := e.CreateFunction(t.Context(), in); err != nil {
				t.Error(err)
				return
			}
			out, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: &name})
			if err != nil || out.FunctionError != nil {
				t.Errorf("%v %v", out, err)
			}
		})
	}
	group.Wait()
}

// TestCloseEndsWork closes the service while functions work, one of them
// retired by an update.
func TestCloseEndsWork(t *testing.T) {
	e := boot(t, t.TempDir(), nil)
	in := function("f", "hang", bad)
	in.Timeout = aws.Int32(900)
	e.create(t, in)
	done := make(chan string)
	go func() {
		out, err := e.Invoke(context.Background(), &awslambda.InvokeInput{FunctionName: aws.String("f")})
		if err != nil {
			done <- err.Error()
			return
		}
		done <- string(out.Payload)
	}()
	for { // until it hangs
		logged, err := os.ReadDir(filepath.Join(e.dir, "lambda", "tmp"))
		if err == nil && len(logged) > 0 {
			break
		}
		runtime.Gosched()
	}
	if _, err := e.UpdateFunctionConfiguration(t.Context(), &awslambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Timeout: aws.Int32(800)}); err != nil {
		t.Fatal(err)
	}
	if err := e.service.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-done; !strings.Contains(got, "signal: killed") && !strings.Contains(got, "InternalFailure") {
		t.Error(got)
	}
}

// fresh gives a package of other bytes for each key.
type fresh struct{}

func (fresh) Open(_ context.Context, _ wire.Caller, _, key, _ string) (io.ReadCloser, error) {
	data, err := pack("bootstrap", append(bytes.Clone(binary), key...))
	return io.NopCloser(bytes.NewReader(data)), err
}

// TestLastWords checks that what is printed after an answer is kept too.
func TestLastWords(t *testing.T) {
	dir := t.TempDir()
	t.Run("before", func(t *testing.T) {
		e := boot(t, dir, nil)
		in := function("f", "lastwords", bad)
		in.LoggingConfig = &types.LoggingConfig{LogGroup: aws.String("g")}
		e.create(t, in)
		if _, err := e.PutFunctionConcurrency(t.Context(), &awslambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: aws.Int32(1)}); err != nil {
			t.Fatal(err)
		}
		e.invoke(t, "f", `{}`)
		for { // throttled until the instance is back
			_, err := e.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: "RequestResponse"})
			if err == nil {
				break
			}
			wantCode(t, err, "TooManyRequestsException")
		}
	})
	e := boot(t, dir, nil)
	got, err := e.GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil || got.LoggingConfig.LogFormat != types.LogFormatText {
		t.Errorf("%v %v", got, err)
	}
	if log := e.printed(t, "g"); !strings.Contains(log, "last words\n") {
		t.Errorf("log: %s", log)
	}
}
