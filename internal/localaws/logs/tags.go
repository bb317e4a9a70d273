package logs

import (
	"context"
	"maps"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// TagResourceInput is the input of TagResource.
type TagResourceInput struct {
	ResourceArn string            `json:"resourceArn" required:"true"`
	Tags        map[string]string `json:"tags" required:"true" max:"50"`
}

// UntagResourceInput is the input of UntagResource.
type UntagResourceInput struct {
	ResourceArn string   `json:"resourceArn" required:"true"`
	TagKeys     []string `json:"tagKeys" required:"true"`
}

// ListTagsForResourceInput is the input of ListTagsForResource.
type ListTagsForResourceInput struct {
	ResourceArn string `json:"resourceArn" required:"true"`
}

// TagLogGroupInput is the input of TagLogGroup, which AWS has replaced by TagResource.
type TagLogGroupInput struct {
	LogGroupName string            `json:"logGroupName" required:"true"`
	Tags         map[string]string `json:"tags" required:"true" max:"50"`
}

// UntagLogGroupInput is the input of UntagLogGroup.
type UntagLogGroupInput struct {
	LogGroupName string   `json:"logGroupName" required:"true"`
	Tags         []string `json:"tags" required:"true"`
}

// ListTagsLogGroupInput is the input of ListTagsLogGroup.
type ListTagsLogGroupInput struct {
	LogGroupName string `json:"logGroupName" required:"true"`
}

// TagsOutput has the tags of a group.
type TagsOutput struct {
	Tags map[string]string `json:"tags"`
}

func (s *Service) tagOperations() []wire.Operation {
	return []wire.Operation{
		tagOperation("TagResource", s.setTags, func(in *TagResourceInput) tagChange { return tagChange{arn: in.ResourceArn, set: in.Tags} }),
		tagOperation("UntagResource", s.setTags, func(in *UntagResourceInput) tagChange { return tagChange{arn: in.ResourceArn, remove: in.TagKeys} }),
		tagOperation("ListTagsForResource", s.getTags, func(in *ListTagsForResourceInput) tagChange { return tagChange{arn: in.ResourceArn} }),
		tagOperation("TagLogGroup", s.setTags, func(in *TagLogGroupInput) tagChange { return tagChange{name: in.LogGroupName, set: in.Tags} }),
		tagOperation("UntagLogGroup", s.setTags, func(in *UntagLogGroupInput) tagChange { return tagChange{name: in.LogGroupName, remove: in.Tags} }),
		tagOperation("ListTagsLogGroup", s.getTags, func(in *ListTagsLogGroupInput) tagChange { return tagChange{name: in.LogGroupName} }),
	}
}

// tagChange is what the operations on tags have in common.
type tagChange struct {
	arn, name string
	set       map[string]string
	remove    []string
}

func (t tagChange) group() string { return eitherName(t.name, t.arn) }

func tagOperation[I, O any](name string, handle func(wire.Caller, tagChange) (*O, error), read func(*I) tagChange) wire.Operation {
	return wire.JSON(name,
		func(_ context.Context, call *wire.Call, in *I) (*O, error) {
			t := read(in)
			own := GroupARN(call.Caller, t.group())
			if t.arn != "" && strings.TrimSuffix(t.arn, ":*") != own {
				return nil, invalid("The resource ARN %s is not that of a log group of this account and region.", t.arn)
			}
			return handle(call.Caller, t)
		},
		func(call *wire.Call, in *I) []wire.Access {
			return []wire.Access{{Action: "logs:" + name, Resource: GroupARN(call.Caller, read(in).group())}}
		})
}

func (s *Service) setTags(c wire.Caller, t tagChange) (*wire.Empty, error) {
	return s.changeGroup(c, t.group(), func(g *group) {
		if g.Tags == nil {
			g.Tags = map[string]string{}
		}
		maps.Copy(g.Tags, t.set)
		for _, k := range t.remove {
			delete(g.Tags, k)
		}
	})
}

func (s *Service) getTags(c wire.Caller, t tagChange) (*TagsOutput, error) {
	out := &TagsOutput{Tags: map[string]string{}}
	err := s.cfg.Store.View(func(tx state.Tx) error {
		g, err := getGroup(tx, c, t.group())
		maps.Copy(out.Tags, g.Tags)
		return err
	})
	return out, err
}
