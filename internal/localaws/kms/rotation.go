package kms

import (
	"context"
	"errors"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

const defaultRotation = 365 // days

type rotationInput struct {
	KeyID  string `json:"KeyId" required:"true"`
	Period *int   `json:"RotationPeriodInDays" min:"90" max:"2560"`
}

func (s *Service) enableRotation(_ context.Context, call *wire.Call, in *rotationInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.KeyID, "EnableKeyRotation", func(k *key) error {
		k.Rotation = defaultRotation
		if in.Period != nil {
			k.Rotation = *in.Period
		}
		return k.usable()
	})
}

func (s *Service) disableRotation(_ context.Context, call *wire.Call, in *keyInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.KeyID, "DisableKeyRotation", func(k *key) error {
		k.Rotation = 0
		return k.usable()
	})
}

type rotationOutput struct {
	KeyID                string `json:"KeyId"`
	KeyRotationEnabled   bool
	RotationPeriodInDays int        `json:",omitempty"`
	NextRotationDate     *wire.Time `json:",omitempty"`
}

func (s *Service) rotationStatus(_ context.Context, call *wire.Call, in *keyInput) (*rotationOutput, error) {
	k, err := s.find(call, in.KeyID)
	if err != nil {
		return nil, err
	}
	out := &rotationOutput{KeyID: k.arn(), KeyRotationEnabled: k.Rotation > 0 && k.DeletionDate == nil, RotationPeriodInDays: k.Rotation}
	if out.KeyRotationEnabled {
		next := wire.TimeOf(k.nextRotation())
		out.NextRotationDate = &next
	}
	return out, nil
}

func (k key) nextRotation() time.Time {
	return k.RotatedAt.Add(time.Duration(k.Rotation) * 24 * time.Hour)
}

func (s *Service) rotateNow(_ context.Context, call *wire.Call, in *keyInput) (*keyIDOutput, error) {
	out := &keyIDOutput{}
	return out, s.change(call, in.KeyID, "RotateKeyOnDemand", func(k *key) error {
		out.KeyID = k.arn()
		return firstError(k.usable(), s.addMaterial(k))
	})
}

// current returns a key that can encrypt now: with material made when its
// rotation is due, or when an AWS managed key is used for the first time.
func (s *Service) current(caller wire.Caller, id string) (k key, err error) {
	err = s.cfg.Store.View(func(tx state.Tx) error {
		k, err = s.lookup(tx, caller, id)
		return err
	})
	if err == nil {
		err = k.usable()
	}
	if err != nil || !s.wantsMaterial(k) {
		return k, err
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		k, err = s.lookup(tx, caller, id)
		if err != nil || !s.wantsMaterial(k) {
			return err
		}
		if len(k.Materials) == 0 {
			if err := s.nameManaged(tx, k, id); err != nil {
				return err
			}
		}
		return firstError(s.addMaterial(&k), keys.Put(tx, k.ID, k))
	})
	return k, err
}

func (s *Service) wantsMaterial(k key) bool {
	return len(k.Materials) == 0 || k.Rotation > 0 && !s.cfg.Clock().Before(k.nextRotation())
}

// nameManaged gives an AWS managed key its alias.
func (s *Service) nameManaged(tx state.Tx, k key, id string) error {
	for _, service := range managedServices {
		if managedID(k.Account, k.Region, service) == k.ID {
			a := alias{Name: "alias/aws/" + service, Account: k.Account, Region: k.Region, KeyID: k.ID, Created: k.Created, Updated: k.Created}
			return aliases.Put(tx, state.Key(a.Account, a.Region, a.Name), a)
		}
	}
	return errors.New("kms: key " + id + " has no material")
}
