package wire

import (
	"context"
	"net/http"
	"time"
)

// Caller is who makes a call.
type Caller struct {
	Account     string // 12 digits
	Region      string // of the credential scope
	ARN         string // of the principal: "arn:aws:iam::000000000000:root", an assumed role's session ...
	UserID      string // as GetCallerIdentity tells it
	AccessKey   string // "" for an anonymous caller
	RoleARN     string // the role behind an assumed-role session, else ""
	SessionName string // of an assumed role, else ""
	RunID       string // what the usage of the call is booked to: the session tag RunId, when there is one
	Tags        map[string]string

	// SourceIdentity is who is behind a chain of sessions, when somebody said so.
	SourceIdentity string

	// Service is the principal of a call that a service makes for itself
	// ("states.amazonaws.com"), else "".
	Service string
}

// Anonymous reports whether the request was not signed.
func (c Caller) Anonymous() bool { return c.AccessKey == "" && c.Service == "" }

// Root returns the root user of an account.
func Root(account, region string) Caller {
	return Caller{Account: account, Region: region, ARN: "arn:aws:iam::" + account + ":root", UserID: account, AccessKey: account}
}

// DefaultAccount is the account of a caller whose access key names none.
const DefaultAccount = "000000000000"

// DefaultRegion is the region of a request that names none.
const DefaultRegion = "us-east-1"

// Call is one request for one operation.
type Call struct {
	Service   *Service
	Operation string
	Caller    Caller
	RequestID string

	HTTP *http.Request     // nil for a call from inside the process
	Body []byte            // the whole body, unless the operation streams it
	Vars map[string]string // labels of the URI, unescaped

	// Input is the input of a call from inside the process, else nil.
	Input any

	// Resources are what the call touched, for the request log.
	Resources []string

	// Answer is what was answered, once it was; nil for a call from inside.
	Answer *Answer
}

// Answer is what a request got, for those who observe calls.
type Answer struct {
	Received, Begun, Ended time.Time
	Status                 int
	Sent                   int64 // bytes of the body
	Header                 http.Header
}

// Header returns a header of the request, "" for a call from inside.
func (c *Call) Header(name string) string {
	if c.HTTP == nil {
		return ""
	}
	return c.HTTP.Header.Get(name)
}

// Host returns the address that the caller used, for URLs in answers.
func (c *Call) Host() string {
	if c.HTTP == nil {
		return ""
	}
	return c.HTTP.Host
}

// ARN returns the ARN of a resource in the caller's account and region:
// call.ARN("glue", "database/d").
func (c *Call) ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + c.Caller.Region + ":" + c.Caller.Account + ":" + resource
}

// Access is one thing that a call does, for the permission check.
type Access struct {
	Action     string              // "s3:GetObject"
	Resource   string              // ARN, or "*" where the action has none
	Owner      string              // account that owns the resource; "" is the caller's
	Policy     string              // the resource's own policy, JSON; "" when it has none
	Conditions map[string][]string // condition keys beside the global ones: "s3:prefix": {"a/"}
}

// Authorizer decides whether a caller may do something. It returns
// AccessDenied, in AWS's words, for the first access that is not allowed.
type Authorizer interface {
	Authorize(ctx context.Context, call *Call, accesses []Access) error
}

// Authenticator finds out who sent a request.
//
// It may read r.Body, and then leaves another in its place. A body whose hash
// is signed is replaced by one that fails at its end unless it has that hash:
// nobody after it checks x-amz-content-sha256. A body in AWS's
// chunked coding (x-amz-content-sha256: STREAMING-...) is replaced by the
// decoded one: it fails when a chunk's signature is wrong, r.ContentLength is the
// decoded length, aws-chunked is gone from Content-Encoding, and r.Trailer has the
// trailing headers once the body has been read to its end.
// REQUIRES: r.Body is the whole body, not yet read.
//
// Errors: InvalidSignature, UnknownAccessKey, ExpiredToken, MissingToken,
// AccessDenied. A request without a signature gives an anonymous Caller.
type Authenticator interface {
	Authenticate(r *http.Request) (Caller, error)
}

// Invoker lets one service call another, with the permissions of a caller.
// The input is a pointer to the operation's own input, or its members as
// JSON; the answer is the operation's own output.
//
// Errors: what the operation returns, AccessDenied, NotImplemented.
type Invoker interface {
	Invoke(ctx context.Context, caller Caller, service, operation string, input any) (any, error)
}
