package cloudtrail

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sync"

	"engage/internal/localaws/state"
)

// signer has the key that signs digests. The key is made when it is first
// needed and not at the start, since that takes some 100 ms.
type signer struct {
	path string
	mu   sync.Mutex
	key  *rsa.PrivateKey
}

const keyBits = 2048

// get returns the key, and makes it when there is none. Nothing is signed with
// a key that is not on disk: the chain would break with a crash.
func (s *signer) get() (*rsa.PrivateKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	err := s.read()
	if errors.Is(err, os.ErrNotExist) {
		err = s.make()
	}
	return s.key, err
}

// load reads the key when there is one. Errors: os.ErrNotExist.
func (s *signer) load() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read()
}

func (s *signer) make() error {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("make signing key: %w", err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	if err := state.WriteFile(s.path, pem.EncodeToMemory(block), 0o600); err != nil {
		return fmt.Errorf("keep signing key: %w", err)
	}
	s.key = key
	return nil
}

func (s *signer) read() error {
	raw, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("read signing key: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return fmt.Errorf("the signing key %s is no PEM file: restore it, or remove it to begin a new chain", s.path)
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("the signing key %s is damaged: restore it, or remove it to begin a new chain: %w", s.path, err)
	}
	s.key = key
	return nil
}

// PublicKey returns the key that verifies the digests.
func (s *Service) PublicKey() (*rsa.PublicKey, error) {
	key, err := s.signer.get()
	if err != nil {
		return nil, err
	}
	return &key.PublicKey, nil
}
