package sigv4

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var signedAt = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var session = aws.Credentials{AccessKeyID: "ASIASESSION000000000", SecretAccessKey: "s3cr3t", SessionToken: "t0ken"}

func sessionKeys(_ context.Context, key string) (Credential, error) {
	if key != session.AccessKeyID {
		return Credential{}, ErrUnknownKey
	}
	return Credential{Secret: session.SecretAccessKey, Token: session.SessionToken, Expires: signedAt.Add(time.Hour)}, nil
}

func sessionVerifier(late time.Duration) *Verifier {
	return &Verifier{Keys: sessionKeys, Now: func() time.Time { return signedAt.Add(late) }, MaxBody: 1 << 20}
}

// sign signs with the SDK as its clients do and returns the request as a server sees it.
func sign(t testing.TB, service, method, target, body string, headers map[string]string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, "http://127.0.0.1:4566"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	hash := r.Header.Get(contentHash)
	if hash == "" {
		hash = hexHash([]byte(body))
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	if err := signer.SignHTTP(context.Background(), session, r, hash, service, "eu-west-1", signedAt); err != nil {
		t.Fatal(err)
	}
	return transmit(t, r)
}

// transmit writes the request and reads it as a server does.
func transmit(t testing.TB, r *http.Request) *http.Request {
	t.Helper()
	var seen *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, got *http.Request) {
		body, _ := io.ReadAll(got.Body)
		got.Body = io.NopCloser(bytes.NewReader(body))
		seen = got.Clone(context.Background())
	}))
	defer server.Close()
	address, _ := url.Parse(server.URL)
	r.Host = r.URL.Host
	r.URL.Host = address.Host
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestSDKSignatures(t *testing.T) {
	hashed := func(body string) map[string]string { return map[string]string{contentHash: hexHash([]byte(body))} }
	for _, c := range []struct {
		service, method, target, body string
		headers                       map[string]string
	}{
		{"sts", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		{"glue", "POST", "/", `{"Name":"x"}`, map[string]string{"X-Amz-Target": "AWSGlue.GetDatabase"}},
		{"glue", "POST", "/", "", map[string]string{"X-Amz-Target": "AWSGlue.GetDatabases"}},
		{"lambda", "POST", "/2015-03-31/functions/a%3Ab/invocations?Qualifier=%24LATEST&x", "{}", map[string]string{"X-Spaces": "  a   b  "}},
		{"lambda", "GET", "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Af", "", nil},
		{"s3", "PUT", "/bucket/a%20b/%C3%A9%2Bx/..%2F/./c//d", "data", hashed("data")},
		{"s3", "GET", "/bucket?list-type=2&prefix=a%2Fb%20c&delimiter=%2F&empty=", "", hashed("")},
		{"s3", "PUT", "/bucket/big", "anything", map[string]string{contentHash: unsignedPayload}},
	} {
		r := sign(t, c.service, c.method, c.target, c.body, c.headers)
		a, err := sessionVerifier(time.Minute).Verify(r)
		if err != nil {
			t.Errorf("%s %s: %v", c.service, c.target, err)
			continue
		}
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != c.body || a.Service != c.service || a.Region != "eu-west-1" {
			t.Errorf("%s %s: body %q, %v, %+v", c.service, c.target, body, err, a)
		}
	}
}

func TestTampering(t *testing.T) {
	good := func() *http.Request {
		return sign(t, "s3", "PUT", "/bucket/key?tagging=1", "data", map[string]string{contentHash: hexHash([]byte("data")), "X-Amz-Meta-A": "b"})
	}
	for _, c := range []struct {
		name string
		edit func(*http.Request)
		code string
	}{
		{"method", func(r *http.Request) { r.Method = "DELETE" }, "SignatureDoesNotMatch"},
		{"path", func(r *http.Request) { r.URL.Path = "/bucket/other"; r.URL.RawPath = "" }, "SignatureDoesNotMatch"},
		{"query", func(r *http.Request) { r.URL.RawQuery += "&acl" }, "SignatureDoesNotMatch"},
		{"bad query", func(r *http.Request) { r.URL.RawQuery += "&%zz" }, "AuthorizationQueryParametersError"},
		{"host", func(r *http.Request) { r.Host = "example.com" }, "SignatureDoesNotMatch"},
		{"header", func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "c") }, "SignatureDoesNotMatch"},
		{"header again", func(r *http.Request) { r.Header.Add("X-Amz-Meta-A", "c") }, "SignatureDoesNotMatch"},
		{"header gone", func(r *http.Request) { r.Header.Del("X-Amz-Meta-A") }, "SignatureDoesNotMatch"},
		{"header more", func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") }, "AccessDenied"},
		{"hash", func(r *http.Request) { r.Header.Set(contentHash, unsignedPayload) }, "SignatureDoesNotMatch"},
		{"no hash", func(r *http.Request) { r.Header.Del(contentHash) }, "AuthorizationHeaderMalformed"},
		{"bad hash", func(r *http.Request) { r.Header.Set(contentHash, "abc") }, "AuthorizationHeaderMalformed"},
		{"token", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "t0kem") }, "InvalidToken"},
		{"no token", func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }, "InvalidToken"},
		{"date", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261123T120001Z") }, "SignatureDoesNotMatch"},
		{"day", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261122T120001Z") }, "AuthorizationHeaderMalformed"},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "AuthorizationHeaderMalformed"},
		{"key", func(r *http.Request) { replaceAuth(r, "ASIASESSION000000000", "ASIASESSION000000001") }, "InvalidAccessKeyId"},
		{"region", func(r *http.Request) { replaceAuth(r, "eu-west-1", "eu-west-2") }, "SignatureDoesNotMatch"},
		{"service", func(r *http.Request) { replaceAuth(r, "/s3/", "/sqs/") }, "SignatureDoesNotMatch"},
		{"host not signed", func(r *http.Request) { replaceAuth(r, "host;", "") }, "AccessDenied"},
		{"algorithm", func(r *http.Request) { replaceAuth(r, algorithm, "AWS4-ECDSA-P256-SHA256") }, "IncompleteSignature"},
		{"version 2", func(r *http.Request) { r.Header.Set("Authorization", "AWS key:sig") }, "IncompleteSignature"},
		{"none", func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationToken"},
	} {
		r := good()
		c.edit(r)
		_, err := sessionVerifier(0).Verify(r)
		var refused *Error
		if !errors.As(err, &refused) || refused.Code() != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
}

func replaceAuth(r *http.Request, old, new string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
}

func TestBodies(t *testing.T) {
	r := sign(t, "s3", "PUT", "/b/k", "data", map[string]string{contentHash: hexHash([]byte("data"))})
	r.Body = io.NopCloser(strings.NewReader("dato"))
	if _, err := sessionVerifier(0).Verify(r); err != nil {
		t.Fatal(err)
	}
	var refused *Error
	if _, err := io.ReadAll(r.Body); !errors.As(err, &refused) || refused.Code() != "XAmzContentSHA256Mismatch" {
		t.Errorf("another body: %v", err)
	}
	r = sign(t, "glue", "POST", "/", "{}", nil)
	r.Body = io.NopCloser(strings.NewReader("[]"))
	if _, err := sessionVerifier(0).Verify(r); !errors.As(err, &refused) || refused.Kind != Mismatch {
		t.Errorf("another body: %v", err)
	}
	r = sign(t, "glue", "POST", "/", "{}", map[string]string{contentHash: hexHash([]byte("{}"))})
	if _, err := sessionVerifier(0).Verify(r); err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(strings.NewReader("[]"))
	if _, err := sessionVerifier(0).Verify(r); !errors.As(err, &refused) || refused.Kind != Digest {
		t.Errorf("another body than the header says: %v", err)
	}
	large := sign(t, "glue", "POST", "/", strings.Repeat("x", 1<<20+1), nil)
	if _, err := sessionVerifier(0).Verify(large); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large body: %v", err)
	}
	large.ContentLength = -1
	large.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 1<<20+1)))
	if _, err := sessionVerifier(0).Verify(large); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large body of unknown length: %v", err)
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		late time.Duration
		code string
	}{
		{0, ""}, {Skew, ""}, {-Skew, ""},
		{Skew + time.Second, "RequestTimeTooSkewed"}, {-Skew - time.Second, "RequestTimeTooSkewed"},
		{2 * time.Hour, "ExpiredToken"},
	} {
		_, err := sessionVerifier(c.late).Verify(sign(t, "sts", "POST", "/", "x", nil))
		if got := codeOf(err); got != c.code {
			t.Errorf("%v late: %v, want %q", c.late, err, c.code)
		}
	}
}

func codeOf(err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code()
	}
	return ""
}

// presign makes a URL with the SDK and returns the request of whoever opens it.
func presign(t testing.TB, service, target, expires string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:4566"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if expires != "" {
		q := r.URL.Query()
		q.Set("X-Amz-Expires", expires)
		r.URL.RawQuery = q.Encode()
	}
	hash := emptyHash
	if service == "s3" {
		hash = unsignedPayload
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	signed, _, err := signer.PresignHTTP(context.Background(), session, r, hash, service, "eu-west-1", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	return httptest.NewRequest(http.MethodGet, signed, nil)
}

func TestPresigned(t *testing.T) {
	for _, c := range []struct {
		service, target, expires string
		late                     time.Duration
		code                     string
	}{
		{"s3", "/b/a%20b?versionId=1", "60", 59 * time.Second, ""},
		{"s3", "/b/k", "60", 60 * time.Second, "AccessDenied"},
		{"s3", "/b/k", "60", -16 * time.Minute, "AccessDenied"},
		{"s3", "/b/k", "604800", time.Minute, ""},
		{"s3", "/b/k", "604801", time.Minute, "AuthorizationQueryParametersError"},
		{"s3", "/b/k", "-1", time.Minute, "AuthorizationQueryParametersError"},
		{"s3", "/b/k", "x", time.Minute, "AuthorizationQueryParametersError"},
		{"s3", "/b/k", "", time.Minute, "AuthorizationQueryParametersError"},
		{"sts", "/?Action=GetCallerIdentity&Version=2011-06-15", "60", time.Second, ""},
		{"sts", "/?Action=GetCallerIdentity&Version=2011-06-15", "", time.Minute, ""},
		{"sts", "/?Action=GetCallerIdentity&Version=2011-06-15", "", time.Hour / 2, "RequestExpired"},
	} {
		r := presign(t, c.service, c.target, c.expires)
		_, err := sessionVerifier(c.late).Verify(r)
		if got := codeOf(err); got != c.code {
			t.Errorf("%s %q after %v: %v, want %q", c.target, c.expires, c.late, err, c.code)
		}
		r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "X-Amz-Date", "X-Amz-Dato", 1)
		if _, err := sessionVerifier(c.late).Verify(r); err == nil {
			t.Errorf("%s: accepted without a date", c.target)
		}
	}
	r := presign(t, "s3", "/b/k", "60")
	r.URL.RawQuery += "&X-Amz-Expires=9999"
	if _, err := sessionVerifier(0).Verify(r); codeOf(err) == "" {
		t.Error("a repeated parameter is accepted")
	}
}

func TestUnsignedTrailer(t *testing.T) {
	body := "4\r\ndata\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\n\r\n"
	headers := map[string]string{contentHash: unsignedTrailer, "X-Amz-Decoded-Content-Length": "4",
		"X-Amz-Trailer": "x-amz-checksum-crc32", "Content-Encoding": "gzip,aws-chunked"}
	r := sign(t, "s3", "PUT", "/b/k", body, headers)
	if _, err := sessionVerifier(0).Verify(r); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r.Body)
	if err != nil || string(got) != "data" || r.Trailer.Get("x-amz-checksum-crc32") != "rfPzYw==" || r.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%q %v %v %v", got, r.Trailer, r.Header, err)
	}
	anonymous := httptest.NewRequest("PUT", "/b/k", strings.NewReader(body))
	for name, value := range headers {
		anonymous.Header.Set(name, value)
	}
	if err := DecodeUnsigned(anonymous); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(anonymous.Body); err != nil || string(got) != "data" {
		t.Errorf("anonymous: %q, %v", got, err)
	}
	anonymous.Header.Set(contentHash, signedChunks)
	if err := DecodeUnsigned(anonymous); codeOf(err) != "IncompleteBody" {
		t.Errorf("signed chunks without a signature: %v", err)
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(s3Credential + "SignedHeaders=host;x-amz-date,Signature=" + emptyHash)
	f.Add("AWS4-HMAC-SHA256 Credential=/////,SignedHeaders=;,Signature=")
	f.Fuzz(func(t *testing.T, value string) {
		a, err := ParseHeader(value)
		if codeOf(err) == "" && (err != nil || a.AccessKey == "" || a.Service == "" || len(a.Signature) != 32 || len(a.SignedHeaders) == 0) {
			t.Errorf("%q: %+v, %v", value, a, err)
		}
	})
}

func FuzzChunkHeader(f *testing.F) {
	f.Add("400;chunk-signature="+emptyHash, true)
	f.Add("0", false)
	f.Fuzz(func(t *testing.T, line string, signed bool) {
		size, signature, err := parseChunkHeader(line, signed)
		if err == nil && (size < 0 || size > maxChunk || signed != (len(signature) == 64)) {
			t.Errorf("%q: %d %q", line, size, signature)
		}
	})
}

// FuzzChunks decodes arbitrary bodies: no panic, and io.EOF only for exactly the announced length.
func FuzzChunks(f *testing.F) {
	f.Add("4\r\ndata\r\n0\r\nx-amz-checksum-crc32:x\r\n\r\n", int64(4))
	f.Add("2\r\nda\r\n2\r\nta\r\n0\r\n\r\n", int64(4))
	f.Fuzz(func(t *testing.T, body string, length int64) {
		r := httptest.NewRequest("PUT", "/", strings.NewReader(body))
		r.Header.Set(contentHash, unsignedTrailer)
		r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(length))
		if DecodeUnsigned(r) != nil {
			return
		}
		if got, err := io.ReadAll(r.Body); err == nil && int64(len(got)) != length {
			t.Errorf("%d bytes of %d without an error", len(got), length)
		}
	})
}

// FuzzVerify flips one byte of a signed request's parts: it must not pass.
func FuzzVerify(f *testing.F) {
	f.Add("GET", "/a", "b=c", "host.example", "v")
	f.Fuzz(func(t *testing.T, method, path, query, host, value string) {
		r := &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Host: host, Header: http.Header{}}
		r.Header.Set("X-Amz-Date", signedAt.Format(timeForm))
		r.Header.Set("X-Amz-Security-Token", session.SessionToken)
		r.Header.Set("X-Amz-Meta", value)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+session.AccessKeyID+"/20261123/eu-west-1/sqs/aws4_request,SignedHeaders=host;x-amz-date;x-amz-meta;x-amz-security-token,Signature="+emptyHash)
		if _, err := sessionVerifier(0).Verify(r); err == nil {
			t.Error("a made-up signature is accepted")
		}
	})
}
