package kms

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"

	"engage/internal/localaws/wire"
)

type signInput struct {
	KeyID            string `json:"KeyId" required:"true"`
	Message          []byte `required:"true"`
	MessageType      string `enum:"RAW,DIGEST,EXTERNAL_MU"`
	SigningAlgorithm string `required:"true"`
	GrantTokens      []string
	DryRun           bool
}

// signAccess has the condition keys of signatures.
func (s *Service) signAccess(call *wire.Call, action, keyID, algorithm, messageType string) []wire.Access {
	a := s.access(call, action, keyID)
	a.Conditions["kms:SigningAlgorithm"] = []string{algorithm}
	if messageType != "" {
		a.Conditions["kms:MessageType"] = []string{messageType}
	}
	return []wire.Access{a}
}

type signOutput struct {
	KeyID            string `json:"KeyId"`
	Signature        []byte
	SigningAlgorithm string
}

// usableFor finds a key that an operation can use.
func (s *Service) usableFor(call *wire.Call, id, usage, operation string) (key, error) {
	k, err := s.find(call, id)
	if err != nil {
		return k, err
	}
	return k, firstError(k.usable(), k.forUse(usage, operation))
}

// digest is what is signed: the message's, or the message where that is one.
func digest(k key, message []byte, messageType, algorithm string) ([]byte, error) {
	if err := k.allows(algorithm); err != nil {
		return nil, err
	}
	h := hashOf(algorithm)
	switch {
	case messageType == "EXTERNAL_MU":
		return nil, wire.NotImplemented("the MessageType EXTERNAL_MU")
	case messageType == "DIGEST" && len(message) != h.Size():
		return nil, wire.ValidationException("Digest is invalid length for algorithm %s.", algorithm)
	case messageType == "DIGEST":
		return message, nil
	case len(message) > maxPlaintext:
		return nil, wire.ValidationException("1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to %d", maxPlaintext)
	}
	sum := h.New()
	sum.Write(message) //nolint:errcheck // a hash does not fail
	return sum.Sum(nil), nil
}

func (s *Service) sign(ctx context.Context, call *wire.Call, in *signInput) (*signOutput, error) {
	k, err := s.usableFor(call, in.KeyID, usageSign, "Sign")
	if err != nil {
		return nil, err
	}
	sum, err := digest(k, in.Message, in.MessageType, in.SigningAlgorithm)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, errDryRun()
	}
	private, err := s.private(k)
	if err != nil {
		return nil, err
	}
	s.count(ctx, call, k)
	signature, err := private.Sign(rand.Reader, sum, signerOptions(in.SigningAlgorithm))
	return &signOutput{k.arn(), signature, in.SigningAlgorithm}, err
}

// signerOptions are those of an algorithm: PSS has a salt as long as its hash.
func signerOptions(algorithm string) crypto.SignerOpts {
	if strings.HasPrefix(algorithm, "RSASSA_PSS") {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hashOf(algorithm)}
	}
	return hashOf(algorithm)
}

type verifyInput struct {
	KeyID            string `json:"KeyId" required:"true"`
	Message          []byte `required:"true"`
	MessageType      string `enum:"RAW,DIGEST,EXTERNAL_MU"`
	Signature        []byte `required:"true"`
	SigningAlgorithm string `required:"true"`
	GrantTokens      []string
	DryRun           bool
}

type verifyOutput struct {
	KeyID            string `json:"KeyId"`
	SignatureValid   bool
	SigningAlgorithm string
}

func (s *Service) verify(ctx context.Context, call *wire.Call, in *verifyInput) (*verifyOutput, error) {
	k, err := s.usableFor(call, in.KeyID, usageSign, "Verify")
	if err != nil {
		return nil, err
	}
	sum, err := digest(k, in.Message, in.MessageType, in.SigningAlgorithm)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, errDryRun()
	}
	private, err := s.private(k)
	if err != nil {
		return nil, err
	}
	s.count(ctx, call, k)
	if !fits(private.Public(), sum, in.Signature, in.SigningAlgorithm) {
		return nil, wire.Errorf("KMSInvalidSignatureException", "")
	}
	return &verifyOutput{k.arn(), true, in.SigningAlgorithm}, nil
}

func fits(public crypto.PublicKey, sum, signature []byte, algorithm string) bool {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(p, sum, signature)
	case *rsa.PublicKey:
		if options, ok := signerOptions(algorithm).(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(p, hashOf(algorithm), sum, signature, options) == nil
		}
		return rsa.VerifyPKCS1v15(p, hashOf(algorithm), sum, signature) == nil
	}
	return false
}

type publicInput struct {
	KeyID       string `json:"KeyId" required:"true"`
	GrantTokens []string
}

type publicOutput struct {
	KeyID                 string `json:"KeyId"`
	PublicKey             []byte
	CustomerMasterKeySpec string
	KeySpec               string
	KeyUsage              string
	EncryptionAlgorithms  []string `json:",omitempty"`
	SigningAlgorithms     []string `json:",omitempty"`
}

func (s *Service) publicKey(ctx context.Context, call *wire.Call, in *publicInput) (*publicOutput, error) {
	k, err := s.find(call, in.KeyID)
	if err != nil {
		return nil, err
	}
	if k.spec().rsa == 0 && k.spec().curve == nil {
		return nil, wire.Errorf("UnsupportedOperationException", "%s is not an asymmetric key: it has no public key.", k.arn())
	}
	if err := k.usable(); err != nil {
		return nil, err
	}
	private, err := s.private(k)
	if err != nil {
		return nil, err
	}
	s.count(ctx, call, k)
	m := k.metadata()
	out := &publicOutput{KeyID: k.arn(), CustomerMasterKeySpec: m.KeySpec, KeySpec: m.KeySpec, KeyUsage: m.KeyUsage,
		EncryptionAlgorithms: m.EncryptionAlgorithms, SigningAlgorithms: m.SigningAlgorithms}
	out.PublicKey, err = x509.MarshalPKIXPublicKey(private.Public())
	return out, err
}

type macInput struct {
	KeyID        string `json:"KeyId" required:"true"`
	Message      []byte `required:"true" max:"4096"`
	MacAlgorithm string `required:"true" enum:"HMAC_SHA_384,HMAC_SHA_256,HMAC_SHA_224,HMAC_SHA_512"`
	GrantTokens  []string
	DryRun       bool
}

type macOutput struct {
	KeyID        string `json:"KeyId"`
	Mac          []byte
	MacAlgorithm string
}

func (s *Service) mac(ctx context.Context, call *wire.Call, k key, message []byte, algorithm string, dryRun bool) ([]byte, error) {
	if err := k.allows(algorithm); err != nil {
		return nil, err
	}
	if len(message) > maxPlaintext {
		return nil, wire.ValidationException("1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to %d", maxPlaintext)
	}
	if dryRun {
		return nil, errDryRun()
	}
	secret, err := s.secret(k, 0)
	if err != nil {
		return nil, err
	}
	s.count(ctx, call, k)
	h := hmac.New(hashOf(algorithm).New, secret)
	if _, err := h.Write(message); err != nil {
		return nil, fmt.Errorf("compute the MAC: %w", err)
	}
	return h.Sum(nil), nil
}

func (s *Service) generateMAC(ctx context.Context, call *wire.Call, in *macInput) (*macOutput, error) {
	k, err := s.usableFor(call, in.KeyID, usageMAC, "GenerateMac")
	if err != nil {
		return nil, err
	}
	sum, err := s.mac(ctx, call, k, in.Message, in.MacAlgorithm, in.DryRun)
	return &macOutput{k.arn(), sum, in.MacAlgorithm}, err
}

type verifyMACInput struct {
	KeyID        string `json:"KeyId" required:"true"`
	Message      []byte `required:"true"`
	Mac          []byte `required:"true"`
	MacAlgorithm string `required:"true" enum:"HMAC_SHA_384,HMAC_SHA_256,HMAC_SHA_224,HMAC_SHA_512"`
	GrantTokens  []string
	DryRun       bool
}

type verifyMACOutput struct {
	KeyID        string `json:"KeyId"`
	MacAlgorithm string
	MacValid     bool
}

func (s *Service) verifyMAC(ctx context.Context, call *wire.Call, in *verifyMACInput) (*verifyMACOutput, error) {
	k, err := s.usableFor(call, in.KeyID, usageMAC, "VerifyMac")
	if err != nil {
		return nil, err
	}
	sum, err := s.mac(ctx, call, k, in.Message, in.MacAlgorithm, in.DryRun)
	if err == nil && !hmac.Equal(sum, in.Mac) {
		err = wire.Errorf("KMSInvalidMacException", "")
	}
	return &verifyMACOutput{k.arn(), in.MacAlgorithm, true}, err
}
