package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

type echoInput struct {
	Text string `required:"true"`
}

type echoOutput struct{ Text, Account, Region string }

func echo(_ context.Context, call *wire.Call, in *echoInput) (*echoOutput, error) {
	if in.Text == "panic" {
		panic("on purpose")
	}
	return &echoOutput{in.Text, call.Caller.Account, call.Caller.Region}, nil
}

func services() []*wire.Service {
	return []*wire.Service{
		{Name: "echo", Targets: []string{"Echo"}, Protocol: wire.JSON11, Operations: []wire.Operation{wire.JSON("Say", echo, nil)}},
		{Name: "sts", Protocol: wire.Query, Operations: []wire.Operation{wire.Form("Say", echo, nil)}},
		{Name: "lambda", Protocol: wire.RestJSON, Operations: []wire.Operation{wire.REST("Say", "POST", "/2015-03-31/say", echo, nil)}},
		{Name: "s3", Protocol: wire.RestXML, Default: true, Operations: []wire.Operation{
			wire.Raw("GetThing", "GET", "/thing", func(_ context.Context, _ *wire.Call, w http.ResponseWriter) error {
				w.Header().Set("Content-Length", "10")
				io.WriteString(w, "half")
				return errors.New("disk gone")
			}, func(*wire.Call) []wire.Access { return nil }),
		}},
	}
}

func boot(t *testing.T, change func(*server.Config)) *server.Server {
	t.Helper()
	cfg := server.Config{Addr: "127.0.0.1:0", Dir: t.TempDir(), Services: services()}
	if change != nil {
		change(&cfg)
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// send sends a request; headers are "Name: value" and come in the form of the service's SDK.
func send(t *testing.T, method, url, body string, headers ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), resp.Header
}

func signed(key, service string) string {
	return fmt.Sprintf("Authorization: AWS4-HMAC-SHA256 Credential=%s/20260101/eu-west-1/%s/aws4_request, SignedHeaders=host, Signature=00", key, service)
}

const form = "Content-Type: application/x-www-form-urlencoded"

func TestEachProtocolReachesItsService(t *testing.T) {
	s := boot(t, nil)
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		want                     string
	}{
		{"target", "POST", "/", `{"Text":"hi"}`, []string{"X-Amz-Target: Echo.Say", signed("123456789012", "echo")}, 200, `{"Text":"hi","Account":"123456789012","Region":"eu-west-1"}`},
		{"query", "POST", "/", "Action=Say&Version=1&Text=hi", []string{form, signed("test", "sts")}, 200, `<Account>000000000000</Account>`},
		{"query, unsigned", "POST", "/", "Action=Say&Text=hi", []string{form}, 200, `<Text>hi</Text>`},
		{"query by GET", "GET", "/?Action=Say&Text=hi", "", []string{signed("test", "sts")}, 200, `<Text>hi</Text>`},
		{"rest", "POST", "/2015-03-31/say", `{"Text":"hi"}`, []string{signed("test", "lambda")}, 200, `"Text":"hi"`},
		{"unknown operation", "POST", "/", `{}`, []string{"X-Amz-Target: Echo.Shout", signed("test", "echo")}, 501, `{"__type":"NotImplemented","message":"echo Shout is not implemented by this endpoint"}`},
		{"unknown target", "POST", "/", `{}`, []string{"X-Amz-Target: Kinesis_2013.Put"}, 501, "Kinesis_2013 Put is not"},
		{"unknown action", "POST", "/", "Action=Shout", []string{form, signed("test", "sts")}, 501, "<Code>NotImplemented</Code><Message>sts Shout is"},
		{"unknown query service", "POST", "/", "Action=Shout", []string{form, signed("test", "rds")}, 501, "rds Shout is"},
		{"unknown path", "GET", "/2015-03-31/else", "", []string{signed("test", "lambda")}, 501, "lambda GET /2015-03-31/else"},
		{"unknown service", "GET", "/x", "", []string{signed("test", "mq")}, 501, `"message":"mq GET /x is not`},
		{"unknown S3 operation", "PATCH", "/thing", "", nil, 501, "<Code>NotImplemented</Code><Message>s3 PATCH /thing"},
		{"validation", "POST", "/", `{}`, []string{"X-Amz-Target: Echo.Say"}, 400, "ValidationException"},
		{"panic", "POST", "/", `{"Text":"panic"}`, []string{"X-Amz-Target: Echo.Say"}, 500, "InternalFailure"},
		{"foreign host", "GET", "/", "", []string{"Host: evil.example"}, 403, `the Host "evil.example" is not one of this endpoint`},
		{"page of another site", "POST", "/", "", []string{"Sec-Fetch-Site: cross-site"}, 403, "another origin"},
		{"virtual host", "GET", "/", "", []string{"Host: b.s3.localhost.localstack.cloud"}, 501, "s3 GET /"},
		{"health", "GET", "/_localstack/health", "", nil, 200, `"sts":"running"`},
		{"operations", "GET", "/_localaws/operations", "", nil, 200, `"echo":["Say"]`},
	} {
		status, body, header := send(t, c.method, s.URL()+c.path, c.body, c.headers...)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: got %d %s, want %d %s", c.name, status, body, c.status, c.want)
		}
		if header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: CORS is allowed", c.name)
		}
	}
}

func TestAnswerCutShortIsNotTakenForWhole(t *testing.T) {
	s := boot(t, nil)
	resp, err := http.Get(s.URL() + "/thing")
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the caller cannot tell that the answer is cut short")
	}
}

type denyAll struct{}

func (denyAll) Authorize(_ context.Context, call *wire.Call, a []wire.Access) error {
	return wire.Denied(call.Caller, a[0], "no identity-based policy allows the "+a[0].Action+" action")
}

func TestDeniedCallsAreLogged(t *testing.T) {
	s := boot(t, func(c *server.Config) { c.Authorizer = denyAll{} })
	status, body, _ := send(t, "POST", s.URL(), `{"Text":"hi"}`, "X-Amz-Target: Echo.Say", signed("test", "echo"))
	want := "User: arn:aws:iam::000000000000:root is not authorized to perform: echo:Say on resource: * because no identity-based policy allows the echo:Say action"
	if status != 400 || !strings.Contains(body, want) {
		t.Errorf("got %d %s", status, body)
	}
	send(t, "POST", s.URL(), `{}`, "X-Amz-Target: Echo.Shout")
	_, log, _ := send(t, "GET", s.URL()+"/_localaws/requests?denied=true&service=echo", "")
	var got struct{ Requests []server.Record }
	if err := json.Unmarshal([]byte(log), &got); err != nil || len(got.Requests) != 1 {
		t.Fatalf("%v %s", err, log)
	}
	if r := got.Requests[0]; !r.Denied || r.DeniedAction != "echo:Say" || r.Caller != "arn:aws:iam::000000000000:root" || r.Status != 400 {
		t.Errorf("got %+v", r)
	}
}

func TestLogIsReadFromItsFile(t *testing.T) {
	dir := t.TempDir()
	s := boot(t, func(c *server.Config) { c.Dir = dir })
	for range 3 {
		send(t, "POST", s.URL(), `{"Text":"hi"}`, "X-Amz-Target: Echo.Say")
	}
	send(t, "POST", s.URL(), "Action=Say&Text=hi", form)
	got, err := server.ReadLog(dir, server.Filter{Service: "echo", Limit: 2})
	if err != nil || len(got) != 2 || got[0].Action != "Say" || got[0].RequestID == "" {
		t.Errorf("got %+v %v", got, err)
	}
}

func TestShutdownWaitsForRunningCalls(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	slow := func(context.Context, *wire.Call, *wire.Empty) (*wire.Empty, error) {
		close(begun)
		<-end
		return nil, nil
	}
	s := boot(t, func(c *server.Config) {
		c.Services = []*wire.Service{{Name: "slow", Targets: []string{"Slow"}, Operations: []wire.Operation{wire.JSON("Wait", slow, nil)}}}
	})
	status := make(chan int)
	go func() {
		r, _ := http.NewRequest("POST", s.URL(), strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", "Slow.Wait")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	<-begun
	stopped := make(chan error)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	close(end)
	if got := <-status; got != 200 {
		t.Errorf("status %d", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestInvokeChecksTheCallersPermissions(t *testing.T) {
	s := boot(t, nil)
	caller := wire.Root("111111111111", "us-east-1")
	out, err := s.Invoke(t.Context(), caller, "echo", "Say", map[string]string{"Text": "hi"})
	if err != nil || out.(*echoOutput).Account != "111111111111" {
		t.Errorf("got %v %v", out, err)
	}
	if _, err := s.Invoke(t.Context(), caller, "echo", "Shout", nil); !wire.IsCode(err, "NotImplemented") {
		t.Errorf("got %v", err)
	}
	denied := boot(t, func(c *server.Config) { c.Authorizer = denyAll{} })
	if _, err := denied.Invoke(t.Context(), caller, "echo", "Say", &echoInput{"hi"}); !wire.IsAccessDenied(err) {
		t.Errorf("got %v", err)
	}
}

func TestBodyIsBounded(t *testing.T) {
	s := boot(t, func(c *server.Config) { c.MaxBody = 100 })
	status, body, _ := send(t, "POST", s.URL(), strings.Repeat("x", 200), "X-Amz-Target: Echo.Say")
	if status != http.StatusRequestEntityTooLarge || !strings.Contains(body, "100 bytes") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestPortTaken(t *testing.T) {
	s := boot(t, nil)
	other, err := server.New(server.Config{Addr: s.Addr(), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Shutdown(t.Context())
	var taken *server.PortTakenError
	if err := other.Start(t.Context()); !errors.As(err, &taken) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyLoopback(t *testing.T) {
	if _, err := server.New(server.Config{Addr: "0.0.0.0:4566", Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "not loopback") {
		t.Errorf("got %v", err)
	}
}

func TestUsageSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	u, err := server.OpenUsage(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		u.Add(t.Context(), wire.Quantity{Service: "s3", Usage: "Requests-Tier1", Resource: "b", RunID: "r", Amount: 1.5})
	}
	journal, _ := filepath.Glob(filepath.Join(dir, "usage-*.jsonl"))
	f, err := os.OpenFile(journal[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, `{"service":"s3","amo`) // what a kill in the middle of a write leaves
	f.Close()
	again, err := server.OpenUsage(dir) // u was never closed
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	defer u.Close()
	got := again.Read(server.Query{RunID: "r"})
	if len(got) != 1 || got[0].Amount != 4.5 {
		t.Errorf("got %+v", got)
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("left %v", files)
	}
}

// TestStalledBodyIsRefused sends half a body and waits.
func TestStalledBodyIsRefused(t *testing.T) {
	s, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: t.TempDir(), Stall: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s.Register(&wire.Service{Name: "queues", Protocol: wire.JSON10, Targets: []string{"Queues"}, Operations: []wire.Operation{
		wire.JSON("Echo", func(context.Context, *wire.Call, *wire.Empty) (*wire.Empty, error) { return &wire.Empty{}, nil }, nil)}})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: Queues.Echo\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 100\r\n\r\n{")
	answer, err := io.ReadAll(conn) // the server ends the connection
	if err != nil || !strings.Contains(string(answer), "RequestTimeout") {
		t.Errorf("got %q, %v", answer, err)
	}
}
