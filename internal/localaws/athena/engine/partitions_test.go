package engine_test

import (
	"fmt"
	"strings"
	"testing"
)

// manyPartitions makes a table of n small partitions, two rows each, in CSV or Parquet.
func manyPartitions(b *bench, n int) {
	b.t.Helper()
	for i := range n {
		b.put(fmt.Sprintf("s3://d/many/k=%04d/part.csv", i), fmt.Sprintf("%d,x\n%d,y\n", i, i*2))
	}
	b.must("CREATE EXTERNAL TABLE many (a int, s string) PARTITIONED BY (k string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://d/many/'")
}

func TestPartitionsAreRepairedAndPruned(t *testing.T) {
	b := newBench(t, false)
	manyPartitions(b, 100)
	res := b.must("MSCK REPAIR TABLE many")
	if got := b.read(res.Output); strings.Count(got, "Repair: Added partition") != 100 {
		t.Errorf("MSCK said %.200s", got)
	}
	if got := b.rows("SELECT count(*), sum(a), min(k), max(k) FROM many"); got != "200|14850|0000|0099" {
		t.Errorf("all partitions gave %s", got)
	}
	one := b.must("SELECT s FROM many WHERE k = '0007'")
	if one.Rows != 2 || one.Scanned != int64(len("7,x\n14,y\n")) {
		t.Errorf("one partition gave %d rows of %d bytes", one.Rows, one.Scanned)
	}
}

// Partitions may lie anywhere, have keys of any type and values that no path takes as they are.
func TestPartitionsOutsideOfTheTable(t *testing.T) {
	b := newBench(t, false)
	b.must("CREATE EXTERNAL TABLE p (a int) PARTITIONED BY (d date, n int, s string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://d/p/'")
	b.put("s3://other/here/x.csv", "1\n")
	b.put("s3://other/there/x.csv", "2\n")
	b.must(`ALTER TABLE p ADD PARTITION (d = '2025-01-01', n = 5, s = 'a/b=c %*?[x]') LOCATION 's3://other/here/'
		PARTITION (d = '2025-01-02', n = 6, s = '__HIVE_DEFAULT_PARTITION__') LOCATION 's3://other/there/'`)
	if got, want := b.rows("SELECT a, d, n + 1, s FROM p ORDER BY a"), "1|2025-01-01|6|a/b=c %*?[x]\n2|2025-01-02|7|"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := b.must("SELECT a FROM p WHERE d > DATE '2025-01-01'"); got.Scanned != 2 || got.Rows != 1 {
		t.Errorf("%d bytes, %d rows", got.Scanned, got.Rows)
	}
}

// An instance is used again, and must forget what it was granted.
func TestAnInstanceSeesWhatIsThereNow(t *testing.T) {
	b := newBench(t, false)
	b.must("CREATE EXTERNAL TABLE t (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://d/t/'")
	b.must("CREATE VIEW v AS SELECT a AS x FROM t")
	for i, content := range []string{"1\n", "2\n3\n", ""} {
		b.put("s3://d/t/x.csv", content)
		want := strings.TrimSpace(content)
		if got := b.rows("SELECT x FROM v ORDER BY x"); got != want {
			t.Errorf("%d: got %q, want %q", i, got, want)
		}
		b.must("SELECT 1")
	}
	b.must("DROP VIEW v")
	b.must("DROP TABLE t")
	b.must("CREATE TABLE t AS SELECT 'text' AS a")
	if got := b.rows("SELECT a FROM t"); got != "text" {
		t.Errorf("got %q", got)
	}
}

func TestPartitionProjectionIsRefusedWhereItIsOn(t *testing.T) {
	b := newBench(t, false)
	for enabled, want := range map[string]bool{"false": true, "true": false} {
		b.must("CREATE EXTERNAL TABLE IF NOT EXISTS p" + enabled + " (a int) PARTITIONED BY (k string) LOCATION 's3://d/p/' TBLPROPERTIES ('projection.enabled' = '" + enabled + "')")
		if _, err := b.run("SELECT * FROM p" + enabled); (err == nil) != want {
			t.Errorf("%s: %v", enabled, err)
		}
	}
}

func BenchmarkThousandPartitions(b *testing.B) {
	e := newBench(b, false)
	manyPartitions(e, 1000)
	e.must("MSCK REPAIR TABLE many")
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			e.must("SELECT count(*), sum(a) FROM many")
		}
	})
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			e.must("SELECT a FROM many WHERE k = '0500'")
		}
	})
	e.must("CREATE TABLE manyp WITH (partitioned_by = ARRAY['k']) AS SELECT a, s, cast(a % 100 AS varchar) k FROM many")
	b.Run("parquet", func(b *testing.B) {
		for b.Loop() {
			e.must("SELECT a FROM manyp WHERE k = '7'")
		}
	})
}
