package s3

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

const maxPut = 5 << 30

var storageClasses = []string{"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"}

// archived reports whether the bytes of an object of the class have to be
// restored before they can be read, which nothing here does.
func archived(class string) bool { return class == "GLACIER" || class == "DEEP_ARCHIVE" }

func errArchived(o Object) error {
	return wire.StatusErrorf(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class").With("StorageClass", o.Class)
}

// systemHeaders are kept with an object and returned with it.
var systemHeaders = []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"}

// described returns what the headers say of an object to be.
func described(h http.Header, bk Bucket, now time.Time) (o Object, err error) {
	if acl := h.Get("X-Amz-Acl"); acl != "" && acl != "private" && acl != "bucket-owner-full-control" {
		return o, noACL()
	}
	if o.Class, err = storageClass(h); err != nil {
		return o, err
	}
	if o.SSE, err = encryption(h, bk); err != nil {
		return o, err
	}
	if o.Lock, err = lockOf(h, bk, now); err != nil {
		return o, err
	}
	if o.Tags, err = parseTagsHeader(h.Get("X-Amz-Tagging")); err != nil {
		return o, err
	}
	o.Headers = map[string]string{"Content-Type": "binary/octet-stream"}
	for _, name := range systemHeaders {
		if v := h.Get(name); v != "" {
			o.Headers[name] = v
		}
	}
	o.Meta, err = userMetadata(h)
	return o, err
}

func storageClass(h http.Header) (string, error) {
	class := h.Get("X-Amz-Storage-Class")
	switch {
	case class != "" && !slices.Contains(storageClasses, class):
		return "", wire.Errorf("InvalidStorageClass", "The storage class you specified is not valid").With("StorageClassRequested", class)
	case class == "STANDARD":
		return "", nil
	}
	return class, nil
}

func userMetadata(h http.Header) (map[string]string, error) {
	var meta map[string]string
	size := 0
	for name, values := range h {
		rest, ok := strings.CutPrefix(name, "X-Amz-Meta-")
		if !ok {
			continue
		}
		if meta == nil {
			meta = map[string]string{}
		}
		value := strings.Join(values, ",")
		if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
			value = decoded
		}
		meta[strings.ToLower(rest)] = value
		size += len(rest) + len(value)
	}
	if size > 2<<10 {
		return nil, wire.Errorf("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size").With("Size", size).With("MaxSizeAllowed", 2<<10)
	}
	return meta, nil
}

func putObject(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	o, err := described(r.r.Header, bk, r.cfg.Clock())
	if err != nil {
		return err
	}
	when, err := writeConditions(r.r.Header, false)
	if err != nil {
		return err
	}
	if err := r.receive(bk, &o, maxPut, "", http.MaxBytesReader(r.w, r.r.Body, maxPut)); err != nil {
		return err
	}
	if err := r.installObject(&o, when); err != nil {
		r.blobs.remove(bk, o.ID)
		return err
	}
	r.count("BytesUploaded", float64(o.Size))
	r.setHeader("ETag", quoted(o.ETag))
	r.versionHeader(o)
	r.expirationHeader(bk, o)
	r.encryptionHeaders(o.SSE)
	r.checksumHeaders(o)
	return r.writeStatus(http.StatusOK)
}

// receive writes the body into a file of the bucket, checks it and notes what it is.
func (r *request) receive(bk Bucket, o *Object, limit int64, algorithm string, body io.Reader) error {
	if r.r.ContentLength > limit {
		return wire.Errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").With("ProposedSize", r.r.ContentLength).With("MaxSizeAllowed", limit)
	}
	d, err := newDigester(r.r.Header, algorithm)
	if err != nil {
		return err
	}
	f, err := r.blobs.create()
	if err != nil {
		return err
	}
	if err = copyDigested(f.File, body, d); err == nil {
		o.Checksums, err = d.verify(r.r)
	}
	if err == nil && r.r.ContentLength >= 0 && d.size != r.r.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		f.Discard()
		return err
	}
	o.ETag, o.Size = d.etag(), d.size
	if len(o.Checksums) > 0 {
		o.ChecksumType = "FULL_OBJECT"
	}
	o.ID, err = r.blobs.keep(bk, f)
	return err
}

// installObject makes o the current version of the request's key, if the
// conditions hold.
func (r *request) installObject(o *Object, when conditionsOnWrite) error {
	return r.change(r.bucket, r.key, func(c *change) error {
		have, ok, err := c.current()
		if err != nil {
			return err
		}
		if err := when.check(have, ok, r.key); err != nil {
			return err
		}
		if err := c.install(o, r.now()); err != nil {
			return err
		}
		return r.emit(c, created[r.call.Operation], *o)
	})
}

// created are the events of the operations that make objects.
var created = map[string]string{"PutObject": "ObjectCreated:Put", "CopyObject": "ObjectCreated:Copy", "PostObject": "ObjectCreated:Post"}

func (r *request) versionHeader(o Object) {
	if o.Version != nullVersion {
		r.setHeader("X-Amz-Version-Id", o.Version)
	}
}

func (r *request) encryptionHeaders(e Encryption) {
	if e.Customer.MD5 != "" {
		r.setHeader(customerHeaders+"Algorithm", "AES256")
		r.setHeader(customerHeaders+"Key-Md5", e.Customer.MD5)
	}
	r.setHeader("X-Amz-Server-Side-Encryption", e.Algorithm)
	r.setHeader("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", e.KeyID)
	if e.BucketKey {
		r.setHeader("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "true")
	}
}

func (r *request) checksumHeaders(o Object) {
	for a, sum := range o.Checksums {
		r.setHeader("X-Amz-Checksum-"+a, sum)
	}
	r.setHeader("X-Amz-Checksum-Type", o.ChecksumType)
}
