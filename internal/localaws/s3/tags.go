package s3

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"engage/internal/localaws/wire"
)

const (
	maxObjectTags = 10
	maxBucketTags = 50
)

type tagging struct {
	XMLName xml.Name
	Tags    []Tag `xml:"TagSet>Tag"`
}

func parseTagsDocument(doc []byte) ([]Tag, error) {
	var t tagging
	if xml.Unmarshal(doc, &t) != nil || t.XMLName.Local != "Tagging" {
		return nil, malformedXML()
	}
	return t.Tags, nil
}

func tagsDocument(tags []Tag) string {
	b, err := xml.Marshal(tagging{XMLName: xml.Name{Space: namespace, Local: "Tagging"}, Tags: tags})
	if err != nil {
		panic("s3: tags cannot be written: " + err.Error()) // they are plain texts
	}
	return string(b)
}

// parseTagsHeader reads x-amz-tagging: a query string.
func parseTagsHeader(header string) ([]Tag, error) {
	if header == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil, invalidArgument("x-amz-tagging", header, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var tags []Tag
	for k, v := range values {
		for _, one := range v {
			tags = append(tags, Tag{k, one})
		}
	}
	sort.Slice(tags, func(i, j int) bool { return tags[i].Key < tags[j].Key })
	return tags, checkTags(tags, maxObjectTags)
}

// tagText is what keys and values of tags are made of.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// checkTags refuses what AWS refuses.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
func checkTags(tags []Tag, most int) error {
	if len(tags) > most {
		return wire.Errorf("BadRequest", "Object tags cannot be greater than %d", most)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128 || !tagText.MatchString(t.Key):
			return wire.Errorf("InvalidTag", "The TagKey you have provided is invalid").With("TagKey", t.Key)
		case utf8.RuneCountInString(t.Value) > 256 || !tagText.MatchString(t.Value):
			return wire.Errorf("InvalidTag", "The TagValue you have provided is invalid").With("TagKey", t.Key).With("TagValue", t.Value)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			why := "System tags cannot be added/updated by requester"
			if most == maxObjectTags {
				why = "Your TagKey cannot be prefixed with aws:"
			}
			return wire.Errorf("InvalidTag", "%s", why).With("TagKey", t.Key)
		case seen[t.Key]:
			return wire.Errorf("InvalidTag", "Cannot provide multiple Tags with the same key").With("TagKey", t.Key).With("TagKey", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}

func getObjectTags(r *request) error {
	_, o, err := r.lookup(r.bucket, r.key, r.query.Get("versionId"))
	if err != nil {
		if e := wire.AsError(err); e.Header.Get("X-Amz-Delete-Marker") != "" {
			return notOnMarker(r.r.Method)
		}
		return err
	}
	r.versionHeader(o)
	return r.writeDocument([]byte(xml.Header + tagsDocument(o.Tags)))
}

func putObjectTags(r *request) error {
	doc, err := r.readBody()
	if err != nil {
		return err
	}
	tags, err := parseTagsDocument(doc)
	if err == nil {
		err = checkTags(tags, maxObjectTags)
	}
	if err != nil {
		return err
	}
	return r.setTags(tags, http.StatusOK)
}

// notOnMarker refuses what a delete marker does not have, the newest included.
func notOnMarker(method string) error {
	return wire.StatusErrorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").
		With("Method", method).With("ResourceType", "DeleteMarker")
}

func deleteObjectTags(r *request) error { return r.setTags(nil, http.StatusNoContent) }

func (r *request) setTags(tags []Tag, status int) error {
	version := r.query.Get("versionId")
	var changed Object
	err := r.change(r.bucket, r.key, func(c *change) error {
		o, err := find(c.tx, r.bucket, r.key, version)
		if err != nil {
			return err
		}
		if o.marker() {
			return notOnMarker(r.r.Method)
		}
		o.Tags, changed = tags, o
		event := "ObjectTagging:Put"
		if r.r.Method == http.MethodDelete {
			event = "ObjectTagging:Delete"
		}
		if err := r.emit(c, event, o); err != nil {
			return err
		}
		return c.replace(o)
	})
	if err != nil {
		return err
	}
	r.versionHeader(changed)
	return r.writeStatus(status)
}

// replace changes what is kept of a version that is there.
func (c *change) replace(o Object) error {
	have, ok, err := c.current()
	if err != nil {
		return err
	}
	if ok && have.Seq == o.Seq {
		return current.Put(c.tx, c.name(), o)
	}
	return versions.Put(c.tx, versionKey(c.bucket.Name, c.key, o.Seq), o)
}
