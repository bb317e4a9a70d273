package sigv2

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/sigv4"
)

func keys(_ context.Context, key string) (sigv4.Credential, error) {
	switch key {
	case "test":
		return sigv4.Credential{Secret: "test"}, nil
	case "AKIAIOSFODNN7EXAMPLE":
		return sigv4.Credential{Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, nil
	case "ASIA":
		return sigv4.Credential{Secret: "s", Token: "t"}, nil
	}
	return sigv4.Credential{}, sigv4.ErrUnknownKey
}

// urls were made by boto3 1.44.5, and the last one is AWS's documented example.
var urls = []struct{ method, url, host, contentType string }{
	{"GET", "/ddd/ok/%C3%BC%20%2B%26%3D/x?versionId=abc&response-content-type=text%2Fplain&AWSAccessKeyId=test&Signature=IdV802Vj9BBlpaJXeWJLjdNm9Jk%3D&Expires=1795402575", "127.0.0.1:4566", ""},
	{"PUT", "/ddd/new?AWSAccessKeyId=test&Signature=5o01c%2FRp1sHm%2BwKsSnzbvVhhTyI%3D&content-type=text%2Fx&Expires=1795402575", "127.0.0.1:4566", "text/x"},
	{"GET", "/ddd/x?AWSAccessKeyId=test&Signature=mMMvF%2F9akFYqNn3X8bwFCA4myGo%3D&Expires=1795402576", "127.0.0.1:4566", ""},
	{"GET", "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620", "johnsmith.s3.amazonaws.com", ""},
}

func TestVerify(t *testing.T) {
	before := time.Unix(1175139000, 0)
	for _, c := range urls {
		r := httptest.NewRequest(c.method, c.url, nil)
		r.Host = c.host
		if c.contentType != "" {
			r.Header.Set("Content-Type", c.contentType)
		}
		if !Signed(r) {
			t.Errorf("%s: not taken for a signed URL", c.url)
		}
		if _, err := Verify(r, keys, before); err != nil {
			t.Errorf("%s: %v", c.url, err)
		}
		r.Method = "DELETE"
		if _, err := Verify(r, keys, before); code(err) != "SignatureDoesNotMatch" {
			t.Errorf("%s: another method: %v", c.url, err)
		}
		if _, err := Verify(r, keys, time.Unix(1795402576, 0)); code(err) != "AccessDenied" {
			t.Errorf("%s: expired: %v", c.url, err)
		}
	}
}

func code(err error) string {
	var refused *sigv4.Error
	if errors.As(err, &refused) {
		return refused.Code()
	}
	return ""
}

func TestRefusals(t *testing.T) {
	for query, want := range map[string]string{
		"AWSAccessKeyId=nobody&Signature=x&Expires=9999999999":  "InvalidAccessKeyId",
		"AWSAccessKeyId=ASIA&Signature=x&Expires=9999999999":    "InvalidToken",
		"AWSAccessKeyId=test&Signature=%25&Expires=9999999999":  "AuthorizationQueryParametersError",
		"AWSAccessKeyId=test&Signature=eA==&Expires=soon":       "AuthorizationQueryParametersError",
		"AWSAccessKeyId=test&Signature=eA==&Expires=9&%zz":      "AuthorizationQueryParametersError",
		"AWSAccessKeyId=test&Signature=eA==&Expires=9999999999": "SignatureDoesNotMatch",
	} {
		if _, err := Verify(httptest.NewRequest("GET", "/b/k?"+query, nil), keys, time.Unix(0, 0)); code(err) != want {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("AWSAccessKeyId=test&Signature=eA==&Expires=9999999999")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/b/k", nil)
		r.URL.RawQuery = query
		if _, err := Verify(r, keys, time.Unix(0, 0)); err == nil && !strings.Contains(query, "Signature") {
			t.Errorf("%q is accepted", query)
		}
	})
}
