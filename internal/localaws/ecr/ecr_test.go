package ecr_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"engage/internal/localaws/ecr"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const account = "000000000000"

// denied is an Authorizer that refuses some actions.
type denied map[string]bool

func (d denied) Authorize(_ context.Context, call *wire.Call, all []wire.Access) error {
	for _, a := range all {
		if d[a.Action] {
			return wire.Denied(call.Caller, a, "no identity-based policy allows the "+a.Action+" action")
		}
	}
	return nil
}

type fixture struct {
	*ecr.Service
	dir    string
	server *server.Server
	client *sdk.Client
	now    atomic.Int64 // seconds after the clock's start
	denied denied
}

func boot(t *testing.T, dir string) *fixture {
	t.Helper()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{dir: dir, denied: denied{}}
	begin := time.Now()
	clock := func() time.Time { return begin.Add(time.Duration(f.now.Load()) * time.Second) }
	if f.Service, err = ecr.New(ecr.Config{Store: store, Clock: clock, Authorizer: f.denied}); err != nil {
		t.Fatal(err)
	}
	if f.server, err = server.New(server.Config{Addr: "127.0.0.1:0", Dir: t.TempDir(), Services: []*wire.Service{f.Wire()}}); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.stop(t, store) })
	f.client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(f.server.URL()), Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}), RetryMaxAttempts: 1})
	return f
}

func (f *fixture) stop(t *testing.T, store *state.Store) {
	if err := errors.Join(f.server.Shutdown(context.Background()), f.Close(), store.Close()); err != nil {
		t.Error(err)
	}
}

func (f *fixture) create(t *testing.T, in *sdk.CreateRepositoryInput) {
	t.Helper()
	if _, err := f.client.CreateRepository(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) login(t *testing.T) remote.Option {
	t.Helper()
	out, err := f.client.GetAuthorizationToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(raw), ":")
	return remote.WithAuth(&authn.Basic{Username: user, Password: password})
}

func (f *fixture) ref(t *testing.T, text string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(f.server.Addr() + "/" + text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (f *fixture) push(t *testing.T, text string, img v1.Image) error {
	t.Helper()
	return remote.Write(f.ref(t, text), img, f.login(t), remote.WithContext(t.Context()))
}

func randomImage(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func digestOf(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	var oci *transport.Error
	if errors.As(err, &oci) && len(oci.Errors) > 0 {
		return fmt.Sprint(oci.StatusCode, " ", oci.Errors[0].Code)
	}
	return fmt.Sprint(err)
}

func TestPushAndPull(t *testing.T) {
	dir := t.TempDir()
	img := randomImage(t)
	t.Run("push", func(t *testing.T) {
		f := boot(t, dir)
		f.create(t, &sdk.CreateRepositoryInput{RepositoryName: aws.String("team/app")})
		if err := f.push(t, "team/app:v1", img); err != nil {
			t.Fatal(err)
		}
		if err := f.push(t, "team/app:v1", img); err != nil {
			t.Errorf("pushing again: %v", err)
		}
	})
	// Another process over the same files has it all.
	f := boot(t, dir)
	got, err := remote.Image(f.ref(t, "team/app:v1"), f.login(t))
	if err != nil {
		t.Fatal(err)
	}
	if digestOf(t, got) != digestOf(t, img) {
		t.Error("another image came back")
	}
	layers, err := got.Layers()
	if err != nil || len(layers) != 2 {
		t.Fatal(err, len(layers))
	}
	for _, l := range layers {
		r, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil { // verifies the digest
			t.Error(err)
		}
		r.Close()
	}
	tags, err := remote.List(f.ref(t, "team/app").Context(), f.login(t))
	if err != nil || strings.Join(tags, " ") != "v1" {
		t.Errorf("got %v %v", tags, err)
	}
}

func TestPullInsideTheProcess(t *testing.T) {
	f := boot(t, t.TempDir())
	f.create(t, &sdk.CreateRepositoryInput{RepositoryName: aws.String("app")})
	img := randomImage(t)
	arm := v1.Platform{OS: "linux", Architecture: "arm64"}
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &arm}})
	if err := remote.WriteIndex(f.ref(t, "app:multi"), index, f.login(t)); err != nil {
		t.Fatal(err)
	}
	caller := wire.Root(account, "eu-west-1")
	for _, ref := range []string{f.server.Addr() + "/app:multi", account + ".dkr.ecr.eu-west-1.amazonaws.com/app:multi",
		account + ".dkr.ecr.eu-west-1.localhost:4566/app@" + digestOf(t, img)} {
		got, err := f.Pull(t.Context(), caller, ref, arm)
		if err != nil || digestOf(t, got) != digestOf(t, img) {
			t.Errorf("%s: got %v", ref, err)
			continue
		}
		if _, err := got.ConfigFile(); err != nil {
			t.Error(err)
		}
	}
	var (
		platform *ecr.PlatformError
		foreign  *ecr.ReferenceError
	)
	if _, err := f.Pull(t.Context(), caller, f.server.Addr()+"/app:multi", v1.Platform{OS: "linux", Architecture: "amd64"}); !errors.As(err, &platform) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Pull(t.Context(), caller, "docker.io/library/alpine:3", arm); !errors.As(err, &foreign) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Pull(t.Context(), caller, f.server.Addr()+"/app:none", arm); code(err) != "ImageNotFoundException: The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the repository with name 'app' in the registry with id '000000000000'" {
		t.Errorf("got %v", err)
	}
	f.denied["ecr:BatchGetImage"] = true
	if _, err := f.Pull(t.Context(), caller, f.server.Addr()+"/app:multi", arm); !wire.IsAccessDenied(err) {
		t.Errorf("got %v", err)
	}
}

func TestECRNamesReachTheEndpoint(t *testing.T) {
	f := boot(t, t.TempDir())
	f.create(t, &sdk.CreateRepositoryInput{RepositoryName: aws.String("app")})
	out, err := f.client.DescribeRepositories(t.Context(), &sdk.DescribeRepositoriesInput{RepositoryNames: []string{"app"}})
	if err != nil {
		t.Fatal(err)
	}
	uri := *out.Repositories[0].RepositoryUri
	if uri != account+".dkr.ecr.eu-west-1.amazonaws.com/app" {
		t.Errorf("got %s", uri)
	}
	ref, err := name.ParseReference(uri + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	endpoint, _ := url.Parse(f.server.URL())
	if err := remote.Write(ref, randomImage(t), f.login(t), remote.WithTransport(ecr.Mapped(endpoint, http.DefaultTransport))); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	f := boot(t, t.TempDir())
	f.create(t, &sdk.CreateRepositoryInput{RepositoryName: aws.String("app"), ImageTagMutability: types.ImageTagMutabilityImmutable})
	img := randomImage(t)
	if err := f.push(t, "app:v1", img); err != nil {
		t.Fatal(err)
	}
	if err := f.push(t, "app:v1", img); err != nil {
		t.Errorf("the same image again: %v", err)
	}
	if err := f.push(t, "app:v1", randomImage(t)); code(err) != "400 TAG_INVALID" || !strings.Contains(err.Error(), "cannot be overwritten because the tag is immutable") {
		t.Errorf("immutable tag: got %v", err)
	}
	if err := f.push(t, "none:v1", img); code(err) != "404 NAME_UNKNOWN" {
		t.Errorf("no repository: got %v", err)
	}
	if _, err := remote.Image(f.ref(t, "app:v2"), remote.WithAuth(&authn.Basic{Username: "AWS", Password: "wrong"})); code(err) != "401 UNAUTHORIZED" {
		t.Errorf("wrong password: got %v", err)
	}
	old := f.login(t)
	f.now.Add(13 * 3600)
	if _, err := remote.Image(f.ref(t, "app:v1"), old); code(err) != "401 UNAUTHORIZED" {
		t.Errorf("expired password: got %v", err)
	}
	f.denied["ecr:PutImage"] = true
	if err := f.push(t, "app:v3", randomImage(t)); code(err) != "403 DENIED" {
		t.Errorf("no permission: got %v", err)
	}
	_, err := f.client.DescribeImageScanFindings(t.Context(), &sdk.DescribeImageScanFindingsInput{RepositoryName: aws.String("app"), ImageId: &types.ImageIdentifier{ImageTag: aws.String("v1")}})
	if code(err) != "NotImplemented" || !strings.Contains(err.Error(), "DescribeImageScanFindings") {
		t.Errorf("got %v", err)
	}
}

// send makes one plain request to the registry.
func (f *fixture) send(t *testing.T, method, path, body string) (int, string, http.Header) {
	t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = f.server.URL() + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.client.GetAuthorizationToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Basic "+*out.AuthorizationData[0].AuthorizationToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), resp.Header
}

func TestProtocolFaults(t *testing.T) {
	f := boot(t, t.TempDir())
	f.create(t, &sdk.CreateRepositoryInput{RepositoryName: aws.String("app")})
	zero := "sha256:" + strings.Repeat("0", 64)
	status, _, h := f.send(t, "POST", "/v2/app/blobs/uploads/", "")
	if status != 202 {
		t.Fatal(status)
	}
	if status, body, _ := f.send(t, "PUT", h.Get("Location")+"?digest="+zero, "abc"); status != 400 || !strings.Contains(body, "DIGEST_INVALID") {
		t.Errorf("wrong digest: got %d %s", status, body)
	}
	if left, _ := os.ReadDir(filepath.Join(f.dir, "ecr", "uploads")); len(left) != 0 {
		t.Errorf("a refused upload left %v", left)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"PATCH", "/v2/app/blobs/uploads/none", "x", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"GET", "/v2/app/blobs/" + zero, "", 404, "BLOB_UNKNOWN"},
		{"GET", "/v2/app/blobs/sha512:00", "", 400, "DIGEST_INVALID"},
		{"GET", "/v2/app/manifests/none", "", 404, "MANIFEST_UNKNOWN"},
		{"PUT", "/v2/app/manifests/v1", "{", 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/app/manifests/v1", `{"schemaVersion":1}`, 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/app/manifests/v1", `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"digest":"` + zero + `"},"layers":[]}`, 404, "MANIFEST_BLOB_UNKNOWN"},
		{"DELETE", "/v2/app/manifests/v1", "", 405, "UNSUPPORTED"},
		{"GET", "/v2/_catalog", "", 405, "UNSUPPORTED"},
		{"GET", "/v2/App/tags/list", "", 400, "NAME_INVALID"},
		{"GET", "/v2/", "", 200, ""},
	} {
		if status, body, _ := f.send(t, c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: got %d %s", c.method, c.path, status, body)
		}
	}
}

func TestLifecycleKeepsTheLast(t *testing.T) {
	f := boot(t, t.TempDir())
	repo := aws.String("app")
	f.create(t, &sdk.CreateRepositoryInput{RepositoryName: repo})
	policy := `{"rules":[
		{"rulePriority":1,"description":"releases","selection":{"tagStatus":"tagged","tagPrefixList":["v"],"countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}},
		{"rulePriority":2,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1},"action":{"type":"expire"}}]}`
	if _, err := f.client.PutLifecyclePolicy(t.Context(), &sdk.PutLifecyclePolicyInput{RepositoryName: repo, LifecyclePolicyText: &policy}); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		f.now.Add(1)
		if err := f.push(t, fmt.Sprintf("app:v%d", i), randomImage(t)); err != nil {
			t.Fatal(err)
		}
	}
	f.now.Add(1)
	for range 2 { // the first loses its tag
		if err := f.push(t, "app:latest", randomImage(t)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(wantTags string, wantImages int) {
		t.Helper()
		tags, err := remote.List(f.ref(t, "app").Context(), f.login(t))
		if err != nil || strings.Join(tags, " ") != wantTags {
			t.Errorf("got %v %v, want %s", tags, err, wantTags)
		}
		out, err := f.client.DescribeImages(t.Context(), &sdk.DescribeImagesInput{RepositoryName: repo})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.ImageDetails) != wantImages {
			t.Errorf("got %d images, want %d", len(out.ImageDetails), wantImages)
		}
	}
	check("latest v2 v3", 4)
	f.now.Add(25 * 3600)
	if err := f.Expire(); err != nil {
		t.Fatal(err)
	}
	check("latest v2 v3", 3)
	blobs := 0
	_ = filepath.WalkDir(filepath.Join(f.dir, "ecr", "sha256"), func(_ string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			blobs++
		}
		return nil
	})
	if blobs != 9 { // a configuration and two layers each
		t.Errorf("%d blobs are left", blobs)
	}
}

func TestImageCalls(t *testing.T) {
	f := boot(t, t.TempDir())
	repo := aws.String("app")
	f.create(t, &sdk.CreateRepositoryInput{RepositoryName: repo, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true},
		EncryptionConfiguration:    &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeKms, KmsKey: aws.String("k")}})
	_, err := f.client.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: repo})
	if code(err) != "RepositoryAlreadyExistsException" {
		t.Errorf("got %v", err)
	}
	img := randomImage(t)
	if err := f.push(t, "app:v1", img); err != nil {
		t.Fatal(err)
	}
	got, err := f.client.BatchGetImage(t.Context(), &sdk.BatchGetImageInput{RepositoryName: repo, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}, {ImageTag: aws.String("none")}}})
	if err != nil || len(got.Images) != 1 || len(got.Failures) != 1 {
		t.Fatalf("got %+v %v", got, err)
	}
	if _, err := f.client.PutImage(t.Context(), &sdk.PutImageInput{RepositoryName: repo, ImageManifest: got.Images[0].ImageManifest, ImageTag: aws.String("v2")}); err != nil {
		t.Error(err)
	}
	_, err = f.client.PutImage(t.Context(), &sdk.PutImageInput{RepositoryName: repo, ImageManifest: got.Images[0].ImageManifest, ImageTag: aws.String("v2")})
	if code(err) != "ImageAlreadyExistsException" {
		t.Errorf("got %v", err)
	}
	list, err := f.client.ListImages(t.Context(), &sdk.ListImagesInput{RepositoryName: repo, MaxResults: aws.Int32(1)})
	if err != nil || len(list.ImageIds) != 1 || list.NextToken == nil {
		t.Errorf("got %+v %v", list, err)
	}
	if _, err = f.client.DeleteRepository(t.Context(), &sdk.DeleteRepositoryInput{RepositoryName: repo}); code(err) != "RepositoryNotEmptyException" {
		t.Errorf("got %v", err)
	}
	gone, err := f.client.BatchDeleteImage(t.Context(), &sdk.BatchDeleteImageInput{RepositoryName: repo, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}, {ImageTag: aws.String("v2")}}})
	if err != nil || len(gone.ImageIds) != 2 {
		t.Errorf("got %+v %v", gone, err)
	}
	_, err = f.client.DescribeImages(t.Context(), &sdk.DescribeImagesInput{RepositoryName: repo, ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}}})
	if code(err) != "ImageNotFoundException" {
		t.Errorf("got %v", err)
	}
	arn := "arn:aws:ecr:eu-west-1:" + account + ":repository/app"
	tags, err := f.client.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: &arn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "a" {
		t.Errorf("got %+v %v", tags, err)
	}
	layer := []byte("layer")
	up, err := f.client.InitiateLayerUpload(t.Context(), &sdk.InitiateLayerUploadInput{RepositoryName: repo})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.client.UploadLayerPart(t.Context(), &sdk.UploadLayerPartInput{RepositoryName: repo, UploadId: up.UploadId, PartFirstByte: aws.Int64(0), PartLastByte: aws.Int64(4), LayerPartBlob: layer}); err != nil {
		t.Fatal(err)
	}
	hash, _, _ := v1.SHA256(strings.NewReader("layer"))
	if _, err := f.client.CompleteLayerUpload(t.Context(), &sdk.CompleteLayerUploadInput{RepositoryName: repo, UploadId: up.UploadId, LayerDigests: []string{hash.String()}}); err != nil {
		t.Error(err)
	}
	have, err := f.client.BatchCheckLayerAvailability(t.Context(), &sdk.BatchCheckLayerAvailabilityInput{RepositoryName: repo, LayerDigests: []string{hash.String()}})
	if err != nil || have.Layers[0].LayerAvailability != types.LayerAvailabilityAvailable {
		t.Errorf("got %+v %v", have, err)
	}
	if out, err := f.client.DeleteRepository(t.Context(), &sdk.DeleteRepositoryInput{RepositoryName: repo, Force: true}); err != nil || *out.Repository.RepositoryName != "app" {
		t.Error(err)
	}
}
