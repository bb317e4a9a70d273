package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"engage/internal/localaws/athena/engine"
)

// statements are those of a pipeline that makes tables from CSV, joins predictions and builds views.
func statements(t testing.TB) map[string]string {
	t.Helper()
	body, err := os.ReadFile("testdata/pipeline.sql")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	parts := regexp.MustCompile(`(?m)^-- @(\w+)\n`).Split(string(body), -1)
	for i, m := range regexp.MustCompile(`(?m)^-- @(\w+)\n`).FindAllStringSubmatch(string(body), -1) {
		out[m[1]] = strings.TrimSpace(parts[i+1])
	}
	return out
}

var tableColumns = regexp.MustCompile(`(?m)^    (\w+) (STRING|INT|DOUBLE),?$`)

// customers writes n rows for the raw table: numbers follow from the row, so that results can be told.
func customers(create string, n int) string {
	columns := tableColumns.FindAllStringSubmatch(create, -1)
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(c[1])
	}
	b.WriteByte('\n')
	for row := range n {
		for i, c := range columns {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(cell(c[1], c[2], row))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func cell(name, kind string, row int) string {
	switch {
	case name == "customer_id":
		return fmt.Sprintf("CUST_%06d", row)
	case name == "location":
		return []string{"New York", "São Paulo", "a/b"}[row%3]
	case name == "account_type":
		return []string{"free", "premium"}[row%2]
	case kind == "STRING":
		return "x"
	case kind == "INT":
		return fmt.Sprint(row % 60)
	}
	return fmt.Sprintf("%.3f", float64(row%1000)/1000)
}

func TestPipelineStatements(t *testing.T) {
	b := newBench(t, false)
	st := statements(t)
	for _, db := range []string{"engagement_raw", "engagement_predictions", "engagement_qa", "engagement_analytics"} {
		b.must("CREATE DATABASE IF NOT EXISTS " + db)
	}
	for _, drop := range strings.Split(st["drop"], "\n") {
		b.must(drop)
	}
	const n = 2000
	b.put("s3://engagement-data/raw/customers.csv", customers(st["raw"], n))
	b.must(st["raw"])
	for name, want := range map[string]int64{"training": n * 8 / 10, "test": n * 2 / 10, "inference": n} {
		if got := b.must(st[name]).Rows; got != want {
			t.Errorf("%s: %d rows, want %d", name, got, want)
		}
	}
	b.must(`CREATE TABLE engagement_predictions.predictions WITH (external_location = 's3://engagement-predictions/p/') AS
		SELECT customer_id, engagement_score * 0.9e0 + 0.01e0 AS predicted_engagement_score, timestamp '2025-10-21 00:00:00' AS prediction_timestamp, 'v1' AS model_version FROM engagement_raw.customers`)
	qa := b.must(st["qa"])
	if qa.Rows != 400 || len(qa.Notes) != 2 {
		t.Errorf("qa: %d rows, notes %q", qa.Rows, qa.Notes)
	}
	final := b.must(st["final"])
	if final.Rows != n || len(final.Notes) != 2 {
		t.Errorf("final: %d rows, notes %q", final.Rows, final.Notes)
	}
	if got := b.read(b.must("SHOW PARTITIONS engagement_analytics.final_results").Output); got != "location=New York/account_type=free\nlocation=New York/account_type=premium\nlocation=São Paulo/account_type=free\nlocation=São Paulo/account_type=premium\nlocation=a%2Fb/account_type=free\nlocation=a%2Fb/account_type=premium\n" {
		t.Errorf("%q", got)
	}
	for _, v := range []string{"high_value", "at_risk", "performance"} {
		b.must(st[v])
	}
	checkViews(t, b)
}

func checkViews(t *testing.T, b *bench) {
	t.Helper()
	if got := b.rows("SELECT model_version, total_predictions, round(avg_error, 6), accurate_count, poor_count FROM engagement_analytics.model_performance"); got != "v1|2000|0.04096|2000|0" {
		t.Error(got)
	}
	if got := b.rows("SELECT count(*), min(account_type) FROM engagement_analytics.high_value_customers"); got != "234|premium" {
		t.Error(got)
	}
	if got := b.rows("SELECT location, count(*) FROM engagement_analytics.final_results WHERE location = 'a/b' GROUP BY 1"); got != "a/b|666" {
		t.Error(got)
	}
	for _, q := range strings.Split(statements(t)["fairness"], ";") {
		if strings.Contains(q, "SELECT") && b.rows(q) == "" {
			t.Errorf("no rows: %s", q)
		}
	}
	whole := b.must("SELECT sum(age) FROM engagement_analytics.final_results").Scanned
	part := b.must("SELECT sum(age) FROM engagement_analytics.final_results WHERE location = 'a/b'").Scanned
	if part == 0 || part*2 > whole {
		t.Errorf("a filter on partitions scanned %d of %d bytes", part, whole)
	}
}

func TestScannedBytes(t *testing.T) {
	b := newBench(t, false)
	b.must("CREATE TABLE t WITH (parquet_compression = 'SNAPPY', external_location = 's3://d/t/') AS SELECT x AS id, x * 2 AS b, cast(x as varchar) AS s FROM UNNEST(sequence(1, 200000)) AS u(x)")
	all := b.must("SELECT * FROM t").Scanned
	one := b.must("SELECT sum(id) FROM t").Scanned
	late := b.must("SELECT sum(id) FROM t WHERE id > 199000").Scanned
	count := b.must("SELECT count(*) FROM t").Scanned
	if !(count == 0 && late > 0 && late < one && one < all) {
		t.Errorf("count %d, one row group %d, one column %d, all %d", count, late, one, all)
	}
	_, err := b.engine.Run(context.Background(), engine.Request{ID: "cut", Statement: "SELECT * FROM t", Output: "s3://results/", ScanLimit: all - 1})
	if !errors.Is(err, engine.ErrScanLimit) {
		t.Errorf("a query over its limit gave %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = b.engine.Run(ctx, engine.Request{ID: "slow", Statement: "SELECT count(*) FROM t a CROSS JOIN t b WHERE a.id * b.id % 7 = 3", Output: "s3://results/"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a cancelled query gave %v", err)
	}
}

func TestStrictRefusesWhatAthenaRefuses(t *testing.T) {
	b := newBench(t, true)
	for q, want := range map[string]string{
		"SELECT percentile_approx(1, 0.5)":                                      "FUNCTION_NOT_FOUND",
		"CREATE TABLE a AS SELECT NULL AS n":                                    "COLUMN_TYPE_UNKNOWN: Column type is unknown: n",
		"CREATE TABLE a AS SELECT current_timestamp AS n":                       "NOT_SUPPORTED: Unsupported Hive type",
		"CREATE TABLE a WITH (partitioned_by=ARRAY['x']) AS SELECT 1 AS x, 2 y": "HIVE_COLUMN_ORDER_MISMATCH",
	} {
		if _, err := b.run(q); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func TestInsertPartitionsAndDescriptions(t *testing.T) {
	b := newBench(t, false)
	b.must("CREATE EXTERNAL TABLE p (a int, s string) PARTITIONED BY (dt string, h int) STORED AS PARQUET LOCATION 's3://d/p/'")
	b.must("INSERT INTO p SELECT 1, 'x', '2025-01-01', 3 UNION ALL SELECT 2, 'y', '2025-01-02', 4")
	b.must("INSERT INTO p (a, dt, s, h) VALUES (3, '2025-01-01', 'z', 3)")
	if got := b.rows("SELECT * FROM p ORDER BY a"); got != "1|x|2025-01-01|3\n2|y|2025-01-02|4\n3|z|2025-01-01|3" {
		t.Errorf("%q", got)
	}
	b.must("ALTER TABLE p DROP PARTITION (dt='2025-01-01', h='3')")
	if got := b.rows("SELECT a FROM p"); got != "2" {
		t.Errorf("%q", got)
	}
	b.must("MSCK REPAIR TABLE p")
	if got := b.rows("SELECT count(*) FROM p WHERE h = 3"); got != "2" {
		t.Errorf("%q", got)
	}
	b.must("ALTER TABLE p ADD PARTITION (dt='q', h='9') LOCATION 's3://elsewhere/q/'")
	if got := b.rows("SELECT max(a), max(h) FROM p"); got != "3|4" {
		t.Errorf("%q", got)
	}
	show := b.read(b.must("SHOW CREATE TABLE p").Output)
	b.must("DROP TABLE p")
	b.must(show)
	if again := b.read(b.must("SHOW CREATE TABLE p").Output); again != show {
		t.Errorf("%s\nis not\n%s", again, show)
	}
	if got := b.read(b.must("DESCRIBE p a").Output); got != "a                   \tint                 \t                    \n" {
		t.Errorf("%q", got)
	}
	b.must("CREATE OR REPLACE VIEW v AS SELECT a FROM p")
	if got := b.read(b.must("SHOW VIEWS").Output); got != "v\n" {
		t.Errorf("%q", got)
	}
	if !strings.Contains(b.read(b.must("EXPLAIN SELECT a FROM v").Output), "PROJECTION") && b.n > 0 {
		t.Log("plan without projection")
	}
	if _, err := b.run("INSERT INTO p SELECT 'x', 'y', 'z', 1"); err == nil || !strings.HasPrefix(err.Error(), "TYPE_MISMATCH") {
		t.Error(err)
	}
	if got := b.rows("SELECT ? + ?", "1", "2"); got != "3" {
		t.Error(got)
	}
}

// A query that would scan too much is stopped by its plan, and has written nothing.
func TestScanLimitStopsBeforeTheScan(t *testing.T) {
	b := newBench(t, false)
	b.must("CREATE TABLE big WITH (external_location = 's3://d/big/') AS SELECT x AS id, sqrt(x) AS v FROM UNNEST(sequence(1, 10000)) AS u(x)")
	limited := func(statement string, limit int64) error {
		b.n++
		_, err := b.engine.Run(t.Context(), engine.Request{ID: fmt.Sprintf("l%d", b.n), Statement: statement, Output: "s3://results/out/", ScanLimit: limit})
		return err
	}
	both := b.must("SELECT sum(id), sum(v) FROM big").Scanned
	one := b.must("SELECT sum(id) FROM big").Scanned
	if err := limited("SELECT sum(id) FROM big", one); err != nil {
		t.Errorf("%d bytes of %d: %v", one, both, err)
	}
	for _, q := range []string{"SELECT sum(id), sum(v) FROM big", "SELECT count(*) FROM big a JOIN big b ON a.id = b.id", "CREATE TABLE copied WITH (external_location = 's3://d/copied/') AS SELECT * FROM big"} {
		if err := limited(q, one); !errors.Is(err, engine.ErrScanLimit) {
			t.Errorf("%s: %v", q, err)
		}
	}
	if left, err := b.objects.List(t.Context(), "s3://d/copied/"); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
