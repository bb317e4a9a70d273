package ecr

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// maxManifest is what the distribution specification asks a registry to take.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
const maxManifest = 4 << 20

// manifestDoc has the members of image manifests and of indexes.
type manifestDoc struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     string          `json:"mediaType"`
	ArtifactType  string          `json:"artifactType"`
	Config        *v1.Descriptor  `json:"config"`
	Layers        []v1.Descriptor `json:"layers"`
	Manifests     []v1.Descriptor `json:"manifests"`
}

// parseManifest reads a manifest or an index and says what it refers to.
func parseManifest(raw []byte, mediaType string) (storedImage, error) {
	var doc manifestDoc
	if err := json.Unmarshal(raw, &doc); err != nil {
		return storedImage{}, fmt.Errorf("it is no JSON document: %w", err)
	}
	if mediaType == "" {
		mediaType = doc.MediaType
	}
	if doc.MediaType != "" && mediaType != doc.MediaType {
		return storedImage{}, fmt.Errorf("its media type is %s in the document and %s outside", doc.MediaType, mediaType)
	}
	sum := sha256.Sum256(raw)
	img := storedImage{Digest: "sha256:" + hex.EncodeToString(sum[:]), MediaType: mediaType, ArtifactType: doc.ArtifactType,
		Manifest: raw, Size: int64(len(raw))}
	refer := func(digests *[]string, descriptors []v1.Descriptor) error {
		for _, d := range descriptors {
			if !digestPattern.MatchString(d.Digest.String()) {
				return fmt.Errorf("it refers to %q, which is no SHA-256 digest", d.Digest)
			}
			*digests = append(*digests, d.Digest.String())
		}
		return nil
	}
	switch media := types.MediaType(mediaType); {
	case doc.SchemaVersion != 2:
		return storedImage{}, fmt.Errorf("its schema version is %d and not 2", doc.SchemaVersion)
	case media.IsIndex():
		return img, refer(&img.Children, doc.Manifests)
	case media.IsImage() && doc.Config != nil:
		return img, refer(&img.Blobs, append([]v1.Descriptor{*doc.Config}, doc.Layers...))
	}
	return storedImage{}, fmt.Errorf("its media type %q is none of an image or an index", mediaType)
}

// Errors of putImage, beside a *wire.Error for a repository that is not there.
type (
	manifestError  struct{ cause error }                        // the document itself
	missingError   struct{ digests []string }                   // blobs or manifests that are not there
	immutableError struct{ tag, repo string }                   // the tag is another image's for ever
	sameError      struct{ digest, tag, repo, registry string } // nothing to do
)

func (e *manifestError) Error() string { return "the manifest is not valid: " + e.cause.Error() }
func (e *missingError) Error() string {
	return fmt.Sprintf("the manifest refers to %v, which is not in the repository: push it first", e.digests)
}
func (e *immutableError) Error() string {
	return fmt.Sprintf("The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", e.tag, e.repo)
}
func (e *sameError) Error() string {
	return fmt.Sprintf("Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", e.digest, e.tag, e.repo, e.registry)
}

// putImage keeps a manifest, and points the tag, if there is one, at it.
//
// Errors: *manifestError, *missingError, *immutableError, *sameError,
// RepositoryNotFoundException.
func (s *Service) putImage(id repoID, raw []byte, mediaType, tag string) (storedImage, error) {
	img, err := parseManifest(raw, mediaType)
	if err != nil {
		return img, &manifestError{err}
	}
	img.Pushed = wire.TimeOf(s.now())
	s.blobs.files.RLock() // no blob may go between the check and the commit
	err = s.store.Update(func(tx state.Tx) error {
		repo, err := getRepository(tx, id)
		if err != nil {
			return err
		}
		if err := checkReferences(tx, id, &img); err != nil {
			return err
		}
		return putTagged(tx, id, &repo, img, tag)
	})
	s.blobs.files.RUnlock()
	if err != nil {
		return img, err
	}
	return img, s.expire(id)
}

func putTagged(tx state.Tx, id repoID, repo *repository, img storedImage, tag string) error {
	known := images.Has(tx, id.key(img.Digest))
	tagged, err := imageTags.Get(tx, id.key(tag))
	if tag != "" && err == nil {
		if tagged == img.Digest {
			return &sameError{img.Digest, tag, id.name, id.account}
		}
		if repo.immutable(tag) {
			return &immutableError{tag, id.name}
		}
	}
	if known && tag == "" {
		return &sameError{img.Digest, "null", id.name, id.account}
	}
	if !known {
		if err := images.Put(tx, id.key(img.Digest), img); err != nil {
			return err
		}
	}
	if tag == "" {
		return nil
	}
	return imageTags.Put(tx, id.key(tag), img.Digest)
}

// checkReferences finds out whether all of a manifest is there, and its size.
func checkReferences(tx state.Tx, id repoID, img *storedImage) error {
	var missing []string
	for _, digest := range img.Blobs {
		size, err := blobLinks.Get(tx, id.key(digest))
		if errors.Is(err, state.ErrNotFound) {
			missing = append(missing, digest)
		}
		img.Size += size
	}
	for _, digest := range img.Children {
		child, err := images.Get(tx, id.key(digest))
		if errors.Is(err, state.ErrNotFound) {
			missing = append(missing, digest)
		}
		img.Size += child.Size
	}
	if len(missing) > 0 {
		return &missingError{missing}
	}
	return nil
}

func getRepository(tx state.Tx, id repoID) (repository, error) {
	repo, err := repositories.Get(tx, id.key())
	if errors.Is(err, state.ErrNotFound) {
		return repo, noRepository(id)
	}
	return repo, err
}

// findImage returns the image of a tag or a digest. Errors: state.ErrNotFound.
func findImage(tx state.Tx, id repoID, reference string) (storedImage, error) {
	if !digestPattern.MatchString(reference) {
		digest, err := imageTags.Get(tx, id.key(reference))
		if err != nil {
			return storedImage{}, err
		}
		reference = digest
	}
	return images.Get(tx, id.key(reference))
}

// taggedImage is an image and its tags.
type taggedImage struct {
	storedImage
	tags []string
}

// allImages returns the images of a repository, ordered by digest.
func allImages(tx state.Tx, id repoID) ([]taggedImage, error) {
	byDigest := map[string][]string{}
	tagged, err := imageTags.List(tx, id.prefix(), "", 0)
	if err != nil {
		return nil, err
	}
	for _, e := range tagged {
		byDigest[e.Value] = append(byDigest[e.Value], e.Key[len(id.prefix()):])
	}
	entries, err := images.List(tx, id.prefix(), "", 0)
	if err != nil {
		return nil, err
	}
	all := make([]taggedImage, len(entries))
	for i, e := range entries {
		all[i] = taggedImage{e.Value, byDigest[e.Value.Digest]}
	}
	return all, nil
}

// removeImages deletes images with their tags and returns the blobs that the
// repository needs no longer.
func removeImages(tx state.Tx, id repoID, digests map[string]bool) ([]string, error) {
	all, err := allImages(tx, id)
	if err != nil {
		return nil, err
	}
	needed, gone := map[string]bool{}, map[string]bool{}
	for _, img := range all {
		into := needed
		if digests[img.Digest] {
			into = gone
			if err := images.Delete(tx, id.key(img.Digest)); err != nil {
				return nil, err
			}
			for _, t := range img.tags {
				if err := imageTags.Delete(tx, id.key(t)); err != nil {
					return nil, err
				}
			}
		}
		for _, blob := range img.Blobs {
			into[blob] = true
		}
	}
	var unused []string
	for blob := range gone {
		if !needed[blob] {
			unused = append(unused, blob)
		}
	}
	return unused, nil
}
