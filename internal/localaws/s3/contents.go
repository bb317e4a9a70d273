package s3

import (
	"bytes"
	"encoding/xml"
	"strconv"
)

// contentsXML are the entries of a list. A list of many pages spends most of
// its time on them, so they are written by hand.
type contentsXML struct {
	objects []listed
	encode  func(string) string
	owner   owner // none when its ID is ""
}

// writeList answers with the document, its contents before the last tag.
func (r *request) writeList(doc *listXML) error {
	raw, err := xml.Marshal(doc)
	if err != nil {
		return err
	}
	end := bytes.LastIndex(raw, []byte("</"))
	var b bytes.Buffer
	b.Grow(len(raw) + 400*len(doc.Contents.objects))
	b.WriteString(xml.Header)
	b.Write(raw[:end])
	for i := range doc.Contents.objects {
		doc.Contents.write(&b, &doc.Contents.objects[i])
	}
	b.Write(raw[end:])
	return r.writeDocument(b.Bytes())
}

func (c *contentsXML) write(b *bytes.Buffer, o *listed) {
	b.WriteString("<Contents><Key>")
	xml.EscapeText(b, []byte(c.encode(o.key))) //nolint:errcheck // a bytes.Buffer does not fail
	b.WriteString("</Key><LastModified>")
	b.Write(o.modified().AppendFormat(b.AvailableBuffer(), isoLayout))
	b.WriteString(`</LastModified><ETag>&quot;`)
	b.WriteString(o.ETag)
	b.WriteString(`&quot;</ETag>`)
	for _, a := range algorithms {
		if o.Checksums[a] != "" {
			b.WriteString("<ChecksumAlgorithm>" + a + "</ChecksumAlgorithm><ChecksumType>" + o.ChecksumType + "</ChecksumType>")
			break // one is all that a caller can give
		}
	}
	b.WriteString("<Size>")
	b.Write(strconv.AppendInt(b.AvailableBuffer(), o.Size, 10))
	b.WriteString("</Size>")
	if c.owner.ID != "" {
		b.WriteString("<Owner><ID>" + c.owner.ID + "</ID><DisplayName>" + c.owner.DisplayName + "</DisplayName></Owner>")
	}
	b.WriteString("<StorageClass>" + o.class() + "</StorageClass></Contents>")
}
