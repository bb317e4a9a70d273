package iam

import (
	"context"
	"errors"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Profile is a stored instance profile: a role for machines, of which there
// are none here.
type Profile struct {
	Name, Path, ID, ARN, Account string
	Created                      time.Time
	Role                         string // name, "" for none
	Tags                         map[string]string
}

var profiles = state.NewCollection[Profile]("iam/instance-profiles")

func findProfile(tx state.Tx, account, name string) (Profile, error) {
	p, err := profiles.Get(tx, userKey(account, name))
	if errors.Is(err, state.ErrNotFound) || err == nil && p.Name != name {
		return p, noSuchEntity("Instance Profile %s cannot be found.", name)
	}
	return p, err
}

type profileOutput struct {
	Path, InstanceProfileName, InstanceProfileId, Arn string
	CreateDate                                        wire.Time
	Roles                                             []roleOutput
	Tags                                              []tag
}

// describeProfile renders a profile with its role; lists leave out tags.
func describeProfile(tx state.Tx, p Profile, whole bool) (profileOutput, error) {
	out := profileOutput{Path: p.Path, InstanceProfileName: p.Name, InstanceProfileId: p.ID, Arn: p.ARN, CreateDate: wire.TimeOf(p.Created), Roles: []roleOutput{}}
	if whole {
		out.Tags = listTags(p.Tags)
	}
	if p.Role == "" {
		return out, nil
	}
	r, err := findRole(tx, p.Account, p.Role)
	out.Roles = append(out.Roles, describe(r, false))
	return out, err
}

type createProfileInput struct {
	InstanceProfileName string `required:"true" min:"1"`
	Path                string
	Tags                []tag
}

type oneProfile struct{ InstanceProfile profileOutput }

func (s *Service) createProfile(_ context.Context, call *wire.Call, in *createProfileInput) (*oneProfile, error) {
	p := Profile{Name: in.InstanceProfileName, Path: pathOr(in.Path), Account: call.Caller.Account, Created: s.Now().UTC().Truncate(time.Second)}
	err := errors.Join(checkName("instanceProfileName", p.Name, 128), checkPath(p.Path))
	if err != nil {
		return nil, err
	}
	if p.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	p.ARN = "arn:aws:iam::" + p.Account + ":instance-profile" + p.Path + p.Name
	if p.ID, err = s.newID("AIPA"); err != nil {
		return nil, err
	}
	out := &oneProfile{}
	return out, s.change(func(tx state.Tx) error {
		if profiles.Has(tx, userKey(p.Account, p.Name)) {
			return exists("Instance Profile %s already exists.", p.Name)
		}
		out.InstanceProfile, err = describeProfile(tx, p, len(p.Tags) > 0)
		return errors.Join(err, profiles.Put(tx, userKey(p.Account, p.Name), p))
	})
}

type profileInput struct {
	InstanceProfileName string `required:"true" min:"1"`
}

func (in profileInput) profile() string { return in.InstanceProfileName }

func (s *Service) getProfile(_ context.Context, call *wire.Call, in *profileInput) (*oneProfile, error) {
	out := &oneProfile{}
	return out, s.Store.View(func(tx state.Tx) error {
		p, err := findProfile(tx, call.Caller.Account, in.InstanceProfileName)
		if err != nil {
			return err
		}
		out.InstanceProfile, err = describeProfile(tx, p, true)
		return err
	})
}

func (s *Service) deleteProfile(_ context.Context, call *wire.Call, in *profileInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		p, err := findProfile(tx, call.Caller.Account, in.InstanceProfileName)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		return profiles.Delete(tx, userKey(p.Account, p.Name))
	})
}

type listProfilesOutput struct {
	InstanceProfiles []profileOutput
	IsTruncated      bool
	Marker           string
}

func (s *Service) pageOfProfiles(account string, p page, wanted func(Profile) bool) (*listProfilesOutput, error) {
	all := []profileOutput{}
	err := s.Store.View(func(tx state.Tx) (err error) {
		all, err = describeProfiles(tx, account, wanted)
		return err
	})
	cut, out := pageOf(all, func(p profileOutput) string { return strings.ToLower(p.InstanceProfileName) }, p)
	return &listProfilesOutput{cut, out.IsTruncated, out.Marker}, err
}

func describeProfiles(tx state.Tx, account string, wanted func(Profile) bool) ([]profileOutput, error) {
	all := []profileOutput{}
	found, err := profiles.List(tx, state.Prefix(account), "", 0)
	for _, e := range found {
		if wanted(e.Value) {
			d, describeErr := describeProfile(tx, e.Value, false)
			all, err = append(all, d), errors.Join(err, describeErr)
		}
	}
	return all, err
}

func (s *Service) listProfiles(_ context.Context, call *wire.Call, in *listUsersInput) (*listProfilesOutput, error) {
	return s.pageOfProfiles(call.Caller.Account, page{in.Marker, in.MaxItems}, func(p Profile) bool { return strings.HasPrefix(p.Path, in.PathPrefix) })
}

type profilesForRoleInput struct {
	RoleName string `required:"true" min:"1"`
	Marker   string
	MaxItems *int `min:"1" max:"1000"`
}

func (in profilesForRoleInput) role() string { return in.RoleName }

func (s *Service) listProfilesForRole(_ context.Context, call *wire.Call, in *profilesForRoleInput) (*listProfilesOutput, error) {
	r, err := s.role(call.Caller.Account, in.RoleName)
	if err != nil {
		return nil, err
	}
	return s.pageOfProfiles(r.Account, page{in.Marker, in.MaxItems}, func(p Profile) bool { return p.Role == r.Name })
}

type profileRoleInput struct {
	InstanceProfileName string `required:"true" min:"1"`
	RoleName            string `required:"true" min:"1"`
}

func (in profileRoleInput) profile() string { return in.InstanceProfileName }

func (s *Service) editProfile(call *wire.Call, name string, edit func(state.Tx, *Profile) error) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		p, err := findProfile(tx, call.Caller.Account, name)
		if err != nil {
			return err
		}
		if err := edit(tx, &p); err != nil {
			return err
		}
		return profiles.Put(tx, userKey(p.Account, p.Name), p)
	})
}

func (s *Service) addRole(_ context.Context, call *wire.Call, in *profileRoleInput) (*wire.Empty, error) {
	return s.editProfile(call, in.InstanceProfileName, func(tx state.Tx, p *Profile) error {
		if _, err := findRole(tx, p.Account, in.RoleName); err != nil {
			return err
		}
		if p.Role != "" {
			return limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		}
		p.Role = in.RoleName
		return nil
	})
}

func (s *Service) removeRole(_ context.Context, call *wire.Call, in *profileRoleInput) (*wire.Empty, error) {
	return s.editProfile(call, in.InstanceProfileName, func(tx state.Tx, p *Profile) error {
		if _, err := findRole(tx, p.Account, in.RoleName); err != nil || p.Role != in.RoleName {
			return noSuchEntity("The role with name %s cannot be found.", in.RoleName)
		}
		p.Role = ""
		return nil
	})
}

type tagProfileInput struct {
	InstanceProfileName string `required:"true" min:"1"`
	Tags                []tag  `required:"true"`
}

func (in tagProfileInput) profile() string { return in.InstanceProfileName }

func (s *Service) tagProfile(_ context.Context, call *wire.Call, in *tagProfileInput) (*wire.Empty, error) {
	return s.editProfile(call, in.InstanceProfileName, func(_ state.Tx, p *Profile) (err error) {
		p.Tags, err = mergeTags(p.Tags, in.Tags)
		return err
	})
}

type untagProfileInput struct {
	InstanceProfileName string   `required:"true" min:"1"`
	TagKeys             []string `required:"true"`
}

func (in untagProfileInput) profile() string { return in.InstanceProfileName }

func (s *Service) untagProfile(_ context.Context, call *wire.Call, in *untagProfileInput) (*wire.Empty, error) {
	return s.editProfile(call, in.InstanceProfileName, func(_ state.Tx, p *Profile) error {
		for _, key := range in.TagKeys {
			delete(p.Tags, key)
		}
		return nil
	})
}

type listProfileTagsInput struct {
	InstanceProfileName string `required:"true" min:"1"`
	Marker              string
	MaxItems            *int `min:"1" max:"1000"`
}

func (in listProfileTagsInput) profile() string { return in.InstanceProfileName }

func (s *Service) listProfileTags(_ context.Context, call *wire.Call, in *listProfileTagsInput) (*tagsOutput, error) {
	var p Profile
	err := s.Store.View(func(tx state.Tx) (err error) {
		p, err = findProfile(tx, call.Caller.Account, in.InstanceProfileName)
		return err
	})
	if err != nil {
		return nil, err
	}
	return tagPage(p.Tags, page{in.Marker, in.MaxItems}), nil
}
