package local_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// bucket makes a bucket.
func bucket(ctx context.Context) string {
	GinkgoHelper()
	name := unique("bucket")
	must(root.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}))
	return name
}

func put(ctx context.Context, c *s3.Client, bucket, key, body string) error {
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	return err
}

// get reads an object, or "" with the error.
func get(ctx context.Context, c *s3.Client, in *s3.GetObjectInput) (string, error) {
	out, err := c.GetObject(ctx, in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return string(body), err
}

func object(bucket, key string) *s3.GetObjectInput {
	return &s3.GetObjectInput{Bucket: &bucket, Key: &key}
}

func keysOf(objects []types.Object) []string {
	keys := make([]string, len(objects))
	for i, o := range objects {
		keys[i] = *o.Key
	}
	return keys
}

var _ = Describe("S3", func() {
	var b string
	BeforeEach(func(ctx SpecContext) { b = bucket(ctx) })

	It("creates, finds, lists, tags and deletes buckets", func(ctx SpecContext) {
		must(root.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b}))
		var all []string
		for _, x := range must(root.s3.ListBuckets(ctx, &s3.ListBucketsInput{})).Buckets {
			all = append(all, *x.Name)
		}
		Expect(all).To(ContainElement(b))
		tags := &types.Tagging{TagSet: []types.Tag{{Key: aws.String("team"), Value: aws.String("data")}}}
		must(root.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &b, Tagging: tags}))
		Expect(must(root.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &b})).TagSet).To(Equal(tags.TagSet))
		Expect(put(ctx, root.s3, b, "k", "x")).To(Succeed())
		_, err := root.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b})
		Expect(err).To(refuseWith("BucketNotEmpty"))
		must(root.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("k")}))
		must(root.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b}))
		Expect(put(ctx, root.s3, b, "k", "x")).To(refuseWith("NoSuchBucket"))
	})

	It("keeps objects as plain files, and gives them back whole and in ranges", func(ctx SpecContext) {
		put := must(root.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("dt=2026-01-01/a b+é.csv"), Body: strings.NewReader("0123456789"),
			ContentType: aws.String("text/csv"), Metadata: map[string]string{"origin": "test"}}))
		in := object(b, "dt=2026-01-01/a b+é.csv")
		out := must(root.s3.GetObject(ctx, in))
		out.Body.Close()
		Expect(*out.ContentType).To(Equal("text/csv"))
		Expect(out.Metadata).To(HaveKeyWithValue("origin", "test"))
		Expect(*out.ETag).To(Equal(*put.ETag))
		Expect(must(get(ctx, root.s3, in))).To(Equal("0123456789"))
		for r, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-2": "89"} {
			in.Range = &r
			Expect(must(get(ctx, root.s3, in))).To(Equal(want), r)
		}
		in.Range = aws.String("bytes=10-")
		_, err := get(ctx, root.s3, in)
		Expect(err).To(refuseWith("InvalidRange"))
		file := filepath.Join(here.dir, "s3", account, b, "current", "dt=2026-01-01", "a b+é.csv")
		Expect(string(must(os.ReadFile(file)))).To(Equal("0123456789"))
		must(root.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: in.Key}))
		_, err = get(ctx, root.s3, object(b, *in.Key))
		Expect(err).To(refuseWith("NoSuchKey"))
	})

	It("lists with prefix, delimiter and pages, in both versions", func(ctx SpecContext) {
		for _, k := range []string{"a/1", "a/2", "b/1", "c", "d"} {
			Expect(put(ctx, root.s3, b, k, k)).To(Succeed())
		}
		var keys, prefixes []string
		pages := s3.NewListObjectsV2Paginator(root.s3, &s3.ListObjectsV2Input{Bucket: &b, Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)})
		for pages.HasMorePages() {
			page := must(pages.NextPage(ctx))
			Expect(*page.KeyCount).To(BeNumerically("<=", 1))
			keys = append(keys, keysOf(page.Contents)...)
			for _, p := range page.CommonPrefixes {
				prefixes = append(prefixes, *p.Prefix)
			}
		}
		Expect(keys).To(Equal([]string{"c", "d"}))
		Expect(prefixes).To(Equal([]string{"a/", "b/"}))
		v1 := must(root.s3.ListObjects(ctx, &s3.ListObjectsInput{Bucket: &b, Prefix: aws.String("a/"), Marker: aws.String("a/1")}))
		Expect(keysOf(v1.Contents)).To(Equal([]string{"a/2"}))
	})

	It("deletes in batches and copies", func(ctx SpecContext) {
		Expect(put(ctx, root.s3, b, "from", "text")).To(Succeed())
		must(root.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &b, Key: aws.String("to"), CopySource: aws.String(b + "/from")}))
		Expect(must(get(ctx, root.s3, object(b, "to")))).To(Equal("text"))
		out := must(root.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
			{Key: aws.String("from")}, {Key: aws.String("to")}, {Key: aws.String("never was")}}}}))
		Expect(out.Deleted).To(HaveLen(3))
		Expect(out.Errors).To(BeEmpty())
		Expect(*must(root.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b})).KeyCount).To(BeZero())
	})

	It("puts parts together", func(ctx SpecContext) {
		key := aws.String("parts")
		id := must(root.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b, Key: key})).UploadId
		parts := []string{strings.Repeat("a", 5<<20), "end"}
		var done []types.CompletedPart
		for i, p := range parts {
			n := aws.Int32(int32(i + 1))
			up := must(root.s3.UploadPart(ctx, &s3.UploadPartInput{Bucket: &b, Key: key, UploadId: id, PartNumber: n, Body: strings.NewReader(p)}))
			done = append(done, types.CompletedPart{PartNumber: n, ETag: up.ETag, ChecksumCRC32: up.ChecksumCRC32})
		}
		Expect(must(root.s3.ListParts(ctx, &s3.ListPartsInput{Bucket: &b, Key: key, UploadId: id})).Parts).To(HaveLen(2))
		_, err := get(ctx, root.s3, object(b, *key))
		Expect(err).To(refuseWith("NoSuchKey"))
		out := must(root.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &b, Key: key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}))
		Expect(*out.ETag).To(HaveSuffix(`-2"`))
		Expect(must(get(ctx, root.s3, object(b, *key)))).To(Equal(parts[0] + parts[1]))
		id = must(root.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &b, Key: key})).UploadId
		must(root.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b, Key: key, UploadId: id}))
		_, err = root.s3.ListParts(ctx, &s3.ListPartsInput{Bucket: &b, Key: key, UploadId: id})
		Expect(err).To(refuseWith("NoSuchUpload"))
	})

	It("writes and reads under conditions", func(ctx SpecContext) {
		first := &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("1"), IfNoneMatch: aws.String("*")}
		etag := must(root.s3.PutObject(ctx, first)).ETag
		first.Body = strings.NewReader("2")
		_, err := root.s3.PutObject(ctx, first)
		Expect(err).To(refuseWith("PreconditionFailed"))
		must(root.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("3"), IfMatch: etag}))
		_, err = root.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("4"), IfMatch: etag})
		Expect(err).To(refuseWith("PreconditionFailed"))
		in := object(b, "k")
		in.IfMatch = etag
		_, err = get(ctx, root.s3, in)
		Expect(err).To(refuseWith("PreconditionFailed"))
		Expect(must(get(ctx, root.s3, object(b, "k")))).To(Equal("3"))
	})

	It("keeps versions and delete markers", func(ctx SpecContext) {
		must(root.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &b, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}))
		key := aws.String("k")
		v1 := must(root.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: key, Body: strings.NewReader("1")})).VersionId
		Expect(put(ctx, root.s3, b, "k", "2")).To(Succeed())
		marker := must(root.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: key}))
		Expect(*marker.DeleteMarker).To(BeTrue())
		_, err := get(ctx, root.s3, object(b, "k"))
		Expect(err).To(refuseWith("NoSuchKey"))
		old := object(b, "k")
		old.VersionId = v1
		Expect(must(get(ctx, root.s3, old))).To(Equal("1"))
		list := must(root.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b}))
		Expect(list.Versions).To(HaveLen(2))
		Expect(list.DeleteMarkers).To(HaveLen(1))
		must(root.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: key, VersionId: marker.VersionId}))
		Expect(must(get(ctx, root.s3, object(b, "k")))).To(Equal("2"))
	})

	It("keeps tags, checksums and encryption settings of objects", func(ctx SpecContext) {
		sum := "Lt9JvWcqIMvU3cOS4zjq5U0Dk5mjMlTI51nkzwYGaFM=" // SHA-256 of another text
		in := &s3.PutObjectInput{Bucket: &b, Key: aws.String("k"), Body: strings.NewReader("text"), Tagging: aws.String("a=1&b=2"), ServerSideEncryption: types.ServerSideEncryptionAwsKms, ChecksumSHA256: &sum}
		_, err := root.s3.PutObject(ctx, in)
		Expect(err).To(refuseWith("BadDigest"))
		in.Body, in.ChecksumSHA256, in.ChecksumAlgorithm = strings.NewReader("text"), nil, types.ChecksumAlgorithmSha256
		must(root.s3.PutObject(ctx, in))
		head := must(root.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b, Key: in.Key, ChecksumMode: types.ChecksumModeEnabled}))
		Expect(head.ServerSideEncryption).To(Equal(types.ServerSideEncryptionAwsKms))
		Expect(aws.ToString(head.ChecksumSHA256)).To(HaveLen(44))
		Expect(must(root.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &b, Key: in.Key})).TagSet).To(HaveLen(2))
		must(root.s3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &b, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms}}}}}))
		rules := must(root.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &b})).ServerSideEncryptionConfiguration.Rules
		Expect(rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm).To(Equal(types.ServerSideEncryptionAwsKms))
	})

	It("takes presigned URLs until they expire or are changed", func(ctx SpecContext) {
		Expect(put(ctx, root.s3, b, "k", "text")).To(Succeed())
		fetch := func(u string) (int, string) {
			r := must(http.NewRequestWithContext(ctx, http.MethodGet, u, nil))
			answer := must(http.DefaultClient.Do(r))
			defer answer.Body.Close()
			return answer.StatusCode, string(must(io.ReadAll(answer.Body)))
		}
		signed := must(s3.NewPresignClient(root.s3).PresignGetObject(ctx, object(b, "k"), s3.WithPresignExpires(time.Minute))).URL
		status, body := fetch(signed)
		Expect(status).To(Equal(http.StatusOK))
		Expect(body).To(Equal("text"))
		changed := must(url.Parse(signed))
		q := changed.Query()
		q.Set("X-Amz-Signature", strings.Repeat("0", 64))
		changed.RawQuery = q.Encode()
		status, body = fetch(changed.String())
		Expect(status).To(Equal(http.StatusForbidden))
		Expect(body).To(ContainSubstring("SignatureDoesNotMatch"))
	})

	It("is reached by the bucket's host name too", func(ctx SpecContext) {
		address := strings.TrimPrefix(here.URL(), "http://")
		port := address[strings.LastIndex(address, ":"):]
		dial := func(ctx context.Context, network, _ string) (net.Conn, error) { // names below localhost are this machine
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		transport := &http.Transport{DialContext: dial}
		DeferCleanup(transport.CloseIdleConnections)
		c := s3.NewFromConfig(root.config, func(o *s3.Options) {
			o.BaseEndpoint, o.HTTPClient = aws.String("http://s3.localhost"+port), &http.Client{Transport: transport}
		})
		Expect(put(ctx, c, b, "k", "by host")).To(Succeed())
		Expect(must(get(ctx, c, object(b, "k")))).To(Equal("by host"))
		Expect(must(get(ctx, root.s3, object(b, "k")))).To(Equal("by host"))
	})

	It("streams a large body in and out", func(ctx SpecContext) {
		body := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
		must(root.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: aws.String("large"), Body: bytes.NewReader(body)}))
		out := must(root.s3.GetObject(ctx, object(b, "large")))
		defer out.Body.Close()
		back := must(io.ReadAll(out.Body))
		Expect(bytes.Equal(back, body)).To(BeTrue(), fmt.Sprintf("%d bytes came back", len(back)))
	})
})
