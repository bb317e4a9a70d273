package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"engage/internal/localaws/s3/accesslog"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// File is a current object as a file that can be read in place. It is the
// version that was current when it was listed: it does not change, and goes
// when that version is deleted.
type File struct {
	Key      string
	Path     string // absolute
	Size     int64
	ETag     string
	Modified wire.Time
}

// Files returns the current objects of a bucket whose keys begin with a
// prefix, in the order of keys, for a caller who may list and read them.
//
// Errors: NoSuchBucket, AccessDenied.
func (s *Service) Files(ctx context.Context, caller wire.Caller, bucketName, prefix string) ([]File, error) {
	list := s.accessOf(caller, "s3:ListBucket", bucketName, "")
	list.Conditions = map[string][]string{"s3:prefix": {prefix}}
	if err := s.authorize(ctx, caller, "ListObjectsV2", list); err != nil {
		return nil, err
	}
	files, err := s.files(bucketName, prefix)
	if err != nil {
		return nil, err
	}
	s.noteInside(caller, "REST.GET.BUCKET", bucketName, "", 0)
	reads := make([]wire.Access, len(files))
	entries := make([]accesslog.Entry, len(files))
	base := s.accessOf(caller, "s3:GetObject", bucketName, "")
	for i, f := range files {
		reads[i] = base
		reads[i].Resource += "/" + f.Key
		entries[i] = s.inside(caller, "REST.GET.OBJECT", f.Key, f.Size)
	}
	if err := s.authorize(ctx, caller, "GetObject", reads...); err != nil {
		return files, err
	}
	s.note(bucketName, entries...) // they are read in place, by whom nobody sees
	return files, nil
}

func (s *Service) files(bucketName, prefix string) ([]File, error) {
	var files []File
	err := s.store.View(func(tx state.Tx) error {
		bk, err := getBucket(tx, bucketName)
		if err != nil {
			return err
		}
		base := state.Prefix(bucketName)
		for raw := range current.Scan(tx, base+prefix, "") {
			o, err := raw.Value()
			if err != nil {
				return err
			}
			if archived(o.Class) {
				continue // Athena does not see them
			}
			files = append(files, File{raw.Key()[len(base):], s.blobs.path(bk, o.ID), o.Size, o.ETag, wire.TimeOf(o.modified())})
		}
		return nil
	})
	return files, err
}

// Open opens the current version of an object for a caller who may read it.
//
// Errors: NoSuchBucket, NoSuchKey, AccessDenied.
func (s *Service) Open(ctx context.Context, caller wire.Caller, bucketName, key string) (*os.File, Object, error) {
	if err := s.authorize(ctx, caller, "GetObject", s.accessOf(caller, "s3:GetObject", bucketName, key)); err != nil {
		return nil, Object{}, err
	}
	o, f, err := s.opened(bucketName, key, "")
	if err == nil {
		s.noteInside(caller, "REST.GET.OBJECT", bucketName, key, o.Size)
	}
	return f, o, err
}

// Put writes an object for a caller who may. The headers are those that
// PutObject takes: Content-Type, x-amz-server-side-encryption and the like.
//
// Errors: NoSuchBucket, AccessDenied, and what PutObject returns.
func (s *Service) Put(ctx context.Context, caller wire.Caller, bucketName, key string, h http.Header, body io.Reader) (Object, error) {
	if h == nil {
		h = http.Header{}
	}
	if err := checkKey(key); err != nil {
		return Object{}, err
	}
	a := s.accessOf(caller, "s3:PutObject", bucketName, key)
	in := &http.Request{Method: http.MethodPut, Header: h, ContentLength: -1}
	if err := s.authorize(ctx, caller, "PutObject", a); err != nil {
		return Object{}, err
	}
	bk, err := s.find(bucketName)
	if err != nil {
		return Object{}, err
	}
	o, err := described(h, bk, s.cfg.Clock())
	if err != nil {
		return o, err
	}
	call := &wire.Call{Service: s.wire, Operation: "PutObject", Caller: caller}
	r := &request{Service: s, ctx: ctx, call: call, r: in, bucket: bucketName, key: key}
	if err := r.receive(bk, &o, maxPut, "", body); err != nil {
		return o, err
	}
	if err := r.installObject(&o, conditionsOnWrite{}); err != nil {
		s.blobs.remove(bk, o.ID)
		return o, err
	}
	r.count("Requests-Tier1", 1)
	s.noteInside(caller, "REST.PUT.OBJECT", bucketName, key, o.Size)
	return o, nil
}

// PutBytes is Put of what is in memory.
func (s *Service) PutBytes(ctx context.Context, caller wire.Caller, bucketName, key string, body []byte) error {
	_, err := s.Put(ctx, caller, bucketName, key, nil, bytes.NewReader(body))
	return err
}

// Delete deletes an object as DeleteObject does, for a caller who may.
func (s *Service) Delete(ctx context.Context, caller wire.Caller, bucketName, key string) error {
	if err := s.authorize(ctx, caller, "DeleteObject", s.accessOf(caller, "s3:DeleteObject", bucketName, key)); err != nil {
		return err
	}
	call := &wire.Call{Service: s.wire, Operation: "DeleteObject", Caller: caller}
	r := &request{Service: s, ctx: ctx, call: call, bucket: bucketName}
	_, err := r.deleteKey(key, "", deleteOptions{})
	if err == nil {
		s.noteInside(caller, "REST.DELETE.OBJECT", bucketName, key, 0)
	}
	return err
}

func (s *Service) authorize(ctx context.Context, caller wire.Caller, operation string, accesses ...wire.Access) error {
	call := &wire.Call{Service: s.wire, Operation: operation, Caller: caller}
	if err := s.cfg.Authorizer.Authorize(ctx, call, accesses); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// Exists tells whether there is a bucket of this name. Errors: NoSuchBucket.
func (s *Service) Exists(bucketName string) error {
	_, err := s.find(bucketName)
	return err
}
