package s3

import (
	"encoding/xml"
	"maps"
	"slices"
	"strings"

	"engage/internal/localaws/state"
)

type versionXML struct {
	XMLName      xml.Name
	Key          string
	VersionId    string
	IsLatest     bool
	LastModified string
	ETag         string `xml:",omitempty"`
	Size         *int64
	StorageClass string `xml:",omitempty"`

	ChecksumAlgorithm []string `xml:",omitempty"`
	ChecksumType      string   `xml:",omitempty"`
	Owner             owner
}

type versionsXML struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIdMarker     string
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIdMarker string `xml:",omitempty"`
	MaxKeys             int
	Delimiter           string `xml:",omitempty"`
	EncodingType        string `xml:",omitempty"`
	IsTruncated         bool
	Entries             []versionXML
	CommonPrefixes      []prefixXML
}

// versionWalk merges what is current with what was, key by key.
type versionWalk struct {
	listing
	tx            state.Tx
	bucket        string
	versionMarker string
	found         []foundVersion
}

type foundVersion struct {
	key    string
	o      Object
	latest bool
}

func (l *versionWalk) fullPage() bool { return len(l.found)+len(l.prefixes) >= l.limit }

// run visits the keys in order. The smaller of the next current key and the
// next key with old versions is the next key.
func (l *versionWalk) run() error {
	if l.limit == 0 {
		return nil
	}
	from := max(l.prefix, l.after)
	if c := l.common(l.after); c != "" && l.after >= l.prefix {
		from = behind(c)
	}
	for {
		key, ok := l.nextKey(from)
		if !ok || l.truncated {
			return nil
		}
		if c := l.common(key); c != "" {
			if l.fullPage() {
				l.truncated = true
				return nil
			}
			l.prefixes, l.last = append(l.prefixes, c), c
			from = behind(c)
			continue
		}
		if err := l.visit(key); err != nil {
			return err
		}
		from = key + "\x00" // a key has no NUL: this is behind the key and before all others
	}
}

// nextKey returns the smallest key that is not before from.
func (l *versionWalk) nextKey(from string) (string, bool) {
	base := state.Prefix(l.bucket)
	key, ok := "", false
	if raw, more := current.Cursor(l.tx, base+l.prefix).Seek(base + from); more {
		key, ok = raw.Key()[len(base):], true
	}
	cursor := versions.Cursor(l.tx, base+l.prefix)
	raw, more := cursor.Seek(base + from)
	for more {
		old, _, _ := strings.Cut(raw.Key()[len(base):], "\x00")
		if old+"\x00" == from { // the versions of the key that from is behind
			raw, more = cursor.Seek(base + old + "\x00\xff")
			continue
		}
		if !ok || old < key {
			key, ok = old, true
		}
		break
	}
	return key, ok
}

// visit adds the versions of a key, the newest first.
func (l *versionWalk) visit(key string) error {
	skip := key == l.after && l.versionMarker != ""
	if key == l.after && l.versionMarker == "" {
		return nil
	}
	latest := true
	add := func(o Object) bool {
		if skip {
			skip = o.Version != l.versionMarker
		} else if l.fullPage() {
			l.truncated = true
			return false
		} else {
			l.found = append(l.found, foundVersion{key, o, latest})
			l.last = key
		}
		latest = false
		return true
	}
	o, err := current.Get(l.tx, state.Key(l.bucket, key))
	if err == nil && !add(o) {
		return nil
	}
	_, _, err = oldVersion(l.tx, l.bucket, key, func(o Object) bool { return !add(o) })
	return err
}

func listVersions(r *request) error {
	limit, err := r.limit("max-keys", maxKeys)
	if err != nil {
		return err
	}
	encode, err := r.encoder()
	if err != nil {
		return err
	}
	q := r.query
	if q.Get("version-id-marker") != "" && q.Get("key-marker") == "" {
		return invalidArgument("version-id-marker", q.Get("version-id-marker"), "A version-id marker cannot be specified without a key marker.")
	}
	l := versionWalk{bucket: r.bucket, versionMarker: q.Get("version-id-marker"),
		listing: listing{prefix: q.Get("prefix"), delimiter: q.Get("delimiter"), after: q.Get("key-marker"), limit: limit}}
	var bk Bucket
	err = r.store.View(func(tx state.Tx) (err error) {
		if bk, err = getBucket(tx, r.bucket); err != nil {
			return err
		}
		l.tx = tx
		return l.run()
	})
	if err != nil {
		return err
	}
	return r.writeXML(l.document(r, bk, encode))
}

func (l *versionWalk) document(r *request, bk Bucket, encode func(string) string) versionsXML {
	doc := versionsXML{Name: bk.Name, Prefix: encode(l.prefix), KeyMarker: encode(l.after), VersionIdMarker: l.versionMarker,
		MaxKeys: l.limit, Delimiter: encode(l.delimiter), EncodingType: r.query.Get("encoding-type"), IsTruncated: l.truncated}
	for _, f := range l.found {
		doc.Entries = append(doc.Entries, versionEntry(f, encode(f.key), bk))
	}
	for _, p := range l.prefixes {
		doc.CommonPrefixes = append(doc.CommonPrefixes, prefixXML{encode(p)})
	}
	if l.truncated {
		doc.NextKeyMarker = encode(l.last)
		if n := len(l.found); n > 0 && l.found[n-1].key == l.last {
			doc.NextVersionIdMarker = l.found[n-1].o.Version
		}
	}
	return doc
}

func versionEntry(f foundVersion, key string, bk Bucket) versionXML {
	v := versionXML{XMLName: xml.Name{Local: "DeleteMarker"}, Key: key, VersionId: f.o.Version, IsLatest: f.latest,
		LastModified: isoTime(f.o.modified()), Owner: ownerOf(bk.Account)}
	if !f.o.marker() {
		v.XMLName.Local, v.ETag, v.Size, v.StorageClass = "Version", quoted(f.o.ETag), &f.o.Size, f.o.class()
		v.ChecksumAlgorithm, v.ChecksumType = slices.Sorted(maps.Keys(f.o.Checksums)), f.o.ChecksumType
	}
	return v
}
