package athena

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"engage/internal/localaws/athena/catalog"
	"engage/internal/localaws/s3"
	"engage/internal/localaws/wire"
)

// objects is S3 as one caller may use it.
type objects struct {
	s3         *s3.Service
	caller     wire.Caller
	encryption *encryption // of what is written
}

var _ catalog.Objects = objects{}

func (o objects) List(ctx context.Context, location string) ([]catalog.Object, error) {
	bucket, key, err := catalog.SplitURI(location)
	if err != nil {
		return nil, err
	}
	files, err := o.s3.Files(ctx, o.caller, bucket, key)
	if err != nil {
		return nil, err
	}
	out := make([]catalog.Object, len(files))
	for i, f := range files {
		out[i] = catalog.Object{URI: "s3://" + bucket + "/" + f.Key, Path: f.Path, Size: f.Size}
	}
	return out, nil
}

func (o objects) Put(ctx context.Context, uri string, r io.Reader) error {
	bucket, key, err := catalog.SplitURI(uri)
	if err != nil {
		return err
	}
	h := http.Header{}
	if e := o.encryption; e != nil {
		h.Set("X-Amz-Server-Side-Encryption", map[string]string{"SSE_S3": "AES256", "SSE_KMS": "aws:kms"}[e.EncryptionOption])
		if e.KmsKey != "" {
			h.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", e.KmsKey)
		}
	}
	_, err = o.s3.Put(ctx, o.caller, bucket, key, h, r)
	return err
}

// Remove needs no permission of the caller: it undoes what the engine itself did.
func (o objects) Remove(ctx context.Context, uri string) error {
	bucket, key, err := catalog.SplitURI(uri)
	if err != nil {
		return err
	}
	return o.s3.Delete(ctx, wire.Root(o.caller.Account, o.caller.Region), bucket, key)
}

func (o objects) Open(ctx context.Context, uri string) (io.ReadSeekCloser, error) {
	bucket, key, err := catalog.SplitURI(uri)
	if err != nil {
		return nil, err
	}
	f, _, err := o.s3.Open(ctx, o.caller, bucket, key)
	if wire.IsCode(err, "NoSuchKey") || wire.IsCode(err, "NoSuchBucket") {
		return nil, fmt.Errorf("%w: %w", catalog.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}
