package logs

import (
	"context"
	"errors"
	"regexp"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// ResourcePolicy lets services write logs in the account.
type ResourcePolicy struct {
	PolicyName      string `json:"policyName"`
	PolicyDocument  string `json:"policyDocument"`
	LastUpdatedTime int64  `json:"lastUpdatedTime"`
	PolicyScope     string `json:"policyScope"`
}

var policies = state.NewCollection[ResourcePolicy]("logs/policies") // account, region, name

// maxPolicies is how many an account has at most in a region.
const maxPolicies = 10

// PutResourcePolicyInput is the input of PutResourcePolicy.
type PutResourcePolicyInput struct {
	PolicyName     string `json:"policyName" required:"true"`
	PolicyDocument string `json:"policyDocument" required:"true" max:"5120"`
}

// PutResourcePolicyOutput is the output of PutResourcePolicy.
type PutResourcePolicyOutput struct {
	ResourcePolicy ResourcePolicy `json:"resourcePolicy"`
}

func (s *Service) putResourcePolicy(_ context.Context, call *wire.Call, in *PutResourcePolicyInput) (*PutResourcePolicyOutput, error) {
	if _, err := policy.Parse(policy.Resource, in.PolicyDocument); err != nil {
		return nil, invalid("The policy document is not valid: %v", err)
	}
	p := ResourcePolicy{in.PolicyName, in.PolicyDocument, s.now(), "ACCOUNT"}
	return &PutResourcePolicyOutput{p}, s.cfg.Store.Update(func(tx state.Tx) error {
		key := groupKey(call.Caller, in.PolicyName)
		all, err := policies.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
		if err != nil {
			return err
		}
		if !policies.Has(tx, key) && len(all) >= maxPolicies {
			return errLimit
		}
		return policies.Put(tx, key, p)
	})
}

// DescribeResourcePoliciesInput is the input of DescribeResourcePolicies.
type DescribeResourcePoliciesInput struct {
	Limit       *int   `json:"limit" min:"1" max:"50"`
	NextToken   string `json:"nextToken"`
	PolicyScope string `json:"policyScope" enum:"ACCOUNT"`
}

// DescribeResourcePoliciesOutput is the output of DescribeResourcePolicies.
type DescribeResourcePoliciesOutput struct {
	ResourcePolicies []ResourcePolicy `json:"resourcePolicies"`
	NextToken        string           `json:"nextToken,omitempty"`
}

func (s *Service) describeResourcePolicies(_ context.Context, call *wire.Call, in *DescribeResourcePoliciesInput) (*DescribeResourcePoliciesOutput, error) {
	out, after := &DescribeResourcePoliciesOutput{ResourcePolicies: []ResourcePolicy{}}, ""
	if in.NextToken != "" {
		after = groupKey(call.Caller, in.NextToken)
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		all, err := policies.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), after, pageSize(in.Limit)+1)
		for i, e := range all {
			if i == pageSize(in.Limit) {
				out.NextToken = all[i-1].Value.PolicyName
				break
			}
			out.ResourcePolicies = append(out.ResourcePolicies, e.Value)
		}
		return err
	})
}

// DeleteResourcePolicyInput is the input of DeleteResourcePolicy.
type DeleteResourcePolicyInput struct {
	PolicyName string `json:"policyName" required:"true"`
}

func (s *Service) deleteResourcePolicy(_ context.Context, call *wire.Call, in *DeleteResourcePolicyInput) (*wire.Empty, error) {
	return nil, s.cfg.Store.Update(func(tx state.Tx) error {
		err := policies.Delete(tx, groupKey(call.Caller, in.PolicyName))
		if errors.Is(err, state.ErrNotFound) {
			return wire.Errorf("ResourceNotFoundException", "Policy with name [%s] does not exist.", in.PolicyName)
		}
		return err
	})
}

// ListLogGroupsInput is the input of ListLogGroups.
type ListLogGroupsInput struct {
	LogGroupNamePattern   string `json:"logGroupNamePattern" max:"129"`
	LogGroupClass         string `json:"logGroupClass" enum:"STANDARD,INFREQUENT_ACCESS"`
	IncludeLinkedAccounts bool   `json:"includeLinkedAccounts"`
	Limit                 *int   `json:"limit" min:"1" max:"1000"`
	NextToken             string `json:"nextToken"`
}

// LogGroupSummary tells a log group in short.
type LogGroupSummary struct {
	LogGroupName  string `json:"logGroupName"`
	LogGroupArn   string `json:"logGroupArn"`
	LogGroupClass string `json:"logGroupClass"`
}

// ListLogGroupsOutput is the output of ListLogGroups.
type ListLogGroupsOutput struct {
	LogGroups []LogGroupSummary `json:"logGroups"`
	NextToken string            `json:"nextToken,omitempty"`
}

// listLogGroups lists the groups whose names a regular expression matches.
func (s *Service) listLogGroups(_ context.Context, call *wire.Call, in *ListLogGroupsInput) (*ListLogGroupsOutput, error) {
	names, err := regexp.Compile(in.LogGroupNamePattern)
	if err != nil {
		return nil, invalid("logGroupNamePattern is no regular expression: %v", err)
	}
	out, after := &ListLogGroupsOutput{LogGroups: []LogGroupSummary{}}, ""
	if in.NextToken != "" {
		after = groupKey(call.Caller, in.NextToken)
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range groups.Scan(tx, state.Prefix(call.Caller.Account, call.Caller.Region), after) {
			g, err := raw.Value()
			if err != nil {
				return err
			}
			name := state.Parts(raw.Key())[2]
			if !names.MatchString(name) || in.LogGroupClass != "" && in.LogGroupClass != g.Class {
				continue
			}
			if n := len(out.LogGroups); n == pageSize(in.Limit) {
				out.NextToken = out.LogGroups[n-1].LogGroupName
				return nil
			}
			out.LogGroups = append(out.LogGroups, LogGroupSummary{name, GroupARN(call.Caller, name), g.Class})
		}
		return nil
	})
}
