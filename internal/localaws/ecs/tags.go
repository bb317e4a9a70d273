package ecs

import (
	"context"
	"errors"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tagInput struct {
	ResourceArn string   `json:"resourceArn" required:"true"`
	Tags        []Tag    `json:"tags"`
	TagKeys     []string `json:"tagKeys"`
}

type tagsOutput struct {
	Tags []Tag `json:"tags"`
}

func tagging[O any](name string, handle wire.Handler[tagInput, O]) wire.Operation {
	return wire.JSON(name, handle, func(_ *wire.Call, in *tagInput) []wire.Access {
		return []wire.Access{{Action: "ecs:" + name, Resource: in.ResourceArn}}
	})
}

// withTags runs f over the tags of what an ARN names and keeps what f returns.
func (s *Service) withTags(resource string, f func([]Tag) []Tag) error {
	account, region, kind, rest, _ := splitARN(resource)
	err := s.store.Update(func(tx state.Tx) error {
		switch kind {
		case "cluster":
			c, err := clusters.Get(tx, state.Key(account, region, rest))
			if err != nil {
				return err
			}
			c.Tags = f(c.Tags)
			return clusters.Put(tx, state.Key(account, region, rest), c)
		case "task-definition":
			d, key, err := findDefinition(tx, account, region, rest)
			if err != nil {
				return err
			}
			d.Tags = f(d.Tags)
			return definitions.Put(tx, key, d)
		case "task":
			name, id, _ := strings.Cut(rest, "/")
			key := state.Key(account, region, name, id)
			if t := s.liveTask(key); t != nil {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.record.Tags = f(t.record.Tags)
				return tasks.Put(tx, key, t.record)
			}
			r, err := tasks.Get(tx, key)
			if err != nil {
				return err
			}
			r.Tags = f(r.Tags)
			return tasks.Put(tx, key, r)
		}
		return invalid("The specified resource ARN is not one of a cluster, task definition or task.")
	})
	if errors.Is(err, state.ErrNotFound) {
		return invalid("The specified resource was not found: %s", resource)
	}
	return err
}

func (s *Service) tagResource(_ context.Context, _ *wire.Call, in *tagInput) (*wire.Empty, error) {
	return nil, s.withTags(in.ResourceArn, func(tags []Tag) []Tag {
		for _, t := range in.Tags {
			tags = append(slices.DeleteFunc(tags, func(have Tag) bool { return have.Key == t.Key }), t)
		}
		return tags
	})
}

func (s *Service) untagResource(_ context.Context, _ *wire.Call, in *tagInput) (*wire.Empty, error) {
	return nil, s.withTags(in.ResourceArn, func(tags []Tag) []Tag {
		return slices.DeleteFunc(tags, func(have Tag) bool { return slices.Contains(in.TagKeys, have.Key) })
	})
}

func (s *Service) listTagsForResource(_ context.Context, _ *wire.Call, in *tagInput) (*tagsOutput, error) {
	out := &tagsOutput{Tags: []Tag{}}
	return out, s.withTags(in.ResourceArn, func(tags []Tag) []Tag {
		out.Tags = orEmpty(slices.Clone(tags))
		return tags
	})
}
