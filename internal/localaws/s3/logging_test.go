package s3_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"engage/internal/localaws/s3"
	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

// logTo makes a bucket log, and says what came of it.
func (e *endpoint) logTo(bucket *string, to types.LoggingEnabled) error {
	_, err := e.PutBucketLogging(e.Context(), &sdk.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: &to}})
	return err
}

// logs returns the lines of the logs below a prefix, and the keys that have them.
func (e *endpoint) logs(bucket *string, prefix string) (keys, lines []string) {
	e.Helper()
	out, err := e.ListObjectsV2(e.Context(), &sdk.ListObjectsV2Input{Bucket: bucket, Prefix: &prefix})
	for _, o := range must(e, out, err).Contents {
		keys = append(keys, *o.Key)
		lines = append(lines, strings.Split(strings.TrimSuffix(e.get(bucket, *o.Key), "\n"), "\n")...)
	}
	return keys, lines
}

// logger is an endpoint whose clock a test moves and whose calls are observed.
func logger(t *testing.T, authorizer wire.Authorizer) (*endpoint, *watch) {
	w := &watch{now: time.Date(2026, 3, 1, 23, 58, 0, 0, time.UTC)}
	return bootWith(t, t.TempDir(), s3.Config{Clock: w.time, Authorizer: authorizer}), w
}

func (e *endpoint) deliver() {
	e.Helper()
	must(e, 0, e.service.DeliverLogs(context.Background()))
}

func TestRequestsAreLogged(t *testing.T) {
	e, clock := logger(t, nil)
	b, to := e.bucket("watched"), e.bucket("log-bucket")
	must(t, 0, e.logTo(b, types.LoggingEnabled{TargetBucket: to, TargetPrefix: aws.String("p/")}))
	e.put(b, "a b.txt", "text")
	e.get(b, "a b.txt")
	_, err := e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("none"), VersionId: aws.String("null")})
	wantCode(t, err, "NoSuchVersion")
	_, err = e.CopyObject(t.Context(), &sdk.CopyObjectInput{Bucket: b, Key: aws.String("copy"), CopySource: aws.String("watched/a%20b.txt")})
	must(t, 0, err)
	_, err = e.DeleteObjects(t.Context(), &sdk.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("copy")}}}})
	must(t, 0, err)
	if status, _, _ := e.raw("GET", "/watched?versioning&x-who=me", "", "Referer: http://here/"); status != 200 {
		t.Errorf("a parameter for the log was refused: %d", status)
	}
	e.deliver()
	if keys, _ := e.logs(to, ""); len(keys) > 0 {
		t.Errorf("delivered at once: %v", keys)
	}
	clock.add(1)
	e.deliver()
	keys, lines := e.logs(to, "p/")
	if len(keys) != 1 || !regexp.MustCompile(`^p/2026-03-02-23-58-00-[0-9A-F]{16}$`).MatchString(keys[0]) {
		t.Errorf("got %v", keys)
	}
	id := strings.Repeat("0", 64)
	head := id + ` watched [01/Mar/2026:23:58:00 +0000] 127.0.0.1 ` + id + ` `
	for _, want := range []string{
		`^` + regexp.QuoteMeta(head) + `[0-9a-f-]{36} REST.PUT.OBJECT a%20b.txt "PUT /watched/a%20b.txt\?x-id=PutObject HTTP/1.1" 200 - - 4 [-0-9]+ [-0-9]+ "-" "aws-sdk-go-v2/.*" - [0-9a-f-]{36} SigV4 - AuthHeader 127.0.0.1:\d+ - - - -$`,
		` REST.GET.OBJECT a%20b.txt "GET /watched/a%20b.txt\?.*" 200 - 4 4 `,
		` REST.GET.OBJECT none "GET .*versionId=null.*" 404 NoSuchVersion [0-9]+ - .* null [0-9a-f-]{36} SigV4`,
		` REST.COPY.OBJECT copy "PUT `, ` REST.COPY.OBJECT_GET a%20b.txt "PUT /watched/copy`,
		` REST.POST.MULTI_OBJECT_DELETE - "POST `, ` BATCH.DELETE.OBJECT copy "-" 204 - `,
		` - [0-9a-f-]{36} REST.GET.VERSIONING - "GET /watched\?versioning&x-who=me HTTP/1.1" 200 .*"http://here/"`,
		` REST.PUT.LOGGING_STATUS - `,
	} {
		if !slices.ContainsFunc(lines, regexp.MustCompile(want).MatchString) {
			t.Errorf("no line is %s in\n%s", want, strings.Join(lines, "\n"))
		}
	}
	if len(lines) != 9 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestLogPartitionsAndWhatIsDoneInside(t *testing.T) {
	e, clock := logger(t, nil)
	b, to := e.bucket("watched"), e.bucket("log-bucket")
	must(t, 0, e.logTo(b, types.LoggingEnabled{TargetBucket: to, TargetPrefix: aws.String("p/"), TargetObjectKeyFormat: &types.TargetObjectKeyFormat{
		PartitionedPrefix: &types.PartitionedPrefix{PartitionDateSource: types.PartitionDateSourceEventTime}}}))
	got, err := e.GetBucketLogging(t.Context(), &sdk.GetBucketLoggingInput{Bucket: b})
	if must(t, got, err); got.LoggingEnabled.TargetObjectKeyFormat.PartitionedPrefix.PartitionDateSource != types.PartitionDateSourceEventTime {
		t.Errorf("got %+v", got.LoggingEnabled)
	}
	clock.add(1)
	must(t, 0, e.service.PutBytes(t.Context(), serverCaller(), "watched", "k", []byte("text")))
	_, err = e.service.Files(t.Context(), serverCaller(), "watched", "")
	must(t, 0, err)
	clock.add(1)
	e.deliver()
	keys, lines := e.logs(to, "p/")
	const days = `^p/000000000000/us-east-1/watched/2026/03/01/2026-03-01-00-00-00-\w+ p/000000000000/us-east-1/watched/2026/03/02/2026-03-02-00-00-00-\w+$`
	if !regexp.MustCompile(days).MatchString(strings.Join(keys, " ")) {
		t.Errorf("got %v", keys)
	}
	if n := len(lines); n != 5 || !strings.Contains(lines[2], ` REST.PUT.OBJECT k "-" 200 - - 4 `) || !strings.Contains(lines[3], "REST.GET.BUCKET") || !strings.Contains(lines[4], "REST.GET.OBJECT k") {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

// A bucket that logs to itself has requests in its log, and not their deliveries.
func TestLogOfItselfDoesNotGrow(t *testing.T) {
	e, clock := logger(t, nil)
	b := e.bucket("mirror")
	must(t, 0, e.logTo(b, types.LoggingEnabled{TargetBucket: b, TargetPrefix: aws.String("log/")}))
	for range 3 {
		clock.add(1)
		e.deliver()
	}
	if keys, lines := e.logs(b, "log/"); len(keys) != 1 || len(lines) != 1 {
		t.Errorf("got %v %v", keys, lines)
	}
}

func TestLogIsDeliveredAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	first := bootWith(t, dir, s3.Config{})
	b, to := first.bucket("watched"), first.bucket("log-bucket")
	must(t, 0, first.logTo(b, types.LoggingEnabled{TargetBucket: to, TargetPrefix: aws.String("")}))
	first.put(b, "k", "x")
	first.close()
	again := bootWith(t, dir, s3.Config{})
	if _, lines := again.logs(to, ""); len(lines) != 2 {
		t.Errorf("got %v", lines)
	}
}

func TestTargetsThatAreNone(t *testing.T) {
	refused := false
	refuse := authorizer(func(call *wire.Call, a []wire.Access) error {
		if call.Caller.Service == "logging.s3.amazonaws.com" && refused {
			return wire.AccessDenied("Access Denied")
		}
		return nil
	})
	e, clock := logger(t, refuse)
	b, to := e.bucket("watched"), e.bucket("log-bucket")
	_, err := e.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String("far-away"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	must(t, 0, err)
	target := types.LoggingEnabled{TargetBucket: to, TargetPrefix: aws.String("")}
	wantCode(t, e.logTo(b, types.LoggingEnabled{TargetBucket: aws.String("nowhere"), TargetPrefix: aws.String("")}), "InvalidTargetBucketForLogging")
	wantCode(t, e.logTo(b, types.LoggingEnabled{TargetBucket: aws.String("far-away"), TargetPrefix: aws.String("")}), "CrossLocationLoggingProhibitted")
	wantCode(t, e.logTo(b, types.LoggingEnabled{TargetBucket: to, TargetPrefix: aws.String(""), TargetGrants: []types.TargetGrant{{Permission: types.BucketLogsPermissionRead,
		Grantee: &types.Grantee{Type: types.TypeGroup, URI: aws.String("http://acs.amazonaws.com/groups/s3/LogDelivery")}}}}), "AccessControlListNotSupported")
	refused = true
	wantCode(t, e.logTo(b, target), "InvalidTargetBucketForLogging")
	refused = false
	must(t, 0, e.logTo(b, target))
	refused = true
	clock.add(1)
	e.deliver() // what the target takes no more is lost, and does not come again
	refused = false
	e.deliver()
	if keys, _ := e.logs(to, ""); len(keys) > 0 {
		t.Errorf("got %v", keys)
	}
	if denied := e.server.Requests(server.Filter{Denied: true}); !slices.ContainsFunc(denied, func(r server.Record) bool { return r.Action == "PutObject" }) {
		t.Errorf("nobody was told: %+v", denied)
	}
}

type authorizer func(call *wire.Call, a []wire.Access) error

// Authorize implements wire.Authorizer.
func (a authorizer) Authorize(_ context.Context, call *wire.Call, accesses []wire.Access) error {
	return a(call, accesses)
}

func TestLifecycleIsLogged(t *testing.T) {
	e, clock := logger(t, nil)
	b, to := e.bucket("watched"), e.bucket("log-bucket")
	e.put(b, "old/a", "x")
	e.put(b, "cold/a", strings.Repeat("x", 128<<10))
	enabled := types.ExpirationStatusEnabled
	must(t, 0, e.rules(b,
		types.LifecycleRule{Status: enabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("old/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)}},
		types.LifecycleRule{Status: enabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("cold/")},
			Transitions: []types.Transition{{Days: aws.Int32(1), StorageClass: types.TransitionStorageClassGlacier}}}))
	must(t, 0, e.logTo(b, types.LoggingEnabled{TargetBucket: to, TargetPrefix: aws.String("")}))
	clock.add(3)
	must(t, 0, e.service.Sweep(t.Context()))
	clock.add(1)
	e.deliver()
	_, lines := e.logs(to, "")
	for _, want := range []string{` - AmazonS3 \w+ S3.EXPIRE.OBJECT old/a "-" - - `, ` - AmazonS3 \w+ S3.TRANSITION.OBJECT cold/a "-" - - `} {
		if !slices.ContainsFunc(lines, regexp.MustCompile(want).MatchString) {
			t.Errorf("no line is %s in\n%s", want, strings.Join(lines, "\n"))
		}
	}
}
