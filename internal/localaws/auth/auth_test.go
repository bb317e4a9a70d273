package auth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/auth"
	"engage/internal/localaws/auth/authtest"
	"engage/internal/localaws/s3"
	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

const trustRoot = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}`

func withS3(t authtest.TB, p authtest.Parts) *wire.Service {
	svc, err := s3.New(s3.Config{Store: p.Store, Clock: p.Clock.Now, Authorizer: p.Authorizer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := svc.Close(); err != nil {
			t.Error(err)
		}
	})
	return svc.Service()
}

func client(cfg aws.Config) *sdk.Client {
	return sdk.NewFromConfig(cfg, func(o *sdk.Options) { o.UsePathStyle = true })
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// session makes a role with an inline policy and returns the configuration of one of its sessions.
func session(t *testing.T, e *authtest.Endpoint, name, document string) aws.Config {
	t.Helper()
	c := iam.NewFromConfig(e.Root(t))
	if _, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trustRoot)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &document}); err != nil {
		t.Fatal(err)
	}
	out, err := sts.NewFromConfig(e.Root(t)).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/" + name), RoleSessionName: aws.String("run")})
	if err != nil {
		t.Fatal(err)
	}
	return e.Config(t, *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
}

func put(ctx context.Context, c *sdk.Client, bucket, key, body string) error {
	_, err := c.PutObject(ctx, &sdk.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	return err
}

func get(ctx context.Context, c *sdk.Client, bucket, key string) (string, error) {
	out, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	return string(b), err
}

// here is where buckets are: a client elsewhere than us-east-1 has to say so.
var here = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintEuWest1}

func TestS3UnderPolicies(t *testing.T) {
	ctx := t.Context()
	e := authtest.Boot(t, withS3)
	root := client(e.Root(t))
	if _, err := root.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("data"), CreateBucketConfiguration: here}); err != nil {
		t.Fatal(err)
	}
	worker := client(session(t, e, "worker", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::data/out/*"},
		{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::data/out/secret/*"},
		{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::data","Condition":{"StringLike":{"s3:prefix":"out/*"}}}]}`))
	if err := put(ctx, worker, "data", "out/a b+c", "body"); err != nil {
		t.Fatal(err)
	}
	if body, err := get(ctx, worker, "data", "out/a b+c"); err != nil || body != "body" {
		t.Errorf("%q, %v", body, err)
	}
	list := func(prefix string) error {
		_, err := worker.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: aws.String("data"), Prefix: &prefix})
		return err
	}
	for name, err := range map[string]error{
		"elsewhere": put(ctx, worker, "data", "in/x", "body"),
		"secret":    put(ctx, worker, "data", "out/secret/x", "body"),
		"list all":  list(""),
		"anonymous": errors.New("unset"),
	} {
		if name == "anonymous" {
			anonymous := e.Root(t)
			anonymous.Credentials = aws.AnonymousCredentials{}
			_, err = get(ctx, client(anonymous), "data", "out/a b+c")
		}
		if code(err) != "AccessDenied" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := list("out/"); err != nil {
		t.Error(err)
	}
	denied := e.Requests(server.Filter{Denied: true})
	if len(denied) != 4 {
		t.Fatalf("denied %+v", denied)
	}
	for _, r := range denied {
		if r.DeniedAction == "" || !strings.HasPrefix(r.DeniedResource, "arn:aws:s3:::data") {
			t.Errorf("denied %+v", r)
		}
	}
}

func TestBucketPolicyOfAnotherAccountAndRescue(t *testing.T) {
	ctx := t.Context()
	e := authtest.Boot(t, withS3)
	root, foreign := client(e.Root(t)), client(e.Config(t, "111111111111", "test", ""))
	bucket := aws.String("shared")
	if _, err := root.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: bucket, CreateBucketConfiguration: here}); err != nil {
		t.Fatal(err)
	}
	if err := put(ctx, root, "shared", "k", "v"); err != nil {
		t.Fatal(err)
	}
	if _, err := get(ctx, foreign, "shared", "k"); code(err) != "AccessDenied" {
		t.Errorf("foreign: %v", err)
	}
	policy := func(effect, who string) {
		t.Helper()
		document := `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Principal":` + who + `,"Action":"s3:*","Resource":["arn:aws:s3:::shared","arn:aws:s3:::shared/*"]}}`
		if _, err := root.PutBucketPolicy(ctx, &sdk.PutBucketPolicyInput{Bucket: bucket, Policy: &document}); err != nil {
			t.Fatal(err)
		}
	}
	policy("Allow", `{"AWS":"111111111111"}`)
	if body, err := get(ctx, foreign, "shared", "k"); err != nil || body != "v" {
		t.Errorf("foreign, allowed: %q, %v", body, err)
	}
	policy("Deny", `"*"`)
	if _, err := get(ctx, root, "shared", "k"); code(err) != "AccessDenied" {
		t.Errorf("root, denied: %v", err)
	}
	if _, err := root.DeleteBucketPolicy(ctx, &sdk.DeleteBucketPolicyInput{Bucket: bucket}); err != nil {
		t.Errorf("root locked itself out: %v", err)
	}
}

func TestPresignedBySession(t *testing.T) {
	ctx := t.Context()
	e := authtest.Boot(t, withS3)
	root := client(e.Root(t))
	if _, err := root.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("data"), CreateBucketConfiguration: here}); err != nil {
		t.Fatal(err)
	}
	if err := put(ctx, root, "data", "k", "v"); err != nil {
		t.Fatal(err)
	}
	worker := client(session(t, e, "worker", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`))
	signed, err := sdk.NewPresignClient(worker).PresignGetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k")},
		sdk.WithPresignExpires(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	open := func(url string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(body)
	}
	if status, body := open(signed.URL); status != 200 || body != "v" {
		t.Errorf("%d %s", status, body)
	}
	if status, body := open(strings.Replace(signed.URL, "/data/k", "/data/other", 1)); status != 403 || !strings.Contains(body, "SignatureDoesNotMatch") {
		t.Errorf("another key: %d %s", status, body)
	}
	e.Clock.Advance(2 * time.Minute)
	if status, body := open(signed.URL); status != 403 || !strings.Contains(body, "Request has expired") {
		t.Errorf("expired: %d %s", status, body)
	}
}

// boto3 signs URLs by the older version unless it is told otherwise.
func TestOlderPresignedURLs(t *testing.T) {
	e := authtest.Boot(t, withS3)
	sessions := auth.NewSessions(e.Store(), e.Clock.Now, nil)
	authenticator := auth.NewAuthenticator(sessions, func() time.Time { return time.Unix(1795402000, 0) }, 0)
	r := httptest.NewRequest("GET", "/ddd/x?AWSAccessKeyId=test&Signature=mMMvF%2F9akFYqNn3X8bwFCA4myGo%3D&Expires=1795402576", nil)
	if caller, err := authenticator.Authenticate(r); err != nil || caller.ARN != "arn:aws:iam::000000000000:root" {
		t.Errorf("%+v, %v", caller, err)
	}
	r.URL.Path = "/ddd/y"
	if _, err := authenticator.Authenticate(r); !wire.IsCode(err, "SignatureDoesNotMatch") {
		t.Errorf("another key: %v", err)
	}
}

// A body that is not the signed one must leave no object behind.
func TestForgedBodyIsNotStored(t *testing.T) {
	ctx := t.Context()
	e := authtest.Boot(t, withS3)
	root := client(e.Root(t))
	if _, err := root.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("data"), CreateBucketConfiguration: here}); err != nil {
		t.Fatal(err)
	}
	forged := e.Root(t)
	forged.HTTPClient = forger{}
	c := sdk.NewFromConfig(forged, func(o *sdk.Options) {
		o.UsePathStyle, o.RequestChecksumCalculation = true, aws.RequestChecksumCalculationWhenRequired
	})
	if err := put(ctx, c, "data", "k", "genuine"); code(err) != "XAmzContentSHA256Mismatch" {
		t.Errorf("forged: %v", err)
	}
	if _, err := get(ctx, root, "data", "k"); code(err) != "NoSuchKey" {
		t.Errorf("after a forged body: %v", err)
	}
}

// forger changes bodies on their way.
type forger struct{}

func (forger) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(bytes.ToUpper(body)))
	}
	return http.DefaultClient.Do(r)
}

func TestS3SignatureErrors(t *testing.T) {
	e := authtest.Boot(t, withS3)
	for _, c := range []struct{ key, secret, token, want string }{
		{"test", "wrong", "", "SignatureDoesNotMatch"},
		{"AKIANOBODY0000000000", "x", "", "InvalidAccessKeyId"},
		{"test", "test", "token", "InvalidToken"},
	} {
		_, err := client(e.Config(t, c.key, c.secret, c.token)).ListBuckets(t.Context(), &sdk.ListBucketsInput{})
		if code(err) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
	e.Clock.Advance(time.Hour)
	if _, err := client(e.Root(t)).ListBuckets(t.Context(), &sdk.ListBucketsInput{}); code(err) != "RequestTimeTooSkewed" {
		t.Errorf("an hour late: %v", err)
	}
}
