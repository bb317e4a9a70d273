package scheduler

import (
	"context"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tagPair struct {
	Key   string `required:"true" max:"128"`
	Value string `max:"256"`
}

const maxTags = 200

func apply(tags map[string]string, pairs []tagPair) (map[string]string, error) {
	if tags == nil {
		tags = map[string]string{}
	}
	for _, t := range pairs {
		tags[t.Key] = t.Value
	}
	if len(tags) > maxTags {
		return nil, wire.ValidationException("A schedule group has at most %d tags.", maxTags)
	}
	return tags, nil
}

type createGroupInput struct {
	Name        string `uri:"Name" json:"-"`
	ClientToken string
	Tags        []tagPair
}

type groupARN struct{ ScheduleGroupArn string }

func (s *Service) createGroup(_ context.Context, call *wire.Call, in *createGroupInput) (*groupARN, error) {
	tags, err := apply(nil, in.Tags)
	if err := firstError(err, checkName("name", in.Name)); err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	g := group{Name: in.Name, Account: call.Caller.Account, Region: call.Caller.Region, Token: in.ClientToken, Created: now, Modified: now, Tags: tags}
	return &groupARN{g.arn()}, s.cfg.Store.Update(func(tx state.Tx) error {
		if old, err := findGroup(tx, call, in.Name); err == nil {
			if g.Token != "" && g.Token == old.Token {
				return nil
			}
			return errExists("Schedule group", in.Name)
		}
		return groups.Put(tx, g.key(), g)
	})
}

type groupInput struct {
	Name string `uri:"Name" json:"-"`
}

type groupOutput struct {
	Arn, Name, State     string
	CreationDate         *wire.Time `json:",omitempty"`
	LastModificationDate *wire.Time `json:",omitempty"`
}

func (g group) output() groupOutput {
	out := groupOutput{Arn: g.arn(), Name: g.Name, State: "ACTIVE"}
	if !g.Created.IsZero() {
		out.CreationDate, out.LastModificationDate = stamp(&g.Created), stamp(&g.Modified)
	}
	return out
}

func (s *Service) getGroup(_ context.Context, call *wire.Call, in *groupInput) (*groupOutput, error) {
	var out groupOutput
	return &out, s.cfg.Store.View(func(tx state.Tx) error {
		g, err := findGroup(tx, call, in.Name)
		out = g.output()
		return err
	})
}

type deleteGroupInput struct {
	Name        string `uri:"Name" json:"-"`
	ClientToken string `query:"clientToken" json:"-"`
}

// removeGroup removes the group's schedules too.
func (s *Service) removeGroup(_ context.Context, call *wire.Call, in *deleteGroupInput) (*wire.Empty, error) {
	if in.Name == defaultGroup {
		return nil, wire.ValidationException("The default schedule group cannot be deleted.")
	}
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		g, err := findGroup(tx, call, in.Name)
		if err != nil {
			return err
		}
		if err := plans.DeletePrefix(tx, state.Prefix(g.Account, g.Region, g.Name)); err != nil {
			return err
		}
		return groups.Delete(tx, g.key())
	})
}

type listGroupsInput struct {
	NamePrefix string `query:"NamePrefix" json:"-"`
	NextToken  string `query:"NextToken" json:"-"`
	MaxResults *int   `query:"MaxResults" json:"-" min:"1" max:"100"`
}

type listGroupsOutput struct {
	ScheduleGroups []groupOutput
	NextToken      string `json:",omitempty"`
}

func (s *Service) listGroups(_ context.Context, call *wire.Call, in *listGroupsInput) (*listGroupsOutput, error) {
	out := &listGroupsOutput{ScheduleGroups: []groupOutput{}}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		all, err := s.allGroups(tx, call)
		for _, g := range all {
			if g.Name <= in.NextToken || !strings.HasPrefix(g.Name, in.NamePrefix) {
				continue
			}
			if n := len(out.ScheduleGroups); n == limitOf(in.MaxResults) {
				out.NextToken = out.ScheduleGroups[n-1].Name
				break
			}
			out.ScheduleGroups = append(out.ScheduleGroups, g.output())
		}
		return err
	})
}

// allGroups returns the groups by name, the default one among them.
func (s *Service) allGroups(tx state.Tx, call *wire.Call) ([]group, error) {
	g, err := findGroup(tx, call, defaultGroup)
	if err != nil {
		return nil, err
	}
	all := []group{g}
	found, err := groups.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), "", 0)
	for _, e := range found {
		if e.Value.Name != defaultGroup {
			all = append(all, e.Value)
		}
	}
	slices.SortFunc(all, func(a, b group) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

// tagged changes the tags of the group that an ARN names: schedules have none.
func (s *Service) tagged(call *wire.Call, arn string, change func(*group) error) error {
	_, name, ok := strings.Cut(arn, ":schedule-group/")
	if !ok {
		return wire.ValidationException("The ARN %s is not that of a schedule group: schedules have no tags.", arn)
	}
	return s.cfg.Store.Update(func(tx state.Tx) error {
		g, err := findGroup(tx, call, name)
		if err != nil {
			return err
		}
		if err := change(&g); err != nil {
			return err
		}
		return groups.Put(tx, g.key(), g)
	})
}

type tagInput struct {
	ResourceArn string    `uri:"ResourceArn" json:"-"`
	Tags        []tagPair `required:"true"`
}

func (s *Service) tag(_ context.Context, call *wire.Call, in *tagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.tagged(call, in.ResourceArn, func(g *group) (err error) {
		g.Tags, err = apply(g.Tags, in.Tags)
		return err
	})
}

type untagInput struct {
	ResourceArn string   `uri:"ResourceArn" json:"-"`
	TagKeys     []string `query:"TagKeys" json:"-" required:"true"`
}

func (s *Service) untag(_ context.Context, call *wire.Call, in *untagInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.tagged(call, in.ResourceArn, func(g *group) error {
		for _, name := range in.TagKeys {
			delete(g.Tags, name)
		}
		return nil
	})
}

type tagsInput struct {
	ResourceArn string `uri:"ResourceArn" json:"-"`
}

type tagsOutput struct{ Tags []tagPair }

func (s *Service) tags(_ context.Context, call *wire.Call, in *tagsInput) (*tagsOutput, error) {
	out := &tagsOutput{[]tagPair{}}
	return out, s.tagged(call, in.ResourceArn, func(g *group) error {
		for _, name := range slices.Sorted(maps.Keys(g.Tags)) {
			out.Tags = append(out.Tags, tagPair{name, g.Tags[name]})
		}
		return nil
	})
}
