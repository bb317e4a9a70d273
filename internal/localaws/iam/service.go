// Package iam is AWS Identity and Access Management: roles, their inline
// policies, managed policies and tags. There are no users, groups or instance
// profiles: people act as the account's root, code acts as a role.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/Welcome.html
package iam

import (
	"io"
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

// Service keeps roles and policies.
type Service struct {
	Config
	mu       sync.RWMutex
	compiled map[string]compiledRole // by role ARN; emptied by every change
}

// New returns the service.
func New(cfg Config) *Service { return &Service{Config: cfg, compiled: map[string]compiledRole{}} }

// Wire returns the operations.
func (s *Service) Wire() *wire.Service {
	svc := &wire.Service{
		Name: "iam", Protocol: wire.Query, Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
	}
	svc.Operations = append(svc.Operations, s.roleOperations()...)
	svc.Operations = append(svc.Operations, s.attachmentOperations()...)
	svc.Operations = append(svc.Operations, s.policyOperations()...)
	svc.Operations = append(svc.Operations, wire.Form("SimulatePrincipalPolicy", s.simulatePrincipalPolicy, func(_ *wire.Call, in *simulateInput) []wire.Access {
		return []wire.Access{{Action: "iam:SimulatePrincipalPolicy", Resource: in.PolicySourceArn}}
	}))
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

func (s *Service) attachmentOperations() []wire.Operation {
	return []wire.Operation{
		onRole(s, "PutRolePolicy", s.putRolePolicy),
		onRole(s, "GetRolePolicy", s.getRolePolicy),
		onRole(s, "DeleteRolePolicy", s.deleteRolePolicy),
		onRole(s, "ListRolePolicies", s.listRolePolicies),
		onRole(s, "AttachRolePolicy", s.attachRolePolicy),
		onRole(s, "DetachRolePolicy", s.detachRolePolicy),
		onRole(s, "ListAttachedRolePolicies", s.listAttachedRolePolicies),
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
		arn := roleARN(c.Caller.Account, "/", role)
		_ = s.Store.View(func(tx state.Tx) error {
			if r, err := findRole(tx, c.Caller.Account, role); err == nil {
				arn = r.ARN
			}
			return nil
		}) // an unknown role is the handler's to refuse
		all := access(name, arn)
		if p, ok := any(in).(ofPolicy); ok {
			all[0].Conditions = map[string][]string{"iam:PolicyARN": {p.arn()}}
		}
		return all
	})
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
