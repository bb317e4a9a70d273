package kms

import (
	"context"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/wire"
)

const maxTags = 50

type tagInput struct {
	KeyID string `json:"KeyId" required:"true"`
	Tags  []tag  `required:"true"`
}

func (s *Service) tagResource(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.KeyID, "TagResource", func(k *key) error {
		if k.Tags == nil {
			k.Tags = map[string]string{}
		}
		for _, t := range in.Tags {
			if strings.HasPrefix(t.Key, "aws:") {
				return wire.Errorf("TagException", "Tag keys that begin with aws: are reserved: %s", t.Key)
			}
			k.Tags[t.Key] = t.Value
		}
		if len(k.Tags) > maxTags {
			return wire.Errorf("LimitExceededException", "A key has at most %d tags", maxTags)
		}
		return k.alive()
	})
}

type untagInput struct {
	KeyID   string   `json:"KeyId" required:"true"`
	TagKeys []string `required:"true"`
}

func (s *Service) untagResource(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.KeyID, "UntagResource", func(k *key) error {
		for _, name := range in.TagKeys {
			delete(k.Tags, name)
		}
		return k.alive()
	})
}

type listTagsInput struct {
	KeyID  string `json:"KeyId" required:"true"`
	Limit  *int   `min:"1" max:"50"`
	Marker string
}

type listTagsOutput struct {
	Tags       []tag
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) listTags(_ context.Context, call *wire.Call, in *listTagsInput) (*listTagsOutput, error) {
	k, err := s.find(call, in.KeyID)
	if err != nil {
		return nil, err
	}
	out := &listTagsOutput{Tags: []tag{}}
	for _, name := range slices.Sorted(maps.Keys(k.Tags)) {
		if in.Limit != nil && len(out.Tags) == *in.Limit {
			out.Truncated, out.NextMarker = true, out.Tags[len(out.Tags)-1].Key
			break
		}
		if name > in.Marker {
			out.Tags = append(out.Tags, tag{name, k.Tags[name]})
		}
	}
	return out, nil
}
