package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	audit "engage/internal/localaws/cloudtrail"
	"engage/internal/localaws/daemon"
)

// serving runs "local serve" on a free port until the test ends, and returns
// its state directory and what clients need.
func serving(t *testing.T) (string, aws.Config) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithCancel(t.Context())
	talk, said := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"local", "serve", "--dir", dir, "--port", "0"}, streams{In: strings.NewReader(""), Out: io.Discard, Err: said})
		said.Close()
	}()
	lines := bufio.NewScanner(talk)
	if !lines.Scan() || !strings.Contains(lines.Text(), "listening on") {
		t.Fatalf("serve says %q", lines.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, talk) }()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("serve: exit code %d", code)
		}
	})
	info, err := daemon.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, aws.Config{Region: "us-east-1", BaseEndpoint: &info.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// The exit code tells whether the trails are whole, were tampered with, or
// could not be checked.
func TestAuditVerify(t *testing.T) {
	dir, config := serving(t)
	verify := func(more ...string) (int, string, string) {
		return command(t, append([]string{"local", "audit", "verify", "--dir", dir}, more...)...)
	}
	if code, out, talk := verify(); code != exitFailed || out != "" || !strings.Contains(talk, "no such trail") {
		t.Errorf("without trails: exit code %d, %q, %q", code, out, talk)
	}
	bucket, name := aws.String("logs"), aws.String("audit")
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	trails := cloudtrail.NewFromConfig(config)
	create := &cloudtrail.CreateTrailInput{Name: name, S3BucketName: bucket, EnableLogFileValidation: aws.Bool(true)}
	if _, err := trails.CreateTrail(t.Context(), create); err == nil || !strings.Contains(err.Error(), "InsufficientS3BucketPolicyException") {
		t.Errorf("a trail on a bucket that refuses: %v", err)
	}
	allow := &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:PutObject","s3:GetBucketAcl"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}]}`)}
	if _, err := objects.PutBucketPolicy(t.Context(), allow); err != nil {
		t.Fatal(err)
	}
	if _, err := trails.CreateTrail(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	if _, err := objects.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	if _, err := trails.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: name}); err != nil {
		t.Fatal(err)
	}
	if code, _, talk := verify(); code != exitFailed || !strings.Contains(talk, "AccessDenied") {
		t.Errorf("a bucket that refuses: exit code %d, %q", code, talk)
	}
	if _, err := objects.PutBucketPolicy(t.Context(), allow); err != nil {
		t.Fatal(err)
	}
	if code, out, talk := verify(); code != exitOK || !strings.Contains(out, "0 findings") || talk != "" {
		t.Errorf("a trail that is whole: exit code %d, %q, %q", code, out, talk)
	}
	deleteFirst(t, objects, "logs", "AWSLogs/000000000000/CloudTrail/")
	if code, out, _ := verify(); code != exitViolations || !strings.Contains(out, "missing") {
		t.Errorf("after a deletion: exit code %d, %q", code, out)
	}
	code, out, _ := verify("--trail", "audit", "--json")
	var reports []audit.TrailReport
	if err := json.Unmarshal([]byte(out), &reports); code != exitViolations || err != nil || len(reports) != 1 || len(reports[0].Findings) != 1 {
		t.Errorf("--json: exit code %d, error %v, %s", code, err, out)
	}
}

// A file that was changed, one that took another's place and one that is
// missing are named, each for what it is.
func TestAuditVerifyNamesWhatWasDone(t *testing.T) {
	dir, config := serving(t)
	bucket, name := aws.String("logs"), aws.String("audit")
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	trails := cloudtrail.NewFromConfig(config)
	_, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})
	if err == nil {
		_, err = objects.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:PutObject","s3:GetBucketAcl"],"Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}]}`)})
	}
	if err == nil {
		_, err = trails.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{Name: name, S3BucketName: bucket, EnableLogFileValidation: aws.Bool(true)})
	}
	if err == nil {
		_, err = trails.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: name})
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 4 { // each verification delivers what came before it, and a digest
		if _, err := trails.GetTrail(t.Context(), &cloudtrail.GetTrailInput{Name: name}); err != nil {
			t.Fatal(err)
		}
		if code, out, talk := command(t, "local", "audit", "verify", "--dir", dir); code != exitOK {
			t.Fatalf("exit code %d, %q, %q", code, out, talk)
		}
	}
	logs, digests := keysBelow(t, objects, "AWSLogs/000000000000/CloudTrail/"), keysBelow(t, objects, "AWSLogs/000000000000/CloudTrail-Digest/")
	move := func(from, to string) {
		if _, err := objects.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: bucket, Key: &to, CopySource: aws.String("logs/" + from)}); err != nil {
			t.Fatal(err)
		}
	}
	move(logs[1], "aside")
	move(logs[0], logs[1])
	move("aside", logs[0])
	if _, err := objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &logs[2], Body: strings.NewReader("changed")}); err != nil {
		t.Fatal(err)
	}
	tampered(t, dir, logs[0], logs[1], logs[2], "was changed")
	if _, err := objects.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: &digests[1]}); err != nil {
		t.Fatal(err)
	}
	tampered(t, dir, digests[1], "is missing", "was changed")
}

// tampered verifies the trails of a directory, and wants violations that name all of the words.
func tampered(t *testing.T, dir string, words ...string) {
	t.Helper()
	code, out, _ := command(t, "local", "audit", "verify", "--dir", dir)
	if code != exitViolations {
		t.Errorf("exit code %d", code)
	}
	for _, want := range words {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %s", want, out)
		}
	}
}

func keysBelow(t *testing.T, objects *s3.Client, prefix string) (keys []string) {
	t.Helper()
	list, err := objects.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("logs"), Prefix: &prefix})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		keys = append(keys, *o.Key)
	}
	slices.Sort(keys)
	return keys
}

// deleteFirst deletes the first object below a prefix.
func deleteFirst(t *testing.T, objects *s3.Client, bucket, prefix string) {
	t.Helper()
	list, err := objects.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	if err != nil || len(list.Contents) == 0 {
		t.Fatalf("no objects below %s: %v", prefix, err)
	}
	if _, err := objects.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: list.Contents[0].Key}); err != nil {
		t.Fatal(err)
	}
}

// Help shows examples.
func TestAuditHelp(t *testing.T) {
	if code, out, _ := command(t, "local", "audit", "verify", "--help"); code != exitOK || !strings.Contains(out, "Examples:") || !strings.Contains(out, "Exit codes") {
		t.Errorf("exit code %d, %q", code, out)
	}
}
