package s3

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"slices"
	"strings"

	"engage/internal/localaws/wire"
)

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
var algorithms = []string{"CRC32", "CRC32C", "CRC64NVME", "MD5", "SHA1", "SHA256", "SHA512"}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	nvme       = crc64.MakeTable(0x9a6c9329ac4bc9b5) // the polynomial of the NVMe specification, reflected
)

func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "CRC32":
		return crc32.NewIEEE()
	case "CRC32C":
		return crc32.New(castagnoli)
	case "CRC64NVME":
		return crc64.New(nvme)
	case "MD5":
		return md5.New()
	case "SHA1":
		return sha1.New()
	case "SHA512":
		return sha512.New()
	}
	return sha256.New()
}

// digester computes what a body's headers say about it, and its MD5. The hash
// that is part of the signature is the authenticator's to check.
type digester struct {
	md5  hash.Hash
	sums map[string]hash.Hash
	size int64
}

// newDigester returns a digester for the checksums that the headers give or
// announce, and for one more algorithm, "" for none.
func newDigester(h http.Header, algorithm string) (*digester, error) {
	if err := checkAlgorithms(h, algorithm); err != nil {
		return nil, err
	}
	d := &digester{md5: md5.New(), sums: map[string]hash.Hash{}}
	trailer := strings.ToLower(h.Get("X-Amz-Trailer"))
	for _, a := range algorithms {
		name := "x-amz-checksum-" + strings.ToLower(a)
		if h.Get(name) != "" || trailer == name || a == algorithm || strings.EqualFold(h.Get("X-Amz-Sdk-Checksum-Algorithm"), a) {
			d.sums[a] = newHash(a)
		}
	}
	return d, nil
}

// checkAlgorithms refuses an algorithm that is not one of ours, by name.
func checkAlgorithms(h http.Header, algorithm string) error {
	named := []string{algorithm, h.Get("X-Amz-Sdk-Checksum-Algorithm")}
	if trailer := h.Get("X-Amz-Trailer"); trailer != "" {
		named = append(named, strings.TrimPrefix(strings.ToLower(trailer), "x-amz-checksum-"))
	}
	for _, a := range named {
		if a != "" && !slices.Contains(algorithms, strings.ToUpper(a)) {
			return wire.NotImplemented("the checksum algorithm %s", a)
		}
	}
	return nil
}

// Write adds to all digests.
func (d *digester) Write(p []byte) (int, error) {
	d.size += int64(len(p))
	for _, h := range d.hashes() {
		h.Write(p)
	}
	return len(p), nil
}

func (d *digester) hashes() []hash.Hash {
	all := []hash.Hash{d.md5}
	for _, h := range d.sums {
		all = append(all, h)
	}
	return all
}

func (d *digester) etag() string { return hex.EncodeToString(d.md5.Sum(nil)) }

// verify compares the digests with what headers and trailers say, and returns
// the checksums in base64. REQUIRES: the body has been read to its end.
func (d *digester) verify(r *http.Request) (map[string]string, error) {
	if given := r.Header.Get("Content-Md5"); given != "" {
		raw, err := base64.StdEncoding.DecodeString(given)
		if err != nil || len(raw) != md5.Size {
			return nil, wire.Errorf("InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		if string(raw) != string(d.md5.Sum(nil)) {
			return nil, wire.Errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	sums := map[string]string{}
	for a, h := range d.sums {
		sums[a] = base64.StdEncoding.EncodeToString(h.Sum(nil))
		name := "X-Amz-Checksum-" + strings.ToLower(a)
		given := r.Header.Get(name)
		if given == "" {
			given = r.Trailer.Get(name)
		}
		if given != "" && given != sums[a] {
			return nil, wire.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", a)
		}
	}
	return sums, nil
}
