package s3

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

const (
	namespace  = "http://s3.amazonaws.com/doc/2006-03-01/"
	maxXMLBody = 4 << 20 // holds a batch delete of 1000 keys of 1024 bytes, escaped
	maxKey     = 1024
)

// request is a call on its way through the service.
type request struct {
	*Service
	ctx    context.Context
	op     *operation
	call   *wire.Call
	r      *http.Request
	w      http.ResponseWriter
	query  url.Values
	bucket string
	key    string
}

func (s *Service) serve(ctx context.Context, o *operation, call *wire.Call, w http.ResponseWriter) error {
	r := &request{Service: s, ctx: ctx, op: o, call: call, r: call.HTTP, w: w,
		query: call.HTTP.URL.Query(), bucket: call.Vars["Bucket"], key: call.Vars["Key"]}
	if err := r.check(); err != nil {
		return err
	}
	r.meter()
	if err := o.handle(r); err != nil {
		return bodyError(err)
	}
	return nil
}

// bodyError says in S3's words that a body was cut short.
func bodyError(err error) error {
	var own *wire.Error
	if !errors.As(err, &own) && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled)) {
		return wire.Errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.").Because(err)
	}
	return err
}

// check refuses what no operation takes, and a bucket of another owner than
// the caller expects.
func (r *request) check() error {
	if err := checkKey(r.key); err != nil {
		return err
	}
	for name := range r.r.Header {
		if strings.HasPrefix(name, "X-Amz-") && !knownHeader(name) {
			return wire.NotImplemented("the header %s of %s", strings.ToLower(name), r.op.name)
		}
	}
	owner := r.r.Header.Get("X-Amz-Expected-Bucket-Owner")
	if owner == "" || r.bucket == "" {
		return nil
	}
	bk, err := r.find(r.bucket)
	if err == nil && bk.Account != owner {
		return wire.AccessDenied("Access Denied")
	}
	return err
}

// checkKey refuses a key that is too long or no text. Lists rely on the latter.
func checkKey(key string) error {
	switch {
	case len(key) > maxKey:
		return wire.Errorf("KeyTooLongError", "Your key is too long").With("MaxSizeAllowed", maxKey)
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return wire.Errorf("InvalidURI", "Couldn't parse the specified URI: a key is UTF-8 without NUL characters.")
	}
	return nil
}

var headers = strings.Fields(`Content-Sha256 Date Security-Token User-Agent Sdk-Checksum-Algorithm Trailer
	Decoded-Content-Length Storage-Class Tagging Tagging-Directive Metadata-Directive Server-Side-Encryption
	Server-Side-Encryption-Aws-Kms-Key-Id Server-Side-Encryption-Bucket-Key-Enabled Expected-Bucket-Owner
	Source-Expected-Bucket-Owner Request-Payer Mp-Object-Size Acl Bucket-Object-Lock-Enabled Object-Ownership
	Copy-Source Copy-Source-Range Copy-Source-If-Match Copy-Source-If-None-Match Copy-Source-If-Modified-Since
	Copy-Source-If-Unmodified-Since Object-Attributes Max-Parts Part-Number-Marker Optional-Object-Attributes
	Server-Side-Encryption-Customer-Algorithm Server-Side-Encryption-Customer-Key Server-Side-Encryption-Customer-Key-Md5
	Copy-Source-Server-Side-Encryption-Customer-Algorithm Copy-Source-Server-Side-Encryption-Customer-Key
	Copy-Source-Server-Side-Encryption-Customer-Key-Md5 Object-Lock-Mode Object-Lock-Retain-Until-Date Object-Lock-Legal-Hold Bypass-Governance-Retention
	Transition-Default-Minimum-Object-Size Skip-Destination-Validation Confirm-Remove-Self-Bucket-Access`)

func knownHeader(name string) bool {
	name = strings.TrimPrefix(name, "X-Amz-")
	checksum, isChecksum := strings.CutPrefix(name, "Checksum-")
	if isChecksum {
		return slices.Contains([]string{"Mode", "Type", "Algorithm"}, checksum) || slices.Contains(algorithms, strings.ToUpper(checksum))
	}
	return strings.HasPrefix(name, "Meta-") || slices.Contains(headers, name)
}

func (r *request) meter() {
	usage := "Requests-Tier2"
	if r.op.tier1 {
		usage = "Requests-Tier1"
	} else if r.r.Method == http.MethodDelete || r.op.name == "DeleteObjects" {
		usage = "Requests-Free"
	}
	r.count(usage, 1)
}

func (r *request) count(usage string, amount float64) {
	r.cfg.Meter.Add(r.ctx, wire.Quantity{Service: "s3", Usage: usage, Resource: r.bucket, RunID: r.call.Caller.RunID, Amount: amount})
}

// find returns a bucket of any account.
func (s *Service) find(name string) (bk Bucket, err error) {
	err = s.store.View(func(tx state.Tx) error {
		bk, err = getBucket(tx, name)
		return err
	})
	return bk, err
}

// readXML reads the body into v, whose root element has to be root.
func (r *request) readXML(v any) error {
	raw, err := r.readBody()
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(raw, v); err != nil {
		return malformedXML()
	}
	return nil
}

// readBody reads a short body and checks it against its Content-MD5 and checksums.
func (r *request) readBody() ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.r.Body, maxXMLBody+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxXMLBody {
		return nil, wire.Errorf("MaxMessageLengthExceeded", "Your request was too large.").With("MaxMessageLengthBytes", maxXMLBody)
	}
	d, err := newDigester(r.r.Header, "")
	if err != nil {
		return nil, err
	}
	d.Write(raw)
	_, err = d.verify(r.r)
	return raw, err
}

// writeXML answers with a document.
func (r *request) writeXML(v any) error {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	return r.writeDocument(b.Bytes())
}

func (r *request) writeDocument(b []byte) error {
	r.w.Header().Set("Content-Type", "application/xml")
	r.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, err := r.w.Write(b)
	return err
}

func (r *request) writeStatus(status int) error {
	if status == http.StatusOK {
		r.w.Header().Set("Content-Length", "0")
	}
	r.w.WriteHeader(status)
	return nil
}

func (r *request) setHeader(name, value string) {
	if value != "" {
		r.w.Header().Set(name, value)
	}
}

func quoted(etag string) string { return `"` + etag + `"` }

// isoLayout is how S3's documents write a time, in UTC.
const isoLayout = "2006-01-02T15:04:05.000Z"

func isoTime(t time.Time) string { return t.UTC().Format(isoLayout) }

// limit reads a parameter such as max-keys, whose default and bound is most.
func (r *request) limit(name string, most int) (int, error) {
	text := r.query.Get(name)
	if text == "" {
		return most, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalidArgument(name, text, "Provided "+name+" not an integer or within integer range")
	}
	if n < 0 {
		return 0, invalidArgument(name, text, "Argument "+name+" must be an integer between 0 and 2147483647")
	}
	return min(n, most), nil
}

type owner struct{ ID, DisplayName string }

// ownerOf returns an account as S3 names owners: by a canonical id.
func ownerOf(account string) owner {
	return owner{ID: strings.Repeat("0", 64-len(account)) + account, DisplayName: account}
}
