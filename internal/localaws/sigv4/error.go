package sigv4

import "fmt"

// Kind says what is wrong with a request. The caller renders it with the code
// that its protocol has; Code gives that of S3 and of the query services.
type Kind int

// The kinds of error.
const (
	// Missing: the request is not signed.
	Missing Kind = iota
	// Incomplete: the signature cannot be read.
	Incomplete
	// Mismatch: the signature is another than the request's.
	Mismatch
	// UnknownKey: nobody has the access key.
	UnknownKey
	// BadToken: the session token is not the access key's.
	BadToken
	// Expired: the session is over.
	Expired
	// Skewed: the request was signed too long ago or in the future.
	Skewed
	// LinkExpired: the presigned URL is over.
	LinkExpired
	// BadQuery: a parameter of a presigned URL is wrong.
	BadQuery
	// Unsigned: a header that must be signed is not.
	Unsigned
	// Digest: the body is another than the one that was signed.
	Digest
	// BadBody: a chunked body cannot be read.
	BadBody
	// Algorithm: another way of signing, which is not supported.
	Algorithm
)

var codes = map[Kind][2]string{ // S3, other services
	Missing:     {"AccessDenied", "MissingAuthenticationToken"},
	Incomplete:  {"AuthorizationHeaderMalformed", "IncompleteSignature"},
	Mismatch:    {"SignatureDoesNotMatch", "SignatureDoesNotMatch"},
	UnknownKey:  {"InvalidAccessKeyId", "InvalidClientTokenId"},
	BadToken:    {"InvalidToken", "InvalidClientTokenId"},
	Expired:     {"ExpiredToken", "ExpiredToken"},
	Skewed:      {"RequestTimeTooSkewed", "RequestTimeTooSkewed"},
	LinkExpired: {"AccessDenied", "RequestExpired"},
	BadQuery:    {"AuthorizationQueryParametersError", "IncompleteSignature"},
	Unsigned:    {"AccessDenied", "SignatureDoesNotMatch"},
	Digest:      {"XAmzContentSHA256Mismatch", "SignatureDoesNotMatch"},
	BadBody:     {"IncompleteBody", "IncompleteSignature"},
	Algorithm:   {"InvalidRequest", "IncompleteSignature"},
}

// Error is a request whose signature is not accepted.
type Error struct {
	Kind    Kind
	Service string // signing name, "" when it could not be read
	Message string // in AWS's words
	Cause   error
}

// Code is AWS's name of the error.
func (e *Error) Code() string {
	if e.Service == "s3" {
		return codes[e.Kind][0]
	}
	return codes[e.Kind][1]
}

// Error returns code and message on one line.
func (e *Error) Error() string { return e.Code() + ": " + e.Message }

// Unwrap returns what the key lookup or the body said.
func (e *Error) Unwrap() error { return e.Cause }

func fail(kind Kind, service, format string, args ...any) *Error {
	return &Error{Kind: kind, Service: service, Message: fmt.Sprintf(format, args...)}
}

// AWS's wordings.
const (
	mismatchMessage = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	unknownMessage  = "The AWS Access Key Id you provided does not exist in our records."
	tokenMessage    = "The security token included in the request is invalid"
	expiredMessage  = "The security token included in the request is expired"
	missingMessage  = "Request is missing Authentication Token"
	skewMessage     = "The difference between the request time and the current time is too large."
	linkMessage     = "Request has expired"
	digestMessage   = "The provided 'x-amz-content-sha256' header does not match what was computed."
)
