package states_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"engage/internal/localaws/s3"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/states"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// bucketed boots Step Functions beside S3, with one bucket.
func bucketed(t *testing.T) (*endpoint, *awss3.Client) {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := s3.New(s3.Config{Store: store, Meter: srv.Meter()})
	if err != nil {
		t.Fatal(err)
	}
	svc, err := states.New(states.Config{Store: store, Invoker: srv, Objects: states.S3Objects(objects),
		Integrations: map[string]states.Executor{"sqs:sendMessage": states.ExecutorFunc(func(_ context.Context, task states.Task) (any, error) { return task.Parameters, nil })}})
	if err != nil {
		t.Fatal(err)
	}
	srv.Register(svc.Service(), objects.Service())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	test := credentials.NewStaticCredentialsProvider("test", "test", "")
	e := &endpoint{t: t, states: svc, server: srv, store: store}
	e.sfn = sfn.New(sfn.Options{Region: "us-east-1", BaseEndpoint: aws.String(srv.URL()), Credentials: test})
	t.Cleanup(func() {
		e.close()
		if err := objects.Close(); err != nil {
			t.Error(err)
		}
	})
	client := awss3.New(awss3.Options{Region: "us-east-1", BaseEndpoint: aws.String(srv.URL()), Credentials: test, UsePathStyle: true})
	if _, err := client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String("bucket")}); err != nil {
		t.Fatal(err)
	}
	return e, client
}

func put(t *testing.T, c *awss3.Client, key, body string) {
	t.Helper()
	if _, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String("bucket"), Key: &key, Body: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}

func TestDistributedMapOverS3(t *testing.T) {
	e, c := bucketed(t)
	for i := range 30 {
		put(t, c, fmt.Sprintf("in/%02d", i), strings.Repeat("x", i))
	}
	put(t, c, "rows.csv", "id,v\n1,a\n2,b\n3,c\n")
	machine := func(reader, more string) string {
		return single(`{"Type":"Map","End":true,"ItemReader":` + reader + more + `,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
			"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","End":true}}}}`)
	}
	list := e.end(e.start(e.create("list", machine(`{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":"bucket","Prefix":"in/"}}`, `,"MaxConcurrency":5,"ItemSelector":{"k.$":"$$.Map.Item.Value.Key","n.$":"$$.Map.Item.Value.Size"}`)), "x", "{}"))
	var items []struct {
		K string
		N int
	}
	if list.Output == nil || json.Unmarshal([]byte(*list.Output), &items) != nil || len(items) != 30 || items[7].K != "in/07" || items[7].N != 7 {
		t.Errorf("%+v", ending(list))
	}
	rows := e.end(e.start(e.create("rows", machine(`{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"},"Parameters":{"Bucket":"bucket","Key":"rows.csv"}}`,
		`,"ItemBatcher":{"MaxItemsPerBatch":2},"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"bucket","Prefix":"out"}}`)), "x", "{}"))
	found, err := c.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: aws.String("bucket"), Prefix: aws.String("out/")})
	if err != nil || len(found.Contents) != 2 || !strings.Contains(ending(rows), `"ResultWriterDetails":{"Bucket":"bucket","Key":"out/`) {
		t.Errorf("%s %+v %v", ending(rows), found, err)
	}
	missing := e.end(e.start(e.create("none", machine(`{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":"nowhere"}}`, ``)), "x", "{}"))
	if got := ending(missing); !strings.HasPrefix(got, "FAILED States.ItemReaderFailed") || !strings.Contains(got, "NoSuchBucket") {
		t.Error(got)
	}
}
