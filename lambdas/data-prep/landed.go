package dataprep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sync/errgroup"

	"engage/internal/dataset"
	"engage/internal/pipeline"
	"engage/internal/resource"
	"engage/internal/schema"
	"engage/internal/store"
)

// landed is a data set under the landing prefix.
type landed struct {
	prefix   string // its key prefix, complete: landing/name/
	hash     string // SHA-256 of the manifest, hex
	manifest dataset.Manifest
	format   schema.Format // of the files that are taken
}

// DatasetError is a data set that cannot be taken.
type DatasetError struct{ Prefix, Reason string }

func (e *DatasetError) Error() string {
	return fmt.Sprintf("data set %s: %s", e.Prefix, e.Reason)
}

// ErrorName is the name by which the machine knows the error.
func (e *DatasetError) ErrorName() string { return pipeline.InvalidInput }

// find returns the data set of that name, which may begin with the landing
// prefix or not; without one, that whose manifest came last.
func (h Handler) find(ctx context.Context, name string) (landed, error) {
	prefix := resource.Landing.Key(strings.TrimPrefix(name, resource.Landing.Prefix))
	if name == "" {
		var err error
		if prefix, err = h.newest(ctx); err != nil {
			return landed{}, fmt.Errorf("find the newest data set: %w", err)
		}
	}
	text, err := store.ReadAll(ctx, h.Store, resource.Landing.Bucket, prefix+dataset.ManifestFile)
	if errors.Is(err, store.ErrNotFound) {
		return landed{}, &DatasetError{h.uri(prefix), "has no " + dataset.ManifestFile + "; put a whole data set there, its manifest last"}
	}
	if err != nil {
		return landed{}, err
	}
	m, err := dataset.DecodeManifest(bytes.NewReader(text))
	if err != nil {
		return landed{}, &DatasetError{h.uri(prefix), err.Error()}
	}
	for _, t := range []*schema.Table{&schema.Customers, &schema.Connections} {
		if m.Schema[t.Name] != schema.Fingerprint(t) {
			return landed{}, &DatasetError{h.uri(prefix), "was made with another schema of " + t.Name + "; generate it again with this release"}
		}
	}
	sum := sha256.Sum256(text)
	return landed{prefix: prefix, hash: hex.EncodeToString(sum[:]), manifest: m, format: formatOf(m)}, nil
}

func (h Handler) uri(prefix string) string {
	return h.Store.URI(resource.Location{Bucket: resource.Landing.Bucket, Prefix: prefix})
}

// newest returns the prefix of the data set whose manifest came last; of two at
// once, the one whose name is larger.
func (h Handler) newest(ctx context.Context) (string, error) {
	var last store.Object
	for o, err := range h.Store.List(ctx, resource.Landing) {
		if err != nil {
			return "", err
		}
		if strings.HasSuffix(o.Key, "/"+dataset.ManifestFile) && !o.Modified.Before(last.Modified) {
			last = o
		}
	}
	if last.Key == "" {
		return "", &DatasetError{h.uri(resource.Landing.Prefix), "holds no data set; put one there, its manifest last"}
	}
	return strings.TrimSuffix(last.Key, dataset.ManifestFile), nil
}

// verify reads the files that are taken and compares them with the manifest, so
// that the data's hash means the data.
func (h Handler) verify(ctx context.Context, set landed, list []source) error {
	work, inner := errgroup.WithContext(ctx)
	for _, s := range list {
		work.Go(func() error { return h.verifyFile(inner, set, s.file(set.format)) })
	}
	return work.Wait()
}

func (h Handler) verifyFile(ctx context.Context, set landed, name string) (err error) {
	want := dataset.File{}
	for _, f := range set.manifest.Files {
		if f.Name == name {
			want = f
		}
	}
	body, err := h.Store.Get(ctx, resource.Landing.Bucket, set.prefix+name)
	if errors.Is(err, store.ErrNotFound) {
		return &DatasetError{h.uri(set.prefix), name + " is missing"}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	sum := sha256.New()
	n, err := io.Copy(sum, body)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != want.Bytes || got != want.SHA256 {
		return &DatasetError{h.uri(set.prefix), fmt.Sprintf("%s has %d bytes and SHA-256 %s, its manifest says %d and %s", name, n, got, want.Bytes, want.SHA256)}
	}
	return nil
}
