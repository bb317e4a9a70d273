package iam

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// policyDetail is an inline policy with its document.
type policyDetail struct{ PolicyName, PolicyDocument string }

func (g *Grants) details() []policyDetail {
	all := []policyDetail{}
	for _, name := range slices.Sorted(maps.Keys(g.Inline)) {
		all = append(all, policyDetail{name, encodeDocument(g.Inline[name])})
	}
	return all
}

type userDetail struct {
	Path, UserName, UserId, Arn string
	CreateDate                  wire.Time
	UserPolicyList              []policyDetail // left out where there is none, as AWS does for users alone
	GroupList                   []string
	AttachedManagedPolicies     []attachedPolicy
	PermissionsBoundary         *boundaryOutput
	Tags                        []tag
}

type groupDetail struct {
	Path, GroupName, GroupId, Arn string
	CreateDate                    wire.Time
	GroupPolicyList               []policyDetail
	AttachedManagedPolicies       []attachedPolicy
}

type roleDetail struct {
	Path, RoleName, RoleId, Arn string
	CreateDate                  wire.Time
	AssumeRolePolicyDocument    string
	InstanceProfileList         []profileOutput
	RolePolicyList              []policyDetail
	AttachedManagedPolicies     []attachedPolicy
	PermissionsBoundary         *boundaryOutput
	Tags                        []tag
	RoleLastUsed                *wire.Empty
}

type managedDetail struct {
	PolicyName, PolicyId, Arn, Path string
	DefaultVersionId                string
	AttachmentCount                 int
	PermissionsBoundaryUsageCount   int
	IsAttachable                    bool
	Description                     string
	CreateDate, UpdateDate          wire.Time
	PolicyVersionList               []versionOutput
}

type detailsInput struct {
	Filter   []string
	Marker   string
	MaxItems *int `min:"1" max:"1000"`
}

type detailsOutput struct {
	UserDetailList  []userDetail
	GroupDetailList []groupDetail
	RoleDetailList  []roleDetail
	Policies        []managedDetail
	IsTruncated     bool
	Marker          string
}

// detail adds one entity to an answer; its key orders them.
type detail struct {
	key string
	add func(*detailsOutput)
}

// accountDetails describes everything that the filter lets pass: users,
// groups, roles, then policies.
func (s *Service) accountDetails(_ context.Context, call *wire.Call, in *detailsInput) (*detailsOutput, error) {
	var all []detail
	for _, f := range in.Filter {
		if !slices.Contains([]string{"User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"}, f) {
			return nil, wire.ValidationException("1 validation error detected: Value '[%s]' at 'filter' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]]", strings.Join(in.Filter, ", "))
		}
	}
	wants := func(kind string) bool { return len(in.Filter) == 0 || slices.Contains(in.Filter, kind) }
	err := s.Store.View(func(tx state.Tx) (err error) {
		for _, source := range []struct {
			wanted bool
			list   func(state.Tx, string) ([]detail, error)
		}{
			{wants("User"), userDetails}, {wants("Group"), groupDetails}, {wants("Role"), roleDetails},
			{true, func(tx state.Tx, account string) ([]detail, error) {
				return managedDetails(tx, account, wants("LocalManagedPolicy"), wants("AWSManagedPolicy"))
			}},
		} {
			if source.wanted {
				more, listErr := source.list(tx, call.Caller.Account)
				all, err = append(all, more...), errors.Join(err, listErr)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &detailsOutput{UserDetailList: []userDetail{}, GroupDetailList: []groupDetail{}, RoleDetailList: []roleDetail{}, Policies: []managedDetail{}}
	cut, p := pageOf(all, func(d detail) string { return d.key }, page{in.Marker, in.MaxItems})
	out.IsTruncated, out.Marker = p.IsTruncated, p.Marker
	for _, d := range cut {
		d.add(out)
	}
	return out, nil
}

func userDetails(tx state.Tx, account string) ([]detail, error) {
	var all []detail
	found, err := users.List(tx, state.Prefix(account), "", 0)
	for _, e := range found {
		u := e.Value
		d := u.describe(true)
		out := userDetail{d.Path, d.UserName, d.UserId, d.Arn, d.CreateDate, nil, append([]string{}, u.Groups...), u.attached(""), d.PermissionsBoundary, listTags(u.Tags)}
		if len(u.Inline) > 0 {
			out.UserPolicyList = u.details()
		}
		all = append(all, detail{"1" + strings.ToLower(u.Name), func(o *detailsOutput) { o.UserDetailList = append(o.UserDetailList, out) }})
	}
	return all, err
}

func groupDetails(tx state.Tx, account string) ([]detail, error) {
	var all []detail
	found, err := groups.List(tx, state.Prefix(account), "", 0)
	for _, e := range found {
		g := e.Value
		out := groupDetail{g.Path, g.Name, g.ID, g.ARN, wire.TimeOf(g.Created), g.details(), g.attached("")}
		all = append(all, detail{"2" + strings.ToLower(g.Name), func(o *detailsOutput) { o.GroupDetailList = append(o.GroupDetailList, out) }})
	}
	return all, err
}

func roleDetails(tx state.Tx, account string) ([]detail, error) {
	var all []detail
	found, err := roles.List(tx, state.Prefix(account), "", 0)
	for _, e := range found {
		r := e.Value
		in, profileErr := describeProfiles(tx, account, func(p Profile) bool { return p.Role == r.Name })
		err = cmp.Or(err, profileErr)
		d := describe(r, true)
		out := roleDetail{d.Path, d.RoleName, d.RoleId, d.Arn, d.CreateDate, d.AssumeRolePolicyDocument, in, r.details(), r.attached(""), d.PermissionsBoundary, listTags(r.Tags), d.RoleLastUsed}
		all = append(all, detail{"3" + strings.ToLower(r.Name), func(o *detailsOutput) { o.RoleDetailList = append(o.RoleDetailList, out) }})
	}
	return all, err
}

// managedDetails describes the account's policies, and those of AWS's that are attached.
func managedDetails(tx state.Tx, account string, local, aws bool) ([]detail, error) {
	var candidates []Policy
	found, err := policies.List(tx, state.Prefix(account), "", 0)
	for _, e := range found {
		if local {
			candidates = append(candidates, e.Value)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(awsManaged)) {
		if aws {
			candidates = append(candidates, awsManaged[arn])
		}
	}
	var all []detail
	for _, p := range candidates {
		d, describeErr := describePolicy(tx, account, p, true)
		err = cmp.Or(err, describeErr)
		if _, isAWS := awsManaged[p.ARN]; isAWS && d.AttachmentCount+d.PermissionsBoundaryUsageCount == 0 {
			continue
		}
		out := managedDetail{d.PolicyName, d.PolicyId, d.Arn, d.Path, d.DefaultVersionId, d.AttachmentCount, d.PermissionsBoundaryUsageCount, true, d.Description, d.CreateDate, d.UpdateDate, nil}
		for _, n := range slices.Backward(slices.Sorted(maps.Keys(p.Versions))) {
			out.PolicyVersionList = append(out.PolicyVersionList, describeVersion(p, n, true))
		}
		all = append(all, detail{"4" + p.ARN, func(o *detailsOutput) { o.Policies = append(o.Policies, out) }})
	}
	slices.SortFunc(all, func(a, b detail) int { return strings.Compare(a.key, b.key) })
	return all, err
}
