package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"engage/internal/resource"
)

// statement is one statement of a policy document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type statement struct {
	Sid       string
	Deny      bool
	Principal pulumi.Input // of a resource policy: services(...), accounts(...), everyone
	Actions   []string
	Resources []pulumi.StringInput
	Condition pulumi.Map
}

// everyone is any principal: only for a statement that denies.
var everyone = pulumi.String("*")

func services(names ...string) pulumi.Input {
	return pulumi.Map{"Service": pulumi.ToStringArray(names)}
}

func account(env resource.Environment) pulumi.Input {
	return pulumi.Map{"AWS": pulumi.String("arn:" + env.Partition() + ":iam::" + env.Account + ":root")}
}

// document returns the policy of the statements, as JSON.
func document(statements ...statement) pulumi.StringOutput {
	list := pulumi.Array{}
	for _, st := range statements {
		list = append(list, st.input())
	}
	return pulumi.JSONMarshal(pulumi.Map{"Version": pulumi.String("2012-10-17"), "Statement": list})
}

func (st statement) input() pulumi.Map {
	effect := "Allow"
	if st.Deny {
		effect = "Deny"
	}
	m := pulumi.Map{"Sid": pulumi.String(st.Sid), "Effect": pulumi.String(effect), "Action": pulumi.ToStringArray(st.Actions)}
	if st.Principal != nil {
		m["Principal"] = st.Principal
	}
	if len(st.Resources) > 0 {
		m["Resource"] = pulumi.StringArray(st.Resources)
	}
	if st.Condition != nil {
		m["Condition"] = st.Condition
	}
	return m
}

// lambdaService is the one service that assumes roles without telling for whom;
// only it may run a function with the function's role, by iam:PassRole.
const lambdaService = "lambda.amazonaws.com"

// trust returns the policy that lets a service assume a role, for resources of
// this account only.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func (s scope) trust(service string) pulumi.StringOutput {
	st := statement{Sid: "Assume", Principal: services(service), Actions: []string{"sts:AssumeRole"}}
	if service != lambdaService {
		st.Condition = s.ownAccount()
	}
	return document(st)
}

// ownAccount is the condition that a service acts for this account.
func (s scope) ownAccount() pulumi.Map {
	return pulumi.Map{"StringEquals": pulumi.Map{"aws:SourceAccount": pulumi.String(s.env.Account)}}
}

// arns returns the ARNs as inputs.
func arns(list ...resource.ARN) []pulumi.StringInput {
	out := make([]pulumi.StringInput, len(list))
	for i, a := range list {
		out[i] = pulumi.String(string(a))
	}
	return out
}

// within returns the ARN pattern of everything in a.
func within(a resource.ARN) resource.ARN { return a + ":*" }
