package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"engage/internal/localaws"
	"engage/internal/resource"
	"engage/internal/store"
	"engage/internal/store/mem"
	"engage/internal/store/s3"
)

// everything is what each store does.
type everything interface {
	store.Reader
	store.Writer
	store.Lister
	store.Copier
	store.Eraser
	store.Locator
}

var (
	_ everything = (*mem.Store)(nil)
	_ everything = (*s3.Store)(nil)
)

func TestMemory(t *testing.T) { behave(t, mem.New(time.Now)) }

func TestS3(t *testing.T) { behave(t, overEndpoint(t)) }

// overEndpoint is a store over the versioned buckets of an endpoint of its own,
// but for that of the audit, which it leaves out.
func overEndpoint(t *testing.T) *s3.Store {
	t.Helper()
	e, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := awss3.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(e.URL()), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	names := store.Names{}
	for _, b := range resource.Buckets() {
		names[b] = resource.LocalEnvironment().Bucket(b)
		if b == resource.Audit {
			continue
		}
		if _, err := client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String(names[b])}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.PutBucketVersioning(t.Context(), &awss3.PutBucketVersioningInput{Bucket: aws.String(names[b]),
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}); err != nil {
			t.Fatal(err)
		}
	}
	return s3.New(client, names)
}

// behave is what every store does.
func behave(t *testing.T, s everything) {
	ctx := t.Context()
	put := func(key, body string) {
		t.Helper()
		if err := s.Put(ctx, resource.Data, key, []byte(body), "text/plain"); err != nil {
			t.Fatal(err)
		}
	}
	read := func(key string) string {
		t.Helper()
		text, err := store.ReadAll(ctx, s, resource.Data, key)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	put("raw/a", "1")
	put("raw/a", "2")
	put("raw/b c+d", "3")
	put("rawest", "4")
	if got := read("raw/a"); got != "2" {
		t.Errorf("the last version is %q, want 2", got)
	}
	if err := s.Copy(ctx, store.Ref{Bucket: resource.Data, Key: "raw/b c+d"}, store.Ref{Bucket: resource.Data, Key: "raw/copy"}); err != nil {
		t.Error(err)
	}
	if got := read("raw/copy"); got != "3" {
		t.Errorf("the copy is %q, want 3", got)
	}
	if got := list(t, s, resource.Raw); got != "raw/a:1 raw/b c+d:1 raw/copy:1" {
		t.Errorf("listed %q", got)
	}
	if n, err := s.Erase(ctx, resource.Raw); err != nil || n != 4 {
		t.Errorf("deleted %d versions, %v; want 4", n, err)
	}
	if got := list(t, s, resource.Location{Bucket: resource.Data}); got != "rawest:1" {
		t.Errorf("%q is left", got)
	}
	if n, err := s.Erase(ctx, resource.Raw); err != nil || n != 0 {
		t.Errorf("deleted %d versions of nothing, %v", n, err)
	}
	if _, err := s.Get(ctx, resource.Data, "raw/a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a deleted object: %v", err)
	}
	if got := s.URI(resource.Raw); got != "s3://engagement-data/raw/" {
		t.Errorf("URI %q", got)
	}
	if n, err := s.Erase(ctx, resource.Trail); err != nil || n != 0 {
		t.Errorf("a bucket without objects, or none at all: %d, %v", n, err)
	}
}

func list(t *testing.T, s store.Lister, l resource.Location) string {
	t.Helper()
	var out []string
	for o, err := range s.List(t.Context(), l) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s:%d", o.Key, o.Size))
	}
	return strings.Join(out, " ")
}

// More than one batch of 1,000 goes, delete markers too.
func TestEraseManyVersions(t *testing.T) {
	s := overEndpoint(t)
	const n = 2345
	for i := range n {
		if err := s.Put(t.Context(), resource.Data, fmt.Sprintf("raw/%d", i), nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), resource.Data, "landing/kept", nil, ""); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Erase(t.Context(), resource.Raw); err != nil || got != n {
		t.Errorf("deleted %d, %v; want %d", got, err, n)
	}
	if got := list(t, s, resource.Location{Bucket: resource.Data}); got != "landing/kept:0" {
		t.Errorf("%q is left", got)
	}
}

func TestNamesFromTellsAllThatIsMissing(t *testing.T) {
	_, err := store.NamesFrom(func(string) string { return "" })
	for _, b := range resource.Buckets() {
		if !strings.Contains(fmt.Sprint(err), string(b.EnvVar())) {
			t.Errorf("%v does not name %s", err, b.EnvVar())
		}
	}
	values := resource.LocalEnvironment().Buckets()
	names, err := store.NamesFrom(func(name string) string { return values[resource.EnvVar(name)] })
	if err != nil || names[resource.QA] != "engagement-qa" {
		t.Errorf("%v, %v", names, err)
	}
}
