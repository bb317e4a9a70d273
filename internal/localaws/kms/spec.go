package kms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"strings"

	"engage/internal/localaws/wire"
)

// What keys are for.
const (
	usageEncrypt = "ENCRYPT_DECRYPT"
	usageSign    = "SIGN_VERIFY"
	usageMAC     = "GENERATE_VERIFY_MAC"
)

// spec is a kind of key.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
type spec struct {
	name   string
	usages []string // the first is the usual one
	rsa    int      // bits
	curve  elliptic.Curve
	mac    crypto.Hash
	bytes  int // of an HMAC key
}

var specs = []spec{
	{name: symmetric, usages: []string{usageEncrypt}},
	{name: "RSA_2048", usages: []string{usageEncrypt, usageSign}, rsa: 2048},
	{name: "RSA_3072", usages: []string{usageEncrypt, usageSign}, rsa: 3072},
	{name: "RSA_4096", usages: []string{usageEncrypt, usageSign}, rsa: 4096},
	{name: "ECC_NIST_P256", usages: []string{usageSign}, curve: elliptic.P256()},
	{name: "ECC_NIST_P384", usages: []string{usageSign}, curve: elliptic.P384()},
	{name: "ECC_NIST_P521", usages: []string{usageSign}, curve: elliptic.P521()},
	{name: "HMAC_224", usages: []string{usageMAC}, mac: crypto.SHA224, bytes: 28},
	{name: "HMAC_256", usages: []string{usageMAC}, mac: crypto.SHA256, bytes: 32},
	{name: "HMAC_384", usages: []string{usageMAC}, mac: crypto.SHA384, bytes: 48},
	{name: "HMAC_512", usages: []string{usageMAC}, mac: crypto.SHA512, bytes: 64},
}

// absent are the specs of AWS that Go's own cryptography does not have.
var absent = []string{"ECC_SECG_P256K1", "SM2", "ECC_NIST_EDWARDS25519", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"}

func specOf(name string) (spec, error) {
	if i := slices.IndexFunc(specs, func(s spec) bool { return s.name == name }); i >= 0 {
		return specs[i], nil
	}
	if slices.Contains(absent, name) {
		return spec{}, wire.NotImplemented("the KeySpec %s", name)
	}
	return spec{}, wire.ValidationException("1 validation error detected: Value '%s' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [%s]", name, specNames())
}

func specNames() string {
	var names []string
	for _, s := range specs {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// spec is the kind of a key; those of older states have no name for it.
func (k key) spec() spec {
	i := slices.IndexFunc(specs, func(s spec) bool { return s.name == k.Spec })
	return specs[max(i, 0)]
}

func (k key) usage() string {
	if k.Usage == "" {
		return usageEncrypt
	}
	return k.Usage
}

// algorithms are those that a key of a spec and a usage has.
func (s spec) algorithms(usage string) []string {
	switch {
	case s.mac != 0:
		return []string{"HMAC_SHA_" + s.name[len("HMAC_"):]}
	case s.name == symmetric:
		return []string{symmetric}
	case usage == usageEncrypt:
		return []string{"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"}
	case s.rsa > 0:
		return []string{"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
			"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"}
	}
	return []string{map[string]string{"ECC_NIST_P256": "ECDSA_SHA_256", "ECC_NIST_P384": "ECDSA_SHA_384", "ECC_NIST_P521": "ECDSA_SHA_512"}[s.name]}
}

// hashes are what the names of algorithms end with.
var hashes = map[string]crypto.Hash{"SHA_1": crypto.SHA1, "SHA_224": crypto.SHA224, "SHA_256": crypto.SHA256, "SHA_384": crypto.SHA384, "SHA_512": crypto.SHA512}

func hashOf(algorithm string) crypto.Hash {
	return hashes[algorithm[strings.LastIndex(algorithm, "SHA_"):]]
}

// material makes the secret of a key of a spec.
func (s spec) material(random io.Reader) ([]byte, error) {
	switch {
	case s.rsa > 0:
		k, err := rsa.GenerateKey(rand.Reader, s.rsa)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS8PrivateKey(k)
	case s.curve != nil:
		k, err := ecdsa.GenerateKey(s.curve, rand.Reader)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS8PrivateKey(k)
	}
	size := keySize
	if s.bytes > 0 {
		size = s.bytes
	}
	b := make([]byte, size)
	_, err := io.ReadFull(random, b)
	return b, err
}

// private returns the private key of an asymmetric key.
func (s *Service) private(k key) (crypto.Signer, error) {
	der, err := s.secret(k, 0)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read the private key of %s: %w", k.ID, err)
	}
	return parsed.(crypto.Signer), nil
}

// forUse refuses a key that has another use than an operation has.
func (k key) forUse(usage, operation string) error {
	if k.usage() != usage {
		return wire.Errorf("InvalidKeyUsageException", "%s key usage is %s which is not valid for %s.", k.arn(), k.usage(), operation)
	}
	return nil
}

// allows refuses an algorithm that the key's spec does not have.
func (k key) allows(algorithm string) error {
	if !slices.Contains(k.spec().algorithms(k.usage()), algorithm) {
		return wire.Errorf("InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.", algorithm, k.spec().name)
	}
	return nil
}
