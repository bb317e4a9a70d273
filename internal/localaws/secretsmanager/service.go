package secretsmanager

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"engage/internal/localaws/alarm"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Keys encrypts values with the caller's permissions.
type Keys interface {
	Seal(ctx context.Context, caller wire.Caller, keyID string, plaintext []byte, encryptionContext map[string]string) ([]byte, string, error)
	Open(ctx context.Context, caller wire.Caller, envelope []byte, encryptionContext map[string]string) ([]byte, error)
}

// Functions runs the function that rotates a secret, and waits for it.
type Functions interface {
	// Run fails when the function fails.
	Run(ctx context.Context, caller wire.Caller, functionARN string, payload []byte) error
}

// Config says what the service works with.
type Config struct {
	// Store keeps the secrets. There is no default.
	Store *state.Store
	// Keys encrypts. There is no default.
	Keys Keys
	// Functions rotates. Without it RotateSecret is refused.
	Functions Functions
	// Authorizer checks the secrets of BatchGetSecretValue, each. The default allows all.
	Authorizer wire.Authorizer
	// After makes a channel that fires after a time, and a function that lets
	// go of it. The default is a time.Timer.
	After func(time.Duration) (<-chan time.Time, func())
	// Clock is for timestamps, rotation and recovery windows. The default is time.Now.
	Clock func() time.Time
	// Random makes ids and passwords. The default is crypto/rand.Reader.
	Random io.Reader
	// Meter counts requests. The default counts nothing.
	Meter wire.Meter
}

// Service is Secrets Manager.
type Service struct {
	cfg   Config
	alarm *alarm.Alarm
}

// New opens the service. Secrets rotate while Run runs.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Meter == nil {
		cfg.Meter = wire.NoMeter{}
	}
	return &Service{cfg, alarm.New(cfg.Clock, cfg.After)}
}

// API returns the operations.
func (s *Service) API() *wire.Service {
	return &wire.Service{Name: "secretsmanager", Targets: []string{"secretsmanager"}, Protocol: wire.JSON11,
		ValidationCode: "ValidationException", Operations: []wire.Operation{
			wire.JSON("CreateSecret", s.create, func(call *wire.Call, in *createInput) []wire.Access {
				return []wire.Access{{Action: "secretsmanager:CreateSecret", Resource: call.ARN("secretsmanager", "secret:"+in.Name)}}
			}),
			wire.JSON("GetSecretValue", s.getValue, touch(s, "GetSecretValue", func(in *getInput) string { return in.SecretID })),
			wire.JSON("PutSecretValue", s.putValue, touch(s, "PutSecretValue", func(in *putInput) string { return in.SecretID })),
			wire.JSON("UpdateSecret", s.update, touch(s, "UpdateSecret", func(in *updateInput) string { return in.SecretID })),
			wire.JSON("DescribeSecret", s.describe, touch(s, "DescribeSecret", idOf)),
			wire.JSON("ListSecrets", s.list, nil),
			wire.JSON("ListSecretVersionIds", s.listVersions, touch(s, "ListSecretVersionIds", func(in *listVersionsInput) string { return in.SecretID })),
			wire.JSON("DeleteSecret", s.remove, touch(s, "DeleteSecret", func(in *deleteInput) string { return in.SecretID })),
			wire.JSON("RestoreSecret", s.restore, touch(s, "RestoreSecret", idOf)),
			wire.JSON("UpdateSecretVersionStage", s.updateStage, touch(s, "UpdateSecretVersionStage", func(in *stageInput) string { return in.SecretID })),
			wire.JSON("RotateSecret", s.rotate, touch(s, "RotateSecret", func(in *rotateInput) string { return in.SecretID })),
			wire.JSON("CancelRotateSecret", s.cancelRotation, touch(s, "CancelRotateSecret", idOf)),
			wire.JSON("PutResourcePolicy", s.putPolicy, touch(s, "PutResourcePolicy", func(in *policyInput) string { return in.SecretID })),
			wire.JSON("GetResourcePolicy", s.getPolicy, touch(s, "GetResourcePolicy", idOf)),
			wire.JSON("DeleteResourcePolicy", s.deletePolicy, touch(s, "DeleteResourcePolicy", idOf)),
			wire.JSON("TagResource", s.tag, touch(s, "TagResource", func(in *tagInput) string { return in.SecretID })),
			wire.JSON("UntagResource", s.untag, touch(s, "UntagResource", func(in *untagInput) string { return in.SecretID })),
			wire.JSON("BatchGetSecretValue", s.batchGet, nil),
			wire.JSON("ValidateResourcePolicy", s.validatePolicy, touch(s, "ValidateResourcePolicy", func(in *validateInput) string { return in.SecretID })),
			wire.JSON("GetRandomPassword", s.randomPassword, nil),
		}}
}

func touch[I any](s *Service, action string, id func(*I) string) wire.Touches[I] {
	return func(call *wire.Call, in *I) []wire.Access {
		a := wire.Access{Action: "secretsmanager:" + action, Resource: call.ARN("secretsmanager", "secret:"+id(in))}
		_ = s.cfg.Store.View(func(tx state.Tx) error { // the operation refuses what is not there
			found, err := s.lookup(tx, call, id(in))
			if err == nil {
				a.Resource, a.Owner, a.Policy = found.arn(), found.Account, found.Policy
				a.Conditions = map[string][]string{"secretsmanager:SecretId": {found.arn()}}
				for name, value := range found.Tags {
					a.Conditions["aws:ResourceTag/"+name] = []string{value}
				}
			}
			return err
		})
		return []wire.Access{a}
	}
}

func (s *Service) find(call *wire.Call, id string) (found secret, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		found, err = s.lookup(tx, call, id)
		return err
	})
	return found, err
}

// change changes a secret that is not marked for deletion.
func (s *Service) change(call *wire.Call, id string, f func(*secret) error) (named, error) {
	var out named
	err := s.cfg.Store.Update(func(tx state.Tx) error {
		found, err := s.lookup(tx, call, id)
		if err != nil {
			return err
		}
		if err := found.live(); err != nil {
			return err
		}
		if err := f(&found); err != nil {
			return err
		}
		found.Changed = s.cfg.Clock()
		found.prune()
		out = named{found.arn(), found.Name}
		return secrets.Put(tx, found.key(), found)
	})
	return out, err
}

// named is how most answers begin.
type named struct {
	ARN  string
	Name string
}

func (s *Service) count(ctx context.Context, call *wire.Call, name string) {
	s.cfg.Meter.Add(ctx, wire.Quantity{Service: "secretsmanager", Usage: "Requests", Resource: name, RunID: call.Caller.RunID, Amount: 1})
}

func (s *Service) bytes(n int) ([]byte, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(s.cfg.Random, raw); err != nil {
		return nil, fmt.Errorf("make random bytes: %w", err)
	}
	return raw, nil
}

func (s *Service) newID() (string, error) {
	raw, err := s.bytes(16)
	if err != nil {
		return "", err
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), nil
}
