// Package stack declares engage's AWS graph: one file a layer, each a function of
// the layers below it. Names come from package resource, which the handlers and
// workers share; nothing here is public, and no policy has a wildcard action.
package stack

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// Outputs are what a stack tells its users.
type Outputs struct {
	Buckets       pulumi.StringMap
	Workgroup     pulumi.StringOutput
	Cluster       pulumi.StringOutput
	Repository    pulumi.StringOutput
	StateMachine  pulumi.StringOutput
	AlertTopic    pulumi.StringOutput
	Functions     pulumi.StringMap
	Subnets       pulumi.StringArray
	SecurityGroup pulumi.StringOutput
}

// Export makes them the stack's outputs.
func (o Outputs) Export(ctx *pulumi.Context) {
	ctx.Export("buckets", o.Buckets)
	ctx.Export("workgroup", o.Workgroup)
	ctx.Export("cluster", o.Cluster)
	ctx.Export("repository", o.Repository)
	ctx.Export("stateMachine", o.StateMachine)
	ctx.Export("alertTopic", o.AlertTopic)
	ctx.Export("functions", o.Functions)
	ctx.Export("subnets", o.Subnets)
	ctx.Export("tasksSecurityGroup", o.SecurityGroup)
}

// scope is what every layer needs: where it declares, and what names are.
type scope struct {
	ctx *pulumi.Context
	cfg Config
	env resource.Environment
}

// Deploy declares the graph. REQUIRES: cfg is valid.
func Deploy(ctx *pulumi.Context, cfg Config) (Outputs, error) {
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
	if err != nil {
		return Outputs{}, fmt.Errorf("ask who deploys: %w", err)
	}
	s := scope{ctx: ctx, cfg: cfg, env: resource.Environment{Kind: cfg.Kind, Account: caller.AccountId, Region: cfg.Region}}
	if err := s.env.Validate(); err != nil {
		return Outputs{}, err
	}
	return s.deploy()
}

// deploy declares the layers, lowest first.
func (s scope) deploy() (Outputs, error) {
	keys, err := newKeys(s)
	if err != nil {
		return Outputs{}, fmt.Errorf("declare keys: %w", err)
	}
	buckets, err := newStorage(s, keys)
	if err != nil {
		return Outputs{}, fmt.Errorf("declare storage: %w", err)
	}
	net, err := newNetwork(s, keys, buckets)
	if err != nil {
		return Outputs{}, fmt.Errorf("declare network: %w", err)
	}
	messages, err := newMessages(s, keys)
	if err != nil {
		return Outputs{}, fmt.Errorf("declare messages: %w", err)
	}
	queries, err := newCatalog(s, keys, buckets)
	if err != nil {
		return Outputs{}, fmt.Errorf("declare catalog: %w", err)
	}
	code, err := newCompute(s, keys, buckets, net, messages, queries)
	if err != nil {
		return Outputs{}, fmt.Errorf("declare compute: %w", err)
	}
	machine, err := newPipeline(s, keys, net, messages, code)
	if err != nil {
		return Outputs{}, fmt.Errorf("declare pipeline: %w", err)
	}
	if err := newSecurity(s, keys, buckets, messages, code); err != nil {
		return Outputs{}, fmt.Errorf("declare security: %w", err)
	}
	if err := newObservability(s, keys, messages, code, machine); err != nil {
		return Outputs{}, fmt.Errorf("declare observability: %w", err)
	}
	return s.outputs(buckets, queries, code, machine, messages, net), nil
}

func (s scope) outputs(b buckets, q catalog, c compute, m machine, a messages, n network) Outputs {
	o := Outputs{
		Buckets: pulumi.StringMap{}, Functions: pulumi.StringMap{}, Workgroup: q.workgroup.Name, Cluster: c.cluster.Name,
		Repository: c.repository.RepositoryUrl, StateMachine: m.machine.Arn, AlertTopic: a.alerts.Arn, SecurityGroup: n.tasks.ID().ToStringOutput(),
	}
	for name, bucket := range b {
		o.Buckets[string(name)] = bucket.Bucket.Bucket
	}
	for name, f := range c.functions {
		o.Functions[string(name)] = f.Function.Arn
	}
	for _, subnet := range n.subnets {
		o.Subnets = append(o.Subnets, subnet.ID().ToStringOutput())
	}
	return o
}
