package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

const maxKeys = 1000

// listing is a page of current objects and common prefixes.
type listing struct {
	prefix, delimiter string
	after             string // begin behind this key, or behind all keys of this common prefix
	limit             int

	objects   []listed
	prefixes  []string
	truncated bool
	last      string // key or common prefix that the page ends with
}

type listed struct {
	key string
	summary
}

func (l *listing) full() bool { return len(l.objects)+len(l.prefixes) >= l.limit }

// walk is a list's steps over the keys that begin with its prefix. After a
// common prefix it jumps over all keys below it.
func (l *listing) walk(tx state.Tx, bucketName string) error {
	if l.limit == 0 {
		return nil
	}
	base := state.Prefix(bucketName)
	cursor := current.Cursor(tx, base+l.prefix)
	raw, ok := cursor.Seek(base + l.start())
	for ok {
		key := string(raw.KeyBytes()[len(base):])
		if common := l.common(key); common != "" {
			if l.full() {
				l.truncated = true
				return nil
			}
			l.prefixes, l.last = append(l.prefixes, common), common
			raw, ok = cursor.Seek(base + behind(common))
			continue
		}
		if key > l.after {
			if l.full() {
				l.truncated = true
				return nil
			}
			o, _, err := readSummary(raw.ValueBytes())
			if err != nil {
				return err
			}
			l.objects, l.last = append(l.objects, listed{key, o}), key
		}
		raw, ok = cursor.Next()
	}
	return nil
}

// start returns the first key that can be on the page.
func (l *listing) start() string {
	if common := l.common(l.after); common != "" && l.after >= l.prefix {
		return max(l.prefix, behind(common))
	}
	return max(l.prefix, l.after)
}

// common returns the common prefix that stands for a key, "" for none.
func (l *listing) common(key string) string {
	rest, ok := strings.CutPrefix(key, l.prefix)
	if !ok || l.delimiter == "" {
		return ""
	}
	i := strings.Index(rest, l.delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(l.prefix)+i+len(l.delimiter)]
}

// behind returns the smallest text that is greater than all that begin with s.
// A key is UTF-8, which has no byte 0xff.
func behind(s string) string { return s + "\xff" }

type prefixXML struct{ Prefix string }

type listXML struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	Marker                *string
	NextMarker            string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              *int
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              contentsXML `xml:"-"`
	CommonPrefixes        []prefixXML
}

// list reads the parameters that both lists share and makes the page.
func (r *request) list(after string) (*listing, *listXML, error) {
	limit, err := r.limit("max-keys", maxKeys)
	if err != nil {
		return nil, nil, err
	}
	encode, err := r.encoder()
	if err != nil {
		return nil, nil, err
	}
	l := &listing{prefix: r.query.Get("prefix"), delimiter: r.query.Get("delimiter"), after: after, limit: limit}
	err = r.store.View(func(tx state.Tx) error {
		if _, err := getBucket(tx, r.bucket); err != nil {
			return err
		}
		return l.walk(tx, r.bucket)
	})
	if err != nil {
		return nil, nil, err
	}
	doc := &listXML{Name: r.bucket, Prefix: encode(l.prefix), Delimiter: encode(l.delimiter), MaxKeys: limit,
		EncodingType: r.query.Get("encoding-type"), IsTruncated: l.truncated, Contents: contentsXML{objects: l.objects, encode: encode}}
	for _, p := range l.prefixes {
		doc.CommonPrefixes = append(doc.CommonPrefixes, prefixXML{encode(p)})
	}
	return l, doc, nil
}

// encoder returns how keys are written: as they are, or URL-encoded.
func (r *request) encoder() (func(string) string, error) {
	switch encoding := r.query.Get("encoding-type"); encoding {
	case "":
		return func(s string) string { return s }, nil
	case "url":
		return func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }, nil
	default:
		return nil, invalidArgument("encoding-type", encoding, "Invalid Encoding Method specified in Request")
	}
}

func listV1(r *request) error {
	marker := r.query.Get("marker")
	l, doc, err := r.list(marker)
	if err != nil {
		return err
	}
	encode, _ := r.encoder()
	marker = encode(marker)
	doc.Marker = &marker
	if l.truncated && l.delimiter != "" {
		doc.NextMarker = encode(l.last)
	}
	doc.Contents.owner = ownerOf(r.call.Caller.Account)
	return r.writeList(doc)
}

func listV2(r *request) error {
	token := r.query.Get("continuation-token")
	after, err := r.after(token)
	if err != nil {
		return err
	}
	l, doc, err := r.list(after)
	if err != nil {
		return err
	}
	encode, _ := r.encoder()
	count := len(l.objects) + len(l.prefixes)
	doc.KeyCount, doc.ContinuationToken, doc.StartAfter = &count, token, encode(r.query.Get("start-after"))
	if l.truncated {
		doc.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(l.last))
	}
	if r.query.Get("fetch-owner") == "true" {
		doc.Contents.owner = ownerOf(r.call.Caller.Account)
	}
	return r.writeList(doc)
}

func (r *request) after(token string) (string, error) {
	if token == "" {
		if r.query.Has("continuation-token") {
			return "", wire.Errorf("InvalidArgument", "The continuation token provided is incorrect")
		}
		return r.query.Get("start-after"), nil
	}
	raw, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return "", wire.Errorf("InvalidArgument", "The continuation token provided is incorrect")
	}
	return string(raw), nil
}
