package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type putRolePolicyInput struct {
	RoleName       string `required:"true" min:"1"`
	PolicyName     string `required:"true" min:"1"`
	PolicyDocument string `required:"true" min:"1"`
}

func (in putRolePolicyInput) role() string { return in.RoleName }

func (s *Service) putRolePolicy(_ context.Context, call *wire.Call, in *putRolePolicyInput) (*wire.Empty, error) {
	if err := checkName("policyName", in.PolicyName, 128); err != nil {
		return nil, err
	}
	if _, err := parse(policy.Identity, in.PolicyDocument); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(_ state.Tx, r *Role) error {
		if r.Inline == nil {
			r.Inline = map[string]string{}
		}
		r.Inline[in.PolicyName] = in.PolicyDocument
		total := 0
		for _, document := range r.Inline {
			total += size(document)
		}
		if total > maxInlineSize {
			return limitExceeded("Maximum policy size of %d bytes exceeded for role %s", maxInlineSize, r.Name)
		}
		return nil
	})
}

type rolePolicyInput struct {
	RoleName   string `required:"true" min:"1"`
	PolicyName string `required:"true" min:"1"`
}

func (in rolePolicyInput) role() string { return in.RoleName }

type rolePolicyOutput struct{ RoleName, PolicyName, PolicyDocument string }

func noInline(name string) error {
	return noSuchEntity("The role policy with name %s cannot be found.", name)
}

func (s *Service) getRolePolicy(_ context.Context, call *wire.Call, in *rolePolicyInput) (*rolePolicyOutput, error) {
	r, err := s.role(call.Caller.Account, in.RoleName)
	if err != nil {
		return nil, err
	}
	document, found := r.Inline[in.PolicyName]
	if !found {
		return nil, noInline(in.PolicyName)
	}
	return &rolePolicyOutput{r.Name, in.PolicyName, encodeDocument(document)}, nil
}

func (s *Service) deleteRolePolicy(_ context.Context, call *wire.Call, in *rolePolicyInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(_ state.Tx, r *Role) error {
		if _, found := r.Inline[in.PolicyName]; !found {
			return noInline(in.PolicyName)
		}
		delete(r.Inline, in.PolicyName)
		return nil
	})
}

type policyNamesOutput struct {
	PolicyNames []string
	IsTruncated bool
	Marker      string
}

func (s *Service) listRolePolicies(_ context.Context, call *wire.Call, in *listRoleInput) (*policyNamesOutput, error) {
	r, err := s.role(call.Caller.Account, in.RoleName)
	if err != nil {
		return nil, err
	}
	names := slices.AppendSeq([]string{}, maps.Keys(r.Inline))
	slices.Sort(names)
	cut, p := pageOf(names, func(n string) string { return n }, page{in.Marker, in.MaxItems})
	return &policyNamesOutput{cut, p.IsTruncated, p.Marker}, nil
}

type attachInput struct {
	RoleName  string `required:"true" min:"1"`
	PolicyArn string `required:"true" min:"20"`
}

func (in attachInput) role() string { return in.RoleName }
func (in attachInput) arn() string  { return in.PolicyArn }

func (s *Service) attachRolePolicy(_ context.Context, call *wire.Call, in *attachInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(tx state.Tx, r *Role) error {
		if err := checkAttachable(tx, r.Account, in.PolicyArn); err != nil {
			return err
		}
		if slices.Contains(r.Attached, in.PolicyArn) {
			return nil // attaching twice is no error
		}
		if len(r.Attached) >= maxAttached {
			return limitExceeded("Cannot exceed quota for PoliciesPerRole: %d", maxAttached)
		}
		r.Attached = append(r.Attached, in.PolicyArn)
		return nil
	})
}

// checkAttachable refuses a policy that is not there.
func checkAttachable(tx state.Tx, account, arn string) error {
	if !strings.HasPrefix(arn, "arn:") {
		return wire.ValidationException("ARN %s is not valid.", arn)
	}
	if _, err := findPolicy(tx, account, arn); err != nil {
		if wire.IsCode(err, "NoSuchEntity") {
			return noSuchEntity("Policy %s does not exist or is not attachable.", arn)
		}
		return err
	}
	return nil
}

func (s *Service) detachRolePolicy(_ context.Context, call *wire.Call, in *attachInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(_ state.Tx, r *Role) error {
		i := slices.Index(r.Attached, in.PolicyArn)
		if i < 0 {
			return noSuchEntity("Policy %s was not found.", in.PolicyArn)
		}
		r.Attached = slices.Delete(r.Attached, i, i+1)
		return nil
	})
}

type attachedPolicy struct{ PolicyName, PolicyArn string }

type attachedOutput struct {
	AttachedPolicies []attachedPolicy
	IsTruncated      bool
	Marker           string
}

func (s *Service) listAttachedRolePolicies(_ context.Context, call *wire.Call, in *listRoleInput) (*attachedOutput, error) {
	r, err := s.role(call.Caller.Account, in.RoleName)
	if err != nil {
		return nil, err
	}
	all := []attachedPolicy{}
	for _, arn := range slices.Sorted(slices.Values(r.Attached)) {
		if path, name := splitPolicyARN(arn); strings.HasPrefix(path, in.PathPrefix) {
			all = append(all, attachedPolicy{name, arn})
		}
	}
	cut, p := pageOf(all, func(a attachedPolicy) string { return a.PolicyArn }, page{in.Marker, in.MaxItems})
	return &attachedOutput{cut, p.IsTruncated, p.Marker}, nil
}

// splitPolicyARN returns path and name of a policy's ARN.
func splitPolicyARN(arn string) (path, name string) {
	_, resource, _ := strings.Cut(arn, ":policy")
	cut := strings.LastIndexByte(resource, '/') + 1
	return resource[:cut], resource[cut:]
}
