package s3

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

const (
	maxParts = 10_000
	minPart  = 5 << 20 // of every part but the last
)

type initiated struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadId string
}

func createUpload(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	up := Upload{ID: newID(), Started: r.cfg.Clock().UTC(), Initiator: r.call.Caller.ARN,
		Algorithm: strings.ToUpper(r.r.Header.Get("X-Amz-Checksum-Algorithm")), ChecksumType: r.r.Header.Get("X-Amz-Checksum-Type")}
	if up.Object, err = described(r.r.Header, bk, r.cfg.Clock()); err != nil {
		return err
	}
	if err := up.chooseType(); err != nil {
		return err
	}
	err = r.store.Batch(func(tx state.Tx) error {
		if _, err := getBucket(tx, r.bucket); err != nil {
			return err
		}
		have, err := current.Get(tx, state.Key(r.bucket, r.key))
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return err
		}
		up.Seq = have.Seq
		return uploads.Put(tx, state.Key(r.bucket, r.key, up.ID), up)
	})
	if err != nil {
		return err
	}
	r.encryptionHeaders(up.Object.SSE)
	r.setHeader("X-Amz-Checksum-Algorithm", up.Algorithm)
	r.setHeader("X-Amz-Checksum-Type", up.ChecksumType)
	return r.writeXML(initiated{Bucket: r.bucket, Key: r.key, UploadId: up.ID})
}

// chooseType settles whether the checksum will be of the whole or of its parts' checksums.
func (up *Upload) chooseType() error {
	if up.Algorithm == "" {
		up.ChecksumType = ""
		return nil
	}
	if !slices.Contains(algorithms, up.Algorithm) {
		return invalidArgument("x-amz-checksum-algorithm", up.Algorithm, "Checksum algorithm provided is unsupported.")
	}
	if up.ChecksumType == "" {
		up.ChecksumType = "COMPOSITE"
		if up.Algorithm == "CRC64NVME" {
			up.ChecksumType = "FULL_OBJECT"
		}
	}
	sha := strings.HasPrefix(up.Algorithm, "SHA")
	if up.ChecksumType == "FULL_OBJECT" && sha || up.ChecksumType == "COMPOSITE" && up.Algorithm == "CRC64NVME" {
		return wire.Errorf("InvalidRequest", "The %s checksum type cannot be used with the %s checksum algorithm.", up.ChecksumType, strings.ToLower(up.Algorithm))
	}
	return nil
}

// upload returns the upload that the request names.
func (r *request) upload() (bk Bucket, up Upload, err error) {
	err = r.store.View(func(tx state.Tx) error {
		if bk, err = getBucket(tx, r.bucket); err != nil {
			return err
		}
		up, err = r.uploadIn(tx)
		return err
	})
	return bk, up, err
}

func (r *request) uploadIn(tx state.Tx) (Upload, error) {
	id := r.query.Get("uploadId")
	up, err := uploads.Get(tx, state.Key(r.bucket, r.key, id))
	if errors.Is(err, state.ErrNotFound) {
		return up, noSuchUpload(id)
	}
	return up, err
}

func (r *request) partNumber() (int, error) {
	text := r.query.Get("partNumber")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxParts {
		return 0, invalidArgument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive")
	}
	return n, nil
}

func uploadPart(r *request) error {
	bk, up, err := r.upload()
	if err != nil {
		return err
	}
	n, err := r.partNumber()
	if err != nil {
		return err
	}
	if err := up.Object.SSE.Customer.samePart(r.r.Header); err != nil {
		return err
	}
	var o Object
	if err := r.receive(bk, &o, maxPut, up.Algorithm, http.MaxBytesReader(r.w, r.r.Body, maxPut)); err != nil {
		return err
	}
	if err := r.keepPart(bk, n, o); err != nil {
		return err
	}
	r.count("BytesUploaded", float64(o.Size))
	r.setHeader("ETag", quoted(o.ETag))
	r.encryptionHeaders(up.Object.SSE)
	o.ChecksumType = ""
	r.checksumHeaders(o)
	return r.writeStatus(http.StatusOK)
}

// keepPart notes a part whose file is written. A part that it replaces goes.
func (r *request) keepPart(bk Bucket, n int, o Object) error {
	id := r.query.Get("uploadId")
	name := state.Key(id, fmt.Sprintf("%05d", n))
	replaced := ""
	err := r.store.Batch(func(tx state.Tx) error {
		replaced = ""
		if _, err := r.uploadIn(tx); err != nil {
			return err
		}
		if have, err := parts.Get(tx, name); err == nil {
			replaced = have.ID
		}
		return parts.Put(tx, name, Part{n, o.ID, o.Size, o.ETag, r.now(), o.Checksums})
	})
	if err != nil {
		r.blobs.remove(bk, o.ID)
		return err
	}
	if replaced != "" {
		r.blobs.remove(bk, replaced)
	}
	return nil
}

func uploadPartCopy(r *request) error {
	bk, up, err := r.upload()
	if err != nil {
		return err
	}
	n, err := r.partNumber()
	if err != nil {
		return err
	}
	if err := up.Object.SSE.Customer.samePart(r.r.Header); err != nil {
		return err
	}
	_, from, f, err := r.openSource()
	if err != nil {
		return err
	}
	defer f.Close()
	start, length := int64(0), from.Size
	if header := r.r.Header.Get("X-Amz-Copy-Source-Range"); header != "" {
		var ok bool
		if start, length, ok, err = parseRange(header, from.Size); err != nil || !ok {
			return invalidArgument("x-amz-copy-source-range", header, "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
		}
	}
	o, err := r.copyPart(bk, io.NewSectionReader(f, start, length), up.Algorithm)
	if err != nil {
		return err
	}
	if err := r.keepPart(bk, n, o); err != nil {
		return err
	}
	o.Modified = r.now()
	return r.writeXML(copied("CopyPartResult", o))
}

func (r *request) copyPart(bk Bucket, src io.Reader, algorithm string) (o Object, err error) {
	d, err := newDigester(http.Header{}, algorithm)
	if err != nil {
		return o, err
	}
	dst, err := r.blobs.create()
	if err != nil {
		return o, err
	}
	if err := copyDigested(dst.File, src, d); err != nil {
		dst.Discard()
		return o, err
	}
	o.ETag, o.Size = d.etag(), d.size
	if o.Checksums, err = d.verify(&http.Request{}); err != nil {
		return o, err
	}
	o.ID, err = r.blobs.keep(bk, dst)
	return o, err
}

func abortUpload(r *request) error {
	var gone []string
	var bk Bucket
	err := r.store.Batch(func(tx state.Tx) (err error) {
		if bk, err = getBucket(tx, r.bucket); err != nil {
			return err
		}
		if _, err = r.uploadIn(tx); err != nil {
			return err
		}
		gone, err = dropUpload(tx, state.Key(r.bucket, r.key, r.query.Get("uploadId")))
		return err
	})
	if err != nil {
		return err
	}
	r.blobs.remove(bk, gone...)
	return r.writeStatus(http.StatusNoContent)
}

// dropUpload deletes an upload and its parts, whose files it returns.
func dropUpload(tx state.Tx, name string) ([]string, error) {
	id := name[strings.LastIndexByte(name, 0)+1:]
	all, err := parts.List(tx, state.Prefix(id), "", 0)
	if err != nil {
		return nil, err
	}
	gone := make([]string, len(all))
	for i, p := range all {
		gone[i] = p.Value.ID
	}
	if err := parts.DeletePrefix(tx, state.Prefix(id)); err != nil {
		return nil, err
	}
	return gone, uploads.Delete(tx, name)
}

// dropUploads deletes all uploads of a bucket and returns their parts' files.
func dropUploads(tx state.Tx, bucketName string) ([]string, error) {
	all, err := uploads.List(tx, state.Prefix(bucketName), "", 0)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, up := range all {
		ids, err := dropUpload(tx, up.Key)
		if err != nil {
			return nil, err
		}
		gone = append(gone, ids...)
	}
	return gone, nil
}

// compositeETag returns the entity tag of parts: the digest of their digests,
// and how many there are.
func compositeETag(chosen []Part) string {
	h := md5.New()
	for _, p := range chosen {
		raw, _ := hex.DecodeString(p.ETag) // we wrote it
		h.Write(raw)
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(chosen))
}

func compositeChecksum(algorithm string, chosen []Part) string {
	h := newHash(algorithm)
	for _, p := range chosen {
		raw, _ := base64.StdEncoding.DecodeString(p.Checksums[algorithm]) // we wrote it
		h.Write(raw)
	}
	return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(chosen))
}
