package s3_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (e *endpoint) versioning(b *string, status types.BucketVersioningStatus) {
	e.Helper()
	_, err := e.PutBucketVersioning(e.Context(), &sdk.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{Status: status}})
	must(e, 0, err)
}

// history writes the versions of a bucket as "key=body" and "key-" for
// markers, with * at the latest of each key, page by page.
func (e *endpoint) history(b *string, page int32) string {
	e.Helper()
	var found []string
	in := &sdk.ListObjectVersionsInput{Bucket: b, MaxKeys: &page}
	for {
		out, err := e.ListObjectVersions(e.Context(), in)
		must(e, 0, err)
		// The SDK parts versions and markers; pages of one keep their order.
		for _, v := range out.Versions {
			got, err := e.GetObject(e.Context(), &sdk.GetObjectInput{Bucket: b, Key: v.Key, VersionId: v.VersionId})
			found = append(found, fmt.Sprintf("%s=%s%s", *v.Key, e.body(must(e, got, err)), star(v.IsLatest)))
		}
		for _, m := range out.DeleteMarkers {
			found = append(found, *m.Key+"-"+star(m.IsLatest))
		}
		if !*out.IsTruncated {
			return strings.Join(found, " ")
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
}

func star(latest *bool) string {
	if *latest {
		return "*"
	}
	return ""
}

func (e *endpoint) remove(b *string, key, version string) *sdk.DeleteObjectOutput {
	e.Helper()
	in := &sdk.DeleteObjectInput{Bucket: b, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := e.DeleteObject(e.Context(), in)
	return must(e, out, err)
}

func TestVersions(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	e.put(b, "a", "0") // before versioning: the null version
	e.versioning(b, types.BucketVersioningStatusEnabled)
	one := e.put(b, "a", "1")
	e.put(b, "a", "2")
	e.put(b, "a/b", "x")
	e.put(b, "b", "y")
	marker := e.remove(b, "a", "")
	if !*marker.DeleteMarker || marker.VersionId == nil {
		t.Errorf("got %+v", marker)
	}
	want := "a-* a=2 a=1 a=0 a/b=x* b=y*"
	if got := e.history(b, 1); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("a")})
	wantCode(t, err, "NoSuchKey")
	_, err = e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("a"), VersionId: marker.VersionId})
	wantCode(t, err, "MethodNotAllowed")
	_, err = e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("a"), VersionId: aws.String("none")})
	wantCode(t, err, "NoSuchVersion")

	e.remove(b, "a", *marker.VersionId)
	if got := e.get(b, "a"); got != "2" {
		t.Errorf("after the marker was deleted: %q", got)
	}
	e.remove(b, "a", *one.VersionId)
	if got := e.history(b, 1); got != "a=2* a=0 a/b=x* b=y*" {
		t.Errorf("got %s", got)
	}
}

func TestSuspendedVersioning(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	e.versioning(b, types.BucketVersioningStatusEnabled)
	e.put(b, "a", "1")
	e.versioning(b, types.BucketVersioningStatusSuspended)
	e.put(b, "a", "n")
	e.put(b, "a", "m") // replaces the null version
	if got := e.history(b, 1); got != "a=m* a=1" {
		t.Errorf("got %s", got)
	}
	e.remove(b, "a", "") // a marker replaces the null version
	if got := e.history(b, 1); got != "a-* a=1" {
		t.Errorf("got %s", got)
	}
	e.put(b, "a", "k") // and an object the marker
	if got := e.history(b, 1); got != "a=k* a=1" {
		t.Errorf("got %s", got)
	}
	e.remove(b, "a", "null")
	if got := e.history(b, 1000); got != "a=1*" {
		t.Errorf("got %s", got)
	}
	if n := len(files(t, filepath.Join(e.dir, "s3", "000000000000"))); n != 2 {
		t.Errorf("%d files, want one and its link", n)
	}
}
