package iam

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// accessKey is a key with which a user signs requests.
type accessKey struct {
	ID, Secret    string
	Account, User string
	Active        bool
	Created       time.Time
}

// accessKeys are by id, which says nothing of whose they are.
var accessKeys = state.NewCollection[accessKey]("iam/access-keys")

const maxKeys = 2

// keysOf returns the keys of a user, the oldest first.
func keysOf(tx state.Tx, account, user string) ([]accessKey, error) {
	var own []accessKey
	all, err := accessKeys.List(tx, "", "", 0)
	for _, e := range all {
		if k := e.Value; k.Account == account && k.User == user {
			own = append(own, k)
		}
	}
	slices.SortFunc(own, func(a, b accessKey) int { return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID)) })
	return own, err
}

func renameKeys(tx state.Tx, account, from, to string) error {
	keys, err := keysOf(tx, account, from)
	for _, k := range keys {
		k.User = to
		err = errors.Join(err, accessKeys.Put(tx, k.ID, k))
	}
	return err
}

// KeyOwner implements auth.Users: an inactive key is nobody's.
func (s *Service) KeyOwner(id string) (c wire.Caller, secret string, found bool, err error) {
	err = s.Store.View(func(tx state.Tx) error {
		k, err := accessKeys.Get(tx, id)
		if errors.Is(err, state.ErrNotFound) || err == nil && !k.Active {
			return nil
		}
		if err != nil {
			return err
		}
		u, err := findUser(tx, k.Account, k.User)
		if err != nil {
			return fmt.Errorf("find owner of access key: %w", err)
		}
		c = wire.Caller{Account: u.Account, ARN: u.ARN, UserID: u.ID, AccessKey: k.ID, Tags: u.Tags}
		secret, found = k.Secret, true
		return nil
	})
	return c, secret, found, err
}

// keyOutput is a key as it is told once, with its secret.
type keyOutput struct {
	UserName, AccessKeyId, Status, SecretAccessKey string
	CreateDate                                     wire.Time
}

func (k accessKey) status() string {
	if k.Active {
		return "Active"
	}
	return "Inactive"
}

type oneKey struct{ AccessKey keyOutput }

func (s *Service) createAccessKey(_ context.Context, call *wire.Call, in *userInput) (*oneKey, error) {
	name, err := userOf(call, in.UserName)
	if err != nil {
		return nil, err
	}
	k := accessKey{Account: call.Caller.Account, User: name, Active: true, Created: s.Now().UTC().Truncate(time.Second)}
	if k.ID, err = s.newID("AKIA"); err != nil {
		return nil, err
	}
	k.ID = k.ID[:20]
	raw := make([]byte, 30) // 40 characters of base64, as AWS's secrets have
	if _, err := io.ReadFull(s.Rand, raw); err != nil {
		return nil, fmt.Errorf("make secret: %w", err)
	}
	k.Secret = base64.StdEncoding.EncodeToString(raw)
	err = s.change(func(tx state.Tx) error {
		if _, err := findUser(tx, k.Account, k.User); err != nil {
			return err
		}
		own, err := keysOf(tx, k.Account, k.User)
		if err != nil {
			return err
		}
		if len(own) >= maxKeys {
			return limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
		}
		return accessKeys.Create(tx, k.ID, k)
	})
	if err != nil {
		return nil, err
	}
	return &oneKey{keyOutput{k.User, k.ID, k.status(), k.Secret, wire.TimeOf(k.Created)}}, nil
}

type keyMetadata struct {
	UserName, AccessKeyId, Status string
	CreateDate                    wire.Time
}

type listKeysOutput struct {
	AccessKeyMetadata []keyMetadata
	IsTruncated       bool
	Marker            string
}

func (s *Service) listAccessKeys(_ context.Context, call *wire.Call, in *listUserInput) (*listKeysOutput, error) {
	name, err := userOf(call, in.UserName)
	if err != nil {
		return nil, err
	}
	out := &listKeysOutput{AccessKeyMetadata: []keyMetadata{}}
	return out, s.Store.View(func(tx state.Tx) error {
		if _, err := findUser(tx, call.Caller.Account, name); err != nil {
			return err
		}
		own, err := keysOf(tx, call.Caller.Account, name)
		for _, k := range own { // two at most: they fit on any page
			out.AccessKeyMetadata = append(out.AccessKeyMetadata, keyMetadata{k.User, k.ID, k.status(), wire.TimeOf(k.Created)})
		}
		return err
	})
}

type updateKeyInput struct {
	UserName    string
	AccessKeyId string `required:"true" min:"16" max:"128"`
	Status      string `required:"true" enum:"Active,Inactive"`
}

func (in updateKeyInput) user() string { return in.UserName }

func (s *Service) updateAccessKey(_ context.Context, call *wire.Call, in *updateKeyInput) (*wire.Empty, error) {
	return s.editKey(call, in.UserName, in.AccessKeyId, func(tx state.Tx, k accessKey) error {
		k.Active = in.Status == "Active"
		return accessKeys.Put(tx, k.ID, k)
	})
}

type deleteKeyInput struct {
	UserName    string
	AccessKeyId string `required:"true" min:"16" max:"128"`
}

func (in deleteKeyInput) user() string { return in.UserName }

func (s *Service) deleteAccessKey(_ context.Context, call *wire.Call, in *deleteKeyInput) (*wire.Empty, error) {
	return s.editKey(call, in.UserName, in.AccessKeyId, func(tx state.Tx, k accessKey) error { return accessKeys.Delete(tx, k.ID) })
}

// editKey changes a key that the user has.
func (s *Service) editKey(call *wire.Call, user, id string, edit func(state.Tx, accessKey) error) (*wire.Empty, error) {
	name, err := userOf(call, user)
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.change(func(tx state.Tx) error {
		if _, err := findUser(tx, call.Caller.Account, name); err != nil {
			return err
		}
		k, err := accessKeys.Get(tx, id)
		if errors.Is(err, state.ErrNotFound) || err == nil && (k.Account != call.Caller.Account || k.User != name) {
			return noSuchEntity("The Access Key with id %s cannot be found.", id)
		}
		if err != nil {
			return err
		}
		return edit(tx, k)
	})
}
