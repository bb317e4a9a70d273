package auth

import (
	"context"

	"engage/internal/localaws/sigv2"
	"engage/internal/localaws/wire"
)

// VerifyForm returns who signed a browser's upload form, whose fields have
// lower-case names. A form without a policy is an anonymous caller's.
func (a *Authenticator) VerifyForm(ctx context.Context, fields map[string]string) (wire.Caller, error) {
	switch {
	case fields["policy"] == "":
		return wire.Caller{Account: wire.DefaultAccount, Region: wire.DefaultRegion}, nil
	case fields["x-amz-algorithm"] == "" && fields["awsaccesskeyid"] != "":
		accessKey, err := sigv2.VerifyForm(ctx, fields, a.sessions.credential, a.verifier.Now())
		if err != nil {
			return wire.Caller{}, a.refuse(err, "s3")
		}
		return a.caller(accessKey, wire.DefaultRegion)
	}
	signature, err := a.verifier.VerifyForm(ctx, fields)
	if err != nil {
		return wire.Caller{}, a.refuse(err, "s3")
	}
	return a.caller(signature.AccessKey, signature.Region)
}
