package athena

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// maxTags is how many tags a work group can have.
const maxTags = 50

type tagInput struct {
	ResourceARN string `required:"true"`
	Tags        []tag  `required:"true"`
}

type untagInput struct {
	ResourceARN string   `required:"true"`
	TagKeys     []string `required:"true"`
}

type listTagsInput struct {
	ResourceARN string `required:"true"`
	MaxResults  *int   `min:"75"`
	NextToken   string
}

type listTagsOutput struct {
	Tags []tag
}

func touchARN[I any](action string, arn func(*I) string) func(*wire.Call, *I) []wire.Access {
	return func(_ *wire.Call, in *I) []wire.Access {
		return []wire.Access{{Action: "athena:" + action, Resource: arn(in)}}
	}
}

// groupOf reads the ARN of a work group, the one resource that has tags here.
func groupOf(tx state.Tx, call *wire.Call, arn string) (workGroup, error) {
	name, ok := strings.CutPrefix(arn, call.ARN("athena", "workgroup/"))
	if !ok {
		return workGroup{}, invalid("%s does not name a work group of this account and region", arn)
	}
	g, err := getGroup(tx, call.Caller, name)
	if wire.IsCode(err, "InvalidRequestException") {
		return g, wire.Errorf("ResourceNotFoundException", "WorkGroup %s is not found.", name).With("ResourceName", name)
	}
	return g, err
}

func (s *Service) retag(call *wire.Call, arn string, change func([]tag) []tag) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		g, err := groupOf(tx, call, arn)
		if err != nil {
			return err
		}
		g.Tags = change(g.Tags)
		if len(g.Tags) > maxTags {
			return invalid("A work group can have at most %d tags", maxTags)
		}
		slices.SortFunc(g.Tags, func(a, b tag) int { return cmp.Compare(a.Key, b.Key) })
		return groups.Put(tx, key(call.Caller, g.Name), g)
	})
}

func without(tags []tag, key string) []tag {
	return slices.DeleteFunc(tags, func(t tag) bool { return t.Key == key })
}

func (s *Service) tagResource(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.retag(call, in.ResourceARN, func(tags []tag) []tag {
		for _, t := range in.Tags {
			tags = append(without(tags, t.Key), t)
		}
		return tags
	})
}

func (s *Service) untagResource(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.retag(call, in.ResourceARN, func(tags []tag) []tag {
		for _, k := range in.TagKeys {
			tags = without(tags, k)
		}
		return tags
	})
}

func (s *Service) listTags(_ context.Context, call *wire.Call, in *listTagsInput) (*listTagsOutput, error) {
	out := &listTagsOutput{Tags: []tag{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		g, err := groupOf(tx, call, in.ResourceARN)
		out.Tags = append(out.Tags, g.Tags...)
		return err
	})
}
