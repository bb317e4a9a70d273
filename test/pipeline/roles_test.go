package pipeline_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	presource "github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/infra/stack"
	"engage/internal/pipeline"
	"engage/internal/resource"
)

// policies are the policies that the stack gives to roles, by role.
var policies = sync.OnceValues(func() (map[string]string, error) {
	p := &policyMonitor{policies: map[string]string{}}
	cfg := stack.Defaults(resource.Local)
	cfg.ImageTag = "spec"
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := stack.Deploy(ctx, cfg)
		return err
	}, pulumi.WithMocks("engage", "local", p))
	return p.policies, err
})

// policyMonitor makes nothing and notes the policies of roles.
type policyMonitor struct {
	mu       sync.Mutex
	policies map[string]string
}

// NewResource gives each resource an ARN; that of a key is of every key.
func (p *policyMonitor) NewResource(args pulumi.MockResourceArgs) (string, presource.PropertyMap, error) {
	out := args.Inputs.Copy()
	arn := "arn:aws:none:::" + args.Name
	switch args.TypeToken {
	case "aws:kms/key:Key":
		arn = fmt.Sprintf("arn:aws:kms:%s:%s:key/*", environment.Region, environment.Account)
	case "aws:iam/rolePolicy:RolePolicy":
		p.mu.Lock()
		p.policies[args.Inputs["role"].StringValue()] = args.Inputs["policy"].StringValue()
		p.mu.Unlock()
	}
	for _, name := range []presource.PropertyKey{"defaultNetworkAclId", "defaultRouteTableId", "prefixListId", "repositoryUrl", "url", "keyId"} {
		out[name] = presource.NewProperty("x")
	}
	out["arn"] = presource.NewProperty(arn)
	return args.Name, out, nil
}

// Call answers what the program asks.
func (p *policyMonitor) Call(args pulumi.MockCallArgs) (presource.PropertyMap, error) {
	if args.Token == "aws:index/getCallerIdentity:getCallerIdentity" {
		return presource.NewPropertyMapFromMap(map[string]any{"accountId": environment.Account}), nil
	}
	return presource.NewPropertyMapFromMap(map[string]any{"names": []any{"a", "b", "c"}}), nil
}

// in returns the world as a function's role sees it, with the policy that the
// stack gives it and no other.
func (w *world) in(ctx context.Context, f resource.Function) *world {
	GinkgoHelper()
	policy := must(policies())[string(f.Role())]
	Expect(policy).NotTo(BeEmpty(), string(f))
	Expect(len(policy)).To(BeNumerically("<", 10240), "IAM's limit of a role's inline policies")
	roles, name := iam.NewFromConfig(w.config), aws.String(string(f.Role()))
	out := must(roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name,
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + environment.Account + `"},"Action":"sts:AssumeRole"}]}`)}))
	must(roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("permissions"), PolicyDocument: &policy}))
	c := must(sts.NewFromConfig(w.config).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: out.Role.Arn, RoleSessionName: aws.String("spec")})).Credentials
	return as(w.endpoint, *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

var _ = Describe("The handlers in their roles", func() {
	It("do all of a run, twice, and score again, with what the stack allows them", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.land(ctx, "sound")
		w.put(ctx, resource.Models, "engagement/v1.0/model.json", []byte("1"))
		cleaner, preparer, validator := w.in(ctx, resource.PreCleanup), w.in(ctx, resource.DataPrep), w.in(ctx, resource.DataValidation)
		reviewer, joiner := w.in(ctx, resource.CreateQATable), w.in(ctx, resource.CreateResultsTable)
		var first pipeline.Results
		for i, mode := range []pipeline.Mode{pipeline.TrainAndScore, pipeline.TrainAndScore, pipeline.ScoreOnly} {
			in := run(mode, "")
			in.RunID = fmt.Sprint("run-", i)
			cleaned := must(cleaner.clean().Handle(ctx, in))
			if i > 0 {
				Expect(cleaned.TablesDropped).To(Equal(map[pipeline.Mode]int{
					pipeline.TrainAndScore: len(resource.Tables()) + len(resource.Views()), pipeline.ScoreOnly: 3 + 5,
				}[mode]))
			}
			in.Dataset = must(preparer.prepare().Handle(ctx, in)).Dataset
			must(validator.validate().Handle(ctx, in))
			if mode == pipeline.TrainAndScore {
				w.put(ctx, resource.Models, "engagement/v1.0/metadata.json", []byte(`{"algorithm":"xgboost","metrics":{"rmse":0.125,"r2":0.5}}`))
			}
			w.score(ctx)
			must(reviewer.review().Handle(ctx, in))
			out := must(joiner.results().Handle(ctx, in))
			if i == 0 {
				first = out
			}
			Expect(out.Records).To(Equal(first.Records))
			Expect(out.Partitions).To(Equal(first.Partitions))
		}
	})

	It("touch nothing else", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.land(ctx, "sound")
		must(w.prepare().Handle(ctx, run(pipeline.TrainAndScore, "")))
		cleaner, reviewer := w.in(ctx, resource.PreCleanup), w.in(ctx, resource.CreateQATable)
		for _, l := range []resource.Location{resource.Landing, resource.Runs} {
			w.put(ctx, l.Bucket, l.Key("x"), []byte("1"))
			_, err := cleaner.store.Erase(ctx, l)
			Expect(err).To(HaveOccurred(), l.Prefix)
		}
		Expect(reviewer.store.Put(ctx, resource.Results, resource.Final.Key("x"), nil, "")).NotTo(Succeed())
		Expect(cleaner.store.Put(ctx, resource.Data, resource.Raw.Key("x"), nil, "")).NotTo(Succeed())
	})
})
