package iam

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

type versionOutput struct {
	Document         string
	VersionId        string
	IsDefaultVersion bool
	CreateDate       wire.Time
}

func describeVersion(p Policy, n int, whole bool) versionOutput {
	v := p.Versions[n]
	out := versionOutput{VersionId: versionID(n), IsDefaultVersion: n == p.Default, CreateDate: wire.TimeOf(v.Created)}
	if whole {
		out.Document = encodeDocument(v.Document)
	}
	return out
}

// versionOf returns the number of a version that the policy has.
func versionOf(p Policy, id string) (int, error) {
	digits, ok := strings.CutPrefix(id, "v")
	n, err := strconv.Atoi(digits)
	if _, has := p.Versions[n]; !ok || err != nil || !has {
		return 0, noSuchEntity("Policy %s version %s does not exist or is not attachable.", p.ARN, id)
	}
	return n, nil
}

type versionInput struct {
	PolicyArn string `required:"true" min:"20"`
	VersionId string `required:"true"`
}

func (in versionInput) arn() string { return in.PolicyArn }

type oneVersion struct{ PolicyVersion versionOutput }

func (s *Service) getPolicyVersion(_ context.Context, call *wire.Call, in *versionInput) (*oneVersion, error) {
	p, err := s.policy(call.Caller.Account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	n, err := versionOf(p, in.VersionId)
	return &oneVersion{describeVersion(p, n, true)}, err
}

type createVersionInput struct {
	PolicyArn      string `required:"true" min:"20"`
	PolicyDocument string `required:"true" min:"1"`
	SetAsDefault   bool
}

func (in createVersionInput) arn() string { return in.PolicyArn }

func (s *Service) createPolicyVersion(_ context.Context, call *wire.Call, in *createVersionInput) (*oneVersion, error) {
	if err := checkManaged(in.PolicyDocument); err != nil {
		return nil, err
	}
	out := &oneVersion{}
	return out, s.editPolicy(call, in.PolicyArn, func(p *Policy) error {
		if len(p.Versions) >= maxVersions {
			return limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		p.Last++
		p.Updated = s.Now().UTC().Truncate(time.Second)
		p.Versions[p.Last] = Version{in.PolicyDocument, p.Updated}
		if in.SetAsDefault {
			p.Default = p.Last
		}
		out.PolicyVersion = describeVersion(*p, p.Last, false)
		return nil
	})
}

func (s *Service) setDefaultPolicyVersion(_ context.Context, call *wire.Call, in *versionInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editPolicy(call, in.PolicyArn, func(p *Policy) (err error) {
		n, err := versionOf(*p, in.VersionId)
		if err == nil {
			p.Default, p.Updated = n, s.Now().UTC().Truncate(time.Second)
		}
		return err
	})
}

func (s *Service) deletePolicyVersion(_ context.Context, call *wire.Call, in *versionInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.editPolicy(call, in.PolicyArn, func(p *Policy) error {
		n, err := versionOf(*p, in.VersionId)
		if err != nil {
			return err
		}
		if n == p.Default {
			return conflict("Cannot delete the default version of a policy.")
		}
		delete(p.Versions, n)
		return nil
	})
}

type versionsOutput struct {
	Versions    []versionOutput
	IsTruncated bool
	Marker      string
}

func (s *Service) listPolicyVersions(_ context.Context, call *wire.Call, in *listPolicyInput) (*versionsOutput, error) {
	p, err := s.policy(call.Caller.Account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := &versionsOutput{Versions: []versionOutput{}}
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(p.Versions))) {
		out.Versions = append(out.Versions, describeVersion(p, n, false))
	}
	// A policy has at most five versions, so only a small MaxItems cuts the list.
	if i := slices.IndexFunc(out.Versions, func(v versionOutput) bool { return v.VersionId == in.Marker }); i >= 0 {
		out.Versions = out.Versions[i+1:]
	}
	if limit := limitOf(in.MaxItems); len(out.Versions) > limit {
		out.Versions, out.IsTruncated = out.Versions[:limit], true
		out.Marker = out.Versions[limit-1].VersionId
	}
	return out, nil
}
