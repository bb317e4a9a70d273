package kms_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

func (w *world) keyOf(t *testing.T, spec types.KeySpec, usage types.KeyUsageType) *string {
	t.Helper()
	out, err := w.client.CreateKey(t.Context(), &sdk.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
	if err != nil {
		t.Fatal(err)
	}
	return out.KeyMetadata.KeyId
}

func refused(err error, code, message string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code && strings.Contains(api.ErrorMessage(), message)
}

func TestSignaturesVerify(t *testing.T) {
	w := boot(t)
	for _, spec := range []types.KeySpec{types.KeySpecRsa2048, types.KeySpecEccNistP256, types.KeySpecEccNistP384, types.KeySpecEccNistP521} {
		id := w.keyOf(t, spec, types.KeyUsageTypeSignVerify)
		public, err := w.client.GetPublicKey(t.Context(), &sdk.GetPublicKeyInput{KeyId: id})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x509.ParsePKIXPublicKey(public.PublicKey); err != nil {
			t.Errorf("%s: the public key: %v", spec, err)
		}
		for _, algorithm := range public.SigningAlgorithms {
			w.signs(t, id, algorithm)
		}
	}
}

func (w *world) signs(t *testing.T, id *string, algorithm types.SigningAlgorithmSpec) {
	t.Helper()
	ctx, message := t.Context(), []byte("a message")
	signed, err := w.client.Sign(ctx, &sdk.SignInput{KeyId: id, Message: message, SigningAlgorithm: algorithm})
	if err != nil {
		t.Fatalf("%s: %v", algorithm, err)
	}
	out, err := w.client.Verify(ctx, &sdk.VerifyInput{KeyId: id, Message: message, Signature: signed.Signature, SigningAlgorithm: algorithm})
	if err != nil || !out.SignatureValid {
		t.Errorf("%s: %v, %v", algorithm, out, err)
	}
	_, err = w.client.Verify(ctx, &sdk.VerifyInput{KeyId: id, Message: []byte("another"), Signature: signed.Signature, SigningAlgorithm: algorithm})
	if !refused(err, "KMSInvalidSignatureException", "") {
		t.Errorf("%s: the signature of another message: %v", algorithm, err)
	}
	_, err = w.client.Sign(ctx, &sdk.SignInput{KeyId: id, Message: message, MessageType: types.MessageTypeDigest, SigningAlgorithm: algorithm})
	if !refused(err, "ValidationException", "Digest is invalid length for algorithm "+string(algorithm)) {
		t.Errorf("%s: a digest of another length: %v", algorithm, err)
	}
	if strings.HasSuffix(string(algorithm), "SHA_256") {
		sum := sha256.Sum256(message)
		_, err = w.client.Verify(ctx, &sdk.VerifyInput{KeyId: id, Message: sum[:], MessageType: types.MessageTypeDigest, Signature: signed.Signature, SigningAlgorithm: algorithm})
		if err != nil {
			t.Errorf("%s: by the digest: %v", algorithm, err)
		}
	}
}

func TestRSAKeysEncrypt(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	id := w.keyOf(t, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt)
	// What the algorithms take of a 2048-bit key is recorded on AWS.
	for algorithm, limit := range map[types.EncryptionAlgorithmSpec]int{types.EncryptionAlgorithmSpecRsaesOaepSha1: 214, types.EncryptionAlgorithmSpecRsaesOaepSha256: 190} {
		_, err := w.client.Encrypt(ctx, &sdk.EncryptInput{KeyId: id, Plaintext: make([]byte, limit+1), EncryptionAlgorithm: algorithm})
		if !refused(err, "ValidationException", "and key spec RSA_2048 cannot encrypt data larger than") {
			t.Errorf("%s: one byte too many: %v", algorithm, err)
		}
		plain := bytes.Repeat([]byte("x"), limit)
		sealed, err := w.client.Encrypt(ctx, &sdk.EncryptInput{KeyId: id, Plaintext: plain, EncryptionAlgorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.client.Decrypt(ctx, &sdk.DecryptInput{KeyId: id, CiphertextBlob: sealed.CiphertextBlob, EncryptionAlgorithm: algorithm})
		if err != nil || !bytes.Equal(out.Plaintext, plain) {
			t.Errorf("%s: decrypted %v, %v", algorithm, out, err)
		}
	}
	_, err := w.client.Sign(ctx, &sdk.SignInput{KeyId: id, Message: []byte("m"), SigningAlgorithm: types.SigningAlgorithmSpecRsassaPssSha256})
	if !refused(err, "InvalidKeyUsageException", "key usage is ENCRYPT_DECRYPT which is not valid for Sign.") {
		t.Errorf("signed: %v", err)
	}
}

func TestMACsVerify(t *testing.T) {
	w := boot(t)
	ctx, message := t.Context(), []byte("m")
	for spec, algorithm := range map[types.KeySpec]types.MacAlgorithmSpec{types.KeySpecHmac224: types.MacAlgorithmSpecHmacSha224, types.KeySpecHmac256: types.MacAlgorithmSpecHmacSha256,
		types.KeySpecHmac384: types.MacAlgorithmSpecHmacSha384, types.KeySpecHmac512: types.MacAlgorithmSpecHmacSha512} {
		id := w.keyOf(t, spec, types.KeyUsageTypeGenerateVerifyMac)
		made, err := w.client.GenerateMac(ctx, &sdk.GenerateMacInput{KeyId: id, Message: message, MacAlgorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := w.client.VerifyMac(ctx, &sdk.VerifyMacInput{KeyId: id, Message: message, Mac: made.Mac, MacAlgorithm: algorithm}); err != nil || !out.MacValid {
			t.Errorf("%s: %v, %v", spec, out, err)
		}
		_, err = w.client.VerifyMac(ctx, &sdk.VerifyMacInput{KeyId: id, Message: []byte("n"), Mac: made.Mac, MacAlgorithm: algorithm})
		if !refused(err, "KMSInvalidMacException", "") {
			t.Errorf("%s: the MAC of another message: %v", spec, err)
		}
	}
	_, err := w.client.CreateKey(ctx, &sdk.CreateKeyInput{KeySpec: types.KeySpecHmac256})
	if !refused(err, "ValidationException", "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.") {
		t.Errorf("without a usage: %v", err)
	}
	_, err = w.client.GenerateMac(context.Background(), &sdk.GenerateMacInput{KeyId: aws.String("key_id"), Message: message, MacAlgorithm: types.MacAlgorithmSpecHmacSha256})
	if !refused(err, "NotFoundException", "Invalid keyId 'key_id'") {
		t.Errorf("a bad id: %v", err)
	}
}

func TestKeyPairsAreSealed(t *testing.T) {
	w := boot(t)
	id := w.key(t)
	out, err := w.client.GenerateDataKeyPair(t.Context(), &sdk.GenerateDataKeyPairInput{KeyId: &id, KeyPairSpec: types.DataKeyPairSpecEccNistP256})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := w.client.Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: out.PrivateKeyCiphertextBlob})
	if err != nil || !bytes.Equal(opened.Plaintext, out.PrivateKeyPlaintext) {
		t.Errorf("the sealed key opens to another: %v", err)
	}
}

func TestRotationsAreListed(t *testing.T) {
	w := boot(t)
	id := w.key(t)
	for range 3 {
		if _, err := w.client.RotateKeyOnDemand(t.Context(), &sdk.RotateKeyOnDemandInput{KeyId: &id}); err != nil {
			t.Fatal(err)
		}
	}
	var seen int
	pages := sdk.NewListKeyRotationsPaginator(w.client, &sdk.ListKeyRotationsInput{KeyId: &id, Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rotations {
			seen++
			if r.RotationType != types.RotationTypeOnDemand {
				t.Errorf("a rotation of type %s", r.RotationType)
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d rotations, want 3", seen)
	}
}
