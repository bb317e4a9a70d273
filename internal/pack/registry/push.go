// Package registry pushes images to a repository of ECR, AWS's or another
// endpoint's, with the login that ECR itself gives.
package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// API is what Push asks of ECR: an *ecr.Client.
type API interface {
	DescribeRepositories(context.Context, *ecr.DescribeRepositoriesInput, ...func(*ecr.Options)) (*ecr.DescribeRepositoriesOutput, error)
	GetAuthorizationToken(context.Context, *ecr.GetAuthorizationTokenInput, ...func(*ecr.Options)) (*ecr.GetAuthorizationTokenOutput, error)
}

// Pushed is what Push did.
type Pushed struct {
	Reference string `json:"reference"` // as task definitions name the image
	Digest    string `json:"digest"`
	Already   bool   `json:"already"` // it was there, under this tag
}

// NoRepositoryError says that there is nothing to push to.
type NoRepositoryError struct{ Repository string }

func (e *NoRepositoryError) Error() string {
	return fmt.Sprintf("there is no repository %q: create the stack with \"pulumi up\" first", e.Repository)
}

// TakenError says that a tag, which never moves, is another image's.
type TakenError struct{ Reference, Tag, Digest string }

func (e *TakenError) Error() string {
	return fmt.Sprintf("the tag %q of %s is already the image %s, and tags never move: push without --tag, under the tag that the image's content gives", e.Tag, e.Reference, e.Digest)
}

// Push pushes an image to a repository under a tag. An image that is there
// already is not pushed again. Errors: *NoRepositoryError, *TakenError, ECR's.
func Push(ctx context.Context, api API, image v1.Image, repository, tag string) (Pushed, error) {
	uri, err := find(ctx, api, repository)
	if err != nil {
		return Pushed{}, err
	}
	login, err := logIn(ctx, api)
	if err != nil {
		return Pushed{}, err
	}
	digest, err := image.Digest()
	if err != nil {
		return Pushed{}, fmt.Errorf("read the image: %w", err)
	}
	ref, err := login.reference(uri, tag)
	if err != nil {
		return Pushed{}, err
	}
	done := Pushed{Reference: uri + ":" + tag, Digest: digest.String()}
	options := []remote.Option{remote.WithAuth(login.auth), remote.WithContext(ctx)}
	switch there, err := remote.Head(ref, options...); {
	case err == nil && there.Digest == digest:
		done.Already = true
		return done, nil
	case err == nil:
		return Pushed{}, &TakenError{uri, tag, there.Digest.String()}
	case !isNotFound(err):
		return Pushed{}, fmt.Errorf("look for the image in %s: %w", ref.Context(), err)
	}
	if err := remote.Write(ref, image, options...); err != nil {
		return Pushed{}, fmt.Errorf("push to %s: %w", ref.Context(), err)
	}
	return done, nil
}

// find returns a repository's address.
func find(ctx context.Context, api API, repository string) (string, error) {
	out, err := api.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{repository}})
	var missing *types.RepositoryNotFoundException
	if errors.As(err, &missing) || err == nil && len(out.Repositories) == 0 {
		return "", &NoRepositoryError{repository}
	}
	if err != nil {
		return "", fmt.Errorf("find the repository %q: %w", repository, err)
	}
	return aws.ToString(out.Repositories[0].RepositoryUri), nil
}

// login is how the registry is reached.
type login struct {
	auth     authn.Authenticator
	endpoint *url.URL
}

// logIn asks ECR for a password.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
func logIn(ctx context.Context, api API) (login, error) {
	out, err := api.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return login{}, fmt.Errorf("log in to the registry: %w", err)
	}
	if len(out.AuthorizationData) == 0 {
		return login{}, errors.New("log in to the registry: ECR gave no token")
	}
	data := out.AuthorizationData[0]
	text, err := base64.StdEncoding.DecodeString(aws.ToString(data.AuthorizationToken))
	user, password, ok := strings.Cut(string(text), ":")
	if err != nil || !ok {
		return login{}, errors.New("log in to the registry: ECR's token cannot be read")
	}
	endpoint, err := url.Parse(aws.ToString(data.ProxyEndpoint))
	if err != nil {
		return login{}, fmt.Errorf("log in to the registry: its address: %w", err)
	}
	return login{&authn.Basic{Username: user, Password: password}, endpoint}, nil
}

// reference returns where to push to. A registry that names itself with http is
// an endpoint on this machine: it is reached where it says it is, whatever host
// the repository's name has.
func (l login) reference(uri, tag string) (name.Reference, error) {
	text, options := uri+":"+tag, []name.Option{name.StrictValidation}
	if l.endpoint.Scheme == "http" {
		_, path, _ := strings.Cut(text, "/")
		text, options = l.endpoint.Host+"/"+path, append(options, name.Insecure)
	}
	ref, err := name.NewTag(text, options...)
	if err != nil {
		return nil, fmt.Errorf("name the image: %w", err)
	}
	return ref, nil
}

func isNotFound(err error) bool {
	var refused *transport.Error
	return errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound
}
