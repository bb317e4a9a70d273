package states

import (
	"context"
	"errors"
	"slices"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// maxTags is AWS's limit for one resource.
const maxTags = 50

type resourceRef struct {
	ARN string `json:"resourceArn" required:"true"`
}

func (r *resourceRef) target() string { return r.ARN }

type tagInput struct {
	ARN  string `json:"resourceArn" required:"true"`
	Tags []Tag  `json:"tags" required:"true"`
}

func (r *tagInput) target() string { return r.ARN }

type untagInput struct {
	ARN  string   `json:"resourceArn" required:"true"`
	Keys []string `json:"tagKeys" required:"true"`
}

func (r *untagInput) target() string { return r.ARN }

type tagsOutput struct {
	Tags []Tag `json:"tags"`
}

func (s *Service) listTags(_ context.Context, _ *wire.Call, in *resourceRef) (*tagsOutput, error) {
	m, err := s.machine(in.ARN)
	if err != nil {
		return nil, noResource(in.ARN, err)
	}
	return &tagsOutput{append([]Tag{}, m.Tags...)}, nil
}

func noResource(arn string, err error) error {
	if wire.IsCode(err, "StateMachineDoesNotExist") {
		return wire.Errorf("ResourceNotFound", "Resource not found: '%s'", arn)
	}
	return err
}

func (s *Service) tag(_ context.Context, _ *wire.Call, in *tagInput) (*wire.Empty, error) {
	return s.retag(in.ARN, func(tags []Tag) []Tag {
		for _, t := range in.Tags {
			tags = append(slices.DeleteFunc(tags, func(old Tag) bool { return old.Key == t.Key }), t)
		}
		return tags
	})
}

func (s *Service) untag(_ context.Context, _ *wire.Call, in *untagInput) (*wire.Empty, error) {
	return s.retag(in.ARN, func(tags []Tag) []Tag {
		return slices.DeleteFunc(tags, func(t Tag) bool { return slices.Contains(in.Keys, t.Key) })
	})
}

func (s *Service) retag(arn string, change func([]Tag) []Tag) (*wire.Empty, error) {
	key, err := machineKey(arn)
	if err != nil {
		return nil, err
	}
	err = s.store.Update(func(tx state.Tx) error {
		m, err := machines.Get(tx, key)
		if err != nil {
			return err
		}
		if m.Tags = change(m.Tags); len(m.Tags) > maxTags {
			return wire.Errorf("TooManyTags", "A resource has at most %d tags", maxTags).With("resourceName", arn)
		}
		return machines.Put(tx, key, m)
	})
	if errors.Is(err, state.ErrNotFound) {
		err = wire.Errorf("ResourceNotFound", "Resource not found: '%s'", arn)
	}
	return &wire.Empty{}, err
}
