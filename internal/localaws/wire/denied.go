package wire

import "errors"

// Denied refuses an access in AWS's words. The reason is the half sentence
// after "because": "no identity-based policy allows the s3:GetObject action".
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func Denied(caller Caller, access Access, reason string) *Error {
	principal := caller.ARN
	if principal == "" {
		principal = "anonymous"
	}
	e := AccessDenied("User: %s is not authorized to perform: %s on resource: %s because %s",
		principal, access.Action, access.Resource, reason)
	e.access = &access
	return e
}

// DeniedAccess returns what an error made by Denied refused.
func DeniedAccess(err error) (Access, bool) {
	var e *Error
	if !errors.As(err, &e) || e.access == nil {
		return Access{}, false
	}
	return *e.access, true
}
