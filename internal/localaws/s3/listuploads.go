package s3

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type uploadXML struct {
	Key               string
	UploadId          string
	Initiator         owner
	Owner             owner
	StorageClass      string
	Initiated         string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

type uploadsXML struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          string
	UploadIdMarker     string
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIdMarker string `xml:",omitempty"`
	Prefix             string `xml:",omitempty"`
	Delimiter          string `xml:",omitempty"`
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Upload             []uploadXML
	CommonPrefixes     []prefixXML
}

func listUploads(r *request) error {
	limit, err := r.limit("max-uploads", maxKeys)
	if err != nil {
		return err
	}
	encode, err := r.encoder()
	if err != nil {
		return err
	}
	q := r.query
	doc := uploadsXML{Bucket: r.bucket, KeyMarker: encode(q.Get("key-marker")), UploadIdMarker: q.Get("upload-id-marker"), Prefix: encode(q.Get("prefix")),
		Delimiter: encode(q.Get("delimiter")), EncodingType: q.Get("encoding-type"), MaxUploads: limit}
	l := listing{prefix: q.Get("prefix"), delimiter: q.Get("delimiter"), after: q.Get("key-marker"), limit: limit}
	err = r.store.View(func(tx state.Tx) error {
		bk, err := getBucket(tx, r.bucket)
		if err != nil {
			return err
		}
		return doc.fill(tx, bk, &l, encode)
	})
	if err != nil {
		return err
	}
	return r.writeXML(doc)
}

// fill adds the page's uploads: those behind the marker, by key and id.
func (doc *uploadsXML) fill(tx state.Tx, bk Bucket, l *listing, encode func(string) string) error {
	base := state.Prefix(bk.Name)
	for raw := range uploads.Scan(tx, base+l.prefix, "") {
		key, id, _ := strings.Cut(raw.Key()[len(base):], "\x00")
		common := l.common(key)
		if key < l.after || key == l.after && id <= doc.UploadIdMarker || key == l.after && doc.UploadIdMarker == "" ||
			common != "" && (common == l.after || len(doc.CommonPrefixes) > 0 && doc.CommonPrefixes[len(doc.CommonPrefixes)-1].Prefix == encode(common)) {
			continue
		}
		if len(doc.Upload)+len(doc.CommonPrefixes) >= l.limit {
			doc.IsTruncated = true
			return nil
		}
		if common != "" {
			doc.CommonPrefixes = append(doc.CommonPrefixes, prefixXML{encode(common)})
			doc.NextKeyMarker, doc.NextUploadIdMarker = encode(common), ""
			continue
		}
		up, err := raw.Value()
		if err != nil {
			return err
		}
		doc.Upload = append(doc.Upload, uploadXML{encode(key), id, owner{up.Initiator, up.Initiator}, ownerOf(bk.Account), up.Object.class(), isoTime(up.Started), up.Algorithm, up.ChecksumType})
		doc.NextKeyMarker, doc.NextUploadIdMarker = encode(key), id
	}
	doc.NextKeyMarker, doc.NextUploadIdMarker = "", ""
	return nil
}

type partXML struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
	checksumFields
}

type partsXML struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  string
	UploadId             string
	Initiator            owner
	Owner                owner
	StorageClass         string
	PartNumberMarker     int
	NextPartNumberMarker int `xml:",omitempty"`
	MaxParts             int
	IsTruncated          bool
	ChecksumAlgorithm    string `xml:",omitempty"`
	ChecksumType         string `xml:",omitempty"`
	Part                 []partXML
}

func listParts(r *request) error {
	limit, err := r.limit("max-parts", maxKeys)
	if err != nil {
		return err
	}
	marker, err := strconv.Atoi("0" + r.query.Get("part-number-marker"))
	if err != nil {
		return wire.Errorf("InvalidArgument", "Argument part-number-marker must be an integer")
	}
	bk, up, err := r.upload()
	if err != nil {
		return err
	}
	doc := partsXML{Bucket: r.bucket, Key: r.key, UploadId: up.ID, Initiator: owner{up.Initiator, up.Initiator}, Owner: ownerOf(bk.Account),
		StorageClass: up.Object.class(), PartNumberMarker: marker, MaxParts: limit, ChecksumAlgorithm: up.Algorithm, ChecksumType: up.ChecksumType}
	err = r.store.View(func(tx state.Tx) error {
		page, err := parts.List(tx, state.Prefix(up.ID), state.Key(up.ID, fmt.Sprintf("%05d", marker)), limit+1)
		if len(page) > limit {
			page, doc.IsTruncated = page[:limit], true
		}
		for _, e := range page {
			doc.Part = append(doc.Part, partOf(e.Value))
			doc.NextPartNumberMarker = e.Value.Number
		}
		return err
	})
	if err != nil {
		return err
	}
	return r.writeXML(doc)
}

func partOf(p Part) partXML {
	return partXML{p.Number, isoTime(summary{Modified: p.Modified}.modified()), quoted(p.ETag), p.Size, checksumsOf(p.Checksums)}
}
