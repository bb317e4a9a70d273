package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

type rotateInput struct {
	SecretID           string `json:"SecretId" required:"true"`
	ClientRequestToken string `min:"32" max:"64"`
	RotationLambdaARN  string
	RotationRules      *rules
	RotateImmediately  *bool
}

// steps are what a rotation function is asked for, in this order.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
var steps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

type step struct{ Step, SecretId, ClientRequestToken string }

func (s *Service) rotate(ctx context.Context, call *wire.Call, in *rotateInput) (*versioned, error) {
	if s.cfg.Functions == nil {
		return nil, wire.NotImplemented("RotateSecret without Lambda")
	}
	if err := in.RotationRules.check(); err != nil {
		return nil, err
	}
	now := in.RotateImmediately == nil || *in.RotateImmediately
	token, err := in.ClientRequestToken, error(nil)
	if token == "" {
		if token, err = s.newID(); err != nil {
			return nil, err
		}
	}
	var rotated secret
	name, err := s.change(call, in.SecretID, func(found *secret) error {
		if err := s.plan(found, in); err != nil {
			return err
		}
		if err := found.begin(token, s.cfg.Clock()); err != nil {
			return err
		}
		rotated = *found
		return nil
	})
	s.alarm.Tell()
	if err != nil {
		return nil, err
	}
	if !now {
		return &versioned{named: name}, s.rehearse(ctx, call, rotated, token)
	}
	return &versioned{named: name, VersionID: token}, s.runSteps(ctx, call, rotated, token)
}

// plan keeps how the secret rotates from now on.
func (s *Service) plan(found *secret, in *rotateInput) error {
	if in.RotationLambdaARN != "" {
		found.Rotation.Lambda = in.RotationLambdaARN
	}
	if found.Rotation.Lambda == "" {
		return errRequest("No Lambda rotation function ARN is associated with this secret.")
	}
	if in.RotationRules != nil {
		found.Rotation.Rules = in.RotationRules
	}
	found.Rotation.Enabled = true
	found.Rotation.Next = found.Rotation.Rules.next(s.cfg.Clock())
	return nil
}

// begin makes the version that a rotation is to fill. One that an earlier
// rotation did not finish is taken up again.
func (s secret) begin(token string, now time.Time) error {
	if id := s.staged(pending); id != "" && id != token && id != s.staged(current) {
		return errRequest("A previous rotation isn't complete. That rotation will be reattempted.")
	}
	if s.Versions[token] == nil {
		s.Versions[token] = &version{Created: now}
	}
	s.move(pending, token)
	return nil
}

func (s *Service) rotator(of secret, runID string) wire.Caller {
	return wire.Caller{Account: of.Account, Region: of.Region, ARN: of.arn(), Service: "secretsmanager.amazonaws.com", RunID: runID}
}

func (s *Service) runStep(ctx context.Context, of secret, runID, name, token string) error {
	payload, err := json.Marshal(step{name, of.arn(), token})
	if err != nil {
		return err
	}
	if err := s.cfg.Functions.Run(ctx, s.rotator(of, runID), of.Rotation.Lambda, payload); err != nil {
		return errRequest("The rotation of %s failed at the step %s: %v", of.Name, name, err)
	}
	return nil
}

// rehearse runs the test step alone, on a version that is removed again, as
// AWS does when the first rotation is to come later.
func (s *Service) rehearse(ctx context.Context, call *wire.Call, of secret, token string) error {
	failed := s.runStep(ctx, of, call.Caller.RunID, "testSecret", token)
	_, err := s.change(call, of.arn(), func(found *secret) error {
		found.drop(pending)
		if v := found.Versions[token]; v != nil && len(v.Stages) == 0 {
			delete(found.Versions, token)
		}
		return nil
	})
	return errors.Join(failed, err)
}

func (s *Service) runSteps(ctx context.Context, call *wire.Call, of secret, token string) error {
	for _, name := range steps {
		if err := s.runStep(ctx, of, call.Caller.RunID, name, token); err != nil {
			return err
		}
	}
	_, err := s.change(call, of.arn(), func(found *secret) error {
		if found.staged(current) != token {
			return errRequest("The rotation of %s failed: its function did not make the new version AWSCURRENT", of.Name)
		}
		at := s.cfg.Clock()
		found.Rotated = &at
		found.drop(pending)
		return nil
	})
	return err
}

func (s *Service) cancelRotation(_ context.Context, call *wire.Call, in *idInput) (*versioned, error) {
	name, err := s.change(call, in.SecretID, func(found *secret) error {
		if !found.Rotation.Enabled {
			return errRequest("You can't cancel the rotation of a secret that does not rotate.")
		}
		found.Rotation.Enabled, found.Rotation.Next = false, nil
		return nil
	})
	return &versioned{named: name}, err
}

type passwordInput struct {
	PasswordLength          *int `min:"1" max:"4096"`
	ExcludeCharacters       string
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	ExcludeUppercase        bool
	ExcludeLowercase        bool
	IncludeSpace            bool
	RequireEachIncludedType *bool
}

type passwordOutput struct{ RandomPassword string }

const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// classes are the kinds of character that the password may have.
func (in *passwordInput) classes() []string {
	var all []string
	for _, c := range []struct {
		characters string
		exclude    bool
	}{
		{letters[:26], in.ExcludeLowercase}, {letters[26:52], in.ExcludeUppercase}, {letters[52:], in.ExcludeNumbers},
		{punctuation, in.ExcludePunctuation}, {" ", !in.IncludeSpace},
	} {
		kept := strings.Map(func(r rune) rune {
			if strings.ContainsRune(in.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, c.characters)
		if !c.exclude && kept != "" {
			all = append(all, kept)
		}
	}
	return all
}

// maxDraws bounds the attempts at a password that has each class.
const maxDraws = 10_000

func (s *Service) randomPassword(_ context.Context, _ *wire.Call, in *passwordInput) (*passwordOutput, error) {
	length := 32
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	classes := in.classes()
	if len(classes) == 0 {
		return nil, errParameter("All characters are excluded.")
	}
	each := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	if each && length < len(classes) {
		return nil, errParameter("The password length must be at least %d to have each included type.", len(classes))
	}
	for range maxDraws {
		password, err := s.pick(strings.Join(classes, ""), length)
		if err != nil || !each || hasEach(password, classes) {
			return &passwordOutput{password}, err
		}
	}
	return nil, fmt.Errorf("secretsmanager: no password of length %d has each of %d classes", length, len(classes))
}

func hasEach(password string, classes []string) bool {
	for _, c := range classes {
		if !strings.ContainsAny(password, c) {
			return false
		}
	}
	return true
}

// pick returns n characters, each as likely as the others: a byte that would
// favour the first ones is drawn again.
func (s *Service) pick(from string, n int) (string, error) {
	limit := byte(256/len(from)*len(from) - 1)
	out := make([]byte, 0, n)
	for len(out) < n {
		raw, err := s.bytes(n)
		if err != nil {
			return "", err
		}
		for _, b := range raw {
			if b <= limit && len(out) < n {
				out = append(out, from[int(b)%len(from)])
			}
		}
	}
	return string(out), nil
}
