package glue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"

	"engage/internal/localaws/glue"
	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
)

// boot starts an endpoint with Glue alone, and a database d with a table t in it.
func boot(t *testing.T) *sdk.Client {
	t.Helper()
	dir := t.TempDir()
	store, err := state.Open(dir)
	must(t, err)
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: dir})
	must(t, err)
	s, err := glue.New(glue.Config{Store: store})
	must(t, err)
	srv.Register(s.API())
	must(t, srv.Start(t.Context()))
	t.Cleanup(func() { must(t, errors.Join(srv.Shutdown(context.Background()), store.Close())) })
	c := sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: aws.String(srv.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	_, err = c.CreateDatabase(t.Context(), &sdk.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("D")}, Tags: map[string]string{"a": "1"}})
	must(t, err)
	_, err = c.CreateTable(t.Context(), &sdk.CreateTableInput{DatabaseName: db, TableInput: &types.TableInput{Name: table, TableType: aws.String("EXTERNAL_TABLE"),
		PartitionKeys: []types.Column{{Name: aws.String("n"), Type: aws.String("int")}},
		StorageDescriptor: &types.StorageDescriptor{Location: aws.String("s3://b/t/"), Columns: []types.Column{{Name: aws.String("v"), Type: aws.String("bigint")}},
			SortColumns: []types.Order{{Column: aws.String("v"), SortOrder: 1}}, SkewedInfo: &types.SkewedInfo{SkewedColumnNames: []string{"v"}}}}})
	must(t, err)
	return c
}

var db, table = aws.String("d"), aws.String("t")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestATableIsReturnedAsItWasMade(t *testing.T) {
	c := boot(t)
	got, err := c.GetTable(t.Context(), &sdk.GetTableInput{DatabaseName: db, Name: table})
	must(t, err)
	d := got.Table.StorageDescriptor
	if len(d.SortColumns) != 1 || d.SortColumns[0].SortOrder != 1 || d.SkewedInfo == nil || *got.Table.CatalogId != "000000000000" {
		t.Errorf("got %+v", d)
	}
	_, err = c.GetTable(t.Context(), &sdk.GetTableInput{DatabaseName: db, Name: aws.String("none")})
	refused(t, err, "EntityNotFoundException")
	_, err = c.GetTable(t.Context(), &sdk.GetTableInput{CatalogId: aws.String("999999999999"), DatabaseName: db, Name: table})
	refused(t, err, "AccessDeniedException")
}

func TestPartitionsAreFilteredAndPaged(t *testing.T) {
	c, ctx := boot(t), t.Context()
	var list []types.PartitionInput
	for i := range 25 {
		list = append(list, types.PartitionInput{Values: []string{fmt.Sprint(i)}, StorageDescriptor: &types.StorageDescriptor{Columns: []types.Column{{Name: aws.String("v")}}}})
	}
	_, err := c.BatchCreatePartition(ctx, &sdk.BatchCreatePartitionInput{DatabaseName: db, TableName: table, PartitionInputList: list})
	must(t, err)
	pages := sdk.NewGetPartitionsPaginator(c, &sdk.GetPartitionsInput{DatabaseName: db, TableName: table, Expression: aws.String("n >= 5 AND n < 15"), MaxResults: aws.Int32(3), ExcludeColumnSchema: aws.Bool(true)})
	found, calls := map[string]bool{}, 0
	for ; pages.HasMorePages(); calls++ {
		page, err := pages.NextPage(ctx)
		must(t, err)
		for _, p := range page.Partitions {
			found[p.Values[0]] = true
			if p.StorageDescriptor.Columns != nil {
				t.Error("columns were not left out")
			}
		}
	}
	if len(found) != 10 || !found["5"] || !found["14"] || calls != 4 {
		t.Errorf("%v in %d pages", found, calls)
	}
	total := 0
	for i := range int32(3) {
		out, err := c.GetPartitions(ctx, &sdk.GetPartitionsInput{DatabaseName: db, TableName: table, Segment: &types.Segment{SegmentNumber: i, TotalSegments: aws.Int32(3)}})
		must(t, err)
		total += len(out.Partitions)
	}
	if total != 25 {
		t.Errorf("segments hold %d partitions", total)
	}
	_, err = c.GetPartitions(ctx, &sdk.GetPartitionsInput{DatabaseName: db, TableName: table, Expression: aws.String("v = 1")})
	refused(t, err, "InvalidInputException")
	_, err = c.CreatePartition(ctx, &sdk.CreatePartitionInput{DatabaseName: db, TableName: table, PartitionInput: &types.PartitionInput{Values: []string{"1", "2"}}})
	refused(t, err, "InvalidInputException")
	_, err = c.CreatePartition(ctx, &sdk.CreatePartitionInput{DatabaseName: db, TableName: table, PartitionInput: &types.PartitionInput{Values: []string{"1"}}})
	refused(t, err, "AlreadyExistsException")
}

func TestTags(t *testing.T) {
	c, ctx := boot(t), t.Context()
	arn := aws.String("arn:aws:glue:us-east-1:000000000000:database/d")
	_, err := c.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: arn, TagsToAdd: map[string]string{"b": "2"}})
	must(t, err)
	_, err = c.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: arn, TagsToRemove: []string{"a"}})
	must(t, err)
	got, err := c.GetTags(ctx, &sdk.GetTagsInput{ResourceArn: arn})
	must(t, err)
	if len(got.Tags) != 1 || got.Tags["b"] != "2" {
		t.Errorf("got %v", got.Tags)
	}
}

func TestColumnStatistics(t *testing.T) {
	c, ctx := boot(t), t.Context()
	put := func(column string, data *types.ColumnStatisticsData) []types.ColumnStatisticsError {
		out, err := c.UpdateColumnStatisticsForTable(ctx, &sdk.UpdateColumnStatisticsForTableInput{DatabaseName: db, TableName: table, ColumnStatisticsList: []types.ColumnStatistics{
			{ColumnName: &column, ColumnType: aws.String("bigint"), AnalyzedTime: aws.Time(time.Unix(1700000000, 0)), StatisticsData: data}}})
		must(t, err)
		return out.Errors
	}
	long := &types.ColumnStatisticsData{Type: types.ColumnStatisticsTypeLong, LongColumnStatisticsData: &types.LongColumnStatisticsData{MinimumValue: 1, MaximumValue: 9, NumberOfNulls: 2, NumberOfDistinctValues: 5}}
	if errs := put("v", long); len(errs) > 0 {
		t.Errorf("got %v", *errs[0].Error.ErrorMessage)
	}
	if errs := put("none", long); len(errs) != 1 {
		t.Error("a column that is not there was taken")
	}
	if errs := put("v", &types.ColumnStatisticsData{Type: types.ColumnStatisticsTypeString}); len(errs) != 1 {
		t.Error("statistics without their data were taken")
	}
	get := func() *sdk.GetColumnStatisticsForTableOutput {
		out, err := c.GetColumnStatisticsForTable(ctx, &sdk.GetColumnStatisticsForTableInput{DatabaseName: db, TableName: table, ColumnNames: []string{"v", "n"}})
		must(t, err)
		return out
	}
	got := get()
	if len(got.ColumnStatisticsList) != 1 || len(got.Errors) != 1 || got.ColumnStatisticsList[0].StatisticsData.LongColumnStatisticsData.MaximumValue != 9 {
		t.Errorf("got %+v", got)
	}
	_, err := c.DeleteColumnStatisticsForTable(ctx, &sdk.DeleteColumnStatisticsForTableInput{DatabaseName: db, TableName: table, ColumnName: aws.String("v")})
	must(t, err)
	if got := get(); len(got.ColumnStatisticsList) != 0 {
		t.Error("deleted statistics are there")
	}
}

func TestCatalogSettings(t *testing.T) {
	c, ctx := boot(t), t.Context()
	mode := func() types.CatalogEncryptionMode {
		out, err := c.GetDataCatalogEncryptionSettings(ctx, &sdk.GetDataCatalogEncryptionSettingsInput{})
		must(t, err)
		return out.DataCatalogEncryptionSettings.EncryptionAtRest.CatalogEncryptionMode
	}
	if got := mode(); got != types.CatalogEncryptionModeDisabled {
		t.Errorf("a new catalog has %s", got)
	}
	_, err := c.PutDataCatalogEncryptionSettings(ctx, &sdk.PutDataCatalogEncryptionSettingsInput{DataCatalogEncryptionSettings: &types.DataCatalogEncryptionSettings{
		EncryptionAtRest: &types.EncryptionAtRest{CatalogEncryptionMode: types.CatalogEncryptionModeSsekms, SseAwsKmsKeyId: aws.String("alias/k")}}})
	must(t, err)
	if got := mode(); got != types.CatalogEncryptionModeSsekms {
		t.Errorf("got %s", got)
	}
}

func TestResourcePolicy(t *testing.T) {
	c, ctx := boot(t), t.Context()
	_, err := c.GetResourcePolicy(ctx, &sdk.GetResourcePolicyInput{})
	refused(t, err, "EntityNotFoundException")
	_, err = c.PutResourcePolicy(ctx, &sdk.PutResourcePolicyInput{PolicyInJson: aws.String("{")})
	refused(t, err, "InvalidInputException")
	text := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"glue:GetTable","Resource":"*"}]}`)
	put, err := c.PutResourcePolicy(ctx, &sdk.PutResourcePolicyInput{PolicyInJson: text})
	must(t, err)
	_, err = c.PutResourcePolicy(ctx, &sdk.PutResourcePolicyInput{PolicyInJson: text, PolicyExistsCondition: types.ExistConditionNotExist})
	refused(t, err, "ConditionCheckFailureException")
	_, err = c.DeleteResourcePolicy(ctx, &sdk.DeleteResourcePolicyInput{PolicyHashCondition: aws.String("another")})
	refused(t, err, "ConditionCheckFailureException")
	_, err = c.DeleteResourcePolicy(ctx, &sdk.DeleteResourcePolicyInput{PolicyHashCondition: put.PolicyHash})
	must(t, err)
}

func TestWhatIsNotThereIsRefusedByName(t *testing.T) {
	c := boot(t)
	_, err := c.CreateUserDefinedFunction(t.Context(), &sdk.CreateUserDefinedFunctionInput{DatabaseName: db, FunctionInput: &types.UserDefinedFunctionInput{}})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "NotImplementedException" && api.ErrorCode() != "NotImplemented" {
		t.Errorf("got %v", err)
	}
}
