package local_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// reason runs a statement that must not succeed, and returns its reason.
func reason(ctx context.Context, output, text string) string {
	GinkgoHelper()
	_, x := selected(ctx, root, output, text)
	Expect(x.Status.State).To(Equal(athenatypes.QueryExecutionStateFailed), text)
	return aws.ToString(x.Status.StateChangeReason)
}

var _ = Describe("Athena's statements", func() {
	var b, db, output string
	BeforeEach(func(ctx SpecContext) {
		b, db = bucket(ctx), fmt.Sprintf("db%d", names.Add(1))
		output = "s3://" + b + "/results/"
		run(ctx, root, output, "CREATE DATABASE "+db)
		run(ctx, root, output, "CREATE TABLE "+db+".t WITH (format = 'PARQUET', external_location = 's3://"+b+"/t/', partitioned_by = ARRAY['k']) AS SELECT x AS i, cast(x AS varchar) AS s, cast(x % 3 AS varchar) AS k FROM UNNEST(sequence(1, 9)) AS u(x)")
	})

	It("prepares, executes and forgets statements of a workgroup", func(ctx SpecContext) {
		name := strings.ReplaceAll(unique("p"), "-", "_")
		run(ctx, root, output, "PREPARE "+name+" FROM SELECT s FROM "+db+".t WHERE i > ? ORDER BY i")
		rows, _ := selected(ctx, root, output, "EXECUTE "+name+" USING 7")
		Expect(rows).To(Equal([][]string{{"s"}, {"8"}, {"9"}}))
		got := must(root.athena.BatchGetPreparedStatement(ctx, &athena.BatchGetPreparedStatementInput{WorkGroup: aws.String("primary"), PreparedStatementNames: []string{name, "none"}}))
		Expect(got.PreparedStatements).To(HaveLen(1))
		Expect(got.UnprocessedPreparedStatementNames).To(HaveLen(1))
		run(ctx, root, output, "DEALLOCATE PREPARE "+name)
		Expect(reason(ctx, output, "EXECUTE "+name+" USING 7")).To(ContainSubstring(name))
	})

	It("adds partitions for a query's rows, shows and describes them", func(ctx SpecContext) {
		shown, _ := selected(ctx, root, output, "SHOW PARTITIONS "+db+".t")
		Expect(shown).To(ConsistOf([]string{"k=0"}, []string{"k=1"}, []string{"k=2"}))
		parts := must(root.glue.GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: &db, TableName: aws.String("t"), Expression: aws.String("k IN ('1', '2')")})).Partitions
		Expect(parts).To(HaveLen(2))
		described, _ := selected(ctx, root, output, "DESCRIBE "+db+".t")
		Expect(fmt.Sprint(described)).To(And(ContainSubstring("bigint"), ContainSubstring("# Partition Information")))
		made, _ := selected(ctx, root, output, "SHOW CREATE TABLE "+db+".t")
		Expect(fmt.Sprint(made)).To(ContainSubstring("ParquetHiveSerDe"))
	})

	It("finds partitions that were put beside it", func(ctx SpecContext) {
		run(ctx, root, output, "CREATE EXTERNAL TABLE "+db+".found (a int) PARTITIONED BY (y int, m string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://"+b+"/found/'")
		for i := range 5 {
			Expect(put(ctx, root.s3, b, fmt.Sprintf("found/y=202%d/m=a%%20b/1.csv", i), fmt.Sprintf("%d\n", i))).To(Succeed())
		}
		run(ctx, root, output, "MSCK REPAIR TABLE "+db+".found")
		rows, x := selected(ctx, root, output, "SELECT a, m FROM "+db+".found WHERE y > 2023")
		Expect(rows).To(Equal([][]string{{"a", "m"}, {"4", "a b"}}))
		Expect(*x.Statistics.DataScannedInBytes).To(BeEquivalentTo(2), "one partition is read")
	})

	It("keeps views and reads through them", func(ctx SpecContext) {
		run(ctx, root, output, "CREATE VIEW "+db+".v AS SELECT k, count(*) AS n FROM "+db+".t GROUP BY k")
		run(ctx, root, output, "CREATE OR REPLACE VIEW "+db+".v AS SELECT k, max(i) AS n FROM "+db+".t GROUP BY k")
		rows, _ := selected(ctx, root, output, "SELECT n FROM "+db+".v WHERE k = '0'")
		Expect(rows).To(Equal([][]string{{"n"}, {"9"}}))
		table := must(root.athena.GetTableMetadata(ctx, &athena.GetTableMetadataInput{CatalogName: aws.String("AwsDataCatalog"), DatabaseName: &db, TableName: aws.String("v")}))
		Expect(*table.TableMetadata.TableType).To(Equal("VIRTUAL_VIEW"))
	})

	DescribeTable("says what is wrong, and where", func(ctx SpecContext, text, want string) {
		Expect(reason(ctx, output, strings.ReplaceAll(text, "DB", db))).To(HavePrefix(strings.ReplaceAll(want, "DB", db)))
	},
		Entry("a column", "SELECT nope FROM DB.t", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved or requester is not authorized to access requested resources"),
		Entry("a table", "SELECT *\nFROM DB.nope", "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.DB.nope' does not exist"),
		Entry("a function", "SELECT nope(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered"),
		Entry("a comparison", "SELECT i FROM DB.t WHERE i = '1'", "TYPE_MISMATCH: line 1:3"),
		Entry("a division", "SELECT i / 0 FROM DB.t", "DIVISION_BY_ZERO"),
	)

	It("stops a query that would scan more than its workgroup lets it, and leaves nothing", func(ctx SpecContext) {
		group := aws.String(unique("group"))
		must(root.athena.CreateWorkGroup(ctx, &athena.CreateWorkGroupInput{Name: group, Configuration: &athenatypes.WorkGroupConfiguration{
			BytesScannedCutoffPerQuery: aws.Int64(10_000_000), ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: &output}}}))
		run(ctx, root, output, "CREATE EXTERNAL TABLE "+db+".big (line string) LOCATION 's3://"+b+"/big/'")
		Expect(put(ctx, root.s3, b, "big/1.csv", strings.Repeat(strings.Repeat("x", 99)+"\n", 110_000))).To(Succeed())
		id := must(root.athena.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{WorkGroup: group,
			QueryString: aws.String("CREATE TABLE " + db + ".copied WITH (external_location = 's3://" + b + "/copied/') AS SELECT * FROM " + db + ".big")})).QueryExecutionId
		var x *athenatypes.QueryExecution
		Eventually(ctx, func() athenatypes.QueryExecutionState {
			x = must(root.athena.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: id})).QueryExecution
			return x.Status.State
		}).Should(Equal(athenatypes.QueryExecutionStateCancelled))
		Expect(*x.Status.StateChangeReason).To(ContainSubstring("Bytes scanned limit was exceeded"))
		_, err := get(ctx, root.s3, object(b, "copied/"))
		Expect(err).To(HaveOccurred())
		_, err = root.glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("copied")})
		Expect(err).To(refuseWith("EntityNotFoundException"))
	})

	It("logs what a query was refused", func(ctx SpecContext) {
		worker := as(ctx, allow("*", "athena:*", "glue:*"), allow("arn:aws:s3:::"+b+"/results/*", "s3:*"), allow("arn:aws:s3:::"+b, "s3:*"))
		_, x := selected(ctx, worker, output, "SELECT * FROM "+db+".t")
		Expect(x.Status.State).To(Equal(athenatypes.QueryExecutionStateFailed))
		denied := lastDenied(ctx)
		Expect(denied.DeniedAction).To(Equal("s3:GetObject"))
		Expect(denied.DeniedResource).To(HavePrefix("arn:aws:s3:::" + b + "/t/"))
		Expect(denied.Caller).To(ContainSubstring("assumed-role"))
	})
})
