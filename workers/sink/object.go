package sink

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"

	"engage/internal/store/awserr"
)

// Client is what an Object calls of S3.
type Client interface{ transfermanager.S3APIClient }

// Object is an output in S3, written in parts.
type Object struct {
	Client      Client
	Bucket, Key string
	ContentType string
}

// Place is the object's URI.
func (o Object) Place() string { return "s3://" + o.Bucket + "/" + o.Key }

// Parts are uploaded two at a time. At most 10,000 make an object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const (
	partBytes   = 16 << 20
	partWorkers = 2
)

// Create begins an upload. It is given up when the context ends before Commit.
func (o Object) Create(ctx context.Context) (Sink, error) {
	r, w := io.Pipe()
	s := &object{ctx: ctx, writer: w, done: make(chan struct{})}
	// The end of the context reaches the upload as the end of what it reads, so
	// that it can still abort: with the context's own end it could call nothing.
	s.stop = context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })
	uploader := transfermanager.New(o.Client, func(t *transfermanager.Options) {
		t.PartSizeBytes, t.MultipartUploadThreshold, t.Concurrency = partBytes, partBytes, partWorkers
	})
	go func() {
		defer close(s.done)
		_, err := uploader.UploadObject(context.WithoutCancel(ctx), &transfermanager.UploadObjectInput{Bucket: &o.Bucket, Key: &o.Key, Body: r, ContentType: aws.String(o.ContentType)})
		if err != nil {
			s.err = fmt.Errorf("write %s: %w", o.Place(), awserr.Of(err))
		}
		r.CloseWithError(errors.Join(s.err, io.ErrClosedPipe)) // a writer must not wait for nobody
	}()
	return s, nil
}

// object is an upload.
type object struct {
	ctx    context.Context // of Create, which the upload lives as long as
	writer *io.PipeWriter
	done   chan struct{}
	stop   func() bool
	err    error // after done
}

func (s *object) Write(p []byte) (int, error) { return s.writer.Write(p) }

// Commit ends the upload well, unless the context has ended.
func (s *object) Commit() error {
	s.stop()
	s.writer.CloseWithError(context.Cause(s.ctx)) // without a cause it is the end of the file
	<-s.done
	return s.err
}

// errAborted ends an upload that is not wanted any more.
var errAborted = errors.New("aborted")

// Abort ends the upload; its parts are deleted.
func (s *object) Abort() error {
	s.stop()
	s.writer.CloseWithError(errAborted)
	<-s.done
	return nil
}
