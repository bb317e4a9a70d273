package local_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// selected runs a statement and returns its rows, the names first.
func selected(ctx context.Context, c *sdk, output, text string) ([][]string, *athenatypes.QueryExecution) {
	GinkgoHelper()
	id := must(c.athena.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{QueryString: &text,
		ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: &output}})).QueryExecutionId
	var x *athenatypes.QueryExecution
	Eventually(ctx, func() athenatypes.QueryExecutionState {
		x = must(c.athena.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: id})).QueryExecution
		return x.Status.State
	}).Should(BeElementOf(athenatypes.QueryExecutionStateSucceeded, athenatypes.QueryExecutionStateFailed))
	if x.Status.State == athenatypes.QueryExecutionStateFailed {
		return nil, x
	}
	var rows [][]string
	pages := athena.NewGetQueryResultsPaginator(c.athena, &athena.GetQueryResultsInput{QueryExecutionId: id, MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, r := range must(pages.NextPage(ctx)).ResultSet.Rows {
			var row []string
			for _, d := range r.Data {
				row = append(row, aws.ToString(d.VarCharValue))
			}
			rows = append(rows, row)
		}
	}
	return rows, x
}

var _ = Describe("Glue", func() {
	It("keeps databases, tables with their versions, and partitions", func(ctx SpecContext) {
		db, table := aws.String(unique("db")), aws.String("t")
		must(root.glue.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: db}}))
		_, err := root.glue.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: db}})
		Expect(err).To(refuseWith("AlreadyExistsException"))
		input := &gluetypes.TableInput{Name: table, PartitionKeys: []gluetypes.Column{{Name: aws.String("dt"), Type: aws.String("string")}},
			StorageDescriptor: &gluetypes.StorageDescriptor{Location: aws.String("s3://b/t/"), Columns: []gluetypes.Column{{Name: aws.String("a"), Type: aws.String("int")}}}}
		must(root.glue.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: db, TableInput: input}))
		input.Description = aws.String("second")
		must(root.glue.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: db, TableInput: input}))
		Expect(*must(root.glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: db, Name: table})).Table.Description).To(Equal("second"))
		Expect(must(root.glue.GetTableVersions(ctx, &glue.GetTableVersionsInput{DatabaseName: db, TableName: table})).TableVersions).To(HaveLen(2))
		var batch []gluetypes.PartitionInput
		for i := range 3 {
			batch = append(batch, gluetypes.PartitionInput{Values: []string{fmt.Sprint("2026-01-0", i+1)}, StorageDescriptor: input.StorageDescriptor})
		}
		Expect(must(root.glue.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: db, TableName: table, PartitionInputList: batch})).Errors).To(BeEmpty())
		Expect(must(root.glue.GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: db, TableName: table})).Partitions).To(HaveLen(3))
		must(root.glue.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: db, Name: table}))
		_, err = root.glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: db, Name: table})
		Expect(err).To(refuseWith("EntityNotFoundException"))
		must(root.glue.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{Name: db}))
		_, err = as(ctx, allow("*", "s3:*")).glue.GetDatabase(ctx, &glue.GetDatabaseInput{Name: db})
		Expect(err).To(refuseWith("AccessDeniedException", "glue:GetDatabase"))
	})
})

var _ = Describe("Athena", func() {
	var b, db, output string
	BeforeEach(func(ctx SpecContext) {
		b, db = bucket(ctx), fmt.Sprintf("db%d", names.Add(1))
		output = "s3://" + b + "/results/"
		Expect(put(ctx, root.s3, b, "in/dt=2026-01-01/1.csv", "a,1.5\nb,2.5\n")).To(Succeed())
		Expect(put(ctx, root.s3, b, "in/dt=2026-01-02/1.csv", "a,3\n")).To(Succeed())
		run(ctx, root, output, "CREATE DATABASE "+db)
		run(ctx, root, output, `CREATE EXTERNAL TABLE `+db+`.scores (name string, score double) PARTITIONED BY (dt string)
			ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://`+b+`/in/'`)
		run(ctx, root, output, "MSCK REPAIR TABLE "+db+".scores")
	})

	It("queries partitioned CSV, and writes the result as Athena does", func(ctx SpecContext) {
		rows, x := selected(ctx, root, output, "SELECT name, sum(score) AS total FROM "+db+".scores GROUP BY name ORDER BY name")
		Expect(rows).To(Equal([][]string{{"name", "total"}, {"a", "4.5"}, {"b", "2.5"}}))
		key := "results/" + *x.QueryExecutionId + ".csv"
		Expect(must(get(ctx, root.s3, object(b, key)))).To(Equal("\"name\",\"total\"\n\"a\",\"4.5\"\n\"b\",\"2.5\"\n"))
		Expect(*x.Statistics.DataScannedInBytes).To(BeEquivalentTo(16))
		_, x = selected(ctx, root, output, "SELECT name FROM "+db+".scores WHERE dt = '2026-01-02'")
		Expect(*x.Statistics.DataScannedInBytes).To(BeEquivalentTo(4), "one partition is read")
	})

	It("makes a table of a query, and adds to it", func(ctx SpecContext) {
		run(ctx, root, output, "CREATE TABLE "+db+".best WITH (format='PARQUET', external_location='s3://"+b+"/best/', partitioned_by=ARRAY['dt']) AS SELECT name, score, dt FROM "+db+".scores WHERE score > 2")
		run(ctx, root, output, "INSERT INTO "+db+".best VALUES ('c', 9.0, '2026-01-03')")
		run(ctx, root, output, "CREATE OR REPLACE VIEW "+db+".names AS SELECT approx_percentile(score, 0.5) AS middle, count(*) AS n FROM "+db+".best")
		rows, _ := selected(ctx, root, output, "SELECT n FROM "+db+".names")
		Expect(rows).To(Equal([][]string{{"n"}, {"3"}}))
	})

	It("says where a statement is wrong", func(ctx SpecContext) {
		_, x := selected(ctx, root, output, "SELECT name,\n nothing FROM "+db+".scores")
		Expect(*x.Status.StateChangeReason).To(ContainSubstring("COLUMN_NOT_FOUND: line 2:2"))
	})

	It("reads with the caller's permissions", func(ctx SpecContext) {
		worker := as(ctx, allow("*", "athena:*", "glue:*"), allow("arn:aws:s3:::"+b+"/results/*", "s3:*"), allow("arn:aws:s3:::"+b, "s3:*"))
		_, x := selected(ctx, worker, output, "SELECT name FROM "+db+".scores")
		Expect(x.Status.State).To(Equal(athenatypes.QueryExecutionStateFailed))
		Expect(*x.Status.StateChangeReason).To(ContainSubstring("s3:GetObject"))
	})

	It("enforces a workgroup's output", func(ctx SpecContext) {
		group := aws.String(unique("group"))
		must(root.athena.CreateWorkGroup(ctx, &athena.CreateWorkGroupInput{Name: group, Configuration: &athenatypes.WorkGroupConfiguration{EnforceWorkGroupConfiguration: aws.Bool(true),
			ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://" + b + "/enforced/")}}}))
		id := must(root.athena.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{QueryString: aws.String("SELECT 1"), WorkGroup: group,
			ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: &output}})).QueryExecutionId
		x := must(root.athena.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: id})).QueryExecution
		Expect(*x.ResultConfiguration.OutputLocation).To(HavePrefix("s3://" + b + "/enforced/"))
	})
})

// run runs a statement that must succeed.
func run(ctx context.Context, c *sdk, output, text string) {
	GinkgoHelper()
	_, x := selected(ctx, c, output, text)
	Expect(x.Status.State).To(Equal(athenatypes.QueryExecutionStateSucceeded), "%s: %s", text, aws.ToString(x.Status.StateChangeReason))
}
