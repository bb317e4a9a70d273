package localaws_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"engage/internal/localaws"
	"engage/internal/localaws/cloudtrail"
)

// audited is an endpoint with a trail.
type audited struct {
	*localaws.Endpoint
	dir    string
	s3     *s3.Client
	iam    *iam.Client
	trails *sdk.Client
}

func openAudited(t *testing.T, dir string) *audited {
	t.Helper()
	e, err := localaws.Open(localaws.Config{Addr: "127.0.0.1:0", Dir: dir, Report: func(err error) { t.Log(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(e.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	return &audited{e, dir, s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }), iam.NewFromConfig(c), sdk.NewFromConfig(c)}
}

// trailPolicy is the one that AWS tells to give a trail's bucket.
const trailPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::trail-logs","Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:us-east-1:000000000000:trail/audit"}}},
{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},
"Action":"s3:PutObject","Resource":"arn:aws:s3:::trail-logs/AWSLogs/000000000000/*","Condition":{"StringEquals":{
"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:us-east-1:000000000000:trail/audit"}}}]}`

func do[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// begin makes the bucket and a trail that logs, and then leaves the bucket the
// policy, none for "".
func (a *audited) begin(t *testing.T, policy string) {
	t.Helper()
	bucket := aws.String("trail-logs")
	do[*s3.CreateBucketOutput](t)(a.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}))
	do[*s3.PutBucketPolicyOutput](t)(a.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(trailPolicy)}))
	name := aws.String("audit")
	do[*sdk.CreateTrailOutput](t)(a.trails.CreateTrail(t.Context(), &sdk.CreateTrailInput{Name: name, S3BucketName: bucket, EnableLogFileValidation: aws.Bool(true)}))
	do[*sdk.PutEventSelectorsOutput](t)(a.trails.PutEventSelectors(t.Context(), &sdk.PutEventSelectorsInput{TrailName: name, EventSelectors: []types.EventSelector{
		{ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
			DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::data/"}}}}}}))
	if policy == "" {
		do[*s3.DeleteBucketPolicyOutput](t)(a.s3.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: bucket}))
	} else if policy != trailPolicy {
		do[*s3.PutBucketPolicyOutput](t)(a.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: &policy}))
	}
	do[*sdk.StartLoggingOutput](t)(a.trails.StartLogging(t.Context(), &sdk.StartLoggingInput{Name: name}))
}

// act makes calls of three protocols, one of which fails.
func (a *audited) act(t *testing.T) {
	t.Helper()
	_, _ = a.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")}) // it may be there
	do[*s3.PutObjectOutput](t)(a.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: strings.NewReader("x")}))
	if _, err := a.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("missing")}); err == nil {
		t.Fatal("a role that is not there was found")
	}
	if _, err := a.trails.GetTrail(t.Context(), &sdk.GetTrailInput{Name: aws.String("audit")}); err != nil {
		t.Fatal(err)
	}
}

// verify asks for the report of the one trail.
func (a *audited) verify(t *testing.T) cloudtrail.TrailReport {
	t.Helper()
	answer := do[*http.Response](t)(http.Get(a.URL() + "/_localaws/audit/verify?trail=audit"))
	defer answer.Body.Close()
	var got struct{ Trails []cloudtrail.TrailReport }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || answer.StatusCode != http.StatusOK || len(got.Trails) != 1 {
		t.Fatalf("verify: %s, %v, %+v", answer.Status, err, got)
	}
	return got.Trails[0]
}

func (a *audited) clean(t *testing.T) cloudtrail.TrailReport {
	t.Helper()
	r := a.verify(t)
	if len(r.Findings) != 0 || r.Error != "" || r.Digests == 0 || r.LogFiles == 0 {
		t.Fatalf("got %+v", r)
	}
	return r
}

// files returns the paths of the log files in the bucket's directory.
func (a *audited) files(t *testing.T, kind string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(a.dir, "s3"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(filepath.Base(path), "_"+kind+"_") {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s files: %v", kind, err)
	}
	return found
}

func zipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

func found(r cloudtrail.TrailReport, problem string) bool {
	for _, f := range r.Findings {
		if strings.Contains(f.Problem, problem) {
			return true
		}
	}
	return false
}

// records reads every record that was delivered.
func (a *audited) records(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, path := range a.files(t, "CloudTrail") {
		r := do[*gzip.Reader](t)(gzip.NewReader(bytes.NewReader(do[[]byte](t)(os.ReadFile(path)))))
		all.Write(do[[]byte](t)(io.ReadAll(r)))
	}
	return all.String()
}

// A trail records calls of every protocol, with who, what and how it ended,
// and none of its own deliveries.
func TestAuditRecordsCalls(t *testing.T) {
	a := openAudited(t, t.TempDir())
	a.begin(t, trailPolicy)
	a.act(t)
	first := a.clean(t)
	text := a.records(t)
	for _, want := range []string{
		`"eventName":"PutObject"`, `"requestParameters":{"bucketName":"data","key":"k"}`, `"ARN":"arn:aws:s3:::data/k"`, `"eventCategory":"Data"`,
		`"eventName":"GetRole"`, `"requestParameters":{"RoleName":"missing"}`, `"errorCode":"NoSuchEntity"`,
		`"eventName":"GetTrail"`, `"requestParameters":{"Name":"audit"}`, `"sourceIPAddress":"127.0.0.1"`, `"type":"Root"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if strings.Contains(text, "trail-logs/AWSLogs") {
		t.Error("the trail recorded its own deliveries")
	}
	if again := a.clean(t); again.LogFiles != first.LogFiles {
		t.Errorf("%d log files without a call, before %d", again.LogFiles, first.LogFiles)
	}
}

// What is changed in the bucket's directory, replaced or deleted through S3 is found.
func TestAuditFindsTampering(t *testing.T) {
	tamper := map[string]func(t *testing.T, a *audited, path, key string) string{
		"changed on disk": func(t *testing.T, _ *audited, path, _ string) string {
			if err := os.WriteFile(path, zipped(`{"Records":[]}`), 0o600); err != nil {
				t.Fatal(err)
			}
			return "was changed"
		},
		"replaced": func(t *testing.T, a *audited, _, key string) string {
			do[*s3.PutObjectOutput](t)(a.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("trail-logs"), Key: &key, Body: bytes.NewReader(zipped("{}"))}))
			return "was changed"
		},
		"deleted": func(t *testing.T, a *audited, _, key string) string {
			do[*s3.DeleteObjectOutput](t)(a.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("trail-logs"), Key: &key}))
			return "missing"
		},
	}
	for name, change := range tamper {
		for _, kind := range []string{"CloudTrail", "CloudTrail-Digest"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				a := openAudited(t, t.TempDir())
				a.begin(t, trailPolicy)
				a.act(t)
				a.clean(t)
				path := a.files(t, kind)[0]
				want := change(t, a, path, path[strings.Index(path, "AWSLogs/"):])
				if r := a.verify(t); !found(r, want) {
					t.Errorf("want a finding with %q, got %+v", want, r)
				}
			})
		}
	}
}

// A chain goes on after a restart, with the same key.
func TestAuditTrailSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	a := openAudited(t, dir)
	a.begin(t, trailPolicy)
	a.act(t)
	before := a.clean(t)
	key := do[[]byte](t)(os.ReadFile(filepath.Join(dir, "cloudtrail-key.pem")))
	a.act(t)
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := openAudited(t, dir)
	b.act(t)
	after := b.clean(t)
	if after.LogFiles <= before.LogFiles {
		t.Errorf("%d log files after the restart, %d before", after.LogFiles, before.LogFiles)
	}
	if !bytes.Equal(key, do[[]byte](t)(os.ReadFile(filepath.Join(dir, "cloudtrail-key.pem")))) {
		t.Error("the signing key changed")
	}
}

// A bucket whose policy does not let the service write gets nothing, and the
// trail is not called whole. It can still be stopped.
func TestAuditTrailNeedsBucketPolicy(t *testing.T) {
	a := openAudited(t, t.TempDir())
	a.begin(t, "")
	a.act(t)
	if r := a.verify(t); !strings.Contains(r.Error, "AccessDenied") || r.LogFiles != 0 {
		t.Errorf("got %+v", r)
	}
	do[*sdk.StopLoggingOutput](t)(a.trails.StopLogging(t.Context(), &sdk.StopLoggingInput{Name: aws.String("audit")}))
}

// An endpoint without trails makes no key, and has nothing to verify.
func TestAuditWithoutTrails(t *testing.T) {
	a := openAudited(t, t.TempDir())
	answer := do[*http.Response](t)(http.Get(a.URL() + "/_localaws/audit/verify"))
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", answer.StatusCode)
	}
	if _, err := os.Stat(filepath.Join(a.dir, "cloudtrail-key.pem")); err == nil {
		t.Error("a key was made for nothing")
	}
}
