package sigv4

import (
	"context"
	"crypto/hmac"
)

// VerifyForm checks the signature of a browser's upload form, whose fields
// have lower-case names: it is of the policy, as the form has it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
//
// Errors: *Error, and what the key lookup returns.
func (v *Verifier) VerifyForm(ctx context.Context, fields map[string]string) (*Authorization, error) {
	a := &Authorization{Token: fields["x-amz-security-token"]}
	if fields["x-amz-algorithm"] != algorithm {
		return nil, fail(Algorithm, "s3", "a form is signed with %s", algorithm)
	}
	if err := a.read(BadQuery, fields["x-amz-credential"], "host", fields["x-amz-signature"]); err != nil {
		return nil, err
	}
	if err := a.setTime(BadQuery, fields["x-amz-date"], timeForm); err != nil {
		return nil, err
	}
	c, err := v.credential(ctx, a)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac(signingKey(c.Secret, a), fields["policy"]), a.Signature) {
		return nil, fail(Mismatch, "s3", mismatchMessage)
	}
	return a, nil
}
