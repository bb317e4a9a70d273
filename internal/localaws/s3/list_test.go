package s3_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// listV2 returns keys and common prefixes in the order of the pages.
func (e *endpoint) listV2(b *string, prefix, delimiter, after string, page int32) (found []string) {
	e.Helper()
	in := &sdk.ListObjectsV2Input{Bucket: b, Prefix: &prefix, StartAfter: &after, MaxKeys: &page}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	for {
		out, err := e.ListObjectsV2(e.Context(), in)
		must(e, 0, err)
		if int(*out.KeyCount) != len(out.Contents)+len(out.CommonPrefixes) || *out.KeyCount > page {
			e.Errorf("key count %d", *out.KeyCount)
		}
		found = append(found, merged(out.Contents, out.CommonPrefixes)...)
		if !*out.IsTruncated {
			return found
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

func (e *endpoint) listV1(b *string, prefix, delimiter, after string, page int32) (found []string) {
	e.Helper()
	in := &sdk.ListObjectsInput{Bucket: b, Prefix: &prefix, Marker: &after, MaxKeys: &page, Delimiter: &delimiter}
	for {
		out, err := e.ListObjects(e.Context(), in)
		must(e, 0, err)
		found = append(found, merged(out.Contents, out.CommonPrefixes)...)
		if !*out.IsTruncated {
			return found
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			in.Marker = &found[len(found)-1]
		}
	}
}

func merged(objects []types.Object, prefixes []types.CommonPrefix) (found []string) {
	for _, o := range objects {
		found = append(found, *o.Key)
	}
	for _, p := range prefixes {
		found = append(found, *p.Prefix)
	}
	slices.Sort(found)
	return found
}

// listModel is a list by its definition.
func listModel(keys []string, prefix, delimiter, after string) (found []string) {
	for _, k := range keys {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok || k <= after {
			continue
		}
		if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
			k = k[:len(prefix)+i+len(delimiter)]
			if strings.HasPrefix(after, k) && after > prefix {
				continue
			}
		}
		found = append(found, k)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestListsAgreeWithTheirDefinition(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	rng := rand.New(rand.NewPCG(1, 2))
	var keys []string
	for range 60 {
		k := ""
		for range 1 + rng.IntN(5) {
			k += string("ab/-é"[rng.IntN(4)])
		}
		if strings.HasPrefix(k, "/") || slices.Contains(keys, k) {
			continue // a leading slash is hard to send, not to keep
		}
		keys = append(keys, k)
		must(t, 0, e.service.PutBytes(t.Context(), serverCaller(), "data", k, nil))
	}
	for range 60 {
		prefix := []string{"", "a", "a/", "b", "ab", "a-"}[rng.IntN(6)]
		delimiter := []string{"", "/", "-", "b/"}[rng.IntN(4)]
		after := []string{"", "a", "a/", "a/b", "b", "b-z"}[rng.IntN(6)]
		page := int32(1 + rng.IntN(7))
		want := listModel(keys, prefix, delimiter, after)
		if got := e.listV2(b, prefix, delimiter, after, page); !slices.Equal(got, want) {
			t.Errorf("v2 prefix %q delimiter %q after %q page %d:\ngot  %q\nwant %q", prefix, delimiter, after, page, got, want)
		}
		if got := e.listV1(b, prefix, delimiter, after, page); !slices.Equal(got, want) {
			t.Errorf("v1 prefix %q delimiter %q after %q page %d:\ngot  %q\nwant %q", prefix, delimiter, after, page, got, want)
		}
	}
}

func TestListKeepsOddKeys(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	e.put(b, "a b&<c>+é\t", "x")
	out, err := e.ListObjectsV2(t.Context(), &sdk.ListObjectsV2Input{Bucket: b, EncodingType: types.EncodingTypeUrl, FetchOwner: aws.Bool(true)})
	if must(t, out, err); len(out.Contents) != 1 || *out.Contents[0].Key != "a+b%26%3Cc%3E%2B%C3%A9%09" || out.Contents[0].Owner == nil {
		t.Errorf("got %+v", out.Contents)
	}
	_, err = e.ListObjectsV2(t.Context(), &sdk.ListObjectsV2Input{Bucket: b, ContinuationToken: aws.String("%%%")})
	wantCode(t, err, "InvalidArgument")
	none, err := e.ListObjectsV2(t.Context(), &sdk.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int32(0)})
	if must(t, none, err); len(none.Contents) != 0 || *none.IsTruncated {
		t.Errorf("got %+v", none)
	}
}

func TestListAcrossPrefixes(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	for i := range 30 {
		must(t, 0, e.service.PutBytes(t.Context(), serverCaller(), "data", fmt.Sprintf("d%d/k%d", i%3, i), nil))
	}
	if got := e.listV2(b, "", "/", "", 2); !slices.Equal(got, []string{"d0/", "d1/", "d2/"}) {
		t.Errorf("got %v", got)
	}
}
