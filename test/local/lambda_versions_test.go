package local_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// published makes a function with two versions that differ in a variable, and returns its name and ARN.
func published(ctx context.Context) (name, arn string) {
	GinkgoHelper()
	name, arn = function(ctx)
	must(root.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &name, Description: aws.String("first")}))
	must(root.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &name,
		Environment: &types.Environment{Variables: map[string]string{"STAGE": "two"}}}))
	must(root.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &name}))
	return name, arn
}

// ran invokes a function and returns the version that ran.
func ran(ctx context.Context, in *lambda.InvokeInput) string {
	GinkgoHelper()
	out := must(root.lambda.Invoke(ctx, in))
	Expect(aws.ToString(out.FunctionError)).To(BeEmpty(), string(out.Payload))
	return aws.ToString(out.ExecutedVersion)
}

var _ = Describe("Lambda versions and aliases", func() {
	It("keeps what was published, and runs it by its number", func(ctx SpecContext) {
		name, arn := published(ctx)
		again := must(root.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &name}))
		Expect(*again.Version).To(Equal("2"), "nothing has changed since")
		Expect(*again.FunctionArn).To(Equal(arn + ":2"))
		first := must(root.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name, Qualifier: aws.String("1")}))
		Expect(*first.Description).To(Equal("first"))
		Expect(first.Environment).To(BeNil())
		all := must(root.lambda.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: &name})).Versions
		Expect([]string{*all[0].Version, *all[1].Version, *all[2].Version}).To(Equal([]string{"$LATEST", "1", "2"}))
		Expect(ran(ctx, &lambda.InvokeInput{FunctionName: &name})).To(Equal("$LATEST"))
		Expect(ran(ctx, &lambda.InvokeInput{FunctionName: &name, Qualifier: aws.String("1")})).To(Equal("1"))
		Expect(ran(ctx, &lambda.InvokeInput{FunctionName: aws.String(arn + ":2")})).To(Equal("2"))
		_, err := root.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Qualifier: aws.String("3")})
		Expect(err).To(refuseWith("ResourceNotFoundException", "Function not found: "+arn+":3"))
	})

	It("publishes with a create and with an update, and checks what is published", func(ctx SpecContext) {
		name := unique("function")
		made := must(root.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: &name, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("h"), Publish: true,
			Role: aws.String(role(ctx, "lambda.amazonaws.com", policy(allow("*", "logs:*")))), Code: &types.FunctionCode{ZipFile: must(echoZip())}}))
		Expect(*made.Version).To(Equal("1"))
		Expect(lambda.NewFunctionActiveV2Waiter(root.lambda).Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute)).To(Succeed())
		updated := must(root.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, Publish: true, ZipFile: must(functionZip("./testdata/batch"))}))
		Expect(*updated.Version).To(Equal("2"))
		Expect(*updated.CodeSha256).NotTo(Equal(*made.CodeSha256))
		Expect(lambda.NewFunctionUpdatedV2Waiter(root.lambda).Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute)).To(Succeed())
		_, err := root.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &name, CodeSha256: made.CodeSha256})
		Expect(err).To(refuseWith("InvalidParameterValueException", "is different from current CodeSHA256 in $LATEST"))
		_, err = root.lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &name, RevisionId: aws.String("no")})
		Expect(err).To(refuseWith("PreconditionFailedException"))
		first := must(root.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name, Qualifier: aws.String("1")}))
		code := must(http.Get(*first.Code.Location))
		defer code.Body.Close()
		Expect(must(io.ReadAll(code.Body))).To(Equal(must(echoZip())))
	})

	It("routes an alias, by weight where it has two versions", func(ctx SpecContext) {
		name, arn := published(ctx)
		made := must(root.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("1")}))
		Expect(*made.AliasArn).To(Equal(arn + ":live"))
		Expect(ran(ctx, &lambda.InvokeInput{FunctionName: &name, Qualifier: aws.String("live")})).To(Equal("1"))
		must(root.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: &name, Name: aws.String("live"),
			RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.5}}}))
		Eventually(ctx, func() string { return ran(ctx, &lambda.InvokeInput{FunctionName: aws.String(arn + ":live")}) }).Should(Equal("2"))
		Eventually(ctx, func() string { return ran(ctx, &lambda.InvokeInput{FunctionName: aws.String(arn + ":live")}) }).Should(Equal("1"))
		_, err := root.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name, Qualifier: aws.String("2")})
		Expect(err).To(refuseWith("ResourceConflictException", "live"))
		got := must(root.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &name, Name: aws.String("live")}))
		Expect(got.RoutingConfig.AdditionalVersionWeights).To(Equal(map[string]float64{"2": 0.5}))
		Expect(must(root.lambda.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &name, FunctionVersion: aws.String("2")})).Aliases).To(HaveLen(1))
		must(root.lambda.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &name, Name: aws.String("live")}))
		must(root.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name, Qualifier: aws.String("2")}))
		_, err = root.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &name, Name: aws.String("live")})
		Expect(err).To(refuseWith("ResourceNotFoundException", "Cannot find alias arn: "+arn+":live"))
	})

	// The words are those that AWS was recorded with.
	It("refuses aliases in AWS's words", func(ctx SpecContext) {
		name, arn := published(ctx)
		create := func(alias, version string, weights map[string]float64) error {
			in := &lambda.CreateAliasInput{FunctionName: &name, Name: &alias, FunctionVersion: &version}
			if weights != nil {
				in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
			}
			_, err := root.lambda.CreateAlias(ctx, in)
			return err
		}
		Expect(create("a", "1", map[string]float64{"1": 0.1, "2": 0.1})).To(refuseWith("InvalidParameterValueException", "cannot be greater than 1"))
		Expect(create("a", "1", map[string]float64{"2": 2})).To(refuseWith("ValidationException", "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights'"))
		Expect(create("a", "1", map[string]float64{"1": 0.5})).To(refuseWith("InvalidParameterValueException", "Function version 1 is already included"))
		Expect(create("a", "10", nil)).To(refuseWith("ResourceNotFoundException", "Function not found: "+arn+":10"))
		Expect(create("a", "$LATEST", map[string]float64{"1": 0.5})).To(refuseWith("InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version"))
		Expect(create("1", "1", nil)).To(refuseWith("ValidationException", "'name'"))
		Expect(create("a", "$LATEST", nil)).To(Succeed())
		Expect(create("a", "1", nil)).To(refuseWith("ResourceConflictException", "Alias already exists: "+arn+":a"))
	})

	It("lets a policy and a configuration of events be of one qualifier", func(ctx SpecContext) {
		name, arn := published(ctx)
		must(root.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("1")}))
		who := role(ctx, "", policy(allow("*", "s3:ListAllMyBuckets")))
		must(root.lambda.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: &name, Qualifier: aws.String("live"), StatementId: aws.String("s"),
			Action: aws.String("lambda:InvokeFunction"), Principal: &who}))
		worker := assume(ctx, assumeInput(who))
		must(worker.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Qualifier: aws.String("live")}))
		_, err := worker.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Qualifier: aws.String("1")})
		Expect(err).To(refuseWith("AccessDeniedException", "lambda:InvokeFunction on resource: "+arn+":1"))
		must(root.lambda.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: &name, Qualifier: aws.String("live"), MaximumRetryAttempts: aws.Int32(0)}))
		configs := must(root.lambda.ListFunctionEventInvokeConfigs(ctx, &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: &name})).FunctionEventInvokeConfigs
		Expect(configs).To(HaveLen(1))
		Expect(*configs[0].FunctionArn).To(Equal(arn + ":live"))
		_, err = root.lambda.GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: &name})
		Expect(err).To(refuseWith("ResourceNotFoundException", fmt.Sprintf("The function %s:$LATEST doesn't have an EventInvokeConfig", arn)))
	})
})
