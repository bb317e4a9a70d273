// Package auth tells who sends a request and whether they may: it verifies
// signatures against the keys that exist, keeps the sessions that STS issues,
// and evaluates policies.
package auth

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"engage/internal/localaws/sigv4"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// Session is what AssumeRole issued. It is kept until it expires, across restarts.
type Session struct {
	AccessKey string
	Secret    string
	Token     string
	Caller    wire.Caller // without region
	Policies  []string    // session policies, JSON documents or ARNs of managed policies
	Issued    time.Time
	Expires   time.Time
}

var sessions = state.NewCollection[Session]("sts/sessions")

// byExpiry orders sessions by the time they end, so that old ones are found without a scan.
var byExpiry = state.NewCollection[string]("sts/sessions-by-expiry")

// Sessions issues temporary credentials and finds them again.
type Sessions struct {
	store *state.Store
	now   func() time.Time
	rand  io.Reader
	users Users

	mu     sync.RWMutex
	recent map[string]Session // sessions never change, so what was read once stays good
}

// maxRecent bounds the sessions in memory; all are forgotten when there are more.
const maxRecent = 4096

// NewSessions returns the sessions kept in a store. rand makes secrets: crypto/rand.Reader.
func NewSessions(store *state.Store, now func() time.Time, rand io.Reader) *Sessions {
	return &Sessions{store: store, now: now, rand: rand, recent: map[string]Session{}}
}

// Users finds who has an access key that is not a session's.
type Users interface {
	// KeyOwner returns false when nobody has the key, or it is inactive.
	KeyOwner(accessKey string) (owner wire.Caller, secret string, found bool, err error)
}

// WithUsers lets the keys of users be signed with too.
func (s *Sessions) WithUsers(u Users) *Sessions {
	s.users = u
	return s
}

// owner returns who has a user's access key.
func (s *Sessions) owner(accessKey string) (wire.Caller, string, bool, error) {
	if s.users == nil || !strings.HasPrefix(accessKey, "AKIA") {
		return wire.Caller{}, "", false, nil
	}
	return s.users.KeyOwner(accessKey)
}

// Account returns the account that an access key is of, false for a key that nobody has.
func (s *Sessions) Account(accessKey string) (string, bool, error) {
	if account, isRoot := rootAccount(accessKey); isRoot {
		return account, true, nil
	}
	if owner, _, found, err := s.owner(accessKey); found || err != nil {
		return owner.Account, found, err
	}
	session, err := s.Find(accessKey)
	if errors.Is(err, state.ErrNotFound) {
		return "", false, nil
	}
	return session.Caller.Account, err == nil, err
}

const (
	secretBytes = 30 // 40 characters of base64, as AWS's secrets have
	tokenBytes  = 96
	// sweepLimit bounds how many expired sessions one Issue removes.
	sweepLimit = 100
)

// Issue makes credentials for a caller that are good for a time, and removes sessions that are over.
func (s *Sessions) Issue(caller wire.Caller, policies []string, life time.Duration) (Session, error) {
	now := s.now().UTC()
	id, err := s.random(10)
	if err != nil {
		return Session{}, err
	}
	secret, err := s.random(secretBytes)
	if err != nil {
		return Session{}, err
	}
	token, err := s.random(tokenBytes)
	if err != nil {
		return Session{}, err
	}
	session := Session{
		AccessKey: "ASIA" + base32.StdEncoding.EncodeToString(id),
		Secret:    base64.StdEncoding.EncodeToString(secret),
		Token:     base64.StdEncoding.EncodeToString(token),
		Caller:    caller, Policies: policies, Issued: now,
		// Whole seconds: the wire carries no more.
		Expires: now.Add(life).Truncate(time.Second),
	}
	session.Caller.AccessKey = session.AccessKey
	return session, s.store.Batch(func(tx state.Tx) error { return s.keep(tx, session) })
}

func (s *Sessions) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, fmt.Errorf("make session credentials: %w", err)
	}
	return b, nil
}

func (s *Sessions) keep(tx state.Tx, session Session) error {
	if err := s.sweep(tx); err != nil {
		return err
	}
	if err := sessions.Put(tx, session.AccessKey, session); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	return byExpiry.Put(tx, state.Key(state.Ordinal(uint64(session.Expires.Unix())), session.AccessKey), session.AccessKey)
}

// sweep removes sessions that ended an hour ago: until then a caller is told
// that the token is expired, after that that nobody knows it.
func (s *Sessions) sweep(tx state.Tx) error {
	old, err := byExpiry.List(tx, "", "", sweepLimit)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	limit := state.Ordinal(uint64(s.now().Add(-time.Hour).Unix()))
	for _, entry := range old {
		if entry.Key >= limit {
			break
		}
		if err := byExpiry.Delete(tx, entry.Key); err != nil {
			return fmt.Errorf("remove session: %w", err)
		}
		if err := sessions.Delete(tx, entry.Value); err != nil && !errors.Is(err, state.ErrNotFound) {
			return fmt.Errorf("remove session: %w", err)
		}
		s.mu.Lock()
		delete(s.recent, entry.Value)
		s.mu.Unlock()
	}
	return nil
}

// Find returns the session of an access key. Errors: state.ErrNotFound.
func (s *Sessions) Find(accessKey string) (session Session, err error) {
	s.mu.RLock()
	session, cached := s.recent[accessKey]
	s.mu.RUnlock()
	if cached {
		return session, nil
	}
	err = s.store.View(func(tx state.Tx) error {
		session, err = sessions.Get(tx, accessKey)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recent) >= maxRecent {
		clear(s.recent)
	}
	s.recent[accessKey] = session
	return session, nil
}

// rootSecret is the secret of every account's root: all of them are this machine's own.
const rootSecret = "test"

// rootAccount is the account whose root user has the access key: a 12-digit
// key is its own account's, "test" that of the default account.
func rootAccount(accessKey string) (string, bool) {
	if accessKey == "test" {
		return wire.DefaultAccount, true
	}
	for _, c := range accessKey {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	return accessKey, len(accessKey) == 12
}

// credential is what a signature is verified with.
func (s *Sessions) credential(_ context.Context, accessKey string) (sigv4.Credential, error) {
	if _, isRoot := rootAccount(accessKey); isRoot {
		return sigv4.Credential{Secret: rootSecret}, nil
	}
	if _, secret, found, err := s.owner(accessKey); found || err != nil {
		return sigv4.Credential{Secret: secret}, err
	}
	session, err := s.Find(accessKey)
	if errors.Is(err, state.ErrNotFound) {
		return sigv4.Credential{}, sigv4.ErrUnknownKey
	}
	return sigv4.Credential{Secret: session.Secret, Token: session.Token, Expires: session.Expires}, err
}
