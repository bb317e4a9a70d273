package local_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// trouble makes the function that does what its event says.
func trouble(ctx context.Context, change func(*lambda.CreateFunctionInput)) string {
	GinkgoHelper()
	return functionOf(ctx, "./testdata/trouble", change, "sqs:SendMessage")
}

func timeout(seconds int32) func(*lambda.CreateFunctionInput) {
	return func(in *lambda.CreateFunctionInput) { in.Timeout = &seconds }
}

// failure is what a function's error has in its payload.
type failure struct{ ErrorType, ErrorMessage string }

// fails invokes a function and returns how it failed, with the last of its log.
func fails(ctx context.Context, name, event string) (f failure, tail string) {
	GinkgoHelper()
	out := must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(event), LogType: types.LogTypeTail}))
	Expect(aws.ToString(out.FunctionError)).To(Equal("Unhandled"), string(out.Payload[:min(len(out.Payload), 200)]))
	Expect(json.Unmarshal(out.Payload, &f)).To(Succeed())
	return f, string(must(base64.StdEncoding.DecodeString(*out.LogResult)))
}

// instance is what the function tells of itself.
type instance struct {
	Process, Count int
	Trace, ARN     string
}

func answered(ctx context.Context, name, event string, options ...func(*lambda.Options)) (i instance) {
	GinkgoHelper()
	out := must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(event)}, options...))
	Expect(aws.ToString(out.FunctionError)).To(BeEmpty(), string(out.Payload))
	Expect(json.Unmarshal(out.Payload, &i)).To(Succeed())
	return i
}

func alive(ctx context.Context) {
	GinkgoHelper()
	Expect(raw(ctx, http.MethodGet, "/_localstack/health", "").status).To(Equal(http.StatusOK))
}

var _ = Describe("A Lambda function that", func() {
	It("forks and hangs is killed with all that it started", func(ctx SpecContext) {
		name := trouble(ctx, timeout(1))
		f, tail := fails(ctx, name, `{"Mode":"forkhang"}`)
		Expect(f.ErrorType).To(Equal("Sandbox.Timedout"))
		Expect(f.ErrorMessage).To(MatchRegexp(`^RequestId: [-0-9a-f]{36} Error: Task timed out after 1\.00 seconds$`))
		Expect(tail).To(ContainSubstring("Status: timeout"))
		var lines []string
		Eventually(ctx, func() []string { lines = printed(ctx, name, "child"); return lines }).Should(HaveLen(1))
		_, child, _ := strings.Cut(lines[0], " ")
		Eventually(ctx, func() []byte { environ, _ := os.ReadFile("/proc/" + child + "/environ"); return environ }).Should(BeEmpty())
		alive(ctx)
	})

	It("takes too much memory is killed, and says so", func(ctx SpecContext) {
		f, tail := fails(ctx, trouble(ctx, timeout(20)), `{"Mode":"memory"}`)
		Expect(f.ErrorType).To(Equal("Runtime.ExitError"))
		Expect(f.ErrorMessage).To(HaveSuffix("Runtime exited with error: signal: killed"))
		Expect(tail).To(ContainSubstring("Error Type: Runtime.OutOfMemory"))
		alive(ctx)
	})

	It("answers more than 6 MB is told the limit", func(ctx SpecContext) {
		f, _ := fails(ctx, trouble(ctx, nil), `{"Mode":"big"}`)
		Expect(f).To(Equal(failure{"Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}))
		alive(ctx)
	})

	It("prints 100 MB has its log cut", func(ctx SpecContext) {
		name := trouble(ctx, timeout(30))
		answered(ctx, name, `{"Mode":"flood"}`)
		Eventually(ctx, func() []string { return printed(ctx, name, "LOGS TRUNCATED") }).Should(HaveLen(1))
		alive(ctx)
	})

	It("fails, panics or does not come up has AWS's shapes", func(ctx SpecContext) {
		name := trouble(ctx, nil)
		f, _ := fails(ctx, name, `{"Mode":"fail"}`)
		Expect(f).To(Equal(failure{"errorString", "asked to fail"}))
		f, tail := fails(ctx, name, `{"Mode":"panic"}`)
		Expect(f).To(Equal(failure{"string", "on purpose"}))
		Expect(tail).To(ContainSubstring("REPORT RequestId: "))
		name = trouble(ctx, func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"INIT": "exit"}}
		})
		f, _ = fails(ctx, name, `{}`)
		Expect(f.ErrorType).To(Equal("Runtime.ExitError"))
		Expect(f.ErrorMessage).To(HaveSuffix("Runtime exited with error: exit status 3"))
		Eventually(ctx, func() []string { return printed(ctx, name, "about to exit") }).Should(HaveLen(1))
		Expect(printed(ctx, name, "INIT_REPORT")).To(HaveLen(1))
	})

	It("is sent too much is not run", func(ctx SpecContext) {
		name := trouble(ctx, nil)
		payload := func(bytesLong int) []byte {
			return append(append([]byte(`"`), bytes.Repeat([]byte("x"), bytesLong-2)...), '"')
		}
		_, err := root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload(6<<20 + 1)})
		Expect(err).To(refuseWith("RequestTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation"))
		_, err = root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload(1<<20 + 1), InvocationType: types.InvocationTypeEvent})
		Expect(err).To(refuseWith("RequestTooLargeException", "1048576"))
		_, err = root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte("{")})
		Expect(err).To(refuseWith("InvalidRequestContentException", "Could not parse request body into json"))
	})
})

var _ = Describe("A Lambda function", func() {
	It("is used again while it is warm, and knows its trace and its name", func(ctx SpecContext) {
		name := trouble(ctx, nil)
		first := answered(ctx, name, `{}`)
		second := answered(ctx, name, `{}`, func(o *lambda.Options) {
			o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"))
		})
		Expect(second.Process).To(Equal(first.Process))
		Expect(second.Count).To(Equal(first.Count + 1))
		Expect(second.Trace).To(HavePrefix("Root=1-5759e988-bd862e3fe1be46a994272793"))
		Expect(second.ARN).To(HaveSuffix(":function:" + name))
	})

	It("ends what it is at when its code changes, and begins anew", func(ctx SpecContext) {
		name := trouble(ctx, timeout(30))
		file := filepath.Join(GinkgoT().TempDir(), "go")
		event := string(must(json.Marshal(map[string]string{"Mode": "wait", "File": file})))
		old := make(chan instance)
		go func() {
			defer GinkgoRecover()
			old <- answered(ctx, name, event)
		}()
		Eventually(ctx, func() int { return len(here.working(ctx, name)) }).Should(Equal(1))
		must(root.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: must(echoZip())}))
		out := must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`{"new":true}`)}))
		Expect(string(out.Payload)).To(Equal(`{"new":true}`))
		Expect(os.WriteFile(file, nil, 0o600)).To(Succeed())
		Expect((<-old).Count).To(Equal(1))
	})

	It("is refused beyond its reserved concurrency while one is at work", func(ctx SpecContext) {
		name := trouble(ctx, timeout(30))
		must(root.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: aws.Int32(1)}))
		file := filepath.Join(GinkgoT().TempDir(), "go")
		event := string(must(json.Marshal(map[string]string{"Mode": "wait", "File": file})))
		done := make(chan instance)
		go func() {
			defer GinkgoRecover()
			done <- answered(ctx, name, event)
		}()
		Eventually(ctx, func() int { return len(here.working(ctx, name)) }).Should(Equal(1))
		_, err := root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name})
		Expect(err).To(refuseWith("TooManyRequestsException", "Rate Exceeded"))
		Expect(os.WriteFile(file, nil, 0o600)).To(Succeed())
		<-done
		answered(ctx, name, `{}`)
	})

	It("leaves an event that failed to its dead letters and its destination", func(ctx SpecContext) {
		dead, deadARN := queueOf(ctx, nil)
		failed, failedARN := queueOf(ctx, nil)
		name := trouble(ctx, func(in *lambda.CreateFunctionInput) {
			in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: &deadARN}
		})
		must(root.lambda.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: &name, MaximumRetryAttempts: aws.Int32(0),
			DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: &failedARN}}}))
		must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`{"Mode":"fail"}`), InvocationType: types.InvocationTypeEvent}))
		body, attributes := received(ctx, dead)
		Expect(body).To(Equal(`{"Mode":"fail"}`))
		Expect(attributes).To(And(HaveKeyWithValue("ErrorCode", "200"), HaveKeyWithValue("ErrorMessage", "asked to fail"), HaveKey("RequestID")))
		body, _ = received(ctx, failed)
		var record struct {
			RequestContext struct{ Condition, FunctionArn string }
			RequestPayload struct{ Mode string }
		}
		Expect(json.Unmarshal([]byte(body), &record)).To(Succeed())
		Expect(record.RequestContext.Condition).To(Equal("RetriesExhausted"))
		Expect(record.RequestContext.FunctionArn).To(HaveSuffix(":" + name + ":$LATEST"))
		Expect(record.RequestPayload.Mode).To(Equal("fail"))
	})
})

// working returns the processes of a function, by what is in their environment.
func (e *endpoint) working(_ context.Context, function string) (pids []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && bytes.Contains(b, []byte("AWS_LAMBDA_FUNCTION_NAME="+function+"\x00")) && bytes.Contains(b, []byte(e.dir)) {
			pids = append(pids, file)
		}
	}
	return pids
}
