package local_test

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// function makes the echo function and returns its name and ARN.
func function(ctx context.Context) (name, arn string) {
	GinkgoHelper()
	name = unique("function")
	out := must(root.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: &name, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String(role(ctx, "lambda.amazonaws.com", policy(allow("*", "logs:*", "sqs:SendMessage")))), Code: &types.FunctionCode{ZipFile: must(echoZip())}}))
	return name, *out.FunctionArn
}

var _ = Describe("Lambda", func() {
	It("runs a function, and tells how it failed", func(ctx SpecContext) {
		name, _ := function(ctx)
		out := must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`{"n":1}`), LogType: types.LogTypeTail}))
		Expect(string(out.Payload)).To(Equal(`{"n":1}`))
		Expect(string(must(base64.StdEncoding.DecodeString(*out.LogResult)))).To(And(ContainSubstring(`got {"n":1}`), ContainSubstring("REPORT RequestId: ")))
		out = must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`"fail"`)}))
		Expect(aws.ToString(out.FunctionError)).To(Equal("Unhandled"))
		Expect(string(out.Payload)).To(And(ContainSubstring(`"errorMessage":"asked to fail"`), ContainSubstring(`"errorType":"errorString"`)))
		dry := must(root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeDryRun}))
		Expect(dry.StatusCode).To(BeEquivalentTo(204))
	})

	It("refuses an invocation beyond the reserved concurrency", func(ctx SpecContext) {
		name, _ := function(ctx)
		must(root.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: aws.Int32(0)}))
		_, err := root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name})
		Expect(err).To(refuseWith("TooManyRequestsException"))
	})

	It("is denied by name, and forgets what is deleted", func(ctx SpecContext) {
		name, arn := function(ctx)
		_, err := as(ctx, allow("*", "s3:*")).lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name})
		Expect(err).To(refuseWith("AccessDeniedException", "lambda:InvokeFunction on resource: "+arn))
		must(root.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name}))
		_, err = root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name})
		Expect(err).To(refuseWith("ResourceNotFoundException"))
	})

	It("is run by a state machine that may, and by no other", func(ctx SpecContext) {
		name, arn := function(ctx)
		definition := fmt.Sprintf(`{"StartAt":"F","States":{"F":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":%q,"Payload.$":"$"},"OutputPath":"$.Payload","End":true}}}`, name)
		done := ended(ctx, execute(ctx, root, machine(ctx, definition, allow(arn, "lambda:InvokeFunction")), `{"n":2}`))
		Expect(aws.ToString(done.Output)).To(Equal(`{"n":2}`), aws.ToString(done.Cause))
		done = ended(ctx, execute(ctx, root, machine(ctx, definition), `{}`))
		Expect(*done.Cause).To(ContainSubstring("is not authorized to perform: lambda:InvokeFunction on resource: " + arn))
	})
})
