package s3

import (
	"time"

	"engage/internal/localaws/state"
)

// Bucket is what is kept of a bucket.
type Bucket struct {
	Name       string
	Account    string
	Region     string
	Created    time.Time
	Versioning string            // "", "Enabled" or "Suspended"
	Settings   map[string]string // by query literal: "policy", "encryption"; as the caller gave them
	Deleted    map[string]bool   // settings whose default the caller deleted
}

// Object is what is kept of one version of an object.
type Object struct {
	summary
	detail
}

// summary is what a list tells of an object.
type summary struct {
	ID           string // of its file; "" for a delete marker
	Version      string // "null" outside of versioning
	Seq          uint64 // grows with every change of the store
	Size         int64
	Modified     int64             // Unix milliseconds
	ETag         string            // without quotes
	Class        string            // storage class; "" is STANDARD
	Checksums    map[string]string // base64 by algorithm: "CRC32"
	ChecksumType string            // FULL_OBJECT or COMPOSITE
}

// detail is the rest.
type detail struct {
	Headers map[string]string `json:"h,omitempty"` // Content-Type and the like
	Meta    map[string]string `json:"m,omitempty"` // user metadata, names in lower case
	Tags    []Tag             `json:"g,omitempty"`
	SSE     Encryption        `json:"x,omitzero"`
	Parts   []int64           `json:"p,omitempty"` // sizes, when it came in parts
	Lock    Lock              `json:"l,omitzero"`
}

// Tag is a key and its value.
type Tag struct{ Key, Value string }

// Encryption is how an object says it is encrypted at rest.
type Encryption struct {
	Algorithm string `json:"a,omitempty"` // AES256 or aws:kms
	KeyID     string `json:"k,omitempty"`
	BucketKey bool   `json:"b,omitempty"`

	Customer CustomerKey `json:"c,omitzero"`
}

// marker reports whether the version says that the object is deleted.
func (o summary) marker() bool { return o.ID == "" }

func (o summary) modified() time.Time { return time.UnixMilli(o.Modified).UTC() }

func (o summary) class() string {
	if o.Class == "" {
		return "STANDARD"
	}
	return o.Class
}

const nullVersion = "null"

// Upload is a multipart upload that has not ended.
type Upload struct {
	ID           string
	Started      time.Time
	Initiator    string // ARN
	Object       Object // what the caller said of the object to be
	Algorithm    string // of its checksum; "" for none
	ChecksumType string
	Seq          uint64 // of the object's current version when it began, 0 for none
}

// Part is an uploaded part.
type Part struct {
	Number    int
	ID        string // of its file
	Size      int64
	ETag      string
	Modified  int64
	Checksums map[string]string
}

// What is current is apart from what was: a list needs only the former.
// Keys of objects: bucket, key. Keys of versions: bucket, key, and a number
// that falls as versions get newer, so that the newest comes first.
var (
	buckets  = state.NewCollection[Bucket]("s3/buckets")
	current  = state.NewCollection[Object]("s3/current")
	versions = state.NewCollection[Object]("s3/versions")
	uploads  = state.NewCollection[Upload]("s3/uploads") // bucket, key, upload id
	parts    = state.NewCollection[Part]("s3/parts")     // upload id, number
)

func versionKey(bucket, key string, seq uint64) string {
	return state.Key(bucket, key, state.Ordinal(^seq))
}
