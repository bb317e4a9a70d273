package sns

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what signature version 1 is made with
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// signer signs what topics send, so that a receiver which verifies messages
// does so here too.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
type signer struct {
	key  *rsa.PrivateKey
	path string // of the certificate, on this endpoint
	cert []byte
}

// identity is what is kept of a signer.
type identity struct{ Key, Certificate []byte }

var identities = state.NewCollection[identity]("sns/identity")

const certificatePrefix = "/SimpleNotificationService-"

// signs returns the signer, which the first message makes.
func (s *Service) signs() (*signer, error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	if s.signer != nil {
		return s.signer, nil
	}
	var kept identity
	err := s.cfg.Store.View(func(tx state.Tx) (err error) {
		kept, err = identities.Get(tx, "signer")
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		if kept, err = newIdentity(s.cfg.Clock()); err == nil {
			err = s.cfg.Store.Update(func(tx state.Tx) error { return identities.Put(tx, "signer", kept) })
		}
	}
	if err != nil {
		return nil, fmt.Errorf("make the key that signs messages: %w", err)
	}
	key, err := x509.ParsePKCS1PrivateKey(kept.Key)
	if err != nil {
		return nil, fmt.Errorf("read the key that signs messages: %w", err)
	}
	sum := sha256.Sum256(kept.Certificate)
	s.signer = &signer{key, certificatePrefix + hex.EncodeToString(sum[:16]) + ".pem",
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: kept.Certificate})}
	return s.signer, nil
}

func newIdentity(now time.Time) (identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return identity{}, err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "sns.amazonaws.com"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	return identity{x509.MarshalPKCS1PrivateKey(key), der}, err
}

// sign returns the signature of the members that a receiver verifies, in their order.
func (g *signer) sign(version string, members ...string) (string, error) {
	text := ""
	for i := 0; i < len(members); i += 2 {
		if members[i+1] != "" {
			text += members[i] + "\n" + members[i+1] + "\n"
		}
	}
	hash, sum := crypto.SHA1, sha1.Sum([]byte(text)) //nolint:gosec // version 1
	digest := sum[:]
	if version == "2" {
		strong := sha256.Sum256([]byte(text))
		hash, digest = crypto.SHA256, strong[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, g.key, hash, digest)
	return base64.StdEncoding.EncodeToString(signature), err
}

// certificates serves the certificate that SigningCertURL names.
func (s *Service) certificates() wire.Foreign {
	return wire.Foreign{Name: "certificate",
		Matches: func(r *http.Request) bool {
			return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, certificatePrefix) && strings.HasSuffix(r.URL.Path, ".pem")
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			g, err := s.signs()
			if err != nil || r.URL.Path != g.path {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/x-pem-file")
			w.Write(g.cert) //nolint:errcheck // the caller has gone
		})}
}
