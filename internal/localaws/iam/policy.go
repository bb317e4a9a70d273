package iam

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

func noSuchPolicy(arn string) error {
	return noSuchEntity("Policy %s was not found.", arn)
}

// findPolicy returns a managed policy, AWS's or the account's own. Errors: NoSuchEntity.
func findPolicy(tx state.Tx, account, arn string) (Policy, error) {
	if p, ok := awsManaged[arn]; ok {
		return p, nil
	}
	_, name := splitPolicyARN(arn)
	p, err := policies.Get(tx, policyKey(account, name))
	if errors.Is(err, state.ErrNotFound) || err == nil && p.ARN != arn {
		return p, noSuchPolicy(arn)
	}
	return p, err
}

func (s *Service) policy(account, arn string) (p Policy, err error) {
	err = s.Store.View(func(tx state.Tx) error {
		p, err = findPolicy(tx, account, arn)
		return err
	})
	return p, err
}

// editPolicy changes one policy of the account in a transaction. AWS's own cannot be changed.
func (s *Service) editPolicy(call *wire.Call, arn string, edit func(*Policy) error) error {
	return s.change(func(tx state.Tx) error {
		p, err := findPolicy(tx, call.Caller.Account, arn)
		if err != nil {
			return err
		}
		if err := ownPolicy(p); err != nil {
			return err
		}
		if err := edit(&p); err != nil {
			return err
		}
		return policies.Put(tx, policyKey(call.Caller.Account, p.Name), p)
	})
}

func ownPolicy(p Policy) error {
	if _, isAWS := awsManaged[p.ARN]; isAWS {
		return wire.AccessDenied("Policy %s is managed by AWS and cannot be changed.", p.ARN)
	}
	return nil
}

// usage is who uses a policy, or has it as boundary.
type usage struct {
	roles  []Role
	users  []User
	groups []Group
}

func (u usage) count() int { return len(u.roles) + len(u.users) + len(u.groups) }

// attachedTo finds who uses a policy.
func attachedTo(tx state.Tx, account, arn string) (attached, bounded usage, err error) {
	allRoles, err := roles.List(tx, state.Prefix(account), "", 0)
	for _, e := range allRoles {
		if slices.Contains(e.Value.Attached, arn) {
			attached.roles = append(attached.roles, e.Value)
		}
		if e.Value.Boundary == arn {
			bounded.roles = append(bounded.roles, e.Value)
		}
	}
	allUsers, usersErr := users.List(tx, state.Prefix(account), "", 0)
	for _, e := range allUsers {
		if slices.Contains(e.Value.Attached, arn) {
			attached.users = append(attached.users, e.Value)
		}
		if e.Value.Boundary == arn {
			bounded.users = append(bounded.users, e.Value)
		}
	}
	allGroups, groupsErr := groups.List(tx, state.Prefix(account), "", 0)
	for _, e := range allGroups {
		if slices.Contains(e.Value.Attached, arn) {
			attached.groups = append(attached.groups, e.Value)
		}
	}
	return attached, bounded, errors.Join(err, usersErr, groupsErr)
}

// policyOutput is a policy as answers describe it.
type policyOutput struct {
	PolicyName                    string
	PolicyId                      string
	Arn                           string
	Path                          string
	DefaultVersionId              string
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string
	CreateDate                    wire.Time
	UpdateDate                    wire.Time
	Tags                          []tag
}

func describePolicy(tx state.Tx, account string, p Policy, whole bool) (policyOutput, error) {
	attached, bounded, err := attachedTo(tx, account, p.ARN)
	out := policyOutput{
		PolicyName: p.Name, PolicyId: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionId: versionID(p.Default),
		AttachmentCount: attached.count(), PermissionsBoundaryUsageCount: bounded.count(), IsAttachable: true,
		CreateDate: wire.TimeOf(p.Created), UpdateDate: wire.TimeOf(p.Updated),
	}
	if whole {
		out.Description = p.Description
		if len(p.Tags) > 0 {
			out.Tags = listTags(p.Tags)
		}
	}
	return out, err
}

func versionID(n int) string { return "v" + strconv.Itoa(n) }

type createPolicyInput struct {
	PolicyName     string `required:"true" min:"1"`
	Path           string
	PolicyDocument string `required:"true" min:"1"`
	Description    string `max:"1000"`
	Tags           []tag
}

type onePolicy struct{ Policy policyOutput }

func (s *Service) createPolicy(_ context.Context, call *wire.Call, in *createPolicyInput) (*onePolicy, error) {
	p, err := s.newPolicy(call, in)
	if err != nil {
		return nil, err
	}
	out := &onePolicy{}
	return out, s.change(func(tx state.Tx) error {
		key := policyKey(call.Caller.Account, p.Name)
		if policies.Has(tx, key) {
			return exists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
		}
		if all, err := policies.List(tx, state.Prefix(call.Caller.Account), "", maxPolicies); err != nil || len(all) == maxPolicies {
			return cmp.Or(err, limitExceeded("Cannot exceed quota for PoliciesPerAccount: %d", maxPolicies))
		}
		if out.Policy, err = describePolicy(tx, call.Caller.Account, p, true); err != nil {
			return err
		}
		return policies.Put(tx, key, p)
	})
}

func (s *Service) newPolicy(call *wire.Call, in *createPolicyInput) (Policy, error) {
	now := s.Now().UTC().Truncate(time.Second)
	p := Policy{
		Name: in.PolicyName, Path: pathOr(in.Path), Description: in.Description, Created: now, Updated: now,
		Default: 1, Last: 1, Versions: map[int]Version{1: {in.PolicyDocument, now}},
	}
	if err := checkName("policyName", p.Name, 128); err != nil {
		return p, err
	}
	if err := checkPath(p.Path); err != nil {
		return p, err
	}
	if err := checkManaged(in.PolicyDocument); err != nil {
		return p, err
	}
	var err error
	if p.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return p, err
	}
	p.ARN = policyARN(call.Caller.Account, p.Path, p.Name)
	p.ID, err = s.newID("ANPA")
	return p, err
}

func checkManaged(document string) error {
	if _, err := parse(policy.Identity, document); err != nil {
		return err
	}
	if size(document) > maxManagedSize {
		return limitExceeded("Cannot exceed quota for PolicySize: %d", maxManagedSize)
	}
	return nil
}

type policyInput struct {
	PolicyArn string `required:"true" min:"20"`
}

func (in policyInput) arn() string { return in.PolicyArn }

func (s *Service) getPolicy(_ context.Context, call *wire.Call, in *policyInput) (*onePolicy, error) {
	out := &onePolicy{}
	return out, s.Store.View(func(tx state.Tx) error {
		p, err := findPolicy(tx, call.Caller.Account, in.PolicyArn)
		if err != nil {
			return err
		}
		out.Policy, err = describePolicy(tx, call.Caller.Account, p, true)
		return err
	})
}

func (s *Service) deletePolicy(_ context.Context, call *wire.Call, in *policyInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		account := call.Caller.Account
		p, err := findPolicy(tx, account, in.PolicyArn)
		if err != nil {
			return err
		}
		if err := ownPolicy(p); err != nil {
			return err
		}
		attached, bounded, err := attachedTo(tx, account, p.ARN)
		switch {
		case err != nil:
			return err
		case attached.count()+bounded.count() > 0:
			return conflict("Cannot delete a policy attached to entities.")
		case len(p.Versions) > 1:
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return policies.Delete(tx, policyKey(account, p.Name))
	})
}

type listPoliciesInput struct {
	Scope             string `enum:"All,AWS,Local"`
	OnlyAttached      bool
	PathPrefix        string
	PolicyUsageFilter string `enum:"PermissionsPolicy,PermissionsBoundary"`
	Marker            string
	MaxItems          *int `min:"1" max:"1000"`
}

type listPoliciesOutput struct {
	Policies    []policyOutput
	IsTruncated bool
	Marker      string
}

func (s *Service) listPolicies(_ context.Context, call *wire.Call, in *listPoliciesInput) (*listPoliciesOutput, error) {
	all := []policyOutput{}
	err := s.Store.View(func(tx state.Tx) error {
		found, err := policies.List(tx, state.Prefix(call.Caller.Account), "", 0)
		if err != nil {
			return err
		}
		var candidates []Policy
		for _, entry := range found {
			candidates = append(candidates, entry.Value)
		}
		for _, p := range awsManaged {
			candidates = append(candidates, p)
		}
		for _, p := range candidates {
			out, err := describePolicy(tx, call.Caller.Account, p, false)
			if err != nil {
				return err
			}
			if in.selects(out) {
				all = append(all, out)
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b policyOutput) int { return strings.Compare(a.Arn, b.Arn) })
	cut, p := pageOf(all, func(p policyOutput) string { return p.Arn }, page{in.Marker, in.MaxItems})
	return &listPoliciesOutput{cut, p.IsTruncated, p.Marker}, err
}

func (in *listPoliciesInput) selects(p policyOutput) bool {
	_, isAWS := awsManaged[p.Arn]
	uses := p.AttachmentCount + p.PermissionsBoundaryUsageCount
	switch in.PolicyUsageFilter {
	case "PermissionsPolicy":
		uses = p.AttachmentCount
	case "PermissionsBoundary":
		uses = p.PermissionsBoundaryUsageCount
	}
	return strings.HasPrefix(p.Path, in.PathPrefix) && (in.Scope != "AWS" || isAWS) && (in.Scope != "Local" || !isAWS) &&
		(uses > 0 || !in.OnlyAttached)
}

type listPolicyInput struct {
	PolicyArn         string `required:"true" min:"20"`
	EntityFilter      string `enum:"Role,User,Group,LocalManagedPolicy,AWSManagedPolicy"`
	PathPrefix        string
	PolicyUsageFilter string `enum:"PermissionsPolicy,PermissionsBoundary"`
	Marker            string
	MaxItems          *int `min:"1" max:"1000"`
}

func (in listPolicyInput) arn() string { return in.PolicyArn }

type (
	policyRole  struct{ RoleName, RoleId string }
	policyUser  struct{ UserName, UserId string }
	policyGroup struct{ GroupName, GroupId string }
)

type entitiesOutput struct {
	PolicyRoles  []policyRole
	PolicyUsers  []policyUser
	PolicyGroups []policyGroup
	IsTruncated  bool
	Marker       string
}

// entity is one of those that use a policy, with what adds it to an answer.
type entity struct {
	kind, path, name string
	add              func(*entitiesOutput)
}

func (s *Service) listEntitiesForPolicy(_ context.Context, call *wire.Call, in *listPolicyInput) (*entitiesOutput, error) {
	var found []entity
	err := s.Store.View(func(tx state.Tx) error {
		if _, err := findPolicy(tx, call.Caller.Account, in.PolicyArn); err != nil {
			return err
		}
		attached, bounded, err := attachedTo(tx, call.Caller.Account, in.PolicyArn)
		if in.PolicyUsageFilter == "PermissionsBoundary" {
			attached = bounded
		}
		found = slices.DeleteFunc(attached.entities(), func(e entity) bool {
			return !strings.HasPrefix(e.path, in.PathPrefix) || in.EntityFilter != "" && in.EntityFilter != e.kind
		})
		return err
	})
	cut, p := pageOf(found, func(e entity) string { return e.kind + "/" + strings.ToLower(e.name) }, page{in.Marker, in.MaxItems})
	out := &entitiesOutput{[]policyRole{}, []policyUser{}, []policyGroup{}, p.IsTruncated, p.Marker}
	for _, e := range cut {
		e.add(out)
	}
	return out, err
}

// entities lists who uses a policy, by kind and name.
func (u usage) entities() []entity {
	var all []entity
	for _, g := range u.groups {
		all = append(all, entity{"Group", g.Path, g.Name, func(o *entitiesOutput) { o.PolicyGroups = append(o.PolicyGroups, policyGroup{g.Name, g.ID}) }})
	}
	for _, r := range u.roles {
		all = append(all, entity{"Role", r.Path, r.Name, func(o *entitiesOutput) { o.PolicyRoles = append(o.PolicyRoles, policyRole{r.Name, r.ID}) }})
	}
	for _, user := range u.users {
		all = append(all, entity{"User", user.Path, user.Name, func(o *entitiesOutput) { o.PolicyUsers = append(o.PolicyUsers, policyUser{user.Name, user.ID}) }})
	}
	return all
}
