package athena_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"

	"engage/internal/localaws/athena"
	"engage/internal/localaws/athena/engine"
	"engage/internal/localaws/glue"
	"engage/internal/localaws/s3"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

var dataCatalog = aws.String("AwsDataCatalog")

func TestMetadataOfTheDataCatalog(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	w.run("CREATE DATABASE d COMMENT 'a database'")
	for _, name := range []string{"one", "other", "two"} {
		w.run("CREATE EXTERNAL TABLE " + name + " (a int COMMENT 'first') PARTITIONED BY (k string) STORED AS PARQUET LOCATION 's3://data/x/'")
	}
	catalogs, err := w.athena.ListDataCatalogs(ctx, &sdk.ListDataCatalogsInput{})
	must(t, err)
	if len(catalogs.DataCatalogsSummary) != 1 || *catalogs.DataCatalogsSummary[0].CatalogName != *dataCatalog {
		t.Errorf("got %+v", catalogs.DataCatalogsSummary)
	}
	db, err := w.athena.GetDatabase(ctx, &sdk.GetDatabaseInput{CatalogName: dataCatalog, DatabaseName: aws.String("d")})
	must(t, err)
	if *db.Database.Description != "a database" {
		t.Errorf("got %+v", db.Database)
	}
	var names []string
	pages := sdk.NewListTableMetadataPaginator(w.athena, &sdk.ListTableMetadataInput{CatalogName: dataCatalog, DatabaseName: aws.String("d"), Expression: aws.String("o.*"), MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		must(t, err)
		for _, m := range page.TableMetadataList {
			names = append(names, *m.Name)
		}
	}
	if strings.Join(names, " ") != "one other" {
		t.Errorf("got %v", names)
	}
	one, err := w.athena.GetTableMetadata(ctx, &sdk.GetTableMetadataInput{CatalogName: dataCatalog, DatabaseName: aws.String("d"), TableName: aws.String("one")})
	must(t, err)
	m := one.TableMetadata
	if *m.Columns[0].Comment != "first" || *m.PartitionKeys[0].Name != "k" || m.Parameters["location"] != "s3://data/x/" || m.CreateTime.IsZero() {
		t.Errorf("got %+v", m)
	}
	_, err = w.athena.GetTableMetadata(ctx, &sdk.GetTableMetadataInput{CatalogName: dataCatalog, DatabaseName: aws.String("d"), TableName: aws.String("none")})
	w.code(err, "MetadataException")
	_, err = w.athena.ListDatabases(ctx, &sdk.ListDatabasesInput{CatalogName: aws.String("another")})
	w.code(err, "InvalidRequestException")
}

func TestNamedQueries(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	token := aws.String(strings.Repeat("t", 32))
	in := &sdk.CreateNamedQueryInput{Name: aws.String("n"), Database: aws.String("d"), QueryString: aws.String("SELECT 1"), ClientRequestToken: token}
	made, err := w.athena.CreateNamedQuery(ctx, in)
	must(t, err)
	again, err := w.athena.CreateNamedQuery(ctx, in)
	must(t, err)
	if *made.NamedQueryId != *again.NamedQueryId {
		t.Error("the same token made another query")
	}
	in.QueryString = aws.String("SELECT 2")
	_, err = w.athena.CreateNamedQuery(ctx, in)
	w.code(err, "InvalidRequestException")
	_, err = w.athena.UpdateNamedQuery(ctx, &sdk.UpdateNamedQueryInput{NamedQueryId: made.NamedQueryId, Name: aws.String("m"), QueryString: aws.String("SELECT 3")})
	must(t, err)
	got, err := w.athena.BatchGetNamedQuery(ctx, &sdk.BatchGetNamedQueryInput{NamedQueryIds: []string{*made.NamedQueryId, "none"}})
	must(t, err)
	if len(got.NamedQueries) != 1 || *got.NamedQueries[0].QueryString != "SELECT 3" || *got.NamedQueries[0].WorkGroup != "primary" || len(got.UnprocessedNamedQueryIds) != 1 {
		t.Errorf("got %+v", got)
	}
	list, err := w.athena.ListNamedQueries(ctx, &sdk.ListNamedQueriesInput{})
	must(t, err)
	if len(list.NamedQueryIds) != 1 {
		t.Errorf("got %v", list.NamedQueryIds)
	}
	_, err = w.athena.DeleteNamedQuery(ctx, &sdk.DeleteNamedQueryInput{NamedQueryId: made.NamedQueryId})
	must(t, err)
	_, err = w.athena.GetNamedQuery(ctx, &sdk.GetNamedQueryInput{NamedQueryId: made.NamedQueryId})
	w.code(err, "InvalidRequestException")
}

func TestTagsOfAWorkGroup(t *testing.T) {
	w := boot(t)
	ctx := t.Context()
	_, err := w.athena.CreateWorkGroup(ctx, &sdk.CreateWorkGroupInput{Name: aws.String("g"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}})
	must(t, err)
	arn := aws.String("arn:aws:athena:us-east-1:000000000000:workgroup/g")
	_, err = w.athena.TagResource(ctx, &sdk.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}, {Key: aws.String("a"), Value: aws.String("3")}}})
	must(t, err)
	_, err = w.athena.UntagResource(ctx, &sdk.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"b"}})
	must(t, err)
	got, err := w.athena.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: arn})
	must(t, err)
	if len(got.Tags) != 1 || *got.Tags[0].Key != "a" || *got.Tags[0].Value != "3" {
		t.Errorf("got %+v", got.Tags)
	}
	_, err = w.athena.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: aws.String(*arn + "x")})
	w.code(err, "ResourceNotFoundException")
}

func TestRuntimeStatisticsAndReuse(t *testing.T) {
	w := boot(t)
	w.run("CREATE DATABASE d")
	x := w.run("SELECT * FROM (VALUES 1, 2, 3) AS t(a)")
	got, err := w.athena.GetQueryRuntimeStatistics(t.Context(), &sdk.GetQueryRuntimeStatisticsInput{QueryExecutionId: x.QueryExecutionId})
	must(t, err)
	if r := got.QueryRuntimeStatistics.Rows; *r.OutputRows != 3 || *r.OutputBytes != int64(len("\"a\"\n\"1\"\n\"2\"\n\"3\"\n")) {
		t.Errorf("got %d rows of %d bytes", *r.OutputRows, *r.OutputBytes)
	}
	_, err = w.athena.StartQueryExecution(t.Context(), &sdk.StartQueryExecutionInput{QueryString: aws.String("SELECT 1"), ResultConfiguration: &types.ResultConfiguration{OutputLocation: aws.String("s3://data/r/")},
		ResultReuseConfiguration: &types.ResultReuseConfiguration{ResultReuseByAgeConfiguration: &types.ResultReuseByAgeConfiguration{Enabled: true}}})
	if err == nil || strings.Contains(err.Error(), "not supported is not") {
		t.Errorf("got %v", err)
	}
}

// stores opens the services over a directory, without a server.
func stores(t *testing.T, dir string) (*athena.Service, func()) {
	store, err := state.Open(dir)
	must(t, err)
	objects, err := s3.New(s3.Config{Store: store})
	must(t, err)
	tables, err := glue.New(glue.Config{Store: store})
	must(t, err)
	svc, err := athena.New(athena.Config{Store: store, Glue: tables, S3: objects, Engine: engine.Config{Dir: dir}})
	must(t, err)
	return svc, func() { must(t, errors.Join(svc.Close(), objects.Close(), store.Close())) }
}

// A query that runs when the process dies has failed when the next one starts, and says why.
func TestQueriesInFlightFailAfterACrash(t *testing.T) {
	dir, after := t.TempDir(), t.TempDir()
	ask := func(svc *athena.Service, dir, operation string, in any) any {
		srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir})
		must(t, err)
		srv.Register(svc.API())
		defer srv.Shutdown(t.Context())
		out, err := srv.Invoke(t.Context(), wire.Root("000000000000", "us-east-1"), "athena", operation, in)
		must(t, err)
		return out
	}
	svc, closeAll := stores(t, dir)
	started := ask(svc, t.TempDir(), "StartQueryExecution", map[string]any{
		"QueryString":         "SELECT count(*) FROM UNNEST(sequence(1, 100000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 100000)) AS b(y) WHERE x % 7 = y % 11",
		"ResultConfiguration": map[string]any{"OutputLocation": "s3://data/results/"}})
	copied, err := os.ReadFile(filepath.Join(dir, "state.db"))
	must(t, err)
	begin := time.Now()
	closeAll()
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("closing waited %s for a query", d)
	}
	must(t, os.WriteFile(filepath.Join(after, "state.db"), copied, 0o600))
	for where, want := range map[string]string{after: "FAILED", dir: "CANCELLED"} {
		svc, closeAll := stores(t, where)
		x := asJSON(t, ask(svc, t.TempDir(), "GetQueryExecution", started))
		if !strings.Contains(x, `"State":"`+want+`"`) || !strings.Contains(x, "endpoint") {
			t.Errorf("want %s with a reason: %s", want, x)
		}
		closeAll()
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return string(b)
}

// Tools that write Hive's statements quote the database of the context as well.
func TestTheDatabaseMayBeQuoted(t *testing.T) {
	w := boot(t)
	w.run("CREATE DATABASE d")
	w.run("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://data/t/'")
	out, err := w.athena.StartQueryExecution(t.Context(), &sdk.StartQueryExecutionInput{QueryString: aws.String("DESCRIBE `t`"),
		QueryExecutionContext: &types.QueryExecutionContext{Database: aws.String("`d`")},
		ResultConfiguration:   &types.ResultConfiguration{OutputLocation: aws.String("s3://data/r/")}})
	must(t, err)
	if x := w.wait(*out.QueryExecutionId); x.Status.State != types.QueryExecutionStateSucceeded {
		t.Error(aws.ToString(x.Status.StateChangeReason))
	}
}
