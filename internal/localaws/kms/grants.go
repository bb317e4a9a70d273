package kms

import (
	"context"
	"errors"
	"slices"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type constraints struct {
	EncryptionContextEquals map[string]string `json:",omitempty"`
	EncryptionContextSubset map[string]string `json:",omitempty"`
}

type createGrantInput struct {
	KeyID             string `json:"KeyId" required:"true"`
	GranteePrincipal  string `required:"true"`
	RetiringPrincipal string
	Operations        []string `required:"true" min:"1"`
	Constraints       *constraints
	Name              string   `max:"256"`
	GrantTokens       []string // a grant holds at once here, so that no token is needed
	DryRun            bool
}

func (s *Service) touchCreateGrant(call *wire.Call, in *createGrantInput) []wire.Access {
	a := s.access(call, "CreateGrant", in.KeyID)
	a.Conditions["kms:GrantOperations"] = in.Operations
	a.Conditions["kms:GranteePrincipal"] = []string{in.GranteePrincipal}
	a.Conditions["kms:GrantIsForAWSResource"] = []string{"false"}
	if in.RetiringPrincipal != "" {
		a.Conditions["kms:RetiringPrincipal"] = []string{in.RetiringPrincipal}
	}
	return []wire.Access{a}
}

type createGrantOutput struct {
	GrantID    string `json:"GrantId"`
	GrantToken string
}

func (s *Service) createGrant(_ context.Context, call *wire.Call, in *createGrantInput) (*createGrantOutput, error) {
	if err := checkGrantOperations(in.Operations); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	g := grant{ID: strings.ReplaceAll(id, "-", ""), Name: in.Name, Grantee: in.GranteePrincipal, Retiring: in.RetiringPrincipal,
		Operations: in.Operations, Created: s.cfg.Clock(), Account: call.Caller.Account}
	g.Token = "grant-" + g.ID
	if in.Constraints != nil {
		g.ContextEquals, g.ContextSubset = in.Constraints.EncryptionContextEquals, in.Constraints.EncryptionContextSubset
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		k, err := s.lookup(tx, call.Caller, in.KeyID)
		if err != nil {
			return err
		}
		if err := k.usable(); err != nil {
			return err
		}
		if in.DryRun {
			return errDryRun()
		}
		g.KeyID, g.KeyAccount = k.ID, k.Account
		return grants.Create(tx, state.Key(k.ID, g.ID), g)
	})
	return &createGrantOutput{g.ID, g.Token}, err
}

type listGrantsInput struct {
	KeyID            string `json:"KeyId" required:"true"`
	GrantID          string `json:"GrantId"`
	GranteePrincipal string
	Limit            *int `min:"1" max:"100"`
	Marker           string
}

type grantEntry struct {
	KeyID             string `json:"KeyId"`
	GrantID           string `json:"GrantId"`
	Name              string `json:",omitempty"`
	CreationDate      wire.Time
	GranteePrincipal  string
	RetiringPrincipal string `json:",omitempty"`
	IssuingAccount    string
	Operations        []string
	Constraints       *constraints `json:",omitempty"`
}

type listGrantsOutput struct {
	Grants     []grantEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) listGrants(_ context.Context, call *wire.Call, in *listGrantsInput) (*listGrantsOutput, error) {
	out := &listGrantsOutput{Grants: []grantEntry{}}
	limit := 50
	if in.Limit != nil {
		limit = *in.Limit
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		k, err := s.lookup(tx, call.Caller, in.KeyID)
		if err != nil {
			return err
		}
		after := ""
		if in.Marker != "" {
			after = state.Key(k.ID, in.Marker)
		}
		all, err := grants.List(tx, state.Prefix(k.ID), after, 0)
		for _, e := range all {
			g := e.Value
			if in.GrantID != "" && in.GrantID != g.ID || in.GranteePrincipal != "" && in.GranteePrincipal != g.Grantee {
				continue
			}
			if len(out.Grants) == limit {
				out.Truncated, out.NextMarker = true, out.Grants[limit-1].GrantID
				break
			}
			out.Grants = append(out.Grants, g.entry(k))
		}
		return err
	})
}

func (g grant) entry(k key) grantEntry {
	e := grantEntry{KeyID: k.arn(), GrantID: g.ID, Name: g.Name, CreationDate: wire.TimeOf(g.Created), GranteePrincipal: g.Grantee,
		RetiringPrincipal: g.Retiring, IssuingAccount: "arn:aws:iam::" + g.Account + ":root", Operations: g.Operations}
	if g.ContextEquals != nil || g.ContextSubset != nil {
		e.Constraints = &constraints{g.ContextEquals, g.ContextSubset}
	}
	return e
}

type retirableInput struct {
	RetiringPrincipal string `required:"true"`
	Limit             *int   `min:"1" max:"100"`
	Marker            string
}

// listRetirable lists the grants that a principal can retire.
func (s *Service) listRetirable(_ context.Context, call *wire.Call, in *retirableInput) (*listGrantsOutput, error) {
	out := &listGrantsOutput{Grants: []grantEntry{}}
	limit := 50
	if in.Limit != nil {
		limit = *in.Limit
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		all, err := grants.List(tx, "", "", 0)
		for _, e := range all {
			k, err := keys.Get(tx, e.Value.KeyID)
			if err != nil {
				return err
			}
			if e.Value.Retiring != in.RetiringPrincipal || k.Account != call.Caller.Account || k.Region != call.Caller.Region || e.Value.ID <= in.Marker {
				continue
			}
			out.Grants = append(out.Grants, e.Value.entry(k))
		}
		slices.SortFunc(out.Grants, func(a, b grantEntry) int { return strings.Compare(a.GrantID, b.GrantID) })
		if len(out.Grants) > limit {
			out.Grants, out.Truncated, out.NextMarker = out.Grants[:limit], true, out.Grants[limit-1].GrantID
		}
		return err
	})
}

type revokeInput struct {
	KeyID   string `json:"KeyId" required:"true"`
	GrantID string `json:"GrantId" required:"true"`
	DryRun  bool
}

func (s *Service) revokeGrant(_ context.Context, call *wire.Call, in *revokeInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error {
		k, err := s.lookup(tx, call.Caller, in.KeyID)
		if err != nil {
			return err
		}
		return removeGrant(tx, k.ID, in.GrantID, in.DryRun)
	})
}

func removeGrant(tx state.Tx, keyID, grantID string, dryRun bool) error {
	err := grants.Delete(tx, state.Key(keyID, grantID))
	if errors.Is(err, state.ErrNotFound) {
		return errNotFound("Grant %s of key %s does not exist", grantID, keyID)
	}
	if err == nil && dryRun {
		return errDryRun() // and the transaction is undone
	}
	return err
}

type retireInput struct {
	KeyID      string `json:"KeyId"`
	GrantID    string `json:"GrantId"`
	GrantToken string
	DryRun     bool
}

// touchRetire lets those retire a grant whom the grant itself names, beside
// those whom the key's policy allows.
func (s *Service) touchRetire(call *wire.Call, in *retireInput) []wire.Access {
	g, err := s.grantOf(call, in)
	if err != nil {
		return nil // the operation says that there is none
	}
	self := []string{call.Caller.ARN, call.Caller.RoleARN}
	if slices.Contains(self, g.Retiring) || slices.Contains(self, g.Grantee) && slices.Contains(g.Operations, "RetireGrant") {
		return nil
	}
	return []wire.Access{s.access(call, "RetireGrant", g.KeyID)}
}

func (s *Service) grantOf(call *wire.Call, in *retireInput) (g grant, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		if in.GrantToken != "" {
			g, err = grantByToken(tx, in.GrantToken)
			return err
		}
		k, err := s.lookup(tx, call.Caller, in.KeyID)
		if err != nil {
			return err
		}
		if g, err = grants.Get(tx, state.Key(k.ID, in.GrantID)); errors.Is(err, state.ErrNotFound) {
			return errNotFound("Grant %s of key %s does not exist", in.GrantID, k.ID)
		}
		return err
	})
	return g, err
}

func grantByToken(tx state.Tx, token string) (grant, error) {
	all, err := grants.List(tx, "", "", 0)
	if err != nil {
		return grant{}, err
	}
	for _, e := range all {
		if e.Value.Token == token {
			return e.Value, nil
		}
	}
	return grant{}, wire.Errorf("InvalidGrantTokenException", "No grant has this token")
}

func (s *Service) retireGrant(_ context.Context, call *wire.Call, in *retireInput) (*wire.Empty, error) {
	g, err := s.grantOf(call, in)
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, s.cfg.Store.Update(func(tx state.Tx) error { return removeGrant(tx, g.KeyID, g.ID, in.DryRun) })
}
