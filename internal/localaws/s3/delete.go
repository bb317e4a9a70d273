package s3

import (
	"cmp"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"

	"engage/internal/localaws/wire"
)

func deleteObject(r *request) error {
	when, err := writeConditions(r.r.Header, true)
	if err != nil {
		return err
	}
	d, err := r.deleteKey(r.key, r.query.Get("versionId"), deleteOptions{when: when, bypass: bypasses(r.r.Header)})
	if err != nil {
		return err
	}
	if d.marker {
		r.setHeader("X-Amz-Delete-Marker", "true")
	}
	r.setHeader("X-Amz-Version-Id", d.version)
	return r.writeStatus(http.StatusNoContent)
}

// deletion is what a delete did.
type deletion struct {
	marker  bool   // a marker was made, or one was deleted
	version string // of the marker, or of what was deleted by its version
}

type deleteOptions struct {
	when   conditionsOnWrite
	bypass bool   // governance
	cause  string // begins the name of the event; "" is ObjectRemoved
}

func (r *request) deleteKey(key, version string, how deleteOptions) (d deletion, err error) {
	err = r.change(r.bucket, key, func(c *change) error {
		have, ok, err := c.current()
		if err != nil {
			return err
		}
		if err := how.when.check(have, ok, key); err != nil {
			return err
		}
		if version != "" {
			d, err = r.deleteVersion(c, version, how)
			return err
		}
		marker, err := c.remove(r.now())
		if err != nil {
			return err
		}
		d = deletion{marker: marker.Version != "", version: marker.Version}
		if d.marker {
			return r.emit(c, cmp.Or(how.cause, "ObjectRemoved")+":DeleteMarkerCreated", marker)
		}
		if !ok {
			return nil
		}
		return r.emit(c, cmp.Or(how.cause, "ObjectRemoved")+":Delete", Object{summary: summary{Seq: have.Seq + 1}})
	})
	return d, err
}

// deleteVersion deletes one version for good, unless it is locked.
func (r *request) deleteVersion(c *change, version string, how deleteOptions) (deletion, error) {
	o, err := find(c.tx, c.bucket.Name, c.key, version)
	if err == nil {
		err = o.Lock.forbids(r.cfg.Clock(), how.bypass)
	} else if wire.IsCode(err, "NoSuchVersion") {
		return deletion{version: version}, nil // it is gone: that is what was asked for
	}
	if err != nil {
		return deletion{}, err
	}
	if o, err = c.removeVersion(version); err != nil {
		return deletion{}, err
	}
	d := deletion{marker: o.Version != "" && o.marker(), version: version}
	return d, r.emit(c, cmp.Or(how.cause, "ObjectRemoved")+":Delete", o)
}

type deleteRequest struct {
	XMLName xml.Name
	Quiet   bool
	Objects []struct{ Key, VersionId, ETag string } `xml:"Object"`
}

type deletedEntry struct {
	Key                   string
	VersionId             string `xml:",omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionId string `xml:",omitempty"`
}

type deleteError struct {
	Key       string
	VersionId string `xml:",omitempty"`
	Code      string
	Message   string
}

type deleteResult struct {
	XMLName xml.Name       `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedEntry `xml:"Deleted"`
	Errors  []deleteError  `xml:"Error"`
}

const maxBatch = 1000

func deleteObjects(r *request) error {
	if _, err := r.find(r.bucket); err != nil {
		return err
	}
	var in deleteRequest
	if err := r.readXML(&in); err != nil {
		return err
	}
	if in.XMLName.Local != "Delete" || len(in.Objects) == 0 || len(in.Objects) > maxBatch {
		return malformedXML()
	}
	var out deleteResult
	for _, o := range in.Objects {
		deleted, err := r.deleteOne(o.Key, o.VersionId, o.ETag)
		if err != nil {
			var own *wire.Error
			if !errors.As(err, &own) {
				return err
			}
			r.noteDeleted(o.Key, o.VersionId, own)
			out.Errors = append(out.Errors, deleteError{o.Key, o.VersionId, deniedCode(own), own.Message})
			continue
		}
		r.noteDeleted(o.Key, o.VersionId, nil)
		if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted)
		}
	}
	return r.writeXML(out)
}

// deniedCode returns the error's code, as S3 names it.
func deniedCode(e *wire.Error) string {
	if wire.IsAccessDenied(e) {
		return "AccessDenied"
	}
	return e.Code
}

func (r *request) deleteOne(key, version, etag string) (deletedEntry, error) {
	entry := deletedEntry{Key: key, VersionId: version}
	action := "s3:DeleteObject"
	if version != "" {
		action = "s3:DeleteObjectVersion"
	}
	if err := r.may(action, key); err != nil {
		return entry, err
	}
	if bypasses(r.r.Header) {
		if err := r.may("s3:BypassGovernanceRetention", key); err != nil {
			return entry, err
		}
	}
	d, err := r.deleteKey(key, version, deleteOptions{when: conditionsOnWrite{etag: strings.Trim(etag, `"`)}, bypass: bypasses(r.r.Header)})
	if d.marker {
		entry.DeleteMarker, entry.DeleteMarkerVersionId = true, d.version
	}
	return entry, err
}
