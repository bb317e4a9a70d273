package cloudtrail_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"engage/internal/localaws/cloudtrail"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// bucket is a bucket in memory.
type bucket map[string]cloudtrail.Object

func (b bucket) Put(_ context.Context, _ wire.Caller, o cloudtrail.Object) error {
	b[o.Key] = o
	return nil
}

func (b bucket) Check(_ context.Context, _ wire.Caller, name, _ string) error {
	switch name {
	case "none":
		return wire.Errorf("NoSuchBucket", "no")
	case "closed":
		return wire.AccessDenied("no")
	}
	return nil
}

func (b bucket) List(_ context.Context, _, prefix string) (keys []string, err error) {
	for key := range b {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (b bucket) Get(_ context.Context, _, key string) (cloudtrail.Object, error) {
	o, ok := b[key]
	if !ok {
		return o, errors.New("no such key")
	}
	return o, nil
}

// public returns the key that verifies digests.
func (w *world) public(t *testing.T) *rsa.PublicKey {
	t.Helper()
	key, err := w.service.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

type world struct {
	*sdk.Client
	service *cloudtrail.Service
	store   *state.Store
	bucket  bucket
	now     time.Time
}

func boot(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: store, bucket: bucket{}, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if w.service, err = cloudtrail.New(cloudtrail.Config{Store: store, Bucket: w.bucket, Clock: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir, Services: []*wire.Service{w.service.API()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(srv.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
	})
	w.Client = sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	if _, err := w.CreateTrail(t.Context(), &sdk.CreateTrailInput{Name: aws.String("audit"), S3BucketName: aws.String("logs"), EnableLogFileValidation: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.StartLogging(t.Context(), &sdk.StartLoggingInput{Name: aws.String("audit")}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) record(t *testing.T, service, operation string, data bool) {
	t.Helper()
	w.service.Record(t.Context(), cloudtrail.Event{Caller: wire.Root("000000000000", "eu-west-1"), Service: service, Operation: operation, Data: data,
		Parameters: json.RawMessage(`{"Name":"n","SecretString":"hush"}`), Resources: []string{"arn:aws:s3:::data/a"}, RequestID: "r"})
}

// fill writes three digests with a log file each.
func (w *world) fill(t *testing.T) {
	t.Helper()
	for range 3 {
		w.record(t, "secretsmanager", "CreateSecret", false)
		w.now = w.now.Add(time.Hour)
		if err := w.service.Flush(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) verify(t *testing.T, b bucket) cloudtrail.Report {
	t.Helper()
	report, err := cloudtrail.Verify(t.Context(), b, w.public(t), cloudtrail.Location{Bucket: "logs", Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func keys(b bucket, kind string) (found []string) {
	for key := range b {
		if strings.Contains(key, "/"+kind+"/") {
			found = append(found, key)
		}
	}
	return found
}

func zip(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

func TestVerifyFindsEveryChange(t *testing.T) {
	w := boot(t)
	w.fill(t)
	if r := w.verify(t, w.bucket); len(r.Findings) != 0 || r.Digests != 3 || r.LogFiles != 3 {
		t.Fatalf("got %+v", r)
	}
	for _, kind := range []string{"CloudTrail", "CloudTrail-Digest"} {
		all := keys(w.bucket, kind)
		if len(all) != 3 {
			t.Fatalf("%s: %v", kind, all)
		}
		for _, key := range all {
			changed := maps.Clone(w.bucket)
			changed[key] = cloudtrail.Object{Key: key, Body: zip("{}"), Metadata: w.bucket[key].Metadata}
			if r := w.verify(t, changed); len(r.Findings) == 0 {
				t.Errorf("a change of %s was not found", key)
			}
			missing := maps.Clone(w.bucket)
			delete(missing, key)
			report, err := cloudtrail.Verify(t.Context(), missing, w.public(t), cloudtrail.Location{Bucket: "logs", Account: "000000000000", LastDigest: w.service.LastDigest("000000000000", "eu-west-1", "audit")})
			if err != nil || len(report.Findings) == 0 {
				t.Errorf("the loss of %s was not found: %v", key, err)
			}
		}
	}
	added := maps.Clone(w.bucket)
	added["AWSLogs/000000000000/CloudTrail/eu-west-1/2026/01/01/000000000000_CloudTrail_eu-west-1_20260101T0030Z_0123456789abcdef.json.gz"] = cloudtrail.Object{Body: zip("{}")}
	if r := w.verify(t, added); len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Problem, "added") {
		t.Errorf("got %+v", r)
	}
}

func TestRecordsHaveNoSecretsAndCanBeLookedUp(t *testing.T) {
	w := boot(t)
	w.fill(t)
	for _, key := range keys(w.bucket, "CloudTrail") {
		r, err := gzip.NewReader(bytes.NewReader(w.bucket[key].Body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		if strings.Contains(string(text), "hush") || !strings.Contains(string(text), `"eventSource":"secretsmanager.amazonaws.com"`) || !strings.Contains(string(text), `"responseElements":null`) {
			t.Errorf("got %s", text)
		}
	}
	out, err := w.LookupEvents(t.Context(), &sdk.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("CreateSecret")}}})
	if err != nil || len(out.Events) != 3 {
		t.Errorf("got %+v %v", out, err)
	}
	public, err := w.ListPublicKeys(t.Context(), &sdk.ListPublicKeysInput{})
	if err != nil || len(public.PublicKeyList) != 1 {
		t.Errorf("got %+v %v", public, err)
	}
	status, err := w.GetTrailStatus(t.Context(), &sdk.GetTrailStatusInput{Name: aws.String("audit")})
	if err != nil || !*status.IsLogging || status.LatestDigestDeliveryTime == nil {
		t.Errorf("got %+v %v", status, err)
	}
}

func TestSelectorsChooseData(t *testing.T) {
	w := boot(t)
	w.record(t, "s3", "GetObject", true)
	if err := w.service.Flush(t.Context(), false); err != nil || len(w.bucket) != 0 {
		t.Errorf("data was logged without a selector: %d files, %v", len(w.bucket), err)
	}
	if _, err := w.PutEventSelectors(t.Context(), &sdk.PutEventSelectorsInput{TrailName: aws.String("audit"), EventSelectors: []types.EventSelector{
		{ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true), DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::data/"}}}}}}); err != nil {
		t.Fatal(err)
	}
	w.record(t, "s3", "GetObject", true)
	if err := w.service.Flush(t.Context(), false); err != nil || len(w.bucket) != 1 {
		t.Errorf("%d files, %v", len(w.bucket), err)
	}
}

// Trails that share a bucket have chains of their own, and vouch for each
// other's log files.
func TestTrailsShareABucket(t *testing.T) {
	w := boot(t)
	if _, err := w.CreateTrail(t.Context(), &sdk.CreateTrailInput{Name: aws.String("audit_2"), S3BucketName: aws.String("logs"), EnableLogFileValidation: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.StartLogging(t.Context(), &sdk.StartLoggingInput{Name: aws.String("audit_2")}); err != nil {
		t.Fatal(err)
	}
	w.fill(t)
	w.now = w.now.Add(time.Hour)
	for name, n := range map[string]int{"": 2, "audit": 1, "audit_2": 1} {
		reports, err := w.service.VerifyTrails(t.Context(), w.bucket, name)
		if err != nil || len(reports) != n {
			t.Fatalf("%q: %+v, %v", name, reports, err)
		}
		for _, r := range reports {
			if len(r.Findings) != 0 || r.Error != "" || r.LogFiles != 3 {
				t.Errorf("got %+v", r)
			}
		}
	}
	if _, err := w.service.VerifyTrails(t.Context(), w.bucket, "other"); !errors.Is(err, cloudtrail.ErrNoTrail) {
		t.Errorf("got %v", err)
	}
}

// A trail that is stopped gets its last digest when it is verified.
func TestStoppedTrailIsDigested(t *testing.T) {
	w := boot(t)
	w.record(t, "secretsmanager", "CreateSecret", false)
	if _, err := w.StopLogging(t.Context(), &sdk.StopLoggingInput{Name: aws.String("audit")}); err != nil {
		t.Fatal(err)
	}
	reports, err := w.service.VerifyTrails(t.Context(), w.bucket, "audit")
	if err != nil || len(reports) != 1 || reports[0].LogFiles != 1 || len(reports[0].Findings) != 0 {
		t.Errorf("got %+v, %v", reports, err)
	}
}

// The key is made once, whoever asks first.
func TestKeyIsMadeOnce(t *testing.T) {
	w := boot(t)
	made := make(chan *rsa.PublicKey)
	for range 8 {
		go func() {
			key, err := w.service.PublicKey()
			if err != nil {
				t.Error(err)
			}
			made <- key
		}()
	}
	first := <-made
	for range 7 {
		if key := <-made; !first.Equal(key) {
			t.Error("two keys were made")
		}
	}
}

// crashing is a bucket that writes what it is given, and then crashes.
type crashing struct {
	bucket
	armed *bool
}

func (c crashing) Put(ctx context.Context, caller wire.Caller, o cloudtrail.Object) error {
	err := c.bucket.Put(ctx, caller, o)
	if *c.armed {
		panic("crash")
	}
	return err
}

// A crash between the writing of a file and the note of it leaves a chain that
// verifies, since the file is written again under its name.
func TestChainSurvivesCrash(t *testing.T) {
	for _, digests := range []bool{false, true} {
		w := boot(t)
		armed := false
		cfg := cloudtrail.Config{Store: w.store, Bucket: crashing{w.bucket, &armed}, Clock: func() time.Time { return w.now }}
		open := func() {
			var err error
			if w.service, err = cloudtrail.New(cfg); err != nil {
				t.Fatal(err)
			}
		}
		open()
		w.fill(t)
		w.record(t, "secretsmanager", "CreateSecret", false)
		w.now = w.now.Add(30 * time.Minute)
		if digests { // the log file is there, the digest crashes
			if err := w.service.Flush(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		}
		armed = true
		func() {
			defer func() {
				if recover() == nil {
					t.Error("nothing was written")
				}
			}()
			_ = w.service.Flush(t.Context(), digests)
		}()
		armed = false
		open()
		for range 2 {
			w.record(t, "secretsmanager", "DeleteSecret", false)
			w.now = w.now.Add(time.Hour)
			if err := w.service.Flush(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		}
		reports, err := w.service.VerifyTrails(t.Context(), w.bucket, "audit")
		if err != nil || len(reports[0].Findings) != 0 || reports[0].Error != "" {
			t.Errorf("a crash with digests %v: %+v, %v", digests, reports, err)
		}
	}
}

// A trail's bucket is looked at when the trail is made.
func TestBucketIsChecked(t *testing.T) {
	w := boot(t)
	for name, want := range map[string]string{"none": "S3BucketDoesNotExistException", "closed": "InsufficientS3BucketPolicyException"} {
		_, err := w.CreateTrail(t.Context(), &sdk.CreateTrailInput{Name: aws.String("other"), S3BucketName: &name})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		if _, err = w.UpdateTrail(t.Context(), &sdk.UpdateTrailInput{Name: aws.String("audit"), S3BucketName: &name}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	if got, err := w.GetTrail(t.Context(), &sdk.GetTrailInput{Name: aws.String("audit")}); err != nil || *got.Trail.S3BucketName != "logs" {
		t.Errorf("got %+v, %v: what was refused is not kept", got, err)
	}
}

func TestAdvancedSelectors(t *testing.T) {
	w := boot(t)
	field := func(name string, change func(*types.AdvancedFieldSelector)) types.AdvancedFieldSelector {
		f := types.AdvancedFieldSelector{Field: &name}
		change(&f)
		return f
	}
	equals := func(name string, values ...string) types.AdvancedFieldSelector {
		return field(name, func(f *types.AdvancedFieldSelector) { f.Equals = values })
	}
	put := func(selectors ...types.AdvancedFieldSelector) error {
		_, err := w.PutEventSelectors(t.Context(), &sdk.PutEventSelectorsInput{TrailName: aws.String("audit"), AdvancedEventSelectors: []types.AdvancedEventSelector{{FieldSelectors: selectors}}})
		return err
	}
	for _, bad := range [][]types.AdvancedFieldSelector{{equals("eventName", "GetObject")}, {equals("eventCategory", "Data")}, {equals("eventCategory", "Management"), equals("colour", "red")}} {
		if err := put(bad...); err == nil || !strings.Contains(err.Error(), "InvalidEventSelectors") {
			t.Errorf("got %v", err)
		}
	}
	if err := put(equals("eventCategory", "Insight")); err == nil || !strings.Contains(err.Error(), "NotImplemented") {
		t.Errorf("got %v", err)
	}
	for _, c := range []struct {
		selectors []types.AdvancedFieldSelector
		want      int
	}{
		{[]types.AdvancedFieldSelector{equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"), field("resources.ARN", func(f *types.AdvancedFieldSelector) { f.StartsWith = []string{"arn:aws:s3:::data/"} })}, 1},
		{[]types.AdvancedFieldSelector{equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"), field("resources.ARN", func(f *types.AdvancedFieldSelector) { f.NotStartsWith = []string{"arn:aws:s3:::data/"} })}, 0},
		{[]types.AdvancedFieldSelector{equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"), equals("readOnly", "false")}, 0},
		{[]types.AdvancedFieldSelector{equals("eventCategory", "Management"), equals("eventName", "DeleteBucket")}, 0},
	} {
		if err := put(c.selectors...); err != nil {
			t.Fatal(err)
		}
		before := len(w.bucket)
		w.record(t, "s3", "GetObject", true)
		if err := w.service.Flush(t.Context(), false); err != nil || len(w.bucket)-before != c.want {
			t.Errorf("%d files, want %d, %v", len(w.bucket)-before, c.want, err)
		}
	}
}

// Events are kept for 90 days, and longer while a trail has not delivered them.
func TestOldEventsAreForgotten(t *testing.T) {
	w := boot(t)
	w.record(t, "sqs", "CreateQueue", false)
	look := func() int {
		out, err := w.LookupEvents(t.Context(), &sdk.LookupEventsInput{})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Events)
	}
	if look() != 1 {
		t.Fatal("the event is not there")
	}
	w.now = w.now.AddDate(0, 0, 91)
	if look() != 0 {
		t.Error("the event can be looked up after 91 days")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	count := func() (n int) {
		w.service.Run(ctx, func(err error) { t.Error(err) })
		if err := w.store.View(func(tx state.Tx) error {
			for range state.NewCollection[json.RawMessage]("cloudtrail/events").Scan(tx, "", "") {
				n++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 1 { // delivered at the end of Run, after it forgot
		t.Errorf("%d events, want the one that was not delivered yet", n)
	}
	if n := count(); n != 0 || len(w.bucket) == 0 {
		t.Errorf("%d events and %d files", n, len(w.bucket))
	}
}
