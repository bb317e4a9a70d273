package s3_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"engage/internal/localaws/s3"
	"engage/internal/localaws/wire"
)

// signedForms takes the signature "good".
type signedForms struct{}

func (signedForms) VerifyForm(_ context.Context, fields map[string]string) (wire.Caller, error) {
	if fields["policy"] != "" && fields["x-amz-signature"] != "good" {
		return wire.Caller{}, wire.StatusErrorf(http.StatusForbidden, "SignatureDoesNotMatch", "no")
	}
	return serverCaller(), nil
}

// form returns a body of fields, "name=value", and the file "f.txt".
func form(t *testing.T, file string, fields ...string) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		must(t, 0, w.WriteField(name, value))
	}
	part, err := w.CreateFormFile("file", "f.txt")
	must(t, part, err)
	_, err = part.Write([]byte(file))
	must(t, 0, err)
	must(t, 0, w.Close())
	return b.String(), "Content-Type: " + w.FormDataContentType()
}

func policyField(conditions string) string {
	return "policy=" + base64.StdEncoding.EncodeToString([]byte(`{"expiration":"2026-03-02T00:00:00Z","conditions":[`+conditions+`]}`))
}

func TestUploadForms(t *testing.T) {
	clock := &watch{}
	clock.now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := bootWith(t, t.TempDir(), s3.Config{Clock: clock.time, Forms: signedForms{}})
	b := e.bucket("data")
	good := `{"bucket":"data"},["starts-with","$key","up/"],["content-length-range",2,4],["starts-with","$content-type",""],{"success_action_status":"201"}`
	base := []string{"key=up/${filename}", "Content-Type=text/csv", "success_action_status=201", "x-amz-signature=good"}
	for _, c := range []struct {
		name, file string
		fields     []string
		status     int
		word       string
	}{
		{"as the policy says", "abc", append(base, policyField(good)), 201, "<Key>up/f.txt</Key>"},
		{"too long", "abcde", append(base, policyField(good)), 400, "EntityTooLarge"},
		{"too short", "a", append(base, policyField(good)), 400, "EntityTooSmall"},
		{"another key", "abc", append(base[1:], "key=down", policyField(good)), 403, "Policy Condition failed: ["},
		{"a field too many", "abc", append(base, "x-amz-meta-a=1", policyField(good)), 403, "Extra input fields: x-amz-meta-a"},
		{"another signature", "abc", append(base[:3:3], "x-amz-signature=bad", policyField(good)), 403, "SignatureDoesNotMatch"},
		{"a policy that is none", "abc", append(base, "policy=bm8="), 400, "InvalidPolicyDocument"},
		{"no key", "abc", base[1:], 400, "Bucket POST must contain a field named"},
	} {
		body, contentType := form(t, c.file, c.fields...)
		if status, text, _ := e.raw("POST", "/data", body, contentType); status != c.status || !strings.Contains(text, c.word) {
			t.Errorf("%s: got %d %s, want %d %s", c.name, status, text, c.status, c.word)
		}
	}
	if e.get(b, "up/f.txt") != "abc" || e.keys(b) != "up/f.txt:STANDARD" {
		t.Errorf("got %s", e.keys(b))
	}
	clock.add(2)
	body, contentType := form(t, "abc", append(base, policyField(good))...)
	if status, text, _ := e.raw("POST", "/data", body, contentType); status != 403 || !strings.Contains(text, "Policy expired") {
		t.Errorf("got %d %s", status, text)
	}
	if status, text, _ := e.raw("POST", "/data", "x", "Content-Type: text/plain"); status != 412 {
		t.Errorf("got %d %s", status, text)
	}
}

func TestCustomerKeys(t *testing.T) {
	e := boot(t)
	b, k := e.bucket("data"), aws.String("k")
	keys := func(raw string) (*string, *string, *string) {
		sum := md5.Sum([]byte(raw))
		return aws.String("AES256"), aws.String(base64.StdEncoding.EncodeToString([]byte(raw))), aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	}
	right, wrong := strings.Repeat("k", 32), strings.Repeat("w", 32)
	put := &sdk.PutObjectInput{Bucket: b, Key: k, Body: strings.NewReader("x")}
	put.SSECustomerAlgorithm, put.SSECustomerKey, put.SSECustomerKeyMD5 = keys(right)
	out, err := e.PutObject(t.Context(), put)
	if must(t, out, err); *out.SSECustomerKeyMD5 != *put.SSECustomerKeyMD5 || out.ServerSideEncryption != "" {
		t.Errorf("got %+v", out)
	}
	get := &sdk.GetObjectInput{Bucket: b, Key: k}
	_, err = e.GetObject(t.Context(), get)
	wantCode(t, err, "InvalidRequest")
	get.SSECustomerAlgorithm, get.SSECustomerKey, get.SSECustomerKeyMD5 = keys(wrong)
	_, err = e.GetObject(t.Context(), get)
	wantCode(t, err, "AccessDenied")
	get.SSECustomerAlgorithm, get.SSECustomerKey, get.SSECustomerKeyMD5 = keys(right)
	got, err := e.GetObject(t.Context(), get)
	if e.body(must(t, got, err)) != "x" {
		t.Error("the right key does not open")
	}
	cp := &sdk.CopyObjectInput{Bucket: b, Key: aws.String("open"), CopySource: aws.String("data/k")}
	_, err = e.CopyObject(t.Context(), cp)
	wantCode(t, err, "InvalidRequest")
	cp.CopySourceSSECustomerAlgorithm, cp.CopySourceSSECustomerKey, cp.CopySourceSSECustomerKeyMD5 = keys(right)
	_, err = e.CopyObject(t.Context(), cp)
	must(t, 0, err)
	if e.get(b, "open") != "x" {
		t.Error("the copy has another body")
	}
	get.Key = aws.String("open")
	_, err = e.GetObject(t.Context(), get)
	wantCode(t, err, "InvalidRequest")
	put.SSECustomerKeyMD5 = put.SSECustomerKey
	_, err = e.PutObject(t.Context(), put)
	wantCode(t, err, "InvalidArgument")
}
