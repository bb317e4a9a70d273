package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"engage/internal/localaws/wire"
)

type tag struct{ Key, Value string }

type createInput struct {
	Name  string `required:"true" min:"2" max:"5"`
	Mode  string `enum:"FAST,SLOW"`
	Inner *struct {
		Depth *int `required:"true"`
	}
	Tags  []tag
	Attrs map[string]string
	When  wire.Time
	Data  []byte
}

type createOutput struct {
	ARN   string            `json:"Arn,omitempty" xml:"Arn"`
	When  wire.Time         `json:",omitzero"`
	Names []string          `json:",omitempty"`
	Attrs map[string]string `json:",omitempty"`
	Flat  []string          `json:",omitempty" list:"flat"`
	Data  []byte            `json:",omitempty"`
	Count *int              `json:",omitempty"`
}

func call(p wire.Protocol, op wire.Operation, r *http.Request) *wire.Call {
	svc := &wire.Service{Name: "thing", Protocol: p, Namespace: "https://thing.example/", Operations: []wire.Operation{op}}
	c := &wire.Call{Service: svc, Operation: op.Name, HTTP: r, RequestID: "id-1"}
	if r != nil && !op.Stream {
		c.Body, _ = io.ReadAll(r.Body)
	}
	return c
}

func create(seen *createInput) func(context.Context, *wire.Call, *createInput) (*createOutput, error) {
	return func(_ context.Context, _ *wire.Call, in *createInput) (*createOutput, error) {
		*seen = *in
		return &createOutput{ARN: "arn:<x>", When: in.When, Names: []string{"a", "b"},
			Attrs: in.Attrs, Flat: []string{"f", "g"}, Data: in.Data}, nil
	}
}

func serve(t *testing.T, c *wire.Call) (*httptest.ResponseRecorder, error) {
	t.Helper()
	w := httptest.NewRecorder()
	op := c.Service.Operation(c.Operation)
	in, err := op.Decode(c)
	if err != nil {
		return w, err
	}
	out, err := op.Handle(context.Background(), c, in)
	if err != nil {
		return w, err
	}
	return w, op.Encode(w, c, out)
}

func TestJSONRoundTrip(t *testing.T) {
	var seen createInput
	op := wire.JSON("Create", create(&seen), nil)
	body := `{"Name":"abc","Mode":"FAST","Inner":{"Depth":3},"Tags":[{"Key":"k","Value":"v"}],"Attrs":{"x":"y"},"When":1700000000.5,"Data":"aGk="}`
	w, err := serve(t, call(wire.JSON11, op, httptest.NewRequest("POST", "/", strings.NewReader(body))))
	if err != nil {
		t.Fatal(err)
	}
	if *seen.Inner.Depth != 3 || seen.Tags[0].Value != "v" || string(seen.Data) != "hi" || seen.When.UnixMilli() != 1700000000500 {
		t.Errorf("decoded %+v", seen)
	}
	want := `{"Arn":"arn:<x>","When":1700000000.500,"Names":["a","b"],"Attrs":{"x":"y"},"Flat":["f","g"],"Data":"aGk="}`
	if w.Body.String() != want {
		t.Errorf("got  %s\nwant %s", w.Body, want)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/x-amz-json-1.1" {
		t.Errorf("content type %q", ct)
	}
}

func TestFormRoundTrip(t *testing.T) {
	var seen createInput
	op := wire.Form("Create", create(&seen), nil)
	form := url.Values{"Action": {"Create"}, "Version": {"1"}, "Name": {"abc"}, "Inner.Depth": {"3"},
		"Tags.member.1.Key": {"k"}, "Tags.member.1.Value": {"v"}, "Tags.member.2.Key": {"l"},
		"Attrs.entry.1.key": {"x"}, "Attrs.entry.1.value": {"y"}, "When": {"2023-11-14T22:13:20Z"}, "Data": {"aGk="}}
	w, err := serve(t, call(wire.Query, op, httptest.NewRequest("POST", "/", strings.NewReader(form.Encode()))))
	if err != nil {
		t.Fatal(err)
	}
	if *seen.Inner.Depth != 3 || len(seen.Tags) != 2 || seen.Tags[1].Key != "l" || seen.Attrs["x"] != "y" {
		t.Errorf("decoded %+v", seen)
	}
	want := `<CreateResponse xmlns="https://thing.example/"><CreateResult><Arn>arn:&lt;x&gt;</Arn><When>2023-11-14T22:13:20.000Z</When>` +
		`<Names><member>a</member><member>b</member></Names><Attrs><entry><key>x</key><value>y</value></entry></Attrs>` +
		`<Flat>f</Flat><Flat>g</Flat><Data>aGk=</Data></CreateResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></CreateResponse>`
	if w.Body.String() != want {
		t.Errorf("got  %s\nwant %s", w.Body, want)
	}
}

func TestValidation(t *testing.T) {
	for body, want := range map[string]string{
		`{}`: "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
		`{"Name":"abcdef","Inner":{}}`: "2 validation errors detected: Value 'abcdef' at 'name' failed to satisfy constraint: " +
			"Member must have length less than or equal to 5; Value null at 'inner.depth' failed to satisfy constraint: Member must not be null",
		`{"Name":"abc","Mode":"IDLE"}`: "1 validation error detected: Value 'IDLE' at 'mode' failed to satisfy constraint: Member must satisfy enum value set: [FAST, SLOW]",
		`{"Name":"abc","Extra":1}`:     `the input member "Extra" is not implemented by this endpoint`,
		`{"Name":1}`:                   "the value of Name cannot be a JSON number",
		`{"Name":"abc"} {}`:            "there is more than one JSON value in the body",
		`{"Name"`:                      "the body is not valid JSON: unexpected EOF",
	} {
		op := wire.JSON("Create", create(new(createInput)), nil)
		_, err := serve(t, call(wire.JSON11, op, httptest.NewRequest("POST", "/", strings.NewReader(body))))
		if err == nil || wire.AsError(err).Message != want {
			t.Errorf("%s: got  %v\nwant %s", body, err, want)
		}
	}
}

func TestUnknownFormParameterIsRefusedByName(t *testing.T) {
	err := wire.DecodeForm(url.Values{"Name": {"a"}, "Tags.member.1.Colour": {"red"}}, new(createInput), wire.Query)
	if err == nil || !strings.Contains(err.Error(), "Tags.member.1.Colour") {
		t.Errorf("got %v", err)
	}
}

type invokeInput struct {
	Function string  `json:"-" uri:"FunctionName"`
	Version  *string `json:"-" query:"Qualifier"`
	Kind     string  `json:"-" header:"X-Amz-Invocation-Type"`
	Payload  []byte  `json:"-" payload:"true"`
}

type invokeOutput struct {
	Status  int    `json:"-" status:"true"`
	Failure string `json:"-" header:"X-Amz-Function-Error"`
	Payload []byte `json:"-" payload:"true"`
}

func invoke(_ context.Context, _ *wire.Call, in *invokeInput) (*invokeOutput, error) {
	answer, _ := json.Marshal(in)
	return &invokeOutput{Status: 202, Failure: in.Kind, Payload: append(append(answer, in.Payload...), in.Function+"/"+*in.Version...)}, nil
}

func TestRESTBindings(t *testing.T) {
	op := wire.REST("Invoke", "POST", "/2015-03-31/functions/{FunctionName}/invocations", invoke, nil)
	r := httptest.NewRequest("POST", "/2015-03-31/functions/a%3Ab/invocations?Qualifier=7", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Invocation-Type", "Event")
	c := call(wire.RestJSON, op, r)
	matched, vars := c.Service.Match(r)
	if matched == nil {
		t.Fatal("no operation matches")
	}
	c.Vars = vars
	w, err := serve(t, c)
	if err != nil || w.Code != 202 || w.Body.String() != "{}{}a:b/7" || w.Header().Get("X-Amz-Function-Error") != "Event" {
		t.Errorf("got %v %d %s %v", err, w.Code, w.Body, w.Header())
	}
}

func TestUnknownQueryParameterIsRefusedByName(t *testing.T) {
	op := wire.REST("Invoke", "POST", "/f/{FunctionName}?literal", invoke, nil)
	c := call(wire.RestJSON, op, httptest.NewRequest("POST", "/f/x?literal&Qualifier=1&X-Amz-Date=1&Colour=red", nil))
	c.Vars = map[string]string{"FunctionName": "x"}
	if _, err := serve(t, c); err == nil || !strings.Contains(err.Error(), "Colour") {
		t.Errorf("got %v", err)
	}
}

func TestAdoptSetsBoundMembersByName(t *testing.T) {
	op := wire.REST("Invoke", "POST", "/f/{FunctionName}", invoke, nil)
	in, err := op.Adopt(map[string]any{"Function": "f", "Version": "1", "Payload": map[string]int{"a": 1}})
	if err != nil {
		t.Fatal(err)
	}
	if got := in.(*invokeInput); got.Function != "f" || *got.Version != "1" || string(got.Payload) != `{"a":1}` {
		t.Errorf("got %+v", got)
	}
	if _, err := op.Adopt(json.RawMessage(`{"Colour":1}`)); err == nil || !strings.Contains(err.Error(), "Colour") {
		t.Errorf("got %v", err)
	}
}

func TestMostLiteralTemplateWins(t *testing.T) {
	raw := func(name, method, uri string) wire.Operation {
		return wire.Raw(name, method, uri, nil, nil)
	}
	svc := &wire.Service{Protocol: wire.RestJSON, Operations: []wire.Operation{
		raw("Get", "GET", "/a/{B}"), raw("List", "GET", "/a/all"), raw("Policy", "GET", "/a/{B}?policy"), raw("Any", "GET", "/{Path+}"),
	}}
	for path, want := range map[string]string{"/a/x": "Get", "/a/all": "List", "/a/all/": "List", "/a/x?policy=": "Policy", "/b/c/d": "Any"} {
		if op, _ := svc.Match(httptest.NewRequest("GET", path, nil)); op == nil || op.Name != want {
			t.Errorf("%s: got %+v, want %s", path, op, want)
		}
	}
	if op, _ := svc.Match(httptest.NewRequest("PUT", "/a/x", nil)); op != nil {
		t.Errorf("PUT matched %s", op.Name)
	}
}

func TestErrorsPerProtocol(t *testing.T) {
	for _, c := range []struct {
		protocol wire.Protocol
		err      error
		status   int
		body     string
	}{
		{wire.JSON11, wire.AccessDenied("no"), 400, `{"__type":"AccessDeniedException","message":"no"}`},
		{wire.RestJSON, wire.AccessDenied("no"), 403, `{"__type":"AccessDeniedException","message":"no"}`},
		{wire.JSON10, wire.Errorf("QueueDoesNotExist", "none").With("extra", 7), 400, `{"__type":"QueueDoesNotExist","extra":7,"message":"none"}`},
		{wire.Query, wire.ValidationException("a < b"), 400, `<ErrorResponse xmlns="urn:n"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>a &lt; b</Message></Error><RequestId>id</RequestId></ErrorResponse>`},
		{wire.EC2, wire.AccessDenied("no"), 403, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors><RequestID>id</RequestID></Response>`},
		{wire.RestXML, wire.StatusErrorf(404, "NoSuchKey", "gone").With("Key", "k"), 404, `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Error><Code>NoSuchKey</Code><Message>gone</Message><Key>k</Key><Resource>/b/k</Resource><RequestId>id</RequestId><HostId>id</HostId></Error>`},
		{wire.JSON10, fmt.Errorf("write: %w", syscall.ENOSPC), 500, `{"__type":"InternalFailure","message":"the disk that holds the endpoint's state is full: free some space and try again"}`},
		{wire.JSON11, errors.New("secret"), 500, `{"__type":"InternalFailure","message":"the endpoint failed to handle the request; its log says why"}`},
	} {
		w := httptest.NewRecorder()
		svc := &wire.Service{Protocol: c.protocol, Namespace: "urn:n"}
		wire.WriteError(w, httptest.NewRequest("GET", "/b/k", nil), svc, "id", c.err)
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%v: got  %d %s\nwant %d %s", c.protocol, w.Code, w.Body, c.status, c.body)
		}
	}
}

func TestScope(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00")
	if s, ok := wire.ScopeOf(r); !ok || s != (wire.Scope{"test", "20260101", "eu-west-1", "s3"}) {
		t.Errorf("got %+v %v", s, ok)
	}
	p := httptest.NewRequest("GET", "/?X-Amz-Credential=k%2F20260101%2Fus-east-1%2Fsts%2Faws4_request", nil)
	if s, ok := wire.ScopeOf(p); !ok || s.Service != "sts" || s.AccessKey != "k" {
		t.Errorf("got %+v %v", s, ok)
	}
	if _, ok := wire.ScopeOf(httptest.NewRequest("GET", "/", nil)); ok {
		t.Error("an unsigned request has a scope")
	}
}

func TestTimeForms(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, s := range []string{"1767323045", `"2026-01-02T03:04:05Z"`, "1767323045.0"} {
		var got wire.Time
		if err := json.Unmarshal([]byte(s), &got); err != nil || !got.Equal(at) {
			t.Errorf("%s: got %v %v", s, got, err)
		}
	}
	if b, _ := json.Marshal(wire.DateTime{at}); string(b) != `"2026-01-02T03:04:05.000Z"` {
		t.Errorf("got %s", b)
	}
}

func FuzzDecodeForm(f *testing.F) {
	f.Add("Name=a&Tags.member.1.Key=k&Inner.Depth=2")
	f.Add("Tags.member.99999999999999999999=1&Attrs.entry.1.key=a")
	f.Fuzz(func(t *testing.T, body string) {
		values, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		var in createInput
		if wire.DecodeForm(values, &in, wire.Query) == nil {
			var b bytes.Buffer
			wire.EncodeXML(&b, &in, wire.Query)
		}
	})
}
