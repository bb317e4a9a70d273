package kms

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type aliasInput struct {
	AliasName   string `required:"true" max:"256"`
	TargetKeyID string `json:"TargetKeyId" required:"true"`
}

// touchAlias needs the permission on the alias and on the keys it names.
func (s *Service) touchAlias(action string) wire.Touches[aliasInput] {
	return func(call *wire.Call, in *aliasInput) []wire.Access {
		accesses := []wire.Access{
			{Action: "kms:" + action, Resource: call.ARN("kms", in.AliasName)}, s.access(call, action, in.TargetKeyID),
		}
		if action == "UpdateAlias" {
			accesses = append(accesses, s.access(call, action, in.AliasName))
		}
		return accesses
	}
}

func (s *Service) touchDeleteAlias(call *wire.Call, in *deleteAliasInput) []wire.Access {
	return []wire.Access{
		{Action: "kms:DeleteAlias", Resource: call.ARN("kms", in.AliasName)}, s.access(call, "DeleteAlias", in.AliasName),
	}
}

var aliasPattern = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)

func checkAlias(name string) error {
	if !aliasPattern.MatchString(name) {
		return wire.Errorf("InvalidAliasNameException", "Alias must start with the prefix \"alias/\" and have letters, digits, / _ and - only: %s", name)
	}
	if isManaged(name) {
		return wire.Errorf("NotAuthorizedException", "The prefix alias/aws/ is reserved: %s", name)
	}
	return nil
}

func (s *Service) createAlias(_ context.Context, call *wire.Call, in *aliasInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.setAlias(call, in, func(tx state.Tx, at string) (alias, error) {
		if a, err := aliases.Get(tx, at); err == nil {
			return a, wire.Errorf("AlreadyExistsException", "An alias with the name %s already exists", a.arn())
		}
		return alias{Name: in.AliasName, Account: call.Caller.Account, Region: call.Caller.Region, Created: s.cfg.Clock()}, nil
	})
}

func (s *Service) updateAlias(_ context.Context, call *wire.Call, in *aliasInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.setAlias(call, in, func(tx state.Tx, at string) (alias, error) {
		a, err := aliases.Get(tx, at)
		return a, aliasError(call, in.AliasName, err)
	})
}

func aliasError(call *wire.Call, name string, err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return errNotFound("Alias %s is not found.", call.ARN("kms", name))
	}
	return err
}

func (s *Service) setAlias(call *wire.Call, in *aliasInput, get func(state.Tx, string) (alias, error)) error {
	if err := checkAlias(in.AliasName); err != nil {
		return err
	}
	if strings.Contains(in.TargetKeyID, "alias/") {
		return wire.ValidationException("Aliases must refer to keys. Not aliases")
	}
	at := state.Key(call.Caller.Account, call.Caller.Region, in.AliasName)
	return s.cfg.Store.Update(func(tx state.Tx) error {
		k, err := s.lookup(tx, call.Caller, in.TargetKeyID)
		if err != nil {
			return err
		}
		a, err := get(tx, at)
		if err != nil {
			return err
		}
		a.KeyID, a.Updated = k.ID, s.cfg.Clock()
		return firstError(k.customer("an alias"), k.alive(), aliases.Put(tx, at, a))
	})
}

type deleteAliasInput struct {
	AliasName string `required:"true"`
}

func (s *Service) deleteAlias(_ context.Context, call *wire.Call, in *deleteAliasInput) (*wire.Empty, error) {
	if err := checkAlias(in.AliasName); err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		err := aliases.Delete(tx, state.Key(call.Caller.Account, call.Caller.Region, in.AliasName))
		return aliasError(call, in.AliasName, err)
	})
}

type listAliasesInput struct {
	KeyID  string `json:"KeyId"`
	Limit  *int   `min:"1" max:"100"`
	Marker string
}

type aliasEntry struct {
	AliasName       string
	AliasArn        string
	TargetKeyID     string `json:"TargetKeyId"`
	CreationDate    wire.Time
	LastUpdatedDate wire.Time
}

type listAliasesOutput struct {
	Aliases    []aliasEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) listAliases(_ context.Context, call *wire.Call, in *listAliasesInput) (*listAliasesOutput, error) {
	out := &listAliasesOutput{Aliases: []aliasEntry{}}
	limit := 50
	if in.Limit != nil {
		limit = *in.Limit
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		wanted := ""
		if in.KeyID != "" {
			k, err := s.lookup(tx, call.Caller, in.KeyID)
			if err != nil {
				return err
			}
			wanted = k.ID
		}
		all, err := aliases.List(tx, state.Prefix(call.Caller.Account, call.Caller.Region), s.aliasMarker(call, in.Marker), 0)
		for _, e := range all {
			if a := e.Value; wanted == "" || a.KeyID == wanted {
				if len(out.Aliases) == limit {
					out.Truncated, out.NextMarker = true, out.Aliases[limit-1].AliasName
					break
				}
				out.Aliases = append(out.Aliases, aliasEntry{a.Name, a.arn(), a.KeyID, wire.TimeOf(a.Created), wire.TimeOf(a.Updated)})
			}
		}
		return err
	})
}

func (s *Service) aliasMarker(call *wire.Call, marker string) string {
	if marker == "" {
		return ""
	}
	return state.Key(call.Caller.Account, call.Caller.Region, marker)
}
