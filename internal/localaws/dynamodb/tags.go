package dynamodb

import (
	"context"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tag struct {
	Key   string `required:"true" max:"128"`
	Value string `max:"256"`
}

const maxTags = 50

// tag adds tags to the table.
func (t *table) tag(tags []tag) error {
	for _, one := range tags {
		if strings.HasPrefix(one.Key, "aws:") {
			return badParameter("Tag keys that begin with aws: are reserved: %s", one.Key)
		}
		t.Tags[one.Key] = one.Value
	}
	if len(t.Tags) > maxTags {
		return badParameter("Too many tags: a table has at most %d", maxTags)
	}
	return nil
}

// changeByARN changes what is kept of the table that an ARN names.
func (s *Service) changeByARN(call *wire.Call, arn string, change func(*table) error) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		t, err := lookupARN(tx, call, arn)
		if err != nil {
			return err
		}
		if err := change(t); err != nil {
			return err
		}
		return tables.Put(tx, t.key(), *t)
	})
}

func lookupARN(tx state.Tx, call *wire.Call, arn string) (*table, error) {
	if !strings.HasPrefix(arn, "arn:") {
		return nil, badParameter("Invalid TableArn: Invalid ResourceArn provided as input %s", arn)
	}
	t, err := lookup(tx, call, arn)
	if wire.IsCode(err, "ResourceNotFoundException") {
		return nil, wire.Errorf("ResourceNotFoundException", "Requested resource not found: ResourcArn: %s not found", arn) // the misspelling is AWS's
	}
	return t, err
}

type tagInput struct {
	ResourceARN string `json:"ResourceArn" required:"true"`
	Tags        []tag  `required:"true"`
}

func (s *Service) tagResource(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.changeByARN(call, in.ResourceARN, func(t *table) error { return t.tag(in.Tags) })
}

type untagInput struct {
	ResourceARN string   `json:"ResourceArn" required:"true"`
	TagKeys     []string `required:"true"`
}

func (s *Service) untagResource(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.changeByARN(call, in.ResourceARN, func(t *table) error {
		for _, key := range in.TagKeys {
			delete(t.Tags, key)
		}
		return nil
	})
}

type listTagsInput struct {
	ResourceARN string `json:"ResourceArn" required:"true"`
	NextToken   string
}

type listTagsOutput struct{ Tags []tag }

func (s *Service) listTags(_ context.Context, call *wire.Call, in *listTagsInput) (*listTagsOutput, error) {
	if in.NextToken != "" {
		return nil, invalid("Invalid NextToken: all tags of a table are in one answer")
	}
	out := &listTagsOutput{Tags: []tag{}}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		t, err := lookupARN(tx, call, in.ResourceARN)
		if err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
			out.Tags = append(out.Tags, tag{key, t.Tags[key]})
		}
		return nil
	})
	return out, err
}
