package s3

import (
	"net/http"
	"strings"
	"time"

	"engage/internal/localaws/wire"
)

// conditionsOnWrite are what a write asks of the object that it replaces.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
type conditionsOnWrite struct {
	absent bool   // If-None-Match: *
	etag   string // If-Match
}

func writeConditions(h http.Header, deletes bool) (conditionsOnWrite, error) {
	c := conditionsOnWrite{etag: strings.Trim(h.Get("If-Match"), `"`)}
	if c.etag == "*" && !deletes {
		return c, wire.NotImplemented("an If-Match of a write that is *")
	}
	if none := h.Get("If-None-Match"); none != "" {
		if none != "*" {
			return c, wire.NotImplemented("an If-None-Match of a write that is not *")
		}
		c.absent = true
	}
	return c, nil
}

func (c conditionsOnWrite) check(have Object, ok bool, key string) error {
	switch {
	case c.absent && ok:
		return preconditionFailed("If-None-Match")
	case c.etag != "" && !ok:
		return noSuchKey(key)
	case c.etag != "" && c.etag != "*" && c.etag != have.ETag:
		return preconditionFailed("If-Match")
	}
	return nil
}

// errNotModified is an answer without a body: the caller's copy is good.
var errNotModified = wire.StatusErrorf(http.StatusNotModified, "NotModified", "Not Modified")

// readConditions checks what a read, or the source of a copy, asks of the
// object. The prefix is that of the headers' names.
// https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
func readConditions(h http.Header, prefix string, o Object) error {
	modified := o.modified().Truncate(time.Second)
	if match := h.Get(prefix + "If-Match"); match != "" {
		if !matches(match, o.ETag) {
			return preconditionFailed("If-Match")
		}
	} else if t, ok := httpTime(h.Get(prefix + "If-Unmodified-Since")); ok && modified.After(t) {
		return preconditionFailed("If-Unmodified-Since")
	}
	if none := h.Get(prefix + "If-None-Match"); none != "" {
		if matches(none, o.ETag) {
			return errNotModified
		}
	} else if t, ok := httpTime(h.Get(prefix + "If-Modified-Since")); ok && !modified.After(t) {
		return errNotModified
	}
	return nil
}

// matches reports whether a list of entity tags has the object's.
func matches(list, etag string) bool {
	for _, tag := range strings.Split(list, ",") {
		tag = strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
		if tag == "*" || tag == etag {
			return true
		}
	}
	return false
}

func httpTime(text string) (time.Time, bool) {
	t, err := http.ParseTime(text)
	return t, err == nil
}
