// Package s3 keeps objects in Amazon S3.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"engage/internal/resource"
	"engage/internal/store"
	"engage/internal/store/awserr"
)

// Client is what a Store calls of S3.
type Client interface {
	s3.ListObjectsV2APIClient
	s3.ListObjectVersionsAPIClient
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
}

// Store implements every interface of package store.
type Store struct {
	client Client
	store.Names
}

// New returns a store over buckets of these names.
func New(client Client, names store.Names) *Store { return &Store{client: client, Names: names} }

func (s *Store) bucket(b resource.Bucket) *string { return aws.String(s.Names[b]) }

// Get implements store.Reader.
func (s *Store) Get(ctx context.Context, b resource.Bucket, key string) (io.ReadCloser, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket(b), Key: &key})
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", s.Names[b], key, awserr.Of(err))
	}
	return out.Body, nil
}

// Put implements store.Writer.
func (s *Store) Put(ctx context.Context, b resource.Bucket, key string, body []byte, contentType string) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket(b), Key: &key, Body: bytes.NewReader(body), ContentType: &contentType})
	if err != nil {
		return fmt.Errorf("write s3://%s/%s: %w", s.Names[b], key, awserr.Of(err))
	}
	return nil
}

// Copy implements store.Copier, for objects of up to the 5 GB that S3 copies at
// once; it refuses longer ones.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func (s *Store) Copy(ctx context.Context, from, to store.Ref) error {
	source := url.PathEscape(s.Names[from.Bucket] + "/" + from.Key)
	_, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: s.bucket(to.Bucket), Key: &to.Key, CopySource: &source})
	if err != nil {
		return fmt.Errorf("copy s3://%s/%s to s3://%s/%s: %w", s.Names[from.Bucket], from.Key, s.Names[to.Bucket], to.Key, awserr.Of(err))
	}
	return nil
}

// List implements store.Lister.
func (s *Store) List(ctx context.Context, l resource.Location) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: s.bucket(l.Bucket), Prefix: &l.Prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(store.Object{}, fmt.Errorf("list %s: %w", s.URI(l), awserr.Of(err)))
				return
			}
			for _, o := range page.Contents {
				if !yield(store.Object{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

// How much is deleted at once. S3 takes 1,000 keys a call.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
const (
	eraseBatch   = 1000
	eraseWorkers = 8
)

// Erase implements store.Eraser. Batches are deleted side by side while the
// next ones are listed.
func (s *Store) Erase(ctx context.Context, l resource.Location) (int, error) {
	var deleted atomic.Int64
	work, inner := errgroup.WithContext(ctx)
	work.SetLimit(eraseWorkers)
	pages := s3.NewListObjectVersionsPaginator(s.client, &s3.ListObjectVersionsInput{Bucket: s.bucket(l.Bucket), Prefix: &l.Prefix, MaxKeys: aws.Int32(eraseBatch)})
	var listed error
	for pages.HasMorePages() {
		page, err := pages.NextPage(inner)
		if err != nil {
			listed = awserr.Of(err)
			break
		}
		if batch := identifiers(page, l.Prefix); len(batch) > 0 {
			work.Go(func() error {
				n, err := s.eraseBatch(inner, l.Bucket, batch)
				deleted.Add(int64(n))
				return err
			})
		}
	}
	err := work.Wait()
	if err == nil && !errors.Is(listed, store.ErrNotFound) { // no bucket, nothing to delete
		err = listed
	}
	if err != nil {
		err = fmt.Errorf("delete what is under %s: %w", s.URI(l), err)
	}
	return int(deleted.Load()), err
}

// identifiers lists the versions and delete markers of a page. A key outside of
// the prefix would be a fault of the listing, and is left alone.
func identifiers(page *s3.ListObjectVersionsOutput, prefix string) []types.ObjectIdentifier {
	var out []types.ObjectIdentifier
	add := func(key, version *string) {
		if strings.HasPrefix(aws.ToString(key), prefix) {
			out = append(out, types.ObjectIdentifier{Key: key, VersionId: version})
		}
	}
	for _, v := range page.Versions {
		add(v.Key, v.VersionId)
	}
	for _, m := range page.DeleteMarkers {
		add(m.Key, m.VersionId)
	}
	return out
}

// eraseBatch deletes versions. One that is gone by now is no error.
func (s *Store) eraseBatch(ctx context.Context, b resource.Bucket, batch []types.ObjectIdentifier) (int, error) {
	out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: s.bucket(b), Delete: &types.Delete{Objects: batch, Quiet: aws.Bool(true)}})
	if err != nil {
		return 0, awserr.Of(err)
	}
	n := len(batch) - len(out.Errors)
	for _, e := range out.Errors {
		code := aws.ToString(e.Code)
		class, _ := awserr.Class(code)
		if errors.Is(class, store.ErrNotFound) {
			continue
		}
		err := fmt.Errorf("S3 DeleteObjects of %s: %s: %s", aws.ToString(e.Key), code, aws.ToString(e.Message))
		if class != nil {
			err = fmt.Errorf("%w: %w", class, err)
		}
		return n, err
	}
	return n, nil
}
