package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	// testdata, which the module's upkeep does not see, is built with it.
	_ "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/lambda"
	"engage/internal/localaws/logs"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

var good, bad []byte // zips

var binary []byte // the good one's bootstrap

// packages are the zips as objects, which are faster to create from.
var packages = bucket{}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "functions")
	if err == nil {
		good, err = build(dir, "good")
	}
	if err == nil {
		bad, err = build(dir, "bad")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if binary, err = os.ReadFile(filepath.Join(dir, "good")); err != nil {
		panic(err)
	}
	packages["code/good"], packages["code/bad"] = good, bad
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// build compiles a function of testdata and packs it.
func build(dir, name string) ([]byte, error) {
	path := filepath.Join(dir, name)
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./testdata/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return pack("bootstrap", binary)
}

func pack(name string, content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	h.SetMode(0o755)
	f, err := w.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(content); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// endpoint is the service behind a real listener.
type endpoint struct {
	*awslambda.Client
	logs    *cloudwatchlogs.Client
	service *lambda.Service
	server  *server.Server
	calls   *calls
	dir     string
}

// calls stands for the services that messages go to.
type calls struct {
	mu   sync.Mutex
	all  []string
	next chan struct{}
}

func (c *calls) Invoke(_ context.Context, caller wire.Caller, service, operation string, input any) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, fmt.Sprint(service, " ", operation, " ", input))
	c.next <- struct{}{}
	return nil, nil
}

func (c *calls) last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[len(c.all)-1]
}

func boot(t testing.TB, dir string, change func(*lambda.Config)) *endpoint {
	t.Helper()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := logs.New(logs.Config{Store: store, Meter: srv.Meter()})
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{server: srv, dir: dir, calls: &calls{next: make(chan struct{}, 100)}}
	cfg := lambda.Config{Store: store, Logs: kept, Meter: srv.Meter(), Endpoint: srv.URL, Invoker: e.calls, Objects: packages}
	if change != nil {
		change(&cfg)
	}
	if e.service, err = lambda.New(cfg); err != nil {
		t.Fatal(err)
	}
	srv.Register(kept.Wire(), e.service.Wire())
	if err := errors.Join(srv.Start(context.Background()), e.service.Resume()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(e.service.Close(), srv.Shutdown(context.Background()), store.Close()); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(filepath.Join(dir, "lambda", "tmp")); len(left) > 0 {
			t.Errorf("%d temporary directories are left", len(left))
		}
	})
	static := credentials.NewStaticCredentialsProvider("test", "test", "")
	e.Client = awslambda.New(awslambda.Options{Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL()), Credentials: static, RetryMaxAttempts: 1})
	e.logs = cloudwatchlogs.New(cloudwatchlogs.Options{Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL()), Credentials: static, RetryMaxAttempts: 1})
	return e
}

const role = "arn:aws:iam::000000000000:role/r"

func function(name, handler string, zip []byte) *awslambda.CreateFunctionInput {
	code := &types.FunctionCode{ZipFile: zip}
	for key, data := range packages {
		if bytes.Equal(data, zip) {
			code = &types.FunctionCode{S3Bucket: aws.String("code"), S3Key: aws.String(strings.TrimPrefix(key, "code/"))}
		}
	}
	return &awslambda.CreateFunctionInput{
		FunctionName: &name, Handler: &handler, Role: aws.String(role), Runtime: types.RuntimeProvidedal2023, Code: code,
	}
}

func (e *endpoint) create(t testing.TB, in *awslambda.CreateFunctionInput) *awslambda.CreateFunctionOutput {
	t.Helper()
	out, err := e.CreateFunction(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (e *endpoint) invoke(t testing.TB, name, payload string) *awslambda.InvokeOutput {
	t.Helper()
	out, err := e.Invoke(context.Background(), &awslambda.InvokeInput{FunctionName: &name, Payload: []byte(payload), LogType: types.LogTypeTail})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// printed returns what a function has in its log group.
func (e *endpoint) printed(t testing.TB, group string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := e.service.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	pager := cloudwatchlogs.NewFilterLogEventsPaginator(e.logs, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	for pager.HasMorePages() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range page.Events {
			all.WriteString(*ev.Message)
		}
	}
	return all.String()
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
