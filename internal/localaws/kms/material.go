package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"engage/internal/localaws/state"
)

const (
	keySize    = 32 // AES-256
	nonceSize  = 12
	headerSize = 1 + 16 + 4
	blobFormat = 1
)

// loadMaster reads the master key, or makes one when there is none.
func loadMaster(path string, random io.Reader) (cipher.AEAD, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key = make([]byte, keySize)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("make master key: %w", err)
		}
		err = state.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("read master key: %w", err)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("master key %s has %d bytes, not %d: restore the file, or reset the state it belongs to", path, len(key), keySize)
	}
	return newAEAD(key)
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal returns nonce and ciphertext.
func seal(aead cipher.AEAD, random io.Reader, plaintext, aad []byte) ([]byte, error) {
	nonce := make([]byte, nonceSize, nonceSize+len(plaintext)+aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("make nonce: %w", err)
	}
	return aead.Seal(nonce, nonce, plaintext, aad), nil
}

var errShort = errors.New("the ciphertext is too short")

func open(aead cipher.AEAD, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < nonceSize+aead.Overhead() {
		return nil, errShort
	}
	return aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], aad)
}

// header is the beginning of a blob.
type header struct {
	id       [16]byte
	material uint32
}

func (h header) bytes() []byte {
	b := append([]byte{blobFormat}, h.id[:]...)
	return binary.BigEndian.AppendUint32(b, h.material)
}

// splitBlob returns a blob's header and what follows it.
func splitBlob(blob []byte) (header, []byte, bool) {
	if len(blob) < headerSize+nonceSize || blob[0] != blobFormat {
		return header{}, nil, false
	}
	var h header
	copy(h.id[:], blob[1:17])
	h.material = binary.BigEndian.Uint32(blob[17:headerSize])
	return h, blob[headerSize:], true
}

// aad is what a ciphertext is bound to: its header and its encryption context.
func aad(h header, context map[string]string) []byte {
	b := h.bytes()
	for _, name := range slices.Sorted(maps.Keys(context)) {
		for _, text := range []string{name, context[name]} {
			b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
			b = append(b, text...)
		}
	}
	return b
}

// addMaterial makes new key material and wraps it.
func (s *Service) addMaterial(k *key) error {
	material, err := k.spec().material(s.cfg.Random)
	if err != nil {
		return fmt.Errorf("make key material: %w", err)
	}
	number := uint32(len(k.Materials))
	wrapped, err := seal(s.master, s.cfg.Random, material, header{k.uuid(), number}.bytes())
	if err != nil {
		return err
	}
	k.Materials = append(k.Materials, wrapped)
	k.RotatedAt = s.cfg.Clock()
	return nil
}

func (s *Service) cipherOf(k key, number uint32) (cipher.AEAD, error) {
	material, err := s.secret(k, number)
	if err != nil {
		return nil, err
	}
	return newAEAD(material)
}

// secret unwraps one of the key's materials.
func (s *Service) secret(k key, number uint32) ([]byte, error) {
	if int(number) >= len(k.Materials) {
		return nil, errInvalidCiphertext()
	}
	material, err := open(s.master, k.Materials[number], header{k.uuid(), number}.bytes())
	if err != nil {
		return nil, fmt.Errorf("unwrap material %d of key %s, which another master key wrapped: %w", number, k.ID, err)
	}
	return material, nil
}

// encrypt returns a ciphertext blob under the key's newest material.
func (s *Service) encrypt(k key, plaintext []byte, context map[string]string) ([]byte, error) {
	h := header{k.uuid(), uint32(len(k.Materials) - 1)}
	aead, err := s.cipherOf(k, h.material)
	if err != nil {
		return nil, err
	}
	sealed, err := seal(aead, s.cfg.Random, plaintext, aad(h, context))
	if err != nil {
		return nil, err
	}
	return append(h.bytes(), sealed...), nil
}

// decrypt opens a blob. A blob that was changed, or another context, cannot be
// told apart from a blob of another key.
func (s *Service) decrypt(k key, blob []byte, context map[string]string) ([]byte, error) {
	h, sealed, ok := splitBlob(blob)
	if !ok {
		return nil, errInvalidCiphertext()
	}
	aead, err := s.cipherOf(k, h.material)
	if err != nil {
		return nil, err
	}
	plaintext, err := open(aead, sealed, aad(h, context))
	if err != nil {
		return nil, errInvalidCiphertext()
	}
	return plaintext, nil
}
