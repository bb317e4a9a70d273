//lint:file-ignore SA1019 manager is what programs use today; its successor sends the same requests.

package s3_test

import (
	"bytes"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestManagerUploadsAndDownloadsInParts(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	big := make([]byte, 11<<20)
	rand.Read(big)
	up := manager.NewUploader(e.Client, func(u *manager.Uploader) { u.PartSize = 5 << 20 })
	out, err := up.Upload(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: aws.String("big"), Body: bytes.NewReader(big)})
	if must(t, out, err); !strings.HasSuffix(*out.ETag, `-3"`) {
		t.Errorf("ETag %s", *out.ETag)
	}
	buf := manager.NewWriteAtBuffer(nil)
	_, err = manager.NewDownloader(e.Client).Download(t.Context(), buf, &sdk.GetObjectInput{Bucket: b, Key: aws.String("big")})
	if must(t, 0, err); !bytes.Equal(buf.Bytes(), big) {
		t.Error("other bytes came back")
	}
	part, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("big"), PartNumber: aws.Int32(3)})
	if body := e.body(must(t, part, err)); body != string(big[10<<20:]) || *part.PartsCount != 3 {
		t.Errorf("%d bytes of %d parts", len(body), aws.ToInt32(part.PartsCount))
	}
	attr, err := e.GetObjectAttributes(t.Context(), &sdk.GetObjectAttributesInput{Bucket: b, Key: aws.String("big"), ObjectAttributes: []types.ObjectAttributes{"ETag", "Checksum", "ObjectParts", "ObjectSize"}})
	if must(t, attr, err); *attr.ObjectSize != 11<<20 || *attr.ObjectParts.TotalPartsCount != 3 || attr.Checksum == nil {
		t.Errorf("got %+v", attr)
	}
	if n := len(files(t, filepath.Join(e.dir, "s3", "000000000000"))); n != 2 {
		t.Errorf("%d files: parts are left", n)
	}
}

func TestMultipartByHand(t *testing.T) {
	e := boot(t)
	b, ctx, key := e.bucket("data"), t.Context(), aws.String("k")
	for _, kind := range []types.ChecksumType{types.ChecksumTypeFullObject, types.ChecksumTypeComposite} {
		up, err := e.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: b, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ChecksumType: kind, Metadata: map[string]string{"m": "1"}})
		must(t, 0, err)
		big := strings.Repeat("x", 5<<20)
		var done []types.CompletedPart
		for i, body := range []string{big, "tail"} {
			p, err := e.UploadPart(ctx, &sdk.UploadPartInput{Bucket: b, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(int32(i + 1)), Body: strings.NewReader(body)})
			must(t, 0, err)
			done = append(done, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32})
		}
		list, err := e.ListParts(ctx, &sdk.ListPartsInput{Bucket: b, Key: key, UploadId: up.UploadId, MaxParts: aws.Int32(1)})
		if must(t, list, err); len(list.Parts) != 1 || !*list.IsTruncated || *list.NextPartNumberMarker != "1" {
			t.Errorf("got %+v", list)
		}
		ups, err := e.ListMultipartUploads(ctx, &sdk.ListMultipartUploadsInput{Bucket: b})
		if must(t, ups, err); len(ups.Uploads) != 1 || *ups.Uploads[0].UploadId != *up.UploadId {
			t.Errorf("got %+v", ups.Uploads)
		}
		_, err = e.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{done[1], done[0]}}})
		wantCode(t, err, "InvalidPartOrder")
		out, err := e.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done}})
		if must(t, out, err); out.ChecksumType != kind || strings.HasSuffix(*out.ChecksumCRC32, "-2") != (kind == types.ChecksumTypeComposite) {
			t.Errorf("got %+v", out)
		}
		got, err := e.GetObject(ctx, &sdk.GetObjectInput{Bucket: b, Key: key, ChecksumMode: types.ChecksumModeEnabled})
		if body := e.body(must(t, got, err)); body != big+"tail" || got.Metadata["m"] != "1" {
			t.Errorf("%d bytes, %v", len(body), got.Metadata)
		}
		_, err = e.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done}})
		wantCode(t, err, "NoSuchUpload")
	}
}

func TestPartsThatDoNotFit(t *testing.T) {
	e := boot(t)
	b, ctx, key := e.bucket("data"), t.Context(), aws.String("k")
	up, err := e.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: b, Key: key})
	must(t, 0, err)
	var done []types.CompletedPart
	for i := range int32(2) {
		p, err := e.UploadPart(ctx, &sdk.UploadPartInput{Bucket: b, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(i + 1), Body: strings.NewReader("small")})
		must(t, 0, err)
		done = append(done, types.CompletedPart{PartNumber: aws.Int32(i + 1), ETag: p.ETag})
	}
	complete := func(parts ...types.CompletedPart) error {
		_, err := e.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		return err
	}
	wantCode(t, complete(done...), "EntityTooSmall")
	wantCode(t, complete(types.CompletedPart{PartNumber: aws.Int32(7), ETag: aws.String("x")}), "InvalidPart")
	_, err = e.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: b, Key: key, UploadId: up.UploadId})
	must(t, 0, err)
	wantCode(t, complete(done...), "NoSuchUpload")
	if left := files(t, filepath.Join(e.dir, "s3", "000000000000")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestUploadPartCopy(t *testing.T) {
	e := boot(t)
	b, ctx := e.bucket("data"), t.Context()
	e.put(b, "src", "0123456789")
	up, err := e.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: b, Key: aws.String("k")})
	must(t, 0, err)
	p, err := e.UploadPartCopy(ctx, &sdk.UploadPartCopyInput{Bucket: b, Key: aws.String("k"), UploadId: up.UploadId, PartNumber: aws.Int32(1), CopySource: aws.String("data/src"), CopySourceRange: aws.String("bytes=2-5")})
	must(t, 0, err)
	_, err = e.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{Bucket: b, Key: aws.String("k"), UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: p.CopyPartResult.ETag}}}})
	must(t, 0, err)
	if got := e.get(b, "k"); got != "2345" {
		t.Errorf("got %q", got)
	}
}
