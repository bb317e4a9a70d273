package iam

import (
	"context"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tagRoleInput struct {
	RoleName string `required:"true" min:"1"`
	Tags     []tag  `required:"true"`
}

func (in tagRoleInput) role() string { return in.RoleName }

func (s *Service) tagRole(_ context.Context, call *wire.Call, in *tagRoleInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(_ state.Tx, r *Role) (err error) {
		r.Tags, err = mergeTags(r.Tags, in.Tags)
		return err
	})
}

type untagRoleInput struct {
	RoleName string   `required:"true" min:"1"`
	TagKeys  []string `required:"true"`
}

func (in untagRoleInput) role() string { return in.RoleName }

func (s *Service) untagRole(_ context.Context, call *wire.Call, in *untagRoleInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editRole(call, in.RoleName, func(_ state.Tx, r *Role) error {
		for _, key := range in.TagKeys {
			delete(r.Tags, key)
		}
		return nil
	})
}

type listRoleInput struct {
	RoleName   string `required:"true" min:"1"`
	PathPrefix string
	Marker     string
	MaxItems   *int `min:"1" max:"1000"`
}

func (in listRoleInput) role() string { return in.RoleName }

type tagsOutput struct {
	Tags        []tag
	IsTruncated bool
	Marker      string
}

func tagPage(tags map[string]string, p page) *tagsOutput {
	cut, out := pageOf(listTags(tags), func(t tag) string { return t.Key }, p)
	return &tagsOutput{cut, out.IsTruncated, out.Marker}
}

func (s *Service) listRoleTags(_ context.Context, call *wire.Call, in *listRoleInput) (*tagsOutput, error) {
	r, err := s.role(call.Caller.Account, in.RoleName)
	if err != nil {
		return nil, err
	}
	return tagPage(r.Tags, page{in.Marker, in.MaxItems}), nil
}

type tagPolicyInput struct {
	PolicyArn string `required:"true" min:"20"`
	Tags      []tag  `required:"true"`
}

func (in tagPolicyInput) arn() string { return in.PolicyArn }

func (s *Service) tagPolicy(_ context.Context, call *wire.Call, in *tagPolicyInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editPolicy(call, in.PolicyArn, func(p *Policy) (err error) {
		p.Tags, err = mergeTags(p.Tags, in.Tags)
		return err
	})
}

type untagPolicyInput struct {
	PolicyArn string   `required:"true" min:"20"`
	TagKeys   []string `required:"true"`
}

func (in untagPolicyInput) arn() string { return in.PolicyArn }

func (s *Service) untagPolicy(_ context.Context, call *wire.Call, in *untagPolicyInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editPolicy(call, in.PolicyArn, func(p *Policy) error {
		for _, key := range in.TagKeys {
			delete(p.Tags, key)
		}
		return nil
	})
}

func (s *Service) listPolicyTags(_ context.Context, call *wire.Call, in *listPolicyInput) (*tagsOutput, error) {
	p, err := s.policy(call.Caller.Account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return tagPage(p.Tags, page{in.Marker, in.MaxItems}), nil
}
