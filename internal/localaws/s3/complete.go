package s3

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type completeRequest struct {
	XMLName xml.Name
	Parts   []struct {
		PartNumber int
		ETag       string
		checksumFields
	} `xml:"Part"`
}

type completed struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location string
	Bucket   string
	Key      string
	copyFields
}

// copyFields are what the answers to a copy and to a completed upload share.
type copyFields struct {
	ETag         string
	ChecksumType string `xml:",omitempty"`
	checksumFields
}

func fieldsOf(o Object) copyFields {
	return copyFields{quoted(o.ETag), o.ChecksumType, checksumsOf(o.Checksums)}
}

// checksumFields are an object's checksums in a document.
type checksumFields struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumMD5       string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumSHA512    string `xml:",omitempty"`
}

func checksumsOf(c map[string]string) checksumFields {
	return checksumFields{c["CRC32"], c["CRC32C"], c["CRC64NVME"], c["MD5"], c["SHA1"], c["SHA256"], c["SHA512"]}
}

// agree reports whether the checksums that a caller gives are the part's.
func (f checksumFields) agree(p Part) bool {
	have := checksumsOf(p.Checksums)
	for _, pair := range [][2]string{{f.ChecksumCRC32, have.ChecksumCRC32}, {f.ChecksumCRC32C, have.ChecksumCRC32C},
		{f.ChecksumCRC64NVME, have.ChecksumCRC64NVME}, {f.ChecksumMD5, have.ChecksumMD5}, {f.ChecksumSHA1, have.ChecksumSHA1},
		{f.ChecksumSHA256, have.ChecksumSHA256}, {f.ChecksumSHA512, have.ChecksumSHA512}} {
		if pair[0] != "" && pair[1] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return true
}

func completeUpload(r *request) error {
	when, err := writeConditions(r.r.Header, false)
	if err != nil {
		return err
	}
	raw, err := r.readCompletion()
	if err != nil {
		return err
	}
	bk, up, err := r.upload()
	if err != nil {
		return err
	}
	chosen, err := r.choose(up, raw)
	if err != nil {
		return err
	}
	o, err := r.assemble(bk, up, chosen)
	if err != nil {
		return err
	}
	if err := r.finishUpload(bk, &o, when); err != nil {
		r.blobs.remove(bk, o.ID)
		return err
	}
	r.versionHeader(o)
	r.expirationHeader(bk, o)
	r.encryptionHeaders(o.SSE)
	return r.writeXML(completed{Location: "http://" + r.call.Host() + "/" + r.bucket + "/" + r.key, Bucket: r.bucket, Key: r.key, copyFields: fieldsOf(o)})
}

// readCompletion reads the list of parts. The checksum headers of this request
// are of the object and not of the list.
func (r *request) readCompletion() (in completeRequest, err error) {
	raw, err := io.ReadAll(io.LimitReader(r.r.Body, maxXMLBody))
	if err != nil {
		return in, err
	}
	if xml.Unmarshal(raw, &in) != nil || in.XMLName.Local != "CompleteMultipartUpload" || len(in.Parts) == 0 {
		return in, malformedXML()
	}
	for i := 1; i < len(in.Parts); i++ {
		if in.Parts[i].PartNumber <= in.Parts[i-1].PartNumber {
			return in, wire.Errorf("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
	}
	return in, nil
}

// choose returns the parts that the request lists, once they fit.
func (r *request) choose(up Upload, in completeRequest) ([]Part, error) {
	have := map[int]Part{}
	err := r.store.View(func(tx state.Tx) error {
		all, err := parts.List(tx, state.Prefix(up.ID), "", 0)
		for _, p := range all {
			have[p.Value.Number] = p.Value
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	chosen := make([]Part, len(in.Parts))
	for i, want := range in.Parts {
		p, ok := have[want.PartNumber]
		if !ok || strings.Trim(want.ETag, `"`) != p.ETag || !want.agree(p) {
			return nil, wire.Errorf("InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").With("PartNumber", want.PartNumber)
		}
		if i < len(in.Parts)-1 && p.Size < minPart {
			return nil, wire.Errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").With("ProposedSize", p.Size).With("MinSizeAllowed", minPart).With("PartNumber", p.Number)
		}
		chosen[i] = p
	}
	return chosen, nil
}

// assemble joins the parts into the object's file.
func (r *request) assemble(bk Bucket, up Upload, chosen []Part) (Object, error) {
	o := up.Object
	o.ETag, o.ChecksumType = compositeETag(chosen), up.ChecksumType
	o.Parts = make([]int64, len(chosen))
	for i, p := range chosen {
		o.Parts[i] = p.Size
		o.Size += p.Size
	}
	full := ""
	if up.ChecksumType == "FULL_OBJECT" {
		full = up.Algorithm
	}
	f, err := r.blobs.create()
	if err != nil {
		return o, err
	}
	d, err := newDigester(http.Header{}, full)
	for i := 0; err == nil && i < len(chosen); i++ {
		err = r.appendPart(f.File, bk, chosen[i], d, full != "")
	}
	if err == nil {
		err = o.assembledChecksum(r.r, up, chosen, d)
	}
	if err != nil {
		f.Discard()
		return o, err
	}
	o.ID, err = r.blobs.keep(bk, f)
	return o, err
}

// appendPart copies a part: inside the kernel, unless its bytes have to be digested.
func (r *request) appendPart(dst *os.File, bk Bucket, p Part, d *digester, digest bool) error {
	src, err := r.blobs.open(bk, p.ID)
	if err != nil {
		return err
	}
	defer src.Close()
	if digest {
		return copyDigested(dst, src, d)
	}
	n, err := io.Copy(dst, src)
	if err == nil && n != p.Size {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("join part %d: %w", p.Number, err)
	}
	return nil
}

// assembledChecksum sets the object's checksum and compares it with the request's.
func (o *Object) assembledChecksum(r *http.Request, up Upload, chosen []Part, d *digester) error {
	if up.Algorithm == "" {
		return nil
	}
	sum := compositeChecksum(up.Algorithm, chosen)
	if up.ChecksumType == "FULL_OBJECT" {
		sums, err := d.verify(&http.Request{})
		if err != nil {
			return err
		}
		sum = sums[up.Algorithm]
	}
	o.Checksums = map[string]string{up.Algorithm: sum}
	if given := r.Header.Get("X-Amz-Checksum-" + up.Algorithm); given != "" && given != sum {
		return wire.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", up.Algorithm)
	}
	return nil
}

// finishUpload makes the object current and ends the upload, both or neither.
func (r *request) finishUpload(bk Bucket, o *Object, when conditionsOnWrite) error {
	return r.change(r.bucket, r.key, func(c *change) error {
		up, err := r.uploadIn(c.tx)
		if err != nil {
			return err
		}
		have, ok, err := c.current()
		if err != nil {
			return err
		}
		if err := when.check(have, ok, r.key); err != nil {
			return err
		}
		if err := r.undisturbed(c, up, have, ok, when); err != nil {
			return err
		}
		gone, err := dropUpload(c.tx, state.Key(r.bucket, r.key, r.query.Get("uploadId")))
		if err != nil {
			return err
		}
		c.drop = append(c.drop, gone...)
		if err := c.install(o, r.now()); err != nil {
			return err
		}
		return r.emit(c, "ObjectCreated:CompleteMultipartUpload", *o)
	})
}

// undisturbed refuses a conditional end of an upload when the object was
// written, or deleted, since the upload began.
func (r *request) undisturbed(c *change, up Upload, have Object, ok bool, when conditionsOnWrite) error {
	condition := ""
	switch {
	case when.etag != "" && ok && have.Seq != up.Seq:
		condition = "If-Match"
	case when.absent && !ok && up.Seq != 0:
		condition = "If-None-Match"
	default:
		return nil
	}
	return wire.StatusErrorf(http.StatusConflict, "ConditionalRequestConflict",
		"The conditional request cannot succeed due to a conflicting operation against this resource.").With("Condition", condition).With("Key", c.key)
}
