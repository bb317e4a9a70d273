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

// User is a stored user.
type User struct {
	Name, Path, ID, ARN, Account string
	Created                      time.Time
	Boundary                     string // ARN of a managed policy
	Tags                         map[string]string
	Groups                       []string // names
	Grants
}

var users = state.NewCollection[User]("iam/users")

func userKey(account, name string) string { return state.Key(account, strings.ToLower(name)) }

// maxGroups is how many groups a user may be in.
const maxGroups = 10

// findUser returns a user. Errors: NoSuchEntity.
func findUser(tx state.Tx, account, name string) (User, error) {
	u, err := users.Get(tx, userKey(account, name))
	if errors.Is(err, state.ErrNotFound) || err == nil && u.Name != name {
		return u, noSuchEntity("The user with name %s cannot be found.", name)
	}
	return u, err
}

func (s *Service) editUser(call *wire.Call, name string, edit func(state.Tx, *User) error) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		u, err := findUser(tx, call.Caller.Account, name)
		if err != nil {
			return err
		}
		if err := edit(tx, &u); err != nil {
			return err
		}
		return users.Put(tx, userKey(u.Account, u.Name), u)
	})
}

func (s *Service) user(account, name string) (u User, err error) {
	err = s.Store.View(func(tx state.Tx) error {
		u, err = findUser(tx, account, name)
		return err
	})
	return u, err
}

// userOutput is a user as answers describe it.
type userOutput struct {
	Path, UserName, UserId, Arn string
	CreateDate                  wire.Time
	PermissionsBoundary         *boundaryOutput
	Tags                        []tag
}

func (u *User) describe(whole bool) userOutput {
	out := userOutput{Path: u.Path, UserName: u.Name, UserId: u.ID, Arn: u.ARN, CreateDate: wire.TimeOf(u.Created)}
	if whole && len(u.Tags) > 0 {
		out.Tags = listTags(u.Tags)
	}
	if whole && u.Boundary != "" {
		out.PermissionsBoundary = &boundaryOutput{"Policy", u.Boundary}
	}
	return out
}

// userOf is the user that a call is about: who makes it, when it names none.
func userOf(call *wire.Call, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	if _, own, ok := strings.Cut(call.Caller.ARN, ":user/"); ok && call.Caller.RoleARN == "" {
		return own[strings.LastIndexByte(own, '/')+1:], nil
	}
	return "", wire.ValidationException("Must specify userName when calling with non-User credentials")
}

type createUserInput struct {
	UserName            string `required:"true" min:"1"`
	Path                string
	PermissionsBoundary string
	Tags                []tag
}

type oneUser struct{ User userOutput }

func (s *Service) createUser(_ context.Context, call *wire.Call, in *createUserInput) (*oneUser, error) {
	u := User{Name: in.UserName, Path: pathOr(in.Path), Account: call.Caller.Account, Created: s.Now().UTC().Truncate(time.Second), Boundary: in.PermissionsBoundary}
	err := errors.Join(checkName("userName", u.Name, 64), checkPath(u.Path))
	if err != nil {
		return nil, err
	}
	if u.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	u.ARN = "arn:aws:iam::" + u.Account + ":user" + u.Path + u.Name
	if u.ID, err = s.newID("AIDA"); err != nil {
		return nil, err
	}
	err = s.change(func(tx state.Tx) error {
		if users.Has(tx, userKey(u.Account, u.Name)) {
			return exists("User with name %s already exists.", u.Name)
		}
		if err := checkAttachable(tx, u.Account, u.Boundary); u.Boundary != "" && err != nil {
			return err
		}
		return users.Put(tx, userKey(u.Account, u.Name), u)
	})
	if err != nil {
		return nil, err
	}
	return &oneUser{u.describe(true)}, nil
}

type userInput struct{ UserName string }

func (in userInput) user() string { return in.UserName }

// getUser describes a user, or who calls; the account's root has no user name.
func (s *Service) getUser(_ context.Context, call *wire.Call, in *userInput) (*oneUser, error) {
	c := call.Caller
	if in.UserName == "" && strings.HasSuffix(c.ARN, ":root") {
		return &oneUser{userOutput{Path: "/", UserId: c.UserID, Arn: c.ARN, CreateDate: wire.TimeOf(time.Unix(0, 0))}}, nil
	}
	name, err := userOf(call, in.UserName)
	if err != nil {
		return nil, err
	}
	u, err := s.user(c.Account, name)
	if err != nil {
		return nil, err
	}
	return &oneUser{u.describe(true)}, nil
}

type listUsersInput struct {
	PathPrefix string
	Marker     string
	MaxItems   *int `min:"1" max:"1000"`
}

type listUsersOutput struct {
	Users       []userOutput
	IsTruncated bool
	Marker      string
}

func (s *Service) listUsers(_ context.Context, call *wire.Call, in *listUsersInput) (*listUsersOutput, error) {
	all := []userOutput{}
	err := s.Store.View(func(tx state.Tx) error {
		found, err := users.List(tx, state.Prefix(call.Caller.Account), "", 0)
		for _, e := range found {
			if strings.HasPrefix(e.Value.Path, in.PathPrefix) {
				all = append(all, e.Value.describe(false))
			}
		}
		return err
	})
	cut, p := pageOf(all, func(u userOutput) string { return strings.ToLower(u.UserName) }, page{in.Marker, in.MaxItems})
	return &listUsersOutput{cut, p.IsTruncated, p.Marker}, err
}

type updateUserInput struct {
	UserName    string `required:"true" min:"1"`
	NewPath     string
	NewUserName string
}

func (in updateUserInput) user() string { return in.UserName }

// updateUser renames and moves a user, whose keys stay its own.
func (s *Service) updateUser(_ context.Context, call *wire.Call, in *updateUserInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		u, err := findUser(tx, call.Caller.Account, in.UserName)
		if err != nil {
			return err
		}
		old := userKey(u.Account, u.Name)
		if in.NewUserName != "" {
			u.Name = in.NewUserName
		}
		if in.NewPath != "" {
			u.Path = in.NewPath
		}
		if err := errors.Join(checkName("newUserName", u.Name, 64), checkPath(u.Path)); err != nil {
			return err
		}
		key := userKey(u.Account, u.Name)
		if key != old && users.Has(tx, key) {
			return exists("User with name %s already exists.", u.Name)
		}
		u.ARN = "arn:aws:iam::" + u.Account + ":user" + u.Path + u.Name
		return errors.Join(users.Delete(tx, old), users.Put(tx, key, u), renameKeys(tx, u.Account, in.UserName, u.Name))
	})
}

func (s *Service) deleteUser(_ context.Context, call *wire.Call, in *userInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		u, err := findUser(tx, call.Caller.Account, in.UserName)
		if err != nil {
			return err
		}
		keys, err := keysOf(tx, u.Account, u.Name)
		switch {
		case err != nil:
			return err
		case len(keys) > 0:
			return conflict("Cannot delete entity, must delete access keys first.")
		case len(u.Groups) > 0:
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		if err := u.empty(); err != nil {
			return err
		}
		return users.Delete(tx, userKey(u.Account, u.Name))
	})
}

type userBoundaryInput struct {
	UserName            string `required:"true" min:"1"`
	PermissionsBoundary string `required:"true" min:"20"`
}

func (in userBoundaryInput) user() string { return in.UserName }

func (s *Service) putUserBoundary(_ context.Context, call *wire.Call, in *userBoundaryInput) (*wire.Empty, error) {
	return s.editUser(call, in.UserName, func(tx state.Tx, u *User) error {
		u.Boundary = in.PermissionsBoundary
		return checkAttachable(tx, u.Account, u.Boundary)
	})
}

func (s *Service) deleteUserBoundary(_ context.Context, call *wire.Call, in *userInput) (*wire.Empty, error) {
	return s.editUser(call, in.UserName, func(_ state.Tx, u *User) error {
		if u.Boundary == "" {
			return noSuchEntity("User %s does not have a permissions boundary", u.Name)
		}
		u.Boundary = ""
		return nil
	})
}

type tagUserInput struct {
	UserName string `required:"true" min:"1"`
	Tags     []tag  `required:"true"`
}

func (in tagUserInput) user() string { return in.UserName }

func (s *Service) tagUser(_ context.Context, call *wire.Call, in *tagUserInput) (*wire.Empty, error) {
	return s.editUser(call, in.UserName, func(_ state.Tx, u *User) (err error) {
		u.Tags, err = mergeTags(u.Tags, in.Tags)
		return err
	})
}

type untagUserInput struct {
	UserName string   `required:"true" min:"1"`
	TagKeys  []string `required:"true"`
}

func (in untagUserInput) user() string { return in.UserName }

func (s *Service) untagUser(_ context.Context, call *wire.Call, in *untagUserInput) (*wire.Empty, error) {
	return s.editUser(call, in.UserName, func(_ state.Tx, u *User) error {
		for _, key := range in.TagKeys {
			delete(u.Tags, key)
		}
		return nil
	})
}

type listUserInput struct {
	UserName string
	Marker   string
	MaxItems *int `min:"1" max:"1000"`
}

func (in listUserInput) user() string { return in.UserName }

func (s *Service) listUserTags(_ context.Context, call *wire.Call, in *listUserInput) (*tagsOutput, error) {
	u, err := s.user(call.Caller.Account, in.UserName)
	if err != nil {
		return nil, err
	}
	return tagPage(u.Tags, page{in.Marker, in.MaxItems}), nil
}

// inGroups reports whether the user is in a group.
func (u *User) in(group string) bool { return slices.Contains(u.Groups, group) }
