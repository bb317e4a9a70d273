package iam

import (
	"cmp"
	"context"
	"strings"
	"time"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type roleName struct {
	RoleName string `required:"true" min:"1"`
}

func (in roleName) role() string { return in.RoleName }

// roleOutput is a role as answers describe it.
type roleOutput struct {
	Path                     string
	RoleName                 string
	RoleId                   string
	Arn                      string
	CreateDate               wire.Time
	AssumeRolePolicyDocument string
	Description              string
	MaxSessionDuration       int
	PermissionsBoundary      *boundaryOutput
	Tags                     []tag
	RoleLastUsed             *wire.Empty
}

type boundaryOutput struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

// describe renders a role; lists leave out tags, boundary and last use.
func describe(r Role, whole bool) roleOutput {
	out := roleOutput{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: r.ARN, CreateDate: wire.TimeOf(r.Created),
		AssumeRolePolicyDocument: encodeDocument(r.Trust), Description: r.Description, MaxSessionDuration: r.MaxSession,
	}
	if !whole {
		return out
	}
	out.RoleLastUsed = &wire.Empty{}
	if len(r.Tags) > 0 {
		out.Tags = listTags(r.Tags)
	}
	if r.Boundary != "" {
		out.PermissionsBoundary = &boundaryOutput{"Policy", r.Boundary}
	}
	return out
}

type createRoleInput struct {
	RoleName                 string `required:"true" min:"1"`
	Path                     string
	AssumeRolePolicyDocument string `required:"true" min:"1"`
	Description              string `max:"1000"`
	MaxSessionDuration       *int   `min:"3600" max:"43200"`
	PermissionsBoundary      string
	Tags                     []tag
}

type oneRole struct{ Role roleOutput }

func (s *Service) createRole(_ context.Context, call *wire.Call, in *createRoleInput) (*oneRole, error) {
	r, err := s.newRole(call, in)
	if err != nil {
		return nil, err
	}
	err = s.change(func(tx state.Tx) error {
		if roles.Has(tx, roleKey(r.Account, r.Name)) {
			return exists("Role with name %s already exists.", r.Name)
		}
		if err := checkTrust(tx, r.Account, r.Trust); err != nil {
			return err
		}
		if err := checkAttachable(tx, r.Account, r.Boundary); r.Boundary != "" && err != nil {
			return err
		}
		if all, err := roles.List(tx, state.Prefix(r.Account), "", maxRoles); err != nil || len(all) == maxRoles {
			return cmp.Or(err, limitExceeded("Cannot exceed quota for RolesPerAccount: %d", maxRoles))
		}
		return roles.Put(tx, roleKey(r.Account, r.Name), r)
	})
	if err != nil {
		return nil, err
	}
	return &oneRole{describe(r, true)}, nil
}

func (s *Service) newRole(call *wire.Call, in *createRoleInput) (Role, error) {
	r := Role{
		Name: in.RoleName, Path: pathOr(in.Path), Account: call.Caller.Account, Trust: in.AssumeRolePolicyDocument,
		Description: in.Description, MaxSession: minSession, Created: s.Now().UTC().Truncate(time.Second), Boundary: in.PermissionsBoundary,
	}
	if err := checkName("roleName", r.Name, 64); err != nil {
		return r, err
	}
	if err := checkPath(r.Path); err != nil {
		return r, err
	}
	if in.MaxSessionDuration != nil {
		r.MaxSession = *in.MaxSessionDuration
	}
	var err error
	if r.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return r, err
	}
	r.ARN = roleARN(r.Account, r.Path, r.Name)
	r.ID, err = s.newID("AROA")
	return r, err
}

// checkTrust refuses a trust policy that is malformed, too long, or names a
// role of the account that is not there.
func checkTrust(tx state.Tx, account, text string) error {
	document, err := parse(policy.Trust, text)
	if err != nil {
		return err
	}
	if size(text) > maxTrustSize {
		return limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrustSize)
	}
	for _, arn := range document.PrincipalARNs() {
		parts := strings.SplitN(arn, ":", 6)
		if parts[2] != "iam" || parts[4] != account {
			continue
		}
		kind, path, _ := strings.Cut(parts[5], "/")
		name := path[strings.LastIndexByte(path, '/')+1:]
		r, _ := findRole(tx, account, name) // one that is not there has no ARN
		u, _ := findUser(tx, account, name)
		if kind == "user" && u.ARN != arn || kind == "role" && r.ARN != arn {
			return wire.Errorf("MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"%s\"", arn)
		}
	}
	return nil
}

// parse reads a document and gives its problems as IAM does: AWS's wording, then each of them.
func parse(kind policy.Kind, text string) (*policy.Document, error) {
	document, err := policy.Parse(kind, text)
	if err == nil {
		return document, nil
	}
	malformed, ok := err.(*policy.Error)
	if !ok {
		return nil, err
	}
	message := malformed.Message()
	if details := malformed.Error(); details != message {
		message += " Found: " + details
	}
	return nil, wire.Errorf("MalformedPolicyDocument", "%s", message)
}

// size is what counts against quotas: characters that are not white space.
func size(text string) int {
	n := 0
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			n++
		}
	}
	return n
}

type listRolesInput struct {
	PathPrefix string
	Marker     string
	MaxItems   *int `min:"1" max:"1000"`
}

type listRolesOutput struct {
	Roles       []roleOutput
	IsTruncated bool
	Marker      string
}

func (s *Service) listRoles(_ context.Context, call *wire.Call, in *listRolesInput) (*listRolesOutput, error) {
	all := []roleOutput{}
	err := s.Store.View(func(tx state.Tx) error {
		for raw := range roles.Scan(tx, state.Prefix(call.Caller.Account), "") {
			r, err := raw.Value()
			if err != nil {
				return err
			}
			if strings.HasPrefix(r.Path, in.PathPrefix) {
				all = append(all, describe(r, false))
			}
		}
		return nil
	})
	cut, p := pageOf(all, func(r roleOutput) string { return strings.ToLower(r.RoleName) }, page{in.Marker, in.MaxItems})
	return &listRolesOutput{cut, p.IsTruncated, p.Marker}, err
}

func (s *Service) getRole(_ context.Context, call *wire.Call, in *roleName) (*oneRole, error) {
	r, err := s.role(call.Caller.Account, in.RoleName)
	if err != nil {
		return nil, err
	}
	return &oneRole{describe(r, true)}, nil
}

func (s *Service) role(account, name string) (r Role, err error) {
	err = s.Store.View(func(tx state.Tx) error {
		r, err = findRole(tx, account, name)
		return err
	})
	return r, err
}

// Role returns a role by ARN, for STS and for services that assume it. Errors: NoSuchEntity.
func (s *Service) Role(arn string) (Role, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" || !strings.HasPrefix(parts[5], "role/") {
		return Role{}, wire.ValidationException("%s is invalid", arn)
	}
	r, err := s.role(parts[4], arn[strings.LastIndexByte(arn, '/')+1:])
	if err == nil && r.ARN != arn {
		err = noSuchEntity("The role with name %s cannot be found.", r.Name)
	}
	return r, err
}

type updateRoleInput struct {
	RoleName           string  `required:"true" min:"1"`
	Description        *string `max:"1000"`
	MaxSessionDuration *int    `min:"3600" max:"43200"`
}

func (in updateRoleInput) role() string { return in.RoleName }

func (s *Service) updateRole(_ context.Context, call *wire.Call, in *updateRoleInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(_ state.Tx, r *Role) error {
		if in.Description != nil {
			r.Description = *in.Description
		}
		if in.MaxSessionDuration != nil {
			r.MaxSession = *in.MaxSessionDuration
		}
		return nil
	})
}

type updateDescriptionInput struct {
	RoleName    string `required:"true" min:"1"`
	Description string `max:"1000"`
}

func (in updateDescriptionInput) role() string { return in.RoleName }

func (s *Service) updateRoleDescription(_ context.Context, call *wire.Call, in *updateDescriptionInput) (*oneRole, error) {
	out := &oneRole{}
	return out, s.editRole(call, in.RoleName, func(_ state.Tx, r *Role) error {
		r.Description = in.Description
		out.Role = describe(*r, true)
		return nil
	})
}

type updateTrustInput struct {
	RoleName       string `required:"true" min:"1"`
	PolicyDocument string `required:"true" min:"1"`
}

func (in updateTrustInput) role() string { return in.RoleName }

func (s *Service) updateAssumeRolePolicy(_ context.Context, call *wire.Call, in *updateTrustInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(tx state.Tx, r *Role) error {
		r.Trust = in.PolicyDocument
		return checkTrust(tx, r.Account, r.Trust)
	})
}

func (s *Service) deleteRole(_ context.Context, call *wire.Call, in *roleName) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		r, err := findRole(tx, call.Caller.Account, in.RoleName)
		switch {
		case err != nil:
			return err
		case r.linked():
			return wire.Errorf("UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.Name)
		}
		in, err := describeProfiles(tx, r.Account, func(p Profile) bool { return p.Role == r.Name })
		if err != nil {
			return err
		}
		if len(in) > 0 {
			return conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		if err := r.empty(); err != nil {
			return err
		}
		return roles.Delete(tx, roleKey(r.Account, r.Name))
	})
}

type boundaryInput struct {
	RoleName            string `required:"true" min:"1"`
	PermissionsBoundary string `required:"true" min:"20"`
}

func (in boundaryInput) role() string { return in.RoleName }

func (s *Service) putBoundary(_ context.Context, call *wire.Call, in *boundaryInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(tx state.Tx, r *Role) error {
		r.Boundary = in.PermissionsBoundary
		return checkAttachable(tx, r.Account, r.Boundary)
	})
}

func (s *Service) deleteBoundary(_ context.Context, call *wire.Call, in *roleName) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(_ state.Tx, r *Role) error {
		if r.Boundary == "" {
			return noSuchEntity("Role %s does not have a permissions boundary", r.Name)
		}
		r.Boundary = ""
		return nil
	})
}
