package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	memory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// A registry on this machine is reached where it says it is, AWS's by its name.
func TestReference(t *testing.T) {
	const uri = "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/app"
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4566":                                "http://127.0.0.1:4566/team/app:v1",
		"https://000000000000.dkr.ecr.us-east-1.amazonaws.com": "https://" + uri + ":v1",
	} {
		u, err := url.Parse(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := login{endpoint: u}.reference(uri, "v1")
		if err != nil || ref.Context().Scheme()+"://"+ref.Name() != want {
			t.Errorf("%s: %v, %v; want %s", endpoint, ref, err, want)
		}
	}
	if _, err := (login{endpoint: &url.URL{}}).reference(uri, "no tag"); err == nil {
		t.Error("a tag with a space is taken")
	}
}

// account is an ECR that has one repository, in a registry in memory.
type account struct{ repository, token, endpoint string }

func (a account) DescribeRepositories(_ context.Context, in *ecr.DescribeRepositoriesInput, _ ...func(*ecr.Options)) (*ecr.DescribeRepositoriesOutput, error) {
	if in.RepositoryNames[0] != a.repository {
		return nil, &types.RepositoryNotFoundException{}
	}
	uri := "000000000000.dkr.ecr.us-east-1.amazonaws.com/" + a.repository
	return &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{{RepositoryUri: &uri}}}, nil
}

func (a account) GetAuthorizationToken(context.Context, *ecr.GetAuthorizationTokenInput, ...func(*ecr.Options)) (*ecr.GetAuthorizationTokenOutput, error) {
	token := base64.StdEncoding.EncodeToString([]byte(a.token))
	return &ecr.GetAuthorizationTokenOutput{AuthorizationData: []types.AuthorizationData{
		{AuthorizationToken: &token, ProxyEndpoint: aws.String(a.endpoint)}}}, nil
}

func image(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestPush(t *testing.T) {
	server := httptest.NewServer(memory.New())
	defer server.Close()
	a, img := account{"app", "AWS:secret", server.URL}, image(t)
	first, err := Push(t.Context(), a, img, "app", "v1")
	if err != nil || first.Already || !strings.HasSuffix(first.Reference, ".amazonaws.com/app:v1") {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := Push(t.Context(), a, img, "app", "v1"); err != nil || !again.Already || again.Digest != first.Digest {
		t.Errorf("again: %+v, %v", again, err)
	}
	var taken *TakenError
	if _, err := Push(t.Context(), a, image(t), "app", "v1"); !errors.As(err, &taken) || taken.Digest != first.Digest {
		t.Errorf("another image: %v", err)
	}
	var missing *NoRepositoryError
	if _, err := Push(t.Context(), a, img, "none", "v1"); !errors.As(err, &missing) {
		t.Errorf("another repository: %v", err)
	}
	a.token = "no colon"
	if _, err := Push(t.Context(), a, img, "app", "v1"); err == nil || !strings.Contains(err.Error(), "log in") {
		t.Errorf("a token that cannot be read: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a.token = "AWS:secret"
	if _, err := Push(ctx, a, img, "app", "v2"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
