package localaws

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"engage/internal/localaws/cloudtrail"
	"engage/internal/localaws/s3"
	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

// openAudit opens the record of calls. It opens right after the storage, so
// that on closing it outlives whatever still makes calls, and ends before the
// buckets that it writes to.
func (w *wiring) openAudit() error {
	trails, err := cloudtrail.New(cloudtrail.Config{Store: w.store, Bucket: trailWriter{w.objects, w.authorizer}, Logs: trailLogs{w}})
	if err != nil {
		return fmt.Errorf("open cloudtrail: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { trails.Run(ctx, w.report) })
	w.onClose(func(context.Context) error {
		cancel()
		running.Wait()
		return nil
	})
	w.server.Observe(func(call *wire.Call, r server.Record, err error) {
		if e, ok := auditEvent(call, r, err); ok {
			trails.Record(context.Background(), e)
		}
	})
	w.server.Register(trails.API())
	w.server.Handle("GET /_localaws/audit/verify", verifyTrails(trails, w.objects))
	return nil
}

// verifyTrails answers with the reports of the trails, or of the one that the
// parameter trail names.
func verifyTrails(trails *cloudtrail.Service, objects *s3.Service) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		reports, err := trails.VerifyTrails(r.Context(), trailReader{objects}, r.URL.Query().Get("trail"))
		switch {
		case errors.Is(err, cloudtrail.ErrNoTrail):
			http.Error(rw, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(rw, err.Error(), http.StatusInternalServerError)
		default:
			rw.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(rw).Encode(map[string]any{"trails": reports}) // a caller who has gone cannot be told
		}
	}
}

// auditEvent returns the event of a call. As on AWS, a call whose sender is not
// known, because its signature or its operation is, has none.
func auditEvent(call *wire.Call, r server.Record, err error) (cloudtrail.Event, bool) {
	if call.Caller.Account == "" {
		return cloudtrail.Event{}, false
	}
	e := cloudtrail.Event{
		Time: r.Time, Caller: call.Caller, Service: r.Service, Operation: r.Action, Parameters: parametersOf(call),
		Resources: resourcesOf(call), ErrorCode: r.Code, ErrorMessage: r.Message, RequestID: call.RequestID, Data: isData(call),
	}
	if err != nil && e.ErrorCode == "" {
		e.ErrorCode = wire.AsError(err).Code
	}
	e.SourceIP, e.UserAgent = sourceOf(call)
	return e, true
}

// sourceOf tells from where a call came: a service stands for its own calls.
func sourceOf(call *wire.Call) (ip, agent string) {
	if call.HTTP == nil {
		inside := call.Caller.Service
		if inside == "" {
			inside = "AWS Internal"
		}
		return inside, inside
	}
	ip, _, err := net.SplitHostPort(call.HTTP.RemoteAddr)
	if err != nil {
		ip = call.HTTP.RemoteAddr
	}
	return ip, call.HTTP.UserAgent()
}

// dataCalls are the operations beside those on S3's objects that use a
// resource and do not manage one: trails have them on demand only.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
var dataCalls = map[string][]string{
	"lambda": {"Invoke"},
	"sqs": {"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch",
		"ChangeMessageVisibility", "ChangeMessageVisibilityBatch"},
	"sns":    {"Publish", "PublishBatch"},
	"logs":   {"PutLogEvents"},
	"events": {"PutEvents"},
	"xray":   {"PutTraceSegments", "GetTraceSummaries", "BatchGetTraces", "GetTraceGraph"},
}

func isData(call *wire.Call) bool {
	if call.Service.Name == "s3" {
		return call.Vars["Key"] != "" || call.Operation == "DeleteObjects"
	}
	return slices.Contains(dataCalls[call.Service.Name], call.Operation)
}

// resourcesOf returns the ARNs that a call touched. A batch delete has its keys
// in its body: it is on the objects of its bucket, as AWS logs it.
func resourcesOf(call *wire.Call) (arns []string) {
	if call.Service.Name == "s3" && call.Operation == "DeleteObjects" {
		return []string{"arn:aws:s3:::" + call.Vars["Bucket"] + "/"}
	}
	for _, resource := range call.Resources {
		if strings.HasPrefix(resource, "arn:") {
			arns = append(arns, resource)
		}
	}
	return arns
}

// maxParameters is how long the parameters of a record are at most, as on AWS:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
const maxParameters = 100 << 10

// parametersOf returns the parameters of a call as a JSON object, nil when
// they are too long or not known.
func parametersOf(call *wire.Call) json.RawMessage {
	if call.HTTP == nil {
		return insideParameters(call.Input)
	}
	var text []byte
	switch call.Service.Protocol {
	case wire.JSON10, wire.JSON11:
		text = bytes.TrimSpace(call.Body)
		if !bytes.HasPrefix(text, []byte("{")) || len(text) <= maxParameters && !json.Valid(text) {
			return nil
		}
	case wire.Query, wire.EC2:
		text = formParameters(call)
	default:
		text = labels(call)
	}
	if len(text) > maxParameters {
		return nil
	}
	return text
}

// insideParameters are the members of a call from inside the process that have
// a value. Payloads and streams are content and no parameters.
func insideParameters(input any) []byte {
	v := reflect.Indirect(reflect.ValueOf(input))
	if v.Kind() != reflect.Struct {
		return nil
	}
	members := map[string]json.RawMessage{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		_, payload := field.Tag.Lookup("payload")
		if !field.IsExported() || v.Field(i).IsZero() || payload || field.Type.Kind() == reflect.Interface {
			continue
		}
		if name == "" || name == "-" {
			name = field.Name
		}
		if text, err := json.Marshal(v.Field(i).Interface()); err == nil {
			members[name] = text
		}
	}
	text, err := json.Marshal(members)
	if err != nil || len(members) == 0 || len(text) > maxParameters {
		return nil
	}
	return text
}

// formParameters are the members of a form, from the URL and the body.
func formParameters(call *wire.Call) []byte {
	if call.HTTP == nil || len(call.Body) > maxParameters {
		return nil
	}
	members := map[string]string{}
	body, _ := url.ParseQuery(string(call.Body)) // the call was answered, so this one was read before
	for _, form := range []url.Values{call.HTTP.URL.Query(), body} {
		for name := range form {
			if name != "Action" && name != "Version" && !strings.HasPrefix(name, "X-Amz-") {
				members[name] = form.Get(name)
			}
		}
	}
	return object(members)
}

// labels are those of the URI; S3's have the names that CloudTrail gives them.
func labels(call *wire.Call) []byte {
	members := map[string]string{}
	for name, value := range call.Vars {
		if call.Service.Name == "s3" {
			name = map[string]string{"Bucket": "bucketName", "Key": "key"}[name]
		}
		if value != "" {
			members[name] = value
		}
	}
	return object(members)
}

func object(members map[string]string) []byte {
	if len(members) == 0 {
		return nil
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic("localaws: a map of strings is not JSON: " + err.Error())
	}
	return text
}

// trailWriter puts log files into buckets as the service, whose policies have
// to let it. It does not go through the server, whose calls are recorded: a
// trail would record its own deliveries for ever.
type trailWriter struct {
	objects    *s3.Service
	authorizer wire.Authorizer
}

// Put implements cloudtrail.Writer. It is PutObject itself and not a short cut,
// because the policy that AWS tells to give a trail's bucket asks for the
// request's x-amz-acl.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func (t trailWriter) Put(ctx context.Context, caller wire.Caller, o cloudtrail.Object) error {
	target := url.URL{Scheme: "http", Host: "s3", Path: "/" + o.Bucket + "/" + o.Key}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, target.String(), bytes.NewReader(o.Body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("X-Amz-Acl", "bucket-owner-full-control")
	for name, value := range o.Metadata {
		r.Header.Set("X-Amz-Meta-"+name, value)
	}
	if o.KMSKey != "" {
		r.Header.Set("X-Amz-Server-Side-Encryption", "aws:kms")
		r.Header.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", o.KMSKey)
	}
	call, err := t.allowed(ctx, "PutObject", caller, r, o.Bucket, o.Key)
	if err != nil {
		return err
	}
	call.RequestID = rand.Text()
	call.Answer = &wire.Answer{Received: time.Now(), Status: http.StatusOK, Header: http.Header{}}
	if err := call.Service.Operation(call.Operation).ServeRaw(ctx, call, &noAnswer{header: call.Answer.Header}); err != nil {
		return err
	}
	call.Answer.Begun, call.Answer.Ended = time.Now(), time.Now()
	t.objects.Observe(call, nil) // the access log of the bucket tells of it like of any other
	return nil
}

// allowed returns a call on S3 once the policies allow it.
func (t trailWriter) allowed(ctx context.Context, operation string, caller wire.Caller, r *http.Request, bucket, key string) (*wire.Call, error) {
	service := t.objects.Service()
	call := &wire.Call{Service: service, Operation: operation, Caller: caller, HTTP: r, Vars: map[string]string{"Bucket": bucket, "Key": key}}
	return call, t.authorizer.Authorize(ctx, call, service.Operation(operation).Accesses(call, nil))
}

// Check implements cloudtrail.Writer: the bucket's policy has to let the
// service read the access control list, which AWS does first, and put a file.
func (t trailWriter) Check(ctx context.Context, caller wire.Caller, bucket, key string) error {
	read, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://s3/"+bucket+"?acl", nil)
	if err != nil {
		return err
	}
	write, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://s3/"+bucket, nil)
	if err != nil {
		return err
	}
	write.Header.Set("X-Amz-Acl", "bucket-owner-full-control")
	if err := t.objects.Exists(bucket); err != nil {
		return err
	}
	if _, err := t.allowed(ctx, "GetBucketAcl", caller, read, bucket, ""); err != nil {
		return err
	}
	_, err = t.allowed(ctx, "PutObject", caller, write, bucket, key)
	return err
}

// noAnswer takes the answer to a call that nobody waits for: errors are returned.
type noAnswer struct{ header http.Header }

// Header implements http.ResponseWriter.
func (n *noAnswer) Header() http.Header { return n.header }

// WriteHeader implements http.ResponseWriter.
func (n *noAnswer) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (n *noAnswer) Write(p []byte) (int, error) { return len(p), nil }

// trailReader reads log files for their verification, as the account's root.
type trailReader struct{ objects *s3.Service }

// List implements cloudtrail.Reader.
func (t trailReader) List(ctx context.Context, bucket, prefix string) ([]string, error) {
	files, err := t.objects.Files(ctx, readerOf(prefix), bucket, prefix)
	keys := make([]string, len(files))
	for i, f := range files {
		keys[i] = f.Key
	}
	return keys, err
}

// Get implements cloudtrail.Reader.
func (t trailReader) Get(ctx context.Context, bucket, key string) (cloudtrail.Object, error) {
	f, o, err := t.objects.Open(ctx, readerOf(key), bucket, key)
	if err != nil {
		return cloudtrail.Object{}, err
	}
	defer f.Close()
	body, err := io.ReadAll(f)
	return cloudtrail.Object{Bucket: bucket, Key: key, Body: body, Metadata: o.Meta}, err
}

// readerOf is the root of the account whose log files are below a key:
// [PREFIX/]AWSLogs/ACCOUNT/.
func readerOf(key string) wire.Caller {
	account := wire.DefaultAccount
	if i := strings.LastIndex(key, "AWSLogs/"); i >= 0 {
		account, _, _ = strings.Cut(key[i+len("AWSLogs/"):], "/")
	}
	return wire.Root(account, wire.DefaultRegion)
}
