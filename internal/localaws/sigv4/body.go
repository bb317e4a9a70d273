package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Values of x-amz-content-sha256 that are not a hash.
const (
	contentHash = "X-Amz-Content-Sha256"

	unsignedPayload = "UNSIGNED-PAYLOAD"
	unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	signedChunks    = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"

	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// checkPayloadForm refuses what is neither a hash nor one of the special values.
func checkPayloadForm(a *Authorization, value string) error {
	switch value {
	case unsignedPayload, unsignedTrailer, signedChunks, signedTrailer:
		return nil
	}
	if raw, err := hex.DecodeString(value); err != nil || len(raw) != sha256.Size {
		return fail(Incomplete, a.Service, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, %s, %s, %s, or a valid sha256 value.", unsignedTrailer, signedChunks, signedTrailer)
	}
	return nil
}

// wrapBody replaces the body by one that checks what was signed of it.
func wrapBody(r *http.Request, a *Authorization, key []byte, payloadHash string) error {
	switch payloadHash {
	case unsignedPayload:
		return nil
	case unsignedTrailer, signedChunks, signedTrailer:
		return decodeChunks(r, &chunkSigner{key: key, auth: a, previous: hex.EncodeToString(a.Signature)}, payloadHash)
	}
	if r.Body == nil || r.Body == http.NoBody {
		if payloadHash != emptyHash {
			return fail(Digest, a.Service, digestMessage)
		}
		return nil
	}
	if a.Service == "s3" {
		r.Body = &hashedBody{body: r.Body, hash: sha256.New(), want: payloadHash, service: a.Service}
	}
	return nil
}

// hashedBody fails at its end when the hash is another than the signed one.
type hashedBody struct {
	body    io.ReadCloser
	hash    hash.Hash
	want    string
	service string
}

func (b *hashedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.hash.Write(p[:n])
	if err != io.EOF {
		return n, err
	}
	got := hex.EncodeToString(b.hash.Sum(nil))
	if subtle.ConstantTimeCompare([]byte(got), []byte(strings.ToLower(b.want))) != 1 {
		return n, fail(Digest, b.service, digestMessage)
	}
	return n, io.EOF
}

func (b *hashedBody) Close() error { return b.body.Close() }

// DecodeUnsigned replaces an aws-chunked body of a request that is not signed,
// which only the form without chunk signatures can have. It leaves other bodies alone.
func DecodeUnsigned(r *http.Request) error {
	switch r.Header.Get(contentHash) {
	case unsignedTrailer:
		return decodeChunks(r, nil, unsignedTrailer)
	case signedChunks, signedTrailer:
		return fail(BadBody, "s3", "a request without a signature cannot have a body in signed chunks")
	}
	return nil
}

// decodeChunks puts the decoding reader into the request and mends what the
// request says about its body.
func decodeChunks(r *http.Request, signer *chunkSigner, form string) error {
	length, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || length < 0 {
		return fail(BadBody, "s3", "x-amz-decoded-content-length must say how long the body is once decoded, got %q", r.Header.Get("X-Amz-Decoded-Content-Length"))
	}
	if r.Body == nil || r.Body == http.NoBody {
		return fail(BadBody, "s3", "the body has no chunks")
	}
	r.Trailer = http.Header{}
	body := newChunkReader(r.Body, length, r.Trailer)
	if form != unsignedTrailer {
		body.signer = signer
	}
	if form != signedChunks {
		body.expectTrailer(r.Header.Get("X-Amz-Trailer"))
	}
	r.Body, r.ContentLength = body, length
	dropChunkedEncoding(r.Header)
	return nil
}

// dropChunkedEncoding removes aws-chunked, which is not the object's own encoding.
func dropChunkedEncoding(h http.Header) {
	var kept []string
	for encoding := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		if e := strings.TrimSpace(encoding); e != "" && e != "aws-chunked" {
			kept = append(kept, e)
		}
	}
	h.Del("Content-Encoding")
	if len(kept) > 0 {
		h.Set("Content-Encoding", strings.Join(kept, ","))
	}
}
