package s3

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"

	"engage/internal/localaws/wire"
)

// CustomerKey is what is kept of a key that the caller brings: enough to know
// it again. Like all objects here, the ones that ask for it are not encrypted
// on this machine's disk, but nobody gets them without the key.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
type CustomerKey struct {
	MD5  string `json:"m,omitempty"` // base64, as the caller gives and gets it
	Hash string `json:"h,omitempty"` // SHA-256
}

const (
	customerHeaders       = "X-Amz-Server-Side-Encryption-Customer-"
	sourceCustomerHeaders = "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"
)

// customerKey reads the key of a request, the zero one when it brings none.
func customerKey(h http.Header, prefix string) (k CustomerKey, err error) {
	algorithm, key, sum := h.Get(prefix+"Algorithm"), h.Get(prefix+"Key"), h.Get(prefix+"Key-Md5")
	if algorithm == "" && key == "" && sum == "" {
		return k, nil
	}
	bad := func(why string) (CustomerKey, error) {
		return k, wire.Errorf("InvalidArgument", "%s", why).With("ArgumentName", "x-amz-server-side-encryption").With("ArgumentValue", "null")
	}
	switch {
	case algorithm == "":
		return bad("Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.")
	case key == "":
		return bad("Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.")
	case sum == "":
		return bad("Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.")
	case algorithm != "AES256":
		return k, wire.Errorf("InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.").With("ArgumentName", "x-amz-server-side-encryption").With("ArgumentValue", algorithm)
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 32 {
		return bad("The secret key was invalid for the specified algorithm.")
	}
	digest := md5.Sum(raw)
	if base64.StdEncoding.EncodeToString(digest[:]) != sum {
		return bad("The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	hash := sha256.Sum256(raw)
	return CustomerKey{sum, hex.EncodeToString(hash[:])}, nil
}

// opens refuses a read that does not bring the object's key.
func (k CustomerKey) opens(h http.Header, prefix string) error {
	given, err := customerKey(h, prefix)
	switch {
	case err != nil:
		return err
	case k.Hash == "" && given.Hash != "":
		return wire.Errorf("InvalidRequest", "The encryption parameters are not applicable to this object.")
	case k.Hash != "" && given.Hash == "":
		return wire.Errorf("InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	case k.Hash != given.Hash:
		return wire.AccessDenied("Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.")
	}
	return nil
}

// samePart refuses a part that does not bring the key that its upload began with.
func (k CustomerKey) samePart(h http.Header) error {
	given, err := customerKey(h, customerHeaders)
	switch {
	case err != nil:
		return err
	case k.Hash != "" && given.Hash == "":
		return wire.Errorf("InvalidRequest", "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
	case k.Hash == "" && given.Hash != "":
		return wire.Errorf("InvalidRequest", "The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters.")
	case k.Hash != given.Hash:
		return wire.Errorf("InvalidRequest", "The provided encryption parameters did not match the ones used originally.")
	}
	return nil
}

// customerEncryption is how an object with such a key is encrypted, false when
// the request brings none.
func customerEncryption(h http.Header) (Encryption, bool, error) {
	k, err := customerKey(h, customerHeaders)
	if err == nil && k.Hash != "" && h.Get("X-Amz-Server-Side-Encryption") != "" {
		err = wire.Errorf("InvalidArgument", "Server Side Encryption with Customer provided key is incompatible with the encryption method specified").With("ArgumentName", "x-amz-server-side-encryption")
	}
	return Encryption{Customer: k}, k.Hash != "", err
}
