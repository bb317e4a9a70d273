package s3

import (
	"net/http"
	"net/url"
	"strings"

	"engage/internal/localaws/wire"
)

// accesses states what a call touches, for the permission check.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func (s *Service) accesses(o *operation, call *wire.Call) []wire.Access {
	if o.action == "-" {
		return nil // checked key by key
	}
	q := call.HTTP.URL.Query()
	a := s.accessOf(call.Caller, o.permission(q.Has("versionId")), call.Vars["Bucket"], call.Vars["Key"])
	a.Conditions = conditions(call.HTTP, q)
	accesses := []wire.Access{a}
	if o.level == object {
		for _, action := range furtherActions(call.HTTP.Header) {
			accesses = append(accesses, s.accessOf(call.Caller, action, call.Vars["Bucket"], call.Vars["Key"]))
		}
	}
	if o.header == "" {
		return accesses
	}
	source, err := parseSource(call.HTTP.Header)
	if err != nil {
		return accesses // the handler refuses it
	}
	action := "s3:GetObject"
	if source.version != "" {
		action = "s3:GetObjectVersion"
	}
	return append(accesses, s.accessOf(call.Caller, action, source.bucket, source.key))
}

// furtherActions are those that a request's headers ask for.
func furtherActions(h http.Header) (actions []string) {
	if h.Get("X-Amz-Tagging") != "" {
		actions = append(actions, "s3:PutObjectTagging")
	}
	if h.Get("X-Amz-Object-Lock-Mode") != "" || h.Get("X-Amz-Object-Lock-Retain-Until-Date") != "" {
		actions = append(actions, "s3:PutObjectRetention")
	}
	if h.Get("X-Amz-Object-Lock-Legal-Hold") != "" {
		actions = append(actions, "s3:PutObjectLegalHold")
	}
	if bypasses(h) {
		actions = append(actions, "s3:BypassGovernanceRetention")
	}
	return actions
}

// accessOf is access by a caller, for whom the bucket's policy may not hold.
func (s *Service) accessOf(c wire.Caller, action, bucketName, key string) wire.Access {
	a := s.access(action, bucketName, key)
	if a.Policy != "" {
		if bk, err := s.find(bucketName); err == nil {
			a.Policy = s.policyFor(bk, c)
		}
	}
	return a
}

// access returns the access to a bucket, to one of its keys, or to no bucket.
func (s *Service) access(action, bucketName, key string) wire.Access {
	if bucketName == "" {
		// AWS documents policies that grant s3:ListAllMyBuckets on arn:aws:s3:::*.
		return wire.Access{Action: action, Resource: "arn:aws:s3:::*"}
	}
	a := wire.Access{Action: action, Resource: "arn:aws:s3:::" + bucketName}
	if key != "" {
		a.Resource += "/" + key
	}
	if bk, err := s.find(bucketName); err == nil {
		a.Owner, a.Policy = bk.Account, bk.Settings["policy"]
	}
	return a
}

var queryConditions = []string{"prefix", "delimiter", "max-keys", "versionId"}

var headerConditions = []string{"x-amz-acl", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
	"x-amz-storage-class", "x-amz-copy-source", "x-amz-metadata-directive", "x-amz-content-sha256"}

// conditions returns the condition keys of S3 that a request has.
func conditions(r *http.Request, q url.Values) map[string][]string {
	found := map[string][]string{}
	for _, name := range queryConditions {
		if q.Has(name) {
			found["s3:"+name] = q[name]
		}
	}
	for _, name := range headerConditions {
		if v := r.Header.Get(name); v != "" {
			found["s3:"+name] = []string{v}
		}
	}
	if tags, err := url.ParseQuery(r.Header.Get("X-Amz-Tagging")); err == nil {
		for k, v := range tags {
			found["s3:RequestObjectTag/"+k] = v
		}
	}
	if strings.Contains(r.URL.RawQuery, "X-Amz-Signature=") {
		found["s3:authType"] = []string{"REST-QUERY-STRING"}
	} else {
		found["s3:authType"] = []string{"REST-HEADER"}
	}
	return found
}

// may reports whether the caller may do something that its request did not state.
func (r *request) may(action, key string) error {
	return r.cfg.Authorizer.Authorize(r.ctx, r.call, []wire.Access{r.accessOf(r.call.Caller, action, r.bucket, key)})
}
