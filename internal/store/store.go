// Package store is what code needs of object storage, in small interfaces over
// the logical buckets of package resource. s3/ keeps objects in S3, mem/ in memory.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"engage/internal/resource"
)

// The classes of errors that callers decide by.
var (
	ErrNotFound = errors.New("not found")
	ErrDenied   = errors.New("access denied")
)

// Object is an object as a listing tells of it.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Reader reads objects. The caller closes the body. Errors: ErrNotFound, ErrDenied.
type Reader interface {
	Get(ctx context.Context, b resource.Bucket, key string) (io.ReadCloser, error)
}

// Writer writes whole objects. Errors: ErrNotFound for the bucket, ErrDenied.
type Writer interface {
	Put(ctx context.Context, b resource.Bucket, key string, body []byte, contentType string) error
}

// Lister lists the current objects under a location, by key. It ends at the
// first error: ErrNotFound for the bucket, ErrDenied.
type Lister interface {
	List(ctx context.Context, l resource.Location) iter.Seq2[Object, error]
}

// Copier copies an object within the store. Errors: ErrNotFound, ErrDenied.
type Copier interface {
	Copy(ctx context.Context, from, to Ref) error
}

// Eraser deletes every version of every object under a location, delete markers
// too, and returns how many that were. A bucket that is not there has none.
// Errors: ErrDenied; what was deleted before the error is counted.
type Eraser interface {
	Erase(ctx context.Context, l resource.Location) (int, error)
}

// Locator tells the URI of what a logical name stands for.
type Locator interface {
	URI(l resource.Location) string
}

// Ref names an object.
type Ref struct {
	Bucket resource.Bucket
	Key    string
}

// ObjectURI returns the URI of an object.
func ObjectURI(l Locator, b resource.Bucket, key string) string {
	return l.URI(resource.Location{Bucket: b, Prefix: key})
}

// Names are the physical names of buckets.
type Names map[resource.Bucket]string

// NamesFrom reads the names from the environment, and says all that are missing.
func NamesFrom(getenv func(string) string) (Names, error) {
	names, missing := Names{}, []string(nil)
	for _, b := range resource.Buckets() {
		if names[b] = getenv(string(b.EnvVar())); names[b] == "" {
			missing = append(missing, string(b.EnvVar()))
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("bucket names: set the environment variables %s", strings.Join(missing, ", "))
	}
	return names, nil
}

// URI implements Locator.
func (n Names) URI(l resource.Location) string { return "s3://" + n[l.Bucket] + "/" + l.Prefix }

// limit of what ReadAll takes, in bytes: documents, not data.
const documentLimit = 64 << 20

// ReadAll reads a document. Errors: those of Get, and one of a longer object than 64 MiB.
func ReadAll(ctx context.Context, r Reader, b resource.Bucket, key string) (_ []byte, err error) {
	body, err := r.Get(ctx, b, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(body, documentLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", key, b, err)
	}
	if len(text) > documentLimit {
		return nil, fmt.Errorf("read %s of %s: longer than %d bytes", key, b, documentLimit)
	}
	return text, nil
}
