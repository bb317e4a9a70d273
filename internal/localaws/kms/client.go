package kms

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"engage/internal/localaws/wire"
)

// Client is how another service encrypts what it keeps for a caller: with the
// caller's permissions on the key, and the condition key kms:ViaService set.
type Client struct {
	Invoker wire.Invoker
	Via     string // the service: "ssm"
}

// Encrypt encrypts up to 4096 bytes under a key. It returns the blob and the key's ARN.
//
// Errors: AccessDenied, and what Encrypt returns.
func (c Client) Encrypt(ctx context.Context, caller wire.Caller, keyID string, plaintext []byte, encryptionContext map[string]string) ([]byte, string, error) {
	out, err := c.Invoker.Invoke(ctx, caller, "kms", "Encrypt",
		&EncryptInput{KeyID: keyID, Plaintext: plaintext, EncryptionContext: encryptionContext, via: c.Via})
	if err != nil {
		return nil, "", err
	}
	o := out.(*EncryptOutput)
	return o.CiphertextBlob, o.KeyID, nil
}

// Decrypt opens what Encrypt returned.
func (c Client) Decrypt(ctx context.Context, caller wire.Caller, blob []byte, encryptionContext map[string]string) ([]byte, error) {
	out, err := c.Invoker.Invoke(ctx, caller, "kms", "Decrypt",
		&DecryptInput{CiphertextBlob: blob, EncryptionContext: encryptionContext, via: c.Via})
	if err != nil {
		return nil, err
	}
	return out.(*DecryptOutput).Plaintext, nil
}

// Seal encrypts any number of bytes under a data key, which it keeps,
// encrypted, in front: its length as 4 bytes, the data key's blob, nonce and
// ciphertext. It returns that and the key's ARN.
func (c Client) Seal(ctx context.Context, caller wire.Caller, keyID string, plaintext []byte, encryptionContext map[string]string) ([]byte, string, error) {
	out, err := c.Invoker.Invoke(ctx, caller, "kms", "GenerateDataKey",
		&DataKeyInput{KeyID: keyID, KeySpec: "AES_256", EncryptionContext: encryptionContext, via: c.Via})
	if err != nil {
		return nil, "", err
	}
	dataKey := out.(*DataKeyOutput)
	aead, err := newAEAD(dataKey.Plaintext)
	if err != nil {
		return nil, "", err
	}
	sealed, err := seal(aead, rand.Reader, plaintext, nil)
	envelope := binary.BigEndian.AppendUint32(nil, uint32(len(dataKey.CiphertextBlob)))
	envelope = append(append(envelope, dataKey.CiphertextBlob...), sealed...)
	return envelope, dataKey.KeyID, err
}

// Open opens what Seal returned.
func (c Client) Open(ctx context.Context, caller wire.Caller, envelope []byte, encryptionContext map[string]string) ([]byte, error) {
	if len(envelope) < 4 || len(envelope)-4 < int(binary.BigEndian.Uint32(envelope)) {
		return nil, fmt.Errorf("kms: %w", errShort)
	}
	end := 4 + int(binary.BigEndian.Uint32(envelope))
	dataKey, err := c.Decrypt(ctx, caller, envelope[4:end], encryptionContext)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(dataKey)
	if err != nil {
		return nil, err
	}
	return open(aead, envelope[end:], nil)
}
