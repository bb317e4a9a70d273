package s3

import (
	"context"
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"engage/internal/localaws/wire"
)

// level is what an operation is about.
type level int

const (
	account level = iota
	bucket
	object
)

// operation is a row of the operation table.
type operation struct {
	name   string
	method string
	level  level
	sub    string // the query literal that selects it, with its value if that matters: "acl", "list-type=2"
	header string // the header that selects it
	params string // further query parameters that it takes, separated by spaces; "*" is any
	action string // the permission; "" is the name
	tier1  bool   // billed as a PUT or LIST request
	handle func(*request) error
}

// preflightName is the operation that browsers call before a page of another
// origin may call one. They do not sign it.
const preflightName = "Preflight"

func (s *Service) operations() []operation {
	return slices.Concat(s.bucketOperations(), s.objectOperations(), s.uploadOperations(), settingOperations())
}

func (s *Service) bucketOperations() []operation {
	return []operation{
		{name: "ListBuckets", method: "GET", level: account, params: "max-buckets continuation-token prefix bucket-region", action: "ListAllMyBuckets", tier1: true, handle: listBuckets},
		{name: "CreateBucket", method: "PUT", level: bucket, tier1: true, handle: createBucket},
		{name: "HeadBucket", method: "HEAD", level: bucket, action: "ListBucket", handle: headBucket},
		{name: "DeleteBucket", method: "DELETE", level: bucket, handle: deleteBucket},
		{name: "GetBucketLocation", method: "GET", level: bucket, sub: "location", handle: getLocation},
		{name: "GetBucketVersioning", method: "GET", level: bucket, sub: "versioning", handle: getVersioning},
		{name: "PutBucketVersioning", method: "PUT", level: bucket, sub: "versioning", tier1: true, handle: putVersioning},
		{name: "GetBucketPolicyStatus", method: "GET", level: bucket, sub: "policyStatus", handle: getPolicyStatus},
		{name: "GetBucketAcl", method: "GET", level: bucket, sub: "acl", handle: getACL},
		{name: "PutBucketAcl", method: "PUT", level: bucket, sub: "acl", tier1: true, handle: putACL},
		{name: "ListObjects", method: "GET", level: bucket, params: "prefix delimiter marker max-keys encoding-type", action: "ListBucket", tier1: true, handle: listV1},
		{name: "ListObjectsV2", method: "GET", level: bucket, sub: "list-type=2", params: "prefix delimiter continuation-token start-after max-keys encoding-type fetch-owner", action: "ListBucket", tier1: true, handle: listV2},
		{name: "ListObjectVersions", method: "GET", level: bucket, sub: "versions", params: "prefix delimiter key-marker version-id-marker max-keys encoding-type", action: "ListBucketVersions", tier1: true, handle: listVersions},
		{name: "ListMultipartUploads", method: "GET", level: bucket, sub: "uploads", params: "prefix delimiter key-marker upload-id-marker max-uploads encoding-type", action: "ListBucketMultipartUploads", tier1: true, handle: listUploads},
		{name: "PostObject", method: "POST", level: bucket, action: "-", tier1: true, handle: postObject},
		{name: "ListBucketAnalyticsConfigurations", method: "GET", level: bucket, sub: "analytics", params: "continuation-token", action: "GetAnalyticsConfiguration", handle: noneOf("ListBucketAnalyticsConfigurationResult")},
		{name: "ListBucketInventoryConfigurations", method: "GET", level: bucket, sub: "inventory", params: "continuation-token", action: "GetInventoryConfiguration", handle: noneOf("ListInventoryConfigurationsResult")},
		{name: "ListBucketMetricsConfigurations", method: "GET", level: bucket, sub: "metrics", params: "continuation-token", action: "GetMetricsConfiguration", handle: noneOf("ListMetricsConfigurationsResult")},
		{name: "ListBucketIntelligentTieringConfigurations", method: "GET", level: bucket, sub: "intelligent-tiering", params: "continuation-token", action: "GetIntelligentTieringConfiguration", handle: noneOf("ListBucketIntelligentTieringConfigurationsOutput")},
		{name: "DeleteObjects", method: "POST", level: bucket, sub: "delete", action: "-", handle: deleteObjects},
		{name: preflightName, method: "OPTIONS", level: bucket, params: "*", action: "-", handle: preflight},
	}
}

// noneOf answers a list of configurations of a kind that cannot be made here.
func noneOf(root string) func(*request) error {
	return func(r *request) error {
		if _, err := r.find(r.bucket); err != nil {
			return err
		}
		return r.writeDocument([]byte(xml.Header + xmlDocument(root, "<IsTruncated>false</IsTruncated>")))
	}
}

func (s *Service) objectOperations() []operation {
	const overrides = "versionId partNumber response-content-type response-content-language response-expires response-cache-control response-content-disposition response-content-encoding"
	return []operation{
		{name: "PutObject", method: "PUT", level: object, tier1: true, handle: putObject},
		{name: "CopyObject", method: "PUT", level: object, header: "X-Amz-Copy-Source", action: "PutObject", tier1: true, handle: copyObject},
		{name: "GetObject", method: "GET", level: object, params: overrides, handle: getObject},
		{name: "HeadObject", method: "HEAD", level: object, params: overrides, action: "GetObject", handle: getObject},
		{name: "DeleteObject", method: "DELETE", level: object, params: "versionId", handle: deleteObject},
		{name: "GetObjectAttributes", method: "GET", level: object, sub: "attributes", params: "versionId", handle: getAttributes},
		{name: "GetObjectTagging", method: "GET", level: object, sub: "tagging", params: "versionId", handle: getObjectTags},
		{name: "PutObjectTagging", method: "PUT", level: object, sub: "tagging", params: "versionId", tier1: true, handle: putObjectTags},
		{name: "DeleteObjectTagging", method: "DELETE", level: object, sub: "tagging", params: "versionId", handle: deleteObjectTags},
		{name: "GetObjectRetention", method: "GET", level: object, sub: "retention", params: "versionId", handle: getRetention},
		{name: "PutObjectRetention", method: "PUT", level: object, sub: "retention", params: "versionId", tier1: true, handle: putRetention},
		{name: "GetObjectLegalHold", method: "GET", level: object, sub: "legal-hold", params: "versionId", handle: getLegalHold},
		{name: "PutObjectLegalHold", method: "PUT", level: object, sub: "legal-hold", params: "versionId", tier1: true, handle: putLegalHold},
		{name: "GetObjectAcl", method: "GET", level: object, sub: "acl", params: "versionId", handle: getACL},
		{name: preflightName, method: "OPTIONS", level: object, params: "*", action: "-", handle: preflight},
		{name: "PutObjectAcl", method: "PUT", level: object, sub: "acl", params: "versionId", tier1: true, handle: putACL},
	}
}

func (s *Service) uploadOperations() []operation {
	return []operation{
		{name: "CreateMultipartUpload", method: "POST", level: object, sub: "uploads", action: "PutObject", tier1: true, handle: createUpload},
		{name: "UploadPart", method: "PUT", level: object, sub: "partNumber", params: "uploadId", action: "PutObject", tier1: true, handle: uploadPart},
		{name: "UploadPartCopy", method: "PUT", level: object, sub: "partNumber", header: "X-Amz-Copy-Source", params: "uploadId", action: "PutObject", tier1: true, handle: uploadPartCopy},
		{name: "CompleteMultipartUpload", method: "POST", level: object, sub: "uploadId", action: "PutObject", tier1: true, handle: completeUpload},
		{name: "AbortMultipartUpload", method: "DELETE", level: object, sub: "uploadId", handle: abortUpload},
		{name: "ListParts", method: "GET", level: object, sub: "uploadId", params: "max-parts part-number-marker", action: "ListMultipartUploadParts", tier1: true, handle: listParts},
	}
}

// permission returns the action that the operation needs.
func (o *operation) permission(versioned bool) string {
	action := o.action
	if action == "" {
		action = o.name
	}
	if versioned && versionedActions[action] {
		action = strings.Replace(action, "Object", "ObjectVersion", 1)
	}
	return "s3:" + action
}

// versionedActions have another name when a version is asked for.
var versionedActions = map[string]bool{
	"GetObject": true, "DeleteObject": true, "GetObjectAttributes": true, "GetObjectTagging": true,
	"PutObjectTagging": true, "DeleteObjectTagging": true, "GetObjectAcl": true, "PutObjectAcl": true,
}

// selected reports whether the request has what selects the operation.
func (o *operation) selected(r *http.Request, q url.Values, l level) bool {
	if o.method != r.Method || o.level != l || o.header != "" && r.Header.Get(o.header) == "" {
		return false
	}
	name, value, valued := strings.Cut(o.sub, "=")
	return o.sub == "" || q.Has(name) && (!valued || q.Get(name) == value)
}

// weight makes the operation that asks for most win.
func (o *operation) weight() int {
	w := 0
	if o.sub != "" {
		w += 2
	}
	if o.header != "" {
		w++
	}
	return w
}

// always are parameters that say nothing about the operation: those of a
// presigned URL, in both versions of its signature, and what callers add for
// the access log, which begins with x-.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html#LogFormatCustom
func always(name string) bool {
	switch name {
	case "AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5": // boto3 repeats these headers
		return true
	}
	return strings.HasPrefix(strings.ToLower(name), "x-")
}

// stranger returns a query parameter that the operation does not take, "" for none.
func (o *operation) stranger(q url.Values) string {
	if o.params == "*" {
		return ""
	}
	literal, _, _ := strings.Cut(o.sub, "=")
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if name != literal && !always(name) && !slices.Contains(strings.Fields(o.params), name) {
			return name
		}
	}
	return ""
}

// pick returns the row for a request, -1 for none.
func (s *Service) pick(r *http.Request, q url.Values, l level) int {
	best := -1
	for i := range s.table {
		o := &s.table[i]
		if o.selected(r, q, l) && o.stranger(q) == "" && (best < 0 || o.weight() > s.table[best].weight()) {
			best = i
		}
	}
	return best
}

func (s *Service) wireService() *wire.Service {
	svc := &wire.Service{Name: "s3", Protocol: wire.RestXML, Default: true, Namespace: namespace, CrossOrigin: s.crossOrigin}
	for i := range s.table {
		o := &s.table[i]
		handle := func(ctx context.Context, call *wire.Call, w http.ResponseWriter) error {
			return s.serve(ctx, o, call, w)
		}
		touches := func(call *wire.Call) []wire.Access { return s.accesses(o, call) }
		op := wire.Raw(o.name, o.method, "/", handle, touches)
		op.Unsigned = o.name == preflightName
		svc.Operations = append(svc.Operations, op)
	}
	svc.Find = func(r *http.Request) (*wire.Operation, map[string]string) {
		bucketName, key := address(r)
		l := account
		if bucketName != "" {
			l = bucket
		}
		if key != "" {
			l = object
		}
		i := s.pick(r, r.URL.Query(), l)
		if i < 0 {
			return nil, nil
		}
		return &svc.Operations[i], map[string]string{"Bucket": bucketName, "Key": key}
	}
	return svc
}

// address returns bucket and key, from a virtual host's name or from the path.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func address(r *http.Request) (bucketName, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if name := hostBucket(r.Host); name != "" {
		return name, path
	}
	bucketName, key, _ = strings.Cut(path, "/")
	return bucketName, key
}

func hostBucket(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.ToLower(host)
	for _, domain := range []string{".localhost.localstack.cloud", ".amazonaws.com", ".localhost"} {
		rest, ok := strings.CutSuffix(host, domain)
		if !ok {
			continue
		}
		if name := beforeService(rest); name != "" || domain != ".localhost" || isService(rest) {
			return name
		}
		return rest // bucket.localhost
	}
	return ""
}

func isService(rest string) bool { return rest == "s3" || strings.HasPrefix(rest, "s3.") }

// beforeService returns what is before the labels s3 or s3.REGION, "" for nothing.
func beforeService(rest string) string {
	labels := strings.Split(rest, ".")
	for _, n := range []int{1, 2} {
		if i := len(labels) - n; i > 0 && (labels[i] == "s3" || n == 1 && strings.HasPrefix(labels[i], "s3-")) {
			return strings.Join(labels[:i], ".")
		}
	}
	return ""
}
