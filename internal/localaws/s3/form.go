package s3

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"

	"engage/internal/localaws/wire"
)

// Forms finds out who signed a browser's upload form, whose fields have
// lower-case names.
//
// Errors: those of S3 for a signature that is not accepted.
type Forms interface {
	VerifyForm(ctx context.Context, fields map[string]string) (wire.Caller, error)
}

// maxFields bounds what comes before the file in a form, in bytes.
const maxFields = 20 << 10

// postObject takes a browser's upload form.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
func postObject(r *request) error {
	kind, parameters, err := mime.ParseMediaType(r.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || parameters["boundary"] == "" {
		return preconditionFailed("Bucket POST must be of the enclosure-type multipart/form-data")
	}
	if r.cfg.Forms == nil {
		return wire.NotImplemented("an upload form where no signature can be verified")
	}
	parts := multipart.NewReader(r.r.Body, parameters["boundary"])
	fields, file, err := readFields(parts)
	if err != nil {
		return err
	}
	if r.call.Caller, err = r.cfg.Forms.VerifyForm(r.ctx, fields); err != nil {
		return err
	}
	r.key = strings.ReplaceAll(fields["key"], "${filename}", path.Base(file.FileName()))
	if err := checkKey(r.key); err != nil {
		return err
	}
	fields["key"] = r.key
	limits, err := r.checkForm(fields)
	if err != nil {
		return err
	}
	if err := r.receiveForm(fields, file, limits); err != nil {
		return err
	}
	return nil
}

// readFields reads a form up to its file.
func readFields(form *multipart.Reader) (map[string]string, *multipart.Part, error) {
	fields, size := map[string]string{}, 0
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, nil, wire.Errorf("InvalidArgument", "POST requires exactly one file upload per request.").With("ArgumentName", "file").With("ArgumentValue", "0")
		}
		if err != nil {
			return nil, nil, wire.Errorf("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.").Because(err)
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			if fields["key"] == "" {
				return nil, nil, wire.Errorf("InvalidArgument", "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.").With("ArgumentName", "key").With("ArgumentValue", "")
			}
			return fields, part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFields+1))
		if err != nil {
			return nil, nil, err
		}
		if size += len(name) + len(value); size > maxFields {
			return nil, nil, wire.Errorf("MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large.").With("MaxPostPreDataLengthExceeded", maxFields)
		}
		fields[name] = string(value)
	}
}

// receiveForm writes the form's file as an object.
func (r *request) receiveForm(fields map[string]string, file io.Reader, limits span) error {
	h := http.Header{}
	for name, value := range fields {
		if name != "policy" && name != "x-amz-signature" && name != "success_action_status" {
			h.Set(name, value)
		}
	}
	if tags := fields["tagging"]; tags != "" {
		list, err := parseTagsDocument([]byte(tags))
		if err != nil {
			return err
		}
		h.Set("X-Amz-Tagging", tagsHeader(list))
	}
	if err := r.mayPost(h); err != nil {
		return err
	}
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	o, err := described(h, bk, r.cfg.Clock())
	if err != nil {
		return err
	}
	r.r = &http.Request{Method: http.MethodPost, Header: h, ContentLength: -1, RemoteAddr: r.r.RemoteAddr}
	if err := r.receive(bk, &o, maxPut, "", &limitedFile{file, limits.length}); err != nil {
		return err
	}
	if o.Size < limits.start {
		err = wire.Errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").With("ProposedSize", o.Size).With("MinSizeAllowed", limits.start)
	} else {
		err = r.installObject(&o, conditionsOnWrite{})
	}
	if err != nil {
		r.blobs.remove(bk, o.ID)
		return err
	}
	r.count("BytesUploaded", float64(o.Size))
	return r.answerForm(fields, o)
}

// mayPost checks that the form's sender may do what its fields ask for.
func (r *request) mayPost(h http.Header) error {
	accesses := []wire.Access{r.accessOf(r.call.Caller, "s3:PutObject", r.bucket, r.key)}
	for _, action := range furtherActions(h) {
		accesses = append(accesses, r.accessOf(r.call.Caller, action, r.bucket, r.key))
	}
	return r.cfg.Authorizer.Authorize(r.ctx, r.call, accesses)
}

// limitedFile fails when it is longer than the policy allows.
type limitedFile struct {
	io.Reader
	left int64
}

// Read implements io.Reader.
func (l *limitedFile) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, wire.Errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	return n, err
}

// answerForm answers as the form asks: with a redirection, a document or nothing.
func (r *request) answerForm(fields map[string]string, o Object) error {
	location := "http://" + r.call.Host() + "/" + r.bucket + "/" + (&url.URL{Path: r.key}).EscapedPath()
	r.setHeader("ETag", quoted(o.ETag))
	r.setHeader("Location", location)
	r.versionHeader(o)
	r.encryptionHeaders(o.SSE)
	target := fields["success_action_redirect"]
	if target == "" {
		target = fields["redirect"]
	}
	if to, err := url.Parse(target); err == nil && target != "" {
		q := to.Query()
		q.Set("bucket", r.bucket)
		q.Set("key", r.key)
		q.Set("etag", quoted(o.ETag))
		to.RawQuery = q.Encode()
		r.setHeader("Location", to.String())
		return r.writeStatus(http.StatusSeeOther)
	}
	switch fields["success_action_status"] {
	case "200":
		return r.writeStatus(http.StatusOK)
	case "201":
		var b bytes.Buffer
		b.WriteString(xml.Header)
		err := xml.NewEncoder(&b).Encode(struct {
			XMLName                     xml.Name `xml:"PostResponse"`
			Location, Bucket, Key, ETag string
		}{Location: location, Bucket: r.bucket, Key: r.key, ETag: quoted(o.ETag)})
		if err != nil {
			return err
		}
		r.setHeader("Content-Type", "application/xml")
		r.w.WriteHeader(http.StatusCreated)
		_, err = r.w.Write(b.Bytes())
		return err
	}
	return r.writeStatus(http.StatusNoContent)
}
