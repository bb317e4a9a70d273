package s3

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"engage/internal/localaws/s3/accesslog"
	"engage/internal/localaws/wire"
)

// Observe notes an answered call in the access logs of the buckets that it is
// about. err is what the caller was told.
func (s *Service) Observe(call *wire.Call, err error) {
	if call.Service != s.wire || call.HTTP == nil || call.Answer == nil || call.Caller.Service == logger {
		return
	}
	bucketName, key := address(call.HTTP)
	q := call.HTTP.URL.Query()
	e := entryOf(call, key, q)
	if err != nil {
		e.ErrorCode = deniedCode(wire.AsError(err))
	}
	copies := call.HTTP.Header.Get("X-Amz-Copy-Source") != "" && call.HTTP.Method == http.MethodPut
	e.Operation = "REST." + call.HTTP.Method + "." + resourceOf(call.Operation, key, q)
	if copies {
		e.Operation = "REST.COPY." + resourceOf(call.Operation, key, q)
	}
	s.note(bucketName, e)
	if source, err := parseSource(call.HTTP.Header); copies && err == nil {
		e.Operation, e.Key, e.VersionID = e.Operation+"_GET", source.key, source.version
		s.note(source.bucket, e)
	}
}

func entryOf(call *wire.Call, key string, q url.Values) accesslog.Entry {
	r, answer := call.HTTP, call.Answer
	e := accesslog.Entry{
		Time: answer.Received, RemoteIP: r.RemoteAddr, Requester: requester(call.Caller), RequestID: call.RequestID, Key: key,
		Request: r.Method + " " + requestURI(r) + " " + r.Proto, Status: answer.Status, BytesSent: answer.Sent, ObjectSize: objectSize(call, key),
		Total: answer.Ended.Sub(answer.Received), TurnAround: answer.Begun.Sub(answer.Received), Referer: r.Referer(), UserAgent: r.UserAgent(),
		VersionID: q.Get("versionId"), HostID: call.RequestID, Host: r.Host,
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		e.RemoteIP = host
	}
	e.Signature, e.Auth = signatureOf(r, q)
	return e
}

// requester is who called: the canonical id of an account's root, else the ARN.
func requester(c wire.Caller) string {
	switch {
	case c.Service != "":
		return "svc:" + c.Service
	case c.Anonymous() && c.RoleARN == "":
		return ""
	case strings.HasSuffix(c.ARN, ":root"):
		return ownerOf(c.Account).ID
	}
	return c.ARN
}

// secrets are parameters that would let a reader of the log repeat the request.
var secrets = []string{"X-Amz-Signature", "X-Amz-Security-Token", "Signature", "x-amz-security-token"}

// requestURI is the request's target as it was sent, without its secrets.
func requestURI(r *http.Request) string {
	uri := r.RequestURI
	if uri == "" {
		uri = r.URL.RequestURI()
	}
	path, query, ok := strings.Cut(uri, "?")
	if !ok {
		return uri
	}
	parameters := strings.Split(query, "&")
	for i, p := range parameters {
		for _, name := range secrets {
			if strings.HasPrefix(p, name+"=") {
				parameters[i] = name + "=-"
			}
		}
	}
	return path + "?" + strings.Join(parameters, "&")
}

// objectSize is how long the object is that was read or written.
func objectSize(call *wire.Call, key string) int64 {
	if key == "" || call.Answer.Status >= http.StatusMultipleChoices {
		return 0
	}
	switch call.Operation {
	case "GetObject", "HeadObject":
		text := call.Answer.Header.Get("Content-Length")
		if _, total, ok := strings.Cut(call.Answer.Header.Get("Content-Range"), "/"); ok {
			text = total
		}
		n, _ := strconv.ParseInt(text, 10, 64) // not known, when it is none
		return n
	case "PutObject", "UploadPart":
		return call.HTTP.ContentLength
	}
	return 0
}

func signatureOf(r *http.Request, q url.Values) (version, auth string) {
	authorization := r.Header.Get("Authorization")
	switch {
	case strings.HasPrefix(authorization, "AWS4-"):
		return "SigV4", "AuthHeader"
	case strings.HasPrefix(authorization, "AWS "):
		return "SigV2", "AuthHeader"
	case q.Has("X-Amz-Signature"):
		return "SigV4", "QueryString"
	case q.Has("Signature"):
		return "SigV2", "QueryString"
	}
	return "", ""
}

// resources are the names that AWS's logs have for what operations are about,
// where it is not the name of the query parameter that selects the operation.
var resources = map[string]string{
	"ListObjects": "BUCKET", "ListObjectsV2": "BUCKET", "ListObjectVersions": "BUCKETVERSIONS", "DeleteObjects": "MULTI_OBJECT_DELETE",
	"CreateMultipartUpload": "UPLOADS", "UploadPart": "PART", "UploadPartCopy": "PART", "CompleteMultipartUpload": "UPLOAD",
	"AbortMultipartUpload": "UPLOAD", "ListParts": "UPLOAD", "GetBucketLogging": "LOGGING_STATUS", "PutBucketLogging": "LOGGING_STATUS",
	"GetBucketPolicy": "BUCKETPOLICY", "PutBucketPolicy": "BUCKETPOLICY", "DeleteBucketPolicy": "BUCKETPOLICY", "GetBucketPolicyStatus": "POLICY_STATUS",
	"GetPublicAccessBlock": "PUBLIC_ACCESS_BLOCK", "PutPublicAccessBlock": "PUBLIC_ACCESS_BLOCK", "DeletePublicAccessBlock": "PUBLIC_ACCESS_BLOCK",
	"GetBucketOwnershipControls": "OWNERSHIP_CONTROLS", "PutBucketOwnershipControls": "OWNERSHIP_CONTROLS", "DeleteBucketOwnershipControls": "OWNERSHIP_CONTROLS",
	"GetObjectTagging": "OBJECT_TAGGING", "PutObjectTagging": "OBJECT_TAGGING", "DeleteObjectTagging": "OBJECT_TAGGING",
	"GetObjectLockConfiguration": "OBJECT_LOCK", "PutObjectLockConfiguration": "OBJECT_LOCK", "GetObjectRetention": "OBJECT_LOCK_RETENTION",
	"PutObjectRetention": "OBJECT_LOCK_RETENTION", "GetObjectLegalHold": "OBJECT_LOCK_LEGALHOLD", "PutObjectLegalHold": "OBJECT_LOCK_LEGALHOLD",
	"GetBucketRequestPayment": "REQUEST_PAYMENT", preflightName: "PREFLIGHT",
}

func resourceOf(operation, key string, q url.Values) string {
	if name := resources[operation]; name != "" {
		return name
	}
	for name, values := range q {
		if len(values) == 1 && values[0] == "" && !always(name) {
			return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		}
	}
	if key != "" {
		return "OBJECT"
	}
	return "BUCKET"
}

// inside is the entry of a request that another service made in the process.
func (s *Service) inside(c wire.Caller, operation, key string, size int64) accesslog.Entry {
	now := s.cfg.Clock()
	return accesslog.Entry{Time: now, Requester: requester(c), RequestID: newID(), Operation: operation, Key: key, Status: http.StatusOK, ObjectSize: size}
}

// noteInside notes what another service did to an object.
func (s *Service) noteInside(c wire.Caller, operation, bucketName, key string, size int64) {
	if c.Service != logger {
		s.note(bucketName, s.inside(c, operation, key, size))
	}
}

// noteDeleted notes one key of a batch.
func (r *request) noteDeleted(key, version string, err *wire.Error) {
	e := r.inside(r.call.Caller, "BATCH.DELETE.OBJECT", key, 0)
	e.RequestID, e.VersionID, e.Status = r.call.RequestID, version, http.StatusNoContent
	if err != nil {
		e.ErrorCode, e.Status = deniedCode(err), err.Status
	}
	e.Host, e.HostID = r.r.Host, r.call.RequestID
	if host, _, err := net.SplitHostPort(r.r.RemoteAddr); err == nil {
		e.RemoteIP = host
	}
	e.Signature, e.Auth = signatureOf(r.r, r.query)
	r.note(r.bucket, e)
}

// choresLogged are the operations of lifecycles, by the storage class that objects
// get; "" is for those that are deleted.
var choresLogged = map[string]string{
	"": "S3.EXPIRE.OBJECT", "STANDARD_IA": "S3.TRANSITION_SIA.OBJECT", "ONEZONE_IA": "S3.TRANSITION_ZIA.OBJECT", "INTELLIGENT_TIERING": "S3.TRANSITION_INT.OBJECT",
	"GLACIER": "S3.TRANSITION.OBJECT", "GLACIER_IR": "S3.TRANSITION_GIR.OBJECT", "DEEP_ARCHIVE": "S3.TRANSITION_GDA.OBJECT",
}

// noteChore notes what a lifecycle did.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-and-other-bucket-config.html#lifecycle-general-considerations-logging
func (r *request) noteChore(c chore, marker bool) {
	operation := choresLogged[c.class]
	if marker {
		operation = "S3.CREATE.DELETEMARKER"
	}
	e := r.inside(wire.Caller{}, operation, c.key, 0)
	e.Requester, e.VersionID, e.Status = "AmazonS3", c.version, 0
	r.note(r.bucket, e)
}

// failure is what went wrong where nobody waits for it.
type failure struct {
	mu  sync.Mutex
	err error
}

// add keeps the first error until somebody takes it: the others say the same.
func (f *failure) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *failure) take() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.err
	f.err = nil
	return err
}
