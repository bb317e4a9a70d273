package auth

import (
	"errors"
	"io"
	"net/http"
	"time"

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
// the longest body that is hashed in memory, in bytes.
func NewAuthenticator(s *Sessions, now func() time.Time, maxBody int64) *Authenticator {
	return &Authenticator{s, &sigv4.Verifier{Keys: s.credential, Now: now, MaxBody: maxBody}, maxBody}
}

// Authenticate returns who signed the request, or an anonymous caller.
func (a *Authenticator) Authenticate(r *http.Request) (wire.Caller, error) {
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
	return a.caller(signature)
}

func (a *Authenticator) caller(signature *sigv4.Authorization) (wire.Caller, error) {
	if account, isRoot := rootAccount(signature.AccessKey); isRoot {
		caller := wire.Root(account, signature.Region)
		caller.AccessKey = signature.AccessKey
		return caller, nil
	}
	session, err := a.sessions.Find(signature.AccessKey)
	if err != nil {
		return wire.Caller{}, wire.InternalFailure(err)
	}
	session.Caller.Region = signature.Region
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
