package sigv4

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"
)

// TestVerifyForm signs a policy as the specification says, step by step.
func TestVerifyForm(t *testing.T) {
	sign := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := []byte("AWS4secret")
	for _, part := range []string{"20260301", "eu-west-1", "s3", "aws4_request"} {
		key = sign(key, part)
	}
	v := &Verifier{Now: time.Now, Keys: func(_ context.Context, id string) (Credential, error) {
		if id != "id" {
			return Credential{}, ErrUnknownKey
		}
		return Credential{Secret: "secret"}, nil
	}}
	fields := func(name, value string) map[string]string {
		f := map[string]string{"policy": "cG9saWN5", "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": "20260301T120000Z",
			"x-amz-credential": "id/20260301/eu-west-1/s3/aws4_request", "x-amz-signature": hex.EncodeToString(sign(key, "cG9saWN5"))}
		if name != "" {
			f[name] = value
		}
		return f
	}
	if a, err := v.VerifyForm(t.Context(), fields("", "")); err != nil || a.AccessKey != "id" || a.Region != "eu-west-1" {
		t.Errorf("got %+v, %v", a, err)
	}
	for name, c := range map[string]struct {
		value string
		want  Kind
	}{
		"policy":               {"b3RoZXI=", Mismatch},
		"x-amz-credential":     {"other/20260301/eu-west-1/s3/aws4_request", UnknownKey},
		"x-amz-date":           {"20260302T120000Z", BadQuery},
		"x-amz-algorithm":      {"AWS4-ECDSA", Algorithm},
		"x-amz-security-token": {"token", BadToken},
	} {
		var e *Error
		if _, err := v.VerifyForm(t.Context(), fields(name, c.value)); !errors.As(err, &e) || e.Kind != c.want {
			t.Errorf("%s: got %v, want kind %d", name, err, c.want)
		}
	}
}
