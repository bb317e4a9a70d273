package athena_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	gluesdk "github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	s3sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/athena"
	"engage/internal/localaws/athena/engine"
	"engage/internal/localaws/glue"
	"engage/internal/localaws/s3"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
)

// world is a running endpoint with S3, Glue and Athena.
type world struct {
	*testing.T
	athena *sdk.Client
	glue   *gluesdk.Client
	s3     *s3sdk.Client
}

func boot(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	must(t, err)
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir})
	must(t, err)
	objects, err := s3.New(s3.Config{Store: store, Meter: srv.Meter()})
	must(t, err)
	tables, err := glue.New(glue.Config{Store: store})
	must(t, err)
	svc, err := athena.New(athena.Config{Store: store, Glue: tables, S3: objects, Meter: srv.Meter(), Engine: engine.Config{Dir: t.TempDir()}})
	must(t, err)
	srv.Register(objects.Service())
	srv.Register(tables.API())
	srv.Register(svc.API())
	must(t, srv.Start(t.Context()))
	t.Cleanup(func() {
		must(t, errors.Join(srv.Shutdown(context.Background()), svc.Close(), objects.Close(), store.Close()))
	})
	url, cred := aws.String(srv.URL()), credentials.NewStaticCredentialsProvider("test", "test", "")
	w := &world{T: t,
		athena: sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: url, Credentials: cred, RetryMaxAttempts: 1}),
		glue:   gluesdk.New(gluesdk.Options{Region: "us-east-1", BaseEndpoint: url, Credentials: cred, RetryMaxAttempts: 1}),
		s3:     s3sdk.New(s3sdk.Options{Region: "us-east-1", BaseEndpoint: url, Credentials: cred, UsePathStyle: true, RetryMaxAttempts: 1})}
	_, err = w.s3.CreateBucket(t.Context(), &s3sdk.CreateBucketInput{Bucket: aws.String("data")})
	must(t, err)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) start(q string) string {
	w.Helper()
	out, err := w.athena.StartQueryExecution(w.Context(), &sdk.StartQueryExecutionInput{QueryString: &q,
		QueryExecutionContext: &types.QueryExecutionContext{Database: aws.String("d")},
		ResultConfiguration:   &types.ResultConfiguration{OutputLocation: aws.String("s3://data/results/")}})
	must(w.T, err)
	return *out.QueryExecutionId
}

// wait asks until the query has ended, within ten seconds.
func (w *world) wait(id string) *types.QueryExecution {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 10*time.Second)
	defer cancel()
	for {
		out, err := w.athena.GetQueryExecution(ctx, &sdk.GetQueryExecutionInput{QueryExecutionId: &id})
		must(w.T, err)
		if s := out.QueryExecution.Status.State; s != types.QueryExecutionStateQueued && s != types.QueryExecutionStateRunning {
			return out.QueryExecution
		}
	}
}

func (w *world) run(q string) *types.QueryExecution {
	w.Helper()
	x := w.wait(w.start(q))
	if x.Status.State != types.QueryExecutionStateSucceeded {
		w.Fatalf("%s: %s: %s", q, x.Status.State, aws.ToString(x.Status.StateChangeReason))
	}
	return x
}

func (w *world) code(err error, want string) {
	w.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != want {
		w.Errorf("got %v, want %s", err, want)
	}
}

func TestQueriesOverTheWire(t *testing.T) {
	w := boot(t)
	_, err := w.s3.PutObject(w.Context(), &s3sdk.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("raw/a.csv"), Body: strings.NewReader("1,x\n2,y\n3,\n")})
	must(t, err)
	w.run("CREATE DATABASE d")
	w.run("CREATE EXTERNAL TABLE t (id int, s string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://data/raw/'")
	w.run("CREATE TABLE p WITH (external_location = 's3://data/p/', partitioned_by = ARRAY['s']) AS SELECT id, s FROM t WHERE s <> ''")
	x := w.run("SELECT id, nullif(s, '') AS s FROM t ORDER BY id")
	if *x.Statistics.DataScannedInBytes != 11 || *x.ResultConfiguration.OutputLocation != "s3://data/results/"+*x.QueryExecutionId+".csv" {
		t.Errorf("%+v %s", *x.Statistics.DataScannedInBytes, *x.ResultConfiguration.OutputLocation)
	}
	var rows []types.Row
	p := sdk.NewGetQueryResultsPaginator(w.athena, &sdk.GetQueryResultsInput{QueryExecutionId: x.QueryExecutionId, MaxResults: aws.Int32(3)})
	for p.HasMorePages() {
		page, err := p.NextPage(w.Context())
		must(t, err)
		rows = append(rows, page.ResultSet.Rows...)
	}
	if len(rows) != 4 || *rows[0].Data[0].VarCharValue != "id" || *rows[2].Data[1].VarCharValue != "y" || rows[3].Data[1].VarCharValue != nil {
		t.Errorf("%+v", rows)
	}
	if got := w.run("SELECT sum(id) FROM p WHERE s = 'x'"); *got.Statistics.DataScannedInBytes <= 0 {
		t.Error("nothing was scanned")
	}
	bad := w.wait(w.start("SELECT nosuch FROM t"))
	if bad.Status.State != types.QueryExecutionStateFailed || !strings.HasPrefix(*bad.Status.StateChangeReason, "COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' cannot be resolved") {
		t.Errorf("%+v", bad.Status)
	}
	_, err = w.athena.GetQueryResults(w.Context(), &sdk.GetQueryResultsInput{QueryExecutionId: bad.QueryExecutionId})
	w.code(err, "InvalidRequestException")
	_, err = w.athena.StartQueryExecution(w.Context(), &sdk.StartQueryExecutionInput{QueryString: aws.String("SELCT 1")})
	w.code(err, "InvalidRequestException")
	_, err = w.athena.StartQueryExecution(w.Context(), &sdk.StartQueryExecutionInput{QueryString: aws.String("SELECT 1")})
	w.code(err, "InvalidRequestException")
	list, err := w.athena.ListQueryExecutions(w.Context(), &sdk.ListQueryExecutionsInput{})
	must(t, err)
	if len(list.QueryExecutionIds) != 6 {
		t.Errorf("%d executions are listed", len(list.QueryExecutionIds))
	}
}

func TestWorkGroupsAndStop(t *testing.T) {
	w := boot(t)
	ctx := w.Context()
	_, err := w.athena.CreateWorkGroup(ctx, &sdk.CreateWorkGroupInput{Name: aws.String("wg"), Configuration: &types.WorkGroupConfiguration{
		BytesScannedCutoffPerQuery: aws.Int64(10000000),
		ResultConfiguration:        &types.ResultConfiguration{OutputLocation: aws.String("s3://data/wg/"), EncryptionConfiguration: &types.EncryptionConfiguration{EncryptionOption: types.EncryptionOptionSseS3}}}})
	must(t, err)
	token := aws.String(strings.Repeat("t", 32))
	in := &sdk.StartQueryExecutionInput{QueryString: aws.String("SELECT 1"), WorkGroup: aws.String("wg"), ClientRequestToken: token,
		ResultConfiguration: &types.ResultConfiguration{OutputLocation: aws.String("s3://data/elsewhere/")}}
	a, err := w.athena.StartQueryExecution(ctx, in)
	must(t, err)
	b, err := w.athena.StartQueryExecution(ctx, in)
	must(t, err)
	if x := w.wait(*a.QueryExecutionId); *a.QueryExecutionId != *b.QueryExecutionId || !strings.HasPrefix(*x.ResultConfiguration.OutputLocation, "s3://data/wg/") {
		t.Errorf("%s %s %s", *a.QueryExecutionId, *b.QueryExecutionId, *x.ResultConfiguration.OutputLocation)
	}
	slow := w.start("SELECT count(*) FROM UNNEST(sequence(1, 1000000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 1000000)) AS b(y) WHERE x * y % 7 = 3")
	_, err = w.athena.StopQueryExecution(ctx, &sdk.StopQueryExecutionInput{QueryExecutionId: &slow})
	must(t, err)
	if x := w.wait(slow); x.Status.State != types.QueryExecutionStateCancelled {
		t.Errorf("a stopped query is %s", x.Status.State)
	}
	_, err = w.athena.CreatePreparedStatement(ctx, &sdk.CreatePreparedStatementInput{StatementName: aws.String("p"), WorkGroup: aws.String("primary"), QueryStatement: aws.String("SELECT ? + 1")})
	must(t, err)
	w.run("EXECUTE p USING 2")
	_, err = w.athena.DeleteWorkGroup(ctx, &sdk.DeleteWorkGroupInput{WorkGroup: aws.String("wg")})
	must(t, err)
	_, err = w.athena.GetWorkGroup(ctx, &sdk.GetWorkGroupInput{WorkGroup: aws.String("wg")})
	w.code(err, "InvalidRequestException")
}

func at(value string) gluetypes.PartitionInput {
	return gluetypes.PartitionInput{Values: []string{value}, StorageDescriptor: &gluetypes.StorageDescriptor{Location: aws.String("s3://data/t/dt=" + value)}}
}

func TestGlueOverTheWire(t *testing.T) {
	w := boot(t)
	ctx := w.Context()
	db := &gluetypes.DatabaseInput{Name: aws.String("D")}
	_, err := w.glue.CreateDatabase(ctx, &gluesdk.CreateDatabaseInput{DatabaseInput: db})
	must(t, err)
	_, err = w.glue.CreateDatabase(ctx, &gluesdk.CreateDatabaseInput{DatabaseInput: db})
	w.code(err, "AlreadyExistsException")
	table := &gluetypes.TableInput{Name: aws.String("t"), TableType: aws.String("EXTERNAL_TABLE"), PartitionKeys: []gluetypes.Column{{Name: aws.String("dt"), Type: aws.String("string")}},
		StorageDescriptor: &gluetypes.StorageDescriptor{Location: aws.String("s3://data/t/"), Columns: []gluetypes.Column{{Name: aws.String("a"), Type: aws.String("int")}},
			SerdeInfo: &gluetypes.SerDeInfo{SerializationLibrary: aws.String("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe")}}}
	_, err = w.glue.CreateTable(ctx, &gluesdk.CreateTableInput{DatabaseName: aws.String("d"), TableInput: table})
	must(t, err)
	table.Description = aws.String("changed")
	_, err = w.glue.UpdateTable(ctx, &gluesdk.UpdateTableInput{DatabaseName: aws.String("d"), TableInput: table})
	must(t, err)
	got, err := w.glue.GetTable(ctx, &gluesdk.GetTableInput{DatabaseName: aws.String("d"), Name: aws.String("t")})
	must(t, err)
	if *got.Table.Description != "changed" || *got.Table.VersionId != "1" || *got.Table.StorageDescriptor.Columns[0].Name != "a" || got.Table.CreateTime == nil {
		t.Errorf("%+v", got.Table)
	}
	vs, err := w.glue.GetTableVersions(ctx, &gluesdk.GetTableVersionsInput{DatabaseName: aws.String("d"), TableName: aws.String("t")})
	must(t, err)
	batch, err := w.glue.BatchCreatePartition(ctx, &gluesdk.BatchCreatePartitionInput{DatabaseName: aws.String("d"), TableName: aws.String("t"),
		PartitionInputList: []gluetypes.PartitionInput{at("x"), at("x"), at("y")}})
	must(t, err)
	ps, err := w.glue.GetPartitions(ctx, &gluesdk.GetPartitionsInput{DatabaseName: aws.String("d"), TableName: aws.String("t"), MaxResults: aws.Int32(1)})
	must(t, err)
	if len(vs.TableVersions) != 2 || len(batch.Errors) != 1 || len(ps.Partitions) != 1 || ps.NextToken == nil {
		t.Errorf("%d versions, %d errors, %d partitions", len(vs.TableVersions), len(batch.Errors), len(ps.Partitions))
	}
	w.run("SELECT * FROM t")
	_, err = w.glue.DeleteTable(ctx, &gluesdk.DeleteTableInput{DatabaseName: aws.String("d"), Name: aws.String("t")})
	must(t, err)
	_, err = w.glue.GetTable(ctx, &gluesdk.GetTableInput{DatabaseName: aws.String("d"), Name: aws.String("t")})
	w.code(err, "EntityNotFoundException")
	_, err = w.glue.CreateCrawler(ctx, &gluesdk.CreateCrawlerInput{Name: aws.String("c"), Role: aws.String("r"), Targets: &gluetypes.CrawlerTargets{}})
	if err == nil {
		t.Error("an operation that does not exist succeeded")
	}
}
