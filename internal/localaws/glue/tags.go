package glue

import (
	"context"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tagInput struct {
	ResourceARN string            `json:"ResourceArn" required:"true"`
	TagsToAdd   map[string]string `required:"true"`
}

type untagInput struct {
	ResourceARN  string   `json:"ResourceArn" required:"true"`
	TagsToRemove []string `required:"true"`
}

type getTagsInput struct {
	ResourceARN string `json:"ResourceArn" required:"true"`
}

type getTagsOutput struct{ Tags map[string]string }

func touchTags[I any](s *Service, action string, arn func(*I) string) func(*wire.Call, *I) []wire.Access {
	return func(call *wire.Call, in *I) []wire.Access {
		return s.guarded(scopeOf(call.Caller), []wire.Access{{Action: "glue:" + action, Resource: arn(in)}})
	}
}

// tagged changes the tags of the database or table that an ARN names.
func (s *Service) tagged(call *wire.Call, arn string, change func(map[string]string)) error {
	sc := scopeOf(call.Caller)
	resource, ok := strings.CutPrefix(arn, sc.arn(""))
	kind, name, _ := strings.Cut(resource, "/")
	return s.cfg.Store.Update(func(tx state.Tx) error {
		switch {
		case ok && kind == "database":
			d, err := getDatabase(tx, sc, name)
			if err != nil {
				return err
			}
			d.Tags = changed(d.Tags, change)
			return databases.Put(tx, sc.key(name), d)
		case ok && kind == "table":
			db, tableName, _ := strings.Cut(name, "/")
			t, err := getTable(tx, sc, db, tableName)
			if err != nil {
				return err
			}
			t.Tags = changed(t.Tags, change)
			return tables.Put(tx, sc.key(db, tableName), t)
		}
		return invalid("%s does not name a database or table of this account and region", arn)
	})
}

func changed(tags map[string]string, change func(map[string]string)) map[string]string {
	if tags == nil {
		tags = map[string]string{}
	}
	change(tags)
	return tags
}

func (s *Service) tagResource(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.tagged(call, in.ResourceARN, func(m map[string]string) {
		for k, v := range in.TagsToAdd {
			m[k] = v
		}
	})
}

func (s *Service) untagResource(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.tagged(call, in.ResourceARN, func(m map[string]string) {
		for _, k := range in.TagsToRemove {
			delete(m, k)
		}
	})
}

func (s *Service) getTags(_ context.Context, call *wire.Call, in *getTagsInput) (*getTagsOutput, error) {
	out := &getTagsOutput{Tags: map[string]string{}}
	return out, s.tagged(call, in.ResourceARN, func(m map[string]string) {
		for k, v := range m {
			out.Tags[k] = v
		}
	})
}
