package ecr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// place returns the account and region of a registry's host name,
// "<account>.dkr.ecr.<region>.<domain>". Another host is the caller's own registry.
func (s *Service) place(host string, caller wire.Caller) (account, region string) {
	parts := strings.SplitN(host, ".", 5)
	if len(parts) == 5 && parts[1] == "dkr" && parts[2] == "ecr" {
		return parts[0], parts[3]
	}
	return caller.Account, caller.Region
}

// ReferenceError says that an image reference is not one of this registry.
type ReferenceError struct{ Reference string }

// Error names the forms that are.
func (e *ReferenceError) Error() string {
	return fmt.Sprintf("the image %q is not in this endpoint's registry: push it there and name it <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>", e.Reference)
}

// parseReference splits "host/repository:tag" or "host/repository@digest".
func (s *Service) parseReference(reference string, caller wire.Caller) (repoID, string, error) {
	host, rest, ok := strings.Cut(reference, "/")
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(name)
	ours := strings.Contains(host, ".dkr.ecr.") || name == "localhost" || ip != nil && ip.IsLoopback()
	if !ok || !ours {
		return repoID{}, "", &ReferenceError{reference}
	}
	account, region := s.place(host, caller)
	repo, tag := rest, "latest"
	if before, digest, found := strings.Cut(rest, "@"); found {
		repo, tag = before, digest
		repo, _, _ = strings.Cut(repo, ":")
	} else if before, after, found := strings.Cut(rest, ":"); found {
		repo, tag = before, after
	}
	if !repositoryPattern.MatchString(repo) || !digestPattern.MatchString(tag) && !tagPattern.MatchString(tag) {
		return repoID{}, "", &ReferenceError{reference}
	}
	return repoID{account, region, repo}, tag, nil
}

// Pull returns an image for a platform, as the caller who needs the
// permissions to pull.
//
// Errors: *ReferenceError, AccessDenied, RepositoryNotFoundException,
// ImageNotFoundException, *PlatformError.
func (s *Service) Pull(ctx context.Context, caller wire.Caller, reference string, platform v1.Platform) (v1.Image, error) {
	id, ref, err := s.parseReference(reference, caller)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, caller, []string{"GetAuthorizationToken"}, repoID{}); err != nil {
		return nil, err
	}
	if err := s.authorize(ctx, caller, []string{"BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage"}, id); err != nil {
		return nil, err
	}
	img, err := s.pulled(id, ref)
	if err != nil {
		return nil, err
	}
	if types.MediaType(img.MediaType).IsIndex() {
		if img, err = s.choose(id, img, reference, platform); err != nil {
			return nil, err
		}
	}
	return partial.CompressedToImage(&pulledImage{s, id, img})
}

// pulled finds an image and notes the pull.
func (s *Service) pulled(id repoID, ref string) (img storedImage, err error) {
	err = s.store.Update(func(tx state.Tx) error {
		if _, err := getRepository(tx, id); err != nil {
			return err
		}
		if img, err = findImage(tx, id, ref); err != nil {
			return err
		}
		img.Pulled = wire.TimeOf(s.now())
		return images.Put(tx, id.key(img.Digest), img)
	})
	if errors.Is(err, state.ErrNotFound) {
		missing := imageID{Tag: ref}
		if digestPattern.MatchString(ref) {
			missing = imageID{Digest: ref}
		}
		return img, imageNotFound(id, missing)
	}
	return img, err
}

// PlatformError says that an index has no image for a platform.
type PlatformError struct{ Reference, Platform string }

// Error names both.
func (e *PlatformError) Error() string {
	return fmt.Sprintf("image Manifest does not contain descriptor matching platform '%s': %s", e.Platform, e.Reference)
}

func (s *Service) choose(id repoID, index storedImage, reference string, platform v1.Platform) (storedImage, error) {
	doc, err := v1.ParseIndexManifest(strings.NewReader(string(index.Manifest)))
	if err != nil {
		return storedImage{}, fmt.Errorf("read index: %w", err)
	}
	for _, d := range doc.Manifests {
		if d.Platform != nil && d.Platform.Satisfies(platform) {
			return s.pulled(id, d.Digest.String())
		}
	}
	return storedImage{}, &PlatformError{reference, platform.String()}
}

// pulledImage reads an image from the store.
type pulledImage struct {
	s   *Service
	id  repoID
	img storedImage
}

func (p *pulledImage) RawManifest() ([]byte, error) { return p.img.Manifest, nil }
func (p *pulledImage) MediaType() (types.MediaType, error) {
	return types.MediaType(p.img.MediaType), nil
}
func (p *pulledImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	return &pulledLayer{p, h}, nil
}
func (p *pulledImage) RawConfigFile() ([]byte, error) {
	f, err := p.s.blobs.open(p.img.Blobs[0])
	if err != nil {
		return nil, fmt.Errorf("open image configuration: %w", err)
	}
	defer f.Close()
	return io.ReadAll(f)
}

// pulledLayer is one blob of an image.
type pulledLayer struct {
	image  *pulledImage
	digest v1.Hash
}

func (l *pulledLayer) Digest() (v1.Hash, error) { return l.digest, nil }
func (l *pulledLayer) Compressed() (io.ReadCloser, error) {
	return l.image.s.blobs.open(l.digest.String())
}
func (l *pulledLayer) Size() (int64, error) {
	return l.image.s.blobs.size(l.image.id, l.digest.String())
}
func (l *pulledLayer) MediaType() (types.MediaType, error) { return types.DockerLayer, nil }

// Mapped returns a transport that takes requests for ECR's host names to an
// endpoint ("http://127.0.0.1:4566"), so that a client can push to the names
// that AWS has. Other requests go on unchanged.
func Mapped(endpoint *url.URL, next http.RoundTripper) http.RoundTripper {
	return mapped{endpoint, next}
}

type mapped struct {
	endpoint *url.URL
	next     http.RoundTripper
}

// RoundTrip sends the request. The answer is one to the request as it was:
// relative addresses in it are relative to ECR's name.
func (m mapped) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.Host, ".dkr.ecr.") {
		return m.next.RoundTrip(r)
	}
	sent := r.Clone(r.Context())
	if sent.Host == "" {
		sent.Host = r.URL.Host
	}
	sent.URL.Scheme, sent.URL.Host = m.endpoint.Scheme, m.endpoint.Host
	resp, err := m.next.RoundTrip(sent)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}
