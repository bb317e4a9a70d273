package ecr

import (
	"context"
	"errors"
	"slices"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type imageID struct {
	Digest string `json:"imageDigest,omitempty"`
	Tag    string `json:"imageTag,omitempty"`
}

func (i imageID) reference() string {
	if i.Digest != "" {
		return i.Digest
	}
	return i.Tag
}

type imageFilter struct {
	TagStatus string `json:"tagStatus" enum:"TAGGED,UNTAGGED,ANY"`
}

func (f *imageFilter) wants(img taggedImage) bool {
	return f == nil || f.TagStatus == "" || f.TagStatus == "ANY" || (f.TagStatus == "TAGGED") == (len(img.tags) > 0)
}

type imagesInput struct {
	repositoryName
	ImageIDs           []imageID    `json:"imageIds" max:"100"`
	Filter             *imageFilter `json:"filter"`
	NextToken          string       `json:"nextToken"`
	MaxResults         int          `json:"maxResults" max:"1000"`
	AcceptedMediaTypes []string     `json:"acceptedMediaTypes"`
}

type failure struct {
	ImageID imageID `json:"imageId"`
	Code    string  `json:"failureCode"`
	Reason  string  `json:"failureReason"`
}

type listImagesOutput struct {
	ImageIDs  []imageID `json:"imageIds"`
	NextToken string    `json:"nextToken,omitempty"`
}

func (s *Service) listImages(_ context.Context, call *wire.Call, in *imagesInput) (*listImagesOutput, error) {
	ids := []imageID{}
	id := in.id(call)
	err := s.view(id, func(tx state.Tx, _ *repository) error {
		all, err := allImages(tx, id)
		for _, img := range all {
			if !in.Filter.wants(img) {
				continue
			}
			for _, t := range img.tags {
				ids = append(ids, imageID{img.Digest, t})
			}
			if len(img.tags) == 0 {
				ids = append(ids, imageID{Digest: img.Digest})
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	shown, next, err := page(ids, func(i imageID) string { return i.Digest + "/" + i.Tag }, in.NextToken, in.MaxResults, 100)
	return &listImagesOutput{shown, next}, err
}

type imageDetail struct {
	RegistryID       string    `json:"registryId"`
	RepositoryName   string    `json:"repositoryName"`
	Digest           string    `json:"imageDigest"`
	Tags             []string  `json:"imageTags,omitempty"`
	Size             int64     `json:"imageSizeInBytes"`
	PushedAt         wire.Time `json:"imagePushedAt"`
	MediaType        string    `json:"imageManifestMediaType"`
	ArtifactType     string    `json:"artifactMediaType,omitempty"`
	LastRecordedPull wire.Time `json:"lastRecordedPullTime,omitzero"`
}

type describeImagesOutput struct {
	Details   []imageDetail `json:"imageDetails"`
	NextToken string        `json:"nextToken,omitempty"`
}

func imageNotFound(id repoID, i imageID) error {
	null := func(text string) string {
		if text == "" {
			return "null"
		}
		return text
	}
	return wire.Errorf("ImageNotFoundException", "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
		null(i.Digest), null(i.Tag), id.name, id.account)
}

func (s *Service) describeImages(_ context.Context, call *wire.Call, in *imagesInput) (*describeImagesOutput, error) {
	id := in.id(call)
	var all []taggedImage
	err := s.view(id, func(tx state.Tx, _ *repository) (err error) {
		if all, err = allImages(tx, id); err != nil || len(in.ImageIDs) == 0 {
			all = slices.DeleteFunc(all, func(img taggedImage) bool { return !in.Filter.wants(img) })
			return err
		}
		wanted := map[string]bool{}
		for _, i := range in.ImageIDs {
			img, err := findImage(tx, id, i.reference())
			if errors.Is(err, state.ErrNotFound) {
				return imageNotFound(id, i)
			}
			wanted[img.Digest] = true
		}
		all = slices.DeleteFunc(all, func(img taggedImage) bool { return !wanted[img.Digest] })
		return nil
	})
	if err != nil {
		return nil, err
	}
	shown, next, err := page(all, func(i taggedImage) string { return i.Digest }, in.NextToken, in.MaxResults, 100)
	out := &describeImagesOutput{Details: []imageDetail{}, NextToken: next}
	for _, i := range shown {
		out.Details = append(out.Details, imageDetail{id.account, id.name, i.Digest, i.tags, i.Size, i.Pushed, i.MediaType, i.ArtifactType, i.Pulled})
	}
	return out, err
}

type imageOutput struct {
	RegistryID     string  `json:"registryId"`
	RepositoryName string  `json:"repositoryName"`
	ImageID        imageID `json:"imageId"`
	Manifest       string  `json:"imageManifest"`
	MediaType      string  `json:"imageManifestMediaType"`
}

type batchGetImageOutput struct {
	Images   []imageOutput `json:"images"`
	Failures []failure     `json:"failures"`
}

func (s *Service) batchGetImage(_ context.Context, call *wire.Call, in *imagesInput) (*batchGetImageOutput, error) {
	id := in.id(call)
	out := &batchGetImageOutput{Images: []imageOutput{}, Failures: []failure{}}
	return out, s.view(id, func(tx state.Tx, _ *repository) error {
		for _, i := range in.ImageIDs {
			img, err := findImage(tx, id, i.reference())
			if errors.Is(err, state.ErrNotFound) {
				out.Failures = append(out.Failures, failure{i, "ImageNotFound", "Requested image not found"})
				continue
			}
			if err != nil {
				return err
			}
			out.Images = append(out.Images, imageOutput{id.account, id.name, imageID{img.Digest, i.Tag}, string(img.Manifest), img.MediaType})
		}
		return nil
	})
}

type batchDeleteImageOutput struct {
	ImageIDs []imageID `json:"imageIds"`
	Failures []failure `json:"failures"`
}

// batchDeleteImage removes tags that are named by tag, and images that are
// named by digest or have lost their last tag.
func (s *Service) batchDeleteImage(_ context.Context, call *wire.Call, in *imagesInput) (*batchDeleteImageOutput, error) {
	id := in.id(call)
	var out *batchDeleteImageOutput
	err := s.blobs.prune(func(tx state.Tx) (repoID, []string, error) {
		out = &batchDeleteImageOutput{ImageIDs: []imageID{}, Failures: []failure{}}
		if _, err := getRepository(tx, id); err != nil {
			return id, nil, err
		}
		gone := map[string]bool{}
		for _, i := range in.ImageIDs {
			if err := deleteOne(tx, id, i, gone, out); err != nil {
				return id, nil, err
			}
		}
		unused, err := removeImages(tx, id, gone)
		return id, unused, err
	})
	return out, err
}

func deleteOne(tx state.Tx, id repoID, i imageID, gone map[string]bool, out *batchDeleteImageOutput) error {
	img, err := findImage(tx, id, i.reference())
	if errors.Is(err, state.ErrNotFound) {
		out.Failures = append(out.Failures, failure{i, "ImageNotFound", "Requested image not found"})
		return nil
	}
	if err != nil {
		return err
	}
	all, err := allImages(tx, id)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(t taggedImage) bool { return t.Digest == img.Digest })
	keepsImage := i.Digest == "" && len(all[at].tags) > 1
	inIndex := slices.ContainsFunc(all, func(t taggedImage) bool {
		return !gone[t.Digest] && slices.Contains(t.Children, img.Digest)
	})
	if inIndex && !keepsImage {
		out.Failures = append(out.Failures, failure{i, "ImageReferencedByManifestList", "Requested image referenced by manifest list"})
		return nil
	}
	out.ImageIDs = append(out.ImageIDs, imageID{img.Digest, i.Tag})
	if !keepsImage {
		gone[img.Digest] = true
		return nil
	}
	return imageTags.Delete(tx, id.key(i.Tag))
}

type putImageInput struct {
	repositoryName
	Manifest  string `json:"imageManifest" required:"true" max:"4194304"`
	MediaType string `json:"imageManifestMediaType"`
	Tag       string `json:"imageTag" max:"300"`
	Digest    string `json:"imageDigest"`
}

type putImageOutput struct {
	Image imageOutput `json:"image"`
}

func (s *Service) putImageCall(_ context.Context, call *wire.Call, in *putImageInput) (*putImageOutput, error) {
	id := in.id(call)
	if in.Tag != "" && !tagPattern.MatchString(in.Tag) {
		return nil, invalid("Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression '%s''", tagPattern)
	}
	if img, err := parseManifest([]byte(in.Manifest), in.MediaType); err == nil && in.Digest != "" && in.Digest != img.Digest {
		return nil, wire.Errorf("ImageDigestDoesNotMatchException", "The manifest has the digest %s and not %s", img.Digest, in.Digest)
	}
	img, err := s.putImage(id, []byte(in.Manifest), in.MediaType, in.Tag)
	var (
		bad       *manifestError
		missing   *missingError
		immutable *immutableError
		same      *sameError
	)
	switch {
	case errors.As(err, &bad):
		return nil, invalid("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '%v'", err)
	case errors.As(err, &missing) && len(img.Children) > 0:
		return nil, wire.Errorf("ReferencedImagesNotFoundException", "%v", err)
	case errors.As(err, &missing):
		return nil, wire.Errorf("LayersNotFoundException", "%v", err)
	case errors.As(err, &immutable):
		return nil, wire.Errorf("ImageTagAlreadyExistsException", "%v", err)
	case errors.As(err, &same):
		return nil, wire.Errorf("ImageAlreadyExistsException", "%v", err)
	case err != nil:
		return nil, err
	}
	return &putImageOutput{imageOutput{id.account, id.name, imageID{img.Digest, in.Tag}, in.Manifest, img.MediaType}}, nil
}
