// Package sts is the AWS Security Token Service: it tells callers who they are
// and gives them a role's temporary credentials.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
//
// One thing differs from AWS: an account's root may assume a role whose trust
// policy names the account, because on this endpoint people act as root.
package sts

import (
	"context"

	"engage/internal/localaws/auth"
	"engage/internal/localaws/iam"
	"engage/internal/localaws/wire"
)

// Service issues sessions.
type Service struct {
	roles    *iam.Service
	sessions *auth.Sessions
}

// New returns the service.
func New(roles *iam.Service, sessions *auth.Sessions) *Service { return &Service{roles, sessions} }

// Wire returns the operations.
func (s *Service) Wire() *wire.Service {
	return &wire.Service{
		Name: "sts", Protocol: wire.Query, Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: []wire.Operation{
			// Everybody may ask who they are, whatever the policies say.
			wire.Form("GetCallerIdentity", s.getCallerIdentity, func(*wire.Call, *wire.Empty) []wire.Access { return nil }),
			wire.Form("AssumeRole", s.assumeRole, s.assumes),
			wire.Form("GetSessionToken", s.getSessionToken, func(*wire.Call, *sessionTokenInput) []wire.Access { return nil }),
			wire.Form("GetAccessKeyInfo", s.getAccessKeyInfo, nil),
		},
	}
}

type identity struct{ UserId, Account, Arn string }

func (s *Service) getCallerIdentity(_ context.Context, call *wire.Call, _ *wire.Empty) (*identity, error) {
	c := call.Caller
	if c.Anonymous() {
		return nil, wire.MissingToken("Request is missing Authentication Token")
	}
	return &identity{c.UserID, c.Account, c.ARN}, nil
}

type credentials struct {
	AccessKeyId     string
	SecretAccessKey string
	SessionToken    string
	Expiration      wire.Time
}

func credentialsOf(s auth.Session) credentials {
	return credentials{s.AccessKey, s.Secret, s.Token, wire.TimeOf(s.Expires)}
}

type keyInput struct {
	AccessKeyId string `required:"true" min:"12" max:"128"`
}

type keyOutput struct{ Account string }

func (s *Service) getAccessKeyInfo(_ context.Context, _ *wire.Call, in *keyInput) (*keyOutput, error) {
	account, found, err := s.sessions.Account(in.AccessKeyId)
	if err != nil {
		return nil, wire.InternalFailure(err)
	}
	if found {
		return &keyOutput{account}, nil
	}
	return nil, wire.ValidationException("Value '%s' at 'accessKeyId' failed to satisfy constraint: it is no access key of this endpoint", in.AccessKeyId)
}
