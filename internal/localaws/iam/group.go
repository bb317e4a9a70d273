package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Group is a stored group. Who is in it is kept with the users.
type Group struct {
	Name, Path, ID, ARN, Account string
	Created                      time.Time
	Grants
}

var groups = state.NewCollection[Group]("iam/groups")

// findGroup returns a group. Errors: NoSuchEntity.
func findGroup(tx state.Tx, account, name string) (Group, error) {
	g, err := groups.Get(tx, userKey(account, name))
	if errors.Is(err, state.ErrNotFound) || err == nil && g.Name != name {
		return g, noSuchEntity("The group with name %s cannot be found.", name)
	}
	return g, err
}

type groupOutput struct {
	Path, GroupName, GroupId, Arn string
	CreateDate                    wire.Time
}

func (g *Group) describe() groupOutput {
	return groupOutput{g.Path, g.Name, g.ID, g.ARN, wire.TimeOf(g.Created)}
}

func groupARN(account, path, name string) string {
	return "arn:aws:iam::" + account + ":group" + path + name
}

type createGroupInput struct {
	GroupName string `required:"true" min:"1"`
	Path      string
}

type oneGroup struct{ Group groupOutput }

func (s *Service) createGroup(_ context.Context, call *wire.Call, in *createGroupInput) (*oneGroup, error) {
	g := Group{Name: in.GroupName, Path: pathOr(in.Path), Account: call.Caller.Account, Created: s.Now().UTC().Truncate(time.Second)}
	if err := errors.Join(checkName("groupName", g.Name, 128), checkPath(g.Path)); err != nil {
		return nil, err
	}
	g.ARN = groupARN(g.Account, g.Path, g.Name)
	var err error
	if g.ID, err = s.newID("AGPA"); err != nil {
		return nil, err
	}
	err = s.change(func(tx state.Tx) error {
		if groups.Has(tx, userKey(g.Account, g.Name)) {
			return exists("Group with name %s already exists.", g.Name)
		}
		return groups.Put(tx, userKey(g.Account, g.Name), g)
	})
	if err != nil {
		return nil, err
	}
	return &oneGroup{g.describe()}, nil
}

type groupInput struct {
	GroupName string `required:"true" min:"1"`
}

func (in groupInput) group() string { return in.GroupName }

type getGroupInput struct {
	GroupName string `required:"true" min:"1"`
	Marker    string
	MaxItems  *int `min:"1" max:"1000"`
}

func (in getGroupInput) group() string { return in.GroupName }

type getGroupOutput struct {
	Group       groupOutput
	Users       []userOutput
	IsTruncated bool
	Marker      string
}

func (s *Service) getGroup(_ context.Context, call *wire.Call, in *getGroupInput) (*getGroupOutput, error) {
	out, members := &getGroupOutput{}, []userOutput{}
	err := s.Store.View(func(tx state.Tx) error {
		g, err := findGroup(tx, call.Caller.Account, in.GroupName)
		if err != nil {
			return err
		}
		out.Group = g.describe()
		all, err := membersOf(tx, g)
		for _, u := range all {
			members = append(members, u.describe(false))
		}
		return err
	})
	cut, p := pageOf(members, func(u userOutput) string { return strings.ToLower(u.UserName) }, page{in.Marker, in.MaxItems})
	out.Users, out.IsTruncated, out.Marker = cut, p.IsTruncated, p.Marker
	return out, err
}

func membersOf(tx state.Tx, g Group) ([]User, error) {
	var members []User
	all, err := users.List(tx, state.Prefix(g.Account), "", 0)
	for _, e := range all {
		if e.Value.in(g.Name) {
			members = append(members, e.Value)
		}
	}
	return members, err
}

type listGroupsOutput struct {
	Groups      []groupOutput
	IsTruncated bool
	Marker      string
}

// pageOfGroups lists the groups that are wanted.
func (s *Service) pageOfGroups(account string, p page, wanted func(Group) bool) (*listGroupsOutput, error) {
	all := []groupOutput{}
	err := s.Store.View(func(tx state.Tx) error {
		found, err := groups.List(tx, state.Prefix(account), "", 0)
		for _, e := range found {
			if wanted(e.Value) {
				all = append(all, e.Value.describe())
			}
		}
		return err
	})
	cut, out := pageOf(all, func(g groupOutput) string { return strings.ToLower(g.GroupName) }, p)
	return &listGroupsOutput{cut, out.IsTruncated, out.Marker}, err
}

func (s *Service) listGroups(_ context.Context, call *wire.Call, in *listUsersInput) (*listGroupsOutput, error) {
	return s.pageOfGroups(call.Caller.Account, page{in.Marker, in.MaxItems}, func(g Group) bool { return strings.HasPrefix(g.Path, in.PathPrefix) })
}

func (s *Service) listGroupsForUser(_ context.Context, call *wire.Call, in *listUserInput) (*listGroupsOutput, error) {
	u, err := s.user(call.Caller.Account, in.UserName)
	if err != nil {
		return nil, err
	}
	return s.pageOfGroups(u.Account, page{in.Marker, in.MaxItems}, func(g Group) bool { return u.in(g.Name) })
}

type updateGroupInput struct {
	GroupName    string `required:"true" min:"1"`
	NewPath      string
	NewGroupName string
}

func (in updateGroupInput) group() string { return in.GroupName }

func (s *Service) updateGroup(_ context.Context, call *wire.Call, in *updateGroupInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		g, err := findGroup(tx, call.Caller.Account, in.GroupName)
		if err != nil {
			return err
		}
		members, err := membersOf(tx, g)
		if err != nil {
			return err
		}
		old := userKey(g.Account, g.Name)
		if in.NewGroupName != "" {
			g.Name = in.NewGroupName
		}
		if in.NewPath != "" {
			g.Path = in.NewPath
		}
		if err := errors.Join(checkName("newGroupName", g.Name, 128), checkPath(g.Path)); err != nil {
			return err
		}
		key := userKey(g.Account, g.Name)
		if key != old && groups.Has(tx, key) {
			return exists("Group with name %s already exists.", g.Name)
		}
		g.ARN = groupARN(g.Account, g.Path, g.Name)
		for _, u := range members {
			u.Groups[slices.Index(u.Groups, in.GroupName)] = g.Name
			err = errors.Join(err, users.Put(tx, userKey(u.Account, u.Name), u))
		}
		return errors.Join(err, groups.Delete(tx, old), groups.Put(tx, key, g))
	})
}

func (s *Service) deleteGroup(_ context.Context, call *wire.Call, in *groupInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		g, err := findGroup(tx, call.Caller.Account, in.GroupName)
		if err != nil {
			return err
		}
		members, err := membersOf(tx, g)
		if err != nil {
			return err
		}
		if len(members) > 0 {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		if err := g.empty(); err != nil {
			return err
		}
		return groups.Delete(tx, userKey(g.Account, g.Name))
	})
}

type memberInput struct {
	GroupName string `required:"true" min:"1"`
	UserName  string `required:"true" min:"1"`
}

func (in memberInput) group() string { return in.GroupName }

func (s *Service) addUserToGroup(_ context.Context, call *wire.Call, in *memberInput) (*wire.Empty, error) {
	return s.editMember(call, in, func(u *User) error {
		if u.in(in.GroupName) {
			return nil
		}
		if len(u.Groups) >= maxGroups {
			return limitExceeded("Cannot exceed quota for GroupsPerUser: %d", maxGroups)
		}
		u.Groups = append(u.Groups, in.GroupName)
		return nil
	})
}

func (s *Service) removeUserFromGroup(_ context.Context, call *wire.Call, in *memberInput) (*wire.Empty, error) {
	return s.editMember(call, in, func(u *User) error {
		u.Groups = slices.DeleteFunc(u.Groups, func(g string) bool { return g == in.GroupName })
		return nil
	})
}

// editMember looks for the user first, as AWS does.
func (s *Service) editMember(call *wire.Call, in *memberInput, edit func(*User) error) (*wire.Empty, error) {
	return s.editUser(call, in.UserName, func(tx state.Tx, u *User) error {
		if _, err := findGroup(tx, u.Account, in.GroupName); err != nil {
			return err
		}
		return edit(u)
	})
}
