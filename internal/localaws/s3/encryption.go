package s3

import (
	"encoding/xml"
	"net/http"

	"engage/internal/localaws/wire"
)

// parseEncryption returns the default encryption that a bucket's setting gives.
func parseEncryption(doc []byte) (Encryption, error) {
	var c struct {
		Rules []struct {
			Default struct {
				SSEAlgorithm, KMSMasterKeyID string
			} `xml:"ApplyServerSideEncryptionByDefault"`
			BucketKeyEnabled bool
		} `xml:"Rule"`
	}
	if xml.Unmarshal(doc, &c) != nil || len(c.Rules) != 1 {
		return Encryption{}, malformedXML()
	}
	e := Encryption{Algorithm: c.Rules[0].Default.SSEAlgorithm, KeyID: c.Rules[0].Default.KMSMasterKeyID, BucketKey: c.Rules[0].BucketKeyEnabled}
	if e.KeyID != "" && e.Algorithm == "AES256" {
		return e, wire.Errorf("InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse").With("ArgumentName", "ApplyServerSideEncryptionByDefault")
	}
	return e, e.check()
}

func (e Encryption) check() error {
	switch e.Algorithm {
	case "AES256", "aws:kms":
		return nil
	case "aws:kms:dsse":
		return wire.NotImplemented("the server-side encryption aws:kms:dsse")
	}
	return invalidArgument("x-amz-server-side-encryption", e.Algorithm, "The encryption method specified is not supported")
}

// encryption returns how an object put into the bucket is encrypted: as the
// request says, else as the bucket does.
func encryption(h http.Header, bk Bucket) (Encryption, error) {
	if e, ok, err := customerEncryption(h); ok || err != nil {
		return e, err
	}
	if algorithm := h.Get("X-Amz-Server-Side-Encryption"); algorithm != "" {
		e := Encryption{Algorithm: algorithm, KeyID: h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"),
			BucketKey: h.Get("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled") == "true"}
		return e, e.check()
	}
	if doc := bk.Settings["encryption"]; doc != "" {
		return parseEncryption([]byte(doc))
	}
	return Encryption{Algorithm: "AES256"}, nil
}
