// Package iam is AWS Identity and Access Management: roles, users, groups and
// instance profiles, their inline and managed policies, access keys and tags.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/Welcome.html
package iam

import (
	"io"
	"slices"
	"sync"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config is what the service needs.
type Config struct {
	Store *state.Store
	Now   func() time.Time
	Rand  io.Reader // for unique ids: crypto/rand.Reader
}

// Service keeps who there is and what they may do.
type Service struct {
	Config
	mu       sync.RWMutex
	compiled map[string]compiledRole // by the ARN of a role or a user; emptied by every change
}

// New returns the service.
func New(cfg Config) *Service { return &Service{Config: cfg, compiled: map[string]compiledRole{}} }

// Wire returns the operations.
func (s *Service) Wire() *wire.Service {
	svc := &wire.Service{
		Name: "iam", Protocol: wire.Query, Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
	}
	svc.Operations = slices.Concat(
		s.roleOperations(), grantOperations(s, roleKind), s.userOperations(), grantOperations(s, userKind),
		s.groupOperations(), grantOperations(s, groupKind), s.profileOperations(), s.policyOperations(), s.accountOperations(),
	)
	return svc
}

// roleOperations act on one role, whose ARN is the resource of the permission check.
func (s *Service) roleOperations() []wire.Operation {
	return []wire.Operation{
		wire.Form("CreateRole", s.createRole, func(c *wire.Call, in *createRoleInput) []wire.Access {
			return access("CreateRole", roleARN(c.Caller.Account, pathOr(in.Path), in.RoleName))
		}),
		wire.Form("ListRoles", s.listRoles, func(c *wire.Call, in *listRolesInput) []wire.Access {
			return access("ListRoles", roleARN(c.Caller.Account, pathOr(in.PathPrefix), ""))
		}),
		onRole(s, "GetRole", s.getRole),
		onRole(s, "UpdateRole", s.updateRole),
		onRole(s, "UpdateRoleDescription", s.updateRoleDescription),
		onRole(s, "UpdateAssumeRolePolicy", s.updateAssumeRolePolicy),
		onRole(s, "DeleteRole", s.deleteRole),
		onRole(s, "PutRolePermissionsBoundary", s.putBoundary),
		onRole(s, "DeleteRolePermissionsBoundary", s.deleteBoundary),
		onRole(s, "TagRole", s.tagRole),
		onRole(s, "UntagRole", s.untagRole),
		onRole(s, "ListRoleTags", s.listRoleTags),
	}
}

// userOperations act on users and their keys.
func (s *Service) userOperations() []wire.Operation {
	return []wire.Operation{
		wire.Form("CreateUser", s.createUser, func(c *wire.Call, in *createUserInput) []wire.Access {
			return access("CreateUser", "arn:aws:iam::"+c.Caller.Account+":user"+pathOr(in.Path)+in.UserName)
		}),
		wire.Form("ListUsers", s.listUsers, func(c *wire.Call, in *listUsersInput) []wire.Access {
			return access("ListUsers", "arn:aws:iam::"+c.Caller.Account+":user"+pathOr(in.PathPrefix))
		}),
		onUser(s, "GetUser", s.getUser),
		onUser(s, "UpdateUser", s.updateUser),
		onUser(s, "DeleteUser", s.deleteUser),
		onUser(s, "PutUserPermissionsBoundary", s.putUserBoundary),
		onUser(s, "DeleteUserPermissionsBoundary", s.deleteUserBoundary),
		onUser(s, "TagUser", s.tagUser),
		onUser(s, "UntagUser", s.untagUser),
		onUser(s, "ListUserTags", s.listUserTags),
		onUser(s, "ListGroupsForUser", s.listGroupsForUser),
		onUser(s, "CreateAccessKey", s.createAccessKey),
		onUser(s, "ListAccessKeys", s.listAccessKeys),
		onUser(s, "UpdateAccessKey", s.updateAccessKey),
		onUser(s, "DeleteAccessKey", s.deleteAccessKey),
	}
}

func (s *Service) groupOperations() []wire.Operation {
	return []wire.Operation{
		wire.Form("CreateGroup", s.createGroup, func(c *wire.Call, in *createGroupInput) []wire.Access {
			return access("CreateGroup", groupARN(c.Caller.Account, pathOr(in.Path), in.GroupName))
		}),
		wire.Form("ListGroups", s.listGroups, func(c *wire.Call, in *listUsersInput) []wire.Access {
			return access("ListGroups", groupARN(c.Caller.Account, pathOr(in.PathPrefix), ""))
		}),
		onGroup(s, "GetGroup", s.getGroup),
		onGroup(s, "UpdateGroup", s.updateGroup),
		onGroup(s, "DeleteGroup", s.deleteGroup),
		onGroup(s, "AddUserToGroup", s.addUserToGroup),
		onGroup(s, "RemoveUserFromGroup", s.removeUserFromGroup),
	}
}

func (s *Service) profileOperations() []wire.Operation {
	return []wire.Operation{
		wire.Form("CreateInstanceProfile", s.createProfile, func(c *wire.Call, in *createProfileInput) []wire.Access {
			return access("CreateInstanceProfile", "arn:aws:iam::"+c.Caller.Account+":instance-profile"+pathOr(in.Path)+in.InstanceProfileName)
		}),
		wire.Form("ListInstanceProfiles", s.listProfiles, func(c *wire.Call, in *listUsersInput) []wire.Access {
			return access("ListInstanceProfiles", "arn:aws:iam::"+c.Caller.Account+":instance-profile"+pathOr(in.PathPrefix))
		}),
		onRole(s, "ListInstanceProfilesForRole", s.listProfilesForRole),
		onProfile(s, "GetInstanceProfile", s.getProfile),
		onProfile(s, "DeleteInstanceProfile", s.deleteProfile),
		wire.Form("AddRoleToInstanceProfile", s.addRole, func(c *wire.Call, in *profileRoleInput) []wire.Access {
			pass := wire.Access{Action: "iam:PassRole", Resource: s.arnOfRole(c, in.RoleName), Conditions: map[string][]string{"iam:PassedToService": {"ec2.amazonaws.com"}}}
			return append(access("AddRoleToInstanceProfile", s.arnOfProfile(c, in.InstanceProfileName)), pass)
		}),
		onProfile(s, "RemoveRoleFromInstanceProfile", s.removeRole),
		onProfile(s, "TagInstanceProfile", s.tagProfile),
		onProfile(s, "UntagInstanceProfile", s.untagProfile),
		onProfile(s, "ListInstanceProfileTags", s.listProfileTags),
	}
}

// accountOperations are about the account, or about what AWS itself keeps there.
func (s *Service) accountOperations() []wire.Operation {
	return []wire.Operation{
		wire.Form("GetAccountAuthorizationDetails", s.accountDetails, nil),
		wire.Form("CreateServiceLinkedRole", s.createLinkedRole, func(c *wire.Call, in *createLinkedInput) []wire.Access {
			name, _ := linkedName(in.AWSServiceName, in.CustomSuffix) // the handler refuses what has none
			all := access("CreateServiceLinkedRole", roleARN(c.Caller.Account, servicePath+in.AWSServiceName+"/", name))
			all[0].Conditions = map[string][]string{"iam:AWSServiceName": {in.AWSServiceName}}
			return all
		}),
		onRole(s, "DeleteServiceLinkedRole", s.deleteLinkedRole),
		wire.Form("GetServiceLinkedRoleDeletionStatus", s.linkedDeletion, nil),
		wire.Form("SimulatePrincipalPolicy", s.simulatePrincipalPolicy, func(_ *wire.Call, in *simulateInput) []wire.Access {
			return access("SimulatePrincipalPolicy", in.PolicySourceArn)
		}),
		wire.Form("SimulateCustomPolicy", s.simulateCustomPolicy, nil),
	}
}

func (s *Service) policyOperations() []wire.Operation {
	return []wire.Operation{
		wire.Form("CreatePolicy", s.createPolicy, func(c *wire.Call, in *createPolicyInput) []wire.Access {
			return access("CreatePolicy", policyARN(c.Caller.Account, pathOr(in.Path), in.PolicyName))
		}),
		wire.Form("ListPolicies", s.listPolicies, nil),
		onPolicy("GetPolicy", s.getPolicy),
		onPolicy("GetPolicyVersion", s.getPolicyVersion),
		onPolicy("CreatePolicyVersion", s.createPolicyVersion),
		onPolicy("ListPolicyVersions", s.listPolicyVersions),
		onPolicy("ListEntitiesForPolicy", s.listEntitiesForPolicy),
		onPolicy("DeletePolicyVersion", s.deletePolicyVersion),
		onPolicy("SetDefaultPolicyVersion", s.setDefaultPolicyVersion),
		onPolicy("DeletePolicy", s.deletePolicy),
		onPolicy("TagPolicy", s.tagPolicy),
		onPolicy("UntagPolicy", s.untagPolicy),
		onPolicy("ListPolicyTags", s.listPolicyTags),
	}
}

func access(action, resource string) []wire.Access {
	return []wire.Access{{Action: "iam:" + action, Resource: resource}}
}

// named is an input that names a role; ofPolicy one that names a policy.
type (
	named    interface{ role() string }
	ofPolicy interface{ arn() string }
)

// onRole makes an operation whose resource is an existing role.
func onRole[I, O any](s *Service, name string, handle wire.Handler[I, O]) wire.Operation {
	return wire.Form(name, handle, func(c *wire.Call, in *I) []wire.Access {
		role := any(in).(named).role()
		return access(name, s.arnOfRole(c, role))
	})
}

func (s *Service) arnOfRole(c *wire.Call, name string) string {
	arn := roleARN(c.Caller.Account, "/", name)
	if r, err := s.role(c.Caller.Account, name); err == nil {
		arn = r.ARN
	}
	return arn // an unknown role is the handler's to refuse
}

// onUser makes an operation whose resource is a user: who calls, where the
// input names none.
func onUser[I, O any](s *Service, name string, handle wire.Handler[I, O]) wire.Operation {
	return wire.Form(name, handle, func(c *wire.Call, in *I) []wire.Access {
		user, err := userOf(c, any(in).(interface{ user() string }).user())
		if err != nil {
			return access(name, c.Caller.ARN)
		}
		arn := "arn:aws:iam::" + c.Caller.Account + ":user/" + user
		if u, err := s.user(c.Caller.Account, user); err == nil {
			arn = u.ARN
		}
		return access(name, arn)
	})
}

func onGroup[I, O any](s *Service, name string, handle wire.Handler[I, O]) wire.Operation {
	return wire.Form(name, handle, func(c *wire.Call, in *I) []wire.Access {
		group := any(in).(interface{ group() string }).group()
		arn := groupARN(c.Caller.Account, "/", group)
		_ = s.Store.View(func(tx state.Tx) error {
			if g, err := findGroup(tx, c.Caller.Account, group); err == nil {
				arn = g.ARN
			}
			return nil
		}) // an unknown group is the handler's to refuse
		return access(name, arn)
	})
}

func onProfile[I, O any](s *Service, name string, handle wire.Handler[I, O]) wire.Operation {
	return wire.Form(name, handle, func(c *wire.Call, in *I) []wire.Access {
		return access(name, s.arnOfProfile(c, any(in).(interface{ profile() string }).profile()))
	})
}

func (s *Service) arnOfProfile(c *wire.Call, name string) string {
	arn := "arn:aws:iam::" + c.Caller.Account + ":instance-profile/" + name
	_ = s.Store.View(func(tx state.Tx) error {
		if p, err := findProfile(tx, c.Caller.Account, name); err == nil {
			arn = p.ARN
		}
		return nil
	}) // an unknown profile is the handler's to refuse
	return arn
}

func onPolicy[I, O any](name string, handle wire.Handler[I, O]) wire.Operation {
	return wire.Form(name, handle, func(_ *wire.Call, in *I) []wire.Access {
		return access(name, any(in).(ofPolicy).arn())
	})
}

// change runs f in a transaction and forgets what was compiled.
func (s *Service) change(f func(state.Tx) error) error {
	err := s.Store.Update(f)
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.compiled)
	return err
}
