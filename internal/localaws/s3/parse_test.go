package s3

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzRange(f *testing.F) {
	for _, header := range []string{"bytes=0-", "bytes=-5", "bytes=2-1", "bytes=9-99999999999999999999", "bytes= 1-2", "bytes=-0"} {
		f.Add(header, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		start, length, ok, err := parseRange(header, size)
		if ok && (err != nil || start < 0 || length <= 0 || start+length > size) {
			t.Errorf("%q of %d: %d+%d", header, size, start, length)
		}
	})
}

// FuzzEscapeKey: no key leaves the view, and no two keys share a path.
func FuzzEscapeKey(f *testing.F) {
	f.Add("../../x", "a")
	f.Add("a//b", "a/%empty/b")
	f.Add("%object", "%%object")
	f.Add(strings.Repeat("x", 300), "/")
	f.Fuzz(func(t *testing.T, a, b string) {
		if a == "" || b == "" || strings.ContainsRune(a+b, 0) {
			return
		}
		pa, pb := escapeKey(a), escapeKey(b)
		if !filepath.IsLocal(pa) || pa == "." {
			t.Errorf("%q escapes to %q", a, pa)
		}
		if a != b && pa == pb {
			t.Errorf("%q and %q share %q", a, b, pa)
		}
	})
}

func TestHostBucket(t *testing.T) {
	for host, want := range map[string]string{
		"localhost:4566": "", "127.0.0.1": "", "[::1]:4566": "", "s3.localhost": "", "b.localhost:80": "b", "b.s3.localhost": "b",
		"a.b.s3.eu-west-1.amazonaws.com": "a.b", "s3.eu-west-1.amazonaws.com": "", "s3.amazonaws.com": "", "b.s3-eu-west-1.amazonaws.com": "b",
		"b.s3.us-east-1.localhost.localstack.cloud": "b", "localhost.localstack.cloud": "", "s3.localhost.localstack.cloud:4566": "",
	} {
		if got := hostBucket(host); got != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}

func TestSource(t *testing.T) {
	for header, want := range map[string]source{
		"b/k": {"b", "k", ""}, "/b/a%2Fk%20x": {"b", "a/k x", ""}, "b/k?versionId=v": {"b", "k", "v"},
		"b": {}, "": {}, "b/": {}, "arn:aws:s3:::b/k": {}, "b/k?x=1": {}, "b/%zz": {},
	} {
		got, err := parseSource(http.Header{"X-Amz-Copy-Source": {header}})
		if got != want || (err != nil) != (want == source{}) {
			t.Errorf("%q: got %+v %v", header, got, err)
		}
	}
}
