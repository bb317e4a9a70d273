package s3_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (e *endpoint) putCORS(bucket *string, rules ...types.CORSRule) error {
	_, err := e.PutBucketCors(e.Context(), &sdk.PutBucketCorsInput{Bucket: bucket, CORSConfiguration: &types.CORSConfiguration{CORSRules: rules}})
	return err
}

// allowed returns what an answer lets a page do: its headers, sorted.
func allowed(h http.Header) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if rest, ok := strings.CutPrefix(name, "Access-Control-"); ok {
			lines = append(lines, rest+": "+h.Get(name))
		}
	}
	return strings.Join(lines, "; ")
}

const site = "https://localhost:4200"

func TestCORS(t *testing.T) {
	e := boot(t)
	b := e.bucket("pages")
	e.put(b, "k", "text")
	must(t, 0, e.putCORS(b,
		types.CORSRule{AllowedOrigins: []string{site}, AllowedMethods: []string{"GET", "PUT"}, MaxAgeSeconds: aws.Int32(3000), AllowedHeaders: []string{"x-amz-*", "Content-Type"}},
		types.CORSRule{AllowedOrigins: []string{"http://*.example"}, AllowedMethods: []string{"GET"}},
		types.CORSRule{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"HEAD"}, ExposeHeaders: []string{"ETag", "x-amz-request-id"}}))
	e.bucket("closed")
	const (
		credited = "Allow-Credentials: true; "
		mine     = "Allow-Methods: GET, PUT; Allow-Origin: " + site + "; Max-Age: 3000"
	)
	for name, c := range map[string]struct {
		request string // method, path, and headers that begin with Access-Control-Request- after the first, Origin
		status  int
		want    string // headers, or the text of a refusal
	}{
		"preflight":                    {"OPTIONS /pages/k|" + site + "|Method: PUT", 200, credited + mine},
		"preflight of a presigned URL": {"OPTIONS /pages/k?X-Amz-Signature=bad&X-Amz-Algorithm=AWS4-HMAC-SHA256|" + site + "|Method: PUT", 200, credited + mine},
		"headers":                      {"OPTIONS /pages/k|" + site + "|Method: GET|Headers: X-AMZ-date, content-type", 200, credited + "Allow-Headers: x-amz-date, content-type; " + mine},
		"other header":                 {"OPTIONS /pages/k|" + site + "|Method: GET|Headers: x-other", 403, "whitelisted"},
		"other method":                 {"OPTIONS /pages/k|" + site + "|Method: DELETE", 403, "<Method>DELETE</Method><ResourceType>OBJECT"},
		"bucket":                       {"OPTIONS /pages|http://evil|Method: GET", 403, "<ResourceType>BUCKET"},
		"no method":                    {"OPTIONS /pages/k|" + site, 400, "Invalid Access-Control-Request-Method: null"},
		"no origin":                    {"OPTIONS /pages/k|", 400, "Insufficient information. Origin request header needed."},
		"wildcard":                     {"OPTIONS /pages/k|http://a.example|Method: GET", 200, credited + "Allow-Methods: GET; Allow-Origin: http://a.example"},
		"anybody":                      {"OPTIONS /pages/k|http://evil|Method: HEAD", 200, "Allow-Methods: HEAD; Allow-Origin: *; Expose-Headers: ETag, x-amz-request-id"},
		"no rules":                     {"OPTIONS /closed/k|" + site + "|Method: GET", 403, "CORS is not enabled for this bucket."},
		"no bucket":                    {"OPTIONS /nothing/k|" + site + "|Method: GET", 403, "Bucket not found"},
		"get":                          {"GET /pages/k|" + site, 200, credited + mine},
		"get as what is not allowed":   {"GET /pages/k|" + site + "|Method: DELETE", 200, ""},
		"get from elsewhere":           {"GET /pages/k|http://evil", 200, ""},
		"get from nowhere":             {"GET /pages/k|", 200, ""},
		"missing key":                  {"GET /pages/none|" + site, 404, credited + mine},
		"put":                          {"PUT /pages/n|" + site, 200, credited + mine},
		"put from elsewhere":           {"PUT /pages/n|http://evil", 403, "another origin"},
		"put where nothing is allowed": {"PUT /closed/n|" + site, 403, "another origin"},
		"delete":                       {"DELETE /pages/k|" + site, 403, "another origin"},
	} {
		fields := strings.Split(c.request, "|")
		method, path, _ := strings.Cut(fields[0], " ")
		var headers []string
		if fields[1] != "" {
			headers = append(headers, "Origin: "+fields[1], "Sec-Fetch-Site: cross-site")
		}
		for _, h := range fields[2:] {
			headers = append(headers, "Access-Control-Request-"+h)
		}
		status, body, header := e.raw(method, path, "", headers...)
		if got := allowed(header); status != c.status || got != c.want && (status < 400 || !strings.Contains(body, c.want)) {
			t.Errorf("%s: got %d %s %s, want %d %s", name, status, got, body, c.status, c.want)
		}
		if vary := header.Get("Vary"); (vary != "") != (allowed(header) != "") {
			t.Errorf("%s: Vary is %q", name, vary)
		}
	}
}

func TestCORSRulesThatAreNone(t *testing.T) {
	e := boot(t)
	b := e.bucket("pages")
	rule := func(origin, method, header, expose string) types.CORSRule {
		return types.CORSRule{AllowedOrigins: []string{origin}, AllowedMethods: []string{method}, AllowedHeaders: []string{header}, ExposeHeaders: []string{expose}}
	}
	wantCode(t, e.putCORS(b, make([]types.CORSRule, 0)...), "MalformedXML")
	wantCode(t, e.putCORS(b, types.CORSRule{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{}}), "MalformedXML")
	for _, bad := range []types.CORSRule{rule("*", "PATCH", "a", "a"), rule("http://*.*", "GET", "a", "a"), rule("*", "GET", "*-*", "a"), rule("*", "GET", "*", "x-*")} {
		wantCode(t, e.putCORS(b, bad), "InvalidRequest")
	}
	_, err := e.GetBucketCors(t.Context(), &sdk.GetBucketCorsInput{Bucket: b})
	wantCode(t, err, "NoSuchCORSConfiguration")
}
