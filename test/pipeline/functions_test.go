package pipeline_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/pack"
	"engage/internal/pipeline"
	"engage/internal/resource"
	rotatesecret "engage/lambdas/rotate-secret"
)

// built is the zip of a function's main: one static binary called bootstrap.
func built(ctx context.Context, directory string) []byte {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	program, packed := filepath.Join(dir, "bootstrap"), filepath.Join(dir, "function.zip")
	Expect(pack.Compile(ctx, pack.Program{Dir: "../..", Package: "./lambdas/" + directory + "/cmd", Arch: "amd64"}, program)).To(Succeed())
	Expect(pack.ZipFile(packed, program)).To(Succeed())
	return must(os.ReadFile(packed))
}

// function makes a function as the stack does: its role, limits and environment.
func (w *world) function(ctx context.Context, f resource.Function, code []byte, environment map[string]string) (arn string) {
	GinkgoHelper()
	roles, role := iam.NewFromConfig(w.config), aws.String(string(f.Role()))
	out := must(roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: role,
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))
	must(roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("permissions"), PolicyDocument: aws.String(must(policies())[*role])}))
	limits := f.Limits()
	made := must(lambda.NewFromConfig(w.config).CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(string(f)), Role: out.Role.Arn, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &types.FunctionCode{ZipFile: code}, Timeout: aws.Int32(int32(limits.Timeout.Seconds())), MemorySize: aws.Int32(int32(limits.MemoryMB)),
		Environment: &types.Environment{Variables: environment},
	}))
	return *made.FunctionArn
}

// variables is a function's environment, as the stack sets it.
func variables() map[string]string {
	out := map[string]string{string(resource.WorkgroupVar): string(resource.AnalyticsWorkgroup), string(resource.LogLevelVar): "info"}
	for name, value := range environment.Buckets() {
		out[string(name)] = value
	}
	return out
}

// invoke runs a function and returns its answer, its error's name and the end of its log.
func (w *world) invoke(ctx context.Context, f resource.Function, in any) (answer []byte, failure, log string) {
	GinkgoHelper()
	out := must(lambda.NewFromConfig(w.config).Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(string(f)), Payload: must(json.Marshal(in)), LogType: types.LogTypeTail}))
	log = string(must(base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))))
	if out.FunctionError != nil {
		var told struct{ ErrorType string }
		Expect(json.Unmarshal(out.Payload, &told)).To(Succeed())
		failure = told.ErrorType
	}
	return out.Payload, failure, log
}

var _ = Describe("The functions as Lambda runs them", func() {
	It("prepare data, log in JSON, and fail by name", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.function(ctx, resource.DataPrep, built(ctx, "data-prep"), variables())
		_, failure, log := w.invoke(ctx, resource.DataPrep, run(pipeline.TrainAndScore, "nothing/"))
		Expect(failure).To(Equal(pipeline.InvalidInput), log)
		w.land(ctx, "sound")
		answer, failure, log := w.invoke(ctx, resource.DataPrep, run(pipeline.TrainAndScore, ""))
		Expect(failure).To(BeEmpty(), log)
		var out pipeline.Preparation
		Expect(json.Unmarshal(answer, &out)).To(Succeed())
		Expect(out.InferenceRecords).To(BeEquivalentTo(rows))
		Expect(log).To(And(ContainSubstring(`"statement":"create training_data"`), ContainSubstring(`"run_id":"run-1"`)))
		Expect(log).NotTo(ContainSubstring("CUST_"))
		must(iam.NewFromConfig(w.config).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String(string(resource.DataPrep.Role())), PolicyName: aws.String("no"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"athena:StartQueryExecution","Resource":"*"}]}`)}))
		answer, failure, _ = w.invoke(ctx, resource.DataPrep, run(pipeline.TrainAndScore, ""))
		Expect(failure).To(Equal(pipeline.AccessDenied))
		Expect(string(answer)).To(ContainSubstring("athena:StartQueryExecution"))
	}, SpecTimeout(3*time.Minute))

	It("give a secret a new key when Secrets Manager asks", func(ctx SpecContext) {
		w := newWorld(ctx)
		arn := w.function(ctx, resource.RotateSecret, built(ctx, "rotate-secret"), nil)
		must(lambda.NewFromConfig(w.config).AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: &arn, StatementId: aws.String("rotate"),
			Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("secretsmanager.amazonaws.com")}))
		secrets, name := secretsmanager.NewFromConfig(w.config), aws.String(string(resource.APIKey))
		must(secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, KmsKeyId: aws.String(resource.SecretKey.Alias()), SecretString: aws.String("first")}))
		must(secrets.RotateSecret(ctx, &secretsmanager.RotateSecretInput{SecretId: name, RotationLambdaARN: &arn,
			RotationRules: &smtypes.RotationRulesType{AutomaticallyAfterDays: aws.Int64(30)}}))
		var value string
		Eventually(ctx, func() string {
			value = aws.ToString(must(secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: name})).SecretString)
			return value
		}).WithTimeout(time.Minute).ShouldNot(Equal("first"))
		Expect(base64.StdEncoding.DecodeString(value)).To(HaveLen(rotatesecret.KeyBytes))
		Expect(strings.TrimSpace(value)).To(Equal(value))
	}, SpecTimeout(3*time.Minute))
})
