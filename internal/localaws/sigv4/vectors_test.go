package sigv4

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	docsKey    = "AKIAIOSFODNN7EXAMPLE"
	docsSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func docsKeys(_ context.Context, key string) (Credential, error) {
	switch key {
	case docsKey:
		return Credential{Secret: docsSecret}, nil
	case "AKIDEXAMPLE":
		return Credential{Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}, nil
	}
	return Credential{}, ErrUnknownKey
}

func verifierAt(stamp string) *Verifier {
	now, err := time.Parse(timeForm, stamp)
	if err != nil {
		panic(err)
	}
	return &Verifier{Keys: docsKeys, Now: func() time.Time { return now }}
}

// request reads a request of one line, then headers, one a line.
func request(first, body string, headers ...string) *http.Request {
	method, target, _ := strings.Cut(first, " ")
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if name == "host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	return r
}

const (
	s3Credential = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
	suiteHeader  = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature="
	s3Host       = "host:examplebucket.s3.amazonaws.com"
	s3Date       = "x-amz-date:20130524T000000Z"
)

// vectors are the examples of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html,
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
// the user guide's IAM example and AWS's published test suite.
var vectors = []struct {
	name, when, first, body string
	headers                 []string
}{
	{"S3 GET object", "20130524T000500Z", "GET /test.txt", "", []string{s3Host, s3Date, "range:bytes=0-9", "x-amz-content-sha256:" + emptyHash,
		"Authorization:" + s3Credential + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"}},
	{"S3 PUT object", "20130524T000000Z", "PUT /test%24file.text", "Welcome to Amazon S3.", []string{s3Host, s3Date, "date:Fri, 24 May 2013 00:00:00 GMT",
		"x-amz-content-sha256:44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", "x-amz-storage-class:REDUCED_REDUNDANCY",
		"Authorization:" + s3Credential + "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"}},
	{"S3 GET lifecycle", "20130524T000000Z", "GET /?lifecycle", "", []string{s3Host, s3Date, "x-amz-content-sha256:" + emptyHash,
		"Authorization:" + s3Credential + "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"}},
	{"S3 list", "20130523T235000Z", "GET /?max-keys=2&prefix=J", "", []string{s3Host, s3Date, "x-amz-content-sha256:" + emptyHash,
		"Authorization:" + s3Credential + "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}},
	{"S3 presigned", "20130524T235959Z", "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", "",
		[]string{s3Host}},
	{"suite: get-vanilla", "20150830T123600Z", "GET /", "", []string{"host:example.amazonaws.com", "x-amz-date:20150830T123600Z",
		"Authorization:" + suiteHeader + "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"}},
	{"suite: get-vanilla-query-order", "20150830T123600Z", "GET /?Param2=value2&Param1=value1", "", []string{"host:example.amazonaws.com", "x-amz-date:20150830T123600Z",
		"Authorization:" + suiteHeader + "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"}},
	{"suite: normalised path", "20150830T123600Z", "GET /./", "", []string{"host:example.amazonaws.com", "x-amz-date:20150830T123600Z",
		"Authorization:" + suiteHeader + "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"}},
	{"IAM ListUsers", "20150830T123600Z", "GET /?Action=ListUsers&Version=2010-05-08", "", []string{"host:iam.amazonaws.com", "x-amz-date:20150830T123600Z",
		"content-type:application/x-www-form-urlencoded; charset=utf-8",
		"Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"}},
}

func TestPublishedVectors(t *testing.T) {
	for _, v := range vectors {
		r := request(v.first, v.body, v.headers...)
		if _, err := verifierAt(v.when).Verify(r); err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != v.body {
			t.Errorf("%s: body %q, %v", v.name, body, err)
		}
	}
}

const (
	chunkOne   = "10000;chunk-signature="
	chunkTwo   = "400;chunk-signature="
	chunkLast  = "0;chunk-signature="
	chunkedPut = "PUT /examplebucket/chunkObject.txt"
)

// chunkedBody is the example body: 65 KiB of the letter a in two chunks and the empty one.
func chunkedBody(one, two, last, end string) string {
	return chunkOne + one + "\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		chunkTwo + two + "\r\n" + strings.Repeat("a", 1024) + "\r\n" + chunkLast + last + "\r\n" + end
}

func chunkedRequest(body string) *http.Request {
	r := request(chunkedPut, body, "host:s3.amazonaws.com", s3Date, "x-amz-storage-class:REDUCED_REDUNDANCY",
		"x-amz-content-sha256:"+signedChunks, "content-encoding:aws-chunked", "x-amz-decoded-content-length:66560",
		"content-length:66824",
		"Authorization:"+s3Credential+"SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
	return r
}

var goodChunks = chunkedBody("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
	"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
	"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "\r\n")

func trailerRequest(body string) *http.Request {
	return request(chunkedPut, body, "host:s3.amazonaws.com", s3Date, "x-amz-storage-class:REDUCED_REDUNDANCY",
		"x-amz-content-sha256:"+signedTrailer, "content-encoding:aws-chunked", "x-amz-decoded-content-length:66560",
		"x-amz-trailer:x-amz-checksum-crc32c",
		"Authorization:"+s3Credential+"SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
}

var goodTrailer = chunkedBody("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
	"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
	"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
	"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n")

func TestPublishedChunks(t *testing.T) {
	r := chunkedRequest(goodChunks)
	if _, err := verifierAt("20130524T000000Z").Verify(r); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) != 66560 || r.ContentLength != 66560 || r.Header.Get("Content-Encoding") != "" {
		t.Errorf("%d bytes, length %d, encoding %q, %v", len(body), r.ContentLength, r.Header.Get("Content-Encoding"), err)
	}
	r = trailerRequest(goodTrailer)
	if _, err := verifierAt("20130524T000000Z").Verify(r); err != nil {
		t.Fatal(err)
	}
	body, err = io.ReadAll(r.Body)
	if err != nil || len(body) != 66560 || r.Trailer.Get("x-amz-checksum-crc32c") != "sOO8/Q==" {
		t.Errorf("%d bytes, trailer %v, %v", len(body), r.Trailer, err)
	}
}

func TestDamagedChunks(t *testing.T) {
	edits := map[string]func(string) string{
		"data":          func(s string) string { return strings.Replace(s, "aaaa\r\n400", "aaab\r\n400", 1) },
		"signature":     func(s string) string { return strings.Replace(s, "=0055", "=1055", 1) },
		"signature2":    func(s string) string { return strings.Replace(s, "=1c13", "=0c13", 1) },
		"cut":           func(s string) string { return s[:len(s)/2] },
		"cut last":      func(s string) string { return s[:strings.Index(s, "\r\n0;")+2] },
		"no last":       func(s string) string { return strings.Replace(s, "\r\n0;", "\r\n1;", 1) },
		"more":          func(s string) string { return s + "x" },
		"longer":        func(s string) string { return strings.Replace(s, "10000;", "10001;", 1) },
		"size":          func(s string) string { return strings.Replace(s, "10000;", "zz;", 1) },
		"huge":          func(s string) string { return strings.Replace(s, "10000;", "7fffffffffffffff;", 1) },
		"negative":      func(s string) string { return strings.Replace(s, "10000;", "-1;", 1) },
		"no signature":  func(s string) string { return strings.Replace(s, ";chunk-signature=", ";x=", 1) },
		"long header":   func(s string) string { return strings.Repeat("0", 100_000) + s },
		"other trailer": func(s string) string { return s[:len(s)-2] + "x-amz-meta-a:b\r\n\r\n" },
	}
	for name, edit := range edits {
		for form, r := range map[string]*http.Request{"chunks": chunkedRequest(edit(goodChunks)), "trailer": trailerRequest(edit(goodTrailer))} {
			if name == "signature" && form == "trailer" || name == "signature2" && form == "chunks" {
				continue
			}
			if _, err := verifierAt("20130524T000000Z").Verify(r); err != nil {
				t.Fatalf("%s, %s: %v", name, form, err)
			}
			_, err := io.ReadAll(r.Body)
			var refused *Error
			if !errors.As(err, &refused) {
				t.Errorf("%s, %s: %v", name, form, err)
			}
			if n, again := r.Body.Read(make([]byte, 1)); n != 0 || again != err {
				t.Errorf("%s, %s: the error does not stay: %v", name, form, again)
			}
		}
	}
	for name, edit := range map[string]func(string) string{
		"value":        func(s string) string { return strings.Replace(s, "sOO8", "sOO9", 1) },
		"no signature": func(s string) string { return s[:strings.Index(s, "x-amz-trailer-signature")] + "\r\n" },
		"no checksum":  func(s string) string { return s[:strings.Index(s, "x-amz-checksum")] + "\r\n" },
	} {
		r := trailerRequest(edit(goodTrailer))
		if _, err := verifierAt("20130524T000000Z").Verify(r); err != nil {
			t.Fatal(err)
		}
		var refused *Error
		if _, err := io.ReadAll(r.Body); !errors.As(err, &refused) {
			t.Errorf("trailer %s: %v", name, err)
		}
	}
}
