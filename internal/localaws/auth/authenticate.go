package auth

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"time"

	"engage/internal/localaws/sigv2"
	"engage/internal/localaws/sigv4"
	"engage/internal/localaws/wire"
)

// Authenticator verifies signatures. It implements wire.Authenticator.
type Authenticator struct {
	sessions *Sessions
	verifier *sigv4.Verifier
	maxBody  int64
}

// NewAuthenticator returns an Authenticator over issued sessions. maxBody is
// the longest body that is hashed in memory, in bytes; 0 is sigv4.DefaultMaxBody.
func NewAuthenticator(s *Sessions, now func() time.Time, maxBody int64) *Authenticator {
	maxBody = cmp.Or(maxBody, sigv4.DefaultMaxBody)
	return &Authenticator{s, &sigv4.Verifier{Keys: s.credential, Now: now, MaxBody: maxBody}, maxBody}
}

// Authenticate returns who signed the request, or an anonymous caller.
func (a *Authenticator) Authenticate(r *http.Request) (wire.Caller, error) {
	if sigv2.Signed(r) && r.Header.Get("Authorization") == "" {
		accessKey, err := sigv2.Verify(r, a.sessions.credential, a.verifier.Now())
		if err == nil {
			err = sigv4.DecodeUnsigned(r) // this version never signs a body
		}
		if err != nil {
			return wire.Caller{}, a.refuse(err, "s3")
		}
		return a.caller(accessKey, wire.DefaultRegion)
	}
	if !sigv4.Signed(r) {
		caller := wire.Caller{Account: wire.DefaultAccount, Region: wire.DefaultRegion}
		return caller, a.refuse(sigv4.DecodeUnsigned(r), "s3")
	}
	signature, err := a.verifier.Verify(r)
	if err != nil {
		scope, _ := wire.ScopeOf(r)
		return wire.Caller{}, a.refuse(err, scope.Service)
	}
	if r.Body != nil {
		r.Body = body{r.Body, a, signature.Service}
	}
	return a.caller(signature.AccessKey, signature.Region)
}

// caller is who has the access key.
func (a *Authenticator) caller(accessKey, region string) (wire.Caller, error) {
	if account, isRoot := rootAccount(accessKey); isRoot {
		caller := wire.Root(account, region)
		caller.AccessKey = accessKey
		return caller, nil
	}
	if owner, _, found, err := a.sessions.owner(accessKey); found || err != nil {
		owner.Region = region
		return owner, err
	}
	session, err := a.sessions.Find(accessKey)
	if err != nil {
		return wire.Caller{}, wire.InternalFailure(err)
	}
	session.Caller.Region = region
	return session.Caller, nil
}

// refuse turns what the verifier says into what services answer.
func (a *Authenticator) refuse(err error, service string) error {
	var refused *sigv4.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sigv4.ErrTooLarge):
		return wire.TooLarge(a.maxBody)
	case !errors.As(err, &refused):
		return err
	case service == "s3":
		refused.Service = service
		return wire.StatusErrorf(s3Status(refused.Kind), refused.Code(), "%s", refused.Message).Because(err)
	}
	return general(refused).Because(err)
}

// general gives the errors that every service has, which each protocol names in its own way.
func general(e *sigv4.Error) *wire.Error {
	switch e.Kind {
	case sigv4.UnknownKey, sigv4.BadToken:
		return wire.UnknownAccessKey("%s", e.Message)
	case sigv4.Expired:
		return wire.ExpiredToken("%s", e.Message)
	case sigv4.Missing:
		return wire.MissingToken("%s", e.Message)
	case sigv4.Mismatch, sigv4.Skewed, sigv4.LinkExpired, sigv4.Unsigned, sigv4.Digest:
		return wire.InvalidSignature("%s", e.Message)
	}
	return wire.Errorf(e.Code(), "%s", e.Message)
}

// s3Status is the HTTP status of S3's errors.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func s3Status(kind sigv4.Kind) int {
	switch kind {
	case sigv4.Incomplete, sigv4.BadQuery, sigv4.Expired, sigv4.BadToken, sigv4.Digest, sigv4.BadBody, sigv4.Algorithm:
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

// body gives what the verifier finds while the body is read as a service's error.
type body struct {
	io.ReadCloser
	auth    *Authenticator
	service string
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, b.auth.refuse(err, b.service)
}
