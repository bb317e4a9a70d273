package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func chunked(body, length string) *http.Request {
	r := httptest.NewRequest("PUT", "/b/k", strings.NewReader(body))
	r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	r.Header.Set("X-Amz-Decoded-Content-Length", length)
	r.Header.Set("Content-Encoding", "aws-chunked,gzip")
	return r
}

func TestUnchunk(t *testing.T) {
	r := chunked("5;chunk-signature=ab\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "6")
	if err := unchunk(r); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil || string(b) != "hello!" || r.ContentLength != 6 || r.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("got %q %v %d %v", b, err, r.ContentLength, r.Header)
	}
	if r.Trailer.Get("X-Amz-Checksum-Crc32") != "AAAAAA==" {
		t.Errorf("trailer %v", r.Trailer)
	}
}

func TestUnchunkRefusesWhatIsCutShort(t *testing.T) {
	for _, body := range []string{"", "5\r\nhel", "5\r\nhello\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "3\r\nhel\r\n0\r\n\r\n", "ffffffffff\r\nhello", "x\r\n", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"} {
		r := chunked(body, "5")
		if err := unchunk(r); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r.Body); err == nil {
			t.Errorf("%q: read %q", body, b)
		}
	}
}

func FuzzUnchunk(f *testing.F) {
	f.Add("5\r\nhello\r\n0\r\n\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		r := chunked(body, "5")
		if unchunk(r) != nil {
			return
		}
		if b, err := io.ReadAll(r.Body); err == nil && len(b) != 5 {
			t.Errorf("%q: read %q without an error", body, b)
		}
	})
}
