package wire

import (
	"net/http"
	"strings"
)

// Scope is the credential scope of a signed request.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type Scope struct {
	AccessKey, Date, Region, Service string
}

// ScopeOf returns the credential scope that the request's Authorization
// header, or its presigned query, names. It verifies nothing.
func ScopeOf(r *http.Request) (Scope, bool) {
	if auth := r.Header.Get("Authorization"); strings.HasPrefix(auth, "AWS4-HMAC-SHA256") {
		_, rest, ok := strings.Cut(auth, "Credential=")
		credential, _, _ := strings.Cut(rest, ",")
		scope, valid := parseScope(strings.TrimSpace(credential))
		return scope, ok && valid
	}
	if strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
		return parseScope(r.URL.Query().Get("X-Amz-Credential"))
	}
	return Scope{}, false
}

// parseScope reads KEY/20260101/us-east-1/s3/aws4_request. An access key has no slash.
func parseScope(credential string) (Scope, bool) {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[4] != "aws4_request" || parts[0] == "" {
		return Scope{}, false
	}
	return Scope{AccessKey: parts[0], Date: parts[1], Region: parts[2], Service: parts[3]}, true
}

// TargetOf returns both halves of X-Amz-Target: "AWSGlue", "CreateTable".
func TargetOf(r *http.Request) (prefix, operation string, ok bool) {
	target := r.Header.Get("X-Amz-Target")
	i := strings.LastIndexByte(target, '.')
	if i < 0 {
		return "", target, target != ""
	}
	return target[:i], target[i+1:], true
}

// IsForm reports whether the request's body is a form, as the query protocol sends it.
func IsForm(r *http.Request) bool {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}
