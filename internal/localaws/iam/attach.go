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

// handler gives a function of a kind the form of an operation's.
func handler[E, I, O any](s *Service, k kind[E], handle func(*Service, kind[E], *wire.Call, *I) (*O, error)) wire.Handler[I, O] {
	return func(_ context.Context, call *wire.Call, in *I) (*O, error) { return handle(s, k, call, in) }
}

type putPolicyInput struct {
	RoleName, UserName, GroupName string
	PolicyName                    string `required:"true" min:"1"`
	PolicyDocument                string `required:"true" min:"1"`
}

func (in putPolicyInput) whose() names { return names{in.RoleName, in.UserName, in.GroupName} }

func putInline[E any](s *Service, k kind[E], call *wire.Call, in *putPolicyInput) (*wire.Empty, error) {
	if err := checkName("policyName", in.PolicyName, 128); err != nil {
		return nil, err
	}
	if _, err := parse(policy.Identity, in.PolicyDocument); err != nil {
		return nil, err
	}
	return editGrants(s, k, call, in.whose(), func(_ state.Tx, g *Grants) error {
		if g.Inline == nil {
			g.Inline = map[string]string{}
		}
		g.Inline[in.PolicyName] = in.PolicyDocument
		if g.total() > k.inline {
			return limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", k.inline, strings.ToLower(k.title), k.named(in.whose()))
		}
		return nil
	})
}

type inlineInput struct {
	RoleName, UserName, GroupName string
	PolicyName                    string `required:"true" min:"1"`
}

func (in inlineInput) whose() names { return names{in.RoleName, in.UserName, in.GroupName} }

// inlineOutput has the name of whose policy it is: the others are empty and left out.
type inlineOutput struct {
	RoleName, UserName, GroupName string
	PolicyName, PolicyDocument    string
}

func noInline(title, name string) error {
	return noSuchEntity("The %s policy with name %s cannot be found.", strings.ToLower(title), name)
}

func getInline[E any](s *Service, k kind[E], call *wire.Call, in *inlineInput) (*inlineOutput, error) {
	e, err := load(s, k, call, in.whose())
	if err != nil {
		return nil, err
	}
	document, found := k.grants(&e).Inline[in.PolicyName]
	if !found {
		return nil, noInline(k.title, in.PolicyName)
	}
	return &inlineOutput{in.RoleName, in.UserName, in.GroupName, in.PolicyName, encodeDocument(document)}, nil
}

func deleteInline[E any](s *Service, k kind[E], call *wire.Call, in *inlineInput) (*wire.Empty, error) {
	return editGrants(s, k, call, in.whose(), func(_ state.Tx, g *Grants) error {
		if _, found := g.Inline[in.PolicyName]; !found {
			return noInline(k.title, in.PolicyName)
		}
		delete(g.Inline, in.PolicyName)
		return nil
	})
}

type listPolicyNamesInput struct {
	RoleName, UserName, GroupName string
	Marker                        string
	MaxItems                      *int `min:"1" max:"1000"`
}

func (in listPolicyNamesInput) whose() names { return names{in.RoleName, in.UserName, in.GroupName} }

type policyNamesOutput struct {
	PolicyNames []string
	IsTruncated bool
	Marker      string
}

func listInline[E any](s *Service, k kind[E], call *wire.Call, in *listPolicyNamesInput) (*policyNamesOutput, error) {
	e, err := load(s, k, call, in.whose())
	if err != nil {
		return nil, err
	}
	all := slices.AppendSeq([]string{}, maps.Keys(k.grants(&e).Inline))
	slices.Sort(all)
	cut, p := pageOf(all, func(n string) string { return n }, page{in.Marker, in.MaxItems})
	return &policyNamesOutput{cut, p.IsTruncated, p.Marker}, nil
}

type attachInput struct {
	RoleName, UserName, GroupName string
	PolicyArn                     string `required:"true" min:"20"`
}

func (in attachInput) whose() names { return names{in.RoleName, in.UserName, in.GroupName} }
func (in attachInput) arn() string  { return in.PolicyArn }

func attach[E any](s *Service, k kind[E], call *wire.Call, in *attachInput) (*wire.Empty, error) {
	return editGrants(s, k, call, in.whose(), func(tx state.Tx, g *Grants) error {
		if err := checkAttachable(tx, call.Caller.Account, in.PolicyArn); err != nil {
			return err
		}
		if slices.Contains(g.Attached, in.PolicyArn) {
			return nil // attaching twice is no error
		}
		if len(g.Attached) >= maxAttached {
			return limitExceeded("Cannot exceed quota for PoliciesPer%s: %d", k.title, maxAttached)
		}
		g.Attached = append(g.Attached, in.PolicyArn)
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

func detach[E any](s *Service, k kind[E], call *wire.Call, in *attachInput) (*wire.Empty, error) {
	return editGrants(s, k, call, in.whose(), func(_ state.Tx, g *Grants) error {
		i := slices.Index(g.Attached, in.PolicyArn)
		if i < 0 {
			return noSuchEntity("Policy %s was not found.", in.PolicyArn)
		}
		g.Attached = slices.Delete(g.Attached, i, i+1)
		return nil
	})
}

type attachedPolicy struct{ PolicyName, PolicyArn string }

type listAttachedInput struct {
	RoleName, UserName, GroupName string
	PathPrefix                    string
	Marker                        string
	MaxItems                      *int `min:"1" max:"1000"`
}

func (in listAttachedInput) whose() names { return names{in.RoleName, in.UserName, in.GroupName} }

type attachedOutput struct {
	AttachedPolicies []attachedPolicy
	IsTruncated      bool
	Marker           string
}

func listAttached[E any](s *Service, k kind[E], call *wire.Call, in *listAttachedInput) (*attachedOutput, error) {
	e, err := load(s, k, call, in.whose())
	if err != nil {
		return nil, err
	}
	cut, p := pageOf(k.grants(&e).attached(in.PathPrefix), func(a attachedPolicy) string { return a.PolicyArn }, page{in.Marker, in.MaxItems})
	return &attachedOutput{cut, p.IsTruncated, p.Marker}, nil
}

// attached lists the managed policies below a path, by ARN.
func (g *Grants) attached(below string) []attachedPolicy {
	all := []attachedPolicy{}
	for _, arn := range slices.Sorted(slices.Values(g.Attached)) {
		if path, name := splitPolicyARN(arn); strings.HasPrefix(path, below) {
			all = append(all, attachedPolicy{name, arn})
		}
	}
	return all
}

// splitPolicyARN returns path and name of a policy's ARN.
func splitPolicyARN(arn string) (path, name string) {
	_, resource, _ := strings.Cut(arn, ":policy")
	cut := strings.LastIndexByte(resource, '/') + 1
	return resource[:cut], resource[cut:]
}
