// Package kms keeps symmetric keys and encrypts with them.
//
// # Ciphertext
//
// A ciphertext blob is
//
//	1 byte    format, 0x01
//	16 bytes  the key's id, a UUID
//	4 bytes   number of the key material, big endian: rotation adds one
//	12 bytes  nonce
//	n+16      AES-256-GCM ciphertext and tag
//
// The additional authenticated data is the blob's first 21 bytes followed by
// the encryption context: for each pair, sorted by name, the length of the name
// and of the value as 4 bytes, big endian, and both texts.
//
// # Keys at rest
//
// Key material is kept wrapped: nonce and AES-256-GCM ciphertext under the
// master key, a file of 32 random bytes that only its owner may read, with the
// key's id and the material's number as additional authenticated data. Without
// that file no ciphertext can be read again.
//
// API: https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
package kms
