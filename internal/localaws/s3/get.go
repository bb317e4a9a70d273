package s3

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// lookup returns a version of an object, the current one for "". A delete
// marker is an error.
func (s *Service) lookup(bucketName, key, version string) (bk Bucket, o Object, err error) {
	err = s.store.View(func(tx state.Tx) error {
		if bk, err = getBucket(tx, bucketName); err != nil {
			return err
		}
		o, err = find(tx, bucketName, key, version)
		return err
	})
	if err == nil && o.marker() {
		err = markerError(key, version, o)
	}
	return bk, o, err
}

// markerError is what a read of a delete marker gets.
func markerError(key, version string, o Object) error {
	e := wire.AsError(noSuchKey(key))
	if version != "" {
		e = wire.StatusErrorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").With("Method", "GET").With("ResourceType", "DeleteMarker")
	}
	e.Header = http.Header{"X-Amz-Delete-Marker": {"true"}, "X-Amz-Version-Id": {o.Version}}
	if version != "" {
		e.Header.Set("Last-Modified", o.modified().Format(http.TimeFormat))
	}
	return e
}

// opened returns a version with its open file. A version that was replaced
// between the look at the store and the opening is looked up again.
func (s *Service) opened(bucketName, key, version string) (Object, *os.File, error) {
	_, o, f, err := s.openedIn(bucketName, key, version)
	return o, f, err
}

// openedIn is opened, with the bucket as it was then.
func (s *Service) openedIn(bucketName, key, version string) (Bucket, Object, *os.File, error) {
	for {
		bk, o, err := s.lookup(bucketName, key, version)
		if err != nil {
			return bk, o, nil, err
		}
		f, err := s.blobs.open(bk, o.ID)
		if !isGone(err) {
			return bk, o, f, err
		}
		if _, again, lerr := s.lookup(bucketName, key, version); lerr == nil && again.ID == o.ID {
			return bk, o, nil, err
		}
	}
}

// getObject answers GetObject and HeadObject.
func getObject(r *request) error {
	bk, o, f, err := r.openedIn(r.bucket, r.key, r.query.Get("versionId"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := o.SSE.Customer.opens(r.r.Header, customerHeaders); err != nil {
		return err
	}
	if err := readConditions(r.r.Header, "", o); err != nil {
		return r.withValidators(err, o)
	}
	if archived(o.Class) && r.r.Method != http.MethodHead {
		return errArchived(o)
	}
	span, err := r.span(o)
	if err != nil {
		return err
	}
	r.objectHeaders(o, span)
	r.expirationHeader(bk, o)
	if r.r.Method == http.MethodHead {
		r.w.WriteHeader(span.status())
		return nil
	}
	if _, err := f.Seek(span.start, io.SeekStart); err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	r.w.WriteHeader(span.status())
	n, err := io.Copy(r.w, io.LimitReader(f, span.length)) // sendfile: nothing comes through this process
	r.count("BytesDownloaded", float64(n))
	if err == nil && n < span.length {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// withValidators gives a 304 the headers that it has to have.
func (r *request) withValidators(err error, o Object) error {
	if wire.IsCode(err, "NotModified") {
		r.setHeader("ETag", quoted(o.ETag))
		r.setHeader("Last-Modified", o.modified().Format(http.TimeFormat))
		r.versionHeader(o)
	}
	return err
}

// span is the part of an object that is asked for.
type span struct {
	start, length, size int64
	partial             bool
	parts               int // of an object asked for by part
}

func (s span) status() int {
	if s.partial {
		return http.StatusPartialContent
	}
	return http.StatusOK
}

func (r *request) span(o Object) (span, error) {
	whole := span{length: o.Size, size: o.Size}
	header := r.r.Header.Get("Range")
	if text := r.query.Get("partNumber"); text != "" {
		if header != "" {
			return whole, wire.Errorf("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
		}
		return partSpan(o, text)
	}
	if header == "" {
		return whole, nil
	}
	start, length, ok, err := parseRange(header, o.Size)
	if err != nil || !ok {
		return whole, err
	}
	return span{start: start, length: length, size: o.Size, partial: true}, nil
}

func partSpan(o Object, text string) (span, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxParts {
		return span{}, invalidArgument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive")
	}
	sizes := o.Parts
	if len(sizes) == 0 {
		sizes = []int64{o.Size}
	}
	if n > len(sizes) {
		return span{}, wire.StatusErrorf(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable").
			With("PartNumberRequested", n).With("ActualPartCount", len(sizes))
	}
	var start int64
	for _, size := range sizes[:n-1] {
		start += size
	}
	return span{start: start, length: sizes[n-1], size: o.Size, partial: true, parts: len(o.Parts)}, nil
}

// parseRange reads a Range header of one range. Headers that are not well
// formed, and those with several ranges, are ignored, as S3 does.
// https://www.rfc-editor.org/rfc/rfc9110#section-14.2
func parseRange(header string, size int64) (start, length int64, ok bool, err error) {
	text, isBytes := strings.CutPrefix(header, "bytes=")
	from, to, isRange := strings.Cut(strings.TrimSpace(text), "-")
	if !isBytes || !isRange || strings.Contains(text, ",") {
		return 0, 0, false, nil
	}
	first, ferr := strconv.ParseUint(from, 10, 63)
	last, lerr := strconv.ParseUint(to, 10, 63)
	switch {
	case from == "" && lerr == nil: // the last bytes
		length = min(int64(last), size)
		start = size - length
	case ferr != nil || to != "" && lerr != nil || to != "" && last < first:
		return 0, 0, false, nil
	default:
		start, length = int64(first), size-int64(first)
		if to != "" {
			length = min(length, int64(last)-start+1)
		}
	}
	if length <= 0 {
		e := wire.StatusErrorf(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable").
			With("RangeRequested", header).With("ActualObjectSize", size)
		e.Header = http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", size)}}
		return 0, 0, false, e
	}
	return start, length, true, nil
}

func (r *request) objectHeaders(o Object, s span) {
	for name, value := range o.Headers {
		r.setHeader(name, value)
	}
	for name, value := range o.Meta {
		r.setHeader("X-Amz-Meta-"+name, mime.QEncoding.Encode("utf-8", value))
	}
	for _, name := range systemHeaders {
		r.setHeader(name, r.query.Get("response-"+strings.ToLower(name)))
	}
	r.setHeader("ETag", quoted(o.ETag))
	r.setHeader("Last-Modified", o.modified().Format(http.TimeFormat))
	r.setHeader("Accept-Ranges", "bytes")
	r.setHeader("Content-Length", strconv.FormatInt(s.length, 10))
	r.setHeader("X-Amz-Storage-Class", o.Class)
	r.versionHeader(o)
	r.encryptionHeaders(o.SSE)
	r.lockHeaders(o.Lock)
	if len(o.Tags) > 0 {
		r.setHeader("X-Amz-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
	if s.parts > 0 {
		r.setHeader("X-Amz-Mp-Parts-Count", strconv.Itoa(s.parts))
	}
	if s.partial {
		r.setHeader("Content-Range", fmt.Sprintf("bytes %d-%d/%d", s.start, s.start+s.length-1, s.size))
	}
	if s.length == s.size && strings.EqualFold(r.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		r.checksumHeaders(o)
	}
}
