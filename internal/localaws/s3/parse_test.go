package s3

import (
	"net/http"
	"path/filepath"
	"slices"
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

func TestFits(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"http://a", "http://a", true}, {"http://a", "http://ab", false}, {"*", "", true}, {"http://*.a", "http://b.a", true},
		{"http://*.a", "http://.a", true}, {"ab*ba", "aba", false}, {"x-*", "X-a", false}, {"", "", true},
	} {
		if got := fits(c.pattern, c.text); got != c.want {
			t.Errorf("%q as %q: got %v", c.text, c.pattern, got)
		}
	}
}

func FuzzCORS(f *testing.F) {
	f.Add([]byte(`<CORSConfiguration><CORSRule><AllowedOrigin>http://*.a</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`), "http://b.a", "GET", "x-a")
	f.Fuzz(func(t *testing.T, doc []byte, origin, method, header string) {
		rules, err := parseCORS(doc)
		if err != nil {
			return
		}
		for _, rule := range rules {
			found, ok := rule.allows(crossing{origin, method, []string{header}})
			if ok && (!fits(found, origin) || !slices.Contains(corsMethods, method)) {
				t.Errorf("%+v lets %q %q through as %q", rule, origin, method, found)
			}
		}
	})
}
