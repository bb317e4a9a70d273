package kms

import (
	"context"
	"errors"
	"strconv"
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
		if err := k.rotates(); err != nil {
			return err
		}
		k.Rotation = defaultRotation
		if in.Period != nil {
			k.Rotation = *in.Period
		}
		return k.usable()
	})
}

func (s *Service) disableRotation(_ context.Context, call *wire.Call, in *keyInput) (*wire.Empty, error) {
	return &wire.Empty{}, s.change(call, in.KeyID, "DisableKeyRotation", func(k *key) error {
		if err := k.rotates(); err != nil {
			return err
		}
		k.Rotation = 0
		return k.usable()
	})
}

// rotates refuses keys whose material never changes.
func (k key) rotates() error {
	if k.spec().name != symmetric {
		return wire.Errorf("UnsupportedOperationException", "%s has the key spec %s: only symmetric encryption keys rotate.", k.arn(), k.spec().name)
	}
	return nil
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
	if err := k.rotates(); err != nil {
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
		if err := firstError(k.rotates(), k.usable()); err != nil {
			return err
		}
		asked := 0
		for _, r := range k.Rotations {
			if r.Demand {
				asked++
			}
		}
		if asked >= maxOnDemand {
			return wire.Errorf("LimitExceededException", "%s was rotated on demand %d times, which is the limit.", k.arn(), maxOnDemand)
		}
		k.Rotations = append(k.Rotations, rotated{s.cfg.Clock(), true})
		return s.addMaterial(k)
	})
}

// maxOnDemand is how often a key can be rotated on demand.
const maxOnDemand = 10

type listRotationsInput struct {
	KeyID              string `json:"KeyId" required:"true"`
	IncludeKeyMaterial string
	Limit              *int `min:"1" max:"1000"`
	Marker             string
}

type rotationEntry struct {
	KeyID        string `json:"KeyId"`
	RotationDate wire.Time
	RotationType string
}

type listRotationsOutput struct {
	Rotations  []rotationEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) listRotations(_ context.Context, call *wire.Call, in *listRotationsInput) (*listRotationsOutput, error) {
	if in.IncludeKeyMaterial != "" && in.IncludeKeyMaterial != "ROTATIONS_ONLY" {
		return nil, wire.NotImplemented("IncludeKeyMaterial %s", in.IncludeKeyMaterial)
	}
	k, err := s.find(call, in.KeyID)
	if err == nil {
		err = k.rotates()
	}
	if err != nil {
		return nil, err
	}
	limit, from := 100, 0
	if in.Limit != nil {
		limit = *in.Limit
	}
	if in.Marker != "" {
		if from, err = strconv.Atoi(in.Marker); err != nil || from < 0 || from > len(k.Rotations) {
			return nil, wire.Errorf("InvalidMarkerException", "The marker %s is not one that was given out.", in.Marker)
		}
	}
	out := &listRotationsOutput{Rotations: []rotationEntry{}}
	for i, r := range k.Rotations[from:] {
		if i == limit {
			out.Truncated, out.NextMarker = true, strconv.Itoa(from+i)
			break
		}
		kind := "AUTOMATIC"
		if r.Demand {
			kind = "ON_DEMAND"
		}
		out.Rotations = append(out.Rotations, rotationEntry{k.arn(), wire.TimeOf(r.At), kind})
	}
	return out, nil
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
		if len(k.Materials) > 0 {
			k.Rotations = append(k.Rotations, rotated{At: s.cfg.Clock()})
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
