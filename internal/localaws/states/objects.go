package states

import (
	"context"
	"io"

	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/asl/value"
	"engage/internal/localaws/s3"
	"engage/internal/localaws/wire"
)

// S3Objects lets a distributed Map read and write S3 with a caller's permissions, for Config.Objects.
func S3Objects(store *s3.Service) func(caller wire.Caller) interp.Objects {
	return func(caller wire.Caller) interp.Objects { return objects{store, caller} }
}

type objects struct {
	store  *s3.Service
	caller wire.Caller
}

// Get implements interp.Objects.
func (o objects) Get(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	f, _, err := o.store.Open(ctx, o.caller, bucket, key)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Put implements interp.Objects.
func (o objects) Put(ctx context.Context, bucket, key string, body []byte) error {
	return o.store.PutBytes(ctx, o.caller, bucket, key, body)
}

// List implements interp.Objects, with the fields that a Map's items have.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
func (o objects) List(ctx context.Context, bucket, prefix string, each func(*value.Object) error) error {
	files, err := o.store.Files(ctx, o.caller, bucket, prefix)
	if err != nil {
		return err
	}
	for _, f := range files {
		item := value.Of("Etag", `"`+f.ETag+`"`, "Key", f.Key, "LastModified", f.Modified.Unix(), "Size", f.Size, "StorageClass", "STANDARD")
		if err := each(item); err != nil {
			return err
		}
	}
	return nil
}
