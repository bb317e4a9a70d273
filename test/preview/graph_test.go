package preview_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"engage/infra/stack"
	"engage/internal/resource"
)

// One stack lives through all of this, from what stops its first deployment to
// its end.
var _ = Describe("The whole graph", Ordered, func() {
	var (
		e   *endpoint
		p   *project
		see *sdk
		dir string
	)

	BeforeAll(func() {
		dir = filepath.Join(built.dir, "whole")
		e = start(filepath.Join(dir, "endpoint"))
		see = newSDK(e.URL)
		p = newProject(dir, built.infra, e.Port)
		p.set("dist", built.dist)
	})
	AfterAll(func() {
		if e != nil {
			e.stop()
		}
	})

	// fails runs an up that has to fail and say so in one line with the words, and
	// to lose nothing from the state.
	fails := func(words ...string) {
		GinkgoHelper()
		before := p.count()
		o := p.up()
		Expect(o.failed).To(BeTrue(), o.text)
		Expect(o.errors()).To(ContainElement(And(contain(words)...)), o.text)
		Expect(p.count()).To(BeNumerically(">=", before))
	}

	It("is not deployed without a build, and says what makes one", func() {
		p.set("dist", filepath.Join(dir, "nowhere"))
		fails("dist: ", "nowhere has no pre-cleanup-lambda.zip", `run "task build"`)
		p.set("dist", built.dist)
	})

	It("is not deployed with settings out of range, and says all of them", func() {
		p.set("logRetentionDays", "42")
		p.set("monthlyBudgetUSD", "0")
		fails("logRetentionDays: 42 is not one of", "monthlyBudgetUSD: 0 is not above 0", "pulumi config set")
		p.set("logRetentionDays", "365")
		p.set("monthlyBudgetUSD", "500")
	})

	It("is not deployed with another passphrase", func() {
		p.env["PULUMI_CONFIG_PASSPHRASE"] = "wrong"
		o := p.up()
		p.env["PULUMI_CONFIG_PASSPHRASE"] = "right"
		Expect(o.failed).To(BeTrue(), o.text)
		Expect(o.errors()).To(ConsistOf(ContainSubstring("incorrect passphrase")), o.text)
	})

	It("can be previewed, and a preview makes nothing", func(ctx context.Context) {
		o := p.must("preview", "--stack", "local").measured("preview of all")
		Expect(o.changes()["to create"]).To(BeNumerically(">", 200))
		Expect(see.left(ctx)).To(BeEmpty())
	})

	It("stops at what exists already, and keeps what it made", func(ctx context.Context) {
		// The role that another program left behind.
		name := aws.String(string(resource.ScheduleRole))
		trust := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
		must(see.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: trust}))
		fails("create aws:iam/role:Role", "EntityAlreadyExists")
		Expect(p.count()).To(BeNumerically(">", 0))
		must(see.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}))
	})

	It("goes on from there to the end", func() {
		made := p.count()
		o := p.up().measured("up, after a failure")
		Expect(o.failed).To(BeFalse(), o.text)
		Expect(o.changes()).To(HaveKeyWithValue("unchanged", BeNumerically(">=", made)))
		Expect(p.count()).To(BeNumerically(">", 200))
	})

	It("does not change when nothing did", func() {
		o := p.up().measured("second up")
		Expect(o.failed).To(BeFalse(), o.text)
		Expect(o.changes()).To(HaveLen(1), o.text)
		Expect(o.changes()["unchanged"]).To(BeNumerically(">", 200))
		preview := p.must("preview", "--stack", "local", "--expect-no-changes").measured("preview without change")
		Expect(preview.changes()).To(HaveLen(1), preview.text)
	})

	It("does not drift", func() {
		o := p.must("refresh", "--stack", "local", "--yes", "--skip-preview", "--expect-no-changes").measured("refresh")
		Expect(o.changes()).To(HaveLen(1), o.text)
	})

	It("is what AWS's own clients see", func(ctx context.Context) {
		var buckets []string
		for _, b := range resource.Buckets() {
			buckets = append(buckets, env.Bucket(b))
		}
		Expect(see.buckets(ctx)).To(ConsistOf(buckets))
		Expect(see.functions(ctx)).To(ConsistOf(sorted(stack.PipelineFunctions()...)))
		Expect(see.machines(ctx)).To(ConsistOf(string(resource.MLPipeline)))
		Expect(see.roles(ctx)).To(ContainElements(string(resource.StepFunctionsRole), string(resource.ECSExecutionRole),
			string(resource.TrainingTask.Role()), string(resource.DataPrep.Role())))
		Expect(see.keys(ctx)).To(HaveLen(len(resource.Keys())))
		Expect(see.groups(ctx)).To(HaveKeyWithValue(string(resource.TrailLogGroup), int32(365)))
	})

	It("runs the functions that it declares, as their roles", func(ctx context.Context) {
		Expect(see.invoke(ctx, string(resource.DataPrep), map[string]string{"say": "hello"})).To(HaveKeyWithValue("say", "hello"))
		write := func(l resource.Location) map[string]any {
			return see.invoke(ctx, string(resource.DataPrep), map[string]string{"bucket": env.Bucket(l.Bucket), "key": l.Prefix + "written-by-a-spec"})
		}
		Expect(write(resource.Raw)).To(HaveKeyWithValue("code", ""))
		for _, l := range []resource.Location{resource.Registry, resource.Scored, resource.Landing, resource.Trail} {
			Expect(write(l)).To(HaveKeyWithValue("code", "AccessDenied"), string(l.Bucket)+"/"+l.Prefix)
		}
	})

	It("lets nobody take a role whom it does not trust", func(ctx context.Context) {
		_, err := sts.NewFromConfig(see.config).AssumeRole(ctx, &sts.AssumeRoleInput{
			RoleArn: aws.String(string(env.RoleARN(resource.PreCleanup.Role()))), RoleSessionName: aws.String("spec"),
		})
		var refused smithy.APIError
		Expect(errors.As(err, &refused)).To(BeTrue())
		Expect(refused.ErrorCode()).To(Equal("AccessDenied"))
	})

	It("follows an edit that updates", func(ctx context.Context) {
		p.set("logRetentionDays", "400")
		o := p.up().measured("up that updates log groups")
		Expect(o.failed).To(BeFalse(), o.text)
		groups := see.groups(ctx)
		Expect(o.changes()["updated"]).To(Equal(len(groups)), o.text)
		Expect(o.changes()).NotTo(Or(HaveKey("created"), HaveKey("replaced"), HaveKey("deleted")), o.text)
		for name, days := range groups {
			Expect(days).To(Equal(int32(400)), name)
		}
	})

	It("follows an edit that replaces", func(ctx context.Context) {
		before := p.resources()
		p.set("cidr", "10.30.0.0/16")
		o := p.up().measured("up that replaces the network")
		Expect(o.failed).To(BeFalse(), o.text)
		after := p.resources()
		for _, token := range []string{"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"} {
			Expect(after[token]).To(HaveLen(len(before[token])), token)
			for _, id := range before[token] {
				Expect(after[token]).NotTo(ContainElement(id), token)
			}
		}
		Expect(after["aws:s3/bucketV2:BucketV2"]).To(ConsistOf(before["aws:s3/bucketV2:BucketV2"]))
		arn := string(env.StateMachineARN(resource.MLPipeline))
		definition := *must(see.sfn.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &arn})).Definition
		for _, id := range after["aws:ec2/subnet:Subnet"] {
			Expect(definition).To(ContainSubstring(id))
		}
		Expect(p.must("preview", "--stack", "local", "--expect-no-changes").failed).To(BeFalse())
	})

	It("waits for whoever holds the lock, by name", func() {
		lock := filepath.Join(p.dir, "state", ".pulumi", "locks", "organization", "engage", "local", "other.json")
		Expect(os.MkdirAll(filepath.Dir(lock), 0o755)).To(Succeed())
		Expect(os.WriteFile(lock, []byte(`{"pid":1,"username":"somebody","hostname":"elsewhere","timestamp":"2026-11-23T00:00:00Z"}`), 0o600)).To(Succeed())
		before := p.count()
		o := p.up()
		Expect(os.Remove(lock)).To(Succeed())
		Expect(o.failed).To(BeTrue(), o.text)
		Expect(o.text).To(And(ContainSubstring("the stack is currently locked"), ContainSubstring("somebody@elsewhere"), ContainSubstring("pulumi cancel")))
		Expect(p.count()).To(Equal(before))
	})

	It("survives that its endpoint is killed, and goes on", func(ctx context.Context) {
		before := p.count()
		p.set("logRetentionDays", "365")
		c := p.command("up", "--stack", "local", "--yes", "--skip-preview")
		var said strings.Builder
		c.Stdout, c.Stderr = &said, &said
		Expect(c.Start()).To(Succeed())
		Eventually(func(g Gomega) { g.Expect(see.groups(ctx)).To(ContainElement(int32(365))) }, "60s", "5ms").Should(Succeed())
		e.kill()
		Expect(c.Wait()).NotTo(Succeed(), said.String())
		Expect(p.count()).To(Equal(before), "the state lost something")

		fails("")
		e = start(e.dir)
		p.door, see = e.Port, newSDK(e.URL)
		o := p.up().measured("up, after a kill")
		Expect(o.failed).To(BeFalse(), o.text)
		Expect(p.must("refresh", "--stack", "local", "--yes", "--skip-preview", "--expect-no-changes").changes()).To(HaveLen(1))
		for name, days := range see.groups(ctx) {
			Expect(days).To(Equal(int32(365)), name)
		}
	})

	It("goes, and leaves nothing", func(ctx context.Context) {
		o := p.run("destroy", "--stack", "local", "--yes", "--skip-preview").measured("destroy")
		Expect(o.failed).To(BeFalse(), o.text)
		Expect(p.count()).To(BeZero())
		Expect(see.left(ctx)).To(BeEmpty())
	})

	It("comes again where it has been, in one go", func() {
		o := p.up().measured("up of all")
		Expect(o.failed).To(BeFalse(), o.text)
		Expect(o.changes()["created"]).To(BeNumerically(">", 200))
	})
})

func contain(words []string) []types.GomegaMatcher {
	var out []types.GomegaMatcher
	for _, w := range words {
		out = append(out, ContainSubstring(w))
	}
	return out
}
