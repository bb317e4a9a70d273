package kms

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"engage/internal/localaws/wire"
)

// maxPlaintext is what Encrypt takes.
const maxPlaintext = 4096

// cryptAccess is an access with the condition keys of the encryption context.
func (s *Service) cryptAccess(call *wire.Call, action, keyID string, encryptionContext map[string]string, via string) []wire.Access {
	a := s.access(call, action, keyID)
	for name, value := range encryptionContext {
		a.Conditions["kms:EncryptionContext:"+name] = []string{value}
	}
	if len(encryptionContext) > 0 {
		a.Conditions["kms:EncryptionContextKeys"] = slices.Sorted(maps.Keys(encryptionContext))
	}
	if via != "" {
		a.Conditions["kms:ViaService"] = []string{via + "." + call.Caller.Region + ".amazonaws.com"}
	}
	return []wire.Access{a}
}

// blobKey is the key that a decryption uses: the blob's own, which must be
// the one that the caller names, if any.
func blobKey(blob []byte, named string) string {
	if h, _, ok := splitBlob(blob); ok && named == "" {
		return formatID(h.id)
	}
	return named
}

// EncryptInput is the input of Encrypt.
type EncryptInput struct {
	KeyID               string            `json:"KeyId" required:"true"`
	Plaintext           []byte            `required:"true"`
	EncryptionContext   map[string]string `json:",omitempty"`
	EncryptionAlgorithm string            `json:",omitempty"`
	GrantTokens         []string          `json:",omitempty"`
	DryRun              bool              `json:",omitempty"`

	via string // the service that calls for its caller
}

// EncryptOutput is the output of Encrypt.
type EncryptOutput struct {
	CiphertextBlob      []byte
	KeyID               string `json:"KeyId"`
	EncryptionAlgorithm string
}

// or is the algorithm that is meant when none is named.
func or(algorithm string) string {
	if algorithm == "" {
		return symmetric
	}
	return algorithm
}

// encryptUnder encrypts with an algorithm that the key allows.
func (s *Service) encryptUnder(k key, plaintext []byte, encryptionContext map[string]string, algorithm string) ([]byte, error) {
	if algorithm == symmetric {
		return s.encrypt(k, plaintext, encryptionContext)
	}
	if len(encryptionContext) > 0 {
		return nil, wire.ValidationException("An encryption context is only for symmetric encryption keys.")
	}
	return s.encryptRSA(k, plaintext, algorithm)
}

func (s *Service) encryptOp(ctx context.Context, call *wire.Call, in *EncryptInput) (*EncryptOutput, error) {
	if len(in.Plaintext) > maxPlaintext {
		return nil, wire.ValidationException("1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to %d", maxPlaintext)
	}
	k, err := s.current(call.Caller, in.KeyID)
	if err == nil {
		err = firstError(k.forUse(usageEncrypt, "Encrypt"), k.allows(or(in.EncryptionAlgorithm)))
	}
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, errDryRun()
	}
	s.count(ctx, call, k)
	blob, err := s.encryptUnder(k, in.Plaintext, in.EncryptionContext, or(in.EncryptionAlgorithm))
	return &EncryptOutput{blob, k.arn(), or(in.EncryptionAlgorithm)}, err
}

// DecryptInput is the input of Decrypt.
type DecryptInput struct {
	KeyID               string            `json:"KeyId,omitempty"`
	CiphertextBlob      []byte            `required:"true"`
	EncryptionContext   map[string]string `json:",omitempty"`
	EncryptionAlgorithm string            `json:",omitempty"`
	GrantTokens         []string          `json:",omitempty"`
	DryRun              bool              `json:",omitempty"`

	via string
}

// DecryptOutput is the output of Decrypt.
type DecryptOutput struct {
	Plaintext           []byte
	KeyID               string `json:"KeyId"`
	EncryptionAlgorithm string
}

func (s *Service) decryptOp(ctx context.Context, call *wire.Call, in *DecryptInput) (*DecryptOutput, error) {
	k, plaintext, err := s.openBlob(ctx, call, in.CiphertextBlob, in.KeyID, in.EncryptionContext, or(in.EncryptionAlgorithm), "Decrypt")
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, errDryRun()
	}
	return &DecryptOutput{plaintext, k.arn(), or(in.EncryptionAlgorithm)}, nil
}

// openBlob decrypts with the blob's key, which must be the named one, if any.
func (s *Service) openBlob(ctx context.Context, call *wire.Call, blob []byte, named string, encryptionContext map[string]string, algorithm, operation string) (key, []byte, error) {
	if algorithm != symmetric {
		return s.openRSA(ctx, call, blob, named, algorithm, operation)
	}
	h, _, ok := splitBlob(blob)
	if !ok {
		return key{}, nil, errInvalidCiphertext()
	}
	id := formatID(h.id)
	if named == "" {
		named = id
	}
	k, err := s.find(call, named)
	if err != nil {
		return k, nil, err
	}
	if k.ID != id {
		return k, nil, errIncorrectKey()
	}
	if err := firstError(k.usable(), k.forUse(usageEncrypt, operation)); err != nil {
		return k, nil, err
	}
	s.count(ctx, call, k)
	plaintext, err := s.decrypt(k, blob, encryptionContext)
	return k, plaintext, err
}

// openRSA decrypts what does not tell its key.
func (s *Service) openRSA(ctx context.Context, call *wire.Call, blob []byte, named, algorithm, operation string) (key, []byte, error) {
	if named == "" {
		return key{}, nil, wire.ValidationException("KeyId is required for the algorithm %s: the ciphertext does not tell its key.", algorithm)
	}
	k, err := s.usableFor(call, named, usageEncrypt, operation)
	if err != nil {
		return k, nil, err
	}
	s.count(ctx, call, k)
	plaintext, err := s.decryptRSA(k, blob, algorithm)
	return k, plaintext, err
}

type reEncryptInput struct {
	CiphertextBlob                 []byte `required:"true"`
	SourceKeyID                    string `json:"SourceKeyId"`
	SourceEncryptionContext        map[string]string
	SourceEncryptionAlgorithm      string
	DestinationKeyID               string `json:"DestinationKeyId" required:"true"`
	DestinationEncryptionContext   map[string]string
	DestinationEncryptionAlgorithm string
	GrantTokens                    []string
	DryRun                         bool
}

func (s *Service) touchReEncrypt(call *wire.Call, in *reEncryptInput) []wire.Access {
	from := s.cryptAccess(call, "ReEncryptFrom", blobKey(in.CiphertextBlob, in.SourceKeyID), in.SourceEncryptionContext, "")
	return append(from, s.cryptAccess(call, "ReEncryptTo", in.DestinationKeyID, in.DestinationEncryptionContext, "")...)
}

type reEncryptOutput struct {
	CiphertextBlob                 []byte
	SourceKeyID                    string `json:"SourceKeyId"`
	KeyID                          string `json:"KeyId"`
	SourceEncryptionAlgorithm      string
	DestinationEncryptionAlgorithm string
}

func (s *Service) reEncrypt(ctx context.Context, call *wire.Call, in *reEncryptInput) (*reEncryptOutput, error) {
	source, destination := or(in.SourceEncryptionAlgorithm), or(in.DestinationEncryptionAlgorithm)
	from, plaintext, err := s.openBlob(ctx, call, in.CiphertextBlob, in.SourceKeyID, in.SourceEncryptionContext, source, "ReEncrypt")
	if err != nil {
		return nil, err
	}
	to, err := s.current(call.Caller, in.DestinationKeyID)
	if err == nil {
		err = firstError(to.forUse(usageEncrypt, "ReEncrypt"), to.allows(destination))
	}
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, errDryRun()
	}
	s.count(ctx, call, to)
	blob, err := s.encryptUnder(to, plaintext, in.DestinationEncryptionContext, destination)
	return &reEncryptOutput{blob, from.arn(), to.arn(), source, destination}, err
}

// DataKeyInput is the input of GenerateDataKey and GenerateDataKeyWithoutPlaintext.
type DataKeyInput struct {
	KeyID             string            `json:"KeyId" required:"true"`
	KeySpec           string            `json:",omitempty" enum:"AES_256,AES_128"`
	NumberOfBytes     *int              `json:",omitempty" min:"1" max:"1024"`
	EncryptionContext map[string]string `json:",omitempty"`
	GrantTokens       []string          `json:",omitempty"`
	DryRun            bool              `json:",omitempty"`

	via string
}

func (s *Service) touchDataKey(action string) wire.Touches[DataKeyInput] {
	return func(call *wire.Call, in *DataKeyInput) []wire.Access {
		return s.cryptAccess(call, action, in.KeyID, in.EncryptionContext, in.via)
	}
}

func (in *DataKeyInput) size() (int, error) {
	switch {
	case (in.KeySpec == "") == (in.NumberOfBytes == nil):
		return 0, wire.ValidationException("Please specify either number of bytes or key spec.")
	case in.NumberOfBytes != nil:
		return *in.NumberOfBytes, nil
	case in.KeySpec == "AES_128":
		return 16, nil
	}
	return 32, nil
}

// DataKeyOutput is the output of GenerateDataKey.
type DataKeyOutput struct {
	CiphertextBlob []byte
	Plaintext      []byte `json:",omitempty"`
	KeyID          string `json:"KeyId"`
}

func (s *Service) generateDataKey(ctx context.Context, call *wire.Call, in *DataKeyInput) (*DataKeyOutput, error) {
	size, err := in.size()
	if err != nil {
		return nil, err
	}
	k, err := s.current(call.Caller, in.KeyID)
	if err == nil && k.spec().name != symmetric {
		err = wire.Errorf("InvalidKeyUsageException", "%s key usage is %s which is not valid for GenerateDataKey.", k.arn(), k.usage())
	}
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, errDryRun()
	}
	s.count(ctx, call, k)
	plaintext := make([]byte, size)
	if _, err := io.ReadFull(s.cfg.Random, plaintext); err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	blob, err := s.encrypt(k, plaintext, in.EncryptionContext)
	return &DataKeyOutput{blob, plaintext, k.arn()}, err
}

func (s *Service) generateWithoutPlaintext(ctx context.Context, call *wire.Call, in *DataKeyInput) (*DataKeyOutput, error) {
	out, err := s.generateDataKey(ctx, call, in)
	if err != nil {
		return nil, err
	}
	out.Plaintext = nil
	return out, nil
}

type randomInput struct {
	NumberOfBytes    *int   `min:"1" max:"1024"`
	CustomKeyStoreID string `json:"CustomKeyStoreId"`
}

type randomOutput struct{ Plaintext []byte }

func (s *Service) generateRandom(_ context.Context, _ *wire.Call, in *randomInput) (*randomOutput, error) {
	if in.NumberOfBytes == nil {
		return nil, wire.ValidationException("NumberOfBytes is required.")
	}
	if in.CustomKeyStoreID != "" {
		return nil, wire.NotImplemented("CustomKeyStoreId")
	}
	out := &randomOutput{make([]byte, *in.NumberOfBytes)}
	_, err := io.ReadFull(s.cfg.Random, out.Plaintext)
	return out, err
}
