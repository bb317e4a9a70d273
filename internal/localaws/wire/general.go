package wire

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
)

// kind marks the errors that every service has, whose code and status depend
// on the protocol.
type kind int

const (
	kindNone kind = iota
	kindAccessDenied
	kindValidation
	kindNotImplemented
	kindInternal
	kindThrottling
	kindSignature
	kindUnknownKey
	kindExpired
	kindNoToken
	kindTooLarge
)

// naming is the code and the status of a general error in one protocol.
type naming struct {
	code   string
	status int
}

// family groups the protocols that name errors alike.
type family int

const (
	familyJSON family = iota
	familyREST
	familyQuery
	familyEC2
	familyS3
)

// general is what AWS calls the errors that every service has:
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
var general = map[kind][5]naming{
	kindAccessDenied: {{"AccessDeniedException", 400}, {"AccessDeniedException", 403}, {"AccessDenied", 403},
		{"UnauthorizedOperation", 403}, {"AccessDenied", 403}},
	kindValidation: {{"ValidationException", 400}, {"ValidationException", 400}, {"ValidationError", 400},
		{"InvalidParameterValue", 400}, {"InvalidArgument", 400}},
	kindNotImplemented: {{"NotImplemented", 501}, {"NotImplemented", 501}, {"NotImplemented", 501},
		{"NotImplemented", 501}, {"NotImplemented", 501}},
	kindInternal: {{"InternalFailure", 500}, {"InternalFailure", 500}, {"InternalFailure", 500},
		{"InternalError", 500}, {"InternalError", 500}},
	kindThrottling: {{"ThrottlingException", 400}, {"TooManyRequestsException", 429}, {"Throttling", 400},
		{"RequestLimitExceeded", 503}, {"SlowDown", 503}},
	kindSignature: {{"InvalidSignatureException", 403}, {"InvalidSignatureException", 403},
		{"SignatureDoesNotMatch", 403}, {"AuthFailure", 401}, {"SignatureDoesNotMatch", 403}},
	kindUnknownKey: {{"UnrecognizedClientException", 400}, {"UnrecognizedClientException", 403},
		{"InvalidClientTokenId", 403}, {"AuthFailure", 401}, {"InvalidAccessKeyId", 403}},
	kindExpired: {{"ExpiredTokenException", 400}, {"ExpiredTokenException", 403}, {"ExpiredToken", 403},
		{"RequestExpired", 400}, {"ExpiredToken", 400}},
	kindNoToken: {{"MissingAuthenticationTokenException", 400}, {"MissingAuthenticationTokenException", 403},
		{"MissingAuthenticationToken", 403}, {"AuthFailure", 401}, {"AccessDenied", 403}},
	kindTooLarge: {{"RequestEntityTooLargeException", 413}, {"RequestEntityTooLargeException", 413},
		{"RequestEntityTooLarge", 413}, {"RequestEntityTooLarge", 413}, {"EntityTooLarge", 400}},
}

func generalError(k kind, format string, args ...any) *Error {
	n := general[k][familyQuery]
	e := StatusErrorf(n.status, n.code, format, args...)
	e.kind = k
	return e
}

// AccessDenied says that the caller may not do what it asked for.
func AccessDenied(format string, args ...any) *Error {
	return generalError(kindAccessDenied, format, args...)
}

// IsAccessDenied reports whether err refuses a call for want of a permission.
func IsAccessDenied(err error) bool {
	e := AsError(err)
	return e.kind == kindAccessDenied
}

// ValidationException says that a member of the input is not acceptable.
func ValidationException(format string, args ...any) *Error {
	return generalError(kindValidation, format, args...)
}

// NotImplemented says that this endpoint does not do what was asked for. The
// arguments name it.
func NotImplemented(format string, args ...any) *Error {
	return generalError(kindNotImplemented, "%s is not implemented by this endpoint", fmt.Sprintf(format, args...))
}

// InternalFailure hides the cause from the caller; the log has it. A full
// disk is not hidden: the caller can do something about it.
func InternalFailure(cause error) *Error {
	message := "the endpoint failed to handle the request; its log says why"
	switch {
	case errors.Is(cause, syscall.ENOSPC):
		message = "the disk that holds the endpoint's state is full: free some space and try again"
	case errors.Is(cause, syscall.EDQUOT), errors.Is(cause, syscall.EFBIG):
		message = "the endpoint may not write more to its disk: raise its quota or its limit on the size of files, and try again"
	}
	e := generalError(kindInternal, "%s", message)
	e.cause = cause
	return e
}

// Throttling says that the caller asks too often.
func Throttling(format string, args ...any) *Error {
	return generalError(kindThrottling, format, args...)
}

// InvalidSignature says that the signature does not fit the request.
func InvalidSignature(format string, args ...any) *Error {
	return generalError(kindSignature, format, args...)
}

// UnknownAccessKey says that no principal has the access key.
func UnknownAccessKey(format string, args ...any) *Error {
	return generalError(kindUnknownKey, format, args...)
}

// ExpiredToken says that the session's time is over.
func ExpiredToken(format string, args ...any) *Error {
	return generalError(kindExpired, format, args...)
}

// MissingToken says that the request is not signed and has to be.
func MissingToken(format string, args ...any) *Error {
	return generalError(kindNoToken, format, args...)
}

// TooLarge says that the request's body exceeds what the operation takes.
func TooLarge(limit int64) *Error {
	return generalError(kindTooLarge, "the request body exceeds %d bytes", limit)
}

// in returns the error as the protocol names it.
func (e *Error) in(p Protocol, validationCode string) *Error {
	c := *e
	if e.kind != kindNone {
		n := general[e.kind][p.family()]
		c.Code, c.Status = n.code, n.status
		if e.kind == kindValidation && validationCode != "" {
			c.Code = validationCode
		}
	}
	if c.Status == 0 {
		c.Status = http.StatusBadRequest
		if c.Fault == Receiver {
			c.Status = http.StatusInternalServerError
		}
	}
	return &c
}
