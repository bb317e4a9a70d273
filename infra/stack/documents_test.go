package stack_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"engage/internal/resource"
)

// rule is one statement of a policy, its lists made lists.
type rule struct {
	owner      declared
	sid        string
	allow      bool
	principals map[string][]string // by kind; "*" alone for everyone
	actions    []string
	resources  []string
	condition  map[string]map[string][]string
}

func (r rule) String() string { return fmt.Sprintf("%s: statement %s", r.owner, r.sid) }

// rules reads the policy in a property.
func rules(owner declared, property string) []rule {
	GinkgoHelper()
	var doc struct {
		Version   string
		Statement []struct {
			Sid, Effect                 string
			Principal, Action, Resource any
			NotAction, NotResource      any
			Condition                   map[string]map[string]any
		}
	}
	text := owner.text(property)
	Expect(json.Unmarshal([]byte(text), &doc)).To(Succeed(), "%s: %s", owner, text)
	Expect(doc.Version).To(Equal("2012-10-17"), owner.String())
	Expect(doc.Statement).NotTo(BeEmpty(), owner.String())
	var out []rule
	for _, s := range doc.Statement {
		Expect(s.Effect).To(BeElementOf("Allow", "Deny"), owner.String())
		Expect(s.NotAction).To(BeNil(), owner.String())
		Expect(s.NotResource).To(BeNil(), owner.String())
		r := rule{
			owner: owner, sid: s.Sid, allow: s.Effect == "Allow", principals: principals(s.Principal),
			actions: texts(s.Action), resources: texts(s.Resource), condition: map[string]map[string][]string{},
		}
		for operator, keys := range s.Condition {
			r.condition[operator] = map[string][]string{}
			for key, v := range keys {
				r.condition[operator][key] = texts(v)
			}
		}
		out = append(out, r)
	}
	return out
}

func principals(v any) map[string][]string {
	switch v := v.(type) {
	case string:
		return map[string][]string{v: {v}}
	case map[string]any:
		out := map[string][]string{}
		for kind, list := range v {
			out[kind] = texts(list)
		}
		return out
	}
	return nil
}

// everyone tells whether a statement is about any principal.
func (r rule) everyone() bool {
	for _, list := range r.principals {
		if slices.Contains(list, "*") {
			return true
		}
	}
	return false
}

// has tells whether a statement is limited by a condition.
func (r rule) has(operator, key, value string) bool {
	return slices.Contains(r.condition[operator][key], value)
}

// wherever are all the policies of a graph by the property that holds them.
var wherever = map[string]string{
	rolePolicyToken: "policy", "aws:s3/bucketPolicy:BucketPolicy": "policy", "aws:kms/key:Key": "policy",
	"aws:sns/topicPolicy:TopicPolicy": "policy", "aws:sqs/queuePolicy:QueuePolicy": "policy",
	"aws:ec2/vpcEndpoint:VpcEndpoint": "policy", roleToken: "assumeRolePolicy",
}

func (g *graph) rules(token string) []rule {
	GinkgoHelper()
	var out []rule
	for _, d := range g.all(token) {
		out = append(out, rules(d, wherever[token])...)
	}
	return out
}

const (
	roleToken       = "aws:iam/role:Role"
	rolePolicyToken = "aws:iam/rolePolicy:RolePolicy"
)

// unscoped are the statements of roles that name no resource, each because AWS
// gives its actions none: the service authorization reference has no resource
// type beside them.
// https://docs.aws.amazon.com/service-authorization/latest/reference/
var unscoped = map[string][]string{
	"Attach": {
		"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
		"ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
	},
	"DeliverLogs": {
		"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
		"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
	},
	"Login":  {"ecr:GetAuthorizationToken"},
	"Random": {"secretsmanager:GetRandomPassword"},
	"Trace":  {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
}

var _ = onEach("Policies", func(here func() *graph) {
	It("of every kind are there", func() {
		for token := range wherever {
			here().all(token)
		}
	})

	It("allow no action by a pattern", func() {
		for token := range wherever {
			if token == "aws:ec2/vpcEndpoint:VpcEndpoint" {
				continue // the network's specs say what may pass an endpoint
			}
			for _, r := range here().rules(token) {
				Expect(r.actions).NotTo(BeEmpty(), r.String())
				for _, a := range r.actions {
					Expect(!r.allow || !strings.ContainsAny(a, "*?")).To(BeTrue(), "%s allows %s", r, a)
				}
			}
		}
	})

	It("let roles act on named resources, but for actions that know none", func() {
		for _, r := range here().rules(rolePolicyToken) {
			Expect(r.resources).NotTo(BeEmpty(), r.String())
			if !slices.Contains(r.resources, "*") {
				for _, arn := range r.resources {
					Expect(arn).To(MatchRegexp(`^arn:aws:[a-z0-9-]+:[^*]*$|^arn:aws:[a-z0-9-]+:[^*]*[^:*]+.*\*$`), r.String())
				}
				continue
			}
			Expect(unscoped).To(HaveKey(r.sid), r.String())
			Expect(unscoped[r.sid]).To(ConsistOf(toAny(r.actions)...), r.String())
		}
	})

	It("let everyone do nothing without a condition", func() {
		for token := range wherever {
			for _, r := range here().rules(token) {
				if r.everyone() && r.allow && r.sid != "ImageLayers" {
					Expect(r.condition).To(HaveKeyWithValue("StringEquals", HaveKeyWithValue("aws:PrincipalAccount", []string{testAccount})), r.String())
				}
			}
		}
	})

	It("have statements with ids of their own", func() {
		for token := range wherever {
			for _, d := range here().all(token) {
				seen := map[string]bool{}
				for _, r := range rules(d, wherever[token]) {
					Expect(r.sid).To(MatchRegexp(`^[A-Za-z0-9]+$`), d.String())
					Expect(seen[r.sid]).To(BeFalse(), r.String())
					seen[r.sid] = true
				}
			}
		}
	})

	It("fit into what IAM takes: 10,240 characters for a role", func() {
		for _, d := range here().all(rolePolicyToken) {
			Expect(len(d.text("policy"))).To(BeNumerically("<=", 10240), d.String())
		}
	})
})

var _ = onEach("Roles", func(here func() *graph) {
	It("are assumed by one service each, for this account only", func() {
		for _, d := range here().all(roleToken) {
			list := rules(d, "assumeRolePolicy")
			Expect(list).To(HaveLen(1), d.String())
			r := list[0]
			Expect(r.actions).To(Equal([]string{"sts:AssumeRole"}), d.String())
			Expect(r.principals).To(HaveLen(1), d.String())
			Expect(r.principals["Service"]).To(HaveLen(1), d.String())
			if r.principals["Service"][0] != "lambda.amazonaws.com" { // which tells of no account
				Expect(r.has("StringEquals", "aws:SourceAccount", testAccount)).To(BeTrue(), d.String())
			}
		}
	})

	It("have sessions of an hour, and no managed policies", func() {
		for _, d := range here().all(roleToken) {
			Expect(d.at("maxSessionDuration")).To(Equal(3600.0), d.String())
			Expect(d.in).NotTo(HaveKey("managedPolicyArns"), d.String())
		}
		Expect(here().of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")).To(BeEmpty())
		Expect(here().of("aws:iam/user:User")).To(BeEmpty())
		Expect(here().of("aws:iam/accessKey:AccessKey")).To(BeEmpty())
	})

	It("have one policy each", func() {
		Expect(here().values(rolePolicyToken, "role")).To(Equal(here().values(roleToken, "name")))
	})

	It("pass roles only to Fargate, and only those of its tasks", func() {
		for _, r := range here().rules(rolePolicyToken) {
			if !slices.Contains(r.actions, "iam:PassRole") {
				continue
			}
			Expect(r.owner.text("role")).To(Equal(string(resource.StepFunctionsRole)))
			Expect(r.has("StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com")).To(BeTrue())
			env := here().env
			Expect(r.resources).To(ConsistOf(string(env.RoleARN(resource.ECSExecutionRole)),
				string(env.RoleARN(resource.TrainingTask.Role())), string(env.RoleARN(resource.InferenceTask.Role()))))
		}
	})

	It("use keys only through services", func() {
		for _, r := range here().rules(rolePolicyToken) {
			for _, a := range r.actions {
				if strings.HasPrefix(a, "kms:") {
					Expect(r.condition["StringEquals"]).To(HaveKey("kms:ViaService"), r.String())
				}
			}
		}
	})
})

func toAny[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
