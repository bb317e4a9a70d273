package kms

import (
	"context"
	"slices"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tag struct {
	Key   string `json:"TagKey" required:"true" max:"128"`
	Value string `json:"TagValue" max:"256"`
}

type createInput struct {
	Description           string `max:"8192"`
	KeySpec               string
	CustomerMasterKeySpec string
	KeyUsage              string
	Origin                string
	MultiRegion           bool
	Policy                string `max:"131072"`
	BypassSafety          bool   `json:"BypassPolicyLockoutSafetyCheck"`
	Tags                  []tag  `max:"50"`
}

// metadata is AWS's KeyMetadata.
type metadata struct {
	AWSAccountID          string    `json:"AWSAccountId"`
	KeyID                 string    `json:"KeyId"`
	Arn                   string    `json:"Arn"`
	CreationDate          wire.Time `json:"CreationDate"`
	Enabled               bool
	Description           string
	KeyUsage              string
	KeyState              string
	DeletionDate          *wire.Time `json:",omitempty"`
	Origin                string
	KeyManager            string
	KeySpec               string
	CustomerMasterKeySpec string
	EncryptionAlgorithms  []string `json:",omitempty"`
	SigningAlgorithms     []string `json:",omitempty"`
	MacAlgorithms         []string `json:",omitempty"`
	MultiRegion           bool
}

func (k key) metadata() metadata {
	m := metadata{
		AWSAccountID: k.Account, KeyID: k.ID, Arn: k.arn(), CreationDate: wire.TimeOf(k.Created),
		Enabled: k.state() == "Enabled", Description: k.Description, KeyState: k.state(), KeyUsage: k.usage(),
		Origin: "AWS_KMS", KeyManager: "CUSTOMER", KeySpec: k.spec().name, CustomerMasterKeySpec: k.spec().name,
	}
	switch algorithms := k.spec().algorithms(k.usage()); k.usage() {
	case usageEncrypt:
		m.EncryptionAlgorithms = algorithms
	case usageSign:
		m.SigningAlgorithms = algorithms
	case usageMAC:
		m.MacAlgorithms = algorithms
	}
	if k.Managed {
		m.KeyManager = "AWS"
	}
	if k.DeletionDate != nil {
		t := wire.TimeOf(*k.DeletionDate)
		m.DeletionDate = &t
	}
	return m
}

// symmetric is both the usual key spec and its algorithm.
const symmetric = "SYMMETRIC_DEFAULT"

func touchCreate(call *wire.Call, in *createInput) []wire.Access {
	kind, usage, _ := in.kind() // the operation refuses what is none
	conditions := map[string][]string{"kms:KeySpec": {kind.name}, "kms:KeyUsage": {usage}, "kms:KeyOrigin": {"AWS_KMS"}}
	for _, t := range in.Tags {
		conditions["aws:RequestTag/"+t.Key] = []string{t.Value}
	}
	return []wire.Access{{Action: "kms:CreateKey", Resource: "*", Conditions: conditions}}
}

// kind is which key the input asks for.
func (in *createInput) kind() (spec, string, error) {
	name := in.KeySpec
	if name == "" {
		name = in.CustomerMasterKeySpec
	}
	if name == "" {
		name = symmetric
	}
	kind, err := specOf(name)
	if err != nil {
		return kind, in.KeyUsage, err
	}
	switch usage := in.KeyUsage; {
	case usage == "KEY_AGREEMENT":
		return kind, usage, wire.NotImplemented("the KeyUsage KEY_AGREEMENT")
	case usage != "" && usage != usageEncrypt && usage != usageSign && usage != usageMAC:
		return kind, usage, wire.ValidationException("1 validation error detected: Value '%s' at 'keyUsage' failed to satisfy constraint: Member must satisfy enum value set: [ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC]", usage)
	case usage == "" && name != symmetric:
		return kind, usage, wire.ValidationException("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	case usage == "":
		return kind, usageEncrypt, nil
	case !slices.Contains(kind.usages, usage):
		return kind, usage, wire.ValidationException("KeyUsage %s is not compatible with KeySpec %s", usage, name)
	}
	return kind, in.KeyUsage, nil
}

// refuse names what of a key AWS has and this endpoint has not.
func (in *createInput) refuse() error {
	if in.Origin != "" && in.Origin != "AWS_KMS" {
		return wire.NotImplemented("the Origin %s", in.Origin)
	}
	if in.MultiRegion {
		return wire.NotImplemented("a MultiRegion key")
	}
	return nil
}

type metadataOutput struct {
	KeyMetadata metadata
}

func (s *Service) createKey(_ context.Context, call *wire.Call, in *createInput) (*metadataOutput, error) {
	kind, usage, err := in.kind()
	if err := firstError(in.refuse(), err); err != nil {
		return nil, err
	}
	if in.Policy == "" {
		in.Policy = defaultPolicy(call.Caller.Account)
	} else if err := checkPolicy(in.Policy); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	k := key{ID: id, Account: call.Caller.Account, Region: call.Caller.Region, Description: in.Description,
		Spec: kind.name, Usage: usage, Enabled: true, Created: s.cfg.Clock(), Policy: in.Policy, Tags: map[string]string{}}
	for _, t := range in.Tags {
		k.Tags[t.Key] = t.Value
	}
	if err := s.addMaterial(&k); err != nil {
		return nil, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error { return firstError(s.purge(tx), keys.Create(tx, k.ID, k)) })
	return &metadataOutput{k.metadata()}, err
}

func firstError(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

func hasManaged(service string) bool { return slices.Contains(managedServices, service) }

// unmade is the AWS managed key of a service that nothing has used yet: it
// has no material.
func (s *Service) unmade(account, region, service string) key {
	return key{ID: managedID(account, region, service), Account: account, Region: region, Managed: true, Enabled: true,
		Description: "Default key that protects my " + service + " data when no other key is defined",
		Created:     s.cfg.Clock(), Rotation: 365, Policy: managedPolicy(account, region, service)}
}

type describeInput struct {
	KeyID       string `json:"KeyId" required:"true"`
	GrantTokens []string
}

func (s *Service) describeKey(_ context.Context, call *wire.Call, in *describeInput) (*metadataOutput, error) {
	k, err := s.find(call, in.KeyID)
	if err != nil {
		return nil, err
	}
	return &metadataOutput{k.metadata()}, nil
}

type listInput struct {
	Limit  *int `min:"1" max:"1000"`
	Marker string
}

type keyEntry struct {
	KeyID string `json:"KeyId"`
	Arn   string `json:"KeyArn"`
}

type listKeysOutput struct {
	Keys       []keyEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) listKeys(_ context.Context, call *wire.Call, in *listInput) (*listKeysOutput, error) {
	out := &listKeysOutput{Keys: []keyEntry{}}
	limit := 100
	if in.Limit != nil {
		limit = *in.Limit
	}
	return out, s.cfg.Store.View(func(tx state.Tx) error {
		for raw := range keys.Scan(tx, "", in.Marker) {
			k, err := raw.Value()
			if err != nil {
				return err
			}
			if k.Account != call.Caller.Account || k.Region != call.Caller.Region || k.due(s.cfg.Clock()) {
				continue
			}
			if len(out.Keys) == limit {
				out.Truncated, out.NextMarker = true, out.Keys[limit-1].KeyID
				return nil
			}
			out.Keys = append(out.Keys, keyEntry{k.ID, k.arn()})
		}
		return nil
	})
}

type keyInput struct {
	KeyID string `json:"KeyId" required:"true"`
}

func keyOf(in *keyInput) string { return in.KeyID }

func (s *Service) enableKey(_ context.Context, call *wire.Call, in *keyInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.setEnabled(call, in.KeyID, "EnableKey", true)
}

func (s *Service) disableKey(_ context.Context, call *wire.Call, in *keyInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.setEnabled(call, in.KeyID, "DisableKey", false)
}

func (s *Service) setEnabled(call *wire.Call, id, what string, enabled bool) error {
	return s.change(call, id, what, func(k *key) error {
		k.Enabled = enabled
		return k.alive()
	})
}

type describeUpdate struct {
	KeyID       string `json:"KeyId" required:"true"`
	Description string `max:"8192"`
}

func (s *Service) updateDescription(_ context.Context, call *wire.Call, in *describeUpdate) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.KeyID, "UpdateKeyDescription", func(k *key) error {
		k.Description = in.Description
		return k.alive()
	})
}

type scheduleInput struct {
	KeyID  string `json:"KeyId" required:"true"`
	Window *int   `json:"PendingWindowInDays" min:"7" max:"30"`
}

type scheduleOutput struct {
	KeyID               string `json:"KeyId"`
	DeletionDate        wire.Time
	KeyState            string
	PendingWindowInDays int
}

func (s *Service) scheduleDeletion(_ context.Context, call *wire.Call, in *scheduleInput) (*scheduleOutput, error) {
	days := 30
	if in.Window != nil {
		days = *in.Window
	}
	out := &scheduleOutput{}
	return out, s.change(call, in.KeyID, "ScheduleKeyDeletion", func(k *key) error {
		if err := k.alive(); err != nil {
			return err
		}
		at := s.cfg.Clock().Add(time.Duration(days) * 24 * time.Hour)
		k.DeletionDate, k.Enabled = &at, false
		*out = scheduleOutput{k.arn(), wire.TimeOf(at), k.state(), days}
		return nil
	})
}

type keyIDOutput struct {
	KeyID string `json:"KeyId"`
}

// cancelDeletion leaves the key disabled, as AWS does.
func (s *Service) cancelDeletion(_ context.Context, call *wire.Call, in *keyInput) (*keyIDOutput, error) {
	out := &keyIDOutput{}
	return out, s.change(call, in.KeyID, "CancelKeyDeletion", func(k *key) error {
		if k.DeletionDate == nil {
			return wire.Errorf("KMSInvalidStateException", "%s is not pending deletion.", k.arn())
		}
		k.DeletionDate, k.Enabled, out.KeyID = nil, false, k.arn()
		return nil
	})
}
