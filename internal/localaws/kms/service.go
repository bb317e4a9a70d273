package kms

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Config says what the service works with.
type Config struct {
	// Store keeps the keys. There is no default.
	Store *state.Store
	// MasterKey is the file of the key that wraps all others. It is made when
	// it is missing. The default is kms-master.key in the store's directory.
	MasterKey string
	// Clock is for timestamps, rotation and deletion. The default is time.Now.
	Clock func() time.Time
	// Random makes keys and nonces. The default is crypto/rand.Reader.
	Random io.Reader
	// Meter counts requests. The default counts nothing.
	Meter wire.Meter
}

// Service is KMS.
type Service struct {
	cfg    Config
	master cipher.AEAD
}

// New opens the service.
func New(cfg Config) (*Service, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	if cfg.MasterKey == "" {
		cfg.MasterKey = filepath.Join(cfg.Store.Dir(), "kms-master.key")
	}
	master, err := loadMaster(cfg.MasterKey, cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("kms: %w", err)
	}
	s := &Service{cfg: cfg, master: master}
	return s, cfg.Store.Update(s.purge)
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "kms", Targets: []string{"TrentService"}, Protocol: wire.JSON11, Operations: s.operations()}
}

func (s *Service) operations() []wire.Operation {
	return []wire.Operation{
		wire.JSON("CreateKey", s.createKey, touchCreate),
		wire.JSON("DescribeKey", s.describeKey, touch(s, "DescribeKey", func(in *describeInput) string { return in.KeyID })),
		wire.JSON("ListKeys", s.listKeys, nil),
		wire.JSON("EnableKey", s.enableKey, touch(s, "EnableKey", keyOf)),
		wire.JSON("DisableKey", s.disableKey, touch(s, "DisableKey", keyOf)),
		wire.JSON("UpdateKeyDescription", s.updateDescription, touch(s, "UpdateKeyDescription", func(in *describeUpdate) string { return in.KeyID })),
		wire.JSON("ScheduleKeyDeletion", s.scheduleDeletion, touch(s, "ScheduleKeyDeletion", func(in *scheduleInput) string { return in.KeyID })),
		wire.JSON("CancelKeyDeletion", s.cancelDeletion, touch(s, "CancelKeyDeletion", keyOf)),
		wire.JSON("EnableKeyRotation", s.enableRotation, touch(s, "EnableKeyRotation", func(in *rotationInput) string { return in.KeyID })),
		wire.JSON("DisableKeyRotation", s.disableRotation, touch(s, "DisableKeyRotation", keyOf)),
		wire.JSON("GetKeyRotationStatus", s.rotationStatus, touch(s, "GetKeyRotationStatus", keyOf)),
		wire.JSON("ListKeyRotations", s.listRotations, touch(s, "ListKeyRotations", func(in *listRotationsInput) string { return in.KeyID })),
		wire.JSON("RotateKeyOnDemand", s.rotateNow, touch(s, "RotateKeyOnDemand", keyOf)),
		wire.JSON("PutKeyPolicy", s.putKeyPolicy, touch(s, "PutKeyPolicy", func(in *putPolicyInput) string { return in.KeyID })),
		wire.JSON("GetKeyPolicy", s.getKeyPolicy, touch(s, "GetKeyPolicy", func(in *getPolicyInput) string { return in.KeyID })),
		wire.JSON("ListKeyPolicies", s.listKeyPolicies, touch(s, "ListKeyPolicies", func(in *listPoliciesInput) string { return in.KeyID })),
		wire.JSON("CreateAlias", s.createAlias, s.touchAlias("CreateAlias")),
		wire.JSON("UpdateAlias", s.updateAlias, s.touchAlias("UpdateAlias")),
		wire.JSON("DeleteAlias", s.deleteAlias, s.touchDeleteAlias),
		wire.JSON("ListAliases", s.listAliases, nil),
		wire.JSON("TagResource", s.tagResource, touch(s, "TagResource", func(in *tagInput) string { return in.KeyID })),
		wire.JSON("UntagResource", s.untagResource, touch(s, "UntagResource", func(in *untagInput) string { return in.KeyID })),
		wire.JSON("ListResourceTags", s.listTags, touch(s, "ListResourceTags", func(in *listTagsInput) string { return in.KeyID })),
		wire.JSON("CreateGrant", s.createGrant, s.touchCreateGrant),
		wire.JSON("ListGrants", s.listGrants, touch(s, "ListGrants", func(in *listGrantsInput) string { return in.KeyID })),
		wire.JSON("ListRetirableGrants", s.listRetirable, nil),
		wire.JSON("RevokeGrant", s.revokeGrant, touch(s, "RevokeGrant", func(in *revokeInput) string { return in.KeyID })),
		wire.JSON("RetireGrant", s.retireGrant, s.touchRetire),
		wire.JSON("Encrypt", s.encryptOp, func(call *wire.Call, in *EncryptInput) []wire.Access {
			return s.cryptAccess(call, "Encrypt", in.KeyID, in.EncryptionContext, in.via)
		}),
		wire.JSON("Decrypt", s.decryptOp, func(call *wire.Call, in *DecryptInput) []wire.Access {
			return s.cryptAccess(call, "Decrypt", blobKey(in.CiphertextBlob, in.KeyID), in.EncryptionContext, in.via)
		}),
		wire.JSON("ReEncrypt", s.reEncrypt, s.touchReEncrypt),
		wire.JSON("GenerateDataKey", s.generateDataKey, s.touchDataKey("GenerateDataKey")),
		wire.JSON("GenerateDataKeyWithoutPlaintext", s.generateWithoutPlaintext, s.touchDataKey("GenerateDataKeyWithoutPlaintext")),
		wire.JSON("GenerateDataKeyPair", s.generatePair, s.touchPair("GenerateDataKeyPair")),
		wire.JSON("GenerateDataKeyPairWithoutPlaintext", s.generatePairBlind, s.touchPair("GenerateDataKeyPairWithoutPlaintext")),
		wire.JSON("Sign", s.sign, func(call *wire.Call, in *signInput) []wire.Access {
			return s.signAccess(call, "Sign", in.KeyID, in.SigningAlgorithm, in.MessageType)
		}),
		wire.JSON("Verify", s.verify, func(call *wire.Call, in *verifyInput) []wire.Access {
			return s.signAccess(call, "Verify", in.KeyID, in.SigningAlgorithm, in.MessageType)
		}),
		wire.JSON("GetPublicKey", s.publicKey, touch(s, "GetPublicKey", func(in *publicInput) string { return in.KeyID })),
		wire.JSON("GenerateMac", s.generateMAC, touch(s, "GenerateMac", func(in *macInput) string { return in.KeyID })),
		wire.JSON("VerifyMac", s.verifyMAC, touch(s, "VerifyMac", func(in *verifyMACInput) string { return in.KeyID })),
		wire.JSON("GenerateRandom", s.generateRandom, nil),
	}
}

// count books one request, which is what KMS bills beside the keys themselves.
func (s *Service) count(ctx context.Context, call *wire.Call, k key) {
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "kms", Usage: "Requests", Resource: k.ID, RunID: call.Caller.RunID, Amount: 1})
}

// access is what an operation does to a key, with the key's policy. A key
// that does not exist is named as asked for: the operation then says so.
func (s *Service) access(call *wire.Call, action, keyID string) wire.Access {
	a := wire.Access{Action: "kms:" + action, Resource: "*", Conditions: map[string][]string{
		"kms:CallerAccount": {call.Caller.Account},
	}}
	_ = s.cfg.Store.View(func(tx state.Tx) error { // what cannot be read is refused by the operation itself
		k, err := s.lookup(tx, call.Caller, keyID)
		if err != nil {
			return err
		}
		a.Resource, a.Owner = k.arn(), k.Account
		a.Policy, err = effectivePolicy(tx, k)
		if strings.Contains(keyID, "alias/") {
			a.Conditions["kms:RequestAlias"] = []string{keyID[strings.Index(keyID, "alias/"):]}
		}
		return err
	})
	if a.Resource == "*" && keyID != "" {
		a.Resource = call.ARN("kms", "key/"+keyID)
	}
	return a
}

// touch is the access of an operation on the key that its input names.
func touch[I any](s *Service, action string, id func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		return []wire.Access{s.access(call, action, id(in))}
	}
}

// find returns the key that a key id, key ARN, alias name or alias ARN names.
func (s *Service) find(call *wire.Call, id string) (k key, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		k, err = s.lookup(tx, call.Caller, id)
		return err
	})
	return k, err
}

func (s *Service) lookup(tx state.Tx, caller wire.Caller, id string) (key, error) {
	account, region, name := caller.Account, caller.Region, id
	if parts := strings.SplitN(id, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		region, account, name = parts[3], parts[4], strings.TrimPrefix(parts[5], "key/")
	} else if strings.Contains(id, ":") {
		return key{}, wire.Errorf("InvalidArnException", "Invalid arn %s", id)
	}
	keyID := name
	if strings.HasPrefix(name, "alias/") {
		a, err := aliases.Get(tx, state.Key(account, region, name))
		if service, ok := strings.CutPrefix(name, "alias/aws/"); ok && errors.Is(err, state.ErrNotFound) && hasManaged(service) {
			return s.unmade(account, region, service), nil
		}
		if errors.Is(err, state.ErrNotFound) {
			return key{}, errNotFound("Alias arn:aws:kms:%s:%s:%s is not found.", region, account, name)
		}
		if err != nil {
			return key{}, err
		}
		keyID = a.KeyID
	}
	k, err := keys.Get(tx, keyID)
	gone := err == nil && (k.Account != account || k.Region != region || k.due(s.cfg.Clock()))
	if errors.Is(err, state.ErrNotFound) && !idPattern.MatchString(keyID) {
		return key{}, errNotFound("Invalid keyId '%s'", keyID)
	}
	if errors.Is(err, state.ErrNotFound) || gone {
		return key{}, errNotFound("Key 'arn:aws:kms:%s:%s:key/%s' does not exist", region, account, keyID)
	}
	return k, err
}

// idPattern is that of key ids, multi-Region ones among them.
var idPattern = regexp.MustCompile(`^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$`)

// due reports whether the waiting period of the key's deletion is over.
func (k key) due(now time.Time) bool { return k.DeletionDate != nil && !now.Before(*k.DeletionDate) }

// purge destroys the keys whose waiting period is over.
func (s *Service) purge(tx state.Tx) error {
	all, err := keys.List(tx, "", "", 0)
	if err != nil {
		return fmt.Errorf("kms: read keys: %w", err)
	}
	for _, e := range all {
		if e.Value.due(s.cfg.Clock()) {
			if err := destroy(tx, e.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func destroy(tx state.Tx, k key) error {
	named, err := aliases.List(tx, state.Prefix(k.Account, k.Region), "", 0)
	if err != nil {
		return err
	}
	for _, a := range named {
		if a.Value.KeyID == k.ID {
			if err := aliases.Delete(tx, a.Key); err != nil {
				return err
			}
		}
	}
	return errors.Join(grants.DeletePrefix(tx, state.Prefix(k.ID)), keys.Delete(tx, k.ID))
}

// change changes a customer's key.
func (s *Service) change(call *wire.Call, id, what string, f func(*key) error) error {
	return s.cfg.Store.Update(func(tx state.Tx) error {
		k, err := s.lookup(tx, call.Caller, id)
		if err != nil {
			return err
		}
		if err := k.customer(what); err != nil {
			return err
		}
		if err := f(&k); err != nil {
			return err
		}
		return keys.Put(tx, k.ID, k)
	})
}
