package secretsmanager

import (
	"bytes"
	"context"
	"regexp"
	"slices"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type tagPair struct {
	Key   string `required:"true" max:"128"`
	Value string `max:"256"`
}

type createInput struct {
	Name               string  `required:"true" max:"512"`
	ClientRequestToken string  `min:"32" max:"64"`
	Description        string  `max:"2048"`
	KmsKeyID           string  `json:"KmsKeyId"`
	SecretBinary       []byte  `max:"65536"`
	SecretString       *string `max:"65536"`
	Tags               []tagPair
}

type versioned struct {
	named
	VersionID     string   `json:"VersionId,omitempty"`
	VersionStages []string `json:",omitempty"`
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func (s *Service) create(ctx context.Context, call *wire.Call, in *createInput) (*versioned, error) {
	if !namePattern.MatchString(in.Name) {
		return nil, errName()
	}
	suffix, err := s.pick(letters, 6)
	if err != nil {
		return nil, err
	}
	made := secret{Name: in.Name, Suffix: suffix, Account: call.Caller.Account, Region: call.Caller.Region, Description: in.Description,
		KeyID: in.KmsKeyID, Created: s.cfg.Clock(), Changed: s.cfg.Clock(), Tags: map[string]string{}, Versions: map[string]*version{}}
	for _, t := range in.Tags {
		made.Tags[t.Key] = t.Value
	}
	v, token, err := s.seal(ctx, call, made, in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if v != nil {
		v.Stages = []string{current}
		made.Versions[token] = v
	}
	err = s.cfg.Store.Update(func(tx state.Tx) error {
		old, err := s.lookup(tx, call, in.Name)
		switch {
		case err == nil && old.Deleted != nil:
			return errRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
		case err == nil && old.Versions[token] != nil:
			made = old // the same request once more
			return nil
		case err == nil:
			return wire.Errorf("ResourceExistsException", "The operation failed because the secret %s already exists.", in.Name)
		}
		return secrets.Put(tx, made.key(), made)
	})
	return &versioned{named: named{made.arn(), made.Name}, VersionID: token}, err
}

// seal makes a version of a value, nil when there is none, and its id.
func (s *Service) seal(ctx context.Context, call *wire.Call, of secret, token string, text *string, binary []byte) (*version, string, error) {
	if text != nil && len(binary) > 0 {
		return nil, "", errParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	}
	if text == nil && len(binary) == 0 {
		return nil, "", nil
	}
	plain := binary
	if text != nil {
		plain = []byte(*text)
	}
	if token == "" {
		var err error
		if token, err = s.newID(); err != nil {
			return nil, "", err
		}
	}
	keyID := of.KeyID
	if keyID == "" {
		keyID = "alias/aws/secretsmanager"
	}
	sealed, arn, err := s.cfg.Keys.Seal(ctx, call.Caller, keyID, plain, contextOf(of, token))
	return &version{Created: s.cfg.Clock(), Sealed: sealed, Binary: text == nil, KeyID: arn}, token, err
}

// contextOf is the encryption context of a version's value.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-secrets-manager.html
func contextOf(of secret, versionID string) map[string]string {
	return map[string]string{"SecretARN": of.arn(), "SecretVersionId": versionID}
}

type getInput struct {
	SecretID     string `json:"SecretId" required:"true"`
	VersionID    string `json:"VersionId"`
	VersionStage string
}

type valueOutput struct {
	named
	VersionID     string  `json:"VersionId"`
	SecretString  *string `json:",omitempty"`
	SecretBinary  []byte  `json:",omitempty"`
	VersionStages []string
	CreatedDate   wire.Time
}

func (s *Service) getValue(ctx context.Context, call *wire.Call, in *getInput) (*valueOutput, error) {
	found, err := s.find(call, in.SecretID)
	if err != nil {
		return nil, err
	}
	if err := found.live(); err != nil {
		return nil, err
	}
	stage := in.VersionStage
	if stage == "" && in.VersionID == "" {
		stage = current
	}
	id := in.VersionID
	if id == "" {
		id = found.staged(stage)
	}
	v := found.Versions[id]
	if v == nil || len(v.Sealed) == 0 || stage != "" && !slices.Contains(v.Stages, stage) {
		return nil, wire.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for %s", or("staging label: "+stage, "VersionId: "+in.VersionID, stage != ""))
	}
	plain, err := s.cfg.Keys.Open(ctx, call.Caller, v.Sealed, contextOf(found, id))
	if err != nil {
		return nil, err
	}
	s.count(ctx, call, found.Name)
	out := &valueOutput{named: named{found.arn(), found.Name}, VersionID: id, VersionStages: v.Stages, CreatedDate: wire.TimeOf(v.Created)}
	if v.Binary {
		out.SecretBinary = plain
	} else {
		text := string(plain)
		out.SecretString = &text
	}
	return out, s.accessed(call, in.SecretID, id)
}

func or(a, b string, first bool) string {
	if first {
		return a
	}
	return b
}

// accessed notes the day of an access, which AWS keeps no more exactly.
func (s *Service) accessed(call *wire.Call, secretID, versionID string) error {
	day := s.cfg.Clock().UTC().Truncate(24 * 60 * 60 * 1e9)
	found, err := s.find(call, secretID)
	if err != nil || found.Accessed != nil && found.Accessed.Equal(day) {
		return err
	}
	return s.cfg.Store.Update(func(tx state.Tx) error {
		found, err := s.lookup(tx, call, secretID)
		if err != nil {
			return err
		}
		found.Accessed = &day
		if v := found.Versions[versionID]; v != nil {
			v.Accessed = &day
		}
		return secrets.Put(tx, found.key(), found)
	})
}

type putInput struct {
	SecretID           string  `json:"SecretId" required:"true"`
	ClientRequestToken string  `min:"32" max:"64"`
	SecretBinary       []byte  `max:"65536"`
	SecretString       *string `max:"65536"`
	VersionStages      []string
}

func (s *Service) putValue(ctx context.Context, call *wire.Call, in *putInput) (*versioned, error) {
	found, err := s.find(call, in.SecretID)
	if err != nil {
		return nil, err
	}
	v, token, err := s.seal(ctx, call, found, in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, errParameter("You must provide either SecretString or SecretBinary.")
	}
	s.count(ctx, call, found.Name)
	return s.addVersion(ctx, call, found, token, v, in.VersionStages)
}

// addVersion adds a version with stages, by default AWSCURRENT.
func (s *Service) addVersion(ctx context.Context, call *wire.Call, found secret, token string, v *version, stages []string) (*versioned, error) {
	if len(stages) == 0 {
		stages = []string{current}
	}
	if old := found.Versions[token]; old != nil && len(old.Sealed) > 0 {
		if err := s.sameValue(ctx, call, found, token, old, v); err != nil {
			return nil, err
		}
		v = old
	}
	out := &versioned{VersionID: token}
	name, err := s.change(call, found.arn(), func(now *secret) error {
		if have := now.Versions[token]; have != nil {
			v.Stages = have.Stages
		}
		now.Versions[token] = v
		for _, stage := range stages {
			now.move(stage, token)
		}
		if now.staged(current) == "" {
			now.move(current, token)
		}
		out.VersionStages = v.Stages
		return nil
	})
	out.named = name
	return out, err
}

// sameValue lets a request be repeated, but not change the value of a version.
func (s *Service) sameValue(ctx context.Context, call *wire.Call, found secret, token string, a, b *version) error {
	var plain [2][]byte
	for i, v := range []*version{a, b} {
		var err error
		if plain[i], err = s.cfg.Keys.Open(ctx, call.Caller, v.Sealed, contextOf(found, token)); err != nil {
			return err
		}
	}
	if !bytes.Equal(plain[0], plain[1]) {
		return wire.Errorf("ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, found.arn())
	}
	return nil
}

type updateInput struct {
	SecretID           string  `json:"SecretId" required:"true"`
	ClientRequestToken string  `min:"32" max:"64"`
	Description        *string `max:"2048"`
	KmsKeyID           *string `json:"KmsKeyId"`
	SecretBinary       []byte  `max:"65536"`
	SecretString       *string `max:"65536"`
}

func (s *Service) update(ctx context.Context, call *wire.Call, in *updateInput) (*versioned, error) {
	name, err := s.change(call, in.SecretID, func(found *secret) error {
		if in.Description != nil {
			found.Description = *in.Description
		}
		if in.KmsKeyID != nil {
			found.KeyID = *in.KmsKeyID
		}
		return nil
	})
	if err != nil || in.SecretString == nil && len(in.SecretBinary) == 0 {
		return &versioned{named: name}, err
	}
	out, err := s.putValue(ctx, call, &putInput{SecretID: in.SecretID, ClientRequestToken: in.ClientRequestToken, SecretString: in.SecretString, SecretBinary: in.SecretBinary})
	if err != nil {
		return nil, err
	}
	out.VersionStages = nil
	return out, nil
}
