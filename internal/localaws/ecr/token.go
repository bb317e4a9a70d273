package ecr

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// tokenLife is how long a token is valid, as on AWS.
const tokenLife = 12 * time.Hour

// token is who may use the registry with a password. The password itself is not kept.
type token struct {
	Caller  wire.Caller
	Expires time.Time
}

func tokenKey(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// issue makes a password for a caller and forgets the expired ones.
func (s *Service) issue(caller wire.Caller) (password string, expires time.Time, err error) {
	password = rand.Text() + rand.Text()
	expires = s.now().Add(tokenLife)
	err = s.store.Update(func(tx state.Tx) error {
		all, err := tokens.List(tx, "", "", 0)
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.Value.Expires.Before(s.now()) {
				if err := tokens.Delete(tx, e.Key); err != nil {
					return err
				}
			}
		}
		return tokens.Put(tx, tokenKey(password), token{caller, expires})
	})
	return password, expires, err
}

// owner returns whose password a request has.
func (s *Service) owner(r *http.Request) (caller wire.Caller, ok bool) {
	user, password, given := r.BasicAuth()
	if !given || user != "AWS" {
		return caller, false
	}
	err := s.store.View(func(tx state.Tx) error {
		t, err := tokens.Get(tx, tokenKey(password))
		caller, ok = t.Caller, s.now().Before(t.Expires)
		return err
	})
	return caller, ok && err == nil
}

type getAuthorizationTokenInput struct {
	RegistryIDs []string `json:"registryIds"`
}

type authorizationData struct {
	AuthorizationToken string    `json:"authorizationToken"`
	ExpiresAt          wire.Time `json:"expiresAt"`
	ProxyEndpoint      string    `json:"proxyEndpoint"`
}

type getAuthorizationTokenOutput struct {
	AuthorizationData []authorizationData `json:"authorizationData"`
}

func (s *Service) getAuthorizationToken(_ context.Context, call *wire.Call, in *getAuthorizationTokenInput) (*getAuthorizationTokenOutput, error) {
	registries := in.RegistryIDs
	if len(registries) == 0 {
		registries = []string{call.Caller.Account}
	}
	out := &getAuthorizationTokenOutput{}
	for _, account := range registries {
		password, expires, err := s.issue(call.Caller)
		if err != nil {
			return nil, err
		}
		// This endpoint speaks plain HTTP, so it names itself where it was called.
		endpoint := "http://" + call.Host()
		if call.Host() == "" {
			endpoint = "https://" + s.host(account, call.Caller.Region)
		}
		out.AuthorizationData = append(out.AuthorizationData, authorizationData{
			base64.StdEncoding.EncodeToString([]byte("AWS:" + password)), wire.TimeOf(expires), endpoint})
	}
	return out, nil
}
