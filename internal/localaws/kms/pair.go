package kms

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // one of AWS's two algorithms
	"crypto/x509"

	"engage/internal/localaws/wire"
)

// oaep is the largest text that RSAES_OAEP takes: RFC 8017, section 7.1.1.
func oaep(s spec, h crypto.Hash) int { return s.rsa/8 - 2*h.Size() - 2 }

// encryptRSA encrypts with the public half of an RSA key.
func (s *Service) encryptRSA(k key, plaintext []byte, algorithm string) ([]byte, error) {
	if err := k.allows(algorithm); err != nil {
		return nil, err
	}
	h := hashOf(algorithm)
	if limit := oaep(k.spec(), h); len(plaintext) > limit {
		return nil, wire.ValidationException("Algorithm %s and key spec %s cannot encrypt data larger than %d bytes.", algorithm, k.spec().name, limit)
	}
	private, err := s.private(k)
	if err != nil {
		return nil, err
	}
	return rsa.EncryptOAEP(h.New(), rand.Reader, private.Public().(*rsa.PublicKey), plaintext, nil)
}

func (s *Service) decryptRSA(k key, blob []byte, algorithm string) ([]byte, error) {
	if err := k.allows(algorithm); err != nil {
		return nil, err
	}
	private, err := s.private(k)
	if err != nil {
		return nil, err
	}
	plaintext, err := rsa.DecryptOAEP(hashOf(algorithm).New(), nil, private.(*rsa.PrivateKey), blob, nil)
	if err != nil {
		return nil, errInvalidCiphertext()
	}
	return plaintext, nil
}

type pairInput struct {
	KeyID             string            `json:"KeyId" required:"true"`
	KeyPairSpec       string            `required:"true"`
	EncryptionContext map[string]string `json:",omitempty"`
	GrantTokens       []string          `json:",omitempty"`
	DryRun            bool              `json:",omitempty"`
}

func (s *Service) touchPair(action string) wire.Touches[pairInput] {
	return func(call *wire.Call, in *pairInput) []wire.Access {
		all := s.cryptAccess(call, action, in.KeyID, in.EncryptionContext, "")
		all[0].Conditions["kms:DataKeyPairSpec"] = []string{in.KeyPairSpec}
		return all
	}
}

type pairOutput struct {
	KeyID                    string `json:"KeyId"`
	KeyPairSpec              string
	PrivateKeyCiphertextBlob []byte
	PrivateKeyPlaintext      []byte `json:",omitempty"`
	PublicKey                []byte
}

// generatePair makes an asymmetric key that KMS does not keep.
func (s *Service) generatePair(ctx context.Context, call *wire.Call, in *pairInput) (*pairOutput, error) {
	kind, err := specOf(in.KeyPairSpec)
	if err != nil {
		return nil, err
	}
	if kind.rsa == 0 && kind.curve == nil {
		return nil, wire.ValidationException("1 validation error detected: Value '%s' at 'keyPairSpec' failed to satisfy constraint: it is not the spec of a key pair", in.KeyPairSpec)
	}
	k, err := s.current(call.Caller, in.KeyID)
	if err == nil && k.spec().name != symmetric {
		err = wire.Errorf("InvalidKeyUsageException", "%s is not a symmetric encryption key, which a data key pair is encrypted under.", k.arn())
	}
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, errDryRun()
	}
	s.count(ctx, call, k)
	der, err := kind.material(s.cfg.Random)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	out := &pairOutput{KeyID: k.arn(), KeyPairSpec: in.KeyPairSpec, PrivateKeyPlaintext: der}
	if out.PublicKey, err = x509.MarshalPKIXPublicKey(parsed.(crypto.Signer).Public()); err != nil {
		return nil, err
	}
	out.PrivateKeyCiphertextBlob, err = s.encrypt(k, der, in.EncryptionContext)
	return out, err
}

func (s *Service) generatePairBlind(ctx context.Context, call *wire.Call, in *pairInput) (*pairOutput, error) {
	out, err := s.generatePair(ctx, call, in)
	if err != nil {
		return nil, err
	}
	out.PrivateKeyPlaintext = nil
	return out, nil
}
