package s3

import (
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"

	"engage/internal/localaws/wire"
)

// source is what x-amz-copy-source names.
type source struct{ bucket, key, version string }

func parseSource(h http.Header) (source, error) {
	header := h.Get("X-Amz-Copy-Source")
	path, query, _ := strings.Cut(header, "?")
	path, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	bucketName, key, ok := strings.Cut(path, "/")
	if err != nil || !ok || bucketName == "" || key == "" || strings.HasPrefix(bucketName, "arn:") {
		return source{}, invalidArgument("x-amz-copy-source", header, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	version, ok := strings.CutPrefix(query, "versionId=")
	if query != "" && !ok {
		return source{}, invalidArgument("x-amz-copy-source", header, "Unsupported copy source parameter.")
	}
	return source{bucketName, key, version}, nil
}

// openSource opens what is copied, once its conditions hold.
func (r *request) openSource() (source, Object, *os.File, error) {
	src, err := parseSource(r.r.Header)
	if err != nil {
		return src, Object{}, nil, err
	}
	o, f, err := r.opened(src.bucket, src.key, src.version)
	if err != nil {
		return src, o, nil, err
	}
	if err = o.SSE.Customer.opens(r.r.Header, sourceCustomerHeaders); err == nil {
		err = readConditions(r.r.Header, "X-Amz-Copy-Source-", o)
	}
	if err == nil && archived(o.Class) {
		err = errArchived(o)
	}
	if err != nil {
		f.Close()
		if wire.IsCode(err, "NotModified") {
			err = preconditionFailed("x-amz-copy-source-If-None-Match")
		}
		return src, o, nil, err
	}
	return src, o, f, nil
}

type copyResult struct {
	XMLName      xml.Name
	LastModified string
	copyFields
}

func copied(root string, o Object) copyResult {
	return copyResult{xml.Name{Space: namespace, Local: root}, isoTime(o.modified()), fieldsOf(o)}
}

func copyObject(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	src, from, f, err := r.openSource()
	if err != nil {
		return err
	}
	defer f.Close()
	o, err := r.copyDescription(bk, src, from)
	if err != nil {
		return err
	}
	when, err := writeConditions(r.r.Header, false)
	if err != nil {
		return err
	}
	if err := r.copyBytes(bk, &o, f, strings.ToUpper(r.r.Header.Get("X-Amz-Checksum-Algorithm")), from); err != nil {
		return err
	}
	if err := r.installObject(&o, when); err != nil {
		r.blobs.remove(bk, o.ID)
		return err
	}
	if from.Version != nullVersion {
		r.setHeader("X-Amz-Copy-Source-Version-Id", from.Version)
	}
	r.versionHeader(o)
	r.encryptionHeaders(o.SSE)
	return r.writeXML(copied("CopyObjectResult", o))
}

// copyDescription returns what the copy keeps of its source and what the
// request replaces.
func (r *request) copyDescription(bk Bucket, src source, from Object) (Object, error) {
	h := r.r.Header
	o, err := described(h, bk, r.cfg.Clock())
	if err != nil {
		return o, err
	}
	replace := h.Get("X-Amz-Metadata-Directive") == "REPLACE"
	if src.bucket == r.bucket && src.key == r.key && src.version == "" && !replace && h.Get("X-Amz-Storage-Class") == "" && h.Get("X-Amz-Server-Side-Encryption") == "" {
		return o, wire.Errorf("InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if !replace {
		o.Headers, o.Meta = maps.Clone(from.Headers), maps.Clone(from.Meta)
	}
	if h.Get("X-Amz-Tagging-Directive") != "REPLACE" {
		o.Tags = from.Tags
	}
	return o, nil
}

// copyBytes copies the source's file. Its checksums hold for the copy, unless
// they are of its parts or another algorithm is asked for.
func (r *request) copyBytes(bk Bucket, o *Object, f *os.File, algorithm string, from Object) error {
	d, err := newDigester(http.Header{}, algorithm)
	if err != nil {
		return err
	}
	dst, err := r.blobs.create()
	if err != nil {
		return err
	}
	if len(from.Parts) == 0 && (algorithm == "" || from.Checksums[algorithm] != "") {
		// The kernel copies, or shares the blocks where the file system can.
		_, err = io.Copy(dst.File, f)
		o.ETag, o.Size, o.Checksums = from.ETag, from.Size, from.Checksums
	} else if err = copyDigested(dst.File, f, d); err == nil {
		o.ETag, o.Size = d.etag(), d.size
		o.Checksums, err = d.verify(&http.Request{})
	}
	if err != nil {
		dst.Discard()
		return err
	}
	if len(o.Checksums) > 0 {
		o.ChecksumType = "FULL_OBJECT"
	}
	o.ID, err = r.blobs.keep(bk, dst)
	return err
}
