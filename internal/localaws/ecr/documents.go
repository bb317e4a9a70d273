package ecr

import (
	"context"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type lifecycleInput struct {
	repositoryName
	Text string `json:"lifecyclePolicyText" min:"100" max:"30720"`
}

type lifecycleOutput struct {
	RegistryID     string    `json:"registryId"`
	RepositoryName string    `json:"repositoryName"`
	Text           string    `json:"lifecyclePolicyText"`
	EvaluatedAt    wire.Time `json:"lastEvaluatedAt,omitzero"`
}

// putLifecyclePolicy keeps the policy and applies it at once, where AWS takes
// up to a day.
func (s *Service) putLifecyclePolicy(_ context.Context, call *wire.Call, in *lifecycleInput) (*lifecycleOutput, error) {
	if _, err := parseLifecycle(in.Text); err != nil {
		return nil, invalid("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: %v'", err)
	}
	id := in.id(call)
	err := s.change(id, func(r *repository) error {
		r.Lifecycle = in.Text
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &lifecycleOutput{RegistryID: id.account, RepositoryName: id.name, Text: in.Text}, s.expire(id)
}

func noLifecycle(id repoID) error {
	return wire.Errorf("LifecyclePolicyNotFoundException", "Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", id.name, id.account)
}

func (s *Service) getLifecyclePolicy(_ context.Context, call *wire.Call, in *repositoryName) (*lifecycleOutput, error) {
	id := in.id(call)
	out := &lifecycleOutput{RegistryID: id.account, RepositoryName: id.name}
	return out, s.view(id, func(_ state.Tx, r *repository) error {
		out.Text, out.EvaluatedAt = r.Lifecycle, wire.TimeOf(r.LifecycleEvaluated.Time)
		if r.Lifecycle == "" {
			return noLifecycle(id)
		}
		return nil
	})
}

func (s *Service) deleteLifecyclePolicy(_ context.Context, call *wire.Call, in *repositoryName) (*lifecycleOutput, error) {
	id := in.id(call)
	out := &lifecycleOutput{RegistryID: id.account, RepositoryName: id.name}
	return out, s.change(id, func(r *repository) error {
		if r.Lifecycle == "" {
			return noLifecycle(id)
		}
		out.Text, out.EvaluatedAt = r.Lifecycle, wire.TimeOf(r.LifecycleEvaluated.Time)
		r.Lifecycle, r.LifecycleEvaluated = "", wire.Time{}
		return nil
	})
}

type policyInput struct {
	repositoryName
	Text  string `json:"policyText" max:"10240"`
	Force bool   `json:"force"`
}

type policyOutput struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"`
	Text           string `json:"policyText"`
}

func (s *Service) setRepositoryPolicy(_ context.Context, call *wire.Call, in *policyInput) (*policyOutput, error) {
	if _, err := policy.Parse(policy.Repository, in.Text); err != nil {
		return nil, invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	}
	id := in.id(call)
	return &policyOutput{id.account, id.name, in.Text}, s.change(id, func(r *repository) error {
		r.Policy = in.Text
		return nil
	})
}

func noPolicy(id repoID) error {
	return wire.Errorf("RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", id.name, id.account)
}

func (s *Service) getRepositoryPolicy(_ context.Context, call *wire.Call, in *repositoryName) (*policyOutput, error) {
	id := in.id(call)
	out := &policyOutput{RegistryID: id.account, RepositoryName: id.name}
	return out, s.view(id, func(_ state.Tx, r *repository) error {
		if out.Text = r.Policy; r.Policy == "" {
			return noPolicy(id)
		}
		return nil
	})
}

func (s *Service) deleteRepositoryPolicy(_ context.Context, call *wire.Call, in *repositoryName) (*policyOutput, error) {
	id := in.id(call)
	out := &policyOutput{RegistryID: id.account, RepositoryName: id.name}
	return out, s.change(id, func(r *repository) error {
		if r.Policy == "" {
			return noPolicy(id)
		}
		out.Text, r.Policy = r.Policy, ""
		return nil
	})
}
