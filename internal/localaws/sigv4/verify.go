package sigv4

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// Skew is how far a request's time may be from ours.
const Skew = 15 * time.Minute

// Credential is what belongs to an access key.
type Credential struct {
	Secret  string
	Token   string    // session token, "" for a long-lived key
	Expires time.Time // zero when it does not
}

// ErrUnknownKey is what Keys returns for an access key that nobody has.
var ErrUnknownKey = errors.New("unknown access key")

// Keys finds the credential of an access key. Errors: ErrUnknownKey, and what
// the caller's store says, which Verify returns wrapped.
type Keys func(ctx context.Context, accessKey string) (Credential, error)

// DefaultMaxBody is how much of a body is held in memory to hash it.
const DefaultMaxBody = 100 << 20

// ErrTooLarge says that a body which must be hashed before the call exceeds MaxBody.
var ErrTooLarge = errors.New("the request body is too large")

// Verifier verifies requests. It is safe for concurrent use.
type Verifier struct {
	Keys Keys
	// Now is the clock.
	Now func() time.Time
	// MaxBody is the longest body, in bytes, that is read into memory because
	// its hash is part of the signature and is not in a header. Longer ones are
	// refused with ErrTooLarge. The default is DefaultMaxBody.
	MaxBody int64
}

// Verify checks the signature of a request and replaces r.Body by one that
// checks what was signed of it while it is read: it fails instead of giving
// io.EOF when the body is not the signed one.
//
// REQUIRES: r.Body is the whole body, not yet read.
//
// Errors: *Error, ErrTooLarge, and what Keys and the body return.
func (v *Verifier) Verify(r *http.Request) (*Authorization, error) {
	a, err := Parse(r)
	if err != nil {
		return nil, err
	}
	c, err := v.credential(r.Context(), a)
	if err != nil {
		return nil, err
	}
	if err := v.checkTime(a); err != nil {
		return nil, err
	}
	hash, err := v.payloadHash(r, a)
	if err != nil {
		return nil, err
	}
	key := signingKey(c.Secret, a)
	if err := checkSignature(r, a, key, hash); err != nil {
		return nil, err
	}
	return a, wrapBody(r, a, key, hash)
}

// credential looks up the key and checks token and expiry. The token is
// compared in constant time like the signature.
func (v *Verifier) credential(ctx context.Context, a *Authorization) (Credential, error) {
	c, err := v.Keys(ctx, a.AccessKey)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return c, &Error{Kind: UnknownKey, Service: a.Service, Message: unknownText(a.Service), Cause: err}
	case err != nil:
		return c, err
	case subtle.ConstantTimeCompare([]byte(c.Token), []byte(a.Token)) != 1:
		return c, fail(BadToken, a.Service, tokenMessage)
	case !c.Expires.IsZero() && !v.Now().Before(c.Expires):
		return c, fail(Expired, a.Service, expiredMessage)
	}
	return c, nil
}

func unknownText(service string) string {
	if service == "s3" {
		return unknownMessage
	}
	return tokenMessage + "."
}

func (v *Verifier) checkTime(a *Authorization) error {
	now := v.Now()
	if !a.Presigned {
		if d := now.Sub(a.Time); d > Skew || d < -Skew {
			return fail(Skewed, a.Service, "%s", skewText(a, now))
		}
		return nil
	}
	if a.Time.Sub(now) > Skew {
		return fail(LinkExpired, a.Service, "Request is not valid yet")
	}
	if !now.Before(a.Time.Add(a.Expires)) {
		return fail(LinkExpired, a.Service, linkMessage)
	}
	return nil
}

// skewText is S3's message, or that of every other service.
func skewText(a *Authorization, now time.Time) string {
	stamp := func(t time.Time) string { return t.UTC().Format(timeForm) }
	switch {
	case a.Service == "s3":
		return skewMessage
	case a.Time.After(now):
		return "Signature not yet current: " + stamp(a.Time) + " is still later than " + stamp(now.Add(Skew)) + " (" + stamp(now) + " + 15 min.)"
	}
	return "Signature expired: " + stamp(a.Time) + " is now earlier than " + stamp(now.Add(-Skew)) + " (" + stamp(now) + " - 15 min.)"
}

// payloadHash is what stands for the body in the signature: the header's
// value, or the hash of the body itself.
func (v *Verifier) payloadHash(r *http.Request, a *Authorization) (string, error) {
	if h := r.Header.Get(contentHash); h != "" {
		if err := checkPayloadForm(a, h); err != nil {
			return "", err
		}
		return h, v.compareBody(r, a, h)
	}
	if a.Presigned && a.Service == "s3" {
		if h := r.URL.Query().Get("X-Amz-Content-Sha256"); h != "" {
			return h, checkPayloadForm(a, h)
		}
		return unsignedPayload, nil
	}
	if a.Service == "s3" {
		return "", fail(Incomplete, a.Service, "Missing required header for this request: x-amz-content-sha256")
	}
	return v.hashBody(r)
}

// compareBody checks the body of a call to a service other than S3, whose
// handlers have it in memory, against the hash in the header at once. S3's is
// checked while it is read.
func (v *Verifier) compareBody(r *http.Request, a *Authorization, header string) error {
	if a.Service == "s3" || len(header) != 2*sha256.Size {
		return nil
	}
	got, err := v.hashBody(r)
	if err == nil && got != strings.ToLower(header) {
		return fail(Digest, a.Service, digestMessage)
	}
	return err
}

// hashBody reads the body into memory and puts it back.
func (v *Verifier) hashBody(r *http.Request) (string, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return emptyHash, nil
	}
	limit := v.MaxBody
	if limit == 0 {
		limit = DefaultMaxBody
	}
	if r.ContentLength > limit {
		return "", ErrTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return "", err
	}
	if int64(len(body)) > limit {
		return "", ErrTooLarge
	}
	if err := r.Body.Close(); err != nil {
		return "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return hexHash(body), nil
}

func checkSignature(r *http.Request, a *Authorization, key []byte, hash string) error {
	canonical, err := canonicalRequest(r, a, hash)
	if err != nil {
		return err
	}
	want := mac(key, stringToSign(a, canonical))
	if !hmac.Equal(want, a.Signature) {
		return fail(Mismatch, a.Service, mismatchMessage)
	}
	return nil
}

func stringToSign(a *Authorization, canonical string) string {
	return strings.Join([]string{algorithm, a.Time.Format(timeForm), a.scope(), hexHash([]byte(canonical))}, "\n")
}

func signingKey(secret string, a *Authorization) []byte {
	key := mac([]byte("AWS4"+secret), a.Day)
	key = mac(key, a.Region)
	key = mac(key, a.Service)
	return mac(key, terminator)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
