// The graph as it is declared: every resource with its inputs, seen by a monitor
// that makes nothing.
package stack_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	presource "github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/infra/stack"
	"engage/internal/resource"
)

func TestStack(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "The declared graph")
}

const (
	testAccount = "123456789012"
	testRegion  = "us-east-1"
)

// declared is a resource as a program declared it.
type declared struct {
	token, name string
	id          string
	arn         string
	parent      string // URN
	provider    string
	in          map[string]any
}

// String is how a failed spec names it.
func (d declared) String() string { return d.token + " " + d.name }

// at returns the value at a path of names: "a", "b" for a.b. Steps into a list
// take its only element.
func (d declared) at(path ...string) any {
	var v any = d.in
	for _, name := range path {
		if l, ok := v.([]any); ok && len(l) == 1 {
			v = l[0]
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (d declared) text(path ...string) string { s, _ := d.at(path...).(string); return s }

func (d declared) texts(path ...string) []string { return texts(d.at(path...)) }

// list returns the objects of a list.
func (d declared) list(path ...string) []declared {
	var out []declared
	l, _ := d.at(path...).([]any)
	for _, e := range l {
		m, _ := e.(map[string]any)
		out = append(out, declared{token: d.token, name: d.name, in: m})
	}
	return out
}

// texts returns a string, or a list of them, as a list.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, fmt.Sprint(e))
		}
		return out
	}
	return nil
}

// graph is a monitor that records what is declared, and the answer of a deploy.
type graph struct {
	mu        sync.Mutex
	resources []declared
	env       resource.Environment
	zones     []string
}

// NewResource gives each resource an identifier and an ARN that tell it from
// others, and the outputs that the program reads.
func (g *graph) NewResource(args pulumi.MockResourceArgs) (string, presource.PropertyMap, error) {
	in := args.Inputs.MapRepl(nil, plain)
	service := strings.Split(strings.TrimPrefix(args.TypeToken, "aws:"), "/")[0]
	d := declared{
		token: args.TypeToken, name: args.Name, id: service + "-" + args.Name, in: in, parent: args.RegisterRPC.GetParent(), provider: args.Provider,
		arn: fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, testRegion, testAccount, short(args.TypeToken), args.Name),
	}
	if name, ok := in["bucket"].(string); ok && args.TypeToken == bucketToken {
		d.id, d.arn = name, "arn:aws:s3:::"+name
	}
	g.mu.Lock()
	g.resources = append(g.resources, d)
	g.mu.Unlock()
	out := args.Inputs.Copy()
	for _, output := range []string{"defaultNetworkAclId", "defaultRouteTableId", "prefixListId", "repositoryUrl", "url", "keyId"} {
		out[presource.PropertyKey(output)] = presource.NewProperty(output + "-of-" + args.Name)
	}
	out["arn"] = presource.NewProperty(d.arn)
	return d.id, out, nil
}

// plain takes values out of what marks them as secret.
func plain(v presource.PropertyValue) (any, bool) {
	if v.IsSecret() {
		return v.SecretValue().Element.MapRepl(nil, plain), true
	}
	return nil, false
}

// Call answers the functions that the program asks.
func (g *graph) Call(args pulumi.MockCallArgs) (presource.PropertyMap, error) {
	switch args.Token {
	case "aws:index/getCallerIdentity:getCallerIdentity":
		return presource.NewPropertyMapFromMap(map[string]any{"accountId": testAccount, "arn": "arn:aws:iam::" + testAccount + ":root"}), nil
	case "aws:index/getAvailabilityZones:getAvailabilityZones":
		return presource.NewPropertyMapFromMap(map[string]any{"names": g.zones}), nil
	}
	return nil, fmt.Errorf("function %s is not expected", args.Token)
}

// short returns the last part of a token, "Bucket" of "aws:s3/bucket:Bucket".
func short(token string) string { return token[strings.LastIndex(token, ":")+1:] }

// deploy declares the graph of a configuration.
func deploy(cfg stack.Config, zones ...string) (*graph, error) {
	if zones == nil {
		zones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}
	}
	g := &graph{zones: zones, env: resource.Environment{Kind: cfg.Kind, Account: testAccount, Region: cfg.Region}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		out, err := stack.Deploy(ctx, cfg)
		if err == nil {
			out.Export(ctx)
		}
		return err
	}, pulumi.WithMocks("engage", "test", g))
	return g, err
}

// kinds are the graphs that specs look at: of each kind of environment, with all
// that is not optional. Each is declared once.
var kinds = map[resource.Kind]func() *graph{
	resource.Local: once(resource.Local), resource.AWS: once(resource.AWS),
}

func once(kind resource.Kind) func() *graph {
	return sync.OnceValue(func() *graph {
		cfg := stack.Defaults(kind)
		cfg.ImageTag = builtTag
		g, err := deploy(cfg)
		if err != nil {
			panic(err)
		}
		return g
	})
}

// onEach describes specs for the graph of each kind of environment.
func onEach(text string, describe func(here func() *graph)) bool {
	return Describe(text, func() {
		for _, kind := range []resource.Kind{resource.Local, resource.AWS} {
			Context("of kind "+string(kind), func() { describe(kinds[kind]) })
		}
	})
}

// of returns the resources of a type.
func (g *graph) of(token string) []declared {
	var out []declared
	for _, d := range g.resources {
		if d.token == token {
			out = append(out, d)
		}
	}
	return out
}

// all returns the resources of a type, of which there must be one at least: a
// spec over none would say nothing.
func (g *graph) all(token string) []declared {
	GinkgoHelper()
	list := g.of(token)
	Expect(list).NotTo(BeEmpty(), token)
	return list
}

// one returns the resource of a type whose property has a value.
func (g *graph) one(token, property, value string) declared {
	GinkgoHelper()
	for _, d := range g.of(token) {
		if d.text(property) == value {
			return d
		}
	}
	Fail(fmt.Sprintf("no %s has %s %q", token, property, value))
	return declared{}
}

// values returns a property of each resource of a type, sorted.
func (g *graph) values(token, property string) []string {
	var out []string
	for _, d := range g.of(token) {
		out = append(out, d.text(property))
	}
	slices.Sort(out)
	return out
}

// sorted returns names as sorted strings.
func sorted[S ~string](names ...S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	slices.Sort(out)
	return out
}

// tokens returns the types of a graph, and how many resources each has.
func (g *graph) tokens() map[string]int {
	out := map[string]int{}
	for _, d := range g.resources {
		out[d.token]++
	}
	return out
}

var _ = onEach("A graph", func(here func() *graph) {
	It("names each resource of a type once", func() {
		seen := map[string]bool{}
		for _, d := range here().resources {
			Expect(seen[d.String()]).To(BeFalse(), d.String())
			seen[d.String()] = true
		}
	})

	It("has every layer", func() {
		layers := map[string]bool{}
		for token := range here().tokens() {
			layers[strings.Split(strings.TrimPrefix(token, "aws:"), "/")[0]] = true
		}
		Expect(slices.Sorted(maps.Keys(layers))).To(ContainElements("athena", "budgets", "cfg", "cloudtrail", "cloudwatch", "ec2", "ecr", "ecs",
			"glue", "guardduty", "iam", "kms", "lambda", "s3", "secretsmanager", "securityhub", "sfn", "sns", "sqs", "ssm", "vpc"))
	})
})
