package s3_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"engage/internal/localaws/s3"
	"engage/internal/localaws/wire"
)

// watch is a clock that a test moves.
type watch struct {
	mu  sync.Mutex
	now time.Time
}

func (w *watch) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) add(days int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.AddDate(0, 0, days)
}

// recorder is every other service: it takes what is said, and says no where told.
type recorder struct {
	mu     sync.Mutex
	calls  []string
	refuse error
}

// Invoke implements wire.Invoker.
func (r *recorder) Invoke(_ context.Context, c wire.Caller, service, operation string, in any) (any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := json.Marshal(in)
	r.calls = append(r.calls, fmt.Sprintf("%s %s %s %s", c.ARN, service, operation, text))
	if r.refuse != nil {
		return nil, r.refuse
	}
	return nil, err
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func timed(t *testing.T) (*endpoint, *watch, *recorder) {
	w, r := &watch{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, &recorder{}
	return bootWith(t, t.TempDir(), s3.Config{Clock: w.time, Invoker: r}), w, r
}

func (e *endpoint) lockedBucket(name string) *string {
	e.Helper()
	_, err := e.CreateBucket(e.Context(), &sdk.CreateBucketInput{Bucket: &name, ObjectLockEnabledForBucket: aws.Bool(true)})
	must(e, 0, err)
	return &name
}

func TestRetentionHolds(t *testing.T) {
	e, clock, _ := timed(t)
	b, k := e.lockedBucket("vault"), aws.String("k")
	for _, mode := range []types.ObjectLockMode{types.ObjectLockModeGovernance, types.ObjectLockModeCompliance} {
		until := clock.time().AddDate(0, 0, 2)
		put, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: k, Body: strings.NewReader("x"), ObjectLockMode: mode, ObjectLockRetainUntilDate: &until})
		must(t, put, err)
		head, err := e.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: b, Key: k})
		if must(t, head, err); head.ObjectLockMode != mode || !head.ObjectLockRetainUntilDate.Equal(until) {
			t.Errorf("got %v until %v", head.ObjectLockMode, head.ObjectLockRetainUntilDate)
		}
		in := &sdk.DeleteObjectInput{Bucket: b, Key: k, VersionId: put.VersionId}
		_, err = e.DeleteObject(t.Context(), in)
		wantCode(t, err, "AccessDenied")
		sooner := clock.time().AddDate(0, 0, 1)
		_, err = e.PutObjectRetention(t.Context(), &sdk.PutObjectRetentionInput{Bucket: b, Key: k, VersionId: put.VersionId,
			Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionMode(mode), RetainUntilDate: &sooner}})
		wantCode(t, err, "AccessDenied")
		in.BypassGovernanceRetention = aws.Bool(true)
		if _, err = e.DeleteObject(t.Context(), in); mode == types.ObjectLockModeGovernance {
			must(t, 0, err)
			continue
		}
		wantCode(t, err, "AccessDenied")
		clock.add(3)
		e.remove(b, "k", *put.VersionId)
	}
}

func TestDefaultRetentionAndLegalHold(t *testing.T) {
	e, clock, _ := timed(t)
	b, k := e.lockedBucket("vault"), aws.String("k")
	_, err := e.GetObjectRetention(t.Context(), &sdk.GetObjectRetentionInput{Bucket: b, Key: k})
	wantCode(t, err, "NoSuchKey")
	_, err = e.PutObjectLockConfiguration(t.Context(), &sdk.PutObjectLockConfigurationInput{Bucket: b, ObjectLockConfiguration: &types.ObjectLockConfiguration{
		ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeCompliance, Days: aws.Int32(1)}}}})
	must(t, 0, err)
	v := e.put(b, "k", "x").VersionId
	got, err := e.GetObjectRetention(t.Context(), &sdk.GetObjectRetentionInput{Bucket: b, Key: k})
	if must(t, got, err); !got.Retention.RetainUntilDate.Equal(clock.time().AddDate(0, 0, 1)) {
		t.Errorf("got %v", got.Retention.RetainUntilDate)
	}
	_, err = e.GetObjectLegalHold(t.Context(), &sdk.GetObjectLegalHoldInput{Bucket: b, Key: k})
	wantCode(t, err, "NoSuchObjectLockConfiguration")
	hold := func(s types.ObjectLockLegalHoldStatus) {
		_, err := e.PutObjectLegalHold(t.Context(), &sdk.PutObjectLegalHoldInput{Bucket: b, Key: k, LegalHold: &types.ObjectLockLegalHold{Status: s}})
		must(t, 0, err)
	}
	hold(types.ObjectLockLegalHoldStatusOn)
	clock.add(2)
	_, err = e.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: b, Key: k, VersionId: v, BypassGovernanceRetention: aws.Bool(true)})
	wantCode(t, err, "AccessDenied")
	if d := e.remove(b, "k", ""); !*d.DeleteMarker {
		t.Error("a delete without a version makes a marker, locked or not")
	}
	e.remove(b, "k", *e.remove(b, "k", "").VersionId)
	hold2 := &sdk.PutObjectLegalHoldInput{Bucket: b, Key: k, VersionId: v, LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOff}}
	_, err = e.PutObjectLegalHold(t.Context(), hold2)
	must(t, 0, err)
	e.remove(b, "k", *v)

	open := e.bucket("open")
	e.put(open, "k", "x")
	_, err = e.GetObjectRetention(t.Context(), &sdk.GetObjectRetentionInput{Bucket: open, Key: k})
	wantCode(t, err, "InvalidRequest")
}

func (e *endpoint) rules(b *string, rules ...types.LifecycleRule) error {
	_, err := e.PutBucketLifecycleConfiguration(e.Context(), &sdk.PutBucketLifecycleConfigurationInput{Bucket: b,
		LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules}})
	return err
}

func (e *endpoint) keys(b *string) string {
	out, err := e.ListObjectsV2(e.Context(), &sdk.ListObjectsV2Input{Bucket: b})
	var keys []string
	for _, o := range must(e, out, err).Contents {
		keys = append(keys, *o.Key+":"+string(o.StorageClass))
	}
	return strings.Join(keys, " ")
}

func TestLifecycleExpiresAndMoves(t *testing.T) {
	e, clock, _ := timed(t)
	b := e.bucket("data")
	enabled := types.ExpirationStatusEnabled
	must(t, 0, e.rules(b,
		types.LifecycleRule{ID: aws.String("tmp"), Status: enabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("tmp/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(3)},
			AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(1)}},
		types.LifecycleRule{Status: enabled, Filter: &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String("log/"), ObjectSizeGreaterThan: aws.Int64(2),
			Tags: []types.Tag{{Key: aws.String("keep"), Value: aws.String("no")}}}},
			Transitions: []types.Transition{{Days: aws.Int32(1), StorageClass: types.TransitionStorageClassStandardIa}, {Days: aws.Int32(5), StorageClass: types.TransitionStorageClassGlacier}}},
		types.LifecycleRule{Status: types.ExpirationStatusDisabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)}}))
	e.put(b, "tmp/a", "x")
	e.put(b, "keep", "x")
	for key, tags := range map[string]string{"log/a": "keep=no", "log/b": ""} {
		_, err := e.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader("long"), Tagging: &tags})
		must(t, 0, err)
	}
	up, err := e.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: b, Key: aws.String("tmp/big")})
	must(t, up, err)
	_, err = e.UploadPart(t.Context(), &sdk.UploadPartInput{Bucket: b, Key: up.Key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader([]byte("part"))})
	must(t, 0, err)
	head, err := e.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: b, Key: aws.String("tmp/a")})
	if must(t, head, err); aws.ToString(head.Expiration) != `expiry-date="Thu, 05 Mar 2026 00:00:00 GMT", rule-id="tmp"` {
		t.Errorf("got %v", aws.ToString(head.Expiration))
	}
	for _, step := range []struct {
		days, uploads int
		want          string
	}{
		{1, 1, "keep:STANDARD log/a:STANDARD log/b:STANDARD tmp/a:STANDARD"}, // 2026-03-02 12:00: due at midnight
		{1, 0, "keep:STANDARD log/a:STANDARD_IA log/b:STANDARD tmp/a:STANDARD"},
		{2, 0, "keep:STANDARD log/a:STANDARD_IA log/b:STANDARD"},
		{2, 0, "keep:STANDARD log/a:GLACIER log/b:STANDARD"},
	} {
		clock.add(step.days)
		must(t, 0, e.service.Sweep(t.Context()))
		if got := e.keys(b); got != step.want {
			t.Errorf("%s: got %s, want %s", clock.time(), got, step.want)
		}
		left, err := e.ListMultipartUploads(t.Context(), &sdk.ListMultipartUploadsInput{Bucket: b})
		if n := len(must(t, left, err).Uploads); n != step.uploads {
			t.Errorf("%s: %d uploads, want %d", clock.time(), n, step.uploads)
		}
	}
	_, err = e.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: b, Key: aws.String("log/a")})
	wantCode(t, err, "InvalidObjectState")
}

func TestLifecycleOfVersions(t *testing.T) {
	e, clock, _ := timed(t)
	b := e.bucket("data")
	e.versioning(b, types.BucketVersioningStatusEnabled)
	must(t, 0, e.rules(b, types.LifecycleRule{Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
		NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(1), NewerNoncurrentVersions: aws.Int32(1)},
		Expiration:                  &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)}}))
	for _, body := range []string{"1", "2", "3"} {
		e.put(b, "a", body)
	}
	e.put(b, "b", "only")
	only := e.history(b, 1)
	must(t, 0, e.service.Sweep(t.Context()))
	if got := e.history(b, 1); got != only {
		t.Errorf("too early: got %s, want %s", got, only)
	}
	clock.add(3)
	must(t, 0, e.service.Sweep(t.Context()))
	if got, want := e.history(b, 1), "a=3* a=2 b=only*"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	list, err := e.ListObjectVersions(t.Context(), &sdk.ListObjectVersionsInput{Bucket: b, Prefix: aws.String("b")})
	v := *must(t, list, err).Versions[0].VersionId
	e.remove(b, "b", "")
	e.remove(b, "b", v)
	must(t, 0, e.service.Sweep(t.Context()))
	if got, want := e.history(b, 1), "a=3* a=2"; got != want {
		t.Errorf("got %s, want %s: a marker that hides nothing goes", got, want)
	}
}

func TestLifecycleRefusals(t *testing.T) {
	e, _, _ := timed(t)
	b := e.bucket("data")
	filter, days := &types.LifecycleRuleFilter{Prefix: aws.String("")}, &types.LifecycleExpiration{Days: aws.Int32(1)}
	enabled := types.ExpirationStatusEnabled
	midday := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for code, rule := range map[string]types.LifecycleRule{
		"MalformedXML":    {Status: enabled, Expiration: days},
		"InvalidRequest":  {Status: enabled, Filter: filter},
		"InvalidArgument": {Status: enabled, Filter: filter, Expiration: &types.LifecycleExpiration{Date: &midday}},
	} {
		wantCode(t, e.rules(b, rule), code)
	}
	same := types.LifecycleRule{ID: aws.String("r"), Status: enabled, Filter: filter, Expiration: days}
	wantCode(t, e.rules(b, same, same), "InvalidArgument")
	_, err := e.GetBucketLifecycleConfiguration(t.Context(), &sdk.GetBucketLifecycleConfigurationInput{Bucket: b})
	wantCode(t, err, "NoSuchLifecycleConfiguration")
}

func TestEventsAreTold(t *testing.T) {
	e, _, others := timed(t)
	b := e.bucket("data")
	in := &sdk.PutBucketNotificationConfigurationInput{Bucket: b, NotificationConfiguration: &types.NotificationConfiguration{
		QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String("arn:aws:sqs:us-east-1:000000000000:q"), Events: []types.Event{"s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"},
			Filter: &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{{Name: "suffix", Value: aws.String(".csv")}}}}}},
		EventBridgeConfiguration: &types.EventBridgeConfiguration{}}}
	others.refuse = wire.AccessDenied("no")
	_, err := e.PutBucketNotificationConfiguration(t.Context(), in)
	wantCode(t, err, "InvalidArgument")
	others.refuse = nil
	_, err = e.PutBucketNotificationConfiguration(t.Context(), in)
	must(t, 0, err)
	kept, err := e.GetBucketNotificationConfiguration(t.Context(), &sdk.GetBucketNotificationConfigurationInput{Bucket: b})
	if must(t, kept, err); len(kept.QueueConfigurations) != 1 || *kept.QueueConfigurations[0].Id == "" || kept.EventBridgeConfiguration == nil {
		t.Errorf("got %+v", kept)
	}
	others.calls = nil
	e.put(b, "a b.csv", "123")
	e.put(b, "other", "1")
	e.remove(b, "a b.csv", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what waits is told before the end
	e.service.Run(ctx, func(err error) { t.Error(err) })
	var got []string
	for _, c := range others.all() {
		for _, word := range []string{`ObjectCreated:Put\"`, `ObjectRemoved:Delete\"`, "a+b.csv", "arn:aws:s3:::data sqs SendMessage", "events PutEvents", "Object Created", "Object Deleted"} {
			if strings.Contains(c, word) {
				got = append(got, word)
			}
		}
	}
	want := []string{`ObjectCreated:Put\"`, "a+b.csv", "arn:aws:s3:::data sqs SendMessage", "events PutEvents", "Object Created",
		"events PutEvents", "Object Created", `ObjectRemoved:Delete\"`, "a+b.csv", "arn:aws:s3:::data sqs SendMessage", "events PutEvents", "Object Deleted"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nof %q\nwant %q", got, others.all(), want)
	}
}

func TestPublicPolicies(t *testing.T) {
	e := boot(t)
	b := e.bucket("data")
	everyone := `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"%s}`
	for _, c := range []struct {
		name, statement string
		public          bool
	}{
		{"everyone", fmt.Sprintf(everyone, ""), true},
		{"an account", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000001:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}`, false},
		{"everyone is denied", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::data/*"}`, false},
		{"one network", fmt.Sprintf(everyone, `,"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), false},
		{"half of all networks", fmt.Sprintf(everyone, `,"Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`), true},
		{"one account by condition", fmt.Sprintf(everyone, `,"Condition":{"StringEquals":{"aws:PrincipalAccount":["000000000001"]}}`), false},
		{"a pattern of accounts", fmt.Sprintf(everyone, `,"Condition":{"StringLike":{"aws:SourceAccount":"0*"}}`), true},
		{"a condition on no caller", fmt.Sprintf(everyone, `,"Condition":{"StringEquals":{"s3:prefix":"a"}}`), true},
	} {
		_, err := e.DeletePublicAccessBlock(t.Context(), &sdk.DeletePublicAccessBlockInput{Bucket: b})
		must(t, 0, err)
		policy := `{"Version":"2012-10-17","Statement":[` + c.statement + `]}`
		_, err = e.PutBucketPolicy(t.Context(), &sdk.PutBucketPolicyInput{Bucket: b, Policy: &policy})
		must(t, 0, err)
		status, err := e.GetBucketPolicyStatus(t.Context(), &sdk.GetBucketPolicyStatusInput{Bucket: b})
		if must(t, status, err); *status.PolicyStatus.IsPublic != c.public {
			t.Errorf("%s: public is %v", c.name, !c.public)
		}
		_, err = e.PutPublicAccessBlock(t.Context(), &sdk.PutPublicAccessBlockInput{Bucket: b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}})
		must(t, 0, err)
		_, err = e.PutBucketPolicy(t.Context(), &sdk.PutBucketPolicyInput{Bucket: b, Policy: &policy})
		if c.public {
			wantCode(t, err, "AccessDenied")
		} else {
			must(t, 0, err)
		}
	}
}
