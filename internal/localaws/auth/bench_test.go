package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"engage/internal/localaws/policy"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// BenchmarkCall is what the permission check adds to each call of a session:
// signature, session look-up and policies.
func BenchmarkCall(b *testing.B) {
	now := func() time.Time { return noon }
	store, err := state.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	sessions := NewSessions(store, now, rand.Reader)
	s, err := sessions.Issue(worker, nil, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	document, err := policy.Parse(policy.Identity, one(`"Effect":"Allow","Action":"glue:Get*","Resource":"arn:aws:glue:*:*:*"`))
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"DatabaseName":"d","Name":"t"}`)
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:4566/", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AWSGlue.GetTable")
	creds := aws.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.Secret, SessionToken: s.Token}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), "glue", "eu-west-1", noon); err != nil {
		b.Fatal(err)
	}
	r.Host = r.URL.Host
	authenticator := NewAuthenticator(sessions, now, 0)
	authorizer := NewAuthorizer(sessions, fakeRoles{RolePolicies{ID: "AROAW", Identity: []*policy.Document{document}}}, now)
	access := []wire.Access{{Action: "glue:GetTable", Resource: "arn:aws:glue:eu-west-1:000000000000:table/d/t"}}
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(bytes.NewReader(body))
		caller, err := authenticator.Authenticate(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := authorizer.Authorize(context.Background(), &wire.Call{Service: &wire.Service{Name: "glue"}, Caller: caller, HTTP: r}, access); err != nil {
			b.Fatal(err)
		}
	}
}
