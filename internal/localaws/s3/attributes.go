package s3

import (
	"encoding/xml"
	"net/http"
	"strings"
)

type attributesXML struct {
	XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         string   `xml:",omitempty"`
	Checksum     *checksumXML
	ObjectParts  *objectPartsXML
	StorageClass string `xml:",omitempty"`
	ObjectSize   *int64
}

type checksumXML struct {
	ChecksumType string `xml:",omitempty"`
	checksumFields
}

type objectPartsXML struct {
	TotalPartsCount int `xml:"PartsCount"`
}

func getAttributes(r *request) error {
	_, o, err := r.lookup(r.bucket, r.key, r.query.Get("versionId"))
	if err != nil {
		return err
	}
	if err := o.SSE.Customer.opens(r.r.Header, customerHeaders); err != nil {
		return err
	}
	var doc attributesXML
	names := strings.FieldsFunc(strings.Join(r.r.Header.Values("X-Amz-Object-Attributes"), ","), func(c rune) bool { return c == ',' || c == ' ' })
	if len(names) == 0 {
		return invalidArgument("x-amz-object-attributes", "", "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	for _, name := range names {
		if err := doc.add(name, o); err != nil {
			return err
		}
	}
	r.setHeader("Last-Modified", o.modified().Format(http.TimeFormat))
	r.versionHeader(o)
	return r.writeXML(doc)
}

func (doc *attributesXML) add(name string, o Object) error {
	switch name {
	case "ETag":
		doc.ETag = o.ETag
	case "StorageClass":
		doc.StorageClass = o.class()
	case "ObjectSize":
		doc.ObjectSize = &o.Size
	case "ObjectParts":
		if len(o.Parts) > 0 {
			doc.ObjectParts = &objectPartsXML{len(o.Parts)}
		}
	case "Checksum":
		if c := o.Checksums; len(c) > 0 {
			doc.Checksum = &checksumXML{o.ChecksumType, checksumsOf(c)}
		}
	default:
		return invalidArgument("x-amz-object-attributes", name, "Invalid attribute name specified.")
	}
	return nil
}
