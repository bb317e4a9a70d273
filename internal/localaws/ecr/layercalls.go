package ecr

import (
	"context"
	"errors"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type layersInput struct {
	repositoryName
	Digests []string `json:"layerDigests" required:"true" max:"100"`
}

type layerOutput struct {
	Digest       string `json:"layerDigest"`
	Availability string `json:"layerAvailability"`
	Size         int64  `json:"layerSize,omitempty"`
}

type layerFailure struct {
	Digest string `json:"layerDigest"`
	Code   string `json:"failureCode"`
	Reason string `json:"failureReason"`
}

type layersOutput struct {
	Layers   []layerOutput  `json:"layers"`
	Failures []layerFailure `json:"failures"`
}

func (s *Service) batchCheckLayerAvailability(_ context.Context, call *wire.Call, in *layersInput) (*layersOutput, error) {
	id := in.id(call)
	out := &layersOutput{Layers: []layerOutput{}, Failures: []layerFailure{}}
	return out, s.view(id, func(tx state.Tx, _ *repository) error {
		for _, digest := range in.Digests {
			if !digestPattern.MatchString(digest) {
				out.Failures = append(out.Failures, layerFailure{digest, "InvalidLayerDigest", "Invalid layer digest"})
				continue
			}
			size, err := blobLinks.Get(tx, id.key(digest))
			switch {
			case errors.Is(err, state.ErrNotFound):
				out.Layers = append(out.Layers, layerOutput{digest, "UNAVAILABLE", 0})
			case err != nil:
				return err
			default:
				out.Layers = append(out.Layers, layerOutput{digest, "AVAILABLE", size})
			}
		}
		return nil
	})
}

// partSize is what ECR asks for in one part, in bytes.
const partSize = 20 << 20

type initiateOutput struct {
	UploadID string `json:"uploadId"`
	PartSize int64  `json:"partSize"`
}

func (s *Service) initiateLayerUpload(_ context.Context, call *wire.Call, in *repositoryName) (*initiateOutput, error) {
	id := in.id(call)
	if err := s.view(id, func(state.Tx, *repository) error { return nil }); err != nil {
		return nil, err
	}
	upload, err := s.openUpload(id)
	return &initiateOutput{upload, partSize}, err
}

type partInput struct {
	repositoryName
	UploadID string `json:"uploadId" required:"true"`
	First    int64  `json:"partFirstByte" min:"0"`
	Last     int64  `json:"partLastByte" min:"0"`
	Blob     []byte `json:"layerPartBlob" required:"true"`
}

type partOutput struct {
	repositoryName
	UploadID string `json:"uploadId"`
	Last     int64  `json:"lastByteReceived"`
}

func noUpload(id repoID, upload string) error {
	return wire.Errorf("UploadNotFoundException", "Upload with ID '%s' does not exist for the repository with name '%s' in the registry with id '%s'", upload, id.name, id.account)
}

func (s *Service) uploadLayerPart(_ context.Context, call *wire.Call, in *partInput) (*partOutput, error) {
	id := in.id(call)
	u, ok := s.takeUpload(id, in.UploadID)
	if !ok {
		return nil, noUpload(id, in.UploadID)
	}
	defer u.mu.Unlock()
	if in.First != u.size || in.Last-in.First+1 != int64(len(in.Blob)) {
		return nil, wire.Errorf("InvalidLayerPartException", "The layer part %d-%d has %d bytes and does not follow %d bytes", in.First, in.Last, len(in.Blob), u.size)
	}
	if _, err := u.Write(in.Blob); err != nil {
		s.forgetUpload(in.UploadID)
		return nil, errors.Join(err, u.discard())
	}
	return &partOutput{repositoryName{id.account, id.name}, in.UploadID, u.size - 1}, nil
}

type completeInput struct {
	repositoryName
	UploadID string   `json:"uploadId" required:"true"`
	Digests  []string `json:"layerDigests" required:"true" min:"1" max:"1"`
}

type completeOutput struct {
	repositoryName
	UploadID string `json:"uploadId"`
	Digest   string `json:"layerDigest"`
}

func (s *Service) completeLayerUpload(_ context.Context, call *wire.Call, in *completeInput) (*completeOutput, error) {
	id := in.id(call)
	if !digestPattern.MatchString(in.Digests[0]) {
		return nil, invalid("Invalid parameter at 'layerDigests' failed to satisfy constraint: '%s' is no SHA-256 digest", in.Digests[0])
	}
	u, ok := s.takeUpload(id, in.UploadID)
	if !ok {
		return nil, noUpload(id, in.UploadID)
	}
	defer u.mu.Unlock()
	s.forgetUpload(in.UploadID)
	if err := s.blobs.commit(u, in.Digests[0]); errors.Is(err, errDigest) {
		return nil, wire.Errorf("InvalidLayerException", "%v", err)
	} else if err != nil {
		return nil, err
	}
	return &completeOutput{repositoryName{id.account, id.name}, in.UploadID, in.Digests[0]}, nil
}

// Close forgets the uploads that have not ended.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for id, u := range s.uploads {
		err = errors.Join(err, u.discard())
		delete(s.uploads, id)
	}
	return err
}
