// Package accesslog writes S3's server access logs: a line a request in AWS's
// format, kept in files until it is delivered.
package accesslog

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Entry is one request. What is empty, zero or negative is not known, or does
// not apply.
type Entry struct {
	Owner      string // canonical id of the bucket's owner
	Bucket     string
	Time       time.Time // when the request came
	RemoteIP   string
	Requester  string
	RequestID  string
	Operation  string // "REST.GET.OBJECT"
	Key        string
	Request    string // "GET /bucket/key HTTP/1.1"
	Status     int
	ErrorCode  string
	BytesSent  int64
	ObjectSize int64
	Total      time.Duration // from the request to the end of the answer
	TurnAround time.Duration // from the request to the begin of the answer
	Referer    string
	UserAgent  string
	VersionID  string
	HostID     string
	Signature  string // SigV2 or SigV4
	Auth       string // AuthHeader or QueryString
	Host       string
}

// Line renders the entry, with its newline.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
//
// The cipher suite and the TLS version are not there because the endpoint
// speaks HTTP; an access point, a permission by access control list and a
// region from which a request came there never is.
func (e Entry) Line() string {
	return strings.Join([]string{
		bare(e.Owner), bare(e.Bucket), e.Time.UTC().Format("[02/Jan/2006:15:04:05 -0700]"), bare(e.RemoteIP), bare(e.Requester), bare(e.RequestID),
		bare(e.Operation), escaped(e.Key), quoted(e.Request), number(int64(e.Status)), bare(e.ErrorCode), number(e.BytesSent), number(e.ObjectSize),
		number(e.Total.Milliseconds()), number(e.TurnAround.Milliseconds()), quoted(e.Referer), quoted(e.UserAgent), bare(e.VersionID), bare(e.HostID),
		bare(e.Signature), "-", bare(e.Auth), bare(e.Host), "-", "-", "-", "-",
	}, " ") + "\n"
}

// bare is a field that ends at a space: a caller's text must not look like two.
func bare(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c == '"' || c == 0x7f {
			return '_'
		}
		return c
	}, text)
}

// quoted is a field in quotes, which it must not have inside.
func quoted(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '_'
		}
		return c
	}, text)
	if text == "" {
		text = "-"
	}
	return `"` + strings.ReplaceAll(text, `"`, "%22") + `"`
}

// escaped is a key as it is in a URL.
func escaped(key string) string {
	if key == "" {
		return "-"
	}
	return strings.ReplaceAll(url.PathEscape(key), "%2F", "/")
}

func number(n int64) string {
	if n <= 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}
