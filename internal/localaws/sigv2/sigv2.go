// Package sigv2 verifies presigned S3 URLs of Signature Version 2, which boto3
// still makes unless it is told otherwise.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
package sigv2

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's own hash
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/sigv4"
)

// Signed reports whether the request's URL is one of Signature Version 2.
func Signed(r *http.Request) bool {
	q := r.URL.Query()
	return q.Has("AWSAccessKeyId") && q.Has("Signature") && q.Has("Expires")
}

// Verify checks the URL and returns its access key. Keys are looked up, and
// sessions end, as with Signature Version 4; the body is not signed.
//
// Errors: *sigv4.Error, and what keys returns.
func Verify(r *http.Request, keys sigv4.Keys, now time.Time) (accessKey string, err error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", refuse(sigv4.BadQuery, "the query string cannot be read: %v", err)
	}
	accessKey = query.Get("AWSAccessKeyId")
	credential, err := lookup(r.Context(), keys, accessKey, query.Get("x-amz-security-token"), now)
	if err != nil {
		return "", err
	}
	seconds, err := strconv.ParseInt(query.Get("Expires"), 10, 64)
	if err != nil {
		return "", refuse(sigv4.BadQuery, "Invalid date (should be seconds since epoch): %.40q", query.Get("Expires"))
	}
	if now.Unix() >= seconds {
		return "", refuse(sigv4.LinkExpired, "Request has expired")
	}
	return accessKey, checkSignature(r, query, credential.Secret)
}

// lookup returns the credential of an access key whose token is right and whose session lasts.
func lookup(ctx context.Context, keys sigv4.Keys, accessKey, token string, now time.Time) (sigv4.Credential, error) {
	credential, err := keys(ctx, accessKey)
	switch {
	case errors.Is(err, sigv4.ErrUnknownKey):
		return credential, refuse(sigv4.UnknownKey, "The AWS Access Key Id you provided does not exist in our records.")
	case err != nil:
		return credential, err
	case !hmac.Equal([]byte(credential.Token), []byte(token)):
		return credential, refuse(sigv4.BadToken, "The provided token is malformed or otherwise invalid.")
	case !credential.Expires.IsZero() && !now.Before(credential.Expires):
		return credential, refuse(sigv4.Expired, "The provided token has expired.")
	}
	return credential, nil
}

func refuse(kind sigv4.Kind, format string, args ...any) error {
	return &sigv4.Error{Kind: kind, Service: "s3", Message: fmt.Sprintf(format, args...)}
}

// checkSignature tries both places where the bucket can be: in the path, and
// as the first label of the host.
func checkSignature(r *http.Request, query url.Values, secret string) error {
	given, err := base64.StdEncoding.DecodeString(query.Get("Signature"))
	if err != nil {
		return refuse(sigv4.BadQuery, "the signature is not base64")
	}
	bucket, _, _ := strings.Cut(r.Host, ".")
	path := r.URL.EscapedPath()
	for _, resource := range []string{path, "/" + bucket + path} {
		mac := hmac.New(sha1.New, []byte(secret))
		mac.Write([]byte(stringToSign(r, query, resource)))
		if hmac.Equal(mac.Sum(nil), given) {
			return nil
		}
	}
	return errMismatch
}

var errMismatch = refuse(sigv4.Mismatch, "The request signature we calculated does not match the signature you provided. Check your key and signing method.")

func stringToSign(r *http.Request, query url.Values, resource string) string {
	return strings.Join([]string{r.Method, r.Header.Get("Content-Md5"), r.Header.Get("Content-Type"), query.Get("Expires"), ""}, "\n") +
		amzHeaders(r, query) + resource + subresources(query)
}

// amzHeaders are the x-amz-* headers, which a signed URL may carry as parameters.
func amzHeaders(r *http.Request, query url.Values) string {
	values := map[string]string{}
	for name, all := range query {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			values[name] = strings.Join(all, ",")
		}
	}
	for name, all := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			values[name] = strings.Join(all, ",")
		}
	}
	var lines []string
	for name, value := range values {
		lines = append(lines, name+":"+strings.TrimSpace(value)+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// signedParameters are part of the resource.
var signedParameters = strings.Fields(`accelerate acl analytics cors defaultObjectAcl delete inventory lifecycle location logging
	metrics notification object-lock partNumber policy replication requestPayment response-cache-control
	response-content-disposition response-content-encoding response-content-language response-content-type response-expires
	restore select select-type storageClass tagging torrent uploadId uploads versionId versioning versions website`)

func subresources(query url.Values) string {
	var all []string
	for _, name := range signedParameters {
		if !query.Has(name) {
			continue
		}
		if value := query.Get(name); value != "" {
			name += "=" + value
		}
		all = append(all, name)
	}
	if len(all) == 0 {
		return ""
	}
	return "?" + strings.Join(all, "&")
}
