package iam

import (
	"context"
	"strings"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type contextEntry struct {
	ContextKeyName   string   `required:"true"`
	ContextKeyValues []string `required:"true"`
	ContextKeyType   string
}

type simulateInput struct {
	PolicySourceArn                    string   `required:"true" min:"20"`
	ActionNames                        []string `required:"true"`
	ResourceArns                       []string
	PolicyInputList                    []string
	PermissionsBoundaryPolicyInputList []string `max:"1"`
	ResourcePolicy                     string
	ResourceOwner                      string
	CallerArn                          string
	ContextEntries                     []contextEntry
	Marker                             string
	MaxItems                           *int `min:"1" max:"1000"`
}

type customInput struct {
	PolicyInputList                    []string `required:"true"`
	ActionNames                        []string `required:"true"`
	ResourceArns                       []string
	PermissionsBoundaryPolicyInputList []string `max:"1"`
	ResourcePolicy                     string
	ResourceOwner                      string
	CallerArn                          string
	ContextEntries                     []contextEntry
	Marker                             string
	MaxItems                           *int `min:"1" max:"1000"`
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

// simulatePrincipalPolicy evaluates the policies of a role, a user with its
// groups, or a group, and more that the caller brings.
func (s *Service) simulatePrincipalPolicy(_ context.Context, call *wire.Call, in *simulateInput) (*simulateOutput, error) {
	who, p, err := s.source(in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	return in.simulate(call, who, p)
}

// simulateCustomPolicy evaluates policies that the caller brings, for a user
// that has no others.
func (s *Service) simulateCustomPolicy(_ context.Context, call *wire.Call, in *customInput) (*simulateOutput, error) {
	all := &simulateInput{ActionNames: in.ActionNames, ResourceArns: in.ResourceArns, PolicyInputList: in.PolicyInputList,
		PermissionsBoundaryPolicyInputList: in.PermissionsBoundaryPolicyInputList, ResourcePolicy: in.ResourcePolicy,
		ResourceOwner: in.ResourceOwner, CallerArn: in.CallerArn, ContextEntries: in.ContextEntries, Marker: in.Marker}
	return all.simulate(call, principal{account: call.Caller.Account, arn: call.Caller.ARN}, policy.Policies{})
}

// source returns whose policies are simulated.
func (s *Service) source(arn string) (principal, policy.Policies, error) {
	if !strings.Contains(arn, ":group/") {
		who, err := s.principal(arn)
		if err != nil {
			return who, policy.Policies{}, err
		}
		c, _, err := s.PoliciesOf(who.arn)
		return who, policy.Policies{Identity: c.Identity[:len(c.Identity):len(c.Identity)], Boundary: c.Boundary}, err
	}
	var g Group
	account := strings.Split(arn+":::::", ":")[4]
	err := s.Store.View(func(tx state.Tx) (err error) {
		g, err = findGroup(tx, account, arn[strings.LastIndexByte(arn, '/')+1:])
		return err
	})
	if err != nil {
		return principal{}, policy.Policies{}, err
	}
	documents, err := s.compileGrants(account, g.Grants)
	return principal{account: account, arn: arn}, policy.Policies{Identity: documents}, err
}

func (in *simulateInput) simulate(call *wire.Call, who principal, p policy.Policies) (*simulateOutput, error) {
	for _, text := range in.PolicyInputList {
		document, err := parse(policy.Identity, text)
		if err != nil {
			return nil, err
		}
		p.Identity = append(p.Identity, document)
	}
	var err error
	for _, text := range in.PermissionsBoundaryPolicyInputList {
		if p.Boundary, err = parse(policy.Identity, text); err != nil {
			return nil, err
		}
	}
	if in.ResourcePolicy != "" {
		if p.Resource, err = parse(policy.Resource, in.ResourcePolicy); err != nil {
			return nil, err
		}
	}
	if parts := strings.Split(in.ResourceOwner, ":"); len(parts) > 4 {
		p.ResourceAccount = parts[4]
	}
	if in.CallerArn != "" {
		who.arn, who.account = in.CallerArn, strings.Split(in.CallerArn+":::::", ":")[4]
	}
	if in.Marker != "" {
		return nil, wire.Errorf("InvalidInput", "Invalid marker %s: all results fit on one page", in.Marker)
	}
	return &simulateOutput{EvaluationResults: in.evaluate(who, p)}, nil
}

func (in *simulateInput) evaluate(by principal, p policy.Policies) []simulation {
	who, kind := policy.Principal{Kind: policy.AssumedRole, ARN: by.arn, RoleARN: by.arn, Account: by.account, ID: by.id}, "AssumedRole"
	if !strings.Contains(by.arn, ":role/") {
		who.Kind, who.RoleARN, kind = policy.User, "", "User"
	}
	keys := policy.Keys{"aws:principalarn": {by.arn}, "aws:principalaccount": {by.account}, "aws:principaltype": {kind}}
	for name, value := range by.tags {
		keys.Set("aws:PrincipalTag/"+name, value)
	}
	for _, entry := range in.ContextEntries {
		keys.Set(entry.ContextKeyName, entry.ContextKeyValues...)
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
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
