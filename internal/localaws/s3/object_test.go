package s3_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"engage/internal/localaws/server"
)

func TestObjectRoundTrip(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	put, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: aws.String("a/b c+é%.txt"), Body: strings.NewReader("hello"),
		ContentType: aws.String("text/plain"), CacheControl: aws.String("no-store"), Metadata: map[string]string{"Colour": "red"},
		Tagging: aws.String("k=v&l=w"), StorageClass: types.StorageClassStandardIa})
	must(t, 0, err)
	if *put.ETag != `"5d41402abc4b2a76b9719d911017c592"` {
		t.Errorf("ETag %s", *put.ETag)
	}
	got, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("a/b c+é%.txt"), ChecksumMode: types.ChecksumModeEnabled})
	must(t, 0, err)
	if body := e.body(got); body != "hello" || *got.ContentType != "text/plain" || *got.CacheControl != "no-store" || got.Metadata["colour"] != "red" ||
		*got.TagCount != 2 || got.StorageClass != types.StorageClassStandardIa || got.ServerSideEncryption != types.ServerSideEncryptionAes256 || got.ChecksumCRC32 == nil {
		t.Errorf("got %q %+v", body, got)
	}
	head, err := e.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: b, Key: aws.String("a/b c+é%.txt")})
	if must(t, head, err); *head.ContentLength != 5 {
		t.Errorf("length %d", *head.ContentLength)
	}
	_, err = e.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: b, Key: aws.String("a/b c+é%.txt")})
	must(t, 0, err)
	_, err = e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("a/b c+é%.txt")})
	wantCode(t, err, "NoSuchKey")
	if left := files(t, filepath.Join(e.dir, "s3", "000000000000")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestRanges(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	e.put(b, "k", "0123456789")
	for header, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-3": "789", "bytes=5-99": "56789", "bytes=0-1,4-5": "0123456789", "lines=1-2": "0123456789"} {
		got, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("k"), Range: &header})
		if body := e.body(must(t, got, err)); body != want {
			t.Errorf("%s: %q", header, body)
		}
	}
	_, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("k"), Range: aws.String("bytes=10-")})
	wantCode(t, err, "InvalidRange")
}

func TestConditions(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	etag := e.put(b, "k", "x").ETag
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		in   sdk.GetObjectInput
		code string
	}{
		"match":            {sdk.GetObjectInput{IfMatch: etag}, ""},
		"other match":      {sdk.GetObjectInput{IfMatch: aws.String("zz")}, "PreconditionFailed"},
		"none match":       {sdk.GetObjectInput{IfNoneMatch: etag}, "NotModified"},
		"modified":         {sdk.GetObjectInput{IfModifiedSince: &past}, ""},
		"not modified":     {sdk.GetObjectInput{IfModifiedSince: &future}, "NotModified"},
		"unmodified":       {sdk.GetObjectInput{IfUnmodifiedSince: &future}, ""},
		"since modified":   {sdk.GetObjectInput{IfUnmodifiedSince: &past}, "PreconditionFailed"},
		"match beats time": {sdk.GetObjectInput{IfMatch: etag, IfUnmodifiedSince: &past}, ""},
	} {
		c.in.Bucket, c.in.Key = b, aws.String("k")
		out, err := e.GetObject(t.Context(), &c.in)
		switch {
		case c.code == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.code == "":
			out.Body.Close()
		case c.code == "NotModified" && err != nil:
			if !strings.Contains(err.Error(), "304") {
				t.Errorf("%s: %v", name, err)
			}
		default:
			wantCode(t, err, c.code)
		}
	}
	_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: strings.NewReader("y"), IfNoneMatch: aws.String("*")})
	wantCode(t, err, "PreconditionFailed")
	_, err = e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: strings.NewReader("y"), IfMatch: etag})
	must(t, 0, err)
	_, err = e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: strings.NewReader("z"), IfMatch: etag})
	wantCode(t, err, "PreconditionFailed")
	if got := e.get(b, "k"); got != "y" {
		t.Errorf("got %q", got)
	}
	if got := files(t, filepath.Join(e.dir, "s3", "000000000000")); len(got) != 2 {
		t.Errorf("files of refused writes are left: %v", got)
	}
}

func TestChecksumsAreVerifiedAndReturned(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	for _, a := range types.ChecksumAlgorithm("").Values() {
		if strings.HasPrefix(string(a), "XXHASH") || a == "MD5" || a == "SHA512" {
			continue // the SDK cannot compute them
		}
		key := string(a)
		_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader("123456789"), ChecksumAlgorithm: a})
		must(t, 0, err)
		got, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
		if body := e.body(must(t, got, err)); body != "123456789" {
			t.Errorf("%s: %q", a, body)
		}
		if a == types.ChecksumAlgorithmCrc64nvme && aws.ToString(got.ChecksumCRC64NVME) != "rosUhgp5mIg=" { // the check value of CRC-64/NVME, AE8B14860A799888
			t.Errorf("CRC64NVME %s", aws.ToString(got.ChecksumCRC64NVME))
		}
	}
	status, body, _ := e.raw("PUT", "/data/bad", "hello", "x-amz-checksum-crc32: AAAAAA==")
	if status != 400 || !strings.Contains(body, "BadDigest") {
		t.Errorf("got %d %s", status, body)
	}
	status, body, _ = e.raw("PUT", "/data/bad", "hello", "Content-MD5: CY9rzUYh03PK3k6DJie09g==")
	if status != 400 || !strings.Contains(body, "BadDigest") {
		t.Errorf("got %d %s", status, body)
	}
	_, err := e.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: b, Key: aws.String("bad")})
	wantCode(t, err, "NotFound")
}

func TestStreamedBodyWithTrailer(t *testing.T) {
	e := boot(t)
	e.bucket("data")
	status, body, _ := e.raw("PUT", "/data/k", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
		"x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length: 5", "x-amz-trailer: x-amz-checksum-crc32", "Content-Encoding: aws-chunked")
	if status != 200 || e.get(aws.String("data"), "k") != "hello" {
		t.Errorf("got %d %s", status, body)
	}
	status, body, _ = e.raw("PUT", "/data/l", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
		"x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length: 5", "x-amz-trailer: x-amz-checksum-crc32")
	if status != 400 || !strings.Contains(body, "BadDigest") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestCopy(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: aws.String("a b"), Body: strings.NewReader("x"), Metadata: map[string]string{"m": "1"}, Tagging: aws.String("k=v")})
	must(t, 0, err)
	_, err = e.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: b, Key: aws.String("c"), CopySource: aws.String("data/a%20b")})
	must(t, 0, err)
	_, err = e.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: b, Key: aws.String("d"), CopySource: aws.String("/data/a%20b"),
		MetadataDirective: types.MetadataDirectiveReplace, Metadata: map[string]string{"n": "2"}, ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
	must(t, 0, err)
	c, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("c")})
	if must(t, c, err); e.body(c) != "x" || c.Metadata["m"] != "1" || *c.TagCount != 1 {
		t.Errorf("got %+v", c)
	}
	d, err := e.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: b, Key: aws.String("d"), ChecksumMode: types.ChecksumModeEnabled})
	if must(t, d, err); d.Metadata["n"] != "2" || d.Metadata["m"] != "" || d.ChecksumSHA256 == nil {
		t.Errorf("got %+v", d)
	}
	_, err = e.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: b, Key: aws.String("c"), CopySource: aws.String("data/c")})
	wantCode(t, err, "InvalidRequest")
	_, err = e.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: b, Key: aws.String("c"), CopySource: aws.String("data/none")})
	wantCode(t, err, "NoSuchKey")
	_, err = e.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: b, Key: aws.String("e"), CopySource: aws.String("data/c"), CopySourceIfMatch: aws.String("zz")})
	wantCode(t, err, "PreconditionFailed")
}

func TestBatchDelete(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	e.put(b, "a", "")
	e.put(b, "b/c", "")
	out, err := e.DeleteObjects(t.Context(), &sdk.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("b/c")}, {Key: aws.String("none")}}}})
	if must(t, out, err); len(out.Deleted) != 3 || len(out.Errors) != 0 {
		t.Errorf("got %+v", out)
	}
	_, err = e.DeleteBucket(t.Context(), &sdk.DeleteBucketInput{Bucket: b})
	must(t, 0, err)
}

func TestObjectTags(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	e.put(b, "k", "x")
	_, err := e.PutObjectTagging(t.Context(), &sdk.PutObjectTaggingInput{Bucket: b, Key: aws.String("k"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("é 1")}}}})
	must(t, 0, err)
	got, err := e.GetObjectTagging(t.Context(), &sdk.GetObjectTaggingInput{Bucket: b, Key: aws.String("k")})
	if must(t, got, err); len(got.TagSet) != 1 || *got.TagSet[0].Value != "é 1" {
		t.Errorf("got %+v", got)
	}
	_, err = e.DeleteObjectTagging(t.Context(), &sdk.DeleteObjectTaggingInput{Bucket: b, Key: aws.String("k")})
	must(t, 0, err)
	_, err = e.PutObjectTagging(t.Context(), &sdk.PutObjectTaggingInput{Bucket: b, Key: aws.String("none"), Tagging: &types.Tagging{TagSet: []types.Tag{}}})
	wantCode(t, err, "NoSuchKey")
}

func TestPresignedURL(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	put, err := sdk.NewPresignClient(e.Client).PresignPutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: aws.String("k")})
	must(t, 0, err)
	r, _ := http.NewRequest(put.Method, put.URL, strings.NewReader("hi"))
	resp, err := http.DefaultClient.Do(r)
	must(t, 0, err)
	resp.Body.Close()
	get, err := sdk.NewPresignClient(e.Client).PresignGetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("k"), ResponseContentType: aws.String("text/csv")})
	must(t, 0, err)
	resp, err = http.Get(get.URL)
	must(t, 0, err)
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "hi" || resp.Header.Get("Content-Type") != "text/csv" {
		t.Errorf("got %s %v", body, resp.Header)
	}
}

func TestKeysThatAreNoText(t *testing.T) {
	e := boot(t)
	e.bucket("data")
	for _, path := range []string{"/data/a%00b", "/data/%ff", "/data/" + strings.Repeat("x", 1025)} {
		if status, body, _ := e.raw("PUT", path, ""); status != 400 {
			t.Errorf("%.30s: %d %s", path, status, body)
		}
	}
}

func TestParametersOfAnOlderSignature(t *testing.T) {
	e := boot(t)
	e.put(e.bucket("data"), "k", "hi")
	if status, body, _ := e.raw("GET", "/data/k?AWSAccessKeyId=test&Signature=x&Expires=1", ""); status != 200 || body != "hi" {
		t.Errorf("got %d %s", status, body)
	}
}

func TestVirtualHost(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	e.put(b, "a/b", "x")
	for _, host := range []string{"data.localhost", "data.s3.localhost:4566", "data.s3.us-east-1.amazonaws.com", "data.s3.localhost.localstack.cloud"} {
		if status, body, _ := e.raw("GET", "/a/b", "", "Host: "+host); status != 200 || body != "x" {
			t.Errorf("%s: %d %s", host, status, body)
		}
	}
	for _, host := range []string{"localhost", "s3.localhost", "s3.us-east-1.amazonaws.com"} {
		if status, body, _ := e.raw("GET", "/data/a/b", "", "Host: "+host); status != 200 || body != "x" {
			t.Errorf("%s: %d %s", host, status, body)
		}
	}
}

func TestUnknownOptionsAreRefusedByName(t *testing.T) {
	e := boot(t)
	e.bucket("data")
	for _, c := range []struct{ method, path, header, want string }{
		{"GET", "/data?inventory&id=1", "", "s3 GET /data?inventory"},

		{"PUT", "/data/k", "x-amz-checksum-xxhash3: AA==", "x-amz-checksum-xxhash3"},
		{"POST", "/data/k?restore", "", "s3 POST /data/k?restore"},
		{"PUT", "/data?website", "", "s3 PUT /data?website"},
	} {
		status, body, _ := e.raw(c.method, c.path, "", c.header)
		if status != 501 || !strings.Contains(body, "<Code>NotImplemented</Code>") || !strings.Contains(body, c.want) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.header, status, body)
		}
	}
}

func TestViewHasEveryKeyAsAFile(t *testing.T) {
	e := boot(t)
	e.bucket("data")
	long := strings.Repeat("x", 300)
	keys := []string{"a", "a/b", "a/b/c", "d/e", "d", "../../escape", "./x", "slash/", "double//slash", "%object", "a/%object", "p%/q", long, "dt=2026-01-01/part.parquet", ".."}
	for _, k := range keys {
		status, body, _ := e.raw("PUT", "/data/"+strings.ReplaceAll(strings.ReplaceAll(k, "%", "%25"), ".", "%2E"), k)
		if status != 200 {
			t.Fatalf("%q: %d %s", k, status, body)
		}
	}
	view := filepath.Join(e.dir, "s3", "000000000000", "data", "current")
	var contents []string
	for _, f := range files(t, view) {
		raw, err := os.ReadFile(filepath.Join(view, f))
		contents = append(contents, string(must(t, raw, err)))
	}
	slices.Sort(contents)
	slices.Sort(keys)
	if !slices.Equal(contents, keys) {
		t.Errorf("got  %q\nwant %q", contents, keys)
	}
	if raw, err := os.ReadFile(filepath.Join(view, "dt=2026-01-01", "part.parquet")); err != nil || string(raw) != "dt=2026-01-01/part.parquet" {
		t.Errorf("got %q %v", raw, err)
	}
	listed, err := e.service.Files(t.Context(), serverCaller(), "data", "a/")
	if must(t, listed, err); len(listed) != 3 || listed[0].Key != "a/%object" {
		t.Errorf("got %+v", listed)
	}
	for _, k := range keys {
		must(t, 0, e.service.Delete(t.Context(), serverCaller(), "data", k))
	}
	if left := files(t, filepath.Join(e.dir, "s3", "000000000000")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestUsageIsCounted(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	e.put(b, "k", "hello")
	e.get(b, "k")
	got := map[string]float64{}
	for _, q := range e.server.Usage().Read(server.Query{Service: "s3", Resource: "data"}) {
		got[q.Usage] = q.Amount
	}
	want := map[string]float64{"Requests-Tier1": 2, "Requests-Tier2": 1, "BytesUploaded": 5, "BytesDownloaded": 5}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLargeObject(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16+3)
	_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: bytes.NewReader(big)})
	must(t, 0, err)
	if got := e.get(b, "k"); got != string(big) {
		t.Errorf("%d bytes came back of %d", len(got), len(big))
	}
}
