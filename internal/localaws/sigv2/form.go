package sigv2

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's own hash
	"encoding/base64"
	"time"

	"engage/internal/localaws/sigv4"
)

// VerifyForm checks the signature of a browser's upload form, whose fields
// have lower-case names, and returns its access key.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
//
// Errors: *sigv4.Error, and what keys returns.
func VerifyForm(ctx context.Context, fields map[string]string, keys sigv4.Keys, now time.Time) (accessKey string, err error) {
	credential, err := lookup(ctx, keys, fields["awsaccesskeyid"], fields["x-amz-security-token"], now)
	if err != nil {
		return "", err
	}
	given, err := base64.StdEncoding.DecodeString(fields["signature"])
	mac := hmac.New(sha1.New, []byte(credential.Secret))
	mac.Write([]byte(fields["policy"]))
	if err != nil || !hmac.Equal(mac.Sum(nil), given) {
		return "", errMismatch
	}
	return fields["awsaccesskeyid"], nil
}
