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

// tagged is what has tags: a machine or an activity.
func (s *Service) tagged(tx state.Tx, arn string, change func([]Tag) ([]Tag, error)) error {
	if key, err := activityKey(arn); err == nil {
		return changeTags(tx, activities, key, func(a *activity) *[]Tag { return &a.Tags }, change)
	}
	key, qualifier, err := qualifiedKey(arn)
	if err != nil {
		return err
	}
	if qualifier != "" {
		return state.ErrNotFound // versions and aliases have none
	}
	return changeTags(tx, machines, key, func(m *machine) *[]Tag { return &m.Tags }, change)
}

func changeTags[T any](tx state.Tx, all state.Collection[T], key string, of func(*T) *[]Tag, change func([]Tag) ([]Tag, error)) error {
	v, err := all.Get(tx, key)
	if err != nil {
		return err
	}
	tags := of(&v)
	old := slices.Clone(*tags)
	if *tags, err = change(*tags); err != nil || slices.Equal(*tags, old) {
		return err
	}
	return all.Put(tx, key, v)
}

func noResource(arn string, err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return wire.Errorf("ResourceNotFound", "Resource not found: '%s'", arn)
	}
	return err
}

func (s *Service) listTags(_ context.Context, _ *wire.Call, in *resourceRef) (*tagsOutput, error) {
	out := &tagsOutput{Tags: []Tag{}}
	err := s.store.View(func(tx state.Tx) error {
		return s.tagged(tx, in.ARN, func(tags []Tag) ([]Tag, error) {
			out.Tags = append(out.Tags, tags...)
			return tags, nil
		})
	})
	return out, noResource(in.ARN, err)
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
	err := s.store.Update(func(tx state.Tx) error {
		return s.tagged(tx, arn, func(tags []Tag) ([]Tag, error) {
			if tags = change(tags); len(tags) > maxTags {
				return nil, wire.Errorf("TooManyTags", "A resource has at most %d tags", maxTags).With("resourceName", arn)
			}
			return tags, nil
		})
	})
	return &wire.Empty{}, noResource(arn, err)
}
