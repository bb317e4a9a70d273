package s3_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/s3"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// endpoint is a running server with S3 alone.
type endpoint struct {
	*testing.T
	*sdk.Client
	url     string
	dir     string
	server  *server.Server
	service *s3.Service
	close   func()
}

func boot(t *testing.T) *endpoint { return bootIn(t, t.TempDir(), nil) }

func bootIn(t *testing.T, dir string, authorizer wire.Authorizer) *endpoint {
	t.Helper()
	return bootWith(t, dir, s3.Config{Authorizer: authorizer})
}

func bootWith(t *testing.T, dir string, cfg s3.Config) *endpoint {
	t.Helper()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir, Authorizer: cfg.Authorizer, Clock: cfg.Clock})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Store, cfg.Meter, cfg.Refused = store, srv.Meter(), srv.LogRefusal
	svc, err := s3.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv.Register(svc.Service(), svc.Control())
	srv.Observe(func(call *wire.Call, _ server.Record, err error) { svc.Observe(call, err) })
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop := func() {
		once.Do(func() {
			if err := errors.Join(srv.Shutdown(context.Background()), svc.Close(), store.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return &endpoint{t, newClient(srv.URL()), srv.URL(), dir, srv, svc, stop}
}

func newClient(url string) *sdk.Client {
	return sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: aws.String(url), UsePathStyle: true,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

// must fails the test on an error.
func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wantCode fails the test unless the error has the code.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func (e *endpoint) bucket(name string) *string {
	e.Helper()
	_, err := e.CreateBucket(e.Context(), &sdk.CreateBucketInput{Bucket: &name})
	must(e, 0, err)
	return &name
}

func (e *endpoint) put(bucket *string, key, body string) *sdk.PutObjectOutput {
	e.Helper()
	out, err := e.PutObject(e.Context(), &sdk.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(body)})
	return must(e, out, err)
}

func (e *endpoint) get(bucket *string, key string) string {
	e.Helper()
	out, err := e.GetObject(e.Context(), &sdk.GetObjectInput{Bucket: bucket, Key: &key})
	return e.body(must(e, out, err))
}

func (e *endpoint) body(out *sdk.GetObjectOutput) string {
	e.Helper()
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	return string(must(e, b, err))
}

// raw sends a request that the SDK would not.
func (e *endpoint) raw(method, path, body string, headers ...string) (int, string, http.Header) {
	e.Helper()
	r, err := http.NewRequestWithContext(e.Context(), method, e.url+path, strings.NewReader(body))
	must(e, 0, err)
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			continue
		}
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(e, 0, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(must(e, b, err)), resp.Header
}

// files returns the paths below a directory, with slashes.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			found = append(found, rel)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return found
}

func serverCaller() wire.Caller { return wire.Root(wire.DefaultAccount, wire.DefaultRegion) }
