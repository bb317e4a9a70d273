package iam

import (
	"context"
	"strings"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/wire"
)

type contextEntry struct {
	ContextKeyName   string   `required:"true"`
	ContextKeyValues []string `required:"true"`
	ContextKeyType   string
}

type simulateInput struct {
	PolicySourceArn string   `required:"true" min:"20"`
	ActionNames     []string `required:"true"`
	ResourceArns    []string
	PolicyInputList []string
	ContextEntries  []contextEntry
	Marker          string
	MaxItems        *int `min:"1" max:"1000"`
}

type simulation struct {
	EvalActionName       string
	EvalResourceName     string
	EvalDecision         string
	MatchedStatements    []matched
	MissingContextValues []string
}

type matched struct{ SourcePolicyType string }

type simulateOutput struct {
	EvaluationResults []simulation
	IsTruncated       bool
	Marker            string
}

// simulatePrincipalPolicy evaluates a role's policies, and more that the
// caller brings, without resource policies.
func (s *Service) simulatePrincipalPolicy(_ context.Context, _ *wire.Call, in *simulateInput) (*simulateOutput, error) {
	role, err := s.Role(in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	c, _, err := s.PoliciesOf(role.ARN)
	if err != nil {
		return nil, err
	}
	p := policy.Policies{Identity: c.Identity[:len(c.Identity):len(c.Identity)], Boundary: c.Boundary}
	for _, text := range in.PolicyInputList {
		document, err := parse(policy.Identity, text)
		if err != nil {
			return nil, err
		}
		p.Identity = append(p.Identity, document)
	}
	if in.Marker != "" {
		return nil, wire.Errorf("InvalidInput", "Invalid marker %s: all results fit on one page", in.Marker)
	}
	return &simulateOutput{EvaluationResults: in.evaluate(role, p)}, nil
}

func (in *simulateInput) evaluate(r Role, p policy.Policies) []simulation {
	keys := policy.Keys{"aws:principalarn": {r.ARN}, "aws:principalaccount": {r.Account}, "aws:principaltype": {"AssumedRole"}}
	for name, value := range r.Tags {
		keys.Set("aws:PrincipalTag/"+name, value)
	}
	for _, entry := range in.ContextEntries {
		keys.Set(entry.ContextKeyName, entry.ContextKeyValues...)
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	who := policy.Principal{Kind: policy.AssumedRole, ARN: r.ARN, RoleARN: r.ARN, Account: r.Account, ID: r.ID}
	var all []simulation
	for _, action := range in.ActionNames {
		for _, resource := range resources {
			d := policy.Evaluate(policy.Request{Principal: who, Action: action, Resource: resource, Keys: keys}, p)
			all = append(all, simulated(action, resource, d))
		}
	}
	return all
}

func simulated(action, resource string, d policy.Decision) simulation {
	out := simulation{EvalActionName: action, EvalResourceName: resource, EvalDecision: "implicitDeny", MatchedStatements: []matched{}, MissingContextValues: []string{}}
	switch {
	case d.Allowed:
		out.EvalDecision = "allowed"
	case d.Explicit:
		out.EvalDecision = "explicitDeny"
	}
	if d.Allowed || d.Explicit {
		out.MatchedStatements = append(out.MatchedStatements, matched{"IAM Policy"})
	}
	if strings.Contains(string(d.Source), "boundary") && d.Explicit {
		out.MatchedStatements = []matched{{"PermissionsBoundary"}}
	}
	return out
}
